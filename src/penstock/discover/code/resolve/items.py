"""What a list, a dictionary or a subscript holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from penstock.discover.code.resolve import configuration
from penstock.discover.code.resolve.bounds import MAX_DEPTH, MAX_ITEMS
from penstock.discover.code.resolve.known import ENVIRONMENT, PAIRS
from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.targets import Frames, Target, stepped, variable

if TYPE_CHECKING:
    from penstock.discover.code.resolve.resolver import Resolver


#: What a mapping spread into another costs of the depth: five are opened, one in the other.
_SPREAD = MAX_DEPTH // 5


def item(resolver: Resolver, module: Module, row: list[Any], frames: Frames, depth: int) -> Iterator[Target]:
    """``base[key]``"""
    keys = [t.value for t in resolver.texts(module.path, row[3], frames, depth)] if row[3] >= 0 else []
    number: list[Any] = module.expressions[row[3]] if row[3] >= 0 else ["?", 0]
    for base in resolver.follow(module.path, row[2], frames, depth):
        if base.kind == "external":
            if base.symbol in ENVIRONMENT:
                yield from (variable(key, base.chain) for key in keys if key)
            elif module.dialect.nested and (read := list(configuration.under(resolver, base, keys))):
                yield from read
            elif base.ref >= 0:
                yield base._replace(symbol=f"{base.symbol}[]")  # a part of what a call gave
            else:
                yield base  # Agent[Context]: the same class
        elif base.kind == "class":
            yield base
        elif base.kind == "value":
            inner = resolver.modules[base.path].expressions[base.ref]
            if inner[0] == "d":
                for key in keys:
                    if key is not None:
                        yield from at_key(resolver, base, inner, key, depth)
                if not keys:
                    for name, value in inner[2]:
                        if name != "**":
                            yield from resolver.follow(base.path, value, base.frames, depth)
            elif inner[0] == "l" and number[0] == "n" and 0 <= int(number[2]) < len(inner[2]):
                yield from resolver.follow(base.path, inner[2][int(number[2])], base.frames, depth)


def at_key(resolver: Resolver, base: Target, row: list[Any], key: str, depth: int) -> Iterator[Target]:
    """What a dictionary literal holds under a key."""
    for name, value in row[2]:
        if name == key:
            step = f"{key}: … ({base.path}:{resolver.modules[base.path].line(value)})"
            yield from stepped(resolver.follow(base.path, value, base.frames, depth), step)
        elif name == "**":  # often of itself: headers = {"a": …, **headers}
            for spread in resolver.follow(base.path, value, base.frames, depth + _SPREAD):
                yield from resolver.member(spread, key, depth + _SPREAD)


def under(
    resolver: Resolver, module: Module, holder: int, args: list[int], frames: Frames, depth: int
) -> Iterator[Target]:
    """``base.get(key, default)`` of a mapping that is written out; nothing where it is not."""
    for base in resolver.follow(module.path, holder, frames, depth):
        written = base.kind in ("value", "external") and base.ref >= 0
        row: list[Any] = resolver.modules[base.path].expressions[base.ref] if written else ["?"]
        if base.kind == "value" and row[0] == "d":
            pairs = row
        elif base.kind == "external" and base.symbol.removesuffix("()") in PAIRS and row[0] == "c":
            pairs = ["d", row[1], _paired(resolver, base, row[3], depth)]
        else:
            continue
        for key in resolver.texts(module.path, args[0], frames, depth):
            if key.value is not None:
                yield from at_key(resolver, base, pairs, key.value, depth)
        for default in args[1:2]:
            yield from resolver.follow(module.path, default, frames, depth)


def _paired(resolver: Resolver, base: Target, args: list[int], depth: int) -> list[list[Any]]:
    keys = (resolver.texts(base.path, key, base.frames, depth) for key in args[::2][:MAX_ITEMS])
    return [[texts[0].value, value] for texts, value in zip(keys, args[1::2], strict=False) if texts]


def elements(resolver: Resolver, module: Module, row: list[Any], frames: Frames, depth: int) -> Iterator[Target]:
    """``for x in base``: what x may be."""
    for target in resolver.follow(module.path, row[2], frames, depth):
        if target.kind == "value":
            yield from items(resolver, target, depth)
        elif target.kind == "class":  # iterating an enum
            inner = resolver.modules[target.path]
            for assigned in inner.assigned:
                if assigned[0] == target.ref and assigned[2] >= 0:
                    yield from resolver.follow(target.path, assigned[2], (), depth)
        elif target.kind == "external" and target.ref >= 0:
            yield target._replace(symbol=f"{target.symbol}[]")


def items(resolver: Resolver, target: Target, depth: int = 0) -> Iterator[Target]:
    """The targets of what a list or dictionary literal holds; spread lists are opened, each once."""
    todo, seen, left = [target], {(target.path, target.ref)}, MAX_ITEMS
    while todo:
        at = todo.pop()
        expressions = resolver.modules[at.path].expressions
        row = expressions[at.ref]
        held = row[2] if row[0] == "l" else [value for _, value in row[2]] if row[0] == "d" else []
        spread = {value for name, value in row[2] if name == "**"} if row[0] == "d" else set()
        for part in held:
            opens = part in spread or expressions[part][0] in "*o"
            for inner in resolver.follow(at.path, part, at.frames, depth + 1):
                left -= 1
                if left < 0:
                    return
                place = (inner.path, inner.ref)
                if opens and inner.kind == "value" and resolver.modules[inner.path].expressions[inner.ref][0] in "ld":
                    if place not in seen:
                        seen.add(place)
                        todo.append(inner)
                else:
                    yield inner
