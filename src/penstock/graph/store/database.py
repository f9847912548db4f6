"""A tenant's database: reading, writing under the tenant's lock, and the few statements that all tables share.

Every write holds the tenant's write lock and counts itself, so that a claim's history has no gaps, the audit trail one
order, and a reader can tell whether anything was written since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa

from penstock.errors import WrongUse
from penstock.graph.store import schema
from penstock.graph.store.claims import decode, encode
from penstock.graph.store.engine import alone, lock, translated

_T = TypeVar("_T")

#: Small value that counts the writes.
_WRITES = "store.writes"
#: Ids in one statement: SQLite's oldest limit on parameters is 999.
_CHUNK = 500


class Database:
    """One tenant's rows on an engine that ``connect`` opened."""

    def __init__(self, engine: sa.Engine, tenant: str) -> None:
        if not tenant or len(tenant) > 200:
            raise WrongUse("A tenant needs a name of 1 to 200 characters", tenant[:200])
        self.engine = engine
        self.tenant = tenant
        self._where = engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=True)

    def get(self, name: str, default: Any = None) -> Any:
        t = schema.values.c
        with self._read() as connection:
            found = connection.scalar(sa.select(t.value).where(t.tenant == self.tenant, t.name == name))
        return default if found is None else decode(found, Any)

    def put(self, name: str, value: Any) -> None:
        self._replace(schema.values, value_rows({name: value}), key="name")

    def version(self) -> int:
        return int(self.get(_WRITES, 0))

    def exclusive(self, name: str) -> AbstractContextManager[None]:
        return alone(self.engine, self.tenant, name)

    def close(self) -> None:
        self.engine.dispose()

    # ── one transaction ──────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with translated(self._where), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with (
            translated(self._where),
            self.engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            lock(connection, f"penstock:{self.tenant}")
            yield connection
            self._count_write(connection)

    def _count_write(self, connection: sa.Connection) -> None:
        """One more write; the value is JSON, and a number's JSON is its digits."""
        t = schema.values.c
        more = sa.cast(sa.cast(t.value, sa.BigInteger) + 1, sa.Text)
        counted = connection.execute(
            sa.update(schema.values).where(t.tenant == self.tenant, t.name == _WRITES).values(value=more)
        )
        if not counted.rowcount:
            connection.execute(sa.insert(schema.values), {"tenant": self.tenant, "name": _WRITES, "value": encode(1)})

    # ── rows of any table ────────────────────────────────────────────────────────────────────────────────────────────

    def _last_number(self, connection: sa.Connection, table: sa.Table) -> int:
        return connection.scalar(sa.select(sa.func.max(table.c.seq)).where(table.c.tenant == self.tenant)) or 0

    def _insert(self, connection: sa.Connection, table: sa.Table, made: Sequence[Mapping[str, Any]]) -> list[int]:
        """Insert numbered rows; returns their numbers."""
        if not made:
            return []
        first = self._last_number(connection, table) + 1
        numbers = list(range(first, first + len(made)))
        self._execute_many(
            connection,
            sa.insert(table),
            [{"tenant": self.tenant, "seq": seq, **row} for seq, row in zip(numbers, made, strict=True)],
        )
        return numbers

    def _replace(self, table: sa.Table, made: Mapping[str, Mapping[str, Any]], *, key: str = "id") -> None:
        if made:
            with self._write() as connection:
                self._put_rows(connection, table, made, key=key)

    def _put_rows(
        self, connection: sa.Connection, table: sa.Table, made: Mapping[str, Mapping[str, Any]], *, key: str = "id"
    ) -> None:
        self._delete_ids(connection, table, list(made), key=key)
        self._execute_many(connection, sa.insert(table), [{"tenant": self.tenant, **row} for row in made.values()])

    def _delete_ids(self, connection: sa.Connection, table: sa.Table, ids: Sequence[str], *, key: str = "id") -> None:
        for chunk in chunks(ids):
            connection.execute(sa.delete(table).where(table.c.tenant == self.tenant, table.c[key].in_(chunk)))

    def _delete_numbers(self, connection: sa.Connection, table: sa.Table, numbers: Sequence[int]) -> None:
        for chunk in chunks(numbers):
            connection.execute(sa.delete(table).where(table.c.tenant == self.tenant, table.c.seq.in_(chunk)))

    def _bodies(self, table: sa.Table, order: sa.ColumnElement[Any]) -> Sequence[str]:
        with self._read() as connection:
            return connection.scalars(
                sa.select(table.c.body).where(table.c.tenant == self.tenant).order_by(order)
            ).all()

    @staticmethod
    def _execute_many(connection: sa.Connection, statement: Any, many: Sequence[Mapping[str, Any]]) -> None:
        if many:
            connection.execute(statement, many)


def value_rows(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: {"name": name, "value": encode(value)} for name, value in values.items()}


def decode_all(bodies: Sequence[str], type: type[_T]) -> list[_T]:
    """Many at once, which takes half the time of one by one."""
    found: list[_T] = decode(f"[{','.join(bodies)}]", list[type])  # type: ignore[valid-type]
    return found


def reader(type: Any) -> Any:
    import msgspec

    return msgspec.json.Decoder(type).decode


def stands(columns: Any, at: float | None) -> sa.ColumnElement[bool]:
    """Whether a row with a history stands now (None), or stood at a time."""
    if at is None:
        return sa.and_(columns.valid_to.is_(None))
    return sa.and_(columns.valid_from <= at, sa.or_(columns.valid_to.is_(None), columns.valid_to > at))


def narrowed(statement: Any, columns: Sequence[Any], ids: Collection[str] | None) -> Iterator[Any]:
    """The statement for rows with one of the ids in one of the columns, in pieces of bounded size."""
    if ids is None:
        yield statement
        return
    for column in columns:
        for chunk in chunks(sorted(ids)):
            yield statement.where(column.in_(chunk))


def chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
