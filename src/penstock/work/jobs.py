"""Jobs: work that must happen even when the process dies in the middle of it, in one SQLite file.

On huey, with storage of our own (``penstock.work.storage``) because huey's loses the task that a killed process held.
A job runs at least once: a handler may see a job again that it had finished when the power went. What fails is tried
again with growing pauses, then reported to ``on_dead`` and dropped.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from huey import Huey
from huey.exceptions import HueyException
from huey.signals import SIGNAL_ERROR

from penstock.errors import WrongUse
from penstock.work.storage import KeptStorage, Plain

Payload = bytes | dict[str, Any]
Handler = Callable[[Any], None]
_Handler = TypeVar("_Handler", bound=Handler)

#: A failed job is tried again after 2, 8, 32, 128, 512 s: about eleven minutes in all.
RETRIES, FIRST_PAUSE, GROWTH = 5, 2.0, 4.0
#: A job whose process died so often under it is not handed out again.
MOST_DEATHS = 3
#: How often an idle runner looks for jobs that other processes put (seconds).
_LOOK = 0.5

# Each failure reaches on_dead or a retry; huey would print a stack trace for every one.
logging.getLogger("huey").addHandler(logging.NullHandler())
logging.getLogger("huey").propagate = False


class Jobs:
    """Durable jobs in the file at ``path``; several threads and processes may put and run.

    Args:
        on_dead: told of a job that is given up: name, payload, why. Without it, giving up is logged.
        retries, pause: how often a failed job is tried again, and seconds before the first time.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        on_dead: Callable[[str, Any, str], None] | None = None,
        retries: int = RETRIES,
        pause: float = FIRST_PAUSE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._huey = Huey(
            "jobs", results=False, serializer=Plain(), storage_class=KeptStorage, filename=str(path), clock=clock
        )
        self._storage: KeptStorage = self._huey.storage
        self._on_dead = on_dead or _log_dead
        self._retries, self._pause = retries, pause
        self._clock = clock
        self._tasks: dict[str, Any] = {}
        self._periodic: dict[str, float] = {}
        self._news = threading.Event()
        self._huey.signal(SIGNAL_ERROR)(self._failed)

    def handler(self, name: str) -> Callable[[_Handler], _Handler]:
        """Register what handles the jobs of a name; it takes the payload."""

        def register(handle: _Handler) -> _Handler:
            if name in self._tasks:
                raise WrongUse(f"Jobs named {name!r} have a handler already")
            self._tasks[name] = self._huey.task(
                name=name, retries=self._retries, retry_delay=self._pause, retry_backoff=GROWTH
            )(_handling(handle))
            return handle

        return register

    def put(self, name: str, payload: Payload = b"", *, delay: float = 0.0, key: str | None = None) -> bool:
        """Add a job, to run after ``delay`` seconds; False when one with this ``key`` waits or runs already."""
        added = self._storage.put(self._message(name, payload), self._clock() + delay if delay else 0.0, key)
        self._news.set()
        return added

    def every(self, seconds: float, name: str) -> None:
        """Run the job of a name every so often, once however many processes run jobs, and never twice at a time."""
        self._message(name, b"")
        self._periodic[name] = seconds

    def run(self, stop: threading.Event) -> None:
        """Handle jobs until ``stop`` is set; the job at hand is finished first."""
        next_look = dict.fromkeys(self._periodic, 0.0)
        while not stop.is_set():
            for name, seconds in self._periodic.items():
                if time.monotonic() >= next_look.get(name, 0.0):
                    again = self._storage.fire(name, seconds, self._message(name, b""), f"every {name}")
                    next_look[name] = time.monotonic() + min(again, 60.0)  # the clock may be set meanwhile
            if not self._one():
                soon = min((at - time.monotonic() for at in next_look.values()), default=_LOOK)
                self._news.wait(max(0.0, min(_LOOK, soon)))
                self._news.clear()

    def waiting(self) -> int:
        """How many jobs wait or run."""
        return self._storage.waiting()

    def close(self) -> None:
        """Let go of the file. Jobs that wait stay in it."""
        self._storage.close()

    def _one(self) -> bool:
        """Handle one job; False when none is due."""
        try:
            task = self._huey.dequeue()
        except HueyException as error:  # no handler of this name here, or no job of ours at all
            self._on_dead("", b"", str(error))
            self._storage.done()
            return True
        if task is None:
            return False
        if self._storage.claimed.deaths >= MOST_DEATHS:
            self._on_dead(task.name, task.args[0], f"its process died {MOST_DEATHS} times while handling it")
        else:
            self._huey.execute(task)
        self._storage.done()
        return True

    def _failed(self, _signal: str, task: Any, error: BaseException | None = None) -> None:
        if not task.retries:
            self._on_dead(task.name, task.args[0], f"{type(error).__name__}: {error}")

    def _message(self, name: str, payload: Payload) -> bytes:
        if name not in self._tasks:
            raise WrongUse(f"There is no handler for jobs named {name!r}", hint="Register it before putting any")
        message: bytes = self._huey.serialize_task(self._tasks[name].s(payload))
        return message


def _handling(handle: Handler) -> Callable[[Any], None]:
    def job(payload: Any) -> None:
        handle(payload)

    return job


def _log_dead(name: str, payload: Any, why: str) -> None:
    logging.getLogger("penstock.work").error("gave up on job %s: %s", name, why)
