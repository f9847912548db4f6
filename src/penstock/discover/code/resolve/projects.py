"""What files of a project share beside their packages: usings that hold everywhere, methods added to other types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from penstock.discover.code.ir import PARAMS
from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.packages import Packages
from penstock.discover.code.resolve.targets import Frames, Target

if TYPE_CHECKING:
    from penstock.discover.code.resolve.resolver import Resolver


def share_usings(modules: Mapping[str, Module], packages: Packages, usings: Mapping[str, list[list[Any]]]) -> None:
    """Give every file of a project what one of them, or the project file, imports for all (``global using``).

    Args: usings: such rows by the file that has them.
    """
    shared: dict[str, list[list[Any]]] = {}  # folder of a project → its usings
    for path, rows in usings.items():
        shared.setdefault(packages.project(path), []).extend(rows)
    for path, module in modules.items() if shared else ():
        rows = shared.get(packages.project(path), []) if module.dialect.nested else []
        if rows:
            own = {row[2] for row in module.imports}
            module.give(list({str(row[2]): row for row in rows if row[2] not in own}.values()))


def added(resolver: Resolver, module: Module, row: list[Any], frames: Frames, depth: int) -> Iterator[Target]:
    """The methods of the source that ``base.name`` may call; of several those that are added to the type of base."""
    found = [
        Target("function", path, scope)
        for path, scope in resolver.tables.added[row[3]]
        if resolver.modules[path].language == module.language
    ]
    if len(found) > 1:
        bases = {t.symbol for t in resolver.follow(module.path, row[2], frames, depth) if t.kind == "external"}
        exact = [each for each in found if _receives(resolver, each) & bases]
        found = exact or found
    yield from found


def _receives(resolver: Resolver, method: Target) -> set[str]:
    """What the receiver of a method is, as a symbol."""
    kind = resolver.modules[method.path].scopes[method.ref][PARAMS][0][2]
    return {f"{t.symbol}()" for t in resolver.follow(method.path, kind) if t.kind == "external"} if kind >= 0 else set()
