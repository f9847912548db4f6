"""An answer and what it brings about: the one door for console, links, API and command line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from penstock.errors import NotAllowed, PenstockError, WrongUse
from penstock.graph.declassify import confirmation
from penstock.graph.labels import propagate
from penstock.graph.store.protocol import Approval, Store
from penstock.respond import approvals
from penstock.respond.accept import accept
from penstock.respond.approvals import Decider
from penstock.respond.in_force import put_in_force
from penstock.respond.people import People
from penstock.respond.signing import open_keyring
from penstock.respond.words import as_scan, say
from penstock.settings import Settings


@dataclass(frozen=True, slots=True)
class Answered:
    """The request after its answer, and what happens now, in words."""

    approval: Approval
    note: str


def grant(
    store: Store,
    settings: Settings,
    state: Path,
    id: str,
    *,
    by: Decider,
    why: str = "",
    seconds: float | None = None,
    people: People | None = None,
    now: float,
) -> Answered:
    """Say yes, and let it happen: a call passes the gateway at its next try, a decision is taken down.

    Raises:
        NotAllowed, WrongUse: as ``approvals.grant``; also what carrying it out objects to. Nothing is granted then.
        NotReachable: the snapshot cannot be written; the yes stands and comes into force with the next turn.
    """
    people = people or People(store.graph(), settings)
    asked = store.approval(id)
    if asked is not None and asked.state == approvals.OPEN and asked.kind != "ask" and len(why.strip()) < 3:
        raise WrongUse("This decision needs a reason", id, "Say why it can be lived with: --why")
    done = approvals.grant(
        store,
        open_keyring(state),
        id,
        by=by,
        why=why,
        people=people,
        setting=settings.approvals,
        seconds=seconds,
        now=now,
    )
    if done.kind == "ask":
        put_in_force(store, state, now=now)
        return Answered(done, "Allowed; it passes at the next try")
    try:
        return Answered(done, _carry_out(store, done, now))
    except PenstockError as error:
        why_not = error.message
        store.change_approvals(lambda known: [_undone(one, why_not) for one in known], ids=[id])
        store.audit("penstock", f"could not carry out: {why_not}", id, now)
        raise


def refuse(
    store: Store,
    settings: Settings,
    id: str,
    *,
    by: Decider,
    why: str,
    people: People | None = None,
    now: float,
) -> Answered:
    """Say no. What was held back stays held back; the same wish reaches nobody for a while."""
    people = people or People(store.graph(), settings)
    done = approvals.refuse(store, id, by=by, why=why, people=people, setting=settings.approvals, now=now)
    return Answered(done, f"Refused; nobody is asked the same for {settings.approvals.refused_minutes:g} minutes")


def withdraw(
    store: Store,
    settings: Settings,
    state: Path,
    id: str,
    *,
    by: Decider,
    why: str = "",
    people: People | None = None,
    now: float,
) -> Answered:
    """Take back a request or a grant."""
    people = people or People(store.graph(), settings)
    known = store.approval(id)
    if known is not None and known.state == "granted" and known.kind != "ask":
        raise WrongUse(
            "This was carried out when it was granted", id, "Reopen the case, or say otherwise about the asset"
        )
    done = approvals.withdraw(store, id, by=by, why=why, people=people, now=now)
    put_in_force(store, state, now=now)
    return Answered(done, "Taken back; the gateway asks again")


def _carry_out(store: Store, done: Approval, now: float) -> str:
    """Make a granted decision count; it is the decider's word, with its end."""
    who, why, until = done.decided_by, done.reason, done.until
    match done.kind:
        case "acceptance":
            accept(store, str(done.detail.get("finding", "")), who=who, why=why, until=until, now=now)
            return "Accepted; it comes back when the acceptance ends"
        case "declassification":
            graph = store.graph()
            arriving = propagate(graph).arriving(done.about)
            if done.requester.casefold() == who.casefold():
                raise NotAllowed("Who proposes a removal cannot accept it", done.about)
            word = confirmation(graph, done.about, arriving, who=who, why=why, until=until, now=now)
            store.ingest(as_scan((word,), now))
            return "The removal counts from now on, for what arrives there today"
        case _:
            say(store, who, done.about, props={"sanction": "sanctioned"}, why=why, until=until, now=now)
            return f"The {done.kind} is sanctioned"


def _undone(approval: Approval, why: str) -> Approval:
    return replace(approval, state="refused", reason=f"could not be carried out: {why}", until=approval.decided_at)
