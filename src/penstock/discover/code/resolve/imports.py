"""What an import brings: a module, something in one, or a name of a package from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from penstock.discover.code.resolve import crates
from penstock.discover.code.resolve.bounds import MAX_DEPTH
from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.targets import Target

if TYPE_CHECKING:
    from penstock.discover.code.resolve.resolver import Resolver

#: Files that declare the same class of a package: so many are looked at.
_MAX_HOLDERS = 4


def imported(resolver: Resolver, module: Module, number: int, depth: int, star: str = "") -> Iterator[Target]:
    """What a row of a file's imports brings; ``star``: the name that is looked for in ``import *``."""
    _, _, source, name, _ = module.imports[number]
    name = star or name
    if module.dialect.imports == "class":
        yield from _class(resolver, module, source, name, depth)
        return
    if module.dialect.imports == "crate":
        yield from crates.brought(resolver, module, module.imports[number], name, depth)
        return
    path = resolver.locate(module.path, source)
    if path:
        inner = resolver.modules[path]
        if not name:
            yield Target("module", path, -1)
            return
        if (0, name) in inner.bindings:
            yield from resolver.top(inner, name, depth)
            return
        if nested := resolver.files.submodule(path, name):
            yield Target("module", nested, -1)
            return
        found = False
        for other in inner.stars:
            for target in imported(resolver, inner, other, depth + 1, name) if depth < MAX_DEPTH else ():
                found = True
                yield target
        if found or source.startswith("."):
            return
    if nested := resolver.files.nested(module.path, source, name):
        yield Target("module", nested, -1)
    elif not source.startswith("."):
        yield Target("external", module.path, -1, f"{source}.{name}" if name else source)


def _class(resolver: Resolver, module: Module, source: str, name: str, depth: int) -> Iterator[Target]:
    """A class of a package of the source, something inside one (nested or static), or one from elsewhere."""
    packages, language = resolver.packages, module.family
    if paths := packages.declaring_in(language, source, name):
        for path in paths[:_MAX_HOLDERS]:
            yield from resolver.top(resolver.modules[path], name, depth + 1)
        return
    package, _, owner = source.rpartition(".")
    holders = packages.declaring_in(language, package, owner) if package else []
    for path in holders[:_MAX_HOLDERS]:
        for target in resolver.top(resolver.modules[path], owner, depth + 1):
            yield from resolver.member(target, name, depth + 1)
    if not holders and (language, source) not in packages.files:
        yield Target("external", module.path, -1, f"{source}.{name}" if name else source)
