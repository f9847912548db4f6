"""What was listed so far, on disk: a run that was killed, or whose credentials ended, goes on where it was."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

#: Seconds after which a journal is of another day: what it holds may be gone by now.
FRESH = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Page:
    """Items of one listing: where it was asked, for whose parts, and the token of what comes next (None: no more)."""

    region: str
    listing: str
    of: str
    items: tuple[dict[str, Any], ...]
    next: str | None


class Journal:
    """One account's pages, appended as they come; a line that was torn by a crash is as if it never came."""

    def __init__(self, path: Path, *, now: float) -> None:
        self.path = path
        self._lock = threading.Lock()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if now - path.stat().st_mtime > FRESH:
                path.unlink()
        self._pages: dict[tuple[str, str, str], list[Page]] = {}
        for page in self._read():
            self._pages.setdefault((page.region, page.listing, page.of), []).append(page)
        self.resumed = sum(len(page.items) for pages in self._pages.values() for page in pages)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file = os.fdopen(handle, "ab")
        if self._torn:
            self._file.write(b"\n")

    def pages(self, region: str, listing: str, of: str) -> list[Page]:
        """What an earlier run wrote down of a listing, in the order in which it came."""
        return self._pages.get((region, listing, of), [])

    def add(self, page: Page) -> None:
        line = orjson.dumps([page.region, page.listing, page.of, page.items, page.next]) + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()

    def close(self) -> None:
        self._file.close()

    def done(self) -> None:
        """Everything was taken in: nothing is left to go on with."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _read(self) -> Iterator[Page]:
        self._torn = False
        try:
            opened = self.path.open("rb")
        except FileNotFoundError:
            return
        with opened:
            for line in opened:
                self._torn = not line.endswith(b"\n")
                try:
                    region, listing, of, items, following = orjson.loads(line)
                    yield Page(region, listing, of, tuple(items), following)
                except (ValueError, TypeError):
                    continue


def journal_of(directory: Path, account: str, *, now: float | None = None) -> Journal:
    """The journal of an account in a state directory."""
    return Journal(directory / "cloud" / f"aws-{account}.jsonl", now=time.time() if now is None else now)
