"""Set aside until somebody looked: a model, a tool or an application that the gateway stops."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from penstock.errors import WrongUse
from penstock.graph.store.protocol import Store
from penstock.protect.snapshot import Caller, PolicySnapshot, Rule

KINDS = ("model", "tool", "application")
#: Name under which the store keeps what is set aside.
KEPT = "quarantines"
#: Longest time something is set aside without a second look, in seconds: 90 days, as a case may sleep.
LONGEST = 90 * 86_400.0
#: How the rules that do it begin; no other rule may.
PREFIX = "quarantine-"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """What is set aside (``name`` as the gateway sees it: a model, a tool; else an asset id), for whom.

    ``application``: asset id of the only application it is set aside for; "" for all.
    """

    id: str
    kind: str
    name: str
    who: str
    why: str
    at: float
    until: float
    application: str = ""


def set_aside(
    store: Store, kind: str, name: str, *, application: str = "", who: str, why: str, until: float, now: float
) -> Quarantine:
    """Set something aside until a time; saying it again changes its end.

    Raises:
        WrongUse: it is nothing the gateway can tell, nobody decides or without a reason, or for too long.
    """
    if kind not in KINDS:
        raise WrongUse(f"A {kind} cannot be set aside", name, f"One of: {', '.join(KINDS)}")
    if not name.strip() or len(name) > 300:
        raise WrongUse("Nothing is named", kind, "Give the name as the gateway sees it")
    if not who.strip() or len(why.strip()) < 3:
        raise WrongUse("Setting something aside needs a name and a reason", name)
    if not now < until <= now + LONGEST:
        raise WrongUse("It can be set aside for 90 days at most", name, "Look again then")
    made = Quarantine(_id(kind, name, application), kind, name, who.strip(), why.strip()[:500], now, until, application)
    with store.exclusive(KEPT):
        known = {one.id: one for one in quarantines(store, now=now)}
        _keep(store, [*(known | {made.id: made}).values()])
    store.audit(made.who, f"set aside the {kind} {name}: {made.why}", application or name, now)
    return made


def release(store: Store, id: str, *, who: str, why: str, now: float) -> Quarantine:
    """Let it be used again.

    Raises:
        WrongUse: nothing of that id is set aside, or nobody decides.
    """
    if not who.strip():
        raise WrongUse("Nobody decides this", id, "Give the name of the person who does")
    with store.exclusive(KEPT):
        known = {one.id: one for one in quarantines(store, now=now)}
        if id not in known:
            raise WrongUse("Nothing of this id is set aside", id, "penstock act list")
        gone = known.pop(id)
        _keep(store, [*known.values()])
    store.audit(who.strip(), f"released the {gone.kind} {gone.name}: {why.strip()}", gone.application or gone.name, now)
    return gone


def quarantines(store: Store, *, now: float) -> tuple[Quarantine, ...]:
    """What is set aside now, the newest last."""
    kept = msgspec.convert(store.get(KEPT) or [], list[Quarantine])
    return tuple(sorted((one for one in kept if one.until > now), key=lambda one: (one.at, one.id)))


@dataclass(frozen=True, slots=True)
class Stopped:
    """How many of the last calls a quarantine would have stopped, and of which applications (asset ids)."""

    number: int
    looked_at: int
    applications: tuple[str, ...]


def stopped_by(store: Store, kind: str, name: str, application: str = "", *, now: float, days: float = 7) -> Stopped:
    """What setting something aside would have stopped lately: tried on the calls that were recorded."""
    calls = store.events(since=now - days * 86_400, limit=10_000)
    hit = [
        event
        for event in calls
        if (not application or event.application == application)
        and (
            (kind == "model" and event.model.casefold() == name.casefold())
            or (kind == "application" and event.application == name)
            or (kind == "tool" and name.casefold() in {str(t).casefold() for t in event.props.get("tools") or ()})
        )
    ]
    return Stopped(len(hit), len(calls), tuple(sorted({event.application for event in hit})))


def held(snapshot: PolicySnapshot, aside: Iterable[Quarantine]) -> PolicySnapshot:
    """The snapshot with what is set aside stopped, also where the caller's other rules only observe."""
    aside = tuple(aside)
    if not aside:
        return snapshot
    callers = {key: _holding(caller, aside) for key, caller in snapshot.callers.items()}
    unknown = _holding(snapshot.unknown, aside) if snapshot.unknown else None
    return msgspec.structs.replace(snapshot, callers=callers, unknown=unknown)


def _holding(caller: Caller, aside: Iterable[Quarantine]) -> Caller:
    rules = [rule for one in aside if (rule := _rule(one, caller)) is not None]
    if not rules:
        return caller
    others = caller.rules
    if caller.mode != "enforce":  # to stop one thing is no reason to begin to enforce all the rest
        others = tuple(msgspec.structs.replace(rule, action="observe") for rule in others)
    return msgspec.structs.replace(caller, mode="enforce", rules=(*rules, *others))


def _rule(one: Quarantine, caller: Caller) -> Rule | None:
    if one.application and one.application != caller.application:
        return None
    if one.kind == "application" and one.name != caller.application:
        return None
    narrowed: dict[str, Any] = {}
    if one.kind in ("model", "tool"):
        narrowed[f"{one.kind}s"] = (_literal(one.name),)
    name = caller.name if one.kind == "application" else one.name
    return Rule(
        id=f"{PREFIX}{one.id}",
        direction="in",
        categories=(),
        action="stop",
        why=f"{one.who} has set the {one.kind} {name} aside: {one.why}",
        **narrowed,
    )


def _literal(name: str) -> str:
    """The name as a shell glob that matches nothing else."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _keep(store: Store, all_of_them: list[Quarantine]) -> None:
    store.put(KEPT, [msgspec.to_builtins(one) for one in all_of_them])


def _id(kind: str, name: str, application: str) -> str:
    return hashlib.sha256("\0".join((kind, name, application)).encode()).hexdigest()[:12]
