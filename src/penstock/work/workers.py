"""Workers: run a function over batches in processes of their own, so that a hostile item costs one item.

A batch is a tuple of items; the function takes the tuple and gives one result for it. Nothing that an item does to
its process reaches the caller: a batch that raises, overruns its time, takes too much memory or kills its process
is run again item by item, and the item that is guilty comes back as `Failed`, a value.

Why not ``concurrent.futures``: one killed process breaks its whole pool and loses what was in flight.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Generic, TypeVar

from penstock.work.limits import Overrun, cap_cpu, cap_memory, time_cap

Item = TypeVar("Item")
Result = TypeVar("Result")

#: More processes than this do not pay for start and memory on one machine; a cluster is another engine's task.
MOST_PROCESSES = 8
#: A worker's own alarm has this much longer (factor, seconds) before its parent ends it from outside.
_GRACE_FACTOR, _GRACE_SECONDS = 1.25, 1.0


@dataclass(frozen=True, slots=True)
class Done(Generic[Item, Result]):
    """A batch and what the function gave for it."""

    batch: tuple[Item, ...]
    result: Result


@dataclass(frozen=True, slots=True)
class Failed(Generic[Item]):
    """An item that could not be worked on, and why, in words."""

    item: Item
    why: str


class Workers:
    """A pool of capped processes, started when there is work for them and replaced when they die.

    Args:
        processes: at most so many at once; None: one for each CPU this process may use, at most 8; 0: run in the
            caller's own process, with the time cap alone and only in its main thread: for tests and debugging, never
            for what strangers wrote, because a loop in C would take the caller with it.
        memory_mb: address space that the work may take beyond what a worker has after start.
        seconds: wall time for a batch, and again for each of its items when the batch is run item by item.
    """

    def __init__(self, processes: int | None = None, memory_mb: int = 512, seconds: float = 20.0) -> None:
        self.processes = usable_cpus() if processes is None else processes
        self.memory_mb = memory_mb
        self.seconds = seconds
        self._workers: list[_Worker] = []

    def map(
        self,
        function: Callable[[tuple[Item, ...]], Result],
        batches: Iterable[tuple[Item, ...]],
        *,
        on_done: Callable[[int], None] | None = None,
        seconds: float | None = None,
    ) -> Iterator[Done[Item, Result] | Failed[Item]]:
        """Results as they come, in no particular order; batches are drawn only as fast as they are worked on.

        Args:
            function: a function at the top of a module; it, the batches and the results must pickle.
            on_done: called in the caller's process with the number of items that were settled.
            seconds: another time cap for this call.
        Stopping early (an exception in the caller, Ctrl-C, closing the iterator) ends what is still running.
        """
        cap = seconds or self.seconds
        outcomes = self._pool(function, batches, cap) if self.processes else _serial(function, batches, cap)
        for outcome in outcomes:
            if on_done:
                on_done(len(outcome.batch) if isinstance(outcome, Done) else 1)
            yield outcome

    def close(self) -> None:
        """End every worker process and wait for it."""
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pool(
        self, function: Callable[[tuple[Item, ...]], Result], batches: Iterable[tuple[Item, ...]], seconds: float
    ) -> Iterator[Done[Item, Result] | Failed[Item]]:
        again: deque[tuple[Item, ...]] = deque()
        fresh = iter(batches)
        busy: dict[_Worker, tuple[Item, ...]] = {}
        exhausted = False
        try:
            while True:
                while len(busy) < self.processes:
                    if again:
                        batch = again.popleft()
                    elif exhausted:
                        break
                    else:
                        drawn = next(fresh, None)
                        if drawn is None:
                            exhausted = True
                            break
                        batch = drawn
                    task = pickle.dumps((function, batch, seconds), pickle.HIGHEST_PROTOCOL)
                    worker = self._idle(busy)
                    busy[worker] = batch  # noted before it is sent, so that an interrupt in between ends it
                    worker.give(task, seconds)
                if not busy:
                    return
                for worker in self._settled(busy):
                    batch = busy.pop(worker)
                    outcome = worker.outcome()
                    if worker.over:
                        self._workers.remove(worker)
                    if outcome.ok:
                        yield Done(batch, outcome.value)
                    elif len(batch) > 1:
                        again.extend((item,) for item in batch)
                    else:
                        yield Failed(batch[0], outcome.why)
        finally:
            for worker in busy:
                worker.end()
                self._workers.remove(worker)

    def _idle(self, busy: dict[_Worker, Any]) -> _Worker:
        for worker in [worker for worker in self._workers if worker not in busy]:
            if worker.process.is_alive():
                return worker
            worker.end()  # something outside ended it while it had nothing to do
            self._workers.remove(worker)
        worker = _Worker(self.memory_mb, [other.line for other in self._workers])
        self._workers.append(worker)
        return worker

    def _settled(self, busy: dict[_Worker, Any]) -> list[_Worker]:
        """Workers that answered, died or ran out of time; waits until there is one."""
        while True:
            first = min(worker.deadline for worker in busy)
            ready = set(wait([worker.line for worker in busy], timeout=max(first - time.monotonic(), 0.0)))
            now = time.monotonic()
            if settled := [worker for worker in busy if worker.line in ready or worker.deadline <= now]:
                return settled


def _serial(
    function: Callable[[tuple[Item, ...]], Result], batches: Iterable[tuple[Item, ...]], seconds: float
) -> Iterator[Done[Item, Result] | Failed[Item]]:
    for batch in batches:
        outcome = _attempt(function, batch, seconds)
        if outcome.ok:
            yield Done(batch, outcome.value)
        elif len(batch) == 1:
            yield Failed(batch[0], outcome.why)
        else:
            yield from _serial(function, ((item,) for item in batch), seconds)


@dataclass(frozen=True, slots=True)
class _Outcome:
    ok: bool
    value: Any = None
    why: str = ""
    #: the process may be in no state to go on
    spent: bool = False


class _Worker:
    """One process and the line to it."""

    def __init__(self, memory_mb: int, others: list[Connection]) -> None:
        context: Any = multiprocessing.get_context(_start_method())  # its stub lacks Process
        self.line: Connection
        self.line, theirs = context.Pipe()
        # A forked child holds copies of its siblings' lines; unless it lets go, none of them would notice our death.
        strangers = [*others, self.line] if context.get_start_method() == "fork" else []
        self.process: BaseProcess = context.Process(
            target=_serve, args=(theirs, memory_mb, strangers), daemon=True, name="penstock-worker"
        )
        self.process.start()
        theirs.close()
        self.seconds = self.deadline = 0.0
        self.over = False

    def give(self, task: bytes, seconds: float) -> None:
        self.seconds = seconds
        self.deadline = time.monotonic() + seconds * _GRACE_FACTOR + _GRACE_SECONDS
        try:
            self.line.send_bytes(task)
        except OSError:  # it died while idle: outcome() sees the closed line
            self.deadline = 0.0

    def outcome(self) -> _Outcome:
        """What came of the batch; a process that died or is stuck is ended."""
        try:
            if self.line.poll():
                outcome: _Outcome = pickle.loads(self.line.recv_bytes())  # noqa: S301 - written by our own worker
                if outcome.spent:
                    self.end()
                return outcome
            why = f"it took longer than {self.seconds:g} s and did not stop when asked"
        except (EOFError, OSError):
            self.process.join(1.0)
            why = _death(self.process.exitcode)
        self.end()
        return _Outcome(False, why=why)

    def end(self) -> None:
        self.over = True
        self.process.kill()
        self.process.join()
        self.line.close()
        self.process.close()


def _serve(line: Connection, memory_mb: int, strangers: list[Connection]) -> None:
    """The life of a worker: take a task, try it, answer; end when the caller is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the caller decides what ends
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform != "win32":
        signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process: see limits.end_after
    for stranger in strangers:
        stranger.close()
    capped = False
    while True:
        try:
            task = line.recv_bytes()
        except (EOFError, OSError):
            return
        try:
            function, batch, seconds = pickle.loads(task)  # noqa: S301 - written by our own parent
            if not capped:  # only now: importing the function's module is not the item's fault
                cap_memory(memory_mb)
                capped = True
            cap_cpu(seconds * 2 + 1)
            outcome = _attempt(function, batch, seconds)
            answer = pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # the outer edge: what does not import, pickle or fit becomes a value
            answer = pickle.dumps(_Outcome(False, why=_why(error), spent=True))
        try:
            line.send_bytes(answer)
        except OSError:
            return


def _attempt(function: Callable[[Any], Any], batch: tuple[Any, ...], seconds: float) -> _Outcome:
    try:
        with time_cap(seconds):
            return _Outcome(True, function(batch))
    except Overrun:
        return _Outcome(False, why=f"it took longer than {seconds:g} s", spent=True)
    except MemoryError:
        return _Outcome(False, why="it needed more memory than a worker may take", spent=True)
    except Exception as error:  # the outer edge: an exception is the item's, not the pool's
        return _Outcome(False, why=_why(error))


def _why(error: BaseException) -> str:
    text = str(error)[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        if name in ("SIGXCPU", "SIGPROF"):
            return "it used more CPU time than a worker may take"
        return f"it ended its worker process ({name})"
    return f"it ended its worker process (exit code {code})"


def _start_method() -> str:
    """Fork costs 2 ms and keeps what is imported, but is safe only where no other thread may hold a lock."""
    if sys.platform == "linux" and threading.active_count() == 1:
        return "fork"
    return "spawn" if sys.platform == "win32" else "forkserver"


def usable_cpus() -> int:
    """CPUs that this process may use, at most as many as a pool takes."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, MOST_PROCESSES))
