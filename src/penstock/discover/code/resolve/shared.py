"""Names and classes that several files of a package share (Go, Java)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from penstock.discover.code.ir import BASES, CLASS, KIND, NAME, PARAMS, PARENT
from penstock.discover.code.resolve.bounds import MAX_DEPTH
from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.targets import Frames, Target, stepped

if TYPE_CHECKING:
    from penstock.discover.code.resolve.resolver import Resolver


def name(
    resolver: Resolver, module: Module, name: str, scope: int, depth: int, frames: Frames = ()
) -> Iterator[Target]:
    """A name that another file of the package declares, or first, where a language has that, a class around."""
    while scope > 0 and module.dialect.outer_fields and depth < MAX_DEPTH:
        if module.scopes[scope][KIND] == CLASS:
            found = False
            this = Target("instance", module.path, -1, scope=scope, frames=frames)
            for target in resolver.member(this, name, depth + 1):
                if target.kind == "external" and name[:1].isupper() and module.dialect.shares == "source":
                    continue  # a constant of a gem is no member of a class of another
                found = True
                yield target
            if found:
                return
        elif (params := module.scopes[scope][PARAMS]) and params[0][0] == "this" and name not in module.dialect.prelude:
            for receiver in resolver.follow(module.path, params[0][2], (), depth):  # in a function on a receiver
                for made in _made(receiver):
                    yield from resolver.member(made, name, depth + 1)
        scope = module.scopes[scope][PARENT]
    for path in resolver.packages.declaring(module, name):
        if path != module.path and depth < MAX_DEPTH:
            yield from resolver.top(resolver.modules[path], name, depth + 1)


def _made(kind: Target) -> Iterator[Target]:
    """Something of a type."""
    if kind.kind == "class":
        yield Target("instance", kind.path, -1, scope=kind.ref)
    elif kind.kind == "external" and "." in kind.symbol:
        yield kind._replace(symbol=f"{kind.symbol}()")


def field(resolver: Resolver, base: Target, module: Module, scope: int, attribute: str, depth: int) -> Iterator[Target]:
    """A field or method of a class that is declared in several places, or whose fields callers fill in."""
    parts = resolver.packages.parts(module, scope)
    found = False
    for targets in (_method(resolver, base, parts, (module.path, scope), attribute),
                    _set(resolver, base, parts, str(module.scopes[scope][NAME]), attribute, depth)):  # fmt: skip
        for target in targets:
            found = True
            yield target
    if base.kind == "instance" and base.ref < 0 and not found:
        for path, call in resolver.calls.making(parts, str(module.scopes[scope][NAME]), depth):
            row = resolver.modules[path].expressions[call]
            if attribute in row[4]:
                found = True
                step = f"{attribute} given to {module.scopes[scope][NAME]} ({path}:{row[1]})"
                yield from stepped(resolver.follow(path, row[4][attribute], (), depth), step)
    for path, part in parts:
        inner = resolver.modules[path]
        for kind, number in inner.bindings.get((part, attribute), ()):
            if kind == "assign" and not found:
                yield from resolver.follow(path, inner.assigned[number][2], base.frames, depth)
                found = True
        if not found and depth <= MAX_DEPTH - 5 and inner.dialect.embeds:
            yield from _embedded(resolver, base, inner, part, attribute, depth)


def _method(
    resolver: Resolver, base: Target, parts: list[tuple[str, int]], own: tuple[str, int], attribute: str
) -> Iterator[Target]:
    for path, part in parts:
        inner = resolver.modules[path]
        for kind, number in inner.bindings.get((part, attribute), ()) if (path, part) != own else ():
            if kind == "scope" and inner.scopes[number][KIND] != CLASS:
                yield Target("function", path, number, frames=base.frames)
            elif kind == "scope" and inner.dialect.shares == "source":
                yield Target("class", path, number)


def _set(
    resolver: Resolver, base: Target, parts: list[tuple[str, int]], owner: str, attribute: str, depth: int
) -> Iterator[Target]:
    for path, part in parts:
        inner = resolver.modules[path]
        for row in inner.sets.get(attribute, ()):
            if inner.is_inside(row[0], part) and any(
                t.kind == "instance" and (t.path, t.scope) in parts for t in resolver.follow(path, row[1], (), depth)
            ):
                step = f"{owner}.{attribute} ({path}:{row[4]})"
                yield from stepped(resolver.follow(path, row[3], base.frames, depth), step)


def _embedded(
    resolver: Resolver, base: Target, module: Module, scope: int, attribute: str, depth: int
) -> Iterator[Target]:
    """What is embedded in a struct is a field of its own name, and its members are the struct's."""
    for parent in module.scopes[scope][BASES]:
        embedded = module.expressions[parent]
        name = embedded[3] if embedded[0] == "a" else embedded[2]
        if embedded[0] in "ra" and name != attribute:
            for target in resolver.member(base._replace(path=module.path, scope=scope), str(name), depth + 1):
                yield from resolver.member(target, attribute, depth + 1)
