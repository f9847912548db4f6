"""One turn of the wheel: what the gateway saw becomes history, inventory and cases, and policy follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from penstock.graph.store.protocol import Store
from penstock.graph.vocabulary import Case, Event
from penstock.respond.cases import attach
from penstock.respond.people import People
from penstock.respond.refresh import STAMP, Notify, Refreshed, refresh, stamp_of
from penstock.respond.spool import drain
from penstock.respond.traffic import as_scan, is_use, roll_up, use_of
from penstock.settings import Settings

#: Name under which the store keeps when each use of a model was last taken into the inventory.
TAKEN_IN = "traffic"
#: A use of a model that was taken in this recently (seconds) is not taken in again: an hour, the finest that "last
#: seen" on a page is read.
RECENT = 3600.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did. ``refreshed`` is None when nothing that policy depends on had changed."""

    events: int = 0
    broken: int = 0
    changed: tuple[Case, ...] = ()
    refreshed: Refreshed | None = None


def turn(store: Store, settings: Settings, state: Path, *, now: float, notify: Notify | None = None) -> Turn:
    """Drain the spool into events, cases and inventory; derive everything anew if anything it depends on changed."""
    events = broken = 0
    changed: dict[str, Case] = {}
    people: People | None = None
    for batch in drain(store, state / "spool"):
        broken += batch.broken
        if not batch.events:
            continue
        people = people or People(store.graph(), settings)
        events += store.add_events(batch.events)
        before = {case.id: case for case in store.cases()}
        after = attach(before.values(), batch.events, people, now=now)
        new = [case for case in after if before.get(case.id) != case]
        store.save_cases(new)
        changed |= {case.id: case for case in new}
        _take_in(store, batch.events, now)
    refreshed = None
    if store.get(STAMP) != stamp_of(store, settings, now):
        refreshed = refresh(store, settings, state, now=now, notify=notify)
    if notify is not None and changed:
        notify(tuple(changed.values()))
    return Turn(events, broken, tuple(changed.values()), refreshed)


def _take_in(store: Store, events: Iterable[Event], now: float) -> None:
    """Bring uses of models that were not seen lately into the inventory."""
    taken: dict[str, float] = dict(store.get(TAKEN_IN) or {})
    fresh = [e for e in events if is_use(e) and now - taken.get(use_of(e), 0.0) >= RECENT]
    if observations := roll_up(fresh):
        store.ingest(as_scan(observations, now))
        recent = {use: at for use, at in taken.items() if now - at < RECENT}
        store.put(TAKEN_IN, recent | {use_of(e): now for e in fresh})
