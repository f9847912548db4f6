"""The IR of one file, indexed by what the resolver asks."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from penstock.discover.code.ir import BASES, CLASS, KIND, NAME, PARAMS, PARENT
from penstock.discover.code.resolve.dialects import DIALECTS


class Written(msgspec.Struct):
    """A module as it is kept: what is known at once, and its tables, each decoded when it is asked for."""

    language: str
    expressions: msgspec.Raw
    scopes: msgspec.Raw
    imports: msgspec.Raw
    assigns: msgspec.Raw
    sets: msgspec.Raw
    package: str = ""
    broken: int = 0


_written = msgspec.msgpack.Decoder(Written)
_rows = msgspec.msgpack.Decoder(list[list[Any]])


class Module:
    """One file of the source. What it holds comes when it is asked for, and may be let go meanwhile.

    ``bindings``: (scope, name) → where it is bound: ``("assign", row)``, ``("import", row)``, ``("scope", scope)`` or
    ``("param", place)``. ``name_of``: expression → the name it was assigned to, or the class that it is a base of.
    """

    __slots__ = ("_load", "_shelf", "_value", "assigned", "bindings", "broken", "calls", "dialect", "expressions",
                 "family", "given", "imports", "language", "name_of", "package", "path", "scopes", "sets",
                 "stars")  # fmt: skip

    expressions: list[list[Any]]
    scopes: list[list[Any]]
    imports: list[list[Any]]
    assigned: list[list[Any]]
    sets: dict[str, list[list[Any]]]
    bindings: dict[tuple[int, str], list[tuple[str, int]]]
    stars: list[int]
    calls: list[int]
    name_of: dict[int, str]

    def __init__(self, path: str, value: Mapping[str, Any] | Callable[[], bytes], shelf: Shelf | None = None) -> None:
        """Args: value: the IR, or what reads it; then ``shelf`` says how much of it is held."""
        self.path = path
        self._load = value if callable(value) else None
        self._value: Any = value
        self._shelf = shelf
        #: what other files import for this one
        self.given: list[list[Any]] = []
        said = self._said()
        self.language: str = said("language")
        self.dialect = DIALECTS[self.language]
        self.family = self.dialect.family or self.language
        self.package: str = said("package", "")
        self.broken = bool(said("broken", 0))

    def __getattr__(self, name: str) -> Any:
        """What is not here: it was let go, or nobody asked for it so far."""
        make = _MADE.get(name)
        if make is None:
            raise AttributeError(name)
        make(self)
        return object.__getattribute__(self, name)

    def let_go(self, names: Iterable[str] = ()) -> None:
        """Hold no more of what can be read or made again."""
        for name in names or _MADE:
            with contextlib.suppress(AttributeError):
                object.__delattr__(self, name)
        if self._load is not None and not names:
            self._value = self._load

    def give(self, rows: list[list[Any]]) -> None:
        """Let the file import what others import for it."""
        self.given = rows
        self.let_go(("imports", "bindings", "stars"))

    def _said(self) -> Callable[..., Any]:
        """What reads a part of the IR as it is written."""
        if self._load is None:
            get: Callable[..., Any] = self._value.get
            return get
        if self._value is self._load:
            data = self._load()
            self._value = _written.decode(data)
            if self._shelf is not None:
                self._shelf.put(self, len(data))
        written = self._value

        def part(name: str, *_default: object) -> Any:
            found = getattr(written, name)
            return _rows.decode(found) if isinstance(found, msgspec.Raw) else found

        return part

    def _find_imports(self) -> None:
        self.imports = [*self._said()("imports"), *self.given]

    def _find_expressions(self) -> None:
        self.expressions = self._said()("expressions")

    def _find_scopes(self) -> None:
        self.scopes = self._said()("scopes")

    def _find_assigned(self) -> None:
        self.assigned = self._said()("assigns")

    def _find_sets(self) -> None:
        self.sets = {}
        for row in self._said()("sets"):
            self.sets.setdefault(row[2], []).append(row)

    def _find_calls(self) -> None:
        self.calls = [number for number, row in enumerate(self.expressions) if row[0] == "c"]

    def _find_bindings(self) -> None:
        bindings: dict[tuple[int, str], list[tuple[str, int]]] = {}
        self.bindings = bindings
        self.stars = []
        for number, row in enumerate(self.imports):
            if row[1] in ("*", "**"):
                self.stars.append(number)
            elif row[1]:
                bindings.setdefault((row[0], row[1]), []).append(("import", number))
        for number, scope in enumerate(self.scopes):
            if number and scope[NAME]:
                bindings.setdefault((scope[PARENT], scope[NAME]), []).append(("scope", number))
            for place, param in enumerate(scope[PARAMS]):
                bindings.setdefault((number, param[0]), []).append(("param", place))
        for number, row in enumerate(self.assigned):
            if row[2] >= 0:
                bindings.setdefault((row[0], row[1]), []).append(("assign", number))

    def _find_names(self) -> None:
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


_MADE: Mapping[str, Callable[[Module], None]] = {
    "expressions": Module._find_expressions,
    "scopes": Module._find_scopes,
    "imports": Module._find_imports,
    "assigned": Module._find_assigned,
    "sets": Module._find_sets,
    "calls": Module._find_calls,
    "bindings": Module._find_bindings,
    "stars": Module._find_bindings,
    "name_of": Module._find_names,
}


class Shelf:
    """The modules of which something is held, up to a number of bytes as written; those read longest ago are let go."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._size = 0
        self._held: deque[tuple[Module, int]] = deque()

    def put(self, module: Module, size: int) -> None:
        self._held.append((module, size))
        self._size += size
        while self._size > self.most and len(self._held) > 1:
            oldest, size = self._held.popleft()
            self._size -= size
            oldest.let_go()
