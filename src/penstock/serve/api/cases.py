"""Cases: what waits for a person, and what a person decides about it."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

import msgspec

from penstock.errors import WrongUse
from penstock.graph.vocabulary import SEVERITIES, Case
from penstock.respond.accept import accept, revoke
from penstock.respond.cases import decide as change_case
from penstock.respond.cases import reopen, resolve, snooze
from penstock.respond.grouping import merge, split
from penstock.respond.triage import summary
from penstock.serve.api.endpoint import Call, NoSuchThing, endpoint
from penstock.serve.api.events import EventRow, event_row
from penstock.serve.api.shapes import Done, Ref, Risk
from penstock.serve.api.shaping import ref, risk
from penstock.serve.world import World

DAY = 86_400.0
#: Acceptance and snoozing end by themselves: 90 days unless said otherwise, a year at most.
DEFAULT_DAYS = 90
LONGEST_DAYS = 365
MOST_EVENTS = 50


class CaseQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``q``: words of the title or the owner. ``late``: only what is past its date."""

    state: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    owner: str = ""
    q: Annotated[str, msgspec.Meta(max_length=300)] = ""
    late: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0


class CaseRow(msgspec.Struct, frozen=True):
    """``about`` is the asset of its first risk; ``owner`` is None while nobody is known to answer for it.

    ``due`` is when it is to be dealt with; ``late`` when that is past and others were told. ``merged_into`` is a case.
    """

    id: str
    title: str
    about: Ref | None
    severity: str
    state: str
    owner: Ref | None
    findings: int
    event_count: int
    opened_at: float
    changed_at: float
    until: float | None
    due: float | None = None
    late: bool = False
    merged_into: str = ""


class OwnerCount(msgspec.Struct, frozen=True):
    owner: Ref
    open: int


class CaseList(msgspec.Struct, frozen=True):
    """``total`` counts what passes the filter; ``states``, ``late`` and ``owners`` (of open ones) count all."""

    total: int
    states: dict[str, int]
    cases: tuple[CaseRow, ...]
    late: int
    owners: tuple[OwnerCount, ...]


class ChangeShape(msgspec.Struct, frozen=True):
    at: float
    who: str
    what: str


class TriageLine(msgspec.Struct, frozen=True):
    """One answer of the first minute, and the ids it rests on."""

    question: str
    answer: str
    rests_on: tuple[str, ...]


class CasePage(msgspec.Struct, frozen=True):
    """A case with everything a person needs to decide."""

    case: CaseRow
    owner_why: str
    approver: Ref | None
    informed: tuple[Ref, ...]
    affected: tuple[Ref, ...]
    risks: tuple[Risk, ...]
    events: tuple[EventRow, ...]
    history: tuple[ChangeShape, ...]
    summary: tuple[TriageLine, ...]


class BulkDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One decision about many cases. ``merge`` makes them one: the first that is named."""

    cases: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=500)]
    action: Literal["accept", "resolve", "snooze", "reopen", "merge"]
    why: Annotated[str, msgspec.Meta(min_length=3, max_length=2000)]
    days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_DAYS)] = DEFAULT_DAYS


class Refusal(msgspec.Struct, frozen=True):
    """A case that was left as it is, and why."""

    case: str
    why: str


class BulkDone(msgspec.Struct, frozen=True):
    """``note`` says in words what was done; ``refused`` what was not."""

    note: str
    done: int
    refused: tuple[Refusal, ...]


class CaseSplit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The findings to take out into a case of their own."""

    findings: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=1000)]
    why: Annotated[str, msgspec.Meta(min_length=3, max_length=2000)]


class CaseDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Accepting and snoozing last ``days``; every decision says why."""

    action: Literal["accept", "resolve", "snooze", "reopen"]
    why: Annotated[str, msgspec.Meta(min_length=3, max_length=2000)]
    days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_DAYS)] = DEFAULT_DAYS


@endpoint("GET", "/cases")
def cases(call: Call, query: CaseQuery) -> CaseList:
    """Cases: open ones first, then by severity and age."""
    world = call.live.world
    pool = sorted(world.cases, key=lambda c: (c.state != "open", -SEVERITIES.index(c.severity), -c.opened_at, c.id))
    states = dict(Counter(case.state for case in pool))
    owners = Counter(case.owner for case in pool if case.state == "open")
    late = sum(1 for case in pool if _is_late(case, call.now))
    words = query.q.casefold().split()
    pool = [
        case
        for case in pool
        if (not query.state or case.state in query.state)
        and (not query.severity or case.severity in query.severity)
        and (not query.owner or case.owner == query.owner.removeprefix("-"))
        and (not query.late or _is_late(case, call.now))
        and (not words or all(word in f"{case.title} {world.name(case.owner)}".casefold() for word in words))
    ]
    page = pool[query.offset : query.offset + query.limit]
    return CaseList(
        len(pool),
        states,
        tuple(case_row(world, case) for case in page),
        late,
        tuple(OwnerCount(ref(world, owner), number) for owner, number in owners.most_common(20) if owner),
    )


@endpoint("GET", "/cases/{id}")
def case_page(call: Call) -> CasePage:
    """One case: findings, events, people and history."""
    world = call.live.world
    case = _case(call)
    on_it = set(case.events)
    recent = call.live.store.events(limit=1000) if on_it else ()
    shown = [e for e in recent if e.id in on_it or not set(e.finding_ids).isdisjoint(case.findings)]
    return CasePage(
        case_row(world, case),
        case.owner_why,
        ref(world, case.approver) if case.approver else None,
        tuple(ref(world, who) for who in case.informed),
        tuple(ref(world, who) for who in case.affected),
        tuple(risk(world, world.findings[f]) for f in case.findings if f in world.findings),
        tuple(event_row(world, e) for e in shown[:MOST_EVENTS]),
        tuple(ChangeShape(change.at, change.who, change.what) for change in case.history),
        tuple(
            TriageLine(line.question, line.answer, line.rests_on)
            for line in summary(case, world.findings, shown, world.labelling, world.people, now=call.now)
        ),
    )


@endpoint("POST", "/cases/{id}")
def decide(call: Call, body: CaseDecision) -> Done:
    """Accept, resolve, snooze or reopen a case, with the reason and an end date."""
    call.demand(body.action)
    note = _decide(call, _case(call), body.action, body.why, body.days)
    call.live.refresh(now=call.now)
    return Done(note)


@endpoint("POST", "/cases")
def decide_many(call: Call, body: BulkDecision) -> BulkDone:
    """Decide about many cases at once; what cannot be done to one leaves that one as it is, and says why."""
    call.demand(body.action)
    named = tuple(dict.fromkeys(body.cases))
    if body.action == "merge":
        if len(named) < 2:
            raise WrongUse("Merging takes two cases or more", "cases")
        merge(call.live.store, named[0], named[1:], who=call.user, why=body.why, now=call.now)
        call.live.store.audit(call.user, f"merged {len(named) - 1} cases: {body.why}", named[0], call.now)
        call.live.refresh(now=call.now)
        return BulkDone(f"{len(named)} cases are one", len(named), ())
    known = {case.id: case for case in call.live.world.cases}
    refused: list[Refusal] = []
    for id in named:
        try:
            if id not in known:
                raise NoSuchThing("There is no such case", id)
            _decide(call, known[id], body.action, body.why, body.days)
        except (WrongUse, NoSuchThing) as error:
            refused.append(Refusal(id, error.message))
    call.live.refresh(now=call.now)
    done = len(named) - len(refused)
    return BulkDone(f"{_DONE[body.action]}: {done} of {len(named)}", done, tuple(refused))


@endpoint("POST", "/cases/{id}/split")
def take_apart(call: Call, body: CaseSplit) -> Done:
    """Take findings out into a case of their own; what comes with them later follows them."""
    made = split(call.live.store, _case(call).id, body.findings, who=call.user, why=body.why, now=call.now)
    call.live.store.audit(call.user, f"took {len(body.findings)} findings out: {body.why}", call.path["id"], call.now)
    call.live.refresh(now=call.now)
    return Done(made.id)


_DONE = {"accept": "Accepted", "resolve": "Resolved", "snooze": "Snoozed", "reopen": "Opened again"}


def _decide(call: Call, case: Case, action: str, why: str, days: int) -> str:
    """Carry out one decision about one case; the world is refreshed by who calls. Returns what happens now."""
    live = call.live
    until = call.now + days * DAY
    said: dict[str, Any] = {"who": call.user, "why": why, "now": call.now}
    if case.merged_into:
        raise WrongUse("The case was merged", case.id, f"Decide about {case.merged_into}")
    if action == "accept":
        if not case.findings:
            raise WrongUse("Nothing on this case can be accepted", case.id, "Resolve it: it holds only events")
        for finding in case.findings:
            accept(live.store, finding, until=until, **said)
        note = f"Accepted for {days} days"
    elif action == "snooze":
        change_case(live.store, case.id, lambda known: snooze(known, until=until, **said))
        note = f"Snoozed for {days} days; it comes back by itself, or when it gets worse"
    elif action == "resolve":
        change_case(live.store, case.id, lambda known: resolve(known, **said))
        note = "Resolved; it re-opens at the next look if its cause is still there"
    else:
        _check_reopening(call, case)
        for finding in case.findings:
            revoke(live.store, finding, **said)
        change_case(live.store, case.id, lambda known: reopen(known, **said))
        note = "Open again"
    live.store.audit(call.user, f"{action} ({days} days): {why}", case.id, call.now)
    return note


def _check_reopening(call: Call, case: Case) -> None:
    """What would be closed again at once is not opened."""
    if case.state == "open":
        raise WrongUse("The case is open already", case.id)
    if case.findings and not any(finding in call.live.world.findings for finding in case.findings):
        raise WrongUse("The cause of this case is gone", case.id, "It re-opens by itself if the cause comes back")


def _is_late(case: Case, now: float) -> bool:
    return case.state == "open" and case.due is not None and case.due <= now


def case_row(world: World, case: Case) -> CaseRow:
    first = next((world.findings[f] for f in case.findings if f in world.findings), None)
    return CaseRow(
        case.id,
        case.title,
        ref(world, first.subject) if first else None,
        case.severity,
        case.state,
        ref(world, case.owner) if case.owner else None,
        len(case.findings),
        case.event_count,
        case.opened_at,
        case.changed_at,
        case.until,
        case.due,
        case.escalated_at is not None,
        case.merged_into,
    )


def _case(call: Call) -> Case:
    found = next((case for case in call.live.world.cases if case.id == call.path["id"]), None)
    if found is None:
        raise NoSuchThing("There is no such case", call.path["id"], "See all cases")
    return found
