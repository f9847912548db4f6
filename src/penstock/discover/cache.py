"""What earlier scans found, so that an unchanged tree costs a walk: one SQLite file in the cache folder.

A source that did not change at all is one row; else each file is, known by its stat and, where that differs, by the
hash of its content. Any change of Penstock's own code empties the cache. It is a convenience: when it cannot be read
or written, a scan goes on without it and says so.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TypeVar

from penstock.discover.walk import Entry

Answer = TypeVar("Answer")

#: The file may grow to this; then the sources not seen for longest are dropped.
LARGEST = 512 * 1024 * 1024
#: A file changed this shortly before it was read may change again within one tick of the file system's clock, and its
#: times would not show it. Linux ticks at 1-10 ms; file systems with whole milliseconds or seconds are coarser.
_TICK_NS, _COARSE_TICK_NS = 50_000_000, 2_000_000_000

#: Raised with the tables: those of another version are dropped.
_VERSION = 2
_SCHEMA = """
create table if not exists about (code text not null, signature text not null, reads blob not null);
create table if not exists history (root text primary key, head text not null, people blob not null) without rowid;
create table if not exists sources (scope text primary key, used real not null, shape blob, found blob) without rowid;
create table if not exists files (
  scope text not null, path text not null, stat text not null, digest blob not null, readers text not null,
  glance blob not null, claims blob not null, facts blob not null, primary key (scope, path)
) without rowid;
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What one file gave to its readers (names of collectors) when its content had this digest."""

    path: str
    stat: str
    digest: bytes
    readers: str
    glance: bytes
    claims: bytes
    facts: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """A file of which the cache knows what it gave."""

    path: str
    stat: str
    digest: bytes
    readers: str
    glance: bytes


class Cache:
    """The cache of one folder, for code in the given state.

    ``trouble`` says why it is not used, if so. ``manifest`` is the signature of the collectors whose findings it
    holds and, as bytes, what they read: with it an unchanged tree is known without importing a collector.
    """

    def __init__(self, folder: Path | None, code: str = "") -> None:
        self.trouble = ""
        self.manifest: tuple[str, bytes] | None = None
        self._code = hashlib.sha256(code.encode()).hexdigest()
        self._lines: sqlite3.Connection | None = None
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lines = self._open(folder / "scan.db")
        except (OSError, sqlite3.Error) as error:
            self.trouble = str(error)

    def adopt(self, signature: str, reads: bytes) -> None:
        """Hold findings of these collectors from now on; those of others are dropped."""
        if self.manifest == (signature, reads):
            return

        def empty(lines: sqlite3.Connection) -> None:
            with lines:
                for table in ("about", "sources", "files"):
                    lines.execute(f"delete from {table}")  # noqa: S608 - names above
                lines.execute("insert into about values (?, ?, ?)", (self._code, signature, reads))

        self._try(empty, None)
        self.manifest = signature, reads

    def source(self, scope: str, shape: bytes) -> bytes | None:
        """What the whole source gave, if it still has this shape."""

        def look(lines: sqlite3.Connection) -> bytes | None:
            row = lines.execute("select found from sources where scope = ? and shape = ?", (scope, shape)).fetchone()
            if row is None:
                return None
            with lines:
                lines.execute("update sources set used = ? where scope = ?", (time.time(), scope))
            return bytes(row[0])

        return self._try(look, None)

    def history(self, root: str, head: str) -> bytes | None:
        """Who committed up to ``head`` in the repository at ``root``, if that was read before."""

        def look(lines: sqlite3.Connection) -> bytes | None:
            row = lines.execute("select people from history where root = ? and head = ?", (root, head)).fetchone()
            return bytes(row[0]) if row else None

        return self._try(look, None)

    def keep_history(self, root: str, head: str, people: bytes) -> None:
        """Remember who committed."""

        def keep(lines: sqlite3.Connection) -> None:
            with lines:
                lines.execute("insert or replace into history values (?, ?, ?)", (root, head, people))

        self._try(keep, None)

    def files(self, scope: str) -> dict[str, Known]:
        """Which files of a source are known, by path."""

        def look(lines: sqlite3.Connection) -> dict[str, Known]:
            rows = lines.execute("select path, stat, digest, readers, glance from files where scope = ?", (scope,))
            return {path: Known(path, stat, digest, sys.intern(readers), glance)
                    for path, stat, digest, readers, glance in rows}  # fmt: skip

        return self._try(look, {})

    def gave(self, scope: str, path: str) -> tuple[bytes, bytes] | None:
        """The claims and facts of a file."""

        def look(lines: sqlite3.Connection) -> tuple[bytes, bytes] | None:
            wanted = "select claims, facts from files where scope = ? and path = ?"
            row: tuple[bytes, bytes] | None = lines.execute(wanted, (scope, path)).fetchone()
            return row

        return self._try(look, None)

    def keep_files(self, scope: str, rows: Iterable[Row], gone: Iterable[str] = ()) -> None:
        """Remember what files gave; forget those that are gone."""

        def keep(lines: sqlite3.Connection) -> None:
            with lines:
                lines.execute(
                    "insert into sources values (?, ?, null, null) on conflict (scope) do update "
                    "set used = excluded.used, shape = null, found = null",
                    (scope, time.time()),
                )
                lines.executemany(
                    "insert or replace into files values (?, ?, ?, ?, ?, ?, ?, ?)",
                    ((scope, *astuple(row)) for row in rows),
                )
                lines.executemany("delete from files where scope = ? and path = ?", ((scope, path) for path in gone))

        self._try(keep, None)

    def keep_source(self, scope: str, shape: bytes, found: bytes) -> None:
        """Remember what a whole source gave in this shape."""

        def keep(lines: sqlite3.Connection) -> None:
            with lines:
                lines.execute("insert or replace into sources values (?, ?, ?, ?)", (scope, time.time(), shape, found))

        self._try(keep, None)

    def close(self) -> None:
        """Let go of the file, smaller than its bound."""
        self._try(_shrink, None)
        self._drop()

    def _try(self, act: Callable[[sqlite3.Connection], Answer], otherwise: Answer) -> Answer:
        """No trouble with the cache stops a scan: a full disk, another scan at work, a damaged file."""
        if self._lines is None:
            return otherwise
        try:
            return act(self._lines)
        except sqlite3.Error as error:
            self.trouble = str(error)
            self._drop()
            return otherwise

    def _drop(self) -> None:
        if self._lines:
            with contextlib.suppress(sqlite3.Error):
                self._lines.close()
            self._lines = None

    def _open(self, place: Path) -> sqlite3.Connection:
        try:
            return self._prepared(place)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            for suffix in ("", "-wal", "-shm"):  # no database at all: it holds nothing that a scan cannot find again
                place.with_name(place.name + suffix).unlink(missing_ok=True)
            return self._prepared(place)

    def _prepared(self, place: Path) -> sqlite3.Connection:
        lines = sqlite3.connect(place, timeout=5.0)
        try:
            lines.execute("pragma journal_mode = wal")
            lines.execute("pragma synchronous = normal")
            if lines.execute("pragma user_version").fetchone()[0] != _VERSION:
                for table in ("about", "history", "sources", "files"):
                    lines.execute(f"drop table if exists {table}")
                lines.execute(f"pragma user_version = {_VERSION}")
            lines.executescript(_SCHEMA)
            about = lines.execute("select code, signature, reads from about").fetchone()
            if about and about[0] == self._code:
                self.manifest = about[1], bytes(about[2])
        except sqlite3.Error:
            lines.close()
            raise
        return lines


def _shrink(lines: sqlite3.Connection) -> None:
    """Drop the sources not seen for longest until what is left fits."""

    def size() -> int:
        pages, free, page = (
            lines.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * page)

    while size() > LARGEST and (oldest := lines.execute("select scope from sources order by used limit 1").fetchone()):
        with lines:
            lines.execute("delete from files where scope = ?", oldest)
            lines.execute("delete from sources where scope = ?", oldest)


def stat_of(entry: Entry) -> str:
    """Times, size and number of a file as one word. The change time counts because nobody can set it back."""
    return f"{entry.size}:{entry.mtime_ns}:{entry.ctime_ns}:{entry.inode}"


def settled(entry: Entry, read_at_ns: int) -> bool:
    """Whether a later change of the file must show in its times."""
    coarse = entry.ctime_ns % 1_000_000 == 0
    return read_at_ns - entry.ctime_ns > (_COARSE_TICK_NS if coarse else _TICK_NS)
