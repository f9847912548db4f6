"""The ways back from an expression: what wraps it, which field holds it, what the source puts under a name."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from penstock.discover.code.resolve.known import SAME_METHODS

if TYPE_CHECKING:
    from penstock.discover.code.resolve.module import Module
    from penstock.discover.code.resolve.resolver import Resolver


class Backwards:
    """Tables of a source that are made when they are first asked for, so that each question costs one look."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.wrappers = cache(self._wrappers)
        self.fields = cache(self._fields)
        self._sets: dict[str, list[tuple[Module, list[Any]]]] = {}

    def _wrappers(self, path: str) -> dict[int, int]:
        """In one file: expression → the first that is only another form of it: ``*``, ``x.compile()``."""
        found: dict[int, int] = {}
        rows = self.resolver.modules[path].expressions
        for number, row in enumerate(rows):
            if row[0] == "*":
                found.setdefault(row[2], number)
            elif row[0] == "c" and (callee := rows[row[2]])[0] == "a" and callee[3] in SAME_METHODS:
                found.setdefault(callee[2], number)
        return found

    def _fields(self, path: str) -> dict[int, str]:
        """In one file: expression → the first field that it is assigned to."""
        found: dict[int, str] = {}
        for name, rows in self.resolver.modules[path].sets.items():
            for row in rows:
                found.setdefault(row[3], name)
        return found

    def sets(self, name: str) -> list[tuple[Module, list[Any]]]:
        """Every assignment to a field of this name in the source."""
        if name not in self._sets:
            modules = [self.resolver.modules[path] for path in self.resolver.tables.set.get(name, ())]
            self._sets[name] = [(module, row) for module in modules for row in module.sets[name]]
        return self._sets[name]

    def growth(self, name: str) -> list[tuple[Module, int]]:
        """Every call in the source that adds to a field of this name: ``x.name.append(…)``."""
        return [(self.resolver.modules[path], call) for path, call in self.resolver.tables.grown.get(name, ())]
