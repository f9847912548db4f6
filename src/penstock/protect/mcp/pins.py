"""Which definition of each tool was seen first, and which a person approved: small, durable, shared by all processes.

The file is read again when it changed and written whole, under a lock, by whichever process sees a tool for the first
time or sees it changed. So a tool that changes between two runs of an agent is noticed in the second.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from penstock.errors import NotReachable

#: Where a state directory keeps its pins.
FILE = "mcp-pins.json"
#: Tools that are kept: of one server, and servers. Beyond, a tool counts as new each time.
TOOLS, SERVERS = 2_000, 500


class Pin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The definition that counts, and the one that was seen last.

    digest: ``definition.digest`` of the definition in force. seen: of the last one that was listed; another one means
    that the tool has changed. definition: the one in force, to show a difference by. by: who approved it; empty when
    it counts because it was the first. since: when it came into force, in epoch seconds. state, why: how the one that
    was seen last was judged, when nobody has approved it.
    """

    digest: str
    seen: str = ""
    state: str = ""
    why: str = ""
    definition: str = ""
    by: str = ""
    since: float = 0.0

    @property
    def standing(self) -> str:
        """How the tool stands by what was seen last."""
        if self.seen != self.digest:
            return "changed"
        return "approved" if self.by else self.state or "known"


class _File(msgspec.Struct, kw_only=True):
    format: int = 1
    servers: dict[str, dict[str, Pin]] = {}


class Pins:
    """Pins by server and tool. ``path`` None keeps them in memory."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._mark: tuple[int, int, int] | None = None
        self._servers: dict[str, dict[str, Pin]] = {}
        self._lock = threading.Lock()
        #: Why pins could not be read or written last; the tools are judged all the same.
        self.problem = ""

    @classmethod
    def beside(cls, folder: Path | None) -> Pins:
        """The pins of a state directory."""
        return cls(folder / FILE if folder else None)

    def of(self, server: str) -> Mapping[str, Pin]:
        """The pins of one server."""
        with self._lock:
            self._refresh()
            return dict(self._servers.get(server, {}))

    def all(self) -> Mapping[str, Mapping[str, Pin]]:
        with self._lock:
            self._refresh()
            return {server: dict(pins) for server, pins in self._servers.items()}

    def put(self, server: str, changed: Mapping[str, Pin]) -> None:
        """Keep pins of one server. What the disk does not take is kept in memory, and said in ``problem``."""
        if not changed:
            return
        with self._lock:
            try:
                with self._alone():
                    readable = self._refresh()
                    self._merge(server, changed)
                    if readable:
                        self._write()
                        self.problem = ""
            except OSError as error:
                self._merge(server, changed)
                self.problem = f"pins of tools cannot be written to {self._path}: {error.strerror}"

    def _merge(self, server: str, changed: Mapping[str, Pin]) -> None:
        if server not in self._servers and len(self._servers) >= SERVERS:
            return
        pins = self._servers.setdefault(server, {})
        for tool, pin in changed.items():
            if tool in pins or len(pins) < TOOLS:
                pins[tool] = pin

    def _refresh(self) -> bool:
        """Read the file if another process has written it; False when it is there and cannot be read."""
        if self._path is None:
            return True
        try:
            found = self._path.stat()
            mark = (found.st_mtime_ns, found.st_size, found.st_ino)
            if mark == self._mark:
                return True
            self._servers = msgspec.json.decode(self._path.read_bytes(), type=_File).servers
            self._mark = mark
            self.problem = ""
        except FileNotFoundError:
            return True
        except (OSError, msgspec.DecodeError) as error:
            self.problem = f"pins of tools cannot be read from {self._path}: {error}"
            return False
        return True

    def _write(self) -> None:
        if self._path is None:
            return
        handle, draft = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(_File(servers=self._servers)))
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(self._path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
        found = self._path.stat()
        self._mark = (found.st_mtime_ns, found.st_size, found.st_ino)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process writes meanwhile."""
        if self._path is None or sys.platform == "win32":
            yield
            return
        import fcntl

        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def approve(path: Path, server: str, tool: str, *, by: str, now: float) -> Pin:
    """Let the definition of a tool that was seen last count from now on.

    Raises:
        NotReachable: the tool was never seen, or the pins cannot be written.
    """
    pins = Pins(path)
    pin = pins.of(server).get(tool)
    if pin is None:
        raise NotReachable(
            f"No tool {tool!r} of a server {server!r} was seen", str(path), "penstock mcp tools lists those that were"
        )
    fresh = Pin(digest=pin.seen or pin.digest, seen=pin.seen or pin.digest, by=by, since=now)
    pins.put(server, {tool: fresh})
    if pins.problem:
        raise NotReachable("The approval could not be kept", str(path), pins.problem)
    return fresh
