"""The whole chain, in the one place that runs it: graph → labels → assessment → cases → policy snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakKeyDictionary

from penstock.assess.assessment import Assessment
from penstock.assess.standing import Standing
from penstock.graph.diff import Changes, diff
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling, propagate
from penstock.graph.store.protocol import Store
from penstock.graph.vocabulary import Case, Finding, Question
from penstock.protect.snapshot import PolicySnapshot
from penstock.respond.cases import update
from penstock.respond.in_force import put_in_force
from penstock.respond.people import People
from penstock.respond.snapshot import compile_snapshot
from penstock.respond.telling import Notify, tell
from penstock.respond.words import know_people_of
from penstock.settings import Organisation, Settings

#: Name under which the store keeps what the last refresh was made from.
STAMP = "refreshed"
#: … and which findings are in doubt: id → rule and the assets on its path.
DOUBTED = "doubted findings"
#: What most rules hang on, so that one question about it may stand for several rules.
DECISIVE = frozenset({"guarded_by", "output_filter", "input_filter", "exposure", "auth", "serves"})
#: What only one process does at a time: two that derive from different graphs would open and close the same cases.
ALONE = "refresh"
HOUR = 3600.0
#: Seconds after which everything is judged again, so that no slip of keeping up lasts.
JUDGE_ALL_EVERY = 24 * HOUR


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

    Processes that do this at the same time do it one after the other.

    Args:
        state: the state directory; the snapshot is ``snapshot.json`` in it.
        notify: told of every case that is not as it was last told of, after they are kept.
    Raises:
        NotReachable: the snapshot cannot be written; all the rest is kept.
    """
    with store.exclusive(ALONE):
        made = derive(store, settings, state, now=now)
    if notify is not None:
        tell(store, made.cases, notify)
    return made


def derive(store: Store, settings: Settings, state: Path, *, now: float) -> Refreshed:
    """The chain itself, for whoever holds ``ALONE``."""
    know_people_of(settings, store, now)
    stamp = stamp_of(store, settings, now)  # before reading: what changes meanwhile is seen the next time
    graph = store.graph()
    acceptances = store.acceptances()
    judged = judged_anew(_JUDGED.pop(store, None), graph, settings.organisation, now=now)
    _JUDGED[store] = judged
    labelling, assessment = judged.labelling, judged.standing.assessment(acceptances=acceptances, now=now)
    if assessment.unseen:
        graph = replace(graph, unseen=(*graph.unseen, *assessment.unseen))
    people, found = People(graph, settings), (*assessment.findings, *assessment.accepted)
    doubted = _doubted(store, found, assessment.questions)
    store.save_assessment(assessment.findings, assessment.questions, now)

    def look(cases: Iterable[Case], _: object) -> tuple[Case, ...]:
        return update(
            cases, found, (), people, graph, now=now, acceptances=acceptances, labelling=labelling, doubted=doubted
        )

    done = store.change_cases(look)
    compiled = compile_snapshot(
        graph,
        labelling,
        assessment.findings,
        done.cases,
        store.keys(),
        settings,
        version=0,
        now=now,
        tenant=store.tenant,
    )
    snapshot = put_in_force(store, state, compiled=compiled, now=now) or compiled
    store.put(STAMP, stamp)
    return Refreshed(graph, labelling, assessment, done.cases, snapshot, done.changed)


@dataclass(frozen=True, slots=True)
class Judged:
    """A graph with its labels and what is raised about it, kept so that the next state costs what differs in it.

    ``since`` is when all of it was judged last.
    """

    graph: Graph
    labelling: Labelling
    standing: Standing
    organisation: Organisation
    since: float


#: What a process judged last, by the store that it came from: a server refreshes often, after small changes.
_JUDGED: WeakKeyDictionary[Store, Judged] = WeakKeyDictionary()


def judged_anew(kept: Judged | None, graph: Graph, organisation: Organisation, *, now: float) -> Judged:
    """The graph judged: what differs from what was kept, or all of it once a day and when the organisation differs."""
    if kept is None or kept.organisation != organisation or not 0 <= now - kept.since < JUDGE_ALL_EVERY:
        labelling = propagate(graph)
        return Judged(graph, labelling, Standing(graph, labelling, organisation), organisation, now)
    changes = diff(kept.graph, graph)
    labelling = propagate(graph, after=kept.labelling, changes=changes)
    kept.standing.change(graph, labelling, _with_who_saw(changes, kept.graph, graph))
    return Judged(graph, labelling, kept.standing, organisation, kept.since)


def _with_who_saw(changes: Changes, before: Graph, after: Graph) -> Changes:
    """The changes with the assets that were seen elsewhere or more surely: nothing for a reader, much for absence."""
    others = {
        id: {"seen": (None, None)}
        for id in after.assets
        if id in before.assets and id not in changes.changed and _who_saw(before, id) != _who_saw(after, id)
    }
    return replace(changes, changed={**changes.changed, **others}) if others else changes


def _who_saw(graph: Graph, id: str) -> set[tuple[str, str]]:
    return {(one.scope, one.confidence) for one in graph.evidence.get(id, ())}


def _doubted(store: Store, found: Iterable[Finding], questions: Iterable[Question]) -> frozenset[str]:
    """Findings that are not there any more only because something became unknown: a question is asked on their path.

    That is one of the same rule, or about what decides most rules: controls and reach. They are kept beside the graph
    until they are found again or nothing is asked any more.
    """
    ids = {finding.id for finding in found}
    asked = {(question.rule, question.asset) for question in questions}
    open_assets = {question.asset for question in questions if {question.prop, question.verb} & DECISIVE}
    known: dict[str, list[str]] = dict(store.get(DOUBTED, {}))
    for finding in store.findings():
        known[finding.id] = [finding.rule, finding.subject, *(step.asset for step in finding.path)]
    doubted = {
        id: said
        for id, said in known.items()
        if id not in ids and any(asset in open_assets or (said[0], asset) in asked for asset in said[1:])
    }
    if doubted != store.get(DOUBTED, {}):
        store.put(DOUBTED, doubted)
    return frozenset(doubted)


def stamp_of(store: Store, settings: Settings, now: float, cases: Iterable[Case] | None = None) -> str:
    """A fingerprint of everything a refresh depends on.

    Which acceptances and snoozes have run out by now is part of it, and so is the hour: time alone can change what is
    open, and ends people's words.

    Args:
        cases: those of the store, for whoever has just read them.
    """
    cases = store.cases() if cases is None else cases
    keys = store.keys()
    parts = (
        store.graph_version(),
        [(key.id, key.application, key.revoked_at) for key in keys],
        sorted((a.finding, a.until, a.until > now) for a in store.acceptances()),
        sorted(case.id for case in cases if case.until is not None and case.until <= now),
        settings,
        int(now // HOUR),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()
