"""C#: what its syntax means in the IR.

Attributes are decorators. What stands in braces after ``new X(…)`` are keywords of that call, and so is what a lambda
sets on its one parameter (``AddX(options => options.Model = "…")``). The types between ``<`` and ``>`` of a call are
its keywords ``T``, ``T1``, …; a ``new(…)`` without a type has that of what it is assigned to. A method on its receiver
(``this string text``) says so by a fourth word of its first parameter.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any, ClassVar

import tree_sitter_c_sharp
from tree_sitter import Node

from penstock.discover.code import expressions
from penstock.discover.code.ir import BASES, CLASS, DECORATORS, FUNCTION, KIND, MAX_ITEMS, PARAMS, PARENT, Builder
from penstock.discover.code.language import Language, define
from penstock.discover.code.walker import Table, Walker, first, of_kind, parts, text

_ESCAPES = {
    "\\n": "\n",
    "\\t": "\t",
    '\\"': '"',
    "\\\\": "\\",
    "\\r": "\r",
    "\\'": "'",
    "\\0": "",
    "{{": "{",
    "}}": "}",
}
_PLACE = re.compile(r"\{\{|\}\}|\{\d{1,2}(?:[,:][^{}]*)?\}")  # places of ``string.Format``
_CLASSES = (
    "class_declaration", "interface_declaration", "struct_declaration", "record_declaration", "enum_declaration",
)  # fmt: skip
#: Types that stand for what they hold: ``IOptions<T>``, ``Task<T>``.
_HOLDERS = frozenset(
    {"IOptions", "IOptionsSnapshot", "IOptionsMonitor", "Lazy", "Task", "ValueTask", "Nullable"}
)  # fmt: skip
_NAMED_TYPES = frozenset({"identifier", "generic_name", "qualified_name", "nullable_type", "alias_qualified_name"})
#: Types whose initialiser is a mapping when it has keys, and a list otherwise.
_COLLECTIONS = re.compile(r"(?:\w+\.)*\w*(?:Dictionary|List|Collection|Set|HashSet|Queue|Stack|Array|Map)(?:<|$)")
#: Longest name of a type that is looked at.
_LONG = 300


class CSharpWalker(Walker):
    """The walk over a C# file."""

    reads_environment = ("Environment", "GetEnvironmentVariable")

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.locals: set[tuple[int, str]] = set()
        self.types: dict[tuple[int, str], Node] = {}  # the declared types of fields and of what functions give
        self.set_on: dict[int, tuple[str, dict[str, int]]] = {}  # lambda → its parameter, and the call's keywords
        self.expected: dict[int, Node] = {}  # a ``new(…)`` → the type of what it becomes

    # declarations

    def using(self, node: Node, index: int, scope: int) -> None:
        """``using A.B``, ``using static A.B.C``, ``using X = A.B.C``; ``global`` ones hold for the whole project."""
        alias = node.child_by_field_name("name")
        named = [c for c in node.named_children if c != alias and not c.is_extra]
        if not named:
            return
        path, line = _dotted(named[-1]), self.ir.line(node.start_point[0])
        everywhere = any(c.type == "global" for c in node.children)
        if alias is None:
            self.ir.imports.append([0, "**" if everywhere else "*", path, "*", line])
        else:
            module, _, name = path.rpartition(".")
            self.ir.imports.append([0, text(alias), module or name, name if module else "", line])

    def namespace(self, node: Node, index: int, scope: int) -> None:
        name = _dotted(node.child_by_field_name("name"))
        self.ir.package = self.ir.package or name
        self.descend(node.named_children, scope)

    def class_(self, node: Node, index: int, scope: int) -> None:
        name = text(node.child_by_field_name("name"))
        inner = self.ir.scope(CLASS, name, scope, node.start_point[0], node.end_point[0])
        row = self.ir.scopes[inner]
        row[DECORATORS] = self.attributes(node, scope)
        for child in node.named_children:
            if child.type == "base_list":
                for base in child.named_children:
                    held = first(base) if base.type == "primary_constructor_base_type" else base
                    row[BASES].append(self.want(held, scope))
            elif child.type == "parameter_list":
                self.primary(child, inner)
        if (body := node.child_by_field_name("body")) is not None:
            self.descend(body.named_children, inner)

    def primary(self, node: Node, inner: int) -> None:
        """The parameters of a class or record are its constructor's, and fields."""
        at = node.start_point[0]
        made = self.ir.scope(FUNCTION, "constructor", inner, at, at)
        self.parameters(node, made)
        for name, *_ in self.ir.scopes[made][PARAMS]:
            this = self.ir.add(at, "r", "this", made)
            self.set(this, name, self.ir.add(at, "r", name, made), at, made)

    def attributes(self, node: Node, scope: int) -> list[int]:
        return [
            self.want(mark, scope)
            for held in node.named_children
            if held.type == "attribute_list"
            for mark in held.named_children
            if mark.type == "attribute"
        ]

    def attribute(self, node: Node, index: int, scope: int) -> None:
        callee = self.want(node.child_by_field_name("name"), scope)
        args, names = list[int](), dict[str, int]()
        for child in parts(of_kind(node, "attribute_argument_list")):
            held = parts(child)
            if len(held) > 1:
                names[text(held[0])] = self.want(held[-1], scope)
            elif held and held[0].type == "assignment_expression":
                name = text(held[0].child_by_field_name("left"))
                names[name] = self.want(held[0].child_by_field_name("right"), scope)
            elif held:
                args.append(self.want(held[0], scope))
        if index >= 0:
            self.ir.fill(index, "c", callee, args, names, scope, self.ir.line(node.end_point[0]))

    def variables(self, node: Node, index: int, scope: int) -> None:
        """Fields and local variables: their values, or their type."""
        kind = _plain(node.child_by_field_name("type"))
        inside = self.ir.scopes[scope][KIND] == CLASS
        for declarator in node.named_children:
            if declarator.type != "variable_declarator":
                continue
            name = declarator.child_by_field_name("name") or first(declarator)
            given = [c for c in parts(declarator) if c != name and c.type != "bracketed_argument_list"]
            if name is not None:
                self.declared(text(name), kind, given[-1] if given else None, name.start_point[0], scope, inside=inside)

    def declared(self, name: str, kind: Node | None, given: Node | None, row: int, scope: int, *, inside: bool) -> None:
        if not inside:
            self.locals.add((scope, name))
        elif kind is not None:
            self.types[scope, name] = kind
        if given is not None and kind is not None:
            self.expect(given, kind)
        value = self.want(given, scope)
        if value < 0 and kind is not None and kind.type in _NAMED_TYPES:
            value = self.ir.add(row, "t", self.want(kind, scope))
        self.ir.bind(scope, name, value, row)

    def expect(self, given: Node, kind: Node) -> None:
        if given.type == "implicit_object_creation_expression" and kind.type in _NAMED_TYPES:
            self.expected[given.id] = kind

    def property_(self, node: Node, index: int, scope: int) -> None:
        """A property: its value, what its ``get`` gives, or its type."""
        kind = _plain(node.child_by_field_name("type"))
        name, value, row = (
            text(node.child_by_field_name("name")),
            node.child_by_field_name("value"),
            node.start_point[0],
        )
        if value is not None and value.type == "arrow_expression_clause":
            value = first(value)
        accessors = node.child_by_field_name("accessors")
        for accessor in accessors.named_children if value is None and accessors is not None else ():
            body = accessor.child_by_field_name("body")
            if body is not None and text(accessor.child_by_field_name("name")) == "get":
                inner = self.ir.scope(FUNCTION, "", scope, row, accessor.end_point[0])
                self.body(body, inner)
                given = self.ir.add(row, "c", self.ir.add(row, "x", inner), [], {}, scope, self.ir.line(row))
                self.ir.bind(scope, name, given, row)
                return
            self.descend(accessor.named_children, scope)
        self.declared(name, kind, value, row, scope, inside=True)

    def member_of_enum(self, node: Node, index: int, scope: int) -> None:
        """A member of an enum reads as its name."""
        name = text(node.child_by_field_name("name"))
        self.ir.bind(scope, name, self.literal(name, node.start_point[0]), node.start_point[0])

    def method(self, node: Node, index: int, scope: int) -> None:
        made = node.type == "constructor_declaration"
        name = "constructor" if made else text(node.child_by_field_name("name"))
        inner = self.ir.scope(FUNCTION, name, scope, node.start_point[0], node.end_point[0])
        self.parameters(node.child_by_field_name("parameters"), inner)
        self.ir.scopes[inner][DECORATORS] = self.attributes(node, inner)
        kind = _plain(node.child_by_field_name("returns") or node.child_by_field_name("type"))
        if kind is not None:
            self.types[inner, ""] = kind
        if (chained := of_kind(node, "constructor_initializer")) is not None:
            args, names = self.arguments(of_kind(chained, "argument_list"), inner)
            row = chained.start_point[0]
            if any(c.type == "this" for c in chained.children):  # another constructor of the class
                callee = self.ir.add(
                    row, "r", str(self.ir.scopes[scope][1]), max(0, int(self.ir.scopes[scope][PARENT]))
                )
                self.ir.add(row, "c", callee, args, names, inner, self.ir.line(row))
        if (body := node.child_by_field_name("body")) is not None:
            self.body(body, inner)

    def body(self, body: Node, inner: int) -> None:
        if body.type != "arrow_expression_clause":
            self.stack.append((body, -1, inner))
        elif (value := first(body)) is not None:
            self.given_back(value, inner)

    def given_back(self, value: Node, function: int) -> None:
        kind = self.types.get((function, ""))
        if kind is not None:
            self.expect(value, kind)
        self.returns(function, value)

    def returned(self, node: Node, index: int, scope: int) -> None:
        for value in parts(node):
            self.given_back(value, scope)

    def parameters(self, node: Node | None, inner: int) -> None:
        for child in node.named_children[:100] if node is not None else ():
            if child.type != "parameter":
                continue
            name, kind = child.child_by_field_name("name"), _plain(child.child_by_field_name("type"))
            held = [c for c in parts(child) if c.type not in ("attribute_list", "modifier")]
            default = held[-1] if held and name is not None and held[-1].start_byte > name.end_byte else None
            annotation = self.want(kind, inner) if kind is not None and kind.type in _NAMED_TYPES else -1
            row: list[Any] = [text(name), self.want(default, inner), annotation]
            if any(c.type == "modifier" and c.text == b"this" for c in child.named_children):
                row.append("this")
            self.ir.scopes[inner][PARAMS].append(row)

    def lambda_(self, node: Node, index: int, scope: int) -> None:
        inner = self.ir.scope(FUNCTION, "", scope, node.start_point[0], node.end_point[0])
        given, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
        if given is not None and given.type == "implicit_parameter":
            self.ir.scopes[inner][PARAMS].append([text(given), -1, -1])
        else:
            self.parameters(given, inner)
        params = self.ir.scopes[inner][PARAMS]
        if (names := self.set_on.pop(-node.id, None)) is not None and params:
            self.set_on[inner] = (str(params[0][0]), names[1])
        if body is not None and body.type != "block":
            self.returns(inner, body)
        elif body is not None:
            self.stack.append((body, -1, inner))
        if index >= 0:
            self.ir.fill(index, "x", inner)

    def assignment(self, node: Node, index: int, scope: int) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        row, operator = left.start_point[0], text(node.child_by_field_name("operator"))
        name = text(left) if left.end_byte - left.start_byte < _LONG else ""
        if (kind := self.type_of(name.removeprefix("this."), scope)) is not None:
            self.expect(right, kind)
        value = self.want(right, scope)
        if operator == "+=":
            value = self.ir.add(row, "f", [self.want(left, scope), value])
        if left.type == "identifier":
            if self.local(name, scope):
                self.ir.bind(scope, name, value, row)
            else:  # a field without its ``this``
                self.set(self.ir.add(row, "r", "this", scope), name, value, row, scope)
        elif left.type == "member_access_expression":
            holder, attribute = left.child_by_field_name("expression"), text(left.child_by_field_name("name"))
            given = self.set_on.get(scope)
            if given is not None and holder is not None and holder.type == "identifier" and text(holder) == given[0]:
                given[1].setdefault(attribute, value)
            self.set(self.want(holder, scope), attribute, value, row, scope)
        elif left.type == "tuple_expression" and right.type == "tuple_expression":
            self.descend([left], scope)
        if index >= 0:
            self.ir.fill(index, "*", value)

    def type_of(self, name: str, scope: int) -> Node | None:
        """The declared type of a field, seen from a scope."""
        while scope > 0:
            if (kind := self.types.get((scope, name))) is not None and name:
                return kind
            scope = int(self.ir.scopes[scope][PARENT])
        return None

    def local(self, name: str, scope: int) -> bool:
        """Whether a variable or parameter of a function around has this name."""
        while scope >= 0 and self.ir.scopes[scope][KIND] != CLASS:
            if (scope, name) in self.locals or any(param[0] == name for param in self.ir.scopes[scope][PARAMS]):
                return True
            scope = int(self.ir.scopes[scope][PARENT])
        return scope < 0

    def for_each(self, node: Node, index: int, scope: int) -> None:
        name, value = node.child_by_field_name("left"), node.child_by_field_name("right")
        held = self.want(value, scope)
        if name is not None and name.type == "identifier" and held >= 0:
            self.locals.add((scope, text(name)))
            self.ir.bind(scope, text(name), self.ir.add(name.start_point[0], "e", held), name.start_point[0])
        if (body := node.child_by_field_name("body")) is not None:
            self.stack.append((body, -1, scope))

    def pattern(self, node: Node, index: int, scope: int) -> None:
        """``x is string name``, ``case Type name``: a variable of a type."""
        if (name := node.child_by_field_name("name")) is not None:
            self.locals.add((scope, text(name)))

    # expressions

    def call(self, node: Node, index: int, scope: int) -> None:
        row = node.start_point[0]
        function, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None:
            return
        if function.type == "identifier" and function.text == b"nameof" and given is not None:
            if index >= 0:
                self.ir.text(index, text(given)[1:-1][-_LONG:].rpartition(".")[2].strip())
            return
        if index < 0:
            index = self.ir.reserve(row)
        name = function.child_by_field_name("name") if function.type == "member_access_expression" else function
        if name is not None and name.type == "identifier" and name.text == b"Format" and given is not None:
            nodes = parts(given)
            pattern = first(nodes[0]) if nodes else None
            if pattern is not None and text(function)[-13:].lower() == "string.format":
                rows = [self.want(c, scope) for c in nodes[1:]]
                if pattern.type in ("string_literal", "verbatim_string_literal", "raw_string_literal"):
                    self.template(index, _filled(self, _string(pattern), rows, row), row)
                else:
                    self.ir.fill(index, "f", [self.want(pattern, scope), *rows])
                return
        args, names = self.arguments(given, scope)
        self.type_arguments(name, names, scope)
        callee = self.want(function, scope)
        self.ir.fill(index, "c", callee, args, names, scope, self.ir.line(node.end_point[0]))

    def type_arguments(self, name: Node | None, names: dict[str, int], scope: int) -> None:
        if name is None or name.type not in ("generic_name", "member_binding_expression"):
            return
        for place, kind in enumerate(parts(of_kind(name, "type_argument_list"))[:5]):
            if kind.type in _NAMED_TYPES:
                made = self.ir.add(kind.start_point[0], "t", self.want(_plain(kind), scope))
                names.setdefault(f"T{place or ''}", made)

    def arguments(self, node: Node | None, scope: int) -> tuple[list[int], dict[str, int]]:
        args, names = list[int](), dict[str, int]()
        for child in parts(node):
            if child.type != "argument":
                continue
            held = [c for c in parts(child) if c.type != "modifier"]
            if not held:
                continue
            if held[-1].type == "lambda_expression":
                self.set_on[-held[-1].id] = ("", names)
            value = self.want(held[-1], scope)
            name = child.child_by_field_name("name")
            if name is not None and held[-1] != name:
                names[text(name)] = value
            else:
                args.append(value)
        return args, names

    def construction(self, node: Node, index: int, scope: int) -> None:
        """``new X(…) { A = … }``, and ``new(…)`` of a type that is known from where it goes."""
        if index < 0:
            index = self.ir.reserve(node.start_point[0])
        implicit = node.type == "implicit_object_creation_expression"
        kind = self.expected.pop(node.id, None) if implicit else _plain(node.child_by_field_name("type"))
        filled = node.child_by_field_name("initializer") or of_kind(node, "initializer_expression")
        args, names = self.arguments(of_kind(node, "argument_list"), scope)
        given = parts(filled)
        if filled is not None and (kind is None or _is_collection(kind)) and not args:
            self.initializer(filled, index, scope)
            return
        for child in given:
            if child.type == "assignment_expression":
                left, right = child.child_by_field_name("left"), child.child_by_field_name("right")
                if left is not None and left.type == "identifier" and right is not None:
                    names[text(left)] = self.want(right, scope)
                    continue
            self.descend([child], scope)
        if kind is None:
            fields: list[list[Any]] = [[str(place), row] for place, row in enumerate(args)]
            self.ir.fill(index, "d", [*fields, *([name, row] for name, row in names.items())])
            return
        self.fully(kind, scope)
        callee = self.want(kind, scope)
        self.ir.fill(index, "c", callee, args, names, scope, self.ir.line(node.end_point[0]))

    def fully(self, kind: Node, scope: int) -> None:
        """A type that is named with its namespace needs no ``using``: that counts as an import."""
        if kind.type == "qualified_name":
            module = _dotted(kind).rpartition(".")[0]
            self.ir.imports.append([0, "", module, "", self.ir.line(kind.start_point[0])])

    def initializer(self, node: Node, index: int, scope: int) -> None:
        """``{ A = …, ["key"] = … }``, ``{ { "key", value } }`` or ``{ a, b }``."""
        pairs, items = list[list[Any]](), list[int]()
        for child in parts(node):
            left, right = child.child_by_field_name("left"), child.child_by_field_name("right")
            if child.type == "assignment_expression" and left is not None:
                key = _string(at) if (at := _key(left)) is not None else text(left) if left.type == "identifier" else ""
                if key:
                    pairs.append([key, self.want(right, scope)])
                else:
                    self.descend([child], scope)
            elif child.type == "initializer_expression" and len(held := parts(child)) == 2:
                if held[0].type.endswith("string_literal"):
                    pairs.append([_string(held[0]), self.want(held[1], scope)])
                else:
                    self.descend(held, scope)
            else:
                items.append(self.want(child, scope))
        if index >= 0:
            self.ir.fill(index, *(("d", pairs) if pairs else ("l", items)))

    def anonymous(self, node: Node, index: int, scope: int) -> None:
        """``new { model = "…", id }``"""
        pairs: list[list[Any]] = []
        held = list(node.children)
        for place, child in enumerate(held):
            if not child.is_named or child.is_extra:
                continue
            if place + 1 < len(held) and held[place + 1].type == "=":
                continue
            named = place >= 2 and held[place - 1].type == "="
            pairs.append([text(held[place - 2] if named else child)[:100], self.want(child, scope)])
        if index >= 0:
            self.ir.fill(index, "d", pairs)

    def array(self, node: Node, index: int, scope: int) -> None:
        filled = of_kind(node, "initializer_expression")
        rows = [self.want(c, scope) for c in parts(filled)]
        if index >= 0:
            self.ir.fill(index, "l", rows)

    def collection(self, node: Node, index: int, scope: int) -> None:
        """``[a, ..more]``"""
        rows = []
        for child in parts(node):
            held = first(child) if child.type == "collection_element" else child
            value = self.want(first(held) if held is not None else None, scope)
            if held is not None and held.type == "spread_element" and value >= 0:
                value = self.ir.add(child.start_point[0], "*", value)
            if value >= 0:
                rows.append(value)
        if index >= 0:
            self.ir.fill(index, "l", rows[:MAX_ITEMS])

    def string_(self, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            self.ir.text(index, _string(node))

    def interpolated(self, node: Node, index: int, scope: int) -> None:
        joined: list[int | str] = []
        raw = text(node)[:12].lstrip("$@").startswith('"""') if node.end_byte - node.start_byte > 6 else False
        for child in node.named_children:
            if child.type == "interpolation":
                held = [c for c in child.named_children if c.type not in ("interpolation_brace",)]
                value = self.want(held[0] if held else None, scope)
                joined.append(value if value >= 0 else self.ir.reserve(child.start_point[0]))
            elif child.type in ("string_content", "escape_sequence"):
                piece = text(child)
                joined.append(piece if raw else _ESCAPES.get(piece, piece.replace("{{", "{").replace("}}", "}")))
        if index >= 0:
            self.template(index, _dedented(joined) if raw else joined or [""], node.start_point[0])

    def generic(self, node: Node, index: int, scope: int) -> None:
        """``Name<T>`` is known by its name."""
        if index >= 0 and (name := first(node)) is not None:
            self.ir.fill(index, "r", text(name), scope)

    def access(self, node: Node, index: int, scope: int) -> None:
        """``base.name`` and ``base.name<T>``"""
        row = self.want(node.child_by_field_name("expression"), scope)
        if index >= 0:
            name = node.child_by_field_name("name")
            self.ir.fill(
                index, "a", row, text(first(name) if name is not None and name.type == "generic_name" else name)
            )

    def conditional(self, node: Node, index: int, scope: int) -> None:
        """``base?.name`` and ``base?["key"]``"""
        held = parts(node)
        if len(held) < 2:
            return
        base, bound = self.want(held[0], scope), held[-1]
        while bound.type in ("member_access_expression", "invocation_expression", "element_access_expression"):
            below = bound.child_by_field_name("expression") or bound.child_by_field_name("function")
            if below is None:
                break
            bound = below  # what stands behind is rare, and its first step says enough
        if index < 0:
            return
        if bound.type == "member_binding_expression":
            name = first(bound)
            self.ir.fill(
                index, "a", base, text(first(name) if name is not None and name.type == "generic_name" else name)
            )
        elif bound.type == "element_binding_expression" and (key := _key(bound)) is not None:
            self.ir.fill(index, "i", base, self.want(key, scope))
        else:
            self.ir.fill(index, "*", base)

    def qualified(self, node: Node, index: int, scope: int) -> None:
        """``A.B.C`` as a type."""
        if index >= 0:
            names = _dotted(node).split(".")[:20]
            row = node.start_point[0]
            at = self.ir.add(row, "r", names[0], scope)
            for name in names[1:-1]:
                at = self.ir.add(row, "a", at, name)
            self.ir.fill(index, *(("a", at, names[-1]) if len(names) > 1 else ("*", at)))

    def element(self, node: Node, index: int, scope: int) -> None:
        """``base[key]``"""
        subscript = node.child_by_field_name("subscript")
        held = first(first(subscript))
        rows = self.want(node.child_by_field_name("expression"), scope), self.want(held, scope)
        if index >= 0:
            self.ir.fill(index, "i", *rows)

    def switch(self, node: Node, index: int, scope: int) -> None:
        """``x switch { … => value }`` gives one of its arms."""
        held = parts(node)
        self.descend(held[:1], scope)
        rows = [self.want(arm[-1], scope) for each in held[1:] if (arm := parts(each))]
        if index >= 0:
            self.ir.fill(index, "o", rows)

    def converted(self, node: Node, index: int, scope: int) -> None:
        """``(X)value``, ``value as X``, ``value!``, ``await value``: the value itself."""
        value = node.child_by_field_name("value") or node.child_by_field_name("left") or first(node)
        if value is not None:
            self.stack.append((value, index, scope))

    table: ClassVar[Table] = {
        **dict.fromkeys(("comment", "modifier", "type_parameter_list", "preproc_region", "preproc_endregion"),
                        expressions.skip),
        "using_directive": using,
        **dict.fromkeys(("namespace_declaration", "file_scoped_namespace_declaration"), namespace),
        **dict.fromkeys(_CLASSES, class_),
        "attribute": attribute,
        "variable_declaration": variables,
        "property_declaration": property_,
        "enum_member_declaration": member_of_enum,
        **dict.fromkeys(("method_declaration", "constructor_declaration", "local_function_statement"), method),
        **dict.fromkeys(("lambda_expression", "anonymous_method_expression"), lambda_),
        **dict.fromkeys(("return_statement", "yield_statement"), returned),
        "assignment_expression": assignment,
        "foreach_statement": for_each,
        "declaration_pattern": pattern,
        "invocation_expression": call,
        **dict.fromkeys(("object_creation_expression", "implicit_object_creation_expression"), construction),
        "initializer_expression": initializer,
        "anonymous_object_creation_expression": anonymous,
        **dict.fromkeys(("array_creation_expression", "implicit_array_creation_expression"), array),
        "collection_expression": collection,
        **dict.fromkeys(("string_literal", "verbatim_string_literal", "raw_string_literal"), string_),
        "interpolated_string_expression": interpolated,
        **dict.fromkeys(("integer_literal", "real_literal"), expressions.number),
        **dict.fromkeys(("boolean_literal", "null_literal"), expressions.constant),
        **dict.fromkeys(("identifier", "this"), expressions.name),
        "generic_name": generic,
        "member_access_expression": access,
        "conditional_access_expression": conditional,
        **dict.fromkeys(("qualified_name", "alias_qualified_name"), qualified),
        "element_access_expression": element,
        "binary_expression": expressions.operation("+", ("??",)),
        "conditional_expression": expressions.choice,
        "switch_expression": switch,
        "typeof_expression": converted,
        **dict.fromkeys(("cast_expression", "as_expression", "postfix_unary_expression", "await_expression",
                         "parenthesized_expression", "argument", "ref_expression", "checked_expression"), converted),
    }  # fmt: skip


def _dotted(node: Node | None) -> str:
    """``A.B.C`` of a name, without what is between ``<`` and ``>``."""
    return re.sub(r"<.*>|\s|\bglobal::", "", text(node)[:_LONG], flags=re.DOTALL) if node is not None else ""


def _plain(kind: Node | None) -> Node | None:
    """The type itself of ``X?``, ``IOptions<X>``, ``Task<X>``; None for ``var``."""
    for _ in range(5):
        if kind is None or kind.type == "implicit_type":
            return None
        if kind.type == "nullable_type":
            kind = kind.child_by_field_name("type") or first(kind)
        elif kind.type == "generic_name" and text(first(kind)) in _HOLDERS:
            kind = first(of_kind(kind, "type_argument_list"))
        else:
            return kind
    return kind


def _is_collection(kind: Node) -> bool:
    return _COLLECTIONS.match(text(kind)[:_LONG]) is not None


def _key(node: Node) -> Node | None:
    """The text between the brackets of ``["key"] = …``."""
    if node.type not in ("element_binding_expression", "element_access_expression"):
        return None
    held = first(node)
    while held is not None and held.type in ("argument", "bracketed_argument_list"):
        held = first(held)
    return held if held is not None and held.type.endswith("string_literal") else None


def _string(node: Node) -> str:
    """The content of a string literal."""
    if node.type == "verbatim_string_literal":
        return text(node)[2:-1].replace('""', '"')
    if node.type == "raw_string_literal":
        content = text(of_kind(node, "raw_string_content"))
        return textwrap.dedent(content.strip("\r\n").rstrip(" \t").rstrip("\n")) if "\n" in content else content
    return "".join(_ESCAPES.get(piece := text(child), piece) for child in node.named_children)


def _dedented(joined: list[int | str]) -> list[int | str]:
    """A raw text with values in it, without the spaces that only indent it."""
    lines = [line for part in joined if isinstance(part, str) for line in part.split("\n")[1:]]
    spaces = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    found = [part.replace("\n" + " " * spaces, "\n") if isinstance(part, str) else part for part in joined]
    if found and isinstance(found[0], str):
        found[0] = found[0].lstrip("\r\n")
    if found and isinstance(found[-1], str):
        found[-1] = found[-1].rstrip()
    return found or [""]


def _filled(walk: Walker, pattern: str, values: list[int], row: int) -> list[int | str]:
    """``string.Format("…{0}…", value)`` as texts and rows in turn."""
    found, last = list[int | str](), 0
    for place in _PLACE.finditer(pattern):
        found.append(pattern[last : place.start()])
        last = place.end()
        if place[0] in ("{{", "}}"):
            found.append(place[0][0])
        else:
            number = int(re.findall(r"\d+", place[0])[0])
            found.append(values[number] if number < len(values) else walk.ir.reserve(row))
    return [*found, pattern[last:]]


CSHARP = define(
    Language(
        name="csharp",
        title="C#",
        endings=("cs", "csx"),
        walker=CSharpWalker,
        grammars={"": tree_sitter_c_sharp.language},
        imports=re.compile(
            rb"\b(?:using[ \t]+(?:static[ \t]+)?(?:\w+[ \t]*=[ \t]*)?|new[ \t]+(?=\w+\.))(?P<module>[\w.]+)"
            rb"|\bnamespace[ \t]+(?P<package>[\w.]+)"
        ),
        unseen="names built at run time; services that a container wires by reflection",
    )
)
