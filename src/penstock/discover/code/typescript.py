"""TypeScript and JavaScript source to IR: one iterative walk per file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from penstock.discover.code.ir import (
    BASES,
    CLASS,
    DECORATORS,
    FUNCTION,
    MAX_ITEMS,
    NAME,
    PARAMS,
    RETURNS,
    Builder,
    utf8,
)
from penstock.discover.code.parse import parse
from penstock.discover.code.python import first_error
from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.graph.vocabulary import Unseen

_PARSERS = {
    "typescript": Parser(Language(tree_sitter_typescript.language_typescript())),
    "tsx": Parser(Language(tree_sitter_typescript.language_tsx())),
    "javascript": Parser(Language(tree_sitter_javascript.language())),
}
_GRAMMARS = {"ts": "typescript", "mts": "typescript", "cts": "typescript", "tsx": "tsx"}
#: A file with a line this long (characters) and this size (bytes) is machine-made: bundles and minified libraries.
_MINIFIED_LINE = 20_000
_MINIFIED_SIZE = 50_000


@collector(
    "code.typescript",
    reads=("*.ts", "*.mts", "*.cts", "*.tsx", "*.js", "*.mjs", "*.cjs", "*.jsx"),
    sees="imports, calls, values, functions and classes of TypeScript and JavaScript files",
    unseen="names built at run time; path aliases of tsconfig; minified bundles",
)
def typescript_file(file: File) -> Iterator[Yielded]:
    """The IR of one TypeScript or JavaScript file."""
    if _minified(file.data):
        yield Unseen(
            file.path,
            "JavaScript code",
            "it is minified",
            "Scan its source",
            "code.typescript",
            file.scope,
            skipped=True,
        )
        return
    value, broken = read(file.data, file.path)
    value["broken"] = broken
    if broken:
        where = file.at(broken)
        yield Unseen(where, "code", "a part does not parse", collector="code.typescript", scope=file.scope)
    yield Fact("code", file.path, value)


def read(data: bytes, path: str) -> tuple[dict[str, Any], int]:
    """IR of the source, and the first line that does not parse (0: all does)."""
    grammar = _GRAMMARS.get(path.rpartition(".")[2], "javascript")
    tree = parse(_PARSERS[grammar], utf8(data))
    builder = Builder("typescript")
    _Walk(builder).run(tree.root_node)
    return builder.value(), first_error(tree.root_node, builder) if tree.root_node.has_error else 0


def _minified(data: bytes) -> bool:
    return len(data) > _MINIFIED_SIZE and max(map(len, data.split(b"\n", 2000)[:2000])) > _MINIFIED_LINE


def _text(node: Node | None) -> str:
    return node.text.decode("utf-8", "replace") if node is not None and node.text is not None else ""


def _first(node: Node) -> Node | None:
    return node.named_children[0] if node.named_children else None


def _plain(node: Node | None) -> str:
    """The content of a string literal."""
    if node is None:
        return ""
    return "".join(_text(c) for c in node.named_children if c.type == "string_fragment")


class _Walk:
    """The walk's stack. An entry is (node, row to fill or -1, scope); nothing calls itself."""

    def __init__(self, builder: Builder) -> None:
        self.ir = builder
        self.stack: list[tuple[Node, int, int]] = []

    def run(self, root: Node) -> None:
        self.stack.append((root, -1, 0))
        while self.stack:
            node, index, scope = self.stack.pop()
            if self.ir.full:
                return
            handler = _HANDLERS.get(node.type)
            if handler is not None:
                handler(self, node, index, scope)
            else:
                self.descend(node, scope)

    def descend(self, node: Node, scope: int) -> None:
        for child in reversed(node.named_children):
            self.stack.append((child, -1, scope))

    def want(self, node: Node | None, scope: int) -> int:
        if node is None:
            return -1
        index = self.ir.reserve(node.start_point[0])
        self.stack.append((node, index, scope))
        return index

    def skip(self, node: Node, index: int, scope: int) -> None:
        """Types, comments and other things that hold no value."""

    # imports and exports

    def import_(self, node: Node, index: int, scope: int) -> None:
        line = self.ir.line(node.start_point[0])
        module = _plain(node.child_by_field_name("source"))
        if not module:
            return
        clause = next((c for c in node.named_children if c.type == "import_clause"), None)
        for child in clause.named_children if clause is not None else ():
            if child.type == "identifier":
                self.ir.imports.append([scope, _text(child), module, "default", line])
            elif child.type == "namespace_import":
                self.ir.imports.append([scope, _text(child.named_children[0]), module, "", line])
            elif child.type == "named_imports":
                self.specifiers(child, module, scope, line)
        if clause is None:
            self.ir.imports.append([scope, "", module, "", line])

    def specifiers(self, node: Node, module: str, scope: int, line: int) -> None:
        for child in node.named_children:
            if child.type in ("import_specifier", "export_specifier"):
                name = _text(child.child_by_field_name("name"))
                alias = _text(child.child_by_field_name("alias")) or name
                self.ir.imports.append([scope, alias, module, name, line])

    def export(self, node: Node, index: int, scope: int) -> None:
        module = _plain(node.child_by_field_name("source"))
        line = self.ir.line(node.start_point[0])
        clause = next((c for c in node.named_children if c.type == "export_clause"), None)
        if module:
            if clause is not None:
                self.specifiers(clause, module, scope, line)
            else:
                self.ir.imports.append([scope, "*", module, "*", line])
            return
        if clause is not None:
            for child in clause.named_children:
                name, alias = child.child_by_field_name("name"), child.child_by_field_name("alias")
                if name is not None and alias is not None and _text(alias) != _text(name):
                    self.ir.bind(scope, _text(alias), self.want(name, scope), name.start_point[0])
            return
        if (value := node.child_by_field_name("value")) is not None:
            self.ir.bind(scope, "default", self.want(value, scope), value.start_point[0])
        elif (declared := node.child_by_field_name("declaration")) is not None:
            if any(c.type == "default" for c in node.children) and (name := declared.child_by_field_name("name")):
                row = self.ir.add(name.start_point[0], "r", _text(name), scope)
                self.ir.bind(scope, "default", row, name.start_point[0])
            self.stack.append((declared, -1, scope))

    # declarations

    def declarator(self, node: Node, index: int, scope: int) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None:
            return
        if value is None:
            return
        if value.type == "call_expression" and _text(value.child_by_field_name("function")) == "require":
            self.required(name, value, scope)
            return
        if name.type == "identifier" and value.type in ("arrow_function", "function_expression", "class"):
            self.define(value, scope, self.want_empty(name, scope), _text(name))
            return
        self.assign(name, self.want(value, scope), scope)

    def want_empty(self, name: Node, scope: int) -> int:
        """A reserved row bound to the name, to be filled by a definition."""
        row = self.ir.reserve(name.start_point[0])
        self.ir.bind(scope, _text(name), row, name.start_point[0])
        return row

    def required(self, name: Node, value: Node, scope: int) -> None:
        given = value.child_by_field_name("arguments")
        module = _plain(given.named_children[0]) if given is not None and given.named_children else ""
        line = self.ir.line(name.start_point[0])
        if name.type == "identifier":
            self.ir.imports.append([scope, _text(name), module, "", line])
        for child in name.named_children:
            if child.type == "shorthand_property_identifier_pattern":
                self.ir.imports.append([scope, _text(child), module, _text(child), line])
            elif child.type == "pair_pattern":
                alias, key = child.child_by_field_name("value"), child.child_by_field_name("key")
                self.ir.imports.append([scope, _text(alias), module, _text(key), line])

    def assign(self, target: Node, value: int, scope: int) -> None:
        todo = [(target, value)]
        while todo:
            node, row = todo.pop()
            at = node.start_point[0]
            if node.type in ("identifier", "shorthand_property_identifier_pattern"):
                self.ir.bind(scope, _text(node), row, at)
            elif node.type == "member_expression":
                base = self.want(node.child_by_field_name("object"), scope)
                attr = _text(node.child_by_field_name("property"))
                self.ir.sets.append([scope, base, attr, row, self.ir.line(at)])
            elif node.type == "object_pattern":
                for child in node.named_children[:100]:
                    self.pattern(child, row, scope, todo)
            elif node.type == "array_pattern":
                for place, child in enumerate(node.named_children[:100]):
                    key = self.ir.add(at, "n", place)
                    todo.append((child, self.ir.add(at, "i", row, key)))

    def pattern(self, child: Node, row: int, scope: int, todo: list[tuple[Node, int]]) -> None:
        at = child.start_point[0]
        if child.type == "shorthand_property_identifier_pattern":
            todo.append((child, self.ir.add(at, "a", row, _text(child))))
        elif child.type == "pair_pattern" and (inner := child.child_by_field_name("value")) is not None:
            key = _text(child.child_by_field_name("key"))
            if inner.type == "assignment_pattern" and (left := inner.child_by_field_name("left")) is not None:
                inner = left
            todo.append((inner, self.ir.add(at, "a", row, key)))
        elif child.type == "object_assignment_pattern" and (left := child.child_by_field_name("left")) is not None:
            given = self.ir.add(at, "a", row, _text(left))
            default = self.want(child.child_by_field_name("right"), scope)
            todo.append((left, self.ir.add(at, "o", [given, default])))

    def assignment(self, node: Node, index: int, scope: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        value = self.want(right, scope)
        if _text(left) == "module.exports":
            self.ir.bind(scope, "default", value, left.start_point[0])
            if right.type == "object":
                self.exported(right, scope)
        elif left.type == "member_expression" and _text(left.child_by_field_name("object")) in (
            "exports",
            "module.exports",
        ):
            self.ir.bind(scope, _text(left.child_by_field_name("property")), value, left.start_point[0])
        else:
            self.assign(left, value, scope)
        if index >= 0:
            self.ir.fill(index, "*", value)

    def exported(self, node: Node, scope: int) -> None:
        """``module.exports = { name: value }`` exports each name."""
        for child in node.named_children:
            key = child.child_by_field_name("key") if child.type == "pair" else None
            value = child.child_by_field_name("value") if child.type == "pair" else None
            if key is not None and value is not None and value.type == "identifier" and _text(key) != _text(value):
                self.ir.bind(scope, _text(key), self.want(value, scope), key.start_point[0])

    def function(self, node: Node, index: int, scope: int) -> None:
        self.define(node, scope, index)

    def define(
        self, node: Node, scope: int, index: int = -1, name: str = "", decorators: list[Node] | None = None
    ) -> int:
        kind = CLASS if node.type in ("class_declaration", "class", "abstract_class_declaration") else FUNCTION
        name = name or _text(node.child_by_field_name("name"))
        inner = self.ir.scope(kind, name, scope, node.start_point[0], node.end_point[0])
        row = self.ir.scopes[inner]
        marks = [c for c in node.children if c.type == "decorator"] + (decorators or [])
        row[DECORATORS] = [self.want(d.named_children[0], scope) for d in marks if d.named_children]
        if kind == CLASS:
            self.heritage(node, inner, scope)
        else:
            self.parameters(node, inner)
        if (body := node.child_by_field_name("body")) is not None:
            if node.type == "arrow_function" and body.type != "statement_block":
                row[RETURNS].append(self.want(body, inner))
            elif kind == CLASS:
                self.members(body, inner)
            else:
                self.stack.append((body, -1, inner))
        if index >= 0:
            self.ir.fill(index, "x", inner)
        return inner

    def heritage(self, node: Node, inner: int, scope: int) -> None:
        for child in node.named_children:
            if child.type == "class_heritage":
                for part in child.named_children:
                    base = part.child_by_field_name("value") if part.type == "extends_clause" else part
                    if base is not None and part.type != "implements_clause":
                        self.ir.scopes[inner][BASES].append(self.want(base, scope))

    def members(self, body: Node, inner: int) -> None:
        decorators: list[Node] = []
        for child in body.named_children:
            if child.type == "decorator":
                decorators.append(child)
                continue
            if child.type == "method_definition":
                self.define(child, inner, decorators=decorators)
            elif child.type in ("public_field_definition", "field_definition"):
                name = child.child_by_field_name("name") or child.child_by_field_name("property")
                value = child.child_by_field_name("value")
                if name is not None:
                    self.ir.bind(inner, _text(name), self.want(value, inner), name.start_point[0])
            else:
                self.stack.append((child, -1, inner))
            decorators = []

    def parameters(self, node: Node, inner: int) -> None:
        row = self.ir.scopes[inner]
        given = node.child_by_field_name("parameters")
        if given is None:
            if (single := node.child_by_field_name("parameter")) is not None:
                row[PARAMS].append([_text(single), -1, -1])
            return
        for place, child in enumerate(given.named_children[:100]):
            name = child.child_by_field_name("pattern") or child.child_by_field_name("left") or child
            kind = child.child_by_field_name("type")
            annotation = self.want(kind.named_children[0], inner) if kind is not None and kind.named_children else -1
            default = child.child_by_field_name("value") or child.child_by_field_name("right")
            if name.type == "identifier":
                row[PARAMS].append([_text(name), self.want(default, inner), annotation])
            elif name.type == "object_pattern":
                label = f"#{place}"
                row[PARAMS].append([label, self.want(default, inner), annotation])
                self.assign(name, self.ir.add(name.start_point[0], "r", label, inner), inner)
            elif child.type != "comment":
                row[PARAMS].append([_text(name), -1, annotation])

    def enum(self, node: Node, index: int, scope: int) -> None:
        name = _text(node.child_by_field_name("name"))
        inner = self.ir.scope(CLASS, name, scope, node.start_point[0], node.end_point[0])
        body = node.child_by_field_name("body")
        for child in body.named_children if body is not None else ():
            if child.type == "enum_assignment":
                key = child.child_by_field_name("name")
                value = child.child_by_field_name("value")
                self.ir.bind(inner, _plain(key) or _text(key), self.want(value, inner), child.start_point[0])

    def return_(self, node: Node, index: int, scope: int) -> None:
        for child in node.named_children:
            if child.type != "comment":
                self.ir.scopes[scope][RETURNS].append(self.want(child, scope))

    def for_in(self, node: Node, index: int, scope: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is not None and right is not None:
            self.assign(left, self.ir.add(left.start_point[0], "e", self.want(right, scope)), scope)
        if (body := node.child_by_field_name("body")) is not None:
            self.stack.append((body, -1, scope))

    # expressions

    def call(self, node: Node, index: int, scope: int) -> None:
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        made = node.child_by_field_name("constructor")
        callee = self.want(made if made is not None else node.child_by_field_name("function"), scope)
        given = node.child_by_field_name("arguments")
        args: list[int] = []
        if given is not None and given.type == "arguments":
            args = [self.want(c, scope) for c in given.named_children[:MAX_ITEMS] if c.type != "comment"]
        elif given is not None:
            args = [self.want(given, scope)]
        self.ir.fill(index, "c", callee, args, {}, scope, self.ir.line(node.end_point[0]))

    def string(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            self.ir.text(index, _unescape(node))

    def template(self, node: Node, index: int, scope: int) -> None:
        parts: list[int | str] = []
        for child in node.named_children:
            if child.type == "template_substitution":
                parts.append(self.want(_first(child), scope))
            elif parts and isinstance(parts[-1], str):
                parts[-1] += _text(child)
            else:
                parts.append(_text(child))
        if index < 0:
            return
        if all(isinstance(part, str) for part in parts):
            self.ir.text(index, "".join(map(str, parts)))
            return
        rows = []
        for part in parts:
            if isinstance(part, str):
                row = self.ir.reserve(node.start_point[0])
                self.ir.text(row, part)
                rows.append(row)
            else:
                rows.append(part)
        self.ir.fill(index, "f", rows)

    def number(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            try:
                text = _text(node)[:18].replace("_", "")
                self.ir.fill(index, "n", float(text) if "." in text else int(text, 0))
            except ValueError:
                pass

    def constant(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            if node.type in ("true", "false"):
                self.ir.fill(index, "b", node.type == "true")
            else:
                self.ir.fill(index, "0")

    def name(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            self.ir.fill(index, "r", _text(node), scope)

    def member(self, node: Node, index: int, scope: int) -> None:
        base = self.want(node.child_by_field_name("object") or node.child_by_field_name("module"), scope)
        attr = node.child_by_field_name("property") or node.child_by_field_name("name")
        if index >= 0:
            self.ir.fill(index, "a", base, _text(attr))

    def subscript(self, node: Node, index: int, scope: int) -> None:
        base = self.want(node.child_by_field_name("object"), scope)
        key = node.child_by_field_name("index")
        if index >= 0:
            self.ir.fill(index, "i", base, self.want(key, scope))

    def array(self, node: Node, index: int, scope: int) -> None:
        rows = [self.want(c, scope) for c in node.named_children[:MAX_ITEMS] if c.type != "comment"]
        if index >= 0:
            self.ir.fill(index, "l", rows)

    def object(self, node: Node, index: int, scope: int) -> None:
        pairs: list[list[Any]] = []
        for child in node.named_children[:MAX_ITEMS]:
            if child.type == "pair":
                key = child.child_by_field_name("key")
                name: Any = _plain(key) if key is not None and key.type == "string" else _text(key)
                if key is not None and key.type == "computed_property_name":
                    name = self.want(key.named_children[0], scope)
                pairs.append([name, self.want(child.child_by_field_name("value"), scope)])
            elif child.type == "shorthand_property_identifier":
                row = self.ir.add(child.start_point[0], "r", _text(child), scope)
                pairs.append([_text(child), row])
            elif child.type == "spread_element":
                pairs.append(["**", self.want(_first(child), scope)])
            elif child.type == "method_definition":
                row = self.ir.reserve(child.start_point[0])
                inner = self.define(child, scope, row)
                pairs.append([self.ir.scopes[inner][NAME], row])
        if index >= 0:
            self.ir.fill(index, "d", pairs)

    def binary(self, node: Node, index: int, scope: int) -> None:
        left = self.want(node.child_by_field_name("left"), scope)
        right = self.want(node.child_by_field_name("right"), scope)
        operator = _text(node.child_by_field_name("operator"))
        if index >= 0 and operator in ("+", "??", "||"):
            self.ir.fill(index, "f" if operator == "+" else "o", [left, right])

    def ternary(self, node: Node, index: int, scope: int) -> None:
        self.want(node.child_by_field_name("condition"), scope)
        left = self.want(node.child_by_field_name("consequence"), scope)
        right = self.want(node.child_by_field_name("alternative"), scope)
        if index >= 0:
            self.ir.fill(index, "o", [left, right])

    def inner(self, node: Node, index: int, scope: int) -> None:
        children = [c for c in node.named_children if c.type != "comment"]
        row = self.want(children[0] if children else None, scope)
        if index >= 0 and row >= 0:
            self.ir.fill(index, "*", row)


_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\'": "'", "\\\\": "\\", "\\`": "`", "\\r": "\r"}


def _unescape(node: Node) -> str:
    return "".join(
        _ESCAPES.get(_text(c), _text(c)) if c.type == "escape_sequence" else _text(c) for c in node.named_children
    )


_HANDLERS: dict[str, Any] = {
    "comment": _Walk.skip,
    "import_statement": _Walk.import_,
    "export_statement": _Walk.export,
    "variable_declarator": _Walk.declarator,
    "assignment_expression": _Walk.assignment,
    "augmented_assignment_expression": _Walk.assignment,
    "function_declaration": _Walk.function,
    "generator_function_declaration": _Walk.function,
    "function_expression": _Walk.function,
    "arrow_function": _Walk.function,
    "method_definition": _Walk.function,
    "class_declaration": _Walk.function,
    "abstract_class_declaration": _Walk.function,
    "class": _Walk.function,
    "enum_declaration": _Walk.enum,
    "return_statement": _Walk.return_,
    "for_in_statement": _Walk.for_in,
    "interface_declaration": _Walk.skip,
    "type_alias_declaration": _Walk.skip,
    "type_annotation": _Walk.skip,
    "type_arguments": _Walk.skip,
    "type_parameters": _Walk.skip,
    "call_expression": _Walk.call,
    "new_expression": _Walk.call,
    "string": _Walk.string,
    "template_string": _Walk.template,
    "number": _Walk.number,
    "true": _Walk.constant,
    "false": _Walk.constant,
    "null": _Walk.constant,
    "undefined": _Walk.constant,
    "identifier": _Walk.name,
    "this": _Walk.name,
    "type_identifier": _Walk.name,
    "member_expression": _Walk.member,
    "nested_type_identifier": _Walk.member,
    "generic_type": _Walk.inner,
    "subscript_expression": _Walk.subscript,
    "array": _Walk.array,
    "object": _Walk.object,
    "spread_element": _Walk.inner,
    "binary_expression": _Walk.binary,
    "ternary_expression": _Walk.ternary,
    "parenthesized_expression": _Walk.inner,
    "await_expression": _Walk.inner,
    "as_expression": _Walk.inner,
    "satisfies_expression": _Walk.inner,
    "non_null_expression": _Walk.inner,
}
