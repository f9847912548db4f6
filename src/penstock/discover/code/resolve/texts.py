"""The strings that a target may hold: literals, joined parts, constants of packages, variables of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.discover.code.constants import constant
from penstock.discover.code.ir import HEAD, sha256
from penstock.discover.code.resolve.bounds import MAX_DEPTH
from penstock.discover.code.resolve.configuration import key_of
from penstock.discover.code.resolve.targets import Target, Text

if TYPE_CHECKING:
    from penstock.discover.code.resolve.resolver import Resolver

#: Parts of a joined text that are looked at; values of one part, and texts in all, that are told apart.
_MAX_PARTS, _MAX_VALUES, _MAX_TEXTS = 200, 4, 8


def text_of(resolver: Resolver, target: Target, depth: int = 0) -> list[Text]:
    """The strings that a target may hold, known or not."""
    if target.kind == "env":
        return _variable(resolver, target)
    if target.kind == "external":
        return _of_package(resolver, target, depth)
    if target.kind != "value":
        return []
    row = resolver.modules[target.path].expressions[target.ref]
    if row[0] == "s":
        return [Text(row[2], target.path, row[1], target.chain, length=len(row[2]))]
    if row[0] == "S":
        return [Text(None, target.path, row[1], target.chain, length=row[3], sha=row[2], head=row[4])]
    if row[0] == "f" and depth < MAX_DEPTH:
        return _joined(resolver, target, row, depth)
    return []


def _variable(resolver: Resolver, target: Target) -> list[Text]:
    step = f"env {target.symbol}"
    found = []
    given = resolver.env.get(target.symbol) or resolver.settings.get(key_of(target.symbol), [])
    for value, where in given:
        path, _, line = where.rpartition(":")
        chain = (*target.chain, f"{step} ({where})")
        number = int(line) if line.isdigit() else 0
        found.append(Text(value, path or where, number, chain, target.symbol, len(value)))
    return found or [Text(None, target.path, 0, (*target.chain, f"from {step}"), target.symbol)]


def _of_package(resolver: Resolver, target: Target, depth: int) -> list[Text]:
    symbol = target.symbol.removesuffix(".value")
    if target.ref >= 0 and symbol.endswith(".join()"):
        module = resolver.modules[target.path]
        parts = [resolver.texts(target.path, a, target.frames, depth + 1) for a in module.expressions[target.ref][3]]
        if parts and all(p and p[0].value is not None for p in parts):
            value = "/".join(p[0].value or "" for p in parts)
            return [Text(value, target.path, module.line(target.ref), target.chain, length=len(value))]
        return []
    if (given := constant(symbol)) is not None:
        return [Text(given, target.path, 0, (*target.chain, symbol), length=len(given))]
    for suffix in (symbol, symbol.split(".", 1)[-1], ".".join(symbol.rsplit(".", 2)[-2:])):
        if (known := resolver.known.get(suffix)) is not None:
            line = resolver.modules[target.path].line(target.ref) if target.ref >= 0 else 0
            return [Text(known, target.path, line, (*target.chain, symbol), length=len(known))]
    return []


def _joined(resolver: Resolver, target: Target, row: list[Any], depth: int) -> list[Text]:
    """Joined parts: one text when all parts are known (their first value), else its shape with {} for the rest."""
    module = resolver.modules[target.path]
    known, size = True, 0
    shape: list[str] = []
    variants: list[str] = [""]
    for part in row[2][:_MAX_PARTS]:
        inner = module.expressions[part]
        if inner[0] == "S":
            known = False
            shape.append(f"{{{inner[2]}}}")
            size += inner[3]
            continue
        given = [t for t in resolver.texts(target.path, part, target.frames, depth + 1) if t.value is not None]
        if not given:
            if inner[0] == "n":
                given = [Text(str(inner[2]), target.path, inner[1], ())]
            else:
                known = False
                shape.append("{}")
                continue
        shape.append(given[0].value or "")
        size += len(given[0].value or "")
        if known:
            options = list(dict.fromkeys(t.value or "" for t in given))[:_MAX_VALUES]
            variants = [left + right for left in variants for right in options][:_MAX_TEXTS]
    if known:
        return [Text(v, target.path, row[1], target.chain, length=len(v), sha=sha256(v)) for v in variants]
    whole = "".join(shape)
    return [Text(None, target.path, row[1], target.chain, length=size, sha=sha256(whole), head=whole[:HEAD])]
