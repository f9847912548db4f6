"""Where events go: a bounded ring in memory, then an append-only spool on disk, written by a thread of its own.

A call never waits for the disk. What cannot be kept is counted: first detail goes, then events of calls in which
nothing was seen, then the oldest.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import msgspec

from penstock.graph.vocabulary import Event

#: At most this long lies between an event and the disk, in seconds: what a kill -9 may cost.
FLUSH = 0.05
#: Events in memory. 20,000 of 500 bytes are 10 MB, four seconds at 5,000 a second.
RING = 20_000
#: Bytes after which a new spool file begins.
FILE = 16 * 1024 * 1024
#: Bytes of spool beyond which the oldest file goes.
SPOOL = 512 * 1024 * 1024


class Sink(Protocol):
    """Takes events without waiting."""

    def emit(self, event: Event) -> None: ...


class MemorySink:
    """Keeps events in a list."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)


class Spool:
    """``<folder>/*.jsonl``: one event a line, in order. Files of one writer sort by time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._ring: deque[Event] = deque()
        self._wake = threading.Event()
        self._ended = False
        self._file: int | None = None
        self._path: Path | None = None
        self._written = 0
        #: events lost because the ring was full; events kept without their detail; failed writes; files dropped
        self.shed = 0
        self.thinned = 0
        self.failures = 0
        self.dropped_files = 0
        self.problem = ""
        self._encode = msgspec.json.Encoder().encode
        self._thread = threading.Thread(target=self._run, name="event spool", daemon=True)
        self._thread.start()

    def emit(self, event: Event) -> None:
        """Take the event; never waits and never fails."""
        held = len(self._ring)
        if held >= RING:
            self.shed += 1
            if event.verdict == "allow" and not event.seen:
                return
            with contextlib.suppress(IndexError):
                self._ring.popleft()
        elif held >= RING // 2:
            self.thinned += 1
            event = replace(event, props={})
        self._ring.append(event)
        if not self._wake.is_set():
            self._wake.set()

    def close(self) -> None:
        """Write what is held and end; events that the disk does not take are counted as shed."""
        self._ended = True
        self._wake.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._ended:
            self._wake.wait()
            if not self._ended:
                time.sleep(FLUSH / 2)  # gather what comes together, so that one fsync serves many
            self._wake.clear()
            if not self._write() and not self._ended:
                time.sleep(0.5)
                self._wake.set()
        self._write()
        self.shed += len(self._ring)
        if self._file is not None:
            os.close(self._file)

    def _write(self) -> bool:
        """Append all that is held and bring it to the disk; on failure keep it for the next try."""
        batch = self._ring.copy()
        if not batch:
            return True
        data = b"".join([self._encode(event) + b"\n" for event in batch])
        try:
            file = self._open()
            before = os.fstat(file).st_size
            try:
                _write_all(file, data)
                os.fdatasync(file) if hasattr(os, "fdatasync") else os.fsync(file)
            except OSError:
                os.ftruncate(file, before)  # no torn line stays
                raise
        except OSError as error:
            self.failures += 1
            self.problem = f"events cannot be written to {self._folder}: {error.strerror}"
            return False
        self._written += len(data)
        self.problem = ""
        for event in batch:
            with contextlib.suppress(IndexError):
                if self._ring[0] is event:
                    self._ring.popleft()
        return True

    def _open(self) -> int:
        """The current file; a new one when there is none, when it is full, or when somebody took it away."""
        if self._file is not None and (self._written >= FILE or not (self._path and self._path.exists())):
            os.close(self._file)
            self._file = None
        if self._file is None:
            self._bound()
            self._path = self._folder / f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(3)}.jsonl"
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._written = 0
        return self._file

    def _bound(self) -> None:
        files = sorted(self._folder.glob("*.jsonl"))
        size = sum(path.stat().st_size for path in files)
        while files and size > SPOOL - FILE:
            oldest = files.pop(0)
            size -= oldest.stat().st_size
            oldest.unlink(missing_ok=True)
            self.dropped_files += 1


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def event_id() -> str:
    """A new id that sorts by time: 48 bits of milliseconds, 80 random bits, in hexadecimal."""
    return f"ev-{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"
