"""One turn of the wheel: what the gateway saw becomes history, inventory and cases, and policy follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from penstock.graph.store.protocol import Approval, Store
from penstock.graph.vocabulary import Case, Event
from penstock.respond.approvals import expire, take_asks
from penstock.respond.cases import attach, in_order
from penstock.respond.in_force import put_in_force
from penstock.respond.people import People
from penstock.respond.refresh import ALONE, STAMP, Refreshed, derive, stamp_of
from penstock.respond.spool import POSITIONS, drain, sweep
from penstock.respond.telling import Notify, tell
from penstock.respond.traffic import as_scan, is_use, roll_up, use_of
from penstock.settings import Settings

#: Name under which the store keeps when each use of a model was last taken into the inventory.
TAKEN_IN = "traffic"
#: A use of a model that was taken in this recently (seconds) is not taken in again: an hour, the finest that "last
#: seen" on a page is read.
RECENT = 3600.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did, and the cases (worst first) and the stamp as they are after it.

    ``asked`` are the requests for approval that are new or changed. ``refreshed`` is None when nothing that policy
    depends on had changed, or another process derived it all.
    """

    events: int = 0
    broken: int = 0
    changed: tuple[Case, ...] = ()
    refreshed: Refreshed | None = None
    cases: tuple[Case, ...] = ()
    stamp: str = ""
    asked: tuple[Approval, ...] = ()


def turn(store: Store, settings: Settings, state: Path, *, now: float, notify: Notify | None = None) -> Turn:
    """Drain the spool into events, cases and inventory; derive everything anew if anything it depends on changed.

    Other processes may do the same at the same time: an event counts once, and one of them derives.

    Args:
        notify: told of every case that is not as it was last told of, also of those that other processes changed.
    Raises:
        NotReachable: a spool file that was read cannot be cleared away, or the snapshot cannot be written.
    """
    events = broken = 0
    changed: dict[str, Case] = {}
    cases: tuple[Case, ...] | None = None
    asked: dict[str, Approval] = {}
    for batch in drain(store, state / "spool"):
        broken += batch.broken
        _take_in(store, batch.events, now)  # before its events count as read: taking it in twice does no harm
        people = People(store.graph(), settings)
        asked |= {one.id: one for one in take_asks(store, batch.events, people, settings.approvals, now=now)}

        def join(known: Iterable[Case], new: Iterable[Event], people: People = people) -> tuple[Case, ...]:
            return attach(known, new, people, now=now)

        done = store.change_cases(join, events=batch.events, keep={POSITIONS: dict(batch.positions)})
        cases, events = done.cases, events + done.events
        changed |= {case.id: case for case in done.changed}
    sweep(store, state / "spool", now=now)
    asked |= {one.id: one for one in expire(store, settings.approvals, now=now)}
    if asked:
        put_in_force(store, state, now=now)
    refreshed = None
    stamp = stamp_of(store, settings, now, cases)
    if store.get(STAMP) != stamp:
        with store.exclusive(ALONE):
            if store.get(STAMP) != stamp_of(store, settings, now):
                refreshed = derive(store, settings, state, now=now)
        cases, stamp = None, stamp_of(store, settings, now)
    cases = in_order(store.cases()) if cases is None else cases
    if notify is not None:
        tell(store, cases, notify)
    return Turn(events, broken, tuple(changed.values()), refreshed, cases, stamp, tuple(asked.values()))


def _take_in(store: Store, events: Iterable[Event], now: float) -> None:
    """Bring uses of models that were not seen lately into the inventory."""
    taken: dict[str, float] = dict(store.get(TAKEN_IN) or {})
    fresh = [e for e in events if is_use(e) and now - taken.get(use_of(e), 0.0) >= RECENT]
    if observations := roll_up(fresh):
        store.ingest(as_scan(observations, now))
        recent = {use: at for use, at in taken.items() if now - at < RECENT}
        store.put(TAKEN_IN, recent | {use_of(e): now for e in fresh})
