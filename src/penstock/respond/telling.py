"""Telling of cases that changed: each change once, whichever process made it, also after a crash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from penstock.graph.store.protocol import Store
from penstock.graph.vocabulary import Case

Notify = Callable[[Sequence[Case]], None]

#: Name under which the store keeps how each case was when it was last told of.
TOLD = "cases.told"


def tell(store: Store, cases: Iterable[Case], notify: Notify) -> tuple[Case, ...]:
    """Tell of the cases that are not as they were last told of; returns them.

    A case that only counts another event is not told of again: its history says when that means something. Who is
    killed between telling and noting it tells again, so the far side must know a message by its id.
    """
    if not _news(store, cases):
        return ()
    with store.exclusive("tell"):
        news = _news(store, store.cases())  # as they are now, less what another process told meanwhile
        if news:
            notify(news)
            store.put(TOLD, _told(store) | {case.id: mark(case) for case in news})
    return news


def begin(store: Store) -> None:
    """Take the cases there are as known, where nobody was told of any yet: a new listener hears what comes."""
    if store.get(TOLD) is None:
        store.put(TOLD, {case.id: mark(case) for case in store.cases()})


def forget(store: Store) -> None:
    """Nobody listens any more: who listens next begins anew."""
    if store.get(TOLD) is not None:
        store.put(TOLD, None)


def mark(case: Case) -> str:
    """What tells two states of a case apart, as far as a person would want to hear of it."""
    said = [(line.at, line.who, line.what) for line in case.history[-10:]]
    parts = (case.id, case.state, case.severity, case.title, case.owner, case.approver, case.until, case.findings, said)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _news(store: Store, cases: Iterable[Case]) -> tuple[Case, ...]:
    told = _told(store)
    return tuple(case for case in cases if told.get(case.id) != mark(case))


def _told(store: Store) -> dict[str, str]:
    return dict(store.get(TOLD) or {})
