"""Go source to IR: one iterative walk per file.

A struct is a class: its fields are bound in its scope, embedded types are its bases, and methods stand in it, in a
partial class where the type itself is declared in another file of the package. A composite literal is a call of its
type with its fields as keywords; options such as ``WithModel("…")`` among the arguments of a call are keywords too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import tree_sitter_go
from tree_sitter import Language, Node, Parser

from penstock.discover.code.ir import BASES, CLASS, FUNCTION, MAX_ITEMS, PARAMS, RETURNS, Builder, utf8
from penstock.discover.code.parse import parse
from penstock.discover.code.python import first_error
from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.graph.vocabulary import Unseen

_PARSER = Parser(Language(tree_sitter_go.language()))

#: The parts of an import path's last word that are no part of the package's name (``anthropic-sdk-go``).
_NOT_THE_NAME = frozenset({"go", "golang", "sdk", "client", "api"})
_GENERATED = re.compile(rb"^// Code generated .* DO NOT EDIT\.$", re.MULTILINE)  # the form that `go generate` defines
_VERB = re.compile(r"%(?:%|[-+# 0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:\[\d+\])?[a-zA-Z])")  # verbs of package fmt
_ENV_TAG = re.compile(r'\b(?:env|envconfig):"([A-Za-z_]\w*)')
_DEFAULT_TAG = re.compile(r'\b(?:envDefault|default|env-default):"([^"]{1,300})"')
_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\", "\\r": "\r", "\\'": "'"}


@collector(
    "code.go",
    reads="*.go",
    sees="imports, constants, structs, functions, calls and values of Go files",
    unseen="names built at run time; generated files",
)
def go_file(file: File) -> Iterator[Yielded]:
    """The IR of one Go file."""
    if _GENERATED.search(file.data[:4_000]):
        yield Unseen(
            file.path, "Go code", "it is generated", "Scan what it is made from", "code.go", file.scope, skipped=True
        )
        return
    value, broken = read(file.data)
    value["broken"] = broken
    if broken:
        yield Unseen(file.at(broken), "Go code", "a part does not parse", collector="code.go", scope=file.scope)
    yield Fact("code", file.path, value)


@collector(
    "code.go-module",
    reads="go.mod",
    sees="the path under which the packages of a Go module are imported",
    unseen="replaced modules",
)
def go_module(file: File) -> Iterator[Yielded]:
    """The module path of a ``go.mod``, as a module without any code."""
    if found := re.search(r"^module\s+\"?([\w./~-]+)", file.text, re.MULTILINE):
        builder = Builder("go.mod")
        builder.package = found[1]
        yield Fact("code", file.path, builder.value())


def read(data: bytes) -> tuple[dict[str, Any], int]:
    """IR of Go source, and the first line that does not parse (0: all does)."""
    tree = parse(_PARSER, utf8(data))
    builder = Builder("go")
    _Walk(builder).run(tree.root_node)
    return builder.value(), first_error(tree.root_node, builder) if tree.root_node.has_error else 0


def package_name(path: str) -> str:
    """The name by which a package is used whose import gives none: ``openai`` of ``github.com/openai/openai-go/v3``."""
    parts = [part for part in path.split("/") if not re.fullmatch(r"v\d+", part)] or [path]
    last = re.sub(r"\.v\d+$", "", parts[-1])
    if "-" not in last:
        return last
    words = [word for word in last.split("-") if word not in _NOT_THE_NAME and not re.fullmatch(r"v\d+", word)]
    return "".join(words) or last.replace("-", "")


def _text(node: Node | None) -> str:
    return node.text.decode("utf-8", "replace") if node is not None and node.text is not None else ""


def _string(node: Node) -> str:
    """The content of a string literal."""
    return "".join(
        _ESCAPES.get(_text(c), _text(c)) if c.type == "escape_sequence" else _text(c) for c in node.named_children
    )


def _values(node: Node | None) -> list[Node]:
    """The expressions of a list, comments left out."""
    if node is None:
        return []
    return [c for c in node.named_children if c.type != "comment"] if node.type == "expression_list" else [node]


def _bare(node: Node | None) -> Node | None:
    """A type without its pointer, parentheses, parameters."""
    for _ in range(20):
        if node is None or node.type not in ("pointer_type", "parenthesized_type", "generic_type"):
            return node
        node = node.child_by_field_name("type") or (node.named_children[0] if node.named_children else None)
    return node


class _Walk:
    """The walk's stack. An entry is (node, row to fill or -1, scope); nothing calls itself."""

    def __init__(self, builder: Builder) -> None:
        self.ir = builder
        self.stack: list[tuple[Node, int, int]] = []
        self.types: dict[str, int] = {}

    def run(self, root: Node) -> None:
        self.declare(root)
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

    def declare(self, root: Node) -> None:
        """The struct types of the file, before the methods that may stand above them."""
        for declaration in root.named_children:
            if declaration.type == "type_declaration":
                for spec in declaration.named_children:
                    kind = spec.child_by_field_name("type")
                    if kind is not None and kind.type in ("struct_type", "interface_type"):
                        name = _text(spec.child_by_field_name("name"))
                        self.types[name] = self.ir.scope(CLASS, name, 0, spec.start_point[0], spec.end_point[0])

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
        """Comments, types and other things that hold no value."""

    def through(self, node: Node, index: int, scope: int) -> None:
        """Brackets, ``&x``, ``*x``, ``x.(T)``: the value itself."""
        children = [c for c in node.named_children if c.type != "comment"]
        if children:
            self.stack.append((children[0], index, scope))

    # declarations

    def package(self, node: Node, index: int, scope: int) -> None:
        self.ir.package = _text(node.named_children[0]) if node.named_children else ""

    def import_(self, node: Node, index: int, scope: int) -> None:
        given = node.child_by_field_name("path")
        path = _string(given) if given is not None else ""
        name = _text(node.child_by_field_name("name"))
        if path:
            alias = "" if name == "_" else "*" if name == "." else name or package_name(path)
            self.ir.imports.append([0, alias, path, "*" if alias == "*" else "", self.ir.line(node.start_point[0])])

    def spec(self, node: Node, index: int, scope: int) -> None:
        """``const`` and ``var``: names with values, or with a type alone."""
        names = node.children_by_field_name("name")
        values = _values(node.child_by_field_name("value"))
        kind = node.child_by_field_name("type")
        self.bind_all([n for n in names if n.is_named], values, scope)
        if not values and kind is not None:
            for name in names:
                if name.is_named:
                    self.ir.bind(scope, _text(name), self.zero(kind, scope), name.start_point[0])

    def zero(self, kind: Node, scope: int) -> int:
        """The zero value of a named type is made like a composite literal without fields."""
        named = _bare(kind)
        if named is None or named.type not in ("type_identifier", "qualified_type"):
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
                self.ir.bind(scope, _text(target), self.ir.reserve(target.start_point[0]), target.start_point[0])

    def assign(self, target: Node, value: int, scope: int) -> None:
        row = target.start_point[0]
        if target.type == "identifier":
            if _text(target) != "_":
                self.ir.bind(scope, _text(target), value, row)
        elif target.type == "selector_expression":
            base = self.want(target.child_by_field_name("operand"), scope)
            self.ir.sets.append([scope, base, _text(target.child_by_field_name("field")), value, self.ir.line(row)])
        elif target.type == "index_expression":
            key = target.child_by_field_name("index")
            if key is not None and key.type in ("interpreted_string_literal", "raw_string_literal"):
                base = self.want(target.child_by_field_name("operand"), scope)
                self.ir.sets.append([scope, base, _string(key), value, self.ir.line(row)])

    def assignment(self, node: Node, index: int, scope: int) -> None:
        left, right = _values(node.child_by_field_name("left")), _values(node.child_by_field_name("right"))
        operator = _text(node.child_by_field_name("operator"))
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
        name, kind = _text(node.child_by_field_name("name")), node.child_by_field_name("type")
        if kind is None:
            return
        if kind.type in ("struct_type", "interface_type"):
            inner = self.types.get(name, -1) if scope == 0 else -1
            if inner < 0:
                inner = self.ir.scope(CLASS, name, scope, node.start_point[0], node.end_point[0])
            self.fields(kind, inner, scope)
        elif node.type == "type_alias":
            self.ir.bind(scope, name, self.want(_bare(kind), scope), node.start_point[0])
        elif kind.type in ("type_identifier", "qualified_type"):  # T(x) is x in another type
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
                plain = named is not None and named.type in ("type_identifier", "qualified_type")
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
                    self.ir.bind(inner, _text(name), given, row)

    def tagged(self, field: Node, scope: int) -> int:
        """The value of a field whose tag names the environment it is read from."""
        tag = field.child_by_field_name("tag")
        text = _string(tag) if tag is not None else ""
        name, default = _ENV_TAG.search(text), _DEFAULT_TAG.search(text)
        if tag is None or not name:
            return -1
        row = tag.start_point[0]
        callee = self.ir.add(row, "a", self.ir.add(row, "r", "os", 0), "Getenv")
        rows = [self.ir.add(row, "c", callee, [self.literal(name[1], row)], {}, scope, self.ir.line(row))]
        if default:
            rows.append(self.literal(default[1], row))
        return self.ir.add(row, "o", rows)

    def literal(self, text: str, row: int) -> int:
        index = self.ir.reserve(row)
        self.ir.text(index, text)
        return index

    def function(self, node: Node, index: int, scope: int) -> None:
        parent, receiver = 0 if node.type != "func_literal" else scope, node.child_by_field_name("receiver")
        own = ""
        if receiver is not None and receiver.named_children:
            given = receiver.named_children[0]
            kind = _text(_bare(given.child_by_field_name("type")))
            if kind not in self.types:
                self.types[kind] = self.ir.scope(CLASS, kind, 0, node.start_point[0], node.end_point[0])
            parent, own = self.types[kind], _text(given.child_by_field_name("name"))
        name = _text(node.child_by_field_name("name"))
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
            plain = kind is not None and kind.type in ("type_identifier", "qualified_type")
            names = [n for n in child.children_by_field_name("name") if n.is_named]
            for name in names or (None,):
                annotation = self.want(kind, inner) if plain and child.type == "parameter_declaration" else -1
                row[PARAMS].append([_text(name), -1, annotation])

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
        nodes = [c for c in (given.named_children if given is not None else ())[:MAX_ITEMS] if c.type != "comment"]
        name = _text(function) if function is not None and function.end_byte - function.start_byte < 80 else ""
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
                row = self.want(child.named_children[0] if child.named_children else None, scope)
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
        if name != "fmt.Sprintf":
            self.ir.fill(index, "f", rows)
            return
        if nodes[0].type not in ("interpreted_string_literal", "raw_string_literal"):
            self.ir.fill(index, "f", [rows[0], *rows[1:]])
            return
        text, parts, last = _string(nodes[0]), [], 0
        left = rows[1:]
        plain = ""
        for verb in _VERB.finditer(text):
            plain += text[last : verb.start()]
            last = verb.end()
            if verb[0] == "%%":
                plain += "%"
                continue
            if plain:
                parts.append(self.literal(plain, nodes[0].start_point[0]))
                plain = ""
            parts.append(left.pop(0) if left else self.ir.reserve(nodes[0].start_point[0]))
        plain += text[last:]
        if plain:
            parts.append(self.literal(plain, nodes[0].start_point[0]))
        self.ir.fill(index, "f", parts)

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
                    literal = name.type in ("interpreted_string_literal", "raw_string_literal")
                    key = _string(name) if literal else _text(name)[:200]
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
            elif named is not None and named.type in ("type_identifier", "qualified_type"):
                end = self.ir.line(body.end_point[0]) if body is not None else 0
                names = {str(key): row for key, row in keyed}
                self.ir.fill(index, "c", self.want(named, scope), items, names, scope, end)
            else:
                self.ir.fill(index, "d", keyed) if keyed or not items else self.ir.fill(index, "l", items)

    def string(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            self.ir.text(index, _string(node))

    def number(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            try:
                text = _text(node)[:18].replace("_", "")
                self.ir.fill(index, "n", float(text) if "." in text else int(text, 0))
            except ValueError:
                pass

    def constant(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            self.ir.fill(index, *(("0",) if node.type == "nil" else ("b", node.type == "true")))

    def name(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            self.ir.fill(index, "r", _text(node), scope)

    def selector(self, node: Node, index: int, scope: int) -> None:
        base = self.want(node.child_by_field_name("operand"), scope)
        if index >= 0:
            self.ir.fill(index, "a", base, _text(node.child_by_field_name("field")))

    def qualified(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            base = self.ir.add(node.start_point[0], "r", _text(node.child_by_field_name("package")), scope)
            self.ir.fill(index, "a", base, _text(node.child_by_field_name("name")))

    def subscript(self, node: Node, index: int, scope: int) -> None:
        base = self.want(node.child_by_field_name("operand"), scope)
        key = self.want(node.child_by_field_name("index"), scope)
        if index >= 0:
            self.ir.fill(index, "i", base, key)

    def unary(self, node: Node, index: int, scope: int) -> None:
        operand = node.child_by_field_name("operand")
        if operand is not None:
            self.stack.append((operand, index if _text(node.child_by_field_name("operator")) in "&*" else -1, scope))

    def binary(self, node: Node, index: int, scope: int) -> None:
        left = self.want(node.child_by_field_name("left"), scope)
        right = self.want(node.child_by_field_name("right"), scope)
        if index >= 0 and _text(node.child_by_field_name("operator")) == "+":
            self.ir.fill(index, "f", [left, right])


def _option(node: Node) -> str:
    """The name of a functional option: ``WithModel`` of ``openai.WithModel("…")``."""
    if node.type != "call_expression":
        return ""
    function = node.child_by_field_name("function")
    if function is not None and function.type == "selector_expression":
        function = function.child_by_field_name("field")
    name = _text(function) if function is not None and function.end_byte - function.start_byte < 80 else ""
    return name if name.startswith("With") and name.isidentifier() else ""


_HANDLERS: dict[str, Any] = {
    "comment": _Walk.skip,
    "package_clause": _Walk.package,
    "import_spec": _Walk.import_,
    "const_spec": _Walk.spec,
    "var_spec": _Walk.spec,
    "type_spec": _Walk.type_spec,
    "type_alias": _Walk.type_spec,
    "function_declaration": _Walk.function,
    "method_declaration": _Walk.function,
    "func_literal": _Walk.function,
    "short_var_declaration": _Walk.assignment,
    "assignment_statement": _Walk.assignment,
    "range_clause": _Walk.range,
    "return_statement": _Walk.return_,
    "call_expression": _Walk.call,
    "composite_literal": _Walk.composite,
    "interpreted_string_literal": _Walk.string,
    "raw_string_literal": _Walk.string,
    "int_literal": _Walk.number,
    "float_literal": _Walk.number,
    "true": _Walk.constant,
    "false": _Walk.constant,
    "nil": _Walk.constant,
    "identifier": _Walk.name,
    "type_identifier": _Walk.name,
    "selector_expression": _Walk.selector,
    "qualified_type": _Walk.qualified,
    "index_expression": _Walk.subscript,
    "unary_expression": _Walk.unary,
    "binary_expression": _Walk.binary,
    "parenthesized_expression": _Walk.through,
    "type_assertion_expression": _Walk.through,
    "type_conversion_expression": _Walk.through,
    "literal_element": _Walk.through,
    "generic_type": _Walk.through,
    "variadic_argument": _Walk.through,
    "slice_expression": _Walk.through,
    "interface_type": _Walk.skip,
    "slice_type": _Walk.skip,
    "map_type": _Walk.skip,
    "pointer_type": _Walk.through,
    "function_type": _Walk.skip,
    "channel_type": _Walk.skip,
}
