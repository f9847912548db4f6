"""Java source to IR: one iterative walk per file.

Annotations are decorators. In a chain of calls (``X.builder().model("…").build()``) the first call also holds the
arguments of those that follow it, by their names, so that a builder reads like a call with keywords. A field or
parameter with ``@Value("${name:default}")`` reads the environment.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import tree_sitter_java
from tree_sitter import Language, Node, Parser

from penstock.discover.code.ir import BASES, CLASS, DECORATORS, FUNCTION, MAX_ITEMS, PARAMS, RETURNS, Builder, utf8
from penstock.discover.code.parse import parse
from penstock.discover.code.python import first_error
from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.graph.vocabulary import Unseen

_PARSER = Parser(Language(tree_sitter_java.language()))
#: Calls of one chain whose arguments the first one holds; the longest builders of SDKs have about 40 setters.
MAX_CHAIN = 100
_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\", "\\r": "\r", "\\'": "'", "\\\n": "", "\\s": " "}
_VERB = re.compile(r"%(?:%|n|(?:\d+\$)?[-+# 0,(]*\d*(?:\.\d+)?[a-zA-Z])")  # conversions of java.util.Formatter
_PLACE = re.compile(r"\$\{([A-Za-z_][\w.-]{0,199})(?::([^${}]{0,1000}))?\}")  # Spring's placeholder
_NAMED_TYPES = ("type_identifier", "scoped_type_identifier", "generic_type")
_CLASSES = (
    "class_declaration", "interface_declaration", "record_declaration", "enum_declaration",
    "annotation_type_declaration",
)  # fmt: skip


@collector(
    "code.java",
    reads="*.java",
    sees="imports, constants, classes, annotations, calls and values of Java files",
    unseen="names built at run time; beans that are wired by configuration",
)
def java_file(file: File) -> Iterator[Yielded]:
    """The IR of one Java file."""
    value, broken = read(file.data)
    value["broken"] = broken
    if broken:
        yield Unseen(file.at(broken), "Java code", "a part does not parse", collector="code.java", scope=file.scope)
    yield Fact("code", file.path, value)


def read(data: bytes) -> tuple[dict[str, Any], int]:
    """IR of Java source, and the first line that does not parse (0: all does)."""
    tree = parse(_PARSER, utf8(data))
    builder = Builder("java")
    _Walk(builder).run(tree.root_node)
    return builder.value(), first_error(tree.root_node, builder) if tree.root_node.has_error else 0


def _text(node: Node | None) -> str:
    return node.text.decode("utf-8", "replace") if node is not None and node.text is not None else ""


def _string(node: Node) -> str:
    """The content of a string literal or text block."""
    text = "".join(
        _ESCAPES.get(_text(c), _text(c)) if c.type == "escape_sequence" else _text(c) for c in node.named_children
    )
    block = any(c.type == "multiline_string_fragment" for c in node.named_children)
    return textwrap.dedent(text.removeprefix("\n")) if block else text


class _Walk:
    """The walk's stack. An entry is (node, row to fill or -1, scope); nothing calls itself."""

    def __init__(self, builder: Builder) -> None:
        self.ir = builder
        self.stack: list[tuple[Node, int, int]] = []
        self.setters: dict[int, dict[str, int]] = {}  # what follows a construction in its chain, by node

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

    def skip(self, node: Node, index: int, scope: int) -> None:
        """Comments and other things that hold no value."""

    def through(self, node: Node, index: int, scope: int) -> None:
        """Brackets and casts: the value itself."""
        value = node.child_by_field_name("value") or (node.named_children[0] if node.named_children else None)
        if value is not None:
            self.stack.append((value, index, scope))

    # declarations

    def package(self, node: Node, index: int, scope: int) -> None:
        self.ir.package = _text(node.named_children[-1]) if node.named_children else ""

    def import_(self, node: Node, index: int, scope: int) -> None:
        names = [c for c in node.named_children if c.type in ("scoped_identifier", "identifier")]
        if not names:
            return
        path, line = _text(names[0]), self.ir.line(node.start_point[0])
        if any(c.type == "asterisk" for c in node.named_children):
            self.ir.imports.append([0, "*", path, "*", line])
        else:
            module, _, name = path.rpartition(".")
            self.ir.imports.append([0, name, module, name, line])

    def class_(self, node: Node, index: int, scope: int) -> None:
        name = _text(node.child_by_field_name("name"))
        inner = self.ir.scope(CLASS, name, scope, node.start_point[0], node.end_point[0])
        row = self.ir.scopes[inner]
        row[DECORATORS] = self.annotations(node, scope)
        for field in ("superclass", "interfaces"):
            given = node.child_by_field_name(field)
            for part in given.named_children if given is not None else ():
                for base in part.named_children if part.type == "type_list" else (part,):
                    row[BASES].append(self.want(base, scope))
        if node.type == "record_declaration":
            self.record(node, inner)
        if (body := node.child_by_field_name("body")) is not None:
            self.stack.append((body, -1, inner))

    def record(self, node: Node, inner: int) -> None:
        """The components of a record are its constructor's parameters, and its fields."""
        made = self.ir.scope(FUNCTION, "constructor", inner, node.start_point[0], node.start_point[0])
        self.parameters(node.child_by_field_name("parameters"), made)
        for name, _, _ in self.ir.scopes[made][PARAMS]:
            at = node.start_point[0]
            this = self.ir.add(at, "r", "this", made)
            self.ir.sets.append([made, this, name, self.ir.add(at, "r", name, made), self.ir.line(at)])

    def annotations(self, node: Node, scope: int) -> list[int]:
        found = []
        for child in node.named_children:
            if child.type == "modifiers":
                found += [
                    self.want(mark, scope)
                    for mark in child.named_children
                    if mark.type in ("annotation", "marker_annotation")
                ]
        return found

    def annotation(self, node: Node, index: int, scope: int) -> None:
        callee = self.want(node.child_by_field_name("name"), scope)
        args: list[int] = []
        names: dict[str, int] = {}
        given = node.child_by_field_name("arguments")
        for child in (given.named_children if given is not None else ())[:MAX_ITEMS]:
            if child.type == "element_value_pair":
                key = _text(child.child_by_field_name("key"))
                names[key] = self.want(child.child_by_field_name("value"), scope)
            elif child.type not in ("line_comment", "block_comment"):
                args.append(self.want(child, scope))
        if index >= 0:
            self.ir.fill(index, "c", callee, args, names, scope, self.ir.line(node.end_point[0]))

    def injected(self, node: Node, scope: int) -> int:
        """The value of ``@Value("${name:default}")``: the environment's, or the default."""
        for child in node.named_children:
            for mark in child.named_children if child.type == "modifiers" else ():
                name, given = mark.child_by_field_name("name"), mark.child_by_field_name("arguments")
                if _text(name) not in ("Value", "ConfigProperty") or given is None:
                    continue
                row = mark.start_point[0]
                strings: dict[str, Node] = {}
                for part in given.named_children:
                    literal = part.child_by_field_name("value") if part.type == "element_value_pair" else part
                    if literal is not None and literal.type == "string_literal":
                        strings[_text(part.child_by_field_name("key")) or "value"] = literal
                if (text := strings.get("value")) is not None and (place := _PLACE.fullmatch(_string(text))):
                    return self.environment(place[1], place[2], row)
                if (key := strings.get("name")) is not None:  # MicroProfile, Quarkus
                    other = strings.get("defaultValue")
                    return self.environment(_string(key), _string(other) if other is not None else None, row)
        return -1

    def environment(self, name: str, default: str | None, row: int) -> int:
        callee = self.ir.add(row, "a", self.ir.add(row, "r", "System", 0), "getenv")
        choices = [self.ir.add(row, "c", callee, [self.literal(name, row)], {}, 0, self.ir.line(row))]
        if default:
            choices.append(self.literal(default, row))
        return self.ir.add(row, "o", choices)

    def literal(self, text: str, row: int) -> int:
        index = self.ir.reserve(row)
        self.ir.text(index, text)
        return index

    def field(self, node: Node, index: int, scope: int) -> None:
        """A field or local variable: its value, what is injected, or its type."""
        kind, injected = node.child_by_field_name("type"), self.injected(node, scope)
        for declarator in node.children_by_field_name("declarator"):
            name = declarator.child_by_field_name("name")
            if name is None:
                continue
            value = self.want(declarator.child_by_field_name("value"), scope)
            if value < 0:
                value = injected
            if value < 0 and kind is not None and kind.type in _NAMED_TYPES:
                value = self.ir.add(name.start_point[0], "t", self.want(kind, scope))
            self.ir.bind(scope, _text(name), value, name.start_point[0])

    def constant_(self, node: Node, index: int, scope: int) -> None:
        """A constant of an enum is made by the enum's constructor."""
        row = node.start_point[0]
        given = node.child_by_field_name("arguments")
        args = [self.want(c, scope) for c in (given.named_children if given is not None else ())[:MAX_ITEMS]]
        name = str(self.ir.scopes[scope][1])
        callee = self.ir.add(row, "r", name, max(0, int(self.ir.scopes[scope][2])))
        made = self.ir.add(row, "c", callee, args, {}, scope, self.ir.line(row))
        self.ir.bind(scope, _text(node.child_by_field_name("name")), made, row)

    def method(self, node: Node, index: int, scope: int) -> None:
        made = node.type in ("constructor_declaration", "compact_constructor_declaration")
        name = "constructor" if made else _text(node.child_by_field_name("name"))
        inner = self.ir.scope(FUNCTION, name, scope, node.start_point[0], node.end_point[0])
        if node.type != "compact_constructor_declaration":
            self.parameters(node.child_by_field_name("parameters"), inner)
        self.ir.scopes[inner][DECORATORS] = self.annotations(node, inner)
        if (body := node.child_by_field_name("body")) is not None:
            self.stack.append((body, -1, inner))

    def lambda_(self, node: Node, index: int, scope: int) -> None:
        inner = self.ir.scope(FUNCTION, "", scope, node.start_point[0], node.end_point[0])
        given, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
        if given is not None and given.type == "identifier":
            self.ir.scopes[inner][PARAMS].append([_text(given), -1, -1])
        elif given is not None and given.type == "inferred_parameters":
            self.ir.scopes[inner][PARAMS] += [[_text(c), -1, -1] for c in given.named_children[:100]]
        else:
            self.parameters(given, inner)
        if body is not None and body.type != "block":
            self.ir.scopes[inner][RETURNS].append(self.want(body, inner))
        elif body is not None:
            self.stack.append((body, -1, inner))
        if index >= 0:
            self.ir.fill(index, "x", inner)

    def parameters(self, node: Node | None, inner: int) -> None:
        for child in node.named_children[:100] if node is not None else ():
            if child.type == "formal_parameter":
                kind = child.child_by_field_name("type")
                annotation = self.want(kind, inner) if kind is not None and kind.type in _NAMED_TYPES else -1
                name = _text(child.child_by_field_name("name"))
                self.ir.scopes[inner][PARAMS].append([name, self.injected(child, inner), annotation])
            elif child.type == "spread_parameter":
                name = next((_text(c.child_by_field_name("name")) for c in child.named_children[1:]), "")
                self.ir.scopes[inner][PARAMS].append([name, -1, -1])

    def return_(self, node: Node, index: int, scope: int) -> None:
        for child in node.named_children:
            if child.type not in ("line_comment", "block_comment"):
                self.ir.scopes[scope][RETURNS].append(self.want(child, scope))

    def assignment(self, node: Node, index: int, scope: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None:
            return
        row, value = left.start_point[0], self.want(right, scope)
        if _text(node.child_by_field_name("operator")) == "+=":
            value = self.ir.add(row, "f", [self.want(left, scope), value])
        if left.type == "identifier":
            if self.local(_text(left), scope):
                self.ir.bind(scope, _text(left), value, row)
            else:  # a field without its ``this``
                this = self.ir.add(row, "r", "this", scope)
                self.ir.sets.append([scope, this, _text(left), value, self.ir.line(row)])
        elif left.type == "field_access":
            base = self.want(left.child_by_field_name("object"), scope)
            self.ir.sets.append([scope, base, _text(left.child_by_field_name("field")), value, self.ir.line(row)])
        if index >= 0:
            self.ir.fill(index, "*", value)

    def local(self, name: str, scope: int) -> bool:
        """Whether a function's own variable or parameter has this name (only what stands above counts)."""
        if any(param[0] == name for param in self.ir.scopes[scope][PARAMS]):
            return True
        return any(row[0] == scope and row[1] == name for row in self.ir.assigns[-200:])

    def for_each(self, node: Node, index: int, scope: int) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is not None and value is not None:
            item = self.ir.add(name.start_point[0], "e", self.want(value, scope))
            self.ir.bind(scope, _text(name), item, name.start_point[0])
        if (body := node.child_by_field_name("body")) is not None:
            self.stack.append((body, -1, scope))

    # expressions

    def call(self, node: Node, index: int, scope: int) -> None:
        """A chain of calls, from the last to the first."""
        chain = [node]
        while (below := chain[-1].child_by_field_name("object")) is not None and below.type == "method_invocation":
            chain.append(below)
        setters: dict[str, list[int]] = {}
        above = index if index >= 0 else self.ir.reserve(node.start_point[0])
        for place, at in enumerate(chain):
            if self.ir.full:
                return
            nodes = _arguments(at)
            name = _text(at.child_by_field_name("name"))
            below = at.child_by_field_name("object")
            if name in ("format", "formatted") and (rows := self.formatted(at, name, nodes, scope)) is not None:
                self.ir.fill(above, "f", rows)
                return
            args = [self.want(c, scope) for c in nodes]
            if len(chain) - place <= MAX_CHAIN:
                setters.setdefault(name, [])[:0] = args
            row = at.start_point[0]
            callee = self.ir.reserve(row)
            names: dict[str, int] = {}
            if place + 1 == len(chain):
                names = self.keywords(setters, row)
            self.ir.fill(above, "c", callee, args, names, scope, self.ir.line(at.end_point[0]))
            if below is None:
                self.ir.fill(callee, "r", name, scope)
                return
            base = self.ir.reserve(below.start_point[0])
            self.ir.fill(callee, "a", base, name)
            above = base
            if place + 1 == len(chain):
                if below.type == "object_creation_expression":
                    self.setters[below.id] = names
                self.stack.append((below, base, scope))

    def keywords(self, setters: dict[str, list[int]], row: int) -> dict[str, int]:
        return {
            name: given[0] if len(given) == 1 else self.ir.add(row, "l", given)
            for name, given in setters.items()
            if given
        }

    def formatted(self, node: Node, name: str, nodes: list[Node], scope: int) -> list[int] | None:
        """``String.format("…%s", x)`` and ``"…%s".formatted(x)``: the text with its values in it."""
        below = node.child_by_field_name("object")
        text = below if name == "formatted" else nodes[0] if nodes and _text(below) == "String" else None
        if text is None:
            return None
        left = [self.want(c, scope) for c in (nodes if name == "formatted" else nodes[1:])]
        if text.type != "string_literal":
            return [self.want(text, scope), *left]
        whole, parts, last, plain = _string(text), [], 0, ""
        row = text.start_point[0]
        for verb in _VERB.finditer(whole):
            plain += whole[last : verb.start()]
            last = verb.end()
            if verb[0] in ("%%", "%n"):
                plain += "%" if verb[0] == "%%" else "\n"
                continue
            if plain:
                parts.append(self.literal(plain, row))
                plain = ""
            parts.append(left.pop(0) if left else self.ir.reserve(row))
        plain += whole[last:]
        if plain:
            parts.append(self.literal(plain, row))
        return parts

    def construction(self, node: Node, index: int, scope: int) -> None:
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        args = [self.want(c, scope) for c in _arguments(node)]
        callee = self.want(node.child_by_field_name("type"), scope)
        names = self.setters.pop(node.id, {})
        self.ir.fill(index, "c", callee, args, names, scope, self.ir.line(node.end_point[0]))
        for child in node.named_children:
            if child.type == "class_body":
                inner = self.ir.scope(CLASS, "", scope, child.start_point[0], child.end_point[0])
                self.stack.append((child, -1, inner))

    def string(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            self.ir.text(index, _string(node))

    def number(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            try:
                text = _text(node)[:18].replace("_", "").rstrip("lLfFdD")
                self.ir.fill(index, "n", float(text) if "." in text else int(text, 0))
            except ValueError:
                pass

    def constant(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            self.ir.fill(index, *(("0",) if node.type == "null_literal" else ("b", node.type == "true")))

    def name(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            self.ir.fill(index, "r", _text(node), scope)

    def member(self, node: Node, index: int, scope: int) -> None:
        base = self.want(node.child_by_field_name("object"), scope)
        if index >= 0:
            self.ir.fill(index, "a", base, _text(node.child_by_field_name("field")))

    def scoped(self, node: Node, index: int, scope: int) -> None:
        """``Outer.Inner`` as a type or annotation."""
        if index >= 0:
            parts = re.split(r"\s*\.\s*", _text(node)[:500])[:20]
            row = node.start_point[0]
            at = self.ir.add(row, "r", parts[0], scope)
            for part in parts[1:-1]:
                at = self.ir.add(row, "a", at, part)
            self.ir.fill(index, *(("a", at, parts[-1]) if len(parts) > 1 else ("*", at)))

    def reference(self, node: Node, index: int, scope: int) -> None:
        """``this::answer``"""
        parts = node.named_children
        base = self.want(parts[0] if parts else None, scope)
        if index >= 0 and len(parts) > 1:
            self.ir.fill(index, "a", base, _text(parts[-1]))

    def subscript(self, node: Node, index: int, scope: int) -> None:
        base = self.want(node.child_by_field_name("array"), scope)
        key = self.want(node.child_by_field_name("index"), scope)
        if index >= 0:
            self.ir.fill(index, "i", base, key)

    def array(self, node: Node, index: int, scope: int) -> None:
        rows = [self.want(c, scope) for c in node.named_children[:MAX_ITEMS] if not c.type.endswith("comment")]
        if index >= 0:
            self.ir.fill(index, "l", rows)

    def binary(self, node: Node, index: int, scope: int) -> None:
        left = self.want(node.child_by_field_name("left"), scope)
        right = self.want(node.child_by_field_name("right"), scope)
        if index >= 0 and _text(node.child_by_field_name("operator")) == "+":
            self.ir.fill(index, "f", [left, right])

    def ternary(self, node: Node, index: int, scope: int) -> None:
        self.want(node.child_by_field_name("condition"), scope)
        left = self.want(node.child_by_field_name("consequence"), scope)
        right = self.want(node.child_by_field_name("alternative"), scope)
        if index >= 0:
            self.ir.fill(index, "o", [left, right])


def _arguments(node: Node) -> list[Node]:
    given = node.child_by_field_name("arguments")
    nodes = given.named_children[:MAX_ITEMS] if given is not None else []
    return [c for c in nodes if c.type not in ("line_comment", "block_comment")]


_HANDLERS: dict[str, Any] = {
    "line_comment": _Walk.skip,
    "block_comment": _Walk.skip,
    "package_declaration": _Walk.package,
    "import_declaration": _Walk.import_,
    **dict.fromkeys(_CLASSES, _Walk.class_),
    "annotation": _Walk.annotation,
    "marker_annotation": _Walk.through,
    "modifiers": _Walk.skip,
    "field_declaration": _Walk.field,
    "constant_declaration": _Walk.field,
    "local_variable_declaration": _Walk.field,
    "enum_constant": _Walk.constant_,
    "method_declaration": _Walk.method,
    "constructor_declaration": _Walk.method,
    "compact_constructor_declaration": _Walk.method,
    "lambda_expression": _Walk.lambda_,
    "return_statement": _Walk.return_,
    "yield_statement": _Walk.return_,
    "assignment_expression": _Walk.assignment,
    "enhanced_for_statement": _Walk.for_each,
    "method_invocation": _Walk.call,
    "object_creation_expression": _Walk.construction,
    "string_literal": _Walk.string,
    "decimal_integer_literal": _Walk.number,
    "decimal_floating_point_literal": _Walk.number,
    "true": _Walk.constant,
    "false": _Walk.constant,
    "null_literal": _Walk.constant,
    "identifier": _Walk.name,
    "type_identifier": _Walk.name,
    "this": _Walk.name,
    "field_access": _Walk.member,
    "scoped_type_identifier": _Walk.scoped,
    "scoped_identifier": _Walk.scoped,
    "generic_type": _Walk.through,
    "class_literal": _Walk.through,
    "type_arguments": _Walk.skip,
    "type_parameters": _Walk.skip,
    "method_reference": _Walk.reference,
    "array_access": _Walk.subscript,
    "array_initializer": _Walk.array,
    "element_value_array_initializer": _Walk.array,
    "binary_expression": _Walk.binary,
    "ternary_expression": _Walk.ternary,
    "parenthesized_expression": _Walk.through,
    "cast_expression": _Walk.through,
}
