"""Go: what its syntax means in the IR.

A struct is a class: its fields are bound in its scope, embedded types are its bases, and methods stand in it, in a
partial class where the type itself is declared in another file of the package. A composite literal is a call of its
type with its fields as keywords; options such as ``WithModel("…")`` among the arguments of a call are keywords too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

import tree_sitter_go
from tree_sitter import Node

from penstock.discover.code import expressions
from penstock.discover.code.ir import BASES, CLASS, FUNCTION, MAX_ITEMS, PARAMS, RETURNS, Builder
from penstock.discover.code.language import Language, define
from penstock.discover.code.walker import Meaning, Table, Walker, first, parts, text, unescaped

#: The parts of an import path's last word that are no part of the package's name (``anthropic-sdk-go``).
_NOT_THE_NAME = frozenset({"go", "golang", "sdk", "client", "api"})
_GENERATED = re.compile(rb"^// Code generated .* DO NOT EDIT\.$", re.MULTILINE)  # the form that `go generate` defines
_VERB = re.compile(r"%(?:%|[-+# 0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:\[\d+\])?[a-zA-Z])")  # verbs of package fmt
_ENV_TAG = re.compile(r'\b(?:env|envconfig):"([A-Za-z_]\w*)')
_DEFAULT_TAG = re.compile(r'\b(?:envDefault|default|env-default):"([^"]{1,300})"')
_STRINGS = ("interpreted_string_literal", "raw_string_literal")
_NAMED = ("type_identifier", "qualified_type")
_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\", "\\r": "\r", "\\'": "'"}


def _string(node: Node) -> str:
    """The content of a string literal."""
    return unescaped(node, _ESCAPES)


class GoWalker(Walker):
    """The walk over a Go file."""

    reads_environment = ("os", "Getenv")

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.types: dict[str, int] = {}

    def run(self, root: Node, meanings: Sequence[Meaning]) -> None:
        self.declare(root)
        super().run(root, meanings)

    def declare(self, root: Node) -> None:
        """The struct types of the file, before the methods that may stand above them."""
        for declaration in root.named_children:
            if declaration.type == "type_declaration":
                for spec in declaration.named_children:
                    kind = spec.child_by_field_name("type")
                    if kind is not None and kind.type in ("struct_type", "interface_type"):
                        name = text(spec.child_by_field_name("name"))
                        self.types[name] = self.ir.scope(CLASS, name, 0, spec.start_point[0], spec.end_point[0])

    # declarations

    def package(self, node: Node, index: int, scope: int) -> None:
        self.ir.package = text(node.named_children[0]) if node.named_children else ""

    def import_(self, node: Node, index: int, scope: int) -> None:
        given = node.child_by_field_name("path")
        path = _string(given) if given is not None else ""
        name = text(node.child_by_field_name("name"))
        if path:
            alias = "" if name == "_" else "*" if name == "." else name or package_name(path)
            self.ir.imports.append([0, alias, path, "*" if alias == "*" else "", self.ir.line(node.start_point[0])])

    def spec(self, node: Node, index: int, scope: int) -> None:
        """``const`` and ``var``: names with values, or with a type alone."""
        names = node.children_by_field_name("name")
        values = _values(node.child_by_field_name("value"))
        kind = node.child_by_field_name("type")
        self.bind_all([n for n in names if n.is_named], values, scope)
        if not values and kind is not None and scope == 0 and (embedded := _embedded(node)):
            row = node.start_point[0]
            read = self.ir.add(row, "r", "go:embed", scope)
            value = self.ir.add(row, "c", read, [self.literal(embedded, row)], {}, scope, self.ir.line(row))
            self.ir.bind(scope, text(names[0]), value, row)
        elif not values and kind is not None:
            for name in names:
                if name.is_named:
                    self.ir.bind(scope, text(name), self.zero(kind, scope), name.start_point[0])

    def zero(self, kind: Node, scope: int) -> int:
        """The zero value of a named type is made like a composite literal without fields."""
        named = _bare(kind)
        if named is None or named.type not in _NAMED:
            return self.ir.reserve(kind.start_point[0])
        row = self.ir.reserve(kind.start_point[0])
        self.ir.fill(row, "c", self.want(named, scope), [], {}, scope, self.ir.line(kind.end_point[0]))
        return row

    def bind_all(self, names: list[Node], values: list[Node], scope: int) -> None:
        for place, target in enumerate(names):
            if len(values) == len(names):
                self.assign(target, self.want(values[place], scope), scope)
            elif len(values) == 1 and place == 0:
                self.assign(target, self.want(values[0], scope), scope)  # client, err := New()
            elif values and target.type == "identifier":
                self.ir.bind(scope, text(target), self.ir.reserve(target.start_point[0]), target.start_point[0])

    def assign(self, target: Node, value: int, scope: int) -> None:
        row = target.start_point[0]
        if target.type == "identifier":
            if text(target) != "_":
                self.ir.bind(scope, text(target), value, row)
        elif target.type == "selector_expression":
            base = self.want(target.child_by_field_name("operand"), scope)
            self.set(base, text(target.child_by_field_name("field")), value, row, scope)
        elif target.type == "index_expression":
            key = target.child_by_field_name("index")
            if key is not None and key.type in _STRINGS:
                base = self.want(target.child_by_field_name("operand"), scope)
                self.set(base, _string(key), value, row, scope)

    def assignment(self, node: Node, index: int, scope: int) -> None:
        left, right = _values(node.child_by_field_name("left")), _values(node.child_by_field_name("right"))
        operator = text(node.child_by_field_name("operator"))
        if operator == "+=" and len(left) == len(right) == 1:
            row = left[0].start_point[0]
            value = self.ir.add(row, "f", [self.want(left[0], scope), self.want(right[0], scope)])
            self.assign(left[0], value, scope)
        else:
            self.bind_all(left, right, scope)

    def range(self, node: Node, index: int, scope: int) -> None:
        left, right = _values(node.child_by_field_name("left")), node.child_by_field_name("right")
        source = self.want(right, scope)
        if left and source >= 0:
            self.assign(left[-1], self.ir.add(left[-1].start_point[0], "e", source), scope)

    # types and functions

    def type_spec(self, node: Node, index: int, scope: int) -> None:
        name, kind = text(node.child_by_field_name("name")), node.child_by_field_name("type")
        if kind is None:
            return
        if kind.type in ("struct_type", "interface_type"):
            inner = self.types.get(name, -1) if scope == 0 else -1
            if inner < 0:
                inner = self.ir.scope(CLASS, name, scope, node.start_point[0], node.end_point[0])
            self.fields(kind, inner, scope)
        elif node.type == "type_alias":
            self.ir.bind(scope, name, self.want(_bare(kind), scope), node.start_point[0])
        elif kind.type in _NAMED:  # T(x) is x in another type
            inner = self.ir.scope(FUNCTION, name, scope, node.start_point[0], node.end_point[0])
            self.ir.scopes[inner][PARAMS].append(["value", -1, -1])
            self.ir.scopes[inner][RETURNS].append(self.ir.add(node.start_point[0], "r", "value", inner))

    def fields(self, kind: Node, inner: int, scope: int) -> None:
        for block in kind.named_children if kind.type == "struct_type" else ():
            for field in block.named_children:
                if field.type != "field_declaration":
                    continue
                named = _bare(field.child_by_field_name("type"))
                names = [n for n in field.children_by_field_name("name") if n.is_named]
                plain = named is not None and named.type in _NAMED
                if not names and plain:
                    self.ir.scopes[inner][BASES].append(self.want(named, scope))
                    last = named.child_by_field_name("name") if named is not None else None
                    names = [last if last is not None else field]
                value = self.tagged(field, inner)
                for name in names:
                    row = name.start_point[0]
                    given = value
                    if given < 0 and plain:
                        given = self.ir.add(row, "t", self.want(named, scope))
                    self.ir.bind(inner, text(name), given, row)

    def tagged(self, field: Node, scope: int) -> int:
        """The value of a field whose tag names the environment it is read from."""
        tag = field.child_by_field_name("tag")
        text = _string(tag) if tag is not None else ""
        name, default = _ENV_TAG.search(text), _DEFAULT_TAG.search(text)
        if tag is None or not name:
            return -1
        return self.environment(name[1], default[1] if default else None, tag.start_point[0], scope)

    def function(self, node: Node, index: int, scope: int) -> None:
        parent, receiver = 0 if node.type != "func_literal" else scope, node.child_by_field_name("receiver")
        own = ""
        if receiver is not None and receiver.named_children:
            given = receiver.named_children[0]
            kind = text(_bare(given.child_by_field_name("type")))
            if kind not in self.types:
                self.types[kind] = self.ir.scope(CLASS, kind, 0, node.start_point[0], node.end_point[0])
            parent, own = self.types[kind], text(given.child_by_field_name("name"))
        name = text(node.child_by_field_name("name"))
        inner = self.ir.scope(FUNCTION, name, parent, node.start_point[0], node.end_point[0])
        if own:
            self.ir.bind(inner, own, self.ir.add(node.start_point[0], "r", "this", inner), node.start_point[0])
        self.parameters(node.child_by_field_name("parameters"), inner)
        if (body := node.child_by_field_name("body")) is not None:
            self.stack.append((body, -1, inner))
        if index >= 0:
            self.ir.fill(index, "x", inner)

    def parameters(self, node: Node | None, inner: int) -> None:
        row = self.ir.scopes[inner]
        for child in node.named_children[:100] if node is not None else ():
            if child.type not in ("parameter_declaration", "variadic_parameter_declaration"):
                continue
            kind = _bare(child.child_by_field_name("type"))
            plain = kind is not None and kind.type in _NAMED
            names = [n for n in child.children_by_field_name("name") if n.is_named]
            for name in names or (None,):
                annotation = self.want(kind, inner) if plain and child.type == "parameter_declaration" else -1
                row[PARAMS].append([text(name), -1, annotation])

    def return_(self, node: Node, index: int, scope: int) -> None:
        values = [v for child in node.named_children for v in _values(child) if v.type != "comment"]
        for place, child in enumerate(values):
            wanted = self.want(child, scope)
            if place == 0 and child.type != "nil":  # of (client, error) the first; the rest is looked into for calls
                self.ir.scopes[scope][RETURNS].append(wanted)

    # expressions

    def call(self, node: Node, index: int, scope: int) -> None:
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        function, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        nodes = parts(given)
        name = text(function) if function is not None and function.end_byte - function.start_byte < 80 else ""
        if name in ("fmt.Sprintf", "fmt.Sprint", "fmt.Sprintln") and nodes:
            self.formatted(nodes, index, scope, name)
        elif name == "append" and nodes:
            first = self.ir.add(node.start_point[0], "*", self.want(nodes[0], scope))
            self.ir.fill(index, "l", [first, *(self.want(c, scope) for c in nodes[1:])])
        elif name == "new" and len(nodes) == 1:
            self.ir.fill(index, "c", self.want(nodes[0], scope), [], {}, scope, self.ir.line(node.end_point[0]))
        elif name in ("string", "cmp.Or") and nodes:
            self.ir.fill(index, "o", [self.want(c, scope) for c in nodes])
        else:
            args, names = self.arguments(nodes, scope)
            self.ir.fill(index, "c", self.want(function, scope), args, names, scope, self.ir.line(node.end_point[0]))

    def arguments(self, nodes: list[Node], scope: int) -> tuple[list[int], dict[str, int]]:
        """Positions, and keywords: options by their name, ``list...`` as what may hold options."""
        args: list[int] = []
        names: dict[str, int] = {}
        for child in nodes:
            if child.type == "variadic_argument":
                row = self.want(first(child), scope)
                if row >= 0:
                    names[f"**{len(names)}"] = row
                    args.append(self.ir.add(child.start_point[0], "*", row))
                continue
            row = self.want(child, scope)
            args.append(row)
            if option := _option(child):
                names.setdefault(option, row)
        return args, names

    def formatted(self, nodes: list[Node], index: int, scope: int, name: str) -> None:
        """``fmt.Sprintf("…%s…", x)``: the text with its values in it."""
        rows = [self.want(c, scope) for c in nodes]
        if name != "fmt.Sprintf" or nodes[0].type not in _STRINGS:
            self.ir.fill(index, "f", rows)
            return
        row = nodes[0].start_point[0]
        self.template(index, expressions.formatted(self, _string(nodes[0]), _VERB, rows[1:], row), row)

    def composite(self, node: Node, index: int, scope: int) -> None:
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        kind = node.child_by_field_name("type")
        self.literal_value(node.child_by_field_name("body"), kind, index, scope)

    def literal_value(self, body: Node | None, kind: Node | None, index: int, scope: int) -> None:
        """``T{…}``, ``[]T{…}``, ``map[K]T{…}``; elements may leave their type out. Nested ones wait on a list."""
        todo = [(body, kind, index)]
        while todo and not self.ir.full:
            body, kind, index = todo.pop()
            named = _bare(kind)
            inner = None
            if named is not None and named.type in ("slice_type", "array_type", "implicit_length_array_type"):
                inner = named.child_by_field_name("element")
            elif named is not None and named.type == "map_type":
                inner = named.child_by_field_name("value")
            listed = inner is not None and named is not None and named.type != "map_type"
            keyed: list[list[Any]] = []
            items: list[int] = []
            for child in (body.named_children if body is not None else ())[:MAX_ITEMS]:
                element, key = child, ""
                if child.type == "keyed_element":
                    name, given = child.child_by_field_name("key"), child.child_by_field_name("value")
                    name = name.named_children[0] if name is not None and name.named_children else name
                    if name is None or given is None:
                        continue
                    literal = name.type in _STRINGS
                    key = _string(name) if literal else text(name)[:200]
                    if inner is not None and not literal and not listed:
                        key = self.want(name, scope)  # type: ignore[assignment]
                    element = given
                if element.type == "comment":
                    continue
                if element.type == "literal_element" and element.named_children:
                    element = element.named_children[0]
                if element.type == "literal_value":
                    row = self.ir.reserve(element.start_point[0])
                    todo.append((element, inner, row))
                else:
                    row = self.want(element, scope)
                if child.type == "keyed_element" and not listed:
                    keyed.append([key, row])
                else:
                    items.append(row)
            if listed:
                self.ir.fill(index, "l", items)
            elif named is not None and named.type in _NAMED:
                end = self.ir.line(body.end_point[0]) if body is not None else 0
                names = {str(key): row for key, row in keyed}
                self.ir.fill(index, "c", self.want(named, scope), items, names, scope, end)
            else:
                self.ir.fill(index, "d", keyed) if keyed or not items else self.ir.fill(index, "l", items)

    def qualified(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            base = self.ir.add(node.start_point[0], "r", text(node.child_by_field_name("package")), scope)
            self.ir.fill(index, "a", base, text(node.child_by_field_name("name")))

    def unary(self, node: Node, index: int, scope: int) -> None:
        operand = node.child_by_field_name("operand")
        if operand is not None:
            self.stack.append((operand, index if text(node.child_by_field_name("operator")) in "&*" else -1, scope))

    table: ClassVar[Table] = {
        **dict.fromkeys(
            ("comment", "interface_type", "slice_type", "map_type", "function_type", "channel_type"), expressions.skip
        ),
        "package_clause": package,
        "import_spec": import_,
        **dict.fromkeys(("const_spec", "var_spec"), spec),
        **dict.fromkeys(("type_spec", "type_alias"), type_spec),
        **dict.fromkeys(("function_declaration", "method_declaration", "func_literal"), function),
        **dict.fromkeys(("short_var_declaration", "assignment_statement"), assignment),
        "range_clause": range,
        "return_statement": return_,
        "call_expression": call,
        "composite_literal": composite,
        **dict.fromkeys(_STRINGS, expressions.string(_string)),
        **dict.fromkeys(("int_literal", "float_literal"), expressions.number),
        **dict.fromkeys(("true", "false", "nil"), expressions.constant),
        **dict.fromkeys(("identifier", "type_identifier"), expressions.name),
        "selector_expression": expressions.member("operand", "field"),
        "qualified_type": qualified,
        "index_expression": expressions.item("operand", "index"),
        "unary_expression": unary,
        "binary_expression": expressions.operation("+"),
        **dict.fromkeys(
            ("parenthesized_expression", "type_assertion_expression", "type_conversion_expression", "literal_element",
             "generic_type", "variadic_argument", "slice_expression", "pointer_type"),
            expressions.through,
        ),
    }  # fmt: skip


def _option(node: Node) -> str:
    """The name of a functional option: ``WithModel`` of ``openai.WithModel("…")``."""
    if node.type != "call_expression":
        return ""
    function = node.child_by_field_name("function")
    if function is not None and function.type == "selector_expression":
        function = function.child_by_field_name("field")
    name = text(function) if function is not None and function.end_byte - function.start_byte < 80 else ""
    return name if name.startswith("With") and name.isidentifier() else ""


def _values(node: Node | None) -> list[Node]:
    """The expressions of a list, comments left out."""
    if node is None:
        return []
    return [c for c in node.named_children if c.type != "comment"] if node.type == "expression_list" else [node]


def _embedded(node: Node) -> str:
    """The file that the comment above a variable puts into it: ``//go:embed prompt.md``."""
    for each in (node, node.parent):
        above = each.prev_sibling if each is not None else None
        while above is not None and not above.is_named:  # the end of the line
            above = above.prev_sibling
        if above is not None and above.type == "comment" and text(above).startswith("//go:embed "):
            return text(above).removeprefix("//go:embed ").split()[0].strip('"`')
    return ""


def _bare(node: Node | None) -> Node | None:
    """A type without its pointer, parentheses, parameters."""
    for _ in range(20):
        if node is None or node.type not in ("pointer_type", "parenthesized_type", "generic_type"):
            return node
        node = node.child_by_field_name("type") or (node.named_children[0] if node.named_children else None)
    return node


def package_name(path: str) -> str:
    """The name by which a package is used whose import gives none: ``openai`` of ``github.com/openai/openai-go/v3``."""
    parts = [part for part in path.split("/") if not re.fullmatch(r"v\d+", part)] or [path]
    last = re.sub(r"\.v\d+$", "", parts[-1])
    if "-" not in last:
        return last
    words = [word for word in last.split("-") if word not in _NOT_THE_NAME and not re.fullmatch(r"v\d+", word)]
    return "".join(words) or last.replace("-", "")


def _generated(data: bytes) -> str:
    return "it is generated" if _GENERATED.search(data[:4_000]) else ""


GO = define(
    Language(
        name="go",
        title="Go",
        endings=("go",),
        walker=GoWalker,
        grammars={"": tree_sitter_go.language},
        unseen="names built at run time; generated files",
        left_out=_generated,
        imports=re.compile(
            rb'^[ \t]*(?:import[ \t]+(?:\([ \t]*)?)?(?:[\w.]+[ \t]+)?["`](?P<module>[\w./~-]{1,500})["`]'
            rb"|^package[ \t]+(?P<package>\w+)",
            re.MULTILINE,
        ),
    )
)
