"""Expressions of infrastructure code in one small form, and what they come to: texts with their way, and references.

An expression is a plain list, so that a fact can hold it: ``["s", line, text]`` a text, ``["r", line, [parts]]`` a
reference, ``["t", line, [expressions]]`` joined texts, ``["a", line, [expressions]]`` one of several (branches of a
condition), ``["f", line, name, [arguments]]`` a function, ``["l", line, [items]]`` and ``["o", line, [[key,
expression], …]]`` collections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Expression = list[Any]

#: Ways that are followed for one value, texts that one value may have, and steps of one way: real code stays below 10.
MAX_DEPTH, MAX_TEXTS, MAX_ATTRIBUTES = 24, 16, 2_000
#: What stands in a text for a part that is not known.
UNKNOWN = "{}"
#: Functions whose value is one of their arguments, or the first of them with changes in parts that do not matter here.
_ONE_OF = frozenset({"coalesce", "try", "coalescelist", "one", "nonsensitive", "sensitive", "tostring", "trimspace"})
_FIRST = frozenset({"replace", "lower", "format", "base64encode"})
_MERGES = frozenset(
    {"merge", "concat", "flatten", "distinct", "compact", "setunion", "jsonencode", "tolist", "toset", "tomap"}
)


@dataclass(frozen=True, slots=True)
class Bound:
    """An expression where it stands: the file, and whatever its references mean there."""

    expression: Expression
    path: str
    context: Any


@dataclass(frozen=True, slots=True)
class Text:
    """A text that an expression may come to; parts that nobody knows are ``{}``."""

    value: str
    path: str
    line: int
    chain: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        return UNKNOWN not in self.value

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Resource:
    """What a reference leads to when it is no value: a resource, by its address in its file's module."""

    address: str


#: A reference → what it means there: bound expressions (with a word on the step), resources, or nothing.
Lookup = Callable[[Bound], list[tuple[Bound | Resource, str]]]


def texts(bound: Bound, lookup: Lookup, depth: int = 0) -> list[Text]:
    """The texts that an expression may come to, in order; a place of several values gives several."""
    if depth > MAX_DEPTH:
        return []
    expression = bound.expression
    match expression[0]:
        case "s":
            return [Text(str(expression[2]), bound.path, int(expression[1]))]
        case "r":
            found: list[Text] = []
            for target, step in lookup(bound):
                if isinstance(target, Bound):
                    inner = texts(target, lookup, depth + 1)
                    found += [Text(t.value, t.path, t.line, (*t.chain, step) if step else t.chain) for t in inner]
            return _some(found)
        case "t":
            return _joined(bound, lookup, depth)
        case "a" | "l":
            return _some([t for part in expression[2] for t in texts(_in(bound, part), lookup, depth + 1)])
        case "f":
            name, arguments = str(expression[2]), expression[3]
            if name in _ONE_OF:
                return _some([t for part in arguments for t in texts(_in(bound, part), lookup, depth + 1)])
            if name in _FIRST and arguments:
                return texts(_in(bound, arguments[0]), lookup, depth + 1)
    return []


def resources(bound: Bound, lookup: Lookup, depth: int = 0) -> set[str]:
    """The addresses of all resources that an expression refers to, however deep."""
    if depth > MAX_DEPTH:
        return set()
    found: set[str] = set()
    if bound.expression[0] == "r":
        for target, _ in lookup(bound):
            found |= {target.address} if isinstance(target, Resource) else resources(target, lookup, depth + 1)
    for part in children(bound.expression):
        found |= resources(_in(bound, part), lookup, depth + 1)
    return found


def attributes(bound: Bound, lookup: Lookup) -> Iterator[tuple[tuple[str, ...], Bound]]:
    """Every attribute with the keys that lead to it; objects behind references and in branches are looked into."""
    waiting: list[tuple[tuple[str, ...], Bound, int]] = [((), bound, 0)]
    seen = 0
    while waiting and seen < MAX_ATTRIBUTES:
        keys, here, depth = waiting.pop()
        seen += 1
        expression = here.expression
        if keys:
            yield keys, here
        if depth > MAX_DEPTH:
            continue
        if expression[0] == "o":
            waiting += [((*keys, str(key)), _in(here, child), depth + 1) for key, child in reversed(expression[2])]
        elif expression[0] in ("l", "a"):
            waiting += [(keys, _in(here, child), depth + 1) for child in reversed(expression[2])]
        elif expression[0] == "f" and expression[2] in _MERGES | _ONE_OF:
            waiting += [(keys, _in(here, child), depth + 1) for child in reversed(expression[3])]
        elif expression[0] == "r":
            for target, _ in lookup(here):
                if isinstance(target, Bound) and target.expression[0] in ("o", "l", "a", "f", "r"):
                    waiting.append((keys, target, depth + 1))


def within(bound: Bound, keys: list[str], lookup: Lookup, depth: int = 0) -> list[Bound | Resource]:
    """What stands under nested keys of an expression; an index into a list means any of its items."""
    if not keys or depth > MAX_DEPTH:
        return [bound]
    expression = bound.expression
    if expression[0] == "o":
        found: list[Bound | Resource] = []
        for key, child in expression[2]:
            if str(key) == keys[0]:
                found += within(_in(bound, child), keys[1:], lookup, depth + 1)
        return found
    if expression[0] in ("a", "l") or (expression[0] == "f" and expression[2] in _MERGES | _ONE_OF):
        parts = expression[2] if expression[0] in ("a", "l") else expression[3]
        return [b for part in parts for b in within(_in(bound, part), keys, lookup, depth + 1)][:MAX_TEXTS]
    if expression[0] == "r":
        led: list[Bound | Resource] = []
        for target, _ in lookup(bound):
            led += [target] if isinstance(target, Resource) else within(target, keys, lookup, depth + 1)
        return led[:MAX_TEXTS]
    return []


def children(expression: Expression) -> list[Expression]:
    """The expressions right inside one."""
    match expression[0]:
        case "t" | "a" | "l":
            return list(expression[2])
        case "f":
            return list(expression[3])
        case "o":
            return [child for _, child in expression[2]]
    return []


def _joined(bound: Bound, lookup: Lookup, depth: int) -> list[Text]:
    """Parts joined: each part's first text; a part of several texts makes several, the first such part only."""
    found = [Text("", bound.path, int(bound.expression[1]))]
    for part in bound.expression[2][:100]:
        given = texts(_in(bound, part), lookup, depth + 1) or [Text(UNKNOWN, bound.path, int(bound.expression[1]))]
        given = given if len(found) == 1 else given[:1]
        # Where a whole text comes from elsewhere, that place is the text's.
        found = [
            Text(
                left.value + right.value,
                right.path if not left.value and right.chain else left.path,
                right.line if not left.value and right.chain else left.line,
                (*left.chain, *right.chain),
            )
            for left in found
            for right in given
        ]
    return _some(found)


def _in(bound: Bound, expression: Expression) -> Bound:
    return Bound(expression, bound.path, bound.context)


def _some(found: list[Text]) -> list[Text]:
    return list({text.value: text for text in reversed(found)}.values())[::-1][:MAX_TEXTS]
