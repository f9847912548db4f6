"""Python source to IR: one iterative walk per file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tree_sitter_python
from tree_sitter import Language, Node, Parser

from penstock.discover.code.ir import BASES, CLASS, DECORATORS, FUNCTION, MAX_ITEMS, PARAMS, RETURNS, Builder, utf8
from penstock.discover.code.parse import parse
from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.graph.vocabulary import Unseen

LANGUAGE = Language(tree_sitter_python.language())
_PARSER = Parser(LANGUAGE)

_SIMPLE_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\'": "'", "\\\\": "\\", "\\\n": "", "\\r": "\r"}


@collector(
    "code.python",
    reads=("*.py", "*.pyi", "*.pyw"),
    sees="imports, calls, values, functions and classes of Python files",
    unseen="names built at run time",
)
def python_file(file: File) -> Iterator[Yielded]:
    """The IR of one Python file."""
    value, broken = read(file.data)
    value["broken"] = broken
    if broken:
        yield Unseen(file.at(broken), "Python code", "a part does not parse", collector="code.python", scope=file.scope)
    yield Fact("code", file.path, value)


def read(data: bytes, lines: list[int] | None = None) -> tuple[dict[str, Any], int]:
    """IR of Python source, and the first line that does not parse (0: all does).

    Args:
        lines: for a virtual file, the reader's line for each of its lines.
    """
    tree = parse(_PARSER, utf8(data))
    builder = Builder("python", lines)
    _Walk(builder).run(tree.root_node)
    broken = first_error(tree.root_node, builder) if tree.root_node.has_error else 0
    return builder.value(), broken


def first_error(root: Node, builder: Builder) -> int:
    """The line of the first node that does not parse."""
    node, steps = root, 0
    while steps < 100_000 and not (node.is_error or node.is_missing):
        steps += 1
        child = next((c for c in node.children if c.has_error), None)
        if child is None:
            break
        node = child
    return builder.line(node.start_point[0])


def _text(node: Node | None) -> str:
    return node.text.decode("utf-8", "replace") if node is not None and node.text is not None else ""


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
        """The row that will hold the expression."""
        if node is None:
            return -1
        index = self.ir.reserve(node.start_point[0])
        self.stack.append((node, index, scope))
        return index

    # statements

    def module(self, node: Node, index: int, scope: int) -> None:
        self.descend(node, scope)

    def expression_statement(self, node: Node, index: int, scope: int) -> None:
        children = node.named_children
        if len(children) == 1 and children[0].type in ("string", "concatenated_string"):
            return  # a docstring or a commented-out block
        self.descend(node, scope)

    def import_statement(self, node: Node, index: int, scope: int) -> None:
        line = self.ir.line(node.start_point[0])
        for child in node.children_by_field_name("name"):
            if child.type == "aliased_import":
                module, alias = _text(child.child_by_field_name("name")), _text(child.child_by_field_name("alias"))
                self.ir.imports.append([scope, alias, module, "", line])
            else:
                module = _text(child)
                head = module.partition(".")[0]
                self.ir.imports.append([scope, head, head, "", line])
                if head != module:
                    self.ir.imports.append([scope, "", module, "", line])

    def import_from(self, node: Node, index: int, scope: int) -> None:
        module = _text(node.child_by_field_name("module_name"))
        if node.type == "future_import_statement":
            return
        for child in node.children_by_field_name("name"):
            line = self.ir.line(child.start_point[0])
            if child.type == "aliased_import":
                name, alias = _text(child.child_by_field_name("name")), _text(child.child_by_field_name("alias"))
            else:
                name = alias = _text(child)
            self.ir.imports.append([scope, alias, module, name, line])
        if any(child.type == "wildcard_import" for child in node.named_children):
            self.ir.imports.append([scope, "*", module, "*", self.ir.line(node.start_point[0])])

    def function(self, node: Node, index: int, scope: int) -> None:
        self.define(node, scope, [], index)

    def define(self, node: Node, scope: int, decorators: list[Node], index: int = -1) -> None:
        name = _text(node.child_by_field_name("name"))
        kind = CLASS if node.type == "class_definition" else FUNCTION
        inner = self.ir.scope(kind, name, scope, node.start_point[0], node.end_point[0])
        row = self.ir.scopes[inner]
        row[DECORATORS] = [self.want(d.named_children[0], scope) for d in decorators if d.named_children]
        if kind == CLASS:
            bases = node.child_by_field_name("superclasses")
            row[BASES] = [
                self.want(b, scope) for b in (bases.named_children if bases else ()) if b.type != "keyword_argument"
            ]
        else:
            self.parameters(node.child_by_field_name("parameters"), inner, scope)
        if body := node.child_by_field_name("body"):
            if node.type == "lambda":
                row[RETURNS].append(self.want(body, inner))
            else:
                self.stack.append((body, -1, inner))
        if index >= 0:
            self.ir.fill(index, "x", inner)

    def parameters(self, node: Node | None, inner: int, scope: int) -> None:
        row = self.ir.scopes[inner]
        for child in node.named_children if node else ():
            name = child.child_by_field_name("name")
            if name is None:
                name = child if child.type == "identifier" else (child.named_children or [child])[0]
            if child.type in ("list_splat_pattern", "dictionary_splat_pattern", "comment"):
                continue
            default = self.want(child.child_by_field_name("value"), scope)
            row[PARAMS].append([_text(name), default, self.annotation(child, scope)])

    def annotation(self, node: Node, scope: int) -> int:
        kind = node.child_by_field_name("type")
        return self.want(kind.named_children[0], scope) if kind is not None and kind.named_children else -1

    def decorated(self, node: Node, index: int, scope: int) -> None:
        if definition := node.child_by_field_name("definition"):
            self.define(definition, scope, [c for c in node.named_children if c.type == "decorator"])

    def lambda_(self, node: Node, index: int, scope: int) -> None:
        self.define(node, scope, [], index)

    def return_(self, node: Node, index: int, scope: int) -> None:
        for child in node.named_children:
            self.ir.scopes[scope][RETURNS].append(self.want(child, scope))

    def assignment(self, node: Node, index: int, scope: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None:
            return
        if right is None:  # an annotation alone: a field without a default
            if left.type == "identifier":
                self.ir.bind(scope, _text(left), -1, left.start_point[0])
            return
        value = self.want(right, scope)
        if node.type == "augmented_assignment":
            if left.type == "identifier":
                old = self.ir.add(left.start_point[0], "r", _text(left), scope)
                value = self.ir.add(left.start_point[0], "o", [old, self.ir.add(left.start_point[0], "*", value)])
                value = self.ir.add(left.start_point[0], "l", [value])
            return
        self.assign(left, value, scope)
        if index >= 0:
            self.ir.fill(index, "*", value)

    def assign(self, left: Node, value: int, scope: int) -> None:
        todo = [(left, value)]
        while todo:
            target, value = todo.pop()
            row = target.start_point[0]
            if target.type == "identifier":
                self.ir.bind(scope, _text(target), value, row)
            elif target.type == "attribute":
                base = self.want(target.child_by_field_name("object"), scope)
                attr = _text(target.child_by_field_name("attribute"))
                self.ir.sets.append([scope, base, attr, value, self.ir.line(row)])
            elif target.type == "subscript":
                key = target.child_by_field_name("subscript")
                if key is not None and key.type == "string":
                    literal = "".join(_text(c) for c in key.named_children if c.type == "string_content")
                    base = self.want(target.child_by_field_name("value"), scope)
                    self.ir.sets.append([scope, base, literal, value, self.ir.line(row)])
            elif target.type in ("pattern_list", "tuple_pattern", "list_pattern"):
                names = target.named_children
                for place, name in enumerate(names[:50]):
                    place_row = self.ir.add(row, "n", place)
                    todo.append((name, self.ir.add(row, "i", value, place_row)))

    def named(self, node: Node, index: int, scope: int) -> None:
        value = self.want(node.child_by_field_name("value"), scope)
        if name := node.child_by_field_name("name"):
            self.ir.bind(scope, _text(name), value, name.start_point[0])
        if index >= 0:
            self.ir.fill(index, "*", value)

    def for_(self, node: Node, index: int, scope: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is not None and right is not None:
            item = self.ir.add(left.start_point[0], "e", self.want(right, scope))
            self.assign(left, item, scope)
        for child in reversed(node.named_children):
            if child not in (left, right):
                self.stack.append((child, -1, scope))

    def as_pattern(self, node: Node, index: int, scope: int) -> None:
        children = node.named_children
        if not children:
            return
        value = self.want(children[0], scope)
        alias = node.child_by_field_name("alias")
        if alias is not None and alias.named_children and alias.named_children[0].type == "identifier":
            self.ir.bind(scope, _text(alias), value, alias.start_point[0])

    # expressions

    def call(self, node: Node, index: int, scope: int) -> None:
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        callee = self.want(node.child_by_field_name("function"), scope)
        args: list[int] = []
        names: dict[str, int] = {}
        given = node.child_by_field_name("arguments")
        if given is not None and given.type == "generator_expression":
            args.append(self.want(given, scope))
        else:
            for child in (given.named_children if given is not None else [])[:MAX_ITEMS]:
                if child.type == "keyword_argument":
                    names[_text(child.child_by_field_name("name"))] = self.want(
                        child.child_by_field_name("value"), scope
                    )
                elif child.type == "dictionary_splat":
                    names[f"**{len(names)}"] = self.want(_first(child), scope)
                elif child.type != "comment":
                    args.append(self.want(child, scope))
        self.ir.fill(index, "c", callee, args, names, scope, self.ir.line(node.end_point[0]))

    def string(self, node: Node, index: int, scope: int) -> None:
        parts: list[int | str] = []
        text = ""
        for child in node.named_children:
            if child.type == "string_content":
                text += _unescape(child)
            elif child.type == "interpolation":
                if text:
                    parts.append(text)
                    text = ""
                inner = child.child_by_field_name("expression")
                parts.append(self.want(inner, scope))
        if index < 0:
            return
        if not parts:
            self.ir.text(index, text)
            return
        if text:
            parts.append(text)
        self.ir.fill(index, "f", [p if isinstance(p, int) else self.literal(p, node) for p in parts])

    def literal(self, text: str, node: Node) -> int:
        index = self.ir.reserve(node.start_point[0])
        self.ir.text(index, text)
        return index

    def joined(self, node: Node, index: int, scope: int) -> None:
        parts = [self.want(c, scope) for c in node.named_children if c.type != "comment"]
        if index >= 0:
            self.ir.fill(index, "f", parts)

    def number(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            try:
                text = _text(node)
                self.ir.fill(index, "n", float(text) if "." in text else int(text[:18].replace("_", ""), 0))
            except ValueError:
                pass

    def constant(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            if node.type == "none":
                self.ir.fill(index, "0")
            else:
                self.ir.fill(index, "b", node.type == "true")

    def name(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            self.ir.fill(index, "r", _text(node), scope)

    def attribute(self, node: Node, index: int, scope: int) -> None:
        base = self.want(node.child_by_field_name("object"), scope)
        if index >= 0:
            self.ir.fill(index, "a", base, _text(node.child_by_field_name("attribute")))

    def subscript(self, node: Node, index: int, scope: int) -> None:
        base = self.want(node.child_by_field_name("value"), scope)
        key = self.want(node.child_by_field_name("subscript"), scope)
        if index >= 0:
            self.ir.fill(index, "i", base, key)

    def generic(self, node: Node, index: int, scope: int) -> None:
        """``Agent[Context]`` in a type: the name without its parameters."""
        base = self.want(_first(node), scope)
        if index >= 0:
            self.ir.fill(index, "*", base)

    def items(self, node: Node, index: int, scope: int) -> None:
        rows = [self.want(c, scope) for c in node.named_children[:MAX_ITEMS] if c.type != "comment"]
        if index >= 0:
            self.ir.fill(index, "l", rows)

    def comprehension(self, node: Node, index: int, scope: int) -> None:
        body = node.child_by_field_name("body")
        row = self.want(body, scope)
        if index >= 0:
            self.ir.fill(index, "l", [row])
        for child in reversed(node.named_children):
            if child != body:
                self.stack.append((child, -1, scope))

    def dictionary(self, node: Node, index: int, scope: int) -> None:
        pairs: list[list[Any]] = []
        for child in node.named_children[:MAX_ITEMS]:
            if child.type == "pair":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                name: Any = self.want(key, scope)
                if key is not None and key.type == "string":
                    name = "".join(_text(c) for c in key.named_children if c.type == "string_content")
                pairs.append([name, self.want(value, scope)])
            elif child.type == "dictionary_splat":
                pairs.append(["**", self.want(_first(child), scope)])
        if index >= 0:
            self.ir.fill(index, "d", pairs)

    def spread(self, node: Node, index: int, scope: int) -> None:
        base = self.want(_first(node), scope)
        if index >= 0:
            self.ir.fill(index, "*", base)

    def binary(self, node: Node, index: int, scope: int) -> None:
        left = self.want(node.child_by_field_name("left"), scope)
        right = self.want(node.child_by_field_name("right"), scope)
        operator = _text(node.child_by_field_name("operator"))
        if index >= 0 and operator == "+":
            self.ir.fill(index, "f", [left, right])
        elif index >= 0 and operator in ("|", "%", "/"):
            # a | b: either type; text % values: the text's known part; path / part: joined
            self.ir.fill(index, *({"|": ("o", [left, right]), "%": ("*", left)}.get(operator) or ("f", [left, right])))

    def boolean(self, node: Node, index: int, scope: int) -> None:
        left = self.want(node.child_by_field_name("left"), scope)
        right = self.want(node.child_by_field_name("right"), scope)
        if index >= 0 and _text(node.child_by_field_name("operator")) == "or":
            self.ir.fill(index, "o", [left, right])

    def conditional(self, node: Node, index: int, scope: int) -> None:
        children = [self.want(c, scope) for c in node.named_children]
        if index >= 0 and len(children) == 3:
            self.ir.fill(index, "o", [children[0], children[2]])

    def inner(self, node: Node, index: int, scope: int) -> None:
        children = [c for c in node.named_children if c.type != "comment"]
        row = self.want(children[0] if children else None, scope)
        if index >= 0 and row >= 0:
            self.ir.fill(index, "*", row)


def _first(node: Node) -> Node | None:
    return node.named_children[0] if node.named_children else None


def _unescape(node: Node) -> str:
    if not node.named_children:
        return _text(node)
    raw, out, last = node.text or b"", [], 0
    for child in node.named_children:
        start = child.start_byte - node.start_byte
        out.append(raw[last:start].decode("utf-8", "replace"))
        piece = _text(child)
        out.append(_SIMPLE_ESCAPES.get(piece, piece))
        last = child.end_byte - node.start_byte
    out.append(raw[last:].decode("utf-8", "replace"))
    return "".join(out)


_HANDLERS: dict[str, Any] = {
    "module": _Walk.module,
    "comment": lambda *_: None,
    "expression_statement": _Walk.expression_statement,
    "import_statement": _Walk.import_statement,
    "import_from_statement": _Walk.import_from,
    "future_import_statement": lambda *_: None,
    "function_definition": _Walk.function,
    "class_definition": _Walk.function,
    "decorated_definition": _Walk.decorated,
    "lambda": _Walk.lambda_,
    "return_statement": _Walk.return_,
    "yield": _Walk.return_,
    "assignment": _Walk.assignment,
    "augmented_assignment": _Walk.assignment,
    "named_expression": _Walk.named,
    "for_statement": _Walk.for_,
    "for_in_clause": _Walk.for_,
    "as_pattern": _Walk.as_pattern,
    "call": _Walk.call,
    "string": _Walk.string,
    "concatenated_string": _Walk.joined,
    "integer": _Walk.number,
    "float": _Walk.number,
    "true": _Walk.constant,
    "false": _Walk.constant,
    "none": _Walk.constant,
    "identifier": _Walk.name,
    "attribute": _Walk.attribute,
    "subscript": _Walk.subscript,
    "generic_type": _Walk.generic,
    "union_type": _Walk.items,
    "type": _Walk.inner,
    "list": _Walk.items,
    "tuple": _Walk.items,
    "set": _Walk.items,
    "expression_list": _Walk.items,
    "list_comprehension": _Walk.comprehension,
    "set_comprehension": _Walk.comprehension,
    "generator_expression": _Walk.comprehension,
    "dictionary": _Walk.dictionary,
    "list_splat": _Walk.spread,
    "binary_operator": _Walk.binary,
    "boolean_operator": _Walk.boolean,
    "conditional_expression": _Walk.conditional,
    "parenthesized_expression": _Walk.inner,
    "await": _Walk.inner,
}
