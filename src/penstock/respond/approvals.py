"""Who may let a wish come true: requests, the person who answers, and what an answer is worth and for how long.

A request is asked, then granted, refused, withdrawn, or expired. The same wish made again while it waits counts on the
one that waits. A yes is signed, ends, holds for exactly the wish it answers, and is used up by one call where the
request says so. A no answers the same wish for a while, so that nobody is asked into agreeing. Silence is a no.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from penstock.errors import NotAllowed, WrongUse
from penstock.graph.store.protocol import Approval, Store
from penstock.graph.vocabulary import Event
from penstock.protect.asking import Ask, Grant
from penstock.respond.people import People
from penstock.respond.signing import Keyring
from penstock.settings import ApprovalSetting

KINDS = ("ask", "acceptance", "declassification", "model", "provider", "tool")
OPEN = "asked"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
#: Longest a yes lasts that is no grant of a call: what an acceptance may last.
MOST_DAYS = 365
#: Letters kept of what others wrote: a person decides by a sentence, not by a page.
LONGEST = 500
#: Wishes of one application that may wait at once. What comes beyond waits for nobody: an agent that asks for hundreds
#: of different things at a time wants a person to stop reading.
MOST_WAITING = 200
#: Event ids a request keeps, so that one delivered twice counts once.
KEPT_EVENTS = 100
#: How far ahead of us another machine's clock may be (seconds) before its times are taken as ours.
SKEW = 300.0
GRANT = "grant/1"


@dataclass(frozen=True, slots=True)
class Decider:
    """Who answers: by name, with a role; ``party`` is whom a link was sent to, in whose name its holder answers."""

    name: str
    role: str = "approver"
    party: str = ""

    @property
    def signed(self) -> str:
        return f"{self.name} (by link)" if self.party else self.name


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def take_asks(
    store: Store, events: Iterable[Event], people: People, setting: ApprovalSetting, *, now: float
) -> Sequence[Approval]:
    """Requests for what the gateway held back, and grants that calls used up; returns the requests that changed."""
    asks = [(event, ask) for event in events for ask in asks_of(event)]
    used = {id: event.at for event in events for id in used_grants(event)}
    if not asks and not used:
        return ()
    keys = {fold_key("ask", event.application, ask.key, ask.session) for event, ask in asks}
    waiting: dict[str, int] = {}
    for open_one in store.approvals(states=(OPEN,), limit=100_000) if asks else ():
        waiting[open_one.about] = waiting.get(open_one.about, 0) + 1

    def change(known: Sequence[Approval]) -> Iterable[Approval]:
        by_key: dict[str, list[Approval]] = {}
        for approval in known:
            by_key.setdefault(approval.key, []).append(approval)
        for event, ask in asks:
            key = fold_key("ask", event.application, ask.key, ask.session)
            same = by_key.setdefault(key, [])
            if any(event.id in approval.events for approval in same):
                continue
            at = min(event.at, now + SKEW)
            answered = next((place for place, approval in enumerate(same) if _answers(approval, now)), None)
            if answered is not None:
                same[answered] = _again(same[answered], event.id, at)
            elif waiting.get(event.application, 0) < MOST_WAITING:
                waiting[event.application] = waiting.get(event.application, 0) + 1
                same.append(_of_ask(event, ask, key, people, setting, now))
        changed = {approval.id: approval for same in by_key.values() for approval in same}
        for id, at in used.items():
            if id in changed and changed[id].state == "granted" and changed[id].single:
                changed[id] = replace(changed[id], state="expired", used_at=at)
        return changed.values()

    return store.change_approvals(change, ids=list(used), keys=keys)


def asks_of(event: Event) -> list[Ask]:
    """The asks that an event carries; one that is none is left out, for the rest of the event still counts."""
    found: list[Ask] = []
    carried = event.props.get("asks")
    for one in carried[:20] if isinstance(carried, list | tuple) else ():
        try:
            found.append(msgspec.convert(one, Ask))
        except msgspec.ValidationError:
            continue
    return found


def used_grants(event: Event) -> tuple[str, ...]:
    """Ids of the grants by which an event's call was let through."""
    carried = event.props.get("grants")
    return tuple(id for id in carried if isinstance(id, str)) if isinstance(carried, list | tuple) else ()


def request(
    store: Store,
    people: People,
    setting: ApprovalSetting,
    *,
    kind: str,
    about: str,
    subject: str,
    why: str,
    requester: str,
    detail: Mapping[str, Any] | None = None,
    data: Iterable[str] = (),
    now: float,
) -> Approval:
    """What a person asks for: to accept a finding, lower a label, or use a new model, provider or tool.

    Raises:
        WrongUse: no kind of request, nobody asks, nothing is asked for, or without a reason.
    """
    if kind not in KINDS or kind == "ask":
        raise WrongUse(f"There is no request of the kind {kind!r}", hint=f"Use one of {', '.join(KINDS[1:])}")
    if not requester.strip():
        raise WrongUse("Nobody asks for this", hint="Give the name of the person who asks")
    if not subject.strip() or len(why.strip()) < 3:
        raise WrongUse("A request says what is wished, and why", about, "A sentence each is enough")
    approver, approver_why = people.approval(about, requester, data=data)
    what = dict(detail or {})
    key = fold_key(kind, about, clean(subject), msgspec.json.encode(what, order="deterministic").decode())
    made = Approval(
        id=_id(key, f"{requester} {now}"),
        kind=kind,
        key=key,
        about=about,
        subject=clean(subject),
        why=clean(why),
        asked_at=now,
        answer_by=now + 14 * DAY,  # no call waits for it
        requester=clean(requester, 200),
        approver=approver,
        approver_why=approver_why,
        detail=what,
        last_at=now,
    )

    def change(known: Sequence[Approval]) -> Iterable[Approval]:
        standing = next((approval for approval in known if _answers(approval, now)), None)
        return [_again(standing, "", now) if standing else made]

    changed = store.change_approvals(change, keys=[key])
    store.audit(made.requester, f"asked for {kind}: {made.subject}: {made.why}", changed[0].id, now)
    return changed[0]


# ── answering ────────────────────────────────────────────────────────────────────────────────────────────────────────


def grant(
    store: Store,
    keyring: Keyring,
    id: str,
    *,
    by: Decider,
    why: str,
    people: People,
    setting: ApprovalSetting,
    seconds: float | None = None,
    now: float,
) -> Approval:
    """Say yes, for so many seconds (else as the settings have it). Two who answer at once: the first one wins.

    Raises:
        NotAllowed: this person may not answer it.
        WrongUse: there is no such request, it was answered already, or the length is not allowed.
    """

    def yes(approval: Approval) -> Approval:
        lasts = _length(approval, setting, seconds)
        decided = _decided(approval, "granted", by, why, now, now + lasts)
        return replace(decided, signature=keyring.sign(GRANT, _signed_facts(decided, store.tenant)))

    return _answer(store, id, by, people, yes, now)


def refuse(
    store: Store, id: str, *, by: Decider, why: str, people: People, setting: ApprovalSetting, now: float
) -> Approval:
    """Say no. The same wish is answered by it for ``refused_minutes``; then it may be asked anew.

    Raises:
        NotAllowed, WrongUse: as ``grant``, or no reason is given.
    """
    if len(why.strip()) < 3:
        raise WrongUse("A refusal needs a reason", id, "Say what would have to be different: --why")
    until = now + setting.refused_minutes * MINUTE
    return _answer(store, id, by, people, lambda approval: _decided(approval, "refused", by, why, now, until), now)


def withdraw(store: Store, id: str, *, by: Decider, why: str, people: People, now: float) -> Approval:
    """Take back a request (who made it, or an admin) or a grant (an approver of it); it ends at once.

    Raises:
        NotAllowed, WrongUse: as ``grant``.
    """

    def change(known: Sequence[Approval]) -> Iterable[Approval]:
        approval = _one(known, id)
        if approval.state == "granted":
            _may_answer(approval, by, people)
        elif approval.state != OPEN:
            raise WrongUse(f"This request is {approval.state} already", id, said(approval, people))
        elif by.role != "admin" and not people.same(by.name, approval.requester):
            raise NotAllowed("Only who asked may take the request back", id, "Refuse it instead")
        return [_decided(approval, "withdrawn", by, why, now, now)]

    (done,) = store.change_approvals(change, ids=[id])
    store.audit(by.signed, f"withdrew {done.kind}: {done.subject}{_because(why)}", id, now)
    return done


def may_answer(approval: Approval, by: Decider, people: People) -> str:
    """Why this person may not answer the request; "" when they may."""
    if people.same(by.name, approval.requester):
        return "Who asks must not also grant"
    if people.has_left(people.known_person(by.name)) or (by.party and people.has_left(by.party)):
        return f"{by.name} is no longer with the organisation"
    if by.role == "admin":
        return ""
    if by.party:
        return "" if by.party in (approval.approver, _security(people)) else "Somebody else answers this by now"
    if by.role != "approver":
        return f"A {by.role} may not answer requests"
    if people.speaks_for(by.name, approval.approver) or people.speaks_for(by.name, _security(people)):
        return ""
    return f"{people.name(approval.approver) or 'The security team'} answers this"


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def expire(store: Store, setting: ApprovalSetting, *, now: float) -> Sequence[Approval]:
    """End what time has ended, and mark what waited too long for its approver; returns what changed."""
    late = [
        approval.id
        for approval in store.approvals(states=(OPEN, "granted"), limit=100_000)
        if _after(approval, setting, now) != approval
    ]
    if not late:
        return ()
    changed = store.change_approvals(lambda known: [_after(one, setting, now) for one in known], ids=late)
    for approval in changed:
        if approval.state == "expired" and approval.decided_at is None:
            store.audit("penstock", f"nobody answered: {approval.subject}", approval.id, now)
    return changed


def next_change(store: Store, setting: ApprovalSetting, now: float) -> float:
    """When time alone changes a request or a grant next (seconds since the epoch)."""
    ends = [
        end
        for approval in store.approvals(states=(OPEN, "granted"), limit=100_000)
        for end in (_ends(approval), _escalates(approval, setting))
        if end is not None and end > now
    ]
    return min(ends, default=now + DAY)


def grants(store: Store, keyring: Keyring, *, now: float) -> tuple[Grant, ...]:
    """What the gateway is to let through: grants of calls that are in force and signed by one of our keys."""
    return tuple(
        Grant(
            id=approval.id,
            application=approval.about,
            key=str(approval.detail.get("key", "")),
            until=approval.until or 0.0,
            session=approval.session,
            single=approval.single,
        )
        for approval in sorted(store.approvals(states=("granted",), limit=100_000), key=lambda a: a.id)
        if approval.kind == "ask" and (approval.until or 0.0) > now and is_signed(approval, keyring, store.tenant)
    )


def is_signed(approval: Approval, keyring: Keyring, tenant: str) -> bool:
    """Whether the grant is as it was when somebody gave it."""
    return keyring.verifies(approval.signature, GRANT, _signed_facts(approval, tenant))


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def said(approval: Approval, people: People) -> str:
    """What became of the request, in a sentence."""
    who = approval.decided_by
    if approval.state == OPEN:
        return f"It waits for {people.name(approval.approver) or 'somebody who may answer it'}"
    if approval.state == "expired" and approval.used_at is not None:
        return f"{who} allowed it once, and it was used"
    if approval.state == "expired" and approval.decided_at is not None:
        return f"{who} allowed it, and that has ended"
    if approval.state == "expired":
        return "Nobody answered in time, so the answer is no"
    return f"{who} {'withdrew' if approval.state == 'withdrawn' else approval.state} it{_because(approval.reason)}"


def clean(text: str, most: int = LONGEST) -> str:
    """Text of others on one line: nothing that hides, reorders or steers what is shown."""
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text[: 4 * most])
    kept = "".join(c for c in kept if unicodedata.category(c) not in ("Cf", "Cs", "Co"))
    kept = re.sub(r"\s+", " ", kept).strip()
    return kept if len(kept) <= most else f"{kept[: most - 1]}…"


def fold_key(kind: str, *parts: str) -> str:
    """What the same wish shares, however often it is made."""
    return hashlib.sha256("\0".join((kind, *parts)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


# ── one request ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_ask(event: Event, ask: Ask, key: str, people: People, setting: ApprovalSetting, now: float) -> Approval:
    approver, why = people.approval(event.application, ask.requester)
    return Approval(
        id=_id(key, event.id),
        kind="ask",
        key=key,
        about=event.application,
        subject=clean(ask.subject),
        why=clean(ask.why),
        asked_at=now,
        answer_by=now + setting.answer_hours * HOUR,
        rule=clean(ask.rule, 200),
        requester=clean(ask.requester, 200),
        session=ask.session[:200],
        single=ask.single,
        approver=approver,
        approver_why=why,
        detail={"key": ask.key, "model": clean(event.model, 200), "surface": event.surface},
        events=(event.id,),
        last_at=min(event.at, now + SKEW),
    )


def _answers(approval: Approval, now: float) -> bool:
    """Whether the wish made again is answered by this request: it waits, or a yes or a no still holds."""
    if approval.state == OPEN:
        return approval.answer_by > now
    return approval.state in ("granted", "refused") and (approval.until or 0.0) > now


def _again(approval: Approval, event: str, at: float) -> Approval:
    events = (*approval.events, event)[-KEPT_EVENTS:] if event else approval.events
    return replace(approval, events=events, times=approval.times + 1, last_at=max(at, approval.last_at))


def _answer(store: Store, id: str, by: Decider, people: People, decision: Any, now: float) -> Approval:
    def change(known: Sequence[Approval]) -> Iterable[Approval]:
        approval = _one(known, id)
        _may_answer(approval, by, people)
        if approval.state != OPEN:
            raise WrongUse(f"This request is {approval.state} already", id, said(approval, people))
        if approval.answer_by <= now:
            raise WrongUse("This request was not answered in time", id, "It has to be asked anew")
        return [decision(approval)]

    (done,) = store.change_approvals(change, ids=[id])
    store.audit(by.signed, f"{done.state} {done.kind}: {done.subject}{_because(done.reason)}", id, now)
    return done


def _one(known: Sequence[Approval], id: str) -> Approval:
    if not known:
        raise WrongUse("There is no such request", id, "penstock approvals lists them")
    return known[0]


def _may_answer(approval: Approval, by: Decider, people: People) -> None:
    if not by.name.strip():
        raise WrongUse("Nobody answers this", approval.id, "Give the name of the person who decides")
    if why := may_answer(approval, by, people):
        raise NotAllowed(why, approval.id, f"Ask {people.name(approval.approver) or 'the security team'}")


def _decided(approval: Approval, state: str, by: Decider, why: str, now: float, until: float) -> Approval:
    reason = clean(why, 2000)
    return replace(approval, state=state, decided_by=clean(by.signed, 200), decided_at=now, reason=reason, until=until)


def _length(approval: Approval, setting: ApprovalSetting, seconds: float | None) -> float:
    usual, most = setting.grant_minutes * MINUTE, setting.most_grant_hours * HOUR
    if approval.kind != "ask":
        usual, most = 90 * DAY, MOST_DAYS * DAY
    lasts = usual if seconds is None else seconds
    if not 0 < lasts <= most:
        raise WrongUse(f"This can be granted for {most / HOUR:g} hours at most", approval.id, "Grant it for less")
    return lasts


def _after(approval: Approval, setting: ApprovalSetting, now: float) -> Approval:
    end, late = _ends(approval), _escalates(approval, setting)
    if end is not None and end <= now:
        return replace(approval, state="expired")
    if late is not None and late <= now:
        return replace(approval, escalated_at=now)
    return approval


def _ends(approval: Approval) -> float | None:
    if approval.state == OPEN:
        return approval.answer_by
    return approval.until if approval.state == "granted" else None


def _escalates(approval: Approval, setting: ApprovalSetting) -> float | None:
    if approval.state != OPEN or approval.escalated_at is not None:
        return None
    return approval.asked_at + setting.escalate_minutes * MINUTE


def _signed_facts(approval: Approval, tenant: str) -> bytes:
    """Everything that decides what a grant lets through, and who gave it."""
    a = approval
    facts = (tenant, a.id, a.kind, a.key, a.about, a.session, a.single, a.detail, a.decided_by, a.decided_at, a.until)
    return msgspec.json.encode(facts, order="deterministic")


def _id(key: str, first: str) -> str:
    return f"ap-{hashlib.sha256(f'{key} {first}'.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _because(why: str) -> str:
    return f": {clean(why, 2000)}" if why.strip() else ""


def _security(people: People) -> str:
    return people.known_as(people.settings.security_team)
