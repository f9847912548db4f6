"""What a call gives back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from penstock.discover.code.constants import holds
from penstock.discover.code.ir import LINE, NAME, RETURNS
from penstock.discover.code.resolve import configuration, items, laravel
from penstock.discover.code.resolve.known import (
    FIELDS,
    JOINS_PATH,
    LOOKS_UP,
    OR_ELSE,
    READS_ENVIRONMENT,
    SAME_ARGUMENT,
    SAME_CALLS,
    SAME_METHODS,
    SAME_OBJECT,
)
from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.targets import Frame, Frames, Target, stepped, variable

if TYPE_CHECKING:
    from penstock.discover.code.resolve.resolver import Resolver


def call(
    resolver: Resolver, module: Module, expression: int, row: list[Any], frames: Frames, depth: int
) -> Iterator[Target]:
    """What a call gives: something of a package, an instance of a class, what a function of the source returns."""
    callee = module.expressions[row[2]]
    if callee[0] == "a" and callee[3] in SAME_METHODS:
        for base in resolver.follow(module.path, callee[2], frames, depth):
            if base.kind in ("value", "env"):
                yield base
            elif base.kind == "instance" and callee[3] in SAME_OBJECT:
                yield base
                return
    elif callee[0] == "a" and callee[3] in OR_ELSE:
        for given in (callee[2], *row[3]):
            yield from resolver.follow(module.path, given, frames, depth)
        return
    elif callee[0] == "a" and callee[3] in LOOKS_UP and row[3]:
        found = list(items.under(resolver, module, callee[2], row[3], frames, depth))
        if found:
            yield from found
            return
    for target in resolver.follow(module.path, row[2], frames, depth):
        if target.kind == "external":
            yield from _external(resolver, module, expression, row, target, frames, depth)
        elif target.kind == "class":
            yield Target("instance", target.path, expression, module.path, target.chain, target.ref, frames)
        elif module.dialect.bare_calls and not row[3] and target.kind in ("value", "env", "instance"):
            yield target
        elif target.kind == "function":
            scope = resolver.modules[target.path].scopes[target.ref]
            inner = (Frame(target.path, target.ref, module.path, expression, frames[:1]), *target.frames[:1])
            step = f"{scope[NAME] or 'a function'} returns ({target.path}:{scope[LINE]})"
            for returned in scope[RETURNS]:
                yield from stepped(resolver.follow(target.path, returned, inner, depth), step)


def _external(
    resolver: Resolver, module: Module, expression: int, row: list[Any], target: Target, frames: Frames, depth: int
) -> Iterator[Target]:
    """What a call of a package gives."""
    symbol, args, names = target.symbol, row[3], row[4]
    if (args or names) and (symbol in READS_ENVIRONMENT or symbol.endswith((".os.getenv", "environ.get"))):
        for text in resolver.texts(module.path, args[0], frames, depth) if args else ():
            if text.value:
                yield variable(text.value, target.chain)
        default = args[1] if len(args) > 1 else names.get("default", -1)
        yield from resolver.follow(module.path, default, frames, depth)
    elif module.dialect.nested and (read := configuration.read(resolver, module, row, target, frames, depth)):
        yield from read
    elif symbol in laravel.READS and module.language == "php":
        yield from laravel.read(resolver, module, args, frames, depth)
    elif symbol in FIELDS:
        default = names.get("default", args[0] if args else -1)
        yield from resolver.follow(module.path, default, frames, depth)
    elif args and holds(symbol):
        yield from resolver.follow(module.path, args[0], frames, depth)
    elif symbol in SAME_CALLS:
        place = SAME_ARGUMENT.get(symbol, 0)
        if len(args) > place:
            yield from resolver.follow(module.path, args[place], frames, depth)
    elif symbol in ("functools.partial", "partial") and args:
        yield from resolver.follow(module.path, args[0], frames, depth)
    elif symbol in JOINS_PATH and args:
        yield Target("external", module.path, expression, f"{symbol}()", target.chain, frames=frames)
    elif module.dialect.builders and symbol.rpartition(".")[0].endswith("uilder()"):  # it gives itself back
        built = f"{symbol}()" if symbol.endswith(".build") else symbol.rpartition(".")[0]
        yield target._replace(symbol=built, ref=target.ref if target.ref >= 0 else expression)
    elif symbol.rpartition(".")[2] in SAME_METHODS and "()" in symbol:
        yield target._replace(symbol=symbol.rpartition(".")[0])
    else:
        yield Target("external", module.path, expression, f"{symbol}()", target.chain, frames=frames)
