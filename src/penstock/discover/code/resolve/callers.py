"""Who calls a function of the source, and who makes something of a class of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from penstock.discover.code.ir import NAME, PARENT
from penstock.discover.code.resolve.bounds import MAX_CALLERS, MAX_DEPTH
from penstock.discover.code.resolve.known import CONSTRUCTORS

if TYPE_CHECKING:
    from penstock.discover.code.resolve.resolver import Resolver

#: Calls of the same last name that are followed to see whether they mean the function.
_MAX_LOOKED_AT = MAX_CALLERS * 4


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
        for at, call in self._by_name.get(name, ())[:_MAX_LOOKED_AT]:
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
            for at, call in self._by_name.get(name, ())[:_MAX_LOOKED_AT]:
                row = self.resolver.modules[at].expressions[call]
                targets = self.resolver.follow(at, row[2], (), depth + 8) if row[4] else ()
                if any(t.kind == "class" and (t.path, t.ref) in parts for t in targets):
                    self._made[parts[0]].append((at, call))
        return self._made[parts[0]][:MAX_CALLERS]

    @cached_property
    def _by_name(self) -> dict[str, list[tuple[str, int]]]:
        found: dict[str, list[tuple[str, int]]] = {}
        for module in self.resolver.modules.values():
            for call in module.calls:
                callee = module.expressions[module.expressions[call][2]]
                if callee[0] == "a" and callee[3] == "new":
                    callee = module.expressions[callee[2]]
                key = callee[2] if callee[0] == "r" else callee[3] if callee[0] == "a" else ""
                if key and isinstance(key, str):
                    found.setdefault(key, []).append((module.path, call))
        return found
