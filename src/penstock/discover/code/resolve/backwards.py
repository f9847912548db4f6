"""The ways back from an expression: what wraps it, which field holds it, what the source puts under a name."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from penstock.discover.code.resolve.known import GROWS

if TYPE_CHECKING:
    from penstock.discover.code.resolve.module import Module
    from penstock.discover.code.resolve.resolver import Resolver


class Backwards:
    """Tables of a source that are made when they are first asked for, so that each question costs one look."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.wrappers = cache(self._wrappers)
        self.fields = cache(self._fields)
        self._sets: dict[str, list[tuple[Module, list[Any]]]] | None = None
        self._growth: dict[str, list[tuple[Module, int]]] | None = None

    def _wrappers(self, path: str) -> dict[int, int]:
        """In one file: expression → the first that is only another form of it (``*``)."""
        found: dict[int, int] = {}
        for number, row in enumerate(self.resolver.modules[path].expressions):
            if row[0] == "*":
                found.setdefault(row[2], number)
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
        if self._sets is None:
            self._sets = {}
            for module in self.resolver.modules.values():
                for field, rows in module.sets.items():
                    self._sets.setdefault(field, []).extend((module, row) for row in rows)
        return self._sets.get(name, [])

    def growth(self, name: str) -> list[tuple[Module, int]]:
        """Every call in the source that adds to something known by this last name: ``name.append(…)``."""
        if self._growth is None:
            self._growth = {}
            for module in self.resolver.modules.values():
                for call in module.calls:
                    callee = module.expressions[module.expressions[call][2]]
                    if callee[0] == "a" and callee[3] in GROWS:
                        base = module.expressions[callee[2]]
                        key = base[2] if base[0] == "r" else base[3] if base[0] == "a" else ""
                        self._growth.setdefault(str(key), []).append((module, call))
        return self._growth.get(name, [])
