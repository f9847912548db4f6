"""The live state behind the API: one world at a time, refreshed when the store changed, and a loop that never dies."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from penstock.errors import PenstockError
from penstock.graph.store.protocol import Approval, Store
from penstock.respond.approvals import next_change
from penstock.respond.in_force import put_in_force
from penstock.respond.loop import turn
from penstock.respond.messages import tell
from penstock.respond.quarantine import quarantines
from penstock.respond.refresh import HOUR, Refreshed, refresh, stamp_of
from penstock.respond.spool import ASIDE, waits
from penstock.respond.telling import Notify
from penstock.serve.looks import Looks
from penstock.serve.world import World
from penstock.settings import Settings

#: Seconds between turns of the loop: an event shows on its case within a second.
TURN_SECONDS = 0.5
#: Seconds to wait after a turn that failed, so that a broken disk costs no CPU.
RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Something the server could not do, since when and how often."""

    what: str
    why: str
    since: float
    times: int = 1


class Live:
    """Holds the store open and the newest world in memory; threads read ``world`` without locking.

    notify: told of every case that changed, by whichever process.
    ask: told of every request for approval that changed, so that people hear of it.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        state: Path,
        *,
        notify: Notify | None = None,
        ask: Callable[[Iterable[Approval]], None] | None = None,
    ) -> None:
        self.store = store
        self.settings = settings
        self.state = state
        self.failures: dict[str, Failure] = {}
        self.looks = Looks(store)
        self._notify = notify
        self._ask = ask
        self._world = World.empty(settings)
        self._stamp = ""
        self._seen: tuple[int, float] | None = None
        self._changing = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def world(self) -> World:
        """The newest world; one value for the whole of a request."""
        return self._world

    def refresh(self, *, now: float | None = None) -> World:
        """Derive everything anew, so that a change shows in the next answer."""
        now = time.time() if now is None else now
        with self._changing:
            self._show(refresh(self.store, self.settings, self.state, now=now, notify=self._notify), now)
        return self._world

    def turn(self, *, now: float | None = None) -> None:
        """Take in what the gateway saw and what other processes wrote; next to nothing when that is nothing."""
        now = time.time() if now is None else now
        with self._changing:
            version = self.store.version()
            if self._seen and self._seen[0] == version and now < self._seen[1] and not self._spooled():
                return
            turned = turn(self.store, self.settings, self.state, now=now, notify=self._notify)
            if turned.refreshed:
                self._show(turned.refreshed, now)
            elif self._stamp != turned.stamp:
                self._show(refresh(self.store, self.settings, self.state, now=now, notify=self._notify), now)
            elif self._world.cases != turned.cases:
                self._world = self._world.with_cases(turned.cases)
            if self._ask is not None:
                tell(self.store, self._ask)
            self._seen = version, self._next_end(now)

    def put_in_force(self, *, now: float) -> None:
        """Let the gateway know at once what people allowed or set aside."""
        put_in_force(self.store, self.state, now=now)

    def report(self, what: str, why: str) -> None:
        """Let a failure of something else that runs beside the loop show on Today and under /api/v1/health."""
        before = self.failures.get(what)
        self.failures[what] = (
            replace(before, why=why, times=before.times + 1) if before else Failure(what, why, time.time())
        )

    def _spooled(self) -> bool:
        return waits(self.store, self.state / "spool")

    def _next_end(self, now: float) -> float:
        """When time alone may change something: an acceptance or a snooze ends, the hour, old files of the spool."""
        ends = [case.until for case in self._world.cases] + [a.until for a in self.store.acceptances()]
        ends += [next_change(self.store, self.settings.approvals, now)]
        ends += [one.until for one in quarantines(self.store, now=now)]
        return min([end for end in ends if end is not None and end > now] + [(now // HOUR + 1) * HOUR, now + ASIDE])

    def start(self) -> None:
        """Build the first world and start the loop. A failure is kept and shown, never raised."""
        self._attempt("assess the inventory", self.refresh)
        self._thread = threading.Thread(target=self._loop, name="penstock-loop", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the loop after the turn it is in; the store stays open for whoever opened it."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=10)

    def _show(self, made: Refreshed, now: float) -> None:
        world = World.of(made, self.settings, self.store)
        _ = world.listing  # made here, so that no reader waits for it
        self._world = world
        self._stamp = stamp_of(self.store, self.settings, now)
        self.failures.pop("assess the inventory", None)

    def _loop(self) -> None:
        while not self._stop.is_set():
            turned = self._attempt("take in what is new", self.turn)
            self._stop.wait(TURN_SECONDS if turned else RETRY_SECONDS)

    def _attempt(self, what: str, act: Callable[[], object]) -> bool:
        """Run one step of the loop; what it could not do is reported on Today and under /api/v1/health."""
        try:
            act()
        except Exception as error:  # the loop outlives whatever one turn meets; the failure is shown instead
            why = str(error) if isinstance(error, PenstockError) else f"{type(error).__name__}: {error}"
            if what not in self.failures:
                traceback.print_exc()
            self.report(what, why)
            return False
        self.failures.pop(what, None)
        return True
