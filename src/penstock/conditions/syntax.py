"""The dialect of CEL that rules and policy speak: text in, a small tree out, bounded in size and depth.

It is a subset of the Common Expression Language (cel.dev): literals, lists, ``a.b``, ``== != < <= > >= in``,
``&& || !``, ``+ - *`` on numbers, ``has(a.b)``, ``size(x)``, ``x.contains/startsWith/endsWith(text)``,
``x.exists(l, …)`` and ``x.all(l, …)``. No division, index, ternary or regular expression: nothing left can fail or
run long once its operands are known, so that both engines answer alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from penstock.errors import NotUnderstood

#: Longest condition in characters, most nodes and deepest nesting: three times the longest shipped rule.
MAX_SOURCE, MAX_NODES, MAX_DEPTH = 2_000, 250, 24
#: Loops inside loops; two answer "any of these in any of those".
MAX_LOOPS = 2


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | float | bool


@dataclass(frozen=True, slots=True)
class Items:
    items: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, or one of its fields: ``("agent", "exposure")``."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Has:
    name: Name


@dataclass(frozen=True, slots=True)
class Not:
    of: Node


@dataclass(frozen=True, slots=True)
class Binary:
    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """``size(x)``, or a text method on its first argument."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """``over.exists(variable, body)`` or ``over.all(variable, body)``."""

    quantifier: str
    over: Node
    variable: str
    body: Node


Node = Literal | Items | Name | Has | Not | Binary | Call | Loop

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*<>!()\[\],.]))""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}
#: Loosest first.
_LEVELS = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*",))
TEXT_METHODS = frozenset({"contains", "startsWith", "endsWith"})


def parse(source: str) -> Node:
    """The tree of a condition.

    Raises:
        NotUnderstood: it is too large, nests too deep, or is not in the dialect.
    """
    if len(source) > MAX_SOURCE:
        raise NotUnderstood(f"The condition is longer than {MAX_SOURCE} characters", source[:60], "Split the rule")
    return _Parser(source).whole()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Not(of):
            return (of,)
        case Binary(_, left, right):
            return left, right
        case Call(_, arguments):
            return arguments
        case Loop(_, over, _, body):
            return over, body
        case Has(name):
            return (name,)
        case _:
            return ()


class _Parser:
    """A recursive-descent parser over one condition; it holds the place it has read to."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = list(self._tokens())
        self.at = 0
        self.nodes = 0
        self.depth = 0

    def _tokens(self) -> Iterator[tuple[str, str, int]]:
        place, text = 0, self.source.rstrip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if not found:
                raise self.wrong(f"cannot be read at {text[place : place + 12].strip()!r}", place)
            kind = found.lastgroup or ""
            yield kind, found[kind], found.start(kind)
            place = found.end()

    def wrong(self, what: str, place: int) -> NotUnderstood:
        return NotUnderstood(f"The condition {what}", f"column {place + 1} of: {self.source}", "See docs/rules.md")

    def whole(self) -> Node:
        if not self.tokens:
            raise self.wrong("is empty", 0)
        node = self.level(0)
        if self.at < len(self.tokens):
            raise self.wrong(f"goes on with {self.peek()!r} after its end", self.tokens[self.at][2])
        return node

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def place(self) -> int:
        return self.tokens[self.at][2] if self.at < len(self.tokens) else len(self.source)

    def take(self, expected: str = "") -> str:
        if self.at >= len(self.tokens) or (expected and self.peek() != expected):
            raise self.wrong(f"needs {expected or 'more'!r} here", self.place())
        self.at += 1
        return self.tokens[self.at - 1][1]

    def made(self, node: Node) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.wrong(f"has more than {MAX_NODES} parts", self.place())
        return node

    def level(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self.unary()
        node = self.level(level + 1)
        while self.peek() in _LEVELS[level] and self.tokens[self.at][0] != "text":
            sign = self.take()
            node = self.made(Binary(sign, node, self.level(level + 1)))
            if level == 2:
                break  # comparisons do not chain
        return node

    def unary(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.wrong(f"nests deeper than {MAX_DEPTH}", self.place())
        try:
            if self.peek() == "!" and self.tokens[self.at][0] == "sign":
                self.take()
                return self.made(Not(self.unary()))
            if self.peek() == "-" and self.at + 1 < len(self.tokens) and self.tokens[self.at + 1][0] == "number":
                self.take()
                return self.made(Literal(-float(self.take())))
            return self.postfix()
        finally:
            self.depth -= 1

    def postfix(self) -> Node:
        node = self.primary()
        while self.peek() == "." and self.tokens[self.at][0] == "sign":
            self.take()
            place, word = self.place(), self.take()
            if self.peek() == "(":
                node = self.method(node, word, place)
            elif isinstance(node, Name):
                node = self.made(Name((*node.parts, word)))
            else:
                raise self.wrong(f"asks a value for its field {word!r}", place)
        return node

    def method(self, target: Node, word: str, place: int) -> Node:
        self.take("(")
        if word in TEXT_METHODS:
            argument = self.level(0)
            self.take(")")
            return self.made(Call(word, (target, argument)))
        if word in ("exists", "all"):
            variable = self.take()
            self.take(",")
            body = self.level(0)
            self.take(")")
            return self.made(Loop(word, target, variable, body))
        raise self.wrong(f"calls {word!r}, which is not in the dialect", place)

    def primary(self) -> Node:
        place = self.place()
        kind = self.tokens[self.at][0] if self.at < len(self.tokens) else ""
        word = self.take()
        if kind == "number":
            return self.made(Literal(float(word)))
        if kind == "text":
            return self.made(Literal(re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), word[1:-1])))
        if kind == "name":
            return self.named(word, place)
        if word == "(":
            node = self.level(0)
            self.take(")")
            return node
        if word == "[":
            return self.items(place)
        raise self.wrong(f"has {word!r} where a value is needed", place)

    def named(self, word: str, place: int) -> Node:
        if word in ("true", "false"):
            return self.made(Literal(word == "true"))
        if self.peek() != "(":
            return self.made(Name((word,)))
        self.take("(")
        argument = self.level(0)
        self.take(")")
        if word == "size":
            return self.made(Call("size", (argument,)))
        if word == "has" and isinstance(argument, Name) and len(argument.parts) > 1:
            return self.made(Has(argument))
        raise self.wrong(f"calls {word!r}, which is not in the dialect", place)

    def items(self, place: int) -> Node:
        items: list[Literal] = []
        while self.peek() != "]":
            item = self.unary()
            if not isinstance(item, Literal):
                raise self.wrong("has a list of other things than literals", place)
            items.append(item)
            if self.peek() != "]":
                self.take(",")
        self.take("]")
        return self.made(Items(tuple(items)))
