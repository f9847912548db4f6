"""The parts that `penstock up` starts: each a process, watched together, ended together."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import NotReachable

#: Seconds a part may take until it answers, and until it has ended after SIGTERM.
START_SECONDS = 30.0
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Part:
    """A server of ours: the module that runs it, where it listens, and the path that says it is well."""

    name: str
    module: str
    host: str
    port: int
    arguments: tuple[str, ...] = ()
    health: str = "/healthz"

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"


@contextlib.contextmanager
def running(
    parts: Sequence[Part], state: Path, arguments: Sequence[str] = ()
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start the parts, wait until each answers, and end them all on the way out.

    Raises:
        NotReachable: a part ended before it answered (the end of its log is shown), or does not answer.
    """
    logs = state / "logs"
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    started: list[subprocess.Popen[bytes]] = []
    try:
        for part in parts:
            with (logs / f"{part.name}.log").open("wb") as log:
                command = [sys.executable, "-m", part.module, "--state", str(state)]
                command += ["--host", part.host, "--port", str(part.port), *part.arguments]
                # A session of its own: Ctrl-C reaches this process only, which then ends the parts in order.
                started.append(
                    subprocess.Popen(
                        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
                    )
                )  # fmt: skip
        for part, process in zip(parts, started, strict=True):
            wait_until_well(part, process, logs / f"{part.name}.log")
        yield started
    finally:
        stop(started)


def check_port(part: Part) -> None:
    """Raise when something else listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((part.host, part.port))
        except OSError as error:
            raise NotReachable(
                f"The {part.name} cannot listen: {error.strerror}",
                f"{part.host}:{part.port}",
                "Stop what runs there, or name another with --port and --gateway-port",
            ) from error


def wait_until_well(part: Part, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise NotReachable(f"The {part.name} ended while it started", str(log), tail(log))
        connection = http.client.HTTPConnection(part.host, part.port, timeout=1)
        try:
            connection.request("GET", part.health)
            if connection.getresponse().status < 500:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise NotReachable(f"The {part.name} does not answer after {START_SECONDS:.0f} s", part.address, f"See {log}")


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM, and a terminal that closes, end a command as Ctrl-C does: whatever it started is ended too."""

    def interrupt(_received: int, _frame: object) -> None:
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_with_parent() -> None:
    """Have the kernel end this process when the one that started it is killed (PR_SET_PDEATHSIG, prctl(2))."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def watch(parts: Sequence[Part], processes: Sequence[subprocess.Popen[bytes]], state: Path) -> None:
    """Return on Ctrl-C and the like; raise NotReachable when a part ends by itself."""
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(0.2)
            for part, process in zip(parts, processes, strict=True):
                if process.poll() is not None:
                    log = state / "logs" / f"{part.name}.log"
                    raise NotReachable(f"The {part.name} ended by itself", str(log), tail(log))


def stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End the processes: ask first, then insist."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    end = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, for an error's hint."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return f"See {log}"
    return "\n        ".join(text.strip().splitlines()[-lines:]) or f"See {log}"
