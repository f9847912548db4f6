"""A look at what is about to be loaded, and a no where it would do harm.

What is judged is what is then loaded: bytes and streams are read once and handed on, an open file is judged through its
own descriptor. A path is judged and then opened again by its loader; whoever may write to the folder in between can
still change it, so keep models where only their owner writes.
"""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.errors import NotAllowed, NotReachable
from penstock.inspect.models.hashes import Lists
from penstock.inspect.models.scan import scan_path, scan_source
from penstock.inspect.models.source import Limits, Memory, Source
from penstock.inspect.models.verdict import Report, Verdict

#: Bytes of a stream without a file that are held to be judged.
MOST_HELD = 1 << 30
#: Files whose verdict is remembered.
_REMEMBERED = 4096
#: CPU seconds for one load; weights cost milliseconds, and who waits for a model waits for seconds anyway.
_LIMITS = Limits(seconds=20.0)
#: Reasons that a refusal tells.
_TOLD = 3


class UnsafeModel(NotAllowed):
    """A model was not loaded. ``report`` says why."""

    def __init__(self, report: Report, hint: str) -> None:
        super().__init__(f"The model was not loaded: it is {report.verdict.word}", report.path, hint)
        self.report = report


@dataclass(frozen=True, slots=True)
class Stance:
    """refuse: the mildest verdict that is refused. unseen: whether what could not be seen whole is refused too.

    log: a file to which each judged load is added as a line of JSON.
    """

    refuse: Verdict = Verdict.MALICIOUS
    unseen: bool = False
    lists: Lists = Lists()  # noqa: RUF009 - a frozen value
    log: str = ""

    def refuses(self, report: Report) -> bool:
        unseen = any(reason.verdict is Verdict.INCONCLUSIVE for reason in report.reasons)
        return report.verdict >= max(self.refuse, Verdict.REVIEW) or (self.unseen and unseen)


class Guard:
    """Judges what a loader is told to read. May be used from any thread."""

    def __init__(self, stance: Stance | None = None) -> None:
        self.stance = stance or Stance()
        self._known: OrderedDict[tuple[int, ...], Report] = OrderedDict()
        self._lock = threading.Lock()
        self._here = threading.local()

    def checked(self, what: Any, loader: str) -> Any:
        """The thing itself, or bytes read from it in its stead.

        Raises:
            UnsafeModel: it is refused.
        """
        if getattr(self._here, "judging", False):  # what judging itself reads is Penstock's own
            return what
        self._here.judging = True
        try:
            return self._checked(what, loader)
        finally:
            self._here.judging = False

    def _checked(self, what: Any, loader: str) -> Any:
        if isinstance(what, str | os.PathLike):
            path = os.fspath(what)
            if isinstance(path, bytes):
                path = os.fsdecode(path)
            if os.path.lexists(path):  # else a name at a hub, whose files are judged as they arrive
                self._decide(self._of_path(path), loader)
            return what
        if isinstance(what, bytes | bytearray | memoryview):
            self._decide(self._of_source(Memory(bytes(what)), "bytes"), loader)
            return what
        if hasattr(what, "read"):
            return self._stream(what, loader)
        return what

    def _stream(self, file: Any, loader: str) -> Any:
        name = str(getattr(file, "name", "") or "stream")
        if (place := _descriptor(file)) is not None:
            self._decide(self._of_descriptor(*place, name), loader)
            return file
        begin = file.tell() if _seeks(file) else None
        data = file.read(MOST_HELD + 1)
        if not isinstance(data, bytes):  # text: nothing that a pickle could be in
            data = str(data).encode("utf-8", "surrogatepass")
        self._decide(self._of_source(Memory(data[:MOST_HELD]), name), loader)
        if begin is not None:
            file.seek(begin)
            return file
        if len(data) > MOST_HELD:
            raise NotReachable(
                "A model in a stream is longer than 1 GB", name, "Write it to a file, and load it from there"
            )
        return io.BytesIO(data)

    def _of_path(self, path: str) -> Report:
        key = _identity(os.stat(path), 0)  # noqa: PTH116 - a string stays a string
        if Path(path).is_dir():  # a folder's own time says nothing of its files
            return scan_path(path, limits=_LIMITS, lists=self.stance.lists)
        return self._remembered(key, lambda: scan_path(path, limits=_LIMITS, lists=self.stance.lists))

    def _of_descriptor(self, descriptor: int, at: int, name: str) -> Report:
        about = os.fstat(descriptor)
        source = _Descriptor(descriptor, at, about.st_size - at)
        return self._remembered(_identity(about, at), lambda: self._of_source(source, name))

    def _of_source(self, source: Source, name: str) -> Report:
        return scan_source(source, name, limits=_LIMITS, lists=self.stance.lists)

    def _remembered(self, key: tuple[int, ...], scan: Any) -> Report:
        with self._lock:
            if known := self._known.get(key):
                self._known.move_to_end(key)
                return known
        report: Report = scan()
        with self._lock:
            self._known[key] = report
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return report

    def _decide(self, report: Report, loader: str) -> None:
        refused = self.stance.refuses(report)
        if self.stance.log:
            self._write(report, loader, refused)
        told = "; ".join(f"{reason.what} ({reason.place})" for reason in report.ranked()[:_TOLD])
        if refused:
            raise UnsafeModel(
                report, f"{loader}: {told}. Look closer: penstock model scan; allow this content: --allow LIST"
            )
        if report.verdict >= Verdict.REVIEW:
            warnings.warn(
                f"{report.path} is loaded by {loader} though it is {report.verdict.word}: {told}", stacklevel=4
            )

    def _write(self, report: Report, loader: str, refused: bool) -> None:
        line = {
            "at": round(time.time(), 3), "loader": loader, "path": report.path, "verdict": report.verdict.word,
            "refused": refused, "rules": sorted({reason.rule for reason in report.reasons}),
        }  # fmt: skip
        try:
            with Path(self.stance.log).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            print(f"penstock: a judged load could not be logged: {error.strerror}", file=sys.stderr)


class _Descriptor:
    """An open file by its descriptor, from where its reader stands, without moving the reader."""

    __slots__ = ("_at", "_descriptor", "size")

    def __init__(self, descriptor: int, at: int, size: int) -> None:
        self._descriptor = descriptor
        self._at = at
        self.size = max(0, size)

    def read(self, at: int, count: int) -> bytes:
        if at < 0 or at >= self.size:
            return b""
        return os.pread(self._descriptor, min(count, self.size - at), self._at + at)


def _descriptor(file: Any) -> tuple[int, int] | None:
    """Descriptor and position of a plain file; None for what only looks like one (gzip, a member of an archive)."""
    if not isinstance(file, io.BufferedReader | io.BufferedRandom | io.FileIO) or not hasattr(os, "pread"):
        return None
    raw = getattr(file, "raw", file)
    if not isinstance(raw, io.FileIO):
        return None
    try:
        at = file.tell()
    except OSError:
        return None
    return raw.fileno(), at


def _seeks(file: Any) -> bool:
    seekable = getattr(file, "seekable", None)
    return bool(seekable()) if seekable is not None else hasattr(file, "seek") and hasattr(file, "tell")


def _identity(about: os.stat_result, at: int) -> tuple[int, ...]:
    """The change time cannot be set back by whoever writes, so a changed file is a new one."""
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns, at
