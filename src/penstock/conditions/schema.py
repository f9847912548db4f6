"""What a condition may speak of: the declared fields of each type of variable, and the check of a tree against them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn

from penstock.conditions.syntax import MAX_LOOPS, Binary, Call, Has, Items, Literal, Loop, Name, Node, Not
from penstock.errors import NotUnderstood
from penstock.graph.vocabulary import KINDS, LABELS, MARKS, PROPS, STATUS_ORDER


@dataclass(frozen=True, slots=True)
class Field:
    """A field's type (text, flag, number, words, record) and, for words, those it may hold (empty: any)."""

    type: str
    words: frozenset[str] = frozenset()


def _asset() -> dict[str, Field]:
    kinds = {"word": "text"}
    fields = {row.name: Field(kinds.get(row.type, row.type), frozenset(row.words)) for row in PROPS.values()}
    labels = Field("words", frozenset(LABELS) | MARKS)
    return fields | {
        "id": Field("text"),
        "name": Field("text"),
        "kind": Field("text", KINDS),
        "status": Field("text", frozenset(STATUS_ORDER)),
        "lifecycle": Field("text", frozenset({"current", "stale", "retired"})),
        "contains": labels,
        "sees": labels,
        "touches": labels,
    }


#: type of variable → its fields. Scalars (text, flag, number, words) are types by themselves.
SCHEMAS: Mapping[str, Mapping[str, Field]] = MappingProxyType({"asset": MappingProxyType(_asset())})
SCALARS = frozenset({"text", "flag", "number", "words"})


@dataclass(frozen=True, slots=True)
class Checker:
    """Types of a condition's variables; ``check`` answers a tree's type or says what is wrong with it."""

    source: str
    variables: Mapping[str, str]
    schemas: Mapping[str, Mapping[str, Field]]

    def check(self, node: Node, loops: Mapping[str, Field] | None = None) -> Field:
        loops = loops or {}
        match node:
            case Literal(value):
                return Field("flag" if isinstance(value, bool) else "number" if isinstance(value, float) else "text")
            case Items(items):
                if {self.check(item).type for item in items} - {"text"}:
                    self._wrong("has a list that is not all text")
                return Field("words")
            case Name(parts):
                return self._field(parts, loops)
            case Has(name):
                self._field(name.parts, loops)
                return Field("flag")
            case Not(of):
                self._need(of, "flag", loops)
                return Field("flag")
            case Call("size", (argument,)):
                if self.check(argument, loops).type not in ("words", "text"):
                    self._wrong("takes the size of something that has none")
                return Field("number")
            case Call(_, arguments):
                for argument in arguments:
                    self._need(argument, "text", loops)
                return Field("flag")
            case Loop(_, over, variable, body):
                return self._loop(over, variable, body, loops)
            case Binary(sign, left, right):
                return self._binary(sign, left, right, loops)

    def _binary(self, sign: str, left: Node, right: Node, loops: Mapping[str, Field]) -> Field:
        if sign in ("&&", "||"):
            self._need(left, "flag", loops)
            self._need(right, "flag", loops)
            return Field("flag")
        one, two = self.check(left, loops), self.check(right, loops)
        if sign == "in":
            if (one.type, two.type) != ("text", "words"):
                self._wrong("uses 'in' on something other than a text in a list of texts")
            self._spelling(left, two)
            self._spelling(right, one)
            return Field("flag")
        if sign in ("+", "-", "*", "<", "<=", ">", ">="):
            if {one.type, two.type} != {"number"}:
                self._wrong(f"uses {sign!r} on something other than numbers")
            return Field("number" if sign in "+-*" else "flag")
        if one.type != two.type or one.type in ("words", "record"):
            self._wrong(f"compares a {one.type} with a {two.type}")
        self._spelling(left, two)
        self._spelling(right, one)
        return Field("flag")

    def _loop(self, over: Node, variable: str, body: Node, loops: Mapping[str, Field]) -> Field:
        items = self.check(over, loops)
        if items.type != "words" or not isinstance(over, Name | Items):
            self._wrong("loops over something that is no list")
        if len(loops) >= MAX_LOOPS:
            self._wrong(f"has more than {MAX_LOOPS} loops inside each other")
        if variable in self.variables or variable in loops or not variable.isidentifier():
            self._wrong(f"uses the name {variable!r} twice")
        self._need(body, "flag", {**loops, variable: Field("text", items.words)})
        return Field("flag")

    def _field(self, parts: tuple[str, ...], loops: Mapping[str, Field]) -> Field:
        name, *rest = parts
        if name in loops:
            if rest:
                self._wrong(f"asks {name} for a field")
            return loops[name]
        if name not in self.variables:
            self._wrong(f"names {name!r}, which is no variable here", self.variables)
        kind = self.variables[name]
        if kind in SCALARS:
            if rest:
                self._wrong(f"asks {name} for a field")
            return Field(kind)
        fields = self.schemas[kind]
        if not rest:
            self._wrong(f"uses {name} whole; name one of its properties", fields)
        if rest[0] not in fields:
            self._wrong(f"names the undeclared property {name}.{rest[0]}", fields)
        field = fields[rest[0]]
        if len(rest) == 1:
            return field
        if field.type != "record" or len(rest) > 2:
            self._wrong(f"asks {'.'.join(parts[:-1])} for a field")
        return Field("text")

    def _need(self, node: Node, type: str, loops: Mapping[str, Field]) -> None:
        if (found := self.check(node, loops).type) != type:
            self._wrong(f"has a {found} where a {type} is needed")

    def _spelling(self, node: Node, field: Field) -> None:
        literals = node.items if isinstance(node, Items) else (node,) if isinstance(node, Literal) else ()
        for literal in literals:
            if field.words and isinstance(literal.value, str) and literal.value not in field.words:
                self._wrong(f"compares with {literal.value!r}, which it can never be", field.words)

    def _wrong(self, what: str, known: Mapping[str, object] | frozenset[str] = frozenset()) -> NoReturn:
        word = what.rpartition(".")[2] if "undeclared" in what else what.split("'")[1] if "'" in what else ""
        near = difflib.get_close_matches(word, [str(k) for k in known], 3) or sorted(map(str, known))[:8]
        hint = f"Did you mean: {', '.join(near)}" if near else "See docs/rules.md"
        raise NotUnderstood(f"The condition {what}", self.source, hint)
