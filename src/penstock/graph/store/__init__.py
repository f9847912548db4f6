"""The store of record: one protocol, on a SQLite file for one machine and on PostgreSQL for teams."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.graph.store.protocol import Store


def open_store(where: str | Path, *, tenant: str = "default") -> Store:
    """Open the store, made or brought up to this version where needed.

    Args:
        where: a path (SQLite, write-ahead log) or ``postgresql://user@host/database``.
        tenant: whose data this store object reads and writes.
    Raises:
        NotReachable: the file or server cannot be opened or written, or the driver is not installed.
        NotUnderstood: it was written by a newer Penstock, or is not a Penstock store; nothing was touched.
    """
    from penstock.graph.store.engine import connect
    from penstock.graph.store.sql import SqlStore

    return SqlStore(connect(where), tenant)
