"""What an expression stands for: names, imports, defaults, fields, enums, environment, across the files of a source.

``Resolver.follow`` answers the *targets* of an expression (what it may be), ``Resolver.texts`` the strings it may hold.
Every answer carries the chain of steps that led to it. What cannot be followed is answered as unknown with a reason
("from env MODEL_ID"), never guessed. Work is bounded by depth, by answers per expression and by steps per source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from penstock.discover.code.ir import BASES, FUNCTION, KIND, PARENT
from penstock.discover.code.resolve import calls, items, members, names, texts
from penstock.discover.code.resolve.bounds import MAX_DEPTH, MAX_STEPS
from penstock.discover.code.resolve.callers import Callers
from penstock.discover.code.resolve.configuration import Bound, key_of
from penstock.discover.code.resolve.files import Files
from penstock.discover.code.resolve.module import Module, Shelf
from penstock.discover.code.resolve.packages import Packages
from penstock.discover.code.resolve.projects import added, share_usings
from penstock.discover.code.resolve.tables import Tables
from penstock.discover.code.resolve.targets import MAX_TARGETS, Frames, Target, Text, distinct
from penstock.discover.collector import Fact
from penstock.discover.spool import Facts

#: Bases of bases of a class that are looked at.
_MAX_BASES = 6
#: Steps that a source of very many files may take for each. Sources that are full of AI take 25 to 60 (public SDKs).
_STEPS_A_FILE = 300
#: Bytes of IR, as it is written, of which the values are held at a time; those take 20 times as much.
_MOST_HELD = 5_000_000
#: Answers that are remembered; beyond, all are forgotten, between questions. Here so that what is found never depends
#: on how much memory there is.
_MOST_REMEMBERED = 400_000


class Resolver:
    """Follows expressions through the modules of one source."""

    def __init__(
        self,
        facts: Iterable[Fact],
        env: Iterable[Fact] = (),
        known: Mapping[str, str] | None = None,
    ) -> None:
        """Args: known: external symbol suffix → its string value (enum members of packages)."""
        self.tables = Tables()
        self.modules: dict[str, Module] = {}
        for module in _modules(facts):
            self.modules[module.path] = module
            self.tables.take(module)
        self.tables.close()
        self.known = known or {}
        self.env = _environment(env)
        self.settings = {key_of(name): rows for name, rows in self.env.items()}
        self.packages = Packages(self.modules)
        share_usings(self.modules, self.packages, self.tables.usings)
        self.bound = Bound(self)
        self.files = Files(self.modules, self.packages)
        self.calls = Callers(self)
        self._memo: dict[tuple[str, int, Frames], list[Target]] = {}
        self._busy: set[tuple[str, int, Frames]] = set()
        self.steps = 0
        self.most = max(MAX_STEPS, len(self.modules) * _STEPS_A_FILE)

    @property
    def exhausted(self) -> bool:
        """Whether the bound on work was met, so that later answers are missing."""
        return self.steps > self.most

    def follow(self, path: str, expression: int, frames: Frames = (), depth: int = 0) -> list[Target]:
        """What the expression may be; empty when nothing is known about it."""
        level = len(self._busy)
        if expression < 0 or max(depth, level) > MAX_DEPTH or self.steps > self.most:
            return []
        key = (path, expression, frames)
        self.steps += 1
        if key in self._memo:
            return self._memo[key]
        if not level and len(self._memo) > _MOST_REMEMBERED:
            self._memo.clear()
        if key in self._busy:
            return []
        self._busy.add(key)
        found = distinct(self._targets(self.modules[path], expression, frames, depth + 1))
        self._busy.discard(key)
        if max(depth, level) < MAX_DEPTH // 2 or found:
            self._memo[key] = found
        return found

    def _targets(self, module: Module, expression: int, frames: Frames, depth: int) -> Iterator[Target]:
        row = module.expressions[expression]
        op = row[0]
        if op in "sSfnbld0":
            if op == "f" and len(row[2]) == 1:
                yield from self.follow(module.path, row[2][0], frames, depth)
                return
            yield Target("value", module.path, expression, frames=frames)
        elif op == "r":
            yield from names.name(self, module, row[2], row[3], frames, depth)
        elif op == "a":
            for base in self.follow(module.path, row[2], frames, depth):
                yield from members.member(self, base, row[3], depth)
            if row[3] in self.tables.added:
                yield from added(self, module, row, frames, depth)
        elif op == "i":
            yield from items.item(self, module, row, frames, depth)
        elif op == "c":
            yield from calls.call(self, module, expression, row, frames, depth)
        elif op == "o":
            for choice in row[2]:
                yield from self.follow(module.path, choice, frames, depth)
        elif op == "x":
            yield Target(module.kind_of(row[2]), module.path, row[2], frames=frames)
        elif op == "*":
            yield from self.follow(module.path, row[2], frames, depth)
        elif op == "t":
            yield from names.made(self.follow(module.path, row[2], frames, depth))
        elif op == "e":
            yield from items.elements(self, module, row, frames, depth)

    def top(self, module: Module, name: str, depth: int = 0) -> Iterator[Target]:
        """What a name at the top of a file may be."""
        return names.name(self, module, name, 0, (), depth)

    def member(self, base: Target, attribute: str, depth: int = 0) -> Iterator[Target]:
        """What ``base.attribute`` may be."""
        return members.member(self, base, attribute, depth)

    def assigned_to(self, symbol: str, depth: int = 0) -> list[Target]:
        """What the source assigns to a name of a package (``Settings.llm = …``)."""
        return members.assigned_to(self, symbol, depth)

    def items(self, target: Target, depth: int = 0) -> Iterator[Target]:
        """The targets of what a list or dictionary literal holds; spread lists are opened, each once."""
        return items.items(self, target, depth)

    def locate(self, importer: str, source: str) -> str:
        """The file of the source that an import names; empty for a package from elsewhere."""
        return self.files.locate(importer, source)

    def texts(self, path: str, expression: int, frames: Frames = (), depth: int = 0) -> list[Text]:
        """The strings that the expression may hold, known or not."""
        found: list[Text] = []
        for target in self.follow(path, expression, frames, depth):
            found += texts.text_of(self, target, depth)
            if len(found) >= MAX_TARGETS:
                break
        return list(dict.fromkeys(found))

    def text_of(self, target: Target, depth: int = 0) -> list[Text]:
        """The strings that a target may hold."""
        return texts.text_of(self, target, depth)

    def base_symbols(self, path: str, scope: int, depth: int = 0) -> list[str]:
        """The external classes that a class of the source extends, its bases' bases included."""
        found: list[str] = []
        if depth < _MAX_BASES:
            for parent in self.modules[path].scopes[scope][BASES]:
                for target in self.follow(path, parent):
                    if target.kind == "external":
                        found.append(target.symbol)
                    elif target.kind == "class" and (target.path, target.ref) != (path, scope):
                        found += self.base_symbols(target.path, target.ref, depth + 1)
        return found

    def enclosing(self, path: str, scope: int) -> Iterator[int]:
        """The functions around a scope, innermost first, itself included."""
        module = self.modules[path]
        while scope > 0:
            if module.scopes[scope][KIND] == FUNCTION:
                yield scope
            scope = module.scopes[scope][PARENT]


def _modules(facts: Iterable[Fact]) -> Iterator[Module]:
    """The files of a source, read for the first time; of a source that was kept aside, some are held at a time."""
    if not isinstance(facts, Facts):
        yield from (Module(fact.path, fact.value) for fact in facts)
        return
    shelf = Shelf(_MOST_HELD)
    for number, path in enumerate(facts.paths):
        yield Module(path, partial(facts.data, number), shelf)


def _environment(facts: Iterable[Fact]) -> dict[str, list[tuple[str, str]]]:
    """Variable → the values that configuration gives it, and where."""
    found: dict[str, list[tuple[str, str]]] = {}
    for fact in facts:
        given: Any = fact.value
        if isinstance(given, Mapping):
            given = (given.get("name", ""), given.get("value", ""), fact.path, given.get("line", ""))
        name, value, path, line = (*given, "", "", "", "")[:4]
        where = f"{path or fact.path}:{line}" if line else str(path or fact.path)
        found.setdefault(str(name), []).append((str(value), where))
    return found
