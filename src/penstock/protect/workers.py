"""Several gateway processes on one address: started, watched, replaced without losing a call, and ended.

Each worker binds the address itself (SO_REUSEPORT), so that the kernel shares out connections, and writes a spool file
of its own. What they cannot share (windows of limits, breakers, remembered texts) each keeps for itself.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

_log = logging.getLogger(__name__)
#: Seconds a worker may take to start, and to end once it is told to (it answers the calls under way first).
START, END = 30.0, 40.0
#: Seconds between the death of a worker and its successor: a worker that cannot live costs little.
REST = 1.0
#: What a worker prints when it listens.
READY = "ready"


class Workers:
    """Processes that run one command line each; ``run`` returns when all have ended."""

    def __init__(self, command: Sequence[str], number: int) -> None:
        self._command = list(command)
        self._number = number
        self._running: list[subprocess.Popen[str]] = []
        self._ended = False
        self._renew = False
        self._woken = threading.Event()

    def run(self) -> int:
        """Keep the workers alive until SIGTERM or SIGINT; SIGHUP replaces them one by one."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told_to_end)
        signal.signal(signal.SIGHUP, self._told_to_renew)
        for _ in range(self._number):
            self._start()
        failed = not self._running
        while not self._ended and not failed:
            self._woken.wait(0.2)
            self._woken.clear()
            if self._renew:
                self._renew = False
                self._replace()
            for worker in [one for one in self._running if one.poll() is not None]:
                _log.error("a worker died", extra={"worker": worker.pid, "status": worker.returncode})
                self._running.remove(worker)
                time.sleep(REST)
                self._start()
        self._end(self._running)
        return 1 if failed else 0

    def _start(self) -> subprocess.Popen[str] | None:
        """A new worker that listens, or None when it does not come up."""
        worker = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert worker.stdout is not None  # noqa: S101
        late = threading.Timer(START, worker.kill)
        late.start()
        said = worker.stdout.readline()
        late.cancel()
        if said.strip() != READY:
            worker.kill()
            worker.wait()
            _log.error("a worker did not start", extra={"status": worker.returncode})
            return None
        self._running.append(worker)
        _log.info("a worker listens", extra={"worker": worker.pid})
        return worker

    def _replace(self) -> None:
        """A successor listens before its predecessor is told to end; without one the old worker stays."""
        for worker in list(self._running):
            if self._ended or self._start() is None:
                return
            self._running.remove(worker)
            self._end([worker])

    @staticmethod
    def _end(workers: Sequence[subprocess.Popen[str]]) -> None:
        for worker in workers:
            worker.terminate()
        until = time.monotonic() + END
        for worker in workers:
            try:
                worker.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def _told_to_end(self, *_: object) -> None:
        self._ended = True
        self._woken.set()

    def _told_to_renew(self, *_: object) -> None:
        self._renew = True
        self._woken.set()


def worker_command(arguments: Sequence[str]) -> list[str]:
    """How one worker is started: this program with the same arguments, told that it is one of several."""
    return [sys.executable, "-m", "penstock.protect", *arguments, "--one-of-several", str(os.getpid())]
