"""What ``base.name`` may be: a field or method of a class of the source, a name of a module, a name of a package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from penstock.discover.code.ir import BASES, NAME
from penstock.discover.code.resolve import crates, items, shared
from penstock.discover.code.resolve.bounds import MAX_DEPTH
from penstock.discover.code.resolve.known import CONSTRUCTORS, ENVIRONMENT, THIS
from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.tables import MAX_ASSIGNED
from penstock.discover.code.resolve.targets import Frame, Frames, Target, stepped, variable

if TYPE_CHECKING:
    from penstock.discover.code.resolve.resolver import Resolver

#: Members by which what holds an object gives it: ``IOptions<T>.Value``.
_HELD = frozenset({"Value", "CurrentValue", "Result"})


def member(resolver: Resolver, base: Target, attribute: str, depth: int = 0) -> Iterator[Target]:
    """What ``base.attribute`` may be."""
    if depth > MAX_DEPTH:
        return
    if base.kind == "external":
        if base.symbol in ENVIRONMENT and base.symbol.endswith(".env"):
            yield variable(attribute, base.chain)
        elif "()" not in base.symbol and (given := assigned_to(resolver, f"{base.symbol}.{attribute}", depth)):
            yield from given
        else:
            yield base._replace(symbol=f"{base.symbol}.{attribute}")
    elif base.kind == "module":
        inner = resolver.modules[base.path]
        if (0, attribute) in inner.bindings:
            yield from resolver.top(inner, attribute, depth + 1)
        elif resolver.packages.of(inner):
            yield from shared.name(resolver, inner, attribute, 0, depth)
        elif inner.dialect.imports == "crate":
            yield from crates.member(resolver, base, attribute, depth + 1)
        elif nested := resolver.files.submodule(base.path, attribute):
            yield Target("module", nested, -1)
    elif base.kind in ("class", "instance"):
        found = list(field(resolver, base, attribute, depth))
        if attribute == "new" and resolver.modules[base.path].dialect.bare_calls:
            own = [at for at in found if at.kind == "function"]
            found = own or [Target("class", base.path, base.scope if base.kind == "instance" else base.ref)]
        if not found and attribute in _HELD and resolver.modules[base.path].dialect.nested:
            found = [base]
        yield from found
    elif base.kind == "value":
        row = resolver.modules[base.path].expressions[base.ref]
        if row[0] == "d":
            yield from items.at_key(resolver, base, row, attribute, depth)
        elif attribute == "value":  # the value of an enum's member
            yield base
    elif base.kind == "env" and attribute == "value":
        yield base


def assigned_to(resolver: Resolver, symbol: str, depth: int = 0) -> list[Target]:
    """What the source assigns to a name of a package."""
    base, _, attribute = symbol.rpartition(".")
    found: list[Target] = []
    rows = resolver.tables.assigned.get(attribute, ())
    for path, row in rows if depth < MAX_DEPTH - 5 else ():
        holders = resolver.follow(path, row[1], (), depth + 2)
        if any(holder.kind == "external" and holder.symbol == base for holder in holders):
            found += stepped(resolver.follow(path, row[3], (), depth + 2), f"{symbol} = … ({path}:{row[4]})")
    return found


def field(resolver: Resolver, base: Target, attribute: str, depth: int) -> Iterator[Target]:
    """A field or method of a class of the source, or of something of it."""
    module = resolver.modules[base.path]
    scope = base.scope if base.kind == "instance" else base.ref
    owner = module.scopes[scope][NAME]
    made = base.kind == "instance" and base.ref >= 0 and base.symbol in resolver.modules
    frames = _frames(module, scope, base) if made else base.frames
    found = False
    if made and attribute in (call := resolver.modules[base.symbol].expressions[base.ref])[4]:
        found = True
        step = f"{attribute} given to {owner} ({base.symbol}:{call[1]})"
        yield from stepped(resolver.follow(base.symbol, call[4][attribute], base.frames, depth), step)
    for kind, number in module.bindings.get((scope, attribute), ()):
        if kind == "assign":
            row = module.assigned[number]
            if module.expressions[row[2]][0] == "t":
                continue  # only its type is said here: that is asked last
            found = True
            yield from _from_environment(resolver, base, attribute)
            step = f"{owner}.{attribute} ({module.path}:{row[3]})"
            yield from stepped(resolver.follow(module.path, row[2], base.frames, depth), step)
        elif kind == "scope":
            found = True
            yield Target(module.kind_of(number), module.path, number, frames=frames)
    for row in module.sets.get(attribute, ()):
        holder = module.expressions[row[1]]
        if holder[0] == "r" and holder[2] in THIS and module.is_inside(row[0], scope):
            found = True
            step = f"{owner}.{attribute} ({module.path}:{row[4]})"
            yield from stepped(resolver.follow(module.path, row[3], frames, depth), step)
    if not found and depth < MAX_DEPTH:
        for row in module.sets.get(attribute, ())[:MAX_ASSIGNED]:
            if _is_of(resolver, module, row[1], scope, depth):
                found = True
                step = f"{owner}.{attribute} ({module.path}:{row[4]})"
                yield from stepped(resolver.follow(module.path, row[3], (), depth + 1), step)
    if not found and any(row[0] == scope and row[1] == attribute for row in module.assigned):
        yield from _from_environment(resolver, base, attribute, required=True)
    parted = not found and _has_parts(module)
    for target in shared.field(resolver, base, module, scope, attribute, depth) if parted else ():
        found = True
        yield target
    if not found:
        yield from _inherited(resolver, base, module, scope, attribute, depth)


def _has_parts(module: Module) -> bool:
    """Whether a class may be declared in several places, or its fields be given where something of it is made."""
    return bool(module.package) or module.dialect.imports in ("crate", "constant")


def _is_of(resolver: Resolver, module: Module, holder: int, scope: int, depth: int) -> bool:
    """Whether a name stands for something of a class of the same file, made there (Go sets fields after making)."""
    if module.expressions[holder][0] != "r" or module.expressions[holder][2] in THIS:
        return False
    made = resolver.follow(module.path, holder, (), depth + 1)
    return any(at.kind == "instance" and at.path == module.path and at.scope == scope for at in made)


def _inherited(
    resolver: Resolver, base: Target, module: Module, scope: int, attribute: str, depth: int
) -> Iterator[Target]:
    for parent in module.scopes[scope][BASES]:
        for target in resolver.follow(module.path, parent, (), depth):
            if target.kind == "class":
                yield from field(resolver, target, attribute, depth + 1) if depth < MAX_DEPTH else ()
            elif target.kind == "external" and "." in target.symbol:
                suffix = "()" if base.kind == "instance" else ""
                yield Target("external", base.path, base.ref, f"{target.symbol}{suffix}.{attribute}")


def _frames(module: Module, scope: int, made: Target) -> Frames:
    """What the call that made an object passed to its constructor, where it has one."""
    for name in CONSTRUCTORS:
        for kind, number in module.bindings.get((scope, name), ()):
            if kind == "scope":
                return (Frame(module.path, number, made.symbol, made.ref, made.frames),)
    return made.frames


def _from_environment(resolver: Resolver, base: Target, attribute: str, *, required: bool = False) -> Iterator[Target]:
    """The variable that sets a field of a settings class; one without a default (``required``) has no other source."""
    scope = base.scope if base.kind == "instance" else base.ref
    if resolver.modules[base.path].dialect.nested:
        yield from resolver.bound.fields(base.path, scope, attribute)
        return
    if any("BaseSettings" in symbol for symbol in resolver.base_symbols(base.path, scope)):
        for name in (attribute, attribute.upper()):
            if name in resolver.env:
                yield variable(name, ())._replace(path=base.path)
                return
        if required:
            yield variable(attribute.upper(), ())._replace(path=base.path)
