"""The IR of one file, indexed by what the resolver asks."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from penstock.discover.code.ir import BASES, CLASS, KIND, NAME, PARAMS, PARENT
from penstock.discover.code.resolve.dialects import DIALECTS

#: What a module holds of its tables as they were written, and what is made of them. Either comes when it is asked for.
_TABLES = frozenset({"expressions", "scopes", "imports", "assigned", "sets"})
_INDEX = frozenset({"bindings", "stars", "calls", "name_of"})


class Module:
    """One file of the source.

    ``bindings``: (scope, name) → where it is bound: ``("assign", row)``, ``("import", row)``, ``("scope", scope)`` or
    ``("param", place)``. ``name_of``: expression → the name it was assigned to, or the class that it is a base of.
    """

    __slots__ = ("_load", "_shelf", "broken", "dialect", "family", "given", "language", "package", "path",
                 *sorted(_TABLES), *sorted(_INDEX))  # fmt: skip

    expressions: list[list[Any]]
    scopes: list[list[Any]]
    imports: list[list[Any]]
    assigned: list[list[Any]]
    sets: dict[str, list[list[Any]]]
    bindings: dict[tuple[int, str], list[tuple[str, int]]]
    stars: list[int]
    calls: list[int]
    name_of: dict[int, str]

    def __init__(
        self,
        path: str,
        value: Mapping[str, Any],
        load: Callable[[], Mapping[str, Any]] | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        """Args: load: reads the value again, when ``shelf`` has let go of it."""
        self.path = path
        self.language: str = value["language"]
        self.dialect = DIALECTS[self.language]
        self.family = self.dialect.family or self.language
        self.package: str = value.get("package", "")
        self.broken = bool(value.get("broken"))
        #: what other files import for this one
        self.given: list[list[Any]] = []
        self._load = load
        self._shelf = shelf
        self._hold(value)

    def __getattr__(self, name: str) -> Any:
        """What is not there now: a slot that was let go, or was not needed so far."""
        if name in _TABLES and self._load is not None:
            self._hold(self._load())
        elif name in _INDEX:
            self._find()
        else:
            raise AttributeError(name)
        return object.__getattribute__(self, name)

    def let_go(self, names: Iterable[str] = (*_TABLES, *_INDEX)) -> None:
        """Hold no more of what can be read or made again."""
        for name in names:
            with contextlib.suppress(AttributeError):
                object.__delattr__(self, name)

    def give(self, rows: list[list[Any]]) -> None:
        """Let the file import what others import for it."""
        with contextlib.suppress(AttributeError):
            self.imports = [*object.__getattribute__(self, "imports"), *rows]
        self.given = rows
        self.let_go(_INDEX)

    def _hold(self, value: Mapping[str, Any]) -> None:
        self.expressions = value["expressions"]
        self.scopes = value["scopes"]
        self.imports = [*value["imports"], *self.given] if self.given else value["imports"]
        self.assigned = value["assigns"]
        self.sets = {}
        for row in value["sets"]:
            self.sets.setdefault(row[2], []).append(row)
        if self._shelf is not None:
            self._shelf.put(self)

    def _find(self) -> None:
        self.bindings = {}
        self.stars = []
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
        for number, row in enumerate(self.assigned):
            if row[2] >= 0:
                self.bindings.setdefault((row[0], row[1]), []).append(("assign", number))
        self.calls = [i for i, row in enumerate(self.expressions) if row[0] == "c"]
        self.name_of = {row[2]: row[1] for row in self.assigned if row[2] >= 0}
        if self.dialect.builders or self.dialect.chains:
            self._name_chains()
        for scope in self.scopes:
            for base in scope[BASES] if scope[KIND] == CLASS else ():
                self.name_of.setdefault(base, scope[NAME])

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


class Shelf:
    """The modules whose tables are held, up to a number of rows; those that were read longest ago are let go."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._rows = 0
        self._held: deque[tuple[Module, int]] = deque()

    def put(self, module: Module) -> None:
        rows = len(module.expressions) + len(module.scopes)
        self._held.append((module, rows))
        self._rows += rows
        while self._rows > self.most and len(self._held) > 1:
            oldest, rows = self._held.popleft()
            self._rows -= rows
            oldest.let_go()
