"""Requests for approval: what waits, for whom, what was answered, and the answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from penstock.graph.store.protocol import Approval
from penstock.respond import answers
from penstock.respond.approvals import Decider, may_answer, request, said
from penstock.respond.quarantine import Quarantine, quarantines, release, set_aside
from penstock.serve.api.endpoint import Call, NoSuchThing, endpoint
from penstock.serve.api.shapes import Done, Ref
from penstock.serve.api.shaping import ref

DAY = 86_400.0
Text = Annotated[str, msgspec.Meta(max_length=2000)]
Why = Annotated[str, msgspec.Meta(min_length=3, max_length=2000)]


class ApprovalQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    state: tuple[str, ...] = ()
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 200


class ApprovalRow(msgspec.Struct, frozen=True):
    """``objection`` says why the reader may not answer it; "" when they may. ``outcome`` says what became of it."""

    id: str
    kind: str
    about: Ref
    subject: str
    why: str
    rule: str
    requester: str
    session: str
    single: bool
    approver: Ref | None
    approver_why: str
    affected: tuple[Ref, ...]
    state: str
    outcome: str
    objection: str
    times: int
    asked_at: float
    last_at: float
    answer_by: float
    late: bool
    decided_by: str
    decided_at: float | None
    reason: str
    until: float | None


class ApprovalList(msgspec.Struct, frozen=True):
    """Newest first, what waits before the rest. ``states`` counts all; ``median`` is the usual time to an answer."""

    states: dict[str, int]
    approvals: tuple[ApprovalRow, ...]
    median_seconds: float | None
    most_grant_minutes: float
    grant_minutes: float


class ApprovalAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``minutes`` is how long a yes lasts; as the settings have it when left out."""

    action: Literal["grant", "refuse", "withdraw"]
    why: Text = ""
    minutes: Annotated[float, msgspec.Meta(gt=0)] | None = None


class ApprovalWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person asks for about an asset; ``detail`` names the finding for an acceptance."""

    kind: Literal["acceptance", "declassification", "model", "provider", "tool"]
    about: str
    subject: Annotated[str, msgspec.Meta(min_length=3, max_length=500)]
    why: Why
    detail: dict[str, str] = {}


@endpoint("GET", "/approvals")
def approvals(call: Call, query: ApprovalQuery) -> ApprovalList:
    """Requests for approval: what waits first, then the newest."""
    live = call.live
    known = live.store.approvals(limit=10_000)
    states: dict[str, int] = {}
    for one in known:
        states[one.state] = states.get(one.state, 0) + 1
    shown = [one for one in known if not query.state or one.state in query.state]
    shown.sort(key=lambda one: one.state != "asked")  # stable: the newest first among equals
    times = sorted(one.decided_at - one.asked_at for one in known if one.decided_at is not None)
    setting = live.settings.approvals
    return ApprovalList(
        states,
        tuple(approval_row(call, one) for one in shown[: query.limit]),
        times[len(times) // 2] if times else None,
        setting.most_grant_hours * 60,
        setting.grant_minutes,
    )


@endpoint("GET", "/approvals/{id}")
def approval(call: Call) -> ApprovalRow:
    """One request for approval."""
    return approval_row(call, _known(call))


@endpoint("POST", "/approvals/{id}")
def answer(call: Call, body: ApprovalAnswer) -> Done:
    """Grant, refuse or withdraw a request; a grant is in force at the gateway at once."""
    call.demand(body.action)
    live, known = call.live, _known(call)
    given: dict[str, Any] = {
        "by": Decider(call.user, call.role),
        "why": body.why,
        "people": live.world.people,
        "now": call.now,
    }
    if body.action == "grant":
        seconds = body.minutes * 60 if body.minutes is not None else None
        done = answers.grant(live.store, live.settings, live.state, known.id, seconds=seconds, **given)
    elif body.action == "refuse":
        done = answers.refuse(live.store, live.settings, known.id, **given)
    else:
        done = answers.withdraw(live.store, live.settings, live.state, known.id, **given)
    if known.kind != "ask":
        live.refresh(now=call.now)
    return Done(done.note)


@endpoint("POST", "/approvals")
def wish(call: Call, body: ApprovalWish) -> Done:
    """Ask for something that needs a person's yes."""
    live = call.live
    if body.about not in live.world.graph.assets:
        raise NoSuchThing("There is no such asset", body.about, "Search the inventory by name")
    made = request(
        live.store,
        live.world.people,
        live.settings.approvals,
        kind=body.kind,
        about=body.about,
        subject=body.subject,
        why=body.why,
        requester=call.user,
        detail=body.detail,
        now=call.now,
    )
    return Done(f"Asked: {said(made, live.world.people)}")


class QuarantineRow(msgspec.Struct, frozen=True):
    id: str
    kind: str
    name: str
    application: Ref | None
    who: str
    why: str
    at: float
    until: float


class QuarantineList(msgspec.Struct, frozen=True):
    quarantines: tuple[QuarantineRow, ...]


class QuarantineWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``application``: only for this one (asset id); "" for all."""

    kind: Literal["model", "tool", "application"]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    why: Why
    application: str = ""
    days: Annotated[float, msgspec.Meta(gt=0, le=90)] = 7


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    why: Why


@endpoint("GET", "/quarantine")
def quarantine_list(call: Call) -> QuarantineList:
    """What is set aside, so that the gateway stops it."""
    found = quarantines(call.live.store, now=call.now)
    return QuarantineList(tuple(_quarantine_row(call, one) for one in found))


@endpoint("POST", "/quarantine")
def quarantine(call: Call, body: QuarantineWish) -> Done:
    """Set a model, a tool or an application aside; the gateway stops it at once."""
    live = call.live
    made = set_aside(
        live.store,
        body.kind,
        body.name,
        application=body.application,
        who=call.user,
        why=body.why,
        until=call.now + body.days * DAY,
        now=call.now,
    )
    live.put_in_force(now=call.now)
    return Done(f"The {made.kind} {made.name} is set aside for {body.days:g} days; the gateway stops it from now on")


@endpoint("POST", "/quarantine/{id}/release")
def quarantine_release(call: Call, body: Release) -> Done:
    """Let what is set aside be used again."""
    gone = release(call.live.store, call.path["id"], who=call.user, why=body.why, now=call.now)
    call.live.put_in_force(now=call.now)
    return Done(f"The {gone.kind} {gone.name} may be used again")


def approval_row(call: Call, one: Approval) -> ApprovalRow:
    world = call.live.world
    objection = may_answer(one, Decider(call.user, call.role), world.people) if one.state == "asked" else ""
    return ApprovalRow(
        one.id,
        one.kind,
        ref(world, one.about),
        one.subject,
        one.why,
        one.rule,
        one.requester,
        one.session,
        one.single,
        ref(world, one.approver) if one.approver else None,
        one.approver_why,
        tuple(ref(world, id) for id in world.people.affected(one.about)[:6]),
        one.state,
        said(one, world.people),
        objection,
        one.times,
        one.asked_at,
        one.last_at,
        one.answer_by,
        one.escalated_at is not None,
        one.decided_by,
        one.decided_at,
        one.reason,
        one.until,
    )


def _quarantine_row(call: Call, one: Quarantine) -> QuarantineRow:
    about = ref(call.live.world, one.application) if one.application else None
    name = call.live.world.name(one.name) if one.kind == "application" else one.name
    return QuarantineRow(one.id, one.kind, name, about, one.who, one.why, one.at, one.until)


def _known(call: Call) -> Approval:
    found = call.live.store.approval(call.path["id"])
    if found is None:
        raise NoSuchThing("There is no such request", call.path["id"], "See all approvals")
    return found
