"""The IR of one file, indexed by what the resolver asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.discover.code.ir import CLASS, KIND, NAME, PARAMS, PARENT
from penstock.discover.code.resolve.dialects import DIALECTS


class Module:
    """One file of the source.

    ``bindings``: (scope, name) → where it is bound: ``("assign", row)``, ``("import", row)``, ``("scope", scope)`` or
    ``("param", place)``. ``name_of``: expression → the name it was assigned to.
    """

    def __init__(self, path: str, value: Mapping[str, Any]) -> None:
        self.path = path
        self.language: str = value["language"]
        self.dialect = DIALECTS[self.language]
        self.family = self.dialect.family or self.language
        self.package: str = value.get("package", "")
        self.broken = bool(value.get("broken"))
        self.expressions: list[list[Any]] = value["expressions"]
        self.scopes: list[list[Any]] = value["scopes"]
        self.imports: list[list[Any]] = value["imports"]
        self.bindings: dict[tuple[int, str], list[tuple[str, int]]] = {}
        self.stars: list[int] = []
        for number, row in enumerate(self.imports):
            if row[1] in ("*", "**"):
                self.stars.append(number)
            elif row[1]:
                self.bindings.setdefault((row[0], row[1]), []).append(("import", number))
        for number, scope in enumerate(self.scopes):
            if number and scope[NAME]:
                self.bindings.setdefault((scope[PARENT], scope[NAME]), []).append(("scope", number))
            for place, param in enumerate(scope[PARAMS]):
                self.bindings.setdefault((number, param[0]), []).append(("param", place))
        self.assigned: list[list[Any]] = value["assigns"]
        for number, row in enumerate(self.assigned):
            if row[2] >= 0:
                self.bindings.setdefault((row[0], row[1]), []).append(("assign", number))
        self.sets: dict[str, list[list[Any]]] = {}
        for row in value["sets"]:
            self.sets.setdefault(row[2], []).append(row)
        self.calls = [i for i, row in enumerate(self.expressions) if row[0] == "c"]
        self.name_of = {row[2]: row[1] for row in self.assigned if row[2] >= 0}
        if self.dialect.builders or self.dialect.chains:
            self._name_chains()

    def _name_chains(self) -> None:
        """A builder is known by the name of what it builds: ``model = X.builder().name("…").build()``."""
        for built, name in list(self.name_of.items()):
            at = built
            while self.expressions[at][0] == "c" and self.expressions[self.expressions[at][2]][0] == "a":
                at = self.expressions[self.expressions[at][2]][2]
                self.name_of.setdefault(at, name)

    def line(self, expression: int) -> int:
        return int(self.expressions[expression][1])

    def lookup(self, name: str, scope: int) -> tuple[int, list[tuple[str, int]]]:
        """The bindings of a name seen from a scope, and the scope that holds them."""
        at, first = scope, True
        while at >= 0:
            if (first or self.scopes[at][KIND] != CLASS) and (found := self.bindings.get((at, name))):
                return at, found
            at, first = self.scopes[at][PARENT], False
        return -1, []

    def kind_of(self, scope: int) -> str:
        """``class`` or ``function``, as targets call it."""
        return "class" if self.scopes[scope][KIND] == CLASS else "function"

    def is_inside(self, scope: int, owner: int) -> bool:
        """Whether a scope is another one or lies in it."""
        while scope > 0:
            if scope == owner:
                return True
            scope = self.scopes[scope][PARENT]
        return False
