"""SQLite files, opened read-only as they lie: no lock is taken, no journal replayed, nothing in the schema trusted."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data import chroma
from penstock.discover.data.rows import LONGEST_VALUE, SAMPLE_ROWS, Sample, of_sample, say, unread
from penstock.discover.data.whole import LargeFile, is_cut
from penstock.graph.vocabulary import Unseen

_MAGIC = b"SQLite format 3\0"
#: Tables of one file, and columns of a table.
_TABLES, _COLUMNS = 200, 2_000
#: Up to so many bytes rows are counted; beyond, the highest row number tells how many there may be.
_COUNTED = 64 * 1024 * 1024
#: Steps of SQLite's machine for one statement (0.5 CPU s for ten million), looked at every _PULSE steps.
_STEPS, _PULSE = 20_000_000, 100_000
#: Texts and values longer than this are refused by the library.
_LONGEST = 16 * 1024 * 1024


@collector(
    "data.sqlite",
    reads=("*.sqlite", "*.sqlite3", "*.db", "*.db3", "*.s3db"),
    sees="columns of tables that hold personal, health, payment or secret data, and how many rows",
    unseen="changes that lie in a journal beside the file; encrypted databases; virtual tables",
)
def database(file: File) -> Iterator[Yielded]:
    """The columns of all tables; a Chroma database is the vector store that it holds."""
    if not file.data.startswith(_MAGIC):
        if file.data and not file.path.lower().endswith(".db"):
            yield unread(file, "data.sqlite", "it is no SQLite database, or an encrypted one", "")
        return
    if is_cut(file):
        yield unread(file, "data.sqlite", "only its first part was read, and a database is read as a whole", "")
        return
    try:
        with closing(connect(file)) as connection:
            if chroma.is_chroma(connection):
                yield from chroma.read(file, connection)
            else:
                yield from _tables(file, connection)
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        yield unread(
            file, "data.sqlite", f"it does not read as a database: {error}", "Repair it with: sqlite3 .recover"
        )


def connect(file: File) -> sqlite3.Connection:
    """The database, read-only. Raises sqlite3.Error."""
    if isinstance(file, LargeFile):
        connection = sqlite3.connect(f"file:{quote(file.place)}?mode=ro&immutable=1", uri=True)
    else:
        connection = sqlite3.connect(":memory:")
        # the version bytes of a database that uses a write-ahead log ask for one, which memory has not
        connection.deserialize(file.data[:18] + b"\1\1" + file.data[20:])
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for pragma in ("trusted_schema=OFF", "query_only=ON", "cell_size_check=ON", "mmap_size=0"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _tables(file: File, connection: sqlite3.Connection) -> Iterator[Yielded]:
    rows = bounded(
        connection,
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    ).fetchall()
    tables = [name for name, sql in rows if not str(sql or "").lstrip().upper().startswith("CREATE VIRTUAL")]
    sample = Sample()
    records = 0
    estimated = False
    for table in tables[:_TABLES]:
        try:
            count, exact = _count(connection, table, len(file.data) if not isinstance(file, LargeFile) else file.size)
            single = len(tables) == 1
            for row in _sampled(connection, table, count):
                sample.add(
                    {name if single else f"{table}.{name}": text for name, text in row.items()}, f"table {table}"
                )
            records += count
            estimated = estimated or not exact
        except sqlite3.Error as error:
            yield Unseen(f"{file.path} table {table[:80]}", "its rows", f"they do not read: {error}", "",
                         "data.sqlite", file.scope)  # fmt: skip
    if len(tables) > _TABLES:
        why = f"it has {len(tables):,} tables; {_TABLES} are looked at"
        yield Unseen(file.path, f"{len(tables) - _TABLES:,} tables", why, "", "data.sqlite", file.scope)
    if tables:
        yield from say(file, "data.sqlite", of_sample(sample, records, estimated=estimated))


def _count(connection: sqlite3.Connection, table: str, size: int) -> tuple[int, bool]:
    """Rows of a table, and whether they were counted."""
    if size <= _COUNTED:
        return int(bounded(connection, f"SELECT count(*) FROM {quoted(table)}").fetchone()[0]), True  # noqa: S608
    span = _numbers(connection, table)
    return (span[1] - span[0] + 1 if span else SAMPLE_ROWS), False


def _sampled(connection: sqlite3.Connection, table: str, count: int) -> Iterator[dict[str, str]]:
    """Rows at random row numbers; the first ones of a small table, or of one without row numbers."""
    names = [str(row[1]) for row in bounded(connection, f"PRAGMA table_info({quoted(table)})").fetchall()[:_COLUMNS]]
    if not names:
        return
    select = f"SELECT {', '.join(map(quoted, names))} FROM {quoted(table)}"  # noqa: S608 - names are quoted
    span = _numbers(connection, table) if count > SAMPLE_ROWS else None
    if span is None:
        for row in bounded(connection, f"{select} LIMIT {SAMPLE_ROWS}"):
            yield _texts(names, row)
        return
    draw = random.Random(0)  # noqa: S311 - a fair choice of rows, no secret
    for rowid in sorted(draw.randint(*span) for _ in range(SAMPLE_ROWS)):
        for row in bounded(connection, f"{select} WHERE rowid >= ? LIMIT 1", (rowid,)):
            yield _texts(names, row)


def _numbers(connection: sqlite3.Connection, table: str) -> tuple[int, int] | None:
    """The lowest and highest row number; None for an empty table and one without row numbers."""
    least, most = (f"(SELECT {which}(rowid) FROM {quoted(table)})" for which in ("min", "max"))  # noqa: S608
    try:
        low, high = bounded(connection, f"SELECT {least}, {most}").fetchone()
    except sqlite3.OperationalError:
        return None
    return None if high is None else (int(low), int(high))


def bounded(connection: sqlite3.Connection, query: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
    """The answer of a statement that ends after a bounded number of steps."""
    left = _STEPS // _PULSE

    def pulse() -> int:
        nonlocal left
        left -= 1
        return int(left <= 0)

    connection.set_progress_handler(pulse, _PULSE)
    return connection.execute(query, values)


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _texts(names: list[str], row: tuple[object, ...]) -> dict[str, str]:
    return {
        name: str(value)[:LONGEST_VALUE]
        for name, value in zip(names, row, strict=False)
        if value is not None and not isinstance(value, bytes)
    }
