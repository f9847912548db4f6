"""Opening a database: the right engine, its settings, and its schema brought up to this version."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from penstock.errors import NotReachable, NotUnderstood, WrongUse
from penstock.graph.store.schema import HEAD, VERSION_TABLE, VERSIONS

#: How long a writer waits for another one, in milliseconds: longer than any write of ours takes.
_BUSY_MS = 60_000
#: How long to wait for what another process does alone, in seconds: deriving everything anew from a million assets
#: takes a minute or two.
_ALONE_S = 600.0


def connect(where: str | Path) -> sa.Engine:
    """An engine whose database has this version's schema. Raises as ``open_store`` does."""
    address = str(where)
    if address.startswith(("postgresql:", "postgres:", "postgresql+psycopg:")):
        return _postgresql(address)
    if "://" in address:
        raise WrongUse(f"No store can be opened at {address}", hint="Give a path, or postgresql://user@host/database")
    return _sqlite(Path(where))


def _sqlite(path: Path) -> sa.Engine:
    where = str(path)
    if path.is_dir():
        raise WrongUse("The store is a file, and this is a folder", where, "Name a file in it, such as penstock.db")
    found = _peek(path) if path.exists() and path.stat().st_size else None
    _check_version(found, where)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds the weaknesses of an organisation
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as error:
        raise NotReachable("The store's file cannot be made", where, str(error)) from error
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path.absolute())), pool_size=8, max_overflow=32, pool_timeout=120
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    if found != HEAD:
        _upgrade(engine, where)
    return engine


def _peek(path: Path) -> str:
    """The schema version in a file, read without changing anything."""
    where = str(path)
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_MS / 1000)
        try:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables:
                return ""
            if VERSION_TABLE not in tables:
                raise NotUnderstood("This database is not a Penstock store", where, "Name another file")
            row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608
            return str(row[0]) if row else ""
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        raise NotReachable("The store's file cannot be opened", where, str(error)) from error
    except sqlite3.DatabaseError as error:
        raise NotUnderstood("This file is not a Penstock store", where, f"Name another file ({error})") from error


def _check_version(found: str | None, where: str) -> None:
    if found and found not in VERSIONS:
        raise NotUnderstood(
            f"The store was written by a newer Penstock (version {found}, this one reads up to {HEAD})",
            where,
            "Upgrade Penstock, or name another state directory; nothing was changed",
        )


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin when we say so, see _begin_sqlite
    cursor = connection.cursor()
    try:
        for pragma in (
            f"busy_timeout = {_BUSY_MS}",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            "cache_size = -65536",
            "temp_store = MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """A writer takes the write lock at once: a reader that turns writer half-way could not wait for it."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(address: str) -> sa.Engine:
    if find_spec("psycopg") is None:
        raise NotReachable(
            "The driver for PostgreSQL is not installed", hint='Install it: pip install "penstock[postgres]"'
        )
    url = sa.make_url("postgresql+psycopg://" + address.partition("://")[2])
    where = url.set(drivername="postgresql").render_as_string(hide_password=True)
    engine = sa.create_engine(url, pool_size=8, max_overflow=32, pool_pre_ping=True)
    with translated(where):
        with engine.connect() as connection:
            found = None
            if sa.inspect(connection).has_table(VERSION_TABLE):
                found = connection.scalar(sa.text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
        _check_version(found, where)
        if found != HEAD:
            _upgrade(engine, where)
    return engine


def _upgrade(engine: sa.Engine, where: str) -> None:
    """Run the migrations that are missing, all in one transaction, one process at a time."""
    from alembic import command
    from alembic.config import Config

    with translated(where), engine.connect().execution_options(writes=True) as connection, connection.begin():
        lock(connection, "penstock:schema")
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)


def lock(connection: sa.Connection, name: str) -> None:
    """Hold off other writers until the transaction ends. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


@contextmanager
def alone(engine: sa.Engine, tenant: str, name: str) -> Iterator[None]:
    """Hold off whoever asks for the same name of the same tenant; a process that dies lets go. Raises NotReachable."""
    if engine.dialect.name == "postgresql":
        key = {"name": f"penstock:{tenant}:alone:{name}"}
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("SELECT pg_advisory_lock(hashtextextended(:name, 0))"), key)
            try:
                yield
            finally:
                connection.execute(sa.text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), key)
        return
    # A file of its own, so that others write to the store meanwhile; SQLite's lock on it works on every system alike.
    mark = hashlib.blake2b(tenant.encode(), digest_size=4).hexdigest()
    path = f"{engine.url.database}.{name}-{mark}.lock"
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        held = sqlite3.connect(path, timeout=_ALONE_S, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise NotReachable("The store's lock cannot be had", path, str(error)) from error
    try:
        try:
            held.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise NotReachable(
                f"Another process has been busy for {_ALONE_S / 60:.0f} minutes", path, f"See which one runs ({error})"
            ) from error
        yield
    finally:
        held.close()


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Database errors as ours: what happened, where, what to do. The transaction has been rolled back by then."""
    try:
        yield
    except exc.OperationalError as error:
        reason = str(error.orig)
        if "disk is full" in reason or "No space left" in reason:
            raise NotReachable(
                "The disk is full, so nothing of this was stored",
                where,
                "Free space and try again; the store is intact",
            ) from error
        if "locked" in reason:
            raise NotReachable("Another process is writing to the store", where, "Try again when it is done") from error
        raise NotReachable("The store cannot be reached", where, reason.strip()) from error
    except exc.DatabaseError as error:
        if "malformed" in str(error.orig) or "not a database" in str(error.orig):
            raise NotUnderstood("The store is damaged", where, "Restore it from a backup, or scan anew") from error
        raise
