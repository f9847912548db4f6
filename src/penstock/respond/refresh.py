"""The whole chain, in the one place that runs it: graph → labels → assessment → cases → policy snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.assess.assessment import Assessment
from penstock.assess.engine import assess
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling, propagate
from penstock.graph.store.protocol import AccessKey, Store
from penstock.graph.vocabulary import Case
from penstock.protect.snapshot import PolicySnapshot
from penstock.respond.cases import update
from penstock.respond.people import People
from penstock.respond.snapshot import compile_snapshot, read_snapshot, same_content, write_snapshot
from penstock.respond.words import know_people_of
from penstock.settings import Settings

#: Name under which the store keeps what the last refresh was made from.
STAMP = "refreshed"
HOUR = 3600.0

Notify = Callable[[Sequence[Case]], None]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """Everything derived from the store at one time. ``changed`` are the cases that are new or not as they were."""

    graph: Graph
    labelling: Labelling
    assessment: Assessment
    cases: tuple[Case, ...]
    snapshot: PolicySnapshot
    changed: tuple[Case, ...] = ()


def refresh(store: Store, settings: Settings, state: Path, *, now: float, notify: Notify | None = None) -> Refreshed:
    """Derive everything anew, keep it, and put the snapshot in force if it says something new.

    Args:
        state: the state directory; the snapshot is ``snapshot.json`` in it.
        notify: told of the cases that changed, after they are kept.
    Raises:
        NotReachable: the snapshot cannot be written; all the rest is kept.
    """
    know_people_of(settings, store, now)
    stamp = stamp_of(store, settings, now)  # before reading: what changes meanwhile is seen the next time
    graph = store.graph()
    labelling = propagate(graph)
    acceptances = store.acceptances()
    assessment = assess(graph, labelling, settings.organisation, acceptances=acceptances, now=now)
    store.save_assessment(assessment.findings, assessment.questions, now)
    before = {case.id: case for case in store.cases()}
    cases = update(
        before.values(),
        (*assessment.findings, *assessment.accepted),
        (),
        People(graph, settings),
        graph,
        now=now,
        acceptances=acceptances,
        labelling=labelling,
    )
    changed = tuple(case for case in cases if before.get(case.id) != case)
    store.save_cases(changed)
    snapshot = _put_in_force(
        state / "snapshot.json", graph, labelling, assessment, cases, store.keys(), settings, store.tenant, now
    )
    store.put(STAMP, stamp)
    if notify is not None and changed:
        notify(changed)
    return Refreshed(graph, labelling, assessment, cases, snapshot, changed)


def stamp_of(store: Store, settings: Settings, now: float) -> str:
    """A fingerprint of everything a refresh depends on; cheap, so that a loop may ask twice a second.

    Which acceptances and snoozes have run out by now is part of it, and so is the hour: time alone can change what is
    open, and ends people's words.
    """
    scans, keys = store.scans(), store.keys()
    parts = (
        scans[0] if scans else None,
        [(key.id, key.application, key.revoked_at) for key in keys],
        sorted((a.finding, a.until, a.until > now) for a in store.acceptances()),
        sorted(case.id for case in store.cases() if case.until is not None and case.until <= now),
        settings,
        int(now // HOUR),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _put_in_force(
    path: Path,
    graph: Graph,
    labelling: Labelling,
    assessment: Assessment,
    cases: Sequence[Case],
    keys: Sequence[AccessKey],
    settings: Settings,
    tenant: str,
    now: float,
) -> PolicySnapshot:
    """Write the snapshot if it differs from the one in force, with the next version; else leave that one."""
    current = read_snapshot(path)
    version = current.version + 1 if current else 1
    made = compile_snapshot(
        graph, labelling, assessment.findings, cases, keys, settings, version=version, now=now, tenant=tenant
    )
    if current is not None and same_content(current, made):
        return current
    write_snapshot(path, made)
    return made
