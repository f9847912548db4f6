"""Where could something be? One pass over the bytes by hyperscan, or by RE2 where hyperscan has no wheel.

Cores have a fixed width, so that the set of places where one matches is the same on every engine; everything that
depends on greed, order or overlap happens later, in Python, at these places.
"""

from __future__ import annotations

import os
import platform
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from penstock.knowledge.kept import keep, kept


class Scanner:
    """Finds every place in a text where a pattern matches, told in characters.

    ASCII patterns see the text with ``?`` for each other character, so that offsets in bytes are offsets in characters;
    the others see it in UTF-8, and only when it is not ASCII. A line's end stands behind the text, so that a pattern
    may end with a character that no word goes on with.
    """

    def __init__(self, patterns: Sequence[str], *, name: str = "") -> None:
        numbered = dict(enumerate(patterns))
        narrow = {number: pattern for number, pattern in numbered.items() if pattern.isascii()}
        wide = {number: pattern for number, pattern in numbered.items() if not pattern.isascii()}
        self._narrow = engine(narrow, name=name) if narrow else None
        self._wide = engine(wide, name=name) if wide else None

    def ends(self, text: str) -> list[tuple[int, int]]:
        """(number of the pattern, where it ends), each once."""
        plain = text.isascii()
        found = self._narrow.hits(text.encode("ascii", "replace") + b"\n") if self._narrow is not None else []
        if not plain and self._wide is not None:
            data = text.encode("utf-8", "surrogatepass")
            done = characters = 0
            for number, end in self._wide.hits(data):
                characters += len(data[done:end].decode("utf-8", "surrogatepass"))
                done = end
                found.append((number, characters))
        return found


class Engine(Protocol):
    """Finds every place where a core matches."""

    name: str

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        """(number of the core, end offset in bytes), each once, in order of their ends."""


def engine(cores: Mapping[int, str], *, name: str = "") -> Engine:
    """The fastest engine this machine has, or the named one (``hyperscan`` | ``re2``; ``$PENSTOCK_ENGINE``)."""
    wanted = name or os.environ.get("PENSTOCK_ENGINE", "")
    if wanted != "re2":
        try:
            return HyperscanEngine(cores)
        except ImportError:
            if wanted:
                raise
    return Re2Engine(cores)


class HyperscanEngine:
    """All cores in one database. Its scratch space is not shared: one clone a thread."""

    name = "hyperscan"

    def __init__(self, cores: Mapping[int, str]) -> None:
        import hyperscan

        self._hyperscan = hyperscan
        self._database = self._compiled(list(cores), [core.encode() for core in cores.values()])
        self._own = threading.local()

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        self._database.scan(data, match_event_handler=_seen, context=found, scratch=self._scratch())
        return found

    def _scratch(self) -> Any:
        try:
            return self._own.scratch
        except AttributeError:
            self._own.scratch = self._hyperscan.Scratch(self._database)
            return self._own.scratch

    def _compiled(self, numbers: list[int], cores: list[bytes]) -> Any:
        """The database, from the cache when the same cores were compiled before by the same version."""
        hyperscan = self._hyperscan
        about = f"{hyperscan.__version__} {platform.machine()} {sys.platform} {numbers}".encode()
        sources = [*cores, about, _cpu()]
        if (cached := kept("shapes", sources)) is not None:
            try:
                database = hyperscan.loadb(cached, hyperscan.HS_MODE_BLOCK)
                database.scratch = hyperscan.Scratch(database)
                return database
            except (ValueError, hyperscan.error):
                pass  # a torn file costs one compilation
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        database.compile(expressions=cores, ids=numbers, elements=len(cores), flags=[0] * len(cores))
        if len(cores) >= _WORTH_KEEPING:
            keep("shapes", sources, hyperscan.dumpb(database))
        return database


def _seen(core: int, _start: int, end: int, _flags: int, found: list[tuple[int, int]]) -> None:
    found.append((core, end))


#: Fewer cores compile faster than a file is written and read.
_WORTH_KEEPING = 40


class Re2Engine:
    """The portable fall-back: one RE2 set says which cores occur at all, then each of those is looked for."""

    name = "re2"

    def __init__(self, cores: Mapping[int, str]) -> None:
        import re2

        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors = False
        self._cores = [(number, re2.compile(core.encode(), options)) for number, core in cores.items()]
        self._set = re2.Set.SearchSet(options)
        for core in cores.values():
            self._set.Add(core.encode())
        self._set.Compile()

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for index in self._set.Match(data) or ():
            number, core = self._cores[index]
            position = 0
            while match := core.search(data, position):
                found.append((number, match.end()))
                position = match.start() + 1
        found.sort(key=_by_end)
        return found


def _by_end(hit: tuple[int, int]) -> int:
    return hit[1]


def _cpu() -> bytes:
    """What tells processors apart for which a compiled database differs."""
    try:
        with Path("/proc/cpuinfo").open("rb") as lines:
            return next((line for line in lines if line.startswith((b"flags", b"Features"))), b"")
    except OSError:
        return b""
