"""Java: what its syntax means in the IR.

Annotations are decorators. In a chain of calls (``X.builder().model("…").build()``) the first call also holds the
arguments of those that follow it, by their names, so that a builder reads like a call with keywords. A field or
parameter with ``@Value("${name:default}")`` reads the environment.
"""

from __future__ import annotations

import re
import textwrap
from typing import ClassVar

import tree_sitter_java
from tree_sitter import Node

from penstock.discover.code import expressions
from penstock.discover.code.ir import BASES, CLASS, DECORATORS, FUNCTION, MAX_ITEMS, PARAMS, Builder
from penstock.discover.code.language import Language, define
from penstock.discover.code.walker import Table, Walker, of_kind, parts, text, unescaped

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


def _string(node: Node) -> str:
    """The content of a string literal or text block."""
    content = unescaped(node, _ESCAPES)
    block = any(c.type == "multiline_string_fragment" for c in node.named_children)
    return textwrap.dedent(content.removeprefix("\n")) if block else content


class JavaWalker(Walker):
    """The walk over a Java file."""

    reads_environment = ("System", "getenv")

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.setters: dict[int, dict[str, int]] = {}  # what follows a construction in its chain, by node

    def through(self, node: Node, index: int, scope: int) -> None:
        """Brackets and casts: the value itself."""
        value = node.child_by_field_name("value") or (node.named_children[0] if node.named_children else None)
        if value is not None:
            self.stack.append((value, index, scope))

    # declarations

    def package(self, node: Node, index: int, scope: int) -> None:
        self.ir.package = text(node.named_children[-1]) if node.named_children else ""

    def import_(self, node: Node, index: int, scope: int) -> None:
        names = [c for c in node.named_children if c.type in ("scoped_identifier", "identifier")]
        if not names:
            return
        path, line = text(names[0]), self.ir.line(node.start_point[0])
        if any(c.type == "asterisk" for c in node.named_children):
            self.ir.imports.append([0, "*", path, "*", line])
        else:
            module, _, name = path.rpartition(".")
            self.ir.imports.append([0, name, module, name, line])

    def class_(self, node: Node, index: int, scope: int) -> None:
        name = text(node.child_by_field_name("name"))
        inner = self.ir.scope(CLASS, name, scope, node.start_point[0], node.end_point[0])
        row = self.ir.scopes[inner]
        row[DECORATORS] = self.annotations(node, scope)
        above = [node.child_by_field_name(field) for field in ("superclass", "interfaces")]
        for given in (*above, of_kind(node, "extends_interfaces")):
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
            self.set(this, name, self.ir.add(at, "r", name, made), at, made)

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
                key = text(child.child_by_field_name("key"))
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
                if text(name) not in ("Value", "ConfigProperty") or given is None:
                    continue
                row = mark.start_point[0]
                strings: dict[str, Node] = {}
                for part in given.named_children:
                    literal = part.child_by_field_name("value") if part.type == "element_value_pair" else part
                    if literal is not None and literal.type == "string_literal":
                        strings[text(part.child_by_field_name("key")) or "value"] = literal
                if (literal := strings.get("value")) is not None and (place := _PLACE.fullmatch(_string(literal))):
                    return self.environment(place[1], place[2], row, scope)
                if (key := strings.get("name")) is not None:  # MicroProfile, Quarkus
                    other = strings.get("defaultValue")
                    return self.environment(_string(key), _string(other) if other is not None else None, row, scope)
        return -1

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
            self.ir.bind(scope, text(name), value, name.start_point[0])

    def constant_(self, node: Node, index: int, scope: int) -> None:
        """A constant of an enum is made by the enum's constructor."""
        row = node.start_point[0]
        given = node.child_by_field_name("arguments")
        args = [self.want(c, scope) for c in (given.named_children if given is not None else ())[:MAX_ITEMS]]
        name = str(self.ir.scopes[scope][1])
        callee = self.ir.add(row, "r", name, max(0, int(self.ir.scopes[scope][2])))
        made = self.ir.add(row, "c", callee, args, {}, scope, self.ir.line(row))
        self.ir.bind(scope, text(node.child_by_field_name("name")), made, row)

    def method(self, node: Node, index: int, scope: int) -> None:
        made = node.type in ("constructor_declaration", "compact_constructor_declaration")
        name = "constructor" if made else text(node.child_by_field_name("name"))
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
            self.ir.scopes[inner][PARAMS].append([text(given), -1, -1])
        elif given is not None and given.type == "inferred_parameters":
            self.ir.scopes[inner][PARAMS] += [[text(c), -1, -1] for c in given.named_children[:100]]
        else:
            self.parameters(given, inner)
        if body is not None and body.type != "block":
            self.returns(inner, body)
        elif body is not None:
            self.stack.append((body, -1, inner))
        if index >= 0:
            self.ir.fill(index, "x", inner)

    def parameters(self, node: Node | None, inner: int) -> None:
        for child in node.named_children[:100] if node is not None else ():
            if child.type == "formal_parameter":
                kind = child.child_by_field_name("type")
                annotation = self.want(kind, inner) if kind is not None and kind.type in _NAMED_TYPES else -1
                name = text(child.child_by_field_name("name"))
                self.ir.scopes[inner][PARAMS].append([name, self.injected(child, inner), annotation])
            elif child.type == "spread_parameter":
                name = next((text(c.child_by_field_name("name")) for c in child.named_children[1:]), "")
                self.ir.scopes[inner][PARAMS].append([name, -1, -1])

    def assignment(self, node: Node, index: int, scope: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None:
            return
        row, value = left.start_point[0], self.want(right, scope)
        if text(node.child_by_field_name("operator")) == "+=":
            value = self.ir.add(row, "f", [self.want(left, scope), value])
        if left.type == "identifier":
            if self.local(text(left), scope):
                self.ir.bind(scope, text(left), value, row)
            else:  # a field without its ``this``
                this = self.ir.add(row, "r", "this", scope)
                self.set(this, text(left), value, row, scope)
        elif left.type == "field_access":
            base = self.want(left.child_by_field_name("object"), scope)
            self.set(base, text(left.child_by_field_name("field")), value, row, scope)
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
            self.ir.bind(scope, text(name), item, name.start_point[0])
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
            nodes = parts(at.child_by_field_name("arguments"))
            name = text(at.child_by_field_name("name"))
            below = at.child_by_field_name("object")
            if name in ("format", "formatted") and (joined := self.formatted(at, name, nodes, scope)) is not None:
                self.template(above, joined, at.start_point[0])
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

    def formatted(self, node: Node, name: str, nodes: list[Node], scope: int) -> list[int | str] | None:
        """``String.format("…%s", x)`` and ``"…%s".formatted(x)``: the text with its values in it."""
        below = node.child_by_field_name("object")
        pattern = below if name == "formatted" else nodes[0] if nodes and text(below) == "String" else None
        if pattern is None:
            return None
        left = [self.want(c, scope) for c in (nodes if name == "formatted" else nodes[1:])]
        if pattern.type != "string_literal":
            return [self.want(pattern, scope), *left]
        return expressions.formatted(self, _string(pattern), _VERB, left, pattern.start_point[0])

    def construction(self, node: Node, index: int, scope: int) -> None:
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        args = [self.want(c, scope) for c in parts(node.child_by_field_name("arguments"))]
        callee = self.want(node.child_by_field_name("type"), scope)
        names = self.setters.pop(node.id, {})
        self.ir.fill(index, "c", callee, args, names, scope, self.ir.line(node.end_point[0]))
        for child in node.named_children:
            if child.type == "class_body":
                inner = self.ir.scope(CLASS, "", scope, child.start_point[0], child.end_point[0])
                self.stack.append((child, -1, inner))

    def scoped(self, node: Node, index: int, scope: int) -> None:
        """``Outer.Inner`` as a type or annotation."""
        if index >= 0:
            parts = re.split(r"\s*\.\s*", text(node)[:500])[:20]
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
            self.ir.fill(index, "a", base, text(parts[-1]))

    table: ClassVar[Table] = {
        **dict.fromkeys(
            ("line_comment", "block_comment", "modifiers", "type_arguments", "type_parameters"), expressions.skip
        ),
        "package_declaration": package,
        "import_declaration": import_,
        **dict.fromkeys(_CLASSES, class_),
        "annotation": annotation,
        **dict.fromkeys(("field_declaration", "constant_declaration", "local_variable_declaration"), field),
        "enum_constant": constant_,
        **dict.fromkeys(
            ("method_declaration", "constructor_declaration", "compact_constructor_declaration"), method
        ),
        "lambda_expression": lambda_,
        **dict.fromkeys(("return_statement", "yield_statement"), expressions.returned),
        "assignment_expression": assignment,
        "enhanced_for_statement": for_each,
        "method_invocation": call,
        "object_creation_expression": construction,
        "string_literal": expressions.string(_string),
        **dict.fromkeys(("decimal_integer_literal", "decimal_floating_point_literal"), expressions.number),
        **dict.fromkeys(("true", "false", "null_literal"), expressions.constant),
        **dict.fromkeys(("identifier", "type_identifier", "this"), expressions.name),
        "field_access": expressions.member("object", "field"),
        **dict.fromkeys(("scoped_type_identifier", "scoped_identifier"), scoped),
        "method_reference": reference,
        "array_access": expressions.item("array", "index"),
        **dict.fromkeys(("array_initializer", "element_value_array_initializer"), expressions.listed),
        "binary_expression": expressions.operation("+"),
        "ternary_expression": expressions.choice,
        **dict.fromkeys(
            ("marker_annotation", "generic_type", "class_literal", "parenthesized_expression", "cast_expression"),
            through,
        ),
    }  # fmt: skip


JAVA = define(
    Language(
        name="java",
        title="Java",
        endings=("java",),
        walker=JavaWalker,
        grammars={"": tree_sitter_java.language},
        imports=re.compile(rb"\b(?:import[ \t]+(?:static[ \t]+)?(?P<module>[\w.]+)|package[ \t]+(?P<package>[\w.]+))"),
        unseen="names built at run time; beans that are wired by configuration",
    )
)
