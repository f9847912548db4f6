"""The store on SQL, the same statements on SQLite and PostgreSQL.

What anybody claimed is kept as long as it stands (``observations``); the graph is merged from it. Each part of the
protocol is a file beside this one; here they come together: a scan goes in, the graph comes out.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import sqlalchemy as sa

from penstock.graph.diff import Changes
from penstock.graph.graph import Graph
from penstock.graph.store import schema
from penstock.graph.store.asked import Asked
from penstock.graph.store.claims import encode, rows
from penstock.graph.store.happened import Happened
from penstock.graph.store.history import History
from penstock.graph.store.ingesting import Ingesting
from penstock.graph.store.judged import Judged
from penstock.graph.store.protocol import Scan
from penstock.graph.store.recorded import Recorded
from penstock.graph.store.versions import Versions
from penstock.graph.vocabulary import Asset


class SqlStore(Ingesting, Versions, History, Judged, Happened, Asked, Recorded):
    """A store of one tenant on an engine that ``connect`` opened. Threads and processes may use it at the same time."""

    def __init__(self, engine: sa.Engine, tenant: str) -> None:
        super().__init__(engine, tenant)
        self._latest: _Latest | None = None
        self._latest_lock = Lock()

    def ingest(self, scan: Scan) -> Changes:
        claimed = rows(scan.observations)
        with self._write() as connection:
            at = max(scan.at, self._last_time(connection))
            touched = self._take_in(connection, scan, claimed, at)
            touched |= self._let_words_end(connection, at)
            touched |= self._tie_former_ids(connection, scan, at)
            self._note_coverage(connection, scan, at)
            self._insert(
                connection,
                schema.scans,
                [{"at": at, "scopes": encode(list(scan.scopes)), "finished": encode(list(scan.finished))}],
            )
            with _no_collector():
                return self._settle(connection, touched, at)

    def graph(self, at: float | None = None) -> Graph:
        now = time.time()
        with self._read() as connection:
            if at is not None:
                with _no_collector():
                    return self._merged(connection, self._standing(connection, at), at, then=True)
            version = self._version(connection)
            with self._latest_lock:
                latest = self._latest
            if latest is None or not latest.holds(version, now):
                with _no_collector():
                    standing = self._standing(connection)
                    merged = self._merged(connection, standing, now)
                latest = _Latest(merged, version, standing.next_end(now))
                with self._latest_lock:
                    self._latest = latest
            return latest.graph

    def rename(self, asset: str, *, to: Asset) -> None:
        with self._write() as connection:
            at = max(time.time(), self._last_time(connection))
            kept = self._kept(connection).get(asset, asset)
            self._settle(connection, self._tie(connection, {to.id: kept}, at), at)

    def graph_version(self) -> int:
        with self._read() as connection:
            return self._version(connection)

    def _version(self, connection: sa.Connection) -> int:
        return self._last_number(connection, schema.outbox)

    def _last_time(self, connection: sa.Connection) -> float:
        """The latest time that history knows: it never runs backwards, whatever a clock says."""
        t = schema.outbox.c
        newest = sa.select(t.at).where(t.tenant == self.tenant).order_by(t.seq.desc()).limit(1)
        return connection.scalar(newest) or 0.0


@dataclass(frozen=True, slots=True)
class _Latest:
    """The graph as it was last merged, good until something is written or a person's word ends."""

    graph: Graph
    version: int
    until: float | None

    def holds(self, version: int, now: float) -> bool:
        return self.version == version and (self.until is None or now < self.until)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Without the cycle collector: loading makes many objects and no garbage, and looking for some takes a quarter."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
