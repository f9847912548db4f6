"""MCP over pipes: a server's command, wrapped. Client and server notice nothing but what policy does.

Lines pass byte for byte unless policy changes one of them. Signals and the exit code are passed on. What fails here is
noted and, unless policy says otherwise, costs the client nothing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from types import FrameType

from penstock.errors import NotReachable, NotUnderstood
from penstock.protect.exchange import Part
from penstock.protect.inspection import Inspection
from penstock.protect.judging import judged
from penstock.protect.mcp import message as rpc
from penstock.protect.mcp.pins import Pins
from penstock.protect.mcp.relay import STOPPED, Passed, Relay, Server, ends
from penstock.protect.mcp.tools import Tools
from penstock.protect.permits import Permits, UsedGrants
from penstock.protect.policy import Policy, Record
from penstock.protect.sink import Spool
from penstock.protect.snapshot import Caller
from penstock.protect.snapshot_source import InForce, SnapshotFile

#: Bytes of one line; the SDKs send no longer ones, and a result with a picture in base64 fits.
LONGEST = 32 * 1024 * 1024
#: Bytes read at a time; seconds a server may take to end after its client has gone.
PIECE, PATIENCE = 64 * 1024, 5.0
#: Programs that run another one: what they run names the server.
_RUNNERS = frozenset(
    {"npx", "bunx", "uvx", "uv", "pipx", "node", "deno", "bun", "python", "python3", "docker", "podman", "run", "exec",
     "tool", "sh", "bash", "cmd", "env"}
)  # fmt: skip
#: Who calls when nobody says so: everything is seen, nothing is touched.
_UNNAMED = Caller(application="", name="this client", mode="observe")


def wrap(command: Sequence[str], state: Path, *, server: str = "", key: str = "") -> int:
    """Run the command between this process's input and output; its exit code, or 128 and the signal that ended it.

    Args:
        server: the name under which its tools are pinned (default: what the command runs).
        key: the caller's virtual key; without one that is known, everything is observed and nothing stopped.
    Raises:
        NotReachable: the command cannot be started.
    """
    try:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    except OSError as error:
        raise NotReachable("The MCP server cannot be started", command[0], f"{error.strerror}") from error
    _pass_signals_on(child)
    judge = _Judge.over(state, Server(server or name_of(command), f"stdio:{name_of(command)}", "mcp.stdio"), key)
    assert child.stdin is not None and child.stdout is not None  # noqa: S101
    to_server, to_client = _Out(os.dup(child.stdin.fileno())), _Out(sys.stdout.fileno())
    child.stdin.close()
    upwards = threading.Thread(
        target=_pump, args=(sys.stdin.fileno(), judge.from_client, to_server, to_client), daemon=True, name="to server"
    )
    upwards.start()
    _pump(child.stdout.fileno(), judge.from_server, to_client, to_server)
    to_server.close()
    code = _ended(child)
    judge.close()
    return code


def name_of(command: Sequence[str]) -> str:
    """What a command runs, as a name: ``npx -y @scope/server-files /home`` runs ``server-files``."""
    for word in command:
        name = PurePath(word).name.removesuffix(".exe")
        if not word.startswith("-") and name not in _RUNNERS and "=" not in word:
            return name.rpartition("/")[2][:80]
    return PurePath(command[0]).name[:80]


def _ended(child: subprocess.Popen[bytes]) -> int:
    try:
        code = child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.terminate()
        try:
            code = child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            code = child.wait()
    return code if code >= 0 else 128 - code


def _pass_signals_on(child: subprocess.Popen[bytes]) -> None:
    def tell(number: int, _frame: FrameType | None) -> None:
        if child.poll() is None:
            child.send_signal(number)

    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), tell)


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class _Out:
    """One end that two threads write to."""

    file: int
    closed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, data: bytes) -> None:
        with self.lock:
            view = memoryview(data)
            while view and not self.closed:
                try:
                    view = view[os.write(self.file, view) :]
                except OSError:  # nobody reads any more
                    self.closed = True

    def close(self) -> None:
        with self.lock:
            if not self.closed:
                self.closed = True
                os.close(self.file)


def _pump(source: int, judge: Callable[[bytes], Passed], on: _Out, back: _Out) -> None:
    """Lines from one end to the other, until there are no more."""
    for line, end in _lines(source):
        passed = judge(line)
        if passed.on is not None:
            on.write(passed.on + end)
        if passed.back is not None:
            back.write(passed.back + b"\n")
    if on.file != sys.stdout.fileno():
        on.close()


def _lines(source: int) -> Iterator[tuple[bytes, bytes]]:
    """Lines and their ends. A line that is too long comes in pieces, which are no messages."""
    held: list[bytes] = []
    size = 0
    while True:
        try:
            piece = os.read(source, PIECE)
        except OSError:
            piece = b""
        if not piece:
            break
        *whole, rest = piece.split(b"\n")
        for line in whole:
            yield b"".join([*held, line]), b"\n"
            held, size = [], 0
        held.append(rest)
        size += len(rest)
        if size > LONGEST:
            yield b"".join(held), b""
            held, size = [], 0
    if last := b"".join(held):
        yield last, b""


# ── judging ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Judge:
    """The relay, with the policy that is in force when a line comes."""

    def __init__(self, relay: Relay, source: SnapshotFile, spool: Spool, key: str) -> None:
        self._relay, self._source, self._spool, self._key = relay, source, spool, key
        self._lock = threading.Lock()
        self._in_force: InForce | None = None
        self._used = UsedGrants()

    @classmethod
    def over(cls, state: Path, server: Server, key: str) -> _Judge:
        spool = Spool(state / "spool")
        relay = Relay(
            server, Policy(_UNNAMED), Tools(Pins.beside(state)), Inspection(), spool, session=f"stdio-{os.getpid()}"
        )
        return cls(relay, SnapshotFile(state / "snapshot.json"), spool, key)

    def from_client(self, line: bytes) -> Passed:
        return self._judged(line, "in", self._relay.from_client)

    def from_server(self, line: bytes) -> Passed:
        return self._judged(line, "out", self._relay.from_server)

    def close(self) -> None:
        with self._lock:
            self._relay.close()
        self._source.close()
        self._spool.close()

    def _judged(self, line: bytes, direction: str, judge: Callable[[bytes], Passed]) -> Passed:
        if not line.strip():
            return Passed(line)
        with self._lock:
            try:
                self._swap()
                if len(line) > LONGEST:
                    raise NotUnderstood("The line is too long")
                passed = judge(line)
                return Passed(line) if passed.on is line else _within(line, passed)
            except NotUnderstood as error:
                return self._no_message(line, direction, error)
            except Exception as error:  # a fault of ours is no reason to break the client, unless policy says so
                return self._failed(line, direction, error)

    def _swap(self) -> None:
        """Take over the policy that is in force now."""
        in_force = self._source.current()
        if in_force is None or in_force is self._in_force:
            return
        self._in_force = in_force
        policy = in_force.policy_of(self._key) or Policy(_UNNAMED)
        caller = policy.caller

        def record_of() -> Record:
            return Record(permits=Permits(caller.application, in_force.grants, self._used, requester=caller.name))

        self._relay.now_in_force(policy, in_force.snapshot.tools, record_of)

    def _no_message(self, line: bytes, direction: str, error: NotUnderstood) -> Passed:
        """A line that is no message: words pass as words do; what only looks like a message is kept back where policy
        acts, because somebody may read it as one."""
        relay = self._relay
        if line.lstrip()[:1] in (b"{", b"["):
            if not relay.policy.enforces:
                return Passed(line)
            return Passed(None, rpc.error(None, STOPPED, error.message) if direction == "in" else None)
        part = Part("", "other", line.decode(errors="replace"), 0, len(line), "raw")
        clean, decision = judged(relay.inspection, relay.policy, relay.record_of(), direction, line, [part])
        return Passed() if ends(decision) else Passed(clean)

    def _failed(self, line: bytes, direction: str, error: Exception) -> Passed:
        print(f"penstock: a message was not judged ({type(error).__name__})", file=sys.stderr, flush=True)
        policy = self._relay.policy
        if policy.enforces and any(rule.on_error != "allow" for rule in policy.caller.rules):
            return Passed(
                None, rpc.error(None, STOPPED, "This message could not be judged") if direction == "in" else None
            )
        return Passed(line)


def _within(line: bytes, passed: Passed) -> Passed:
    """A changed message keeps the line end of the one it replaces."""
    if passed.on is not None and line.endswith(b"\r") and not passed.on.endswith(b"\r"):
        return Passed(passed.on + b"\r", passed.back)
    return passed
