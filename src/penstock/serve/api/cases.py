"""Cases: what waits for a person, and what a person decides about it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from penstock.errors import WrongUse
from penstock.graph.vocabulary import SEVERITIES, Case
from penstock.respond.accept import accept, revoke
from penstock.respond.cases import decide as change_case
from penstock.respond.cases import reopen, resolve, snooze
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
    state: tuple[str, ...] = ()
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0


class CaseRow(msgspec.Struct, frozen=True):
    """``about`` is the asset of its first risk; ``owner`` is None while nobody is known to answer for it."""

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


class CaseList(msgspec.Struct, frozen=True):
    total: int
    states: dict[str, int]
    cases: tuple[CaseRow, ...]


class ChangeShape(msgspec.Struct, frozen=True):
    at: float
    who: str
    what: str


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
    states: dict[str, int] = {}
    for case in pool:
        states[case.state] = states.get(case.state, 0) + 1
    if query.state:
        pool = [case for case in pool if case.state in query.state]
    page = pool[query.offset : query.offset + query.limit]
    return CaseList(len(pool), states, tuple(case_row(world, case) for case in page))


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
    )


@endpoint("POST", "/cases/{id}")
def decide(call: Call, body: CaseDecision) -> Done:
    """Accept, resolve, snooze or reopen a case, with the reason and an end date."""
    live, case = call.live, _case(call)
    until = call.now + body.days * DAY
    said: dict[str, Any] = {"who": call.user, "why": body.why, "now": call.now}
    if body.action == "accept":
        if not case.findings:
            raise WrongUse("Nothing on this case can be accepted", case.id, "Resolve it: it holds only events")
        for finding in case.findings:
            accept(live.store, finding, until=until, **said)
        note = f"Accepted for {body.days} days"
    elif body.action == "snooze":
        change_case(live.store, case.id, lambda known: snooze(known, until=until, **said))
        note = f"Snoozed for {body.days} days; it comes back by itself, or when it gets worse"
    elif body.action == "resolve":
        change_case(live.store, case.id, lambda known: resolve(known, **said))
        note = "Resolved; it re-opens at the next look if its cause is still there"
    else:
        _check_reopening(call, case)
        for finding in case.findings:
            revoke(live.store, finding, **said)
        change_case(live.store, case.id, lambda known: reopen(known, **said))
        note = "Open again"
    live.store.audit(call.user, f"{body.action} ({body.days} days): {body.why}", case.id, call.now)
    live.refresh(now=call.now)
    return Done(note)


def _check_reopening(call: Call, case: Case) -> None:
    """What would be closed again at once is not opened."""
    if case.state == "open":
        raise WrongUse("The case is open already", case.id)
    if case.findings and not any(finding in call.live.world.findings for finding in case.findings):
        raise WrongUse("The cause of this case is gone", case.id, "It re-opens by itself if the cause comes back")


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
    )


def _case(call: Call) -> Case:
    found = next((case for case in call.live.world.cases if case.id == call.path["id"]), None)
    if found is None:
        raise NoSuchThing("There is no such case", call.path["id"], "See all cases")
    return found
