"""A PostgreSQL database as a source: tables sampled in one read-only transaction, never scanned.

The address may hold credentials; they go to the driver and nowhere else. Rows are taken by TABLESAMPLE SYSTEM, which
reads chosen pages only; how many rows there are is what the planner knows (reltuples) or what the size on disk allows.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from penstock.discover.data.rows import LONGEST_VALUE, SAMPLE_ROWS, Sample, Told, of_sample
from penstock.discover.databases import place_of, scope_of
from penstock.graph.identity import asset, relation
from penstock.graph.vocabulary import Evidence, Observation, Unseen

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[Any]

_NAME = "data.postgresql"
#: Tables and columns looked at; wall seconds for one statement, for the wait on a lock, and for all tables together.
_TABLES, _COLUMNS = 2_000, 1_600
_STATEMENT_MS, _LOCK_MS, _CONNECT_S, _TOGETHER_S = 5_000, 500, 10, 300.0
#: Pages (8 KiB) that a sample reads; a table of no more is read from its start.
_PAGES = 128

_LIST = """
    SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text, c.reltuples::bigint,
           has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), c.relrowsecurity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v') AND NOT c.relispartition
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%%'
    ORDER BY n.nspname, c.relname LIMIT %s
"""
_COLUMN_LIST = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_attribute a WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum LIMIT %s
"""
_SIZE = """
    SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint, coalesce(sum(pg_relation_size(c.oid)), 0)::bigint / 8192
    FROM pg_partition_tree(%s::oid::regclass) t JOIN pg_class c ON c.oid = t.relid WHERE t.isleaf
"""
_VECTOR = re.compile(r"(?:\w+\.)?(?:vector|halfvec|sparsevec)(?:\(\d+\))?")
#: Types whose values are no text and no number that could name a person.
_SILENT = re.compile(
    r"bytea|boolean|tsvector|tsquery|bit|.*range|point|line|lseg|box|path|polygon|circle|geometry.*|real|double.*"
)


@dataclass(frozen=True, slots=True)
class _Table:
    oid: int
    schema: str
    name: str
    kind: str
    tuples: int
    readable: bool
    hides_rows: bool

    @property
    def said(self) -> str:
        """As a reader writes it; the schema is left out where it is the usual one."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


def sample_database(url: str, *, seconds: float = _TOGETHER_S) -> Iterator[Observation | Unseen]:
    """Every table of a database that the login may read: its columns by sampled values, how many rows it has.

    Args:
        url: ``postgresql://user:password@host:port/name``; the password may come from PGPASSWORD or a service file too.
        seconds: wall time for all tables together; what is left is named.
    Yields:
        data stores, vector stores for tables with a column of vectors, and what could not be read.
    """
    place, scope = place_of(url), scope_of(url)
    try:
        import psycopg
    except ImportError:
        hint = "To read it: pip install 'penstock[postgres]'"
        yield Unseen(
            place, "the tables of a database", "the library that reads it is not installed", hint, _NAME, scope
        )
        return
    options = (
        f"-c default_transaction_read_only=on -c statement_timeout={_STATEMENT_MS} -c lock_timeout={_LOCK_MS} "
        "-c idle_in_transaction_session_timeout=60000 -c search_path=pg_catalog -c jit=off -c row_security=on"
    )
    try:
        connection = psycopg.connect(url, connect_timeout=_CONNECT_S, options=options, application_name="penstock")
    except (psycopg.Error, ValueError, UnicodeError) as error:
        why = f"it does not let us in: {_cleaned(str(error), url)}"
        yield Unseen(place, "the tables of a database", why, "Check the address and the login", _NAME, scope)
        return
    try:
        with connection:
            connection.read_only = True
            yield from _tables(connection, place, scope, time.monotonic() + seconds)
    except psycopg.Error as error:
        why = f"the connection broke: {_cleaned(str(error), url)}"
        yield Unseen(place, "the rest of the tables", why, "Scan again", _NAME, scope)
    finally:
        with suppress(psycopg.Error):
            connection.close()


def _tables(connection: Connection, place: str, scope: str, until: float) -> Iterator[Observation | Unseen]:
    import psycopg

    listed = [_Table(*row) for row in connection.execute(_LIST, (_TABLES + 1,)).fetchall()]
    if len(listed) > _TABLES:
        yield Unseen(place, "the rest of the tables", f"it has more than {_TABLES:,}", "", _NAME, scope)
    for table in listed[:_TABLES]:
        where = f"{place}/{table.said}"
        if table.kind in "fv":
            what = "a view; its tables are read" if table.kind == "v" else "a foreign table; its rows lie elsewhere"
            yield Unseen(where, "its rows", f"it is {what}", "", _NAME, scope, skipped=True)
            continue
        if not table.readable:
            hint = f"GRANT SELECT ON {_quoted(table.schema)}.{_quoted(table.name)} TO the scanning login"
            yield Unseen(where, "the rows of a table", "the login may not read it", hint, _NAME, scope)
            continue
        if time.monotonic() > until:
            yield Unseen(where, "the rows of a table", "the time for this database was up", "Scan again", _NAME, scope)
            continue
        try:
            with connection.transaction():
                yield from _table(connection, table, place, scope)
        except psycopg.errors.QueryCanceled:
            why = f"a sample took longer than {_STATEMENT_MS // 1000} s"
            yield Unseen(where, "the rows of a table", why, "Scan it when the database is less busy", _NAME, scope)
        except psycopg.errors.LockNotAvailable:
            yield Unseen(where, "the rows of a table", "it is locked by somebody else", "Scan again", _NAME, scope)
        except psycopg.DatabaseError as error:
            if connection.closed:
                raise
            why = f"it does not read: {type(error).__name__}: {str(error).splitlines()[0][:160]}"
            yield Unseen(where, "the rows of a table", why, "", _NAME, scope)


def _table(connection: Connection, table: _Table, place: str, scope: str) -> Iterator[Observation]:
    """A data store for the table; a vector store as well where it holds vectors."""
    columns = connection.execute(_COLUMN_LIST, (table.oid, _COLUMNS)).fetchall()
    vectors = [name for name, kind in columns if _VECTOR.fullmatch(kind)]
    read = [name for name, kind in columns if name not in vectors and not _SILENT.fullmatch(kind)]
    if table.kind == "p":
        tuples, pages = connection.execute(_SIZE, (table.oid,)).fetchone() or (0, 0)
    else:
        size = connection.execute("SELECT pg_relation_size(%s::oid::regclass) / 8192", (table.oid,)).fetchone()
        tuples, pages = table.tuples, size[0] if size else 0
    sample = Sample(read)
    width = 0
    for size, *values in _rows(connection, table, read, pages):
        width += size
        row = {name: value for name, value in zip(read, values, strict=True) if value is not None}
        sample.add(row, f"a row of {table.said}")
    whole = table.kind != "p" and pages <= _PAGES and sample.seen < SAMPLE_ROWS
    records = sample.seen if whole else tuples if tuples > 0 else _by_size(pages, width, sample.seen)
    told = of_sample(sample, records, estimated=not whole)
    key = f"{place}/{table.said}"
    store = asset("data_store", key, props=told.props(), labels=told.labels)
    chain = (*told.why, *told.suspicion.why)
    if table.hides_rows:
        chain += ("rows that its policies hide from the scanning login were not seen",)
    evidence = Evidence(_NAME, key, "resolved", chain, scope)
    yield Observation(store, evidence)
    if vectors:
        role = Told(role="embeddings", records=records, estimated=not whole).props()
        index = asset("vector_store", key, props=role, labels=told.labels)
        yield Observation(index, evidence)
        yield Observation(relation(index, "indexes", store), evidence)


def _rows(connection: Connection, table: _Table, names: list[str], pages: int) -> Iterator[tuple[Any, ...]]:
    """Size in bytes and texts of the sampled rows; chosen pages of a large table, the first rows of a small one."""
    from psycopg import sql

    source = sql.Identifier(table.schema, table.name)
    texts = [sql.SQL("left({}::text, {})").format(sql.Identifier("t", name), LONGEST_VALUE) for name in names]
    chosen = sql.SQL(", ").join([sql.SQL("pg_column_size(t.*) AS size"), *texts])
    if pages <= _PAGES:
        statement = sql.SQL("SELECT {} FROM {} AS t LIMIT {}").format(chosen, source, SAMPLE_ROWS)
    else:
        share = sql.Literal(max(100 * _PAGES / pages, 1e-6))
        statement = sql.SQL("SELECT {} FROM {} AS t TABLESAMPLE SYSTEM ({}) REPEATABLE (0)").format(
            chosen, source, share
        )
        statement = sql.SQL("SELECT * FROM ({}) AS s ORDER BY random() LIMIT {}").format(statement, SAMPLE_ROWS)
    yield from connection.execute(statement).fetchall()


def _by_size(pages: int, width: int, rows: int) -> int | None:
    """Rows that fit the pages of a table nobody analysed: 8,168 bytes a page, 28 of a row beside its values."""
    return int(pages * 8168 / (width / rows + 28)) if rows else None if pages else 0


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _cleaned(text: str, url: str) -> str:
    """A message of the driver in one line, without what the address keeps secret."""
    line = " ".join(text.replace(url, "the address").split())[:300]
    for secret in _SECRET.findall(url):
        for spelling in (secret, unquote(secret)):
            line = line.replace(spelling, "…") if spelling else line
    return line


#: The password in an address, and in its options.
_SECRET = re.compile(r"(?<=:)(?!//)[^:/@]+(?=@)|(?<=password=)[^&]+")
