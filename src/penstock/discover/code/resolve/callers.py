"""Who calls a function of the source, and who makes something of a class of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.discover.code.ir import NAME, PARENT
from penstock.discover.code.resolve.bounds import MAX_CALLERS, MAX_DEPTH
from penstock.discover.code.resolve.known import CONSTRUCTORS

if TYPE_CHECKING:
    from penstock.discover.code.resolve.resolver import Resolver


class Callers:
    """The calls of a source by the last name of what they call."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self._made: dict[tuple[str, int], list[tuple[str, int]]] = {}

    def of(self, path: str, scope: int, depth: int = 0) -> list[tuple[str, int]]:
        """Calls of a function of the source, wherever its name resolves to it: (file, row)."""
        module = self.resolver.modules[path]
        name = module.scopes[scope][NAME]
        parent = module.scopes[scope][PARENT]
        if name in CONSTRUCTORS and parent >= 0:
            name = module.scopes[parent][NAME]
        if not name or depth > MAX_DEPTH - 10:
            return []
        found = []
        for at, call in self.resolver.tables.called.get(name, ()):
            for target in self.resolver.follow(at, self.resolver.modules[at].expressions[call][2], (), depth + 8):
                if target.path == path and target.kind in ("function", "class") and target.ref in (scope, parent):
                    found.append((at, call))
                    break
            if len(found) >= MAX_CALLERS:
                break
        return found

    def making(self, parts: list[tuple[str, int]], name: str, depth: int = 0) -> list[tuple[str, int]]:
        """Calls with named arguments that make something of a class; ``parts`` are the places that declare it."""
        if depth > MAX_DEPTH - 10 or not parts:
            return []
        if parts[0] not in self._made:
            self._made[parts[0]] = []
            for at, call in self.resolver.tables.called.get(name, ()):
                row = self.resolver.modules[at].expressions[call]
                targets = self.resolver.follow(at, row[2], (), depth + 8) if row[4] else ()
                if any(t.kind == "class" and (t.path, t.ref) in parts for t in targets):
                    self._made[parts[0]].append((at, call))
        return self._made[parts[0]][:MAX_CALLERS]
