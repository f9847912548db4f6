"""Cases: what waits for a person, and what a person decides about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import msgspec

from penstock.errors import WrongUse
from penstock.graph.store.protocol import Acceptance
from penstock.graph.vocabulary import SEVERITIES, Case, CaseChange
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
    """``owner`` is None while nobody is known to answer for it."""

    id: str
    title: str
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
    if body.action == "reopen" and case.state == "open":
        raise WrongUse("The case is open already", case.id, "Nothing to do")
    state, words = _OUTCOMES[body.action]
    until = call.now + body.days * DAY if body.action in {"accept", "snooze"} else None
    span = f" for {body.days} days" if until else ""
    changed = replace(
        case,
        state=state,
        until=until,
        changed_at=call.now,
        history=(*case.history, CaseChange(call.now, call.user, f"{words}{span}: {body.why}")),
    )
    if body.action == "accept" and until:
        for finding in case.findings:
            live.store.accept(Acceptance(finding, call.user, body.why, until, call.now))
    live.store.save_cases((changed,))
    live.store.audit(call.user, f"{words} the case{span}: {body.why}", case.id, call.now)
    live.refresh(now=call.now, force=True)
    return Done(f"The case is {state}{span}")


#: Decision → state it leads to, and how history tells it.
_OUTCOMES = {
    "accept": ("accepted", "accepted"),
    "resolve": ("resolved", "resolved"),
    "snooze": ("snoozed", "snoozed"),
    "reopen": ("open", "reopened"),
}


def case_row(world: World, case: Case) -> CaseRow:
    return CaseRow(
        case.id,
        case.title,
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
