"""Expressions that most grammars have in much the same form: a language's table names the fields."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Container
from typing import Any

from tree_sitter import Node

from penstock.discover.code.walker import Handler, Walker, first, leaf, parts, text

#: Letters that follow a number to say its type: ``10L``, ``1.5f``, ``10n``, ``5m``.
_SUFFIX = "lLfFdDmMnNuU"

#: Numbers of a list that are kept where it holds nothing else: data, of which nothing is asked.
_FEW = 4


@leaf
def skip(walk: Walker, node: Node, index: int, scope: int) -> None:
    """Comments, types and other things that hold no value."""


@leaf
def name(walk: Walker, node: Node, index: int, scope: int) -> None:
    if index >= 0:
        walk.ir.fill(index, "r", text(node), scope)


@leaf
def number(walk: Walker, node: Node, index: int, scope: int) -> None:
    if index < 0:
        return
    digits = text(node)[:18].replace("_", "")
    if digits[:2] not in ("0x", "0X"):
        digits = digits.rstrip(_SUFFIX)
    with contextlib.suppress(ValueError):  # 1e5, 0777, 3j: no position in a list, no version of a model
        walk.ir.fill(index, "n", float(digits) if "." in digits else int(digits, 0))


@leaf
def constant(walk: Walker, node: Node, index: int, scope: int) -> None:
    """True, false, and the names of nothing."""
    if index < 0:
        return
    word = text(node).lower()
    if word in ("true", "false"):
        walk.ir.fill(index, "b", word == "true")
    else:
        walk.ir.fill(index, "0")


def through(walk: Walker, node: Node, index: int, scope: int) -> None:
    """Brackets and casts: the value itself."""
    if (inner := first(node)) is not None:
        walk.stack.append((inner, index, scope))


def wrapped(walk: Walker, node: Node, index: int, scope: int) -> None:
    """The value of the first part, in a row of its own."""
    row = walk.want(first(node), scope)
    if index >= 0 and row >= 0:
        walk.ir.fill(index, "*", row)


def listed(walk: Walker, node: Node, index: int, scope: int) -> None:
    """A list, tuple or set; of a table of numbers only the first few."""
    held = parts(node)
    if len(held) > _FEW and all(walk.table.get(part.type) is number for part in held):
        held = held[:_FEW]
    rows = [walk.want(part, scope) for part in held]
    if index >= 0:
        walk.ir.fill(index, "l", rows)


def returned(walk: Walker, node: Node, index: int, scope: int) -> None:
    for part in parts(node):
        walk.returns(scope, part)


def member(base: str, attribute: str) -> Handler:
    """``base.attribute``; args: the fields of the node that hold them."""

    def handle(walk: Walker, node: Node, index: int, scope: int) -> None:
        row = walk.want(node.child_by_field_name(base), scope)
        if index >= 0:
            walk.ir.fill(index, "a", row, text(node.child_by_field_name(attribute)))

    return handle


def item(base: str, key: str) -> Handler:
    """``base[key]``; args: the fields of the node that hold them."""

    def handle(walk: Walker, node: Node, index: int, scope: int) -> None:
        rows = walk.want(node.child_by_field_name(base), scope), walk.want(node.child_by_field_name(key), scope)
        if index >= 0:
            walk.ir.fill(index, "i", *rows)

    return handle


def operation(joins: Container[str], either: Container[str] = ()) -> Handler:
    """``left operator right``; args: the operators that join texts, and those that give one side or the other."""

    def handle(walk: Walker, node: Node, index: int, scope: int) -> None:
        rows = [walk.want(node.child_by_field_name(side), scope) for side in ("left", "right")]
        operator = text(node.child_by_field_name("operator"))
        if index >= 0 and operator in joins:
            walk.ir.fill(index, "f", rows)
        elif index >= 0 and operator in either:
            walk.ir.fill(index, "o", rows)

    return handle


def choice(walk: Walker, node: Node, index: int, scope: int) -> None:
    """``condition ? consequence : alternative``"""
    walk.want(node.child_by_field_name("condition"), scope)
    rows = [walk.want(node.child_by_field_name(side), scope) for side in ("consequence", "alternative")]
    if index >= 0:
        walk.ir.fill(index, "o", rows)


def string(content: Callable[[Node], str]) -> Handler:
    """A string without parts; args: how its content is read."""

    def handle(walk: Walker, node: Node, index: int, scope: int) -> None:
        if index >= 0:
            walk.ir.text(index, content(node))

    return leaf(handle)


def formatted(walk: Walker, pattern: str, verbs: re.Pattern[str], values: list[int], row: int) -> list[int | str]:
    """``format("…%s…", value)`` as texts and rows in turn.

    Args:
        verbs: the places in the pattern; ``%%`` and ``%n`` among them stand for themselves.
    """
    left, found, last = list(values), list[Any](), 0
    for verb in verbs.finditer(pattern):
        found.append(pattern[last : verb.start()])
        last = verb.end()
        if verb[0] in ("%%", "%n"):
            found.append("%" if verb[0] == "%%" else "\n")
        else:
            found.append(left.pop(0) if left else walk.ir.reserve(row))
    return [*found, pattern[last:]]
