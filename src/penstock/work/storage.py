"""Where jobs lie: huey's SQLite storage with claims, because huey's own forgets a task when it hands it out.

A job stays in its table until it is done. Handing it out notes who has it; a job whose holder is dead is handed out
again at once, whatever the clock says: a holder keeps an exclusive lock on a small file of its own, and the system
lets go of that lock when the process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from huey.exceptions import HueyException
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import SqliteStorage

_JOB = """
create table if not exists job (
  id integer primary key, key text unique, data blob not null, due real not null, since real not null,
  owner text, deaths integer not null default 0
)"""
_PERIODIC = "create table if not exists periodic (name text primary key, last real not null)"
#: A job is due at its time; or when the clock reads less than when it was put: it was set back, and a job that waited
#: for the old time might wait for days.
_NEXT = "select id, data, deaths from job where owner is null and (due <= :now or since > :now) order by id limit 1"
_ANY = "select 1 from job where owner is not null or due <= :now or since > :now limit 1"


class Plain(Serializer):  # type: ignore[misc]
    """Messages as msgpack: reading one back runs nothing, as pickle would."""

    def _serialize(self, message: Any) -> bytes:
        parts = (message.id, message.name, message.retries, message.retry_delay, message.retry_backoff, message.args)
        return msgspec.msgpack.encode(parts)

    def _deserialize(self, data: bytes) -> Any:
        try:
            id_, name, retries, delay, backoff, args = msgspec.msgpack.decode(data)
        except (msgspec.DecodeError, ValueError, TypeError) as error:
            raise HueyException("a stored job cannot be read") from error
        return Message(
            id=id_, name=name, retries=retries, retry_delay=delay, retry_backoff=backoff, args=tuple(args), kwargs={}
        )


class Claimed(threading.local):
    """The row that the current thread works on, and how often its holders died before."""

    row: int | None = None
    deaths: int = 0


class KeptStorage(SqliteStorage):  # type: ignore[misc]
    """huey's storage contract over one table of jobs; what is handed out stays until `done`."""

    def __init__(self, name: str, filename: str, clock: Callable[[], float] = time.time, **more: Any) -> None:
        self.clock = clock
        self.claimed = Claimed()
        self.ddl = [_JOB, _PERIODIC, self.table_kv, self.table_counter]
        super().__init__(name, filename=filename, fsync=True, timeout=10, **more)
        self.owner = uuid.uuid4().hex
        self._alive = sqlite3.connect(self._sign(self.owner), isolation_level=None, check_same_thread=False)
        self._alive.execute("begin exclusive")

    def put(self, data: bytes, due: float, key: str | None = None) -> bool:
        """Add a job, unless one with its key waits or runs."""
        with self.db(commit=True) as lines:
            lines.execute(
                "insert or ignore into job (key, data, due, since) values (?, ?, ?, ?)", (key, data, due, self.clock())
            )
            return bool(lines.rowcount == 1)

    def fire(self, name: str, seconds: float, data: bytes, key: str) -> float:
        """Add a periodic job when its time has come, once however many schedulers ask; when to ask again."""
        now = self.clock()
        known = self.sql("select last from periodic where name = ?", (name,), results=True)
        if known and now < known[0][0] + seconds and known[0][0] <= now:
            return float(known[0][0] + seconds - now)
        with self.db(commit=True) as lines:
            row = lines.execute("select last from periodic where name = ?", (name,)).fetchone()
            if row is None or now >= row[0] + seconds or now < row[0]:
                lines.execute("insert or replace into periodic values (?, ?)", (name, now))
                lines.execute("insert or ignore into job (key, data, due, since) values (?, ?, 0, ?)", (key, data, now))
        return seconds

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        self._put_back(data, 0.0)

    def add_to_schedule(self, data: bytes, ts: datetime.datetime) -> None:
        self._put_back(data, ts.replace(tzinfo=datetime.UTC).timestamp())

    def dequeue(self) -> bytes | None:
        """The next job that is due, or one whose holder died; it is this thread's until `done`."""
        now = self.clock()
        if not self.sql(_ANY, {"now": now}, results=True):
            return None
        with self.db(commit=True) as lines:
            dead = 0
            row = lines.execute(_NEXT, {"now": now}).fetchone()
            if row is None:
                row = self._orphan(lines)
                dead = 1
            if row is None:
                return None
            id_, data, deaths = row
            lines.execute("update job set owner = ?, deaths = ? where id = ?", (self.owner, deaths + dead, id_))
            self.claimed.row, self.claimed.deaths = id_, deaths + dead
            return bytes(data)

    def done(self) -> None:
        """The job that this thread holds is finished with; nothing when it was put back meanwhile."""
        if self.claimed.row is not None:
            self.sql("delete from job where id = ?", (self.claimed.row,), commit=True)
            self.claimed.row = None

    def waiting(self) -> int:
        """How many jobs are in the table, held ones included."""
        return int(self.sql("select count(*) from job", results=True)[0][0])

    def close(self) -> bool:
        self._alive.close()
        Path(self._sign(self.owner)).unlink(missing_ok=True)
        return bool(super().close())

    def _put_back(self, data: bytes, due: float) -> None:
        """A retry: the row that this thread holds waits again, under its key, in one step."""
        if self.claimed.row is None:
            self.put(data, due)
            return
        self.sql(
            "update job set data = ?, due = ?, since = ?, owner = null, deaths = 0 where id = ?",
            (data, due, self.clock(), self.claimed.row),
            commit=True,
        )
        self.claimed.row = None

    def _orphan(self, lines: sqlite3.Cursor) -> Any:
        owners = lines.execute("select distinct owner from job where owner is not null").fetchall()
        for (owner,) in owners:
            if owner != self.owner and not self._lives(owner):
                return lines.execute(
                    "select id, data, deaths from job where owner = ? order by id limit 1", (owner,)
                ).fetchone()
        return None

    def _lives(self, owner: str) -> bool:
        sign = Path(self._sign(owner))
        if not sign.exists():
            return False
        probe = sqlite3.connect(sign, timeout=0, isolation_level=None)
        try:
            probe.execute("begin exclusive")
        except sqlite3.OperationalError:
            return True
        finally:
            probe.close()
        for suffix in ("", "-journal"):
            with contextlib.suppress(OSError):
                Path(f"{sign}{suffix}").unlink(missing_ok=True)
        return False

    def _sign(self, owner: str) -> str:
        return f"{self.filename}.{owner}"
