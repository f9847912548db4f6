"""Kotlin: what its syntax means in the IR.

Annotations are decorators. In a chain of calls the first one also holds the arguments of those that follow it, by
their names, as in Java. What the lambda behind a call sets or calls without saying on what are keywords of that call
(``request { model = "…" }``, ``prompt("…") { system("…") }``), and the lambda itself is its keyword ``lambda``; that of
``apply`` speaks of what it is applied to. The types between ``<`` and ``>`` of a call are ``T``, ``T1``, …; a function
on its receiver has that as its first parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import tree_sitter_kotlin
from tree_sitter import Node

from penstock.discover.code import expressions
from penstock.discover.code.ir import (
    BASES,
    CLASS,
    DECORATORS,
    FUNCTION,
    KIND,
    MAX_ITEMS,
    NAME,
    PARAMS,
    PARENT,
    RETURNS,
    Builder,
)
from penstock.discover.code.language import Language, define
from penstock.discover.code.walker import Table, Walker, first, of_kind, parts, text

#: Calls of one chain whose arguments the first one holds; the longest builders of SDKs have about 40 setters.
MAX_CHAIN = 100
#: Longer than any expression that reads a setting (characters).
LONGEST_READ = 300
#: A setting that is read by its name; where nothing says ``config``, a name with a dot in it.
_READ = re.compile(
    r"(?i)(?:conf(?:ig)?(?:Factory\.load\(\))?\.(?:property|propertyOrNull|getString)|\.propertyOrNull|\.property)"
    r"\(\s*\"(?P<key>[\w-]+(?:\.[\w-]+)+)\"\s*\)"
)
_ESCAPES = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\", "\\r": "\r", "\\'": "'", "\\$": "$", "\\b": ""}
_NAME = re.compile(r"\$([A-Za-z_]\w{0,99})")  # a value in a text: ``"claude-$size"``
_PLACE = re.compile(r"\$\{([A-Za-z_][\w.-]{0,199})(?::([^${}]{0,1000}))?\}")  # Spring's placeholder
_LISTS = frozenset({"listOf", "mutableListOf", "arrayListOf", "setOf", "mutableSetOf", "arrayOf", "listOfNotNull",
                    "sequenceOf"})  # fmt: skip
_MAPS = frozenset({"mapOf", "mutableMapOf", "hashMapOf", "linkedMapOf"})
_TYPES = frozenset({"user_type", "nullable_type"})
_STRINGS = frozenset({"string_literal", "multiline_string_literal"})
#: Statements: what stands last in a block and is one of these is not the block's value.
_STATEMENTS = frozenset({"property_declaration", "assignment", "for_statement", "while_statement", "do_while_statement",
                         "function_declaration", "class_declaration", "object_declaration"})  # fmt: skip
#: Parts of a property that are not its value.
_NO_VALUES = frozenset({"getter", "setter", "property_delegate", "type_parameters", "multi_variable_declaration",
                        *_TYPES})  # fmt: skip
#: A class on one line: the grammar wants something between its last member and the brace.
_ONE_LINE = re.compile(
    rb"^([^\n\"]*\b(?:class|interface|object)\b[^\n{]*\{[^\n]*[^\s{};,])[ \t]((?:[ \t]*\})+)(?=[ \t]*\r?$)",
    re.MULTILINE,
)


def one_line_classes(data: bytes) -> bytes:
    """The source with a semicolon before the brace that ends a class on its own line."""
    if b"class" not in data and b"object" not in data and b"interface" not in data:
        return data
    pieces = data.split(b'"""')
    pieces[::2] = [_ONE_LINE.sub(lambda m: m[1] + b";" + m[2].replace(b" }", b";}"), piece) for piece in pieces[::2]]
    return b'"""'.join(pieces)


class Call(NamedTuple):
    """The parts of a call."""

    callee: Node | None
    types: Node | None
    given: Node | None
    lambda_: Node | None


class KotlinWalker(Walker):
    """The walk over a Kotlin file."""

    reads_environment = ("System", "getenv")

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.locals: set[tuple[int, str]] = set()
        self.receives: dict[int, dict[str, int]] = {}  # lambda, its node negated, then its scope → the call's keywords
        self.applied: dict[int, int] = {}  # the same of ``x.apply { … }`` → the row of x

    # declarations

    def package(self, node: Node, index: int, scope: int) -> None:
        self.ir.package = _dotted(first(node))

    def import_(self, node: Node, index: int, scope: int) -> None:
        names = parts(node)
        if not names:
            return
        path, line = _dotted(names[0]), self.ir.line(node.start_point[0])
        if any(c.type == "*" for c in node.children):
            self.ir.imports.append([0, "*", path, "*", line])
            return
        module, _, name = path.rpartition(".")
        self.ir.imports.append([0, text(names[1]) if len(names) > 1 else name, module, name, line])

    def class_(self, node: Node, index: int, scope: int) -> None:
        name = text(node.child_by_field_name("name"))
        inner = self.ir.scope(CLASS, name, scope, node.start_point[0], node.end_point[0])
        row = self.ir.scopes[inner]
        row[DECORATORS] = self.annotations(of_kind(node, "modifiers"), scope)
        if (made := of_kind(of_kind(node, "primary_constructor"), "class_parameters")) is not None:
            self.primary(made, inner)
        self.bases(node, inner, scope)
        for child in node.named_children:
            if child.type in ("class_body", "enum_class_body"):
                self.descend(child.named_children, inner)

    def bases(self, node: Node, inner: int, scope: int) -> None:
        """What a class extends; the call of its constructor is a call of its own."""
        for base in parts(of_kind(node, "delegation_specifiers")):
            given = first(base)
            if given is None:
                continue
            if given.type == "constructor_invocation":
                self.ir.scopes[inner][BASES].append(self.want(first(given), scope))
                self.want(given, inner)
            elif given.type in _TYPES:
                self.ir.scopes[inner][BASES].append(self.want(given, scope))

    def primary(self, node: Node, inner: int) -> None:
        """The parameters of a class are its constructor's, and fields."""
        at = node.start_point[0]
        made = self.ir.scope(FUNCTION, "constructor", inner, at, at)
        for child in parts(node)[:100]:
            held = [c for c in parts(child) if c.type != "modifiers"]
            name = text(held[0]) if held else ""
            kind = next((c for c in held[1:] if c.type in _TYPES), None)
            default = held[-1] if len(held) > 1 and held[-1] is not kind else None
            value = self.want(default, made)
            if value < 0:
                value = self.injected(of_kind(child, "modifiers"), made)
            self.ir.scopes[made][PARAMS].append([name, value, self.want(_plain(kind), made)])
            this = self.ir.add(at, "r", "this", made)
            self.set(this, name, self.ir.add(at, "r", name, made), at, made)

    def object_(self, node: Node, index: int, scope: int) -> None:
        """``object : X() { … }``"""
        inner = self.ir.scope(CLASS, "", scope, node.start_point[0], node.end_point[0])
        self.bases(node, inner, scope)
        self.descend(parts(of_kind(node, "class_body")), inner)
        if index >= 0:
            self.ir.fill(index, "x", inner)

    def companion(self, node: Node, index: int, scope: int) -> None:
        """Members of a companion are the class's own."""
        self.descend(parts(of_kind(node, "class_body")), scope)

    def entry(self, node: Node, index: int, scope: int) -> None:
        """An entry of an enum is made by the enum's constructor."""
        row = node.start_point[0]
        args, names = self.arguments(of_kind(node, "value_arguments"), scope)
        callee = self.ir.add(row, "r", str(self.ir.scopes[scope][NAME]), max(0, int(self.ir.scopes[scope][PARENT])))
        made = self.ir.add(row, "c", callee, args, names, scope, self.ir.line(row))
        self.ir.bind(scope, text(first(node)), made, row)

    def annotations(self, modifiers: Node | None, scope: int) -> list[int]:
        return [self.want(mark, scope) for mark in parts(modifiers) if mark.type == "annotation"]

    def annotation(self, node: Node, index: int, scope: int) -> None:
        held = [c for c in parts(node) if c.type in ("constructor_invocation", "user_type")]
        if held:
            self.stack.append((held[-1], index, scope))

    def constructed(self, node: Node, index: int, scope: int) -> None:
        """``@Tool("…")``, ``: Base("…")``"""
        callee = self.want(first(node), scope)
        args, names = self.arguments(of_kind(node, "value_arguments"), scope)
        if index >= 0:
            self.ir.fill(index, "c", callee, args, names, scope, self.ir.line(node.end_point[0]))

    def injected(self, modifiers: Node | None, scope: int) -> int:
        """The value of ``@Value("\\${name:default}")``: the environment's, or the default."""
        for mark in parts(modifiers):
            made = of_kind(mark, "constructor_invocation") if mark.type == "annotation" else None
            if made is None or text(first(made)) not in ("Value", "ConfigProperty"):
                continue
            strings: dict[str, str] = {}
            for argument in parts(of_kind(made, "value_arguments")):
                held = parts(argument)
                if held and held[-1].type in _STRINGS:
                    strings[text(held[0]) if len(held) > 1 else "value"] = "".join(
                        piece for piece in _pieces(held[-1]) if isinstance(piece, str)
                    )
            row = mark.start_point[0]
            if place := _PLACE.fullmatch(strings.get("value", "")):
                return self.environment(place[1], place[2], row, scope)
            if name := strings.get("name"):
                return self.environment(name, strings.get("defaultValue"), row, scope)
        return -1

    def property_(self, node: Node, index: int, scope: int) -> None:
        """``val x: X = …``, ``val x by lazy { … }``, ``val x get() = …``"""
        at = node.start_point[0]
        named = of_kind(node, "variable_declaration")
        held = [c for c in parts(node) if c.type not in ("modifiers", "variable_declaration", "type_constraints")]
        getter = next((c for c in held if c.type in ("getter", "setter")), None)
        delegate = next((c for c in held if c.type == "property_delegate"), None)
        given = next((c for c in reversed(held) if c.type not in _NO_VALUES), None)
        if named is None:
            self.descend(held, scope)
            return
        name, kind = text(first(named)), next((c for c in parts(named) if c.type in _TYPES), None)
        if self.ir.scopes[scope][KIND] != CLASS:
            self.locals.add((scope, name))
        value = self.want(given, scope)
        if value < 0 and delegate is not None:
            value = self.delegated(delegate, scope)
        if value < 0 and getter is not None and getter.type == "getter":
            inner = self.ir.scope(FUNCTION, "", scope, at, getter.end_point[0])
            self.body(of_kind(getter, "function_body"), inner)
            value = self.ir.add(at, "c", self.ir.add(at, "x", inner), [], {}, scope, self.ir.line(at))
        if value < 0:
            value = self.injected(of_kind(node, "modifiers"), scope)
        if value < 0 and (plain := _plain(kind)) is not None:
            value = self.ir.add(at, "t", self.want(plain, scope))
        self.ir.bind(scope, name, value, at)

    def delegated(self, node: Node, scope: int) -> int:
        """``by lazy { value }``: what the lambda gives."""
        made = first(node)
        call = _call(made) if made is not None and made.type == "call_expression" else None
        if call is None or call.lambda_ is None or text(call.callee) != "lazy":
            return self.want(made, scope)
        row = node.start_point[0]
        callee = self.want(call.lambda_, scope)
        return self.ir.add(row, "c", callee, [], {}, scope, self.ir.line(row))

    def function(self, node: Node, index: int, scope: int) -> None:
        made = node.type == "secondary_constructor"
        name = "constructor" if made else text(node.child_by_field_name("name"))
        inner = self.ir.scope(FUNCTION, name, scope, node.start_point[0], node.end_point[0])
        receiver = node.named_children[0] if node.named_children else None
        for child in node.named_children:
            if child.type not in ("modifiers", "type_parameters"):
                receiver = child
                break
        if receiver is not None and receiver.type in _TYPES:  # fun Model.label()
            self.ir.scopes[inner][PARAMS].append(["this", -1, self.want(_plain(receiver), inner), "this"])
        self.parameters(of_kind(node, "function_value_parameters"), inner)
        self.ir.scopes[inner][DECORATORS] = self.annotations(of_kind(node, "modifiers"), inner)
        if (again := of_kind(node, "constructor_delegation_call")) is not None:
            args, names = self.arguments(of_kind(again, "value_arguments"), inner)
            row = again.start_point[0]
            callee = self.ir.add(row, "r", str(self.ir.scopes[scope][NAME]), max(0, int(self.ir.scopes[scope][PARENT])))
            self.ir.add(row, "c", callee, args, names, inner, self.ir.line(row))
        self.body(of_kind(node, "function_body") or of_kind(node, "block"), inner)

    def body(self, node: Node | None, inner: int) -> None:
        if node is None:
            return
        held = first(node)
        if node.type == "function_body" and held is not None and held.type != "block":
            self.returns(inner, held)
        else:
            self.stack.append((node, -1, inner))

    def parameters(self, node: Node | None, inner: int) -> None:
        params = self.ir.scopes[inner][PARAMS]
        for child in parts(node)[:200]:
            if child.type == "parameter":
                held = parts(child)
                kind = _plain(held[-1]) if len(held) > 1 and held[-1].type in _TYPES else None
                params.append([text(held[0]) if held else "", -1, self.want(kind, inner)])
            elif child.type != "parameter_modifiers" and params:
                params[-1][1] = self.want(child, inner)

    def lambda_(self, node: Node, index: int, scope: int) -> None:
        inner = self.ir.scope(FUNCTION, "", scope, node.start_point[0], node.end_point[0])
        held = parts(node)
        params = self.ir.scopes[inner][PARAMS]
        if held and held[0].type == "lambda_parameters":
            params += [[text(first(c) or c), -1, -1] for c in parts(held[0])[:20]]
            held = held[1:]
        else:
            params.append(["it", -1, -1])
        if (names := self.receives.pop(-node.id, None)) is not None:
            self.receives[inner] = names
        if (base := self.applied.pop(-node.id, None)) is not None:
            self.applied[inner] = base
        self.last(held, inner)
        if index >= 0:
            self.ir.fill(index, "x", inner)

    def last(self, held: list[Node], function: int) -> None:
        """The statements of a lambda: the last one is what it gives."""
        if held and held[-1].type not in _STATEMENTS:
            self.returns(function, held[-1])
            held = held[:-1]
        self.descend(held, function)

    def returned(self, node: Node, index: int, scope: int) -> None:
        """``return x`` in a lambda is of the function around."""
        function = scope
        while function > 0 and self.ir.scopes[function][KIND] == FUNCTION and not self.ir.scopes[function][NAME]:
            function = int(self.ir.scopes[function][PARENT])
        target = function if self.ir.scopes[function][KIND] == FUNCTION else scope
        for value in parts(node):
            if value.type != "label":
                self.ir.scopes[target][RETURNS].append(self.want(value, scope))

    def assignment(self, node: Node, index: int, scope: int) -> None:
        left = node.child_by_field_name("left")
        held = parts(node)
        right = node.child_by_field_name("right") or (held[-1] if len(held) > 1 else None)
        if left is None or right is None:
            return
        row, value = left.start_point[0], self.want(right, scope)
        if text(node.child_by_field_name("operator")) == "+=":
            value = self.ir.add(row, "f", [self.want(left, scope), value])
        if left.type == "identifier":
            name = text(left)
            if self.variable(name, scope):
                self.ir.bind(scope, name, value, row)
                return
            if (names := self.receives.get(scope)) is not None:
                names.setdefault(name, value)
            base = self.applied.get(scope, -1)
            self.set(base if base >= 0 else self.ir.add(row, "r", "this", scope), name, value, row, scope)
        elif left.type == "navigation_expression" and len(held := parts(left)) > 1:
            if held[0].type == "this_expression" and (names := self.receives.get(scope)) is not None:
                names.setdefault(text(held[-1]), value)
            self.set(self.want(held[0], scope), text(held[-1]), value, row, scope)
        else:
            self.descend([left], scope)

    def variable(self, name: str, scope: int) -> bool:
        """Whether a function around has a variable of this name; parameters cannot be set."""
        while scope >= 0 and self.ir.scopes[scope][KIND] != CLASS:
            if (scope, name) in self.locals:
                return True
            scope = int(self.ir.scopes[scope][PARENT])
        return False

    def for_each(self, node: Node, index: int, scope: int) -> None:
        held = parts(node)
        named = held[0] if held and held[0].type == "variable_declaration" else None
        if named is not None and len(held) > 1:
            name, row = text(first(named)), node.start_point[0]
            self.locals.add((scope, name))
            self.ir.bind(scope, name, self.ir.add(row, "e", self.want(held[1], scope)), row)
            held = held[2:]
        self.descend(held, scope)

    # expressions

    def call(self, node: Node, index: int, scope: int) -> None:
        """A chain of calls, from the last to the first."""
        above = index if index >= 0 else self.ir.reserve(node.start_point[0])
        setters: dict[str, list[int]] = {}
        at: Node | None = node
        for step in range(10_000):
            if at is None or self.ir.full:
                return
            call, row = _call(at), at.start_point[0]
            callee = call.callee
            chained = callee is not None and callee.type == "navigation_expression"
            held = parts(callee) if chained else []
            name = text(held[-1]) if chained and len(held) > 1 else text(callee) if _is_name(callee) else ""
            if not chained and step == 0 and self.collected(name, call.given, above, scope):
                return
            if held and (key := _setting(name, at, held)):
                self.ir.fill(above, "*", self.environment(key, None, row, scope))
                return
            args, names = self.arguments(call.given, scope)
            self.typed(call.types, names, scope)
            self.trailing(call, name, names, scope)
            below = held[0] if chained and len(held) > 1 else None
            goes_on = below is not None and below.type == "call_expression"
            if step < MAX_CHAIN and name and (goes_on or step) and below is not None:
                setters.setdefault(name, [])[:0] = args or [names["lambda"]] if "lambda" in names else args
            if not goes_on:
                for key, given in setters.items():
                    if given:
                        names.setdefault(key, given[0] if len(given) == 1 else self.ir.add(row, "l", given))
            if step == 0 and below is None and name:
                self.said(name, above, args, scope)
            function = self.ir.reserve(row)
            self.ir.fill(above, "c", function, args, names, scope, self.ir.line(at.end_point[0]))
            if below is None:
                if (applied := self.applied.get(scope, -1)) >= 0 and name:
                    self.ir.fill(function, "a", applied, name)
                elif callee is not None:
                    self.stack.append((callee, function, scope))
                return
            base = self.ir.reserve(below.start_point[0])
            self.ir.fill(function, "a", base, name)
            if call.lambda_ is not None and name in ("apply", "also"):
                self.applied[-call.lambda_.id] = base
            if not goes_on:
                self.stack.append((below, base, scope))
                return
            above, at = base, below

    def said(self, name: str, row: int, args: list[int], scope: int) -> None:
        """A call without a receiver in the lambda of another call: that call's keyword."""
        if (names := self.receives.get(scope)) is None:
            return
        value = args[0] if len(args) == 1 else self.ir.add(self.ir.expressions[row][1] - 1, "l", args) if args else row
        if name in names:
            before = self.ir.expressions[names[name]]
            if before[0] == "l" and before[1] < 0:
                before[2].append(value)
            else:
                names[name] = self.ir.add(self.ir.expressions[row][1] - 1, "l", [names[name], value])
        else:
            names[name] = value

    def trailing(self, call: Call, name: str, names: dict[str, int], scope: int) -> None:
        if call.lambda_ is not None:
            self.receives[-call.lambda_.id] = names
            names["lambda"] = self.want(call.lambda_, scope)

    def typed(self, types: Node | None, names: dict[str, int], scope: int) -> None:
        for place, kind in enumerate(parts(types)[:5]):
            plain = _plain(first(kind) if kind.type == "type_projection" else kind)
            if plain is not None:
                made = self.ir.add(kind.start_point[0], "t", self.want(plain, scope))
                names.setdefault(f"T{place or ''}", made)

    def collected(self, name: str, given: Node | None, index: int, scope: int) -> bool:
        """``listOf(…)`` and ``mapOf("key" to value)`` are a list and a mapping."""
        if given is None or (name not in _LISTS and name not in _MAPS):
            return False
        held = [parts(argument)[-1] for argument in parts(given) if parts(argument)]
        if name in _LISTS:
            self.ir.fill(index, "l", [self.want(each, scope) for each in held[:MAX_ITEMS]])
            return True
        pairs: list[list[Any]] = []
        for each in held:
            sides = parts(each) if each.type == "infix_expression" else []
            if len(sides) == 3 and sides[0].type in _STRINGS and text(sides[1]) == "to":
                key = "".join(piece for piece in _pieces(sides[0]) if isinstance(piece, str))
                pairs.append([key, self.want(sides[2], scope)])
            elif len(sides) == 3:
                pairs.append([text(sides[0])[:200], self.want(sides[2], scope)])
            elif each.type == "spread_expression":
                pairs.append(["**", self.want(first(each), scope)])
        self.ir.fill(index, "d", pairs)
        return True

    def arguments(self, node: Node | None, scope: int) -> tuple[list[int], dict[str, int]]:
        args, names = list[int](), dict[str, int]()
        for child in parts(node):
            held = [c for c in parts(child) if c.type != "annotation"]
            if not held:
                continue
            value = self.want(held[-1], scope)
            if len(held) > 1 and held[0].type == "identifier":
                names[text(held[0])] = value
            else:
                args.append(value)
        return args, names

    def navigation(self, node: Node, index: int, scope: int) -> None:
        """``base.name``, ``base?.name``, ``this::name``"""
        held = parts(node)
        if not held:
            return
        row = self.want(held[0], scope)
        if index >= 0 and len(held) > 1:
            self.ir.fill(index, "a", row, text(held[-1]))
        elif index >= 0:  # X::class
            self.ir.fill(index, "*", row)

    def reference(self, node: Node, index: int, scope: int) -> None:
        """``::lookup``, ``Orders::lookup``, ``Orders::class``"""
        held = parts(node)
        if index < 0 or not held:
            return
        if len(held) > 1:
            self.ir.fill(index, "a", self.want(held[0], scope), text(held[-1]))
        else:
            self.stack.append((held[0], index, scope))

    def type_(self, node: Node, index: int, scope: int) -> None:
        """``A.B<C>`` as a type."""
        names = [text(c) for c in node.named_children if c.type == "identifier"][:20]
        if index < 0 or not names:
            return
        if len(names) == 1:
            self.ir.fill(index, "r", names[0], scope)
            return
        row = node.start_point[0]
        at = self.ir.add(row, "r", names[0], scope)
        for name in names[1:-1]:
            at = self.ir.add(row, "a", at, name)
        self.ir.fill(index, "a", at, names[-1])

    def string_(self, node: Node, index: int, scope: int) -> None:
        """A text, perhaps with values in it."""
        joined: list[int | str] = []
        row = node.start_point[0]
        for piece in _pieces(node):
            if isinstance(piece, Node):
                value = self.want(first(piece), scope)
                joined.append(value if value >= 0 else self.ir.reserve(row))
            elif isinstance(piece, tuple):
                joined.append(self.ir.add(row, "r", piece[0], scope))
            else:
                joined.append(piece)
        if index >= 0:
            self.template(index, joined or [""], row)

    def this(self, node: Node, index: int, scope: int) -> None:
        """``this``, ``this@Name``"""
        if index >= 0:
            self.ir.fill(index, "r", "this", scope)

    def element(self, node: Node, index: int, scope: int) -> None:
        """``base[key]``"""
        held = parts(node)
        rows = [self.want(each, scope) for each in held[:2]]
        if index >= 0 and len(rows) == 2:
            self.ir.fill(index, "i", *rows)

    def choice(self, node: Node, index: int, scope: int) -> None:
        """``if``, ``when`` and ``try`` give the value of one of their branches."""
        rows = []
        condition = node.child_by_field_name("condition")
        for branch in parts(node):
            if branch == condition or branch.type == "when_subject":
                self.descend([branch], scope)
                continue
            given: Node | None = branch
            if branch.type in ("when_entry", "catch_block", "finally_block"):
                held = parts(branch)
                self.descend(held[:-1], scope)
                given = held[-1] if held else None
            if given is not None and given.type == "block":
                held = parts(given)
                self.descend(held[:-1] if index >= 0 else held, scope)
                given = held[-1] if held and index >= 0 else None
            if given is not None and index >= 0 and given.type not in _STATEMENTS:
                rows.append(self.want(given, scope))
            elif given is not None:
                self.descend([given], scope)
        if index >= 0:
            self.ir.fill(index, "o", rows)

    def pair(self, node: Node, index: int, scope: int) -> None:
        """``a to b``; other infix calls have no value here."""
        held = parts(node)
        rows = [self.want(each, scope) for each in held[::2]]
        if index >= 0 and len(held) == 3 and held[1].text == b"to":
            self.ir.fill(index, "l", rows)

    def converted(self, node: Node, index: int, scope: int) -> None:
        """``x as X``, ``x!!``, ``(x)``: the value itself."""
        value = node.child_by_field_name("left") or node.child_by_field_name("argument") or first(node)
        if value is not None:
            self.stack.append((value, index, scope))

    table: ClassVar[Table] = {
        **dict.fromkeys(("line_comment", "block_comment", "type_parameters", "type_arguments", "modifiers"),
                        expressions.skip),
        "package_header": package,
        "import": import_,
        **dict.fromkeys(("class_declaration", "object_declaration"), class_),
        "object_literal": object_,
        "companion_object": companion,
        "enum_entry": entry,
        "annotation": annotation,
        "constructor_invocation": constructed,
        "property_declaration": property_,
        **dict.fromkeys(("function_declaration", "secondary_constructor"), function),
        "lambda_literal": lambda_,
        "return_expression": returned,
        "assignment": assignment,
        "for_statement": for_each,
        "call_expression": call,
        "navigation_expression": navigation,
        "callable_reference": reference,
        "user_type": type_,
        **dict.fromkeys(("string_literal", "multiline_string_literal"), string_),
        **dict.fromkeys(("number_literal", "float_literal"), expressions.number),
        **dict.fromkeys(("boolean_literal", "null_literal", "null", "true", "false"), expressions.constant),
        "identifier": expressions.name,
        "this_expression": this,
        "index_expression": element,
        **dict.fromkeys(("if_expression", "when_expression", "try_expression"), choice),
        "infix_expression": pair,
        "binary_expression": expressions.operation("+", ("?:",)),
        "collection_literal": expressions.listed,
        "spread_expression": expressions.wrapped,
        **dict.fromkeys(("as_expression", "unary_expression", "parenthesized_expression", "nullable_type",
                         "annotated_lambda", "annotated_expression"), converted),
    }  # fmt: skip


def _dotted(node: Node | None) -> str:
    return re.sub(r"[\s`]", "", text(node)[:500])


def _is_name(node: Node | None) -> bool:
    return node is not None and node.type == "identifier"


def _setting(name: str, node: Node, held: list[Node]) -> str:
    """The name of a setting that is read: ``config.property("a.b").getString()``, ``config.getString("a.b")``."""
    if name != "getString":
        return ""
    at = held[0] if held[0].type == "call_expression" else node
    if at.end_byte - at.start_byte > LONGEST_READ:
        return ""
    found = _READ.search(text(at).replace("?.", "."))
    return found["key"] if found else ""


def _plain(kind: Node | None) -> Node | None:
    """The type itself of ``X?``."""
    while kind is not None and kind.type == "nullable_type":
        kind = first(kind)
    return kind if kind is not None and kind.type == "user_type" else None


def _call(node: Node) -> Call:
    """The parts of ``f<T>(…) { … }``, which the grammar nests."""
    callee: Node | None = first(node)
    types, given, lambda_ = (of_kind(node, kind) for kind in ("type_arguments", "value_arguments", "annotated_lambda"))
    if given is None and callee is not None and callee.type == "call_expression" and lambda_ is not None:
        inner = of_kind(callee, "annotated_lambda")
        if inner is None:
            types, given = types or of_kind(callee, "type_arguments"), of_kind(callee, "value_arguments")
            callee = first(callee)
    return Call(callee, types, given, of_kind(lambda_, "lambda_literal"))


def _pieces(node: Node) -> Iterator[str | tuple[str] | Node]:
    """The parts of a text: its letters, ``$name`` as the name in a tuple, ``${…}`` as its node."""
    run = ""
    for child in node.named_children:
        if child.type == "string_content":
            run += text(child)
            continue
        yield from _named(run)
        run = ""
        if child.type == "escape_sequence":
            yield _ESCAPES.get(piece := text(child), piece)
        elif child.type == "interpolation":
            yield child
    yield from _named(run)


def _named(run: str) -> Iterator[str | tuple[str]]:
    last = 0
    for found in _NAME.finditer(run):
        if run[last : found.start()]:
            yield run[last : found.start()]
        yield (found[1],)
        last = found.end()
    if run[last:]:
        yield run[last:]


KOTLIN = define(
    Language(
        name="kotlin",
        title="Kotlin",
        endings=("kt", "kts"),
        walker=KotlinWalker,
        grammars={"": tree_sitter_kotlin.language},
        imports=re.compile(rb"\b(?:import[ \t]+(?P<module>[\w.`]+)|package[ \t]+(?P<package>[\w.`]+))"),
        prepare=one_line_classes,
        unseen="names built at run time; beans that are wired by configuration",
    )
)
