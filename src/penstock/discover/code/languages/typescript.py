"""TypeScript and JavaScript: what their syntax means in the IR."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Node

from penstock.discover.code import expressions
from penstock.discover.code.ir import BASES, CLASS, DECORATORS, FUNCTION, MAX_ITEMS, NAME, PARAMS
from penstock.discover.code.language import Language, define
from penstock.discover.code.walker import Table, Walker, first, of_kind, parts, text, unescaped

#: A file with a line this long (characters) and this size (bytes) is machine-made: bundles and minified libraries.
_MINIFIED_LINE = 20_000
_MINIFIED_SIZE = 50_000
_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\'": "'", "\\\\": "\\", "\\`": "`", "\\r": "\r"}
_CLASSES = ("class_declaration", "class", "abstract_class_declaration")

#: What says that a parameter of a constructor is a field too.
_KEEPS = frozenset({"accessibility_modifier", "readonly"})


class ScriptWalker(Walker):
    """The walk over a TypeScript or JavaScript file."""

    # imports and exports

    def import_(self, node: Node, index: int, scope: int) -> None:
        line = self.ir.line(node.start_point[0])
        module = _plain(node.child_by_field_name("source"))
        if not module:
            return
        clause = of_kind(node, "import_clause")
        for child in clause.named_children if clause is not None else ():
            if child.type == "identifier":
                self.ir.imports.append([scope, text(child), module, "default", line])
            elif child.type == "namespace_import":
                self.ir.imports.append([scope, text(child.named_children[0]), module, "", line])
            elif child.type == "named_imports":
                self.specifiers(child, module, scope, line)
        if clause is None:
            self.ir.imports.append([scope, "", module, "", line])

    def specifiers(self, node: Node, module: str, scope: int, line: int) -> None:
        for child in node.named_children:
            if child.type in ("import_specifier", "export_specifier"):
                name = text(child.child_by_field_name("name"))
                alias = text(child.child_by_field_name("alias")) or name
                self.ir.imports.append([scope, alias, module, name, line])

    def export(self, node: Node, index: int, scope: int) -> None:
        module = _plain(node.child_by_field_name("source"))
        line = self.ir.line(node.start_point[0])
        clause = of_kind(node, "export_clause")
        if module:
            if clause is not None:
                self.specifiers(clause, module, scope, line)
            else:
                self.ir.imports.append([scope, "*", module, "*", line])
            return
        if clause is not None:
            for child in clause.named_children:
                name, alias = child.child_by_field_name("name"), child.child_by_field_name("alias")
                if name is not None and alias is not None and text(alias) != text(name):
                    self.ir.bind(scope, text(alias), self.want(name, scope), name.start_point[0])
            return
        if (value := node.child_by_field_name("value")) is not None:
            self.ir.bind(scope, "default", self.want(value, scope), value.start_point[0])
        elif (declared := node.child_by_field_name("declaration")) is not None:
            if any(c.type == "default" for c in node.children) and (name := declared.child_by_field_name("name")):
                row = self.ir.add(name.start_point[0], "r", text(name), scope)
                self.ir.bind(scope, "default", row, name.start_point[0])
            if marks := [child for child in node.children if child.type == "decorator"]:
                self.define(declared, scope, decorators=marks)  # @Injectable() export class …
            else:
                self.stack.append((declared, -1, scope))

    # declarations

    def declarator(self, node: Node, index: int, scope: int) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or value is None:
            return
        if value.type == "call_expression" and text(value.child_by_field_name("function")) == "require":
            self.required(name, value, scope)
            return
        if name.type == "identifier" and value.type in ("arrow_function", "function_expression", "class"):
            row = self.ir.reserve(name.start_point[0])
            self.ir.bind(scope, text(name), row, name.start_point[0])
            self.define(value, scope, row, text(name))
            return
        self.assign(name, self.want(value, scope), scope)

    def required(self, name: Node, value: Node, scope: int) -> None:
        given = value.child_by_field_name("arguments")
        module = _plain(first(given))
        line = self.ir.line(name.start_point[0])
        if name.type == "identifier":
            self.ir.imports.append([scope, text(name), module, "", line])
        for child in name.named_children:
            if child.type == "shorthand_property_identifier_pattern":
                self.ir.imports.append([scope, text(child), module, text(child), line])
            elif child.type == "pair_pattern":
                alias, key = child.child_by_field_name("value"), child.child_by_field_name("key")
                self.ir.imports.append([scope, text(alias), module, text(key), line])

    def assign(self, target: Node, value: int, scope: int) -> None:
        todo = [(target, value)]
        while todo:
            node, row = todo.pop()
            at = node.start_point[0]
            if node.type in ("identifier", "shorthand_property_identifier_pattern"):
                self.ir.bind(scope, text(node), row, at)
            elif node.type == "member_expression":
                base = self.want(node.child_by_field_name("object"), scope)
                self.set(base, text(node.child_by_field_name("property")), row, at, scope)
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
            todo.append((child, self.ir.add(at, "a", row, text(child))))
        elif child.type == "pair_pattern" and (inner := child.child_by_field_name("value")) is not None:
            key = text(child.child_by_field_name("key"))
            if inner.type == "assignment_pattern" and (left := inner.child_by_field_name("left")) is not None:
                inner = left
            todo.append((inner, self.ir.add(at, "a", row, key)))
        elif child.type == "object_assignment_pattern" and (left := child.child_by_field_name("left")) is not None:
            given = self.ir.add(at, "a", row, text(left))
            default = self.want(child.child_by_field_name("right"), scope)
            todo.append((left, self.ir.add(at, "o", [given, default])))

    def assignment(self, node: Node, index: int, scope: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        value = self.want(right, scope)
        if text(left) == "module.exports":
            self.ir.bind(scope, "default", value, left.start_point[0])
            if right.type == "object":
                self.exported(right, value, scope)
        elif left.type == "member_expression" and text(left.child_by_field_name("object")) in (
            "exports",
            "module.exports",
        ):
            self.ir.bind(scope, text(left.child_by_field_name("property")), value, left.start_point[0])
        else:
            self.assign(left, value, scope)
        if index >= 0:
            self.ir.fill(index, "*", value)

    def exported(self, node: Node, value: int, scope: int) -> None:
        """``module.exports = { name: value }`` exports each name."""
        for child in node.named_children:
            key = child.child_by_field_name("key") if child.type == "pair" else None
            held = child.child_by_field_name("value") if child.type == "pair" else None
            if key is not None and held is not None and (held.type != "identifier" or text(key) != text(held)):
                row = key.start_point[0]
                self.ir.bind(scope, text(key), self.ir.add(row, "a", value, text(key)), row)

    def function(self, node: Node, index: int, scope: int) -> None:
        self.define(node, scope, index)

    def define(
        self, node: Node, scope: int, index: int = -1, name: str = "", decorators: list[Node] | None = None
    ) -> int:
        """A function or class; the scope of its own."""
        kind = CLASS if node.type in _CLASSES else FUNCTION
        name = name or text(node.child_by_field_name("name"))
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
                self.returns(inner, body)
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
                    self.ir.bind(inner, text(name), self.want(value, inner), name.start_point[0])
            else:
                self.stack.append((child, -1, inner))
            decorators = []

    def parameters(self, node: Node, inner: int) -> None:
        row = self.ir.scopes[inner]
        given = node.child_by_field_name("parameters")
        if given is None:
            if (single := node.child_by_field_name("parameter")) is not None:
                row[PARAMS].append([text(single), -1, -1])
            return
        for place, child in enumerate(given.named_children[:100]):
            name = child.child_by_field_name("pattern") or child.child_by_field_name("left") or child
            kind = child.child_by_field_name("type")
            annotation = self.want(first(kind), inner)
            default = child.child_by_field_name("value") or child.child_by_field_name("right")
            if name.type == "identifier":
                row[PARAMS].append([text(name), self.want(default, inner), annotation])
                if any(each.type in _KEEPS for each in child.children[:2]):  # constructor(private config: Config)
                    line = child.start_point[0]
                    this = self.ir.add(line, "r", "this", inner)
                    self.set(this, text(name), self.ir.add(line, "r", text(name), inner), line, inner)
            elif name.type == "object_pattern":
                label = f"#{place}"
                row[PARAMS].append([label, self.want(default, inner), annotation])
                self.assign(name, self.ir.add(name.start_point[0], "r", label, inner), inner)
            elif child.type != "comment":
                row[PARAMS].append([text(name), -1, annotation])

    def enum(self, node: Node, index: int, scope: int) -> None:
        name = text(node.child_by_field_name("name"))
        inner = self.ir.scope(CLASS, name, scope, node.start_point[0], node.end_point[0])
        body = node.child_by_field_name("body")
        for child in body.named_children if body is not None else ():
            if child.type == "enum_assignment":
                key = child.child_by_field_name("name")
                value = child.child_by_field_name("value")
                self.ir.bind(inner, _plain(key) or text(key), self.want(value, inner), child.start_point[0])

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
            args = [self.want(part, scope) for part in parts(given)]
        elif given is not None:
            args = [self.want(given, scope)]
        self.ir.fill(index, "c", callee, args, {}, scope, self.ir.line(node.end_point[0]))

    def object(self, node: Node, index: int, scope: int) -> None:
        pairs: list[list[Any]] = []
        for child in node.named_children[:MAX_ITEMS]:
            if child.type == "pair":
                key = child.child_by_field_name("key")
                name: Any = _plain(key) if key is not None and key.type == "string" else text(key)
                if key is not None and key.type == "computed_property_name":
                    name = self.want(key.named_children[0], scope)
                pairs.append([name, self.want(child.child_by_field_name("value"), scope)])
            elif child.type == "shorthand_property_identifier":
                row = self.ir.add(child.start_point[0], "r", text(child), scope)
                pairs.append([text(child), row])
            elif child.type == "spread_element":
                pairs.append(["**", self.want(first(child), scope)])
            elif child.type == "method_definition":
                row = self.ir.reserve(child.start_point[0])
                inner = self.define(child, scope, row)
                pairs.append([self.ir.scopes[inner][NAME], row])
        if index >= 0:
            self.ir.fill(index, "d", pairs)

    def template_string(self, node: Node, index: int, scope: int) -> None:
        pieces: list[int | str] = []
        for child in node.named_children:
            if child.type == "template_substitution":
                pieces.append(self.want(first(child), scope))
            else:
                piece = text(child)
                pieces.append(_ESCAPES.get(piece, piece))
        if index >= 0:
            self.template(index, pieces, node.start_point[0])

    table: ClassVar[Table] = {
        **dict.fromkeys(
            ("comment", "interface_declaration", "type_alias_declaration", "type_annotation", "type_arguments",
             "type_parameters"),
            expressions.skip,
        ),
        "import_statement": import_,
        "export_statement": export,
        "variable_declarator": declarator,
        **dict.fromkeys(("assignment_expression", "augmented_assignment_expression"), assignment),
        **dict.fromkeys(
            ("function_declaration", "generator_function_declaration", "function_expression", "arrow_function",
             "method_definition", *_CLASSES),
            function,
        ),
        "enum_declaration": enum,
        "return_statement": expressions.returned,
        "for_in_statement": for_in,
        **dict.fromkeys(("call_expression", "new_expression"), call),
        "string": expressions.string(lambda node: unescaped(node, _ESCAPES)),
        "template_string": template_string,
        "number": expressions.number,
        **dict.fromkeys(("true", "false", "null", "undefined"), expressions.constant),
        **dict.fromkeys(("identifier", "this", "type_identifier"), expressions.name),
        "member_expression": expressions.member("object", "property"),
        "nested_type_identifier": expressions.member("module", "name"),
        "subscript_expression": expressions.item("object", "index"),
        "array": expressions.listed,
        "object": object,
        "binary_expression": expressions.operation("+", ("??", "||")),
        "ternary_expression": expressions.choice,
        **dict.fromkeys(
            ("generic_type", "spread_element", "parenthesized_expression", "await_expression", "as_expression",
             "satisfies_expression", "non_null_expression"),
            expressions.wrapped,
        ),
    }  # fmt: skip


def _plain(node: Node | None) -> str:
    """The content of a string literal."""
    return "".join(text(c) for c in node.named_children if c.type == "string_fragment") if node is not None else ""


def _minified(data: bytes) -> str:
    long = len(data) > _MINIFIED_SIZE and max(map(len, data.split(b"\n", 2000)[:2000])) > _MINIFIED_LINE
    return "it is minified" if long else ""


TYPESCRIPT = define(
    Language(
        name="typescript",
        title="TypeScript and JavaScript",
        endings=("ts", "mts", "cts", "tsx", "js", "mjs", "cjs", "jsx"),
        walker=ScriptWalker,
        grammars={
            **dict.fromkeys(("ts", "mts", "cts"), tree_sitter_typescript.language_typescript),
            "tsx": tree_sitter_typescript.language_tsx,
            "": tree_sitter_javascript.language,
        },
        unseen="names built at run time; path aliases of tsconfig; minified bundles",
        left_out=_minified,
        texts=frozenset({"jsx_element", "jsx_fragment"}),
        imports=re.compile(rb"""\b(?:from|import|require)\s*(?:\(\s*)?["'`](?P<module>[^"'`\n]{1,500})"""),
    )
)
