"""What one piece of work may cost: wall time, CPU time, memory. Caps apply to the process that sets them.

POSIX only in full; where the system offers no such cap (Windows; address space on macOS) the call does nothing and
the watchdog of the parent process (``penstock.work.workers``) is what is left.
"""

from __future__ import annotations

import math
import multiprocessing
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

if sys.platform != "win32":
    import resource


class Overrun(BaseException):
    """The time is up. No ``Exception``, so that a handler in the work itself cannot swallow it by accident."""


#: Once a cap has fired it fires again this often (seconds): a library's callback may have swallowed the first.
_AGAIN = 0.5


@contextmanager
def time_cap(seconds: float) -> Iterator[None]:
    """Raise `Overrun` in the body once ``seconds`` of wall time are over; caps nest, the nearer one fires.

    Only the main thread of a POSIX process can be interrupted; elsewhere there is no cap. Code that stays in C
    without asking for signals is not interrupted: the parent's watchdog ends the whole process instead.
    """
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True
    began = time.monotonic()

    def ring(_signal: int, _frame: FrameType | None) -> None:
        if armed:
            raise Overrun

    before = signal.signal(signal.SIGALRM, ring)
    outer, again = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    if outer and outer < seconds:
        signal.setitimer(signal.ITIMER_REAL, outer, again or _AGAIN)
    try:
        yield
    finally:
        armed = False
        left = max(outer - (time.monotonic() - began), 0.001) if outer else 0.0
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
        if outer:
            signal.setitimer(signal.ITIMER_REAL, left, again)


@contextmanager
def end_after(seconds: float) -> Iterator[None]:
    """Let the kernel end this worker process once the body took so much CPU time, even in C that heeds no signal.

    Only a process that has a parent to notice and go on is ended; elsewhere, and on Windows, there is no such cap.
    """
    if sys.platform == "win32" or multiprocessing.parent_process() is None:
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def cap_memory(megabytes: int) -> None:
    """Let this process take ``megabytes`` more address space than it has now; beyond that, MemoryError."""
    if sys.platform != "linux":
        return
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    wanted = pages * resource.getpagesize() + megabytes * 1024 * 1024
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


def cap_cpu(seconds: float) -> None:
    """Let the kernel end this process after ``seconds`` more CPU time, even when no parent is left to do it."""
    if sys.platform == "win32":
        return
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = math.ceil(time.process_time() + seconds)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (wanted, hard))
