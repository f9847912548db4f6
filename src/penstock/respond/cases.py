"""Cases: what has one cause is one matter for one person, however often it is found or happens."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from penstock.errors import WrongUse
from penstock.graph.graph import Graph
from penstock.graph.store.protocol import Acceptance, Store
from penstock.graph.vocabulary import (
    DATA_KINDS,
    LABELS,
    SENSITIVE,
    SEVERITIES,
    Case,
    CaseChange,
    Event,
    Finding,
    said_labels,
)
from penstock.respond.clocks import timed
from penstock.respond.grouping import home_of, homes
from penstock.respond.people import Ownership, People

if TYPE_CHECKING:
    from penstock.graph.labels import Labelling

#: Who signs a change that no person made.
PENSTOCK = "penstock"
IN_DOUBT = "in doubt: what it rests on became unknown; an open question decides it"
#: Event ids a case keeps: more than a page shows. Counting does not hang on them, see ``Store.change_cases``.
KEPT_EVENTS = 1000
#: History lines a case keeps; the first (how it began) is always among them.
KEPT_HISTORY = 200
#: Longest time a case may be snoozed, in seconds: 90 days, as long as an acceptance lasts unless told otherwise.
LONGEST_SNOOZE = 90 * 86_400.0


def update(
    cases: Iterable[Case],
    findings: Iterable[Finding],
    events: Iterable[Event],
    people: People,
    graph: Graph,
    *,
    now: float,
    acceptances: Iterable[Acceptance] = (),
    labelling: Labelling | None = None,
    doubted: Container[str] = (),
) -> tuple[Case, ...]:
    """The cases as they stand now, worst first: pure, order-free, and without effect when nothing is new.

    Args:
        findings: everything found now, accepted findings included.
        events: what happened since the last call, each once.
        acceptances: decisions to live with findings; a case whose findings are all accepted is accepted.
        labelling: what the assets on a path hold after propagation; without it, their own labels count.
        doubted: ids of findings that turned into a question; not finding them is no proof that their cause is gone.
    """
    accepted = {a.finding: a for a in sorted(acceptances, key=lambda a: (a.at, a.until)) if a.until > now}
    by_fingerprint = {case.fingerprint: case for case in cases}
    held = homes(by_fingerprint.values())
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(home_of(finding.id, fingerprint(finding), held), []).append(finding)
    made: dict[str, Case] = {}
    for key in sorted(by_fingerprint.keys() | groups.keys()):
        case, group = by_fingerprint.get(key), sorted(groups.get(key, ()), key=_worst_first)
        if group:
            made[key] = _found(case, key, group, accepted, _Context(people, graph, labelling, now))
        elif case is not None:
            made[key] = case if case.merged_into else _absent(case, doubted, now)
    joined = attach(made.values(), events, people, now=now)
    return in_order(timed(case, people, people.settings.due_hours, now=now) for case in joined)


def attach(cases: Iterable[Case], events: Iterable[Event], people: People, *, now: float) -> tuple[Case, ...]:
    """The cases with events added: by the findings an event names, else by what leaked from which application."""
    by_fingerprint = {case.fingerprint: case for case in cases}
    held = homes(by_fingerprint.values())
    of_finding = {finding: case.fingerprint for case in by_fingerprint.values() for finding in case.findings}
    joined: dict[str, list[Event]] = {}
    for event in events:
        keys = {of_finding[finding] for finding in event.finding_ids if finding in of_finding}
        for key in {held.get(key, key) for key in keys or _made_by(event)}:
            joined.setdefault(key, []).append(event)
    for key, group in joined.items():
        group.sort(key=lambda event: (event.at, event.id))
        case = by_fingerprint.get(key) or _opened_by(key, group[0], people, now)
        by_fingerprint[key] = _happened(case, group, now)
    return in_order(by_fingerprint.values())


def answers_for(finding: Finding, people: People) -> Ownership:
    """Who is to act: whoever owns what is to be changed, else the nearest who owns any of the path."""
    root = finding.fix_at if finding.fix_at in people.graph.assets else finding.subject
    known = filter(None, map(people.owner, dict.fromkeys((root, finding.subject, *_assets_of(finding)))))
    return next(known, people.owner(root))


def in_order(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Open before closed, worst first, oldest first."""
    return tuple(sorted(cases, key=_case_order))


def fingerprint(finding: Finding) -> str:
    """What findings of one cause share: the root the assessment named, else the asset and the rule."""
    return f"root {finding.root}" if finding.root else f"asset {finding.subject} rule {finding.rule}"


def snooze(case: Case, *, who: str, why: str, until: float, now: float) -> Case:
    """The case put off until a date; it comes back by itself then, or when it gets worse.

    Raises:
        WrongUse: no name, no reason, or no date within ``LONGEST_SNOOZE``.
    """
    _decided(case, who, why, "Snoozing")
    if not now < until <= now + LONGEST_SNOOZE:
        raise WrongUse("A case sleeps 90 days at most", case.id, "Accept it instead: that says you live with it")
    return _change(replace(case, state="snoozed", until=until), now, who, f"snoozed: {why}")


def resolve(case: Case, *, who: str, why: str, now: float) -> Case:
    """The case closed by a person. It re-opens at the next look if its cause is still there.

    Raises:
        WrongUse: no name or no reason.
    """
    _decided(case, who, why, "Closing")
    return _change(replace(case, state="resolved", until=None), now, who, f"resolved: {why}")


def reopen(case: Case, *, who: str, why: str, now: float) -> Case:
    """The case open again before its time. One that is accepted needs its acceptances taken back first, or the next
    look accepts it anew: ``respond.accept.revoke``.

    Raises:
        WrongUse: no name or no reason, or it is open already.
    """
    _decided(case, who, why, "Reopening")
    if case.state == "open":
        raise WrongUse("The case is open already", case.id)
    return _change(replace(case, state="open", until=None), now, who, f"re-opened: {why}")


def decide(store: Store, case: str, decision: Callable[[Case], Case]) -> Case:
    """Change one case as it is now, with nobody changing it in between; returns it.

    Raises:
        WrongUse: there is no such case, or what ``decision`` raises; nothing is changed then.
    """

    def one(cases: Iterable[Case], _: object) -> Iterable[Case]:
        return [decision(known) for known in cases if known.id == case]

    made = store.change_cases(one).cases
    if not made:
        raise WrongUse("There is no such case", case, "penstock cases --all lists them")
    return made[0]


def _decided(case: Case, who: str, why: str, what: str) -> None:
    if not who.strip() or not why.strip():
        raise WrongUse(f"{what} a case needs a name and a reason", case.id, "Say who decides, and why")


# ── findings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Context:
    people: People
    graph: Graph
    labelling: Labelling | None
    now: float

    def labels(self, finding: Finding) -> frozenset[str]:
        """The data categories the finding is about: what the assets on its path hold."""
        return frozenset[str]().union(*(self._held(asset) for asset in _assets_of(finding)))

    def data(self, finding: Finding) -> tuple[str, ...]:
        """The assets on the path that are sensitive data, furthest first: there the data comes from."""
        found = [a for a in _assets_of(finding) if a in self.graph.assets and self.graph.assets[a].kind in DATA_KINDS]
        return tuple(reversed([asset for asset in found if self._held(asset) & SENSITIVE]))

    def _held(self, asset: str) -> frozenset[str]:
        if self.labelling is not None:
            return self.labelling.contains(asset)
        known = self.graph.assets.get(asset)
        return known.labels if known else frozenset()


def _found(
    case: Case | None, key: str, group: Sequence[Finding], accepted: Mapping[str, Acceptance], about: _Context
) -> Case:
    """The case of findings that are there now; ``group`` is worst first."""
    worst = group[0]
    if case is None:
        empty = Case(_id(key), key, worst.title, worst.severity, opened_at=about.now)
        described = _described(empty, group, about)
        case = _change(described, about.now, PENSTOCK, f"opened: {described.title}")
    else:
        case = _compare(case, _described(case, group, about), about)
    decided = [accepted[finding.id] for finding in group if finding.id in accepted]
    return _state(case, decided if len(decided) == len(group) else [], about.now)


def _described(case: Case, group: Sequence[Finding], about: _Context) -> Case:
    """The case with what its findings say now: how bad, whose, who approves, who must know, who is affected."""
    people, worst = about.people, group[0]
    root = worst.fix_at if worst.fix_at in about.graph.assets else worst.subject
    owner = answers_for(worst, people)
    labels = frozenset[str]().union(*(about.labels(finding) for finding in group))
    data = tuple(dict.fromkeys(asset for finding in group for asset in about.data(finding)))
    conflict = "".join(f"; but {claim}" for claim in owner.conflicts)
    return replace(
        case,
        title=f"{worst.title}: {people.name(root)}",
        severity=worst.severity,
        owner=owner.asset,
        owner_why=owner.why + conflict,
        approver=people.approver(root, owner.asset, data=data),
        informed=people.informed(root, labels),
        affected=people.affected(root),
        findings=tuple(sorted(finding.id for finding in group)),
    )


def _compare(before: Case, after: Case, about: _Context) -> Case:
    """``after`` with a history line for each thing that a person would want to know has changed."""
    said: list[str] = []
    new, gone = set(after.findings) - set(before.findings), set(before.findings) - set(after.findings)
    if before.state == "resolved":
        said.append("re-opened: its cause is there again")
        after = replace(after, state="open", until=None)
    if new and before.state != "resolved":
        said.append(f"{_count(len(new), 'finding')} joined")
    if gone:
        said.append(f"{_count(len(gone), 'finding')} no longer there")
    worse = SEVERITIES.index(after.severity) > SEVERITIES.index(before.severity)
    if before.severity != after.severity:
        said.append(f"severity {before.severity} → {after.severity}")
    if before.owner != after.owner:
        name = about.people.name
        said.append(f"owner {name(before.owner) or 'unknown'} → {name(after.owner) or 'unknown'}")
    if before.state == "snoozed" and worse:
        said.append("woken: it got worse")
        after = replace(after, state="open", until=None)
    for line in said:
        after = _change(after, about.now, PENSTOCK, line)
    return after


def _state(case: Case, decided: Sequence[Acceptance], now: float) -> Case:
    """Accepted while acceptances cover every finding; what has run out is open again."""
    if decided:
        until = min(acceptance.until for acceptance in decided)
        if case.state == "accepted" and case.until == until:
            return case
        last = max(decided, key=lambda acceptance: (acceptance.at, acceptance.who))
        return _change(replace(case, state="accepted", until=until), now, last.who, f"accepted: {last.why}")
    if case.state == "accepted":
        return _change(replace(case, state="open", until=None), now, PENSTOCK, "re-opened: the acceptance has ended")
    if case.state == "snoozed" and case.until is not None and case.until <= now:
        return _change(replace(case, state="open", until=None), now, PENSTOCK, "re-opened: the snooze has ended")
    return case


def _absent(case: Case, doubted: Container[str], now: float) -> Case:
    """A case none of whose findings is there. One that events alone opened waits for a person, and so does doubt."""
    if case.state == "resolved" or not case.findings:
        return _state(case, [], now) if case.state == "snoozed" else case
    if any(finding in doubted for finding in case.findings):
        if case.history and case.history[-1].what == IN_DOUBT:
            return case
        return _change(case, now, PENSTOCK, IN_DOUBT)
    return _change(replace(case, state="resolved", until=None), now, PENSTOCK, "resolved: its cause is gone")


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────────


#: Category of a text that reads like an attack on a model's instructions.
ATTACK = "attack"


def _made_by(event: Event) -> set[str]:
    """Fingerprints of the cases an event makes by itself.

    Sensitive data in what an application was answered, an attack that was seen on it, or an alert of one cause.
    """
    if not event.application:
        return set()
    if event.kind == "alert":
        return {f"alert {event.application} {_cause(event)}"}
    seen = {name.partition(".")[2] for name, count in event.seen.items() if count and name.startswith("out.")}
    made = {f"traffic {event.application} {category}" for category in seen & SENSITIVE}
    if event.seen.get(f"in.{ATTACK}") or event.seen.get(f"out.{ATTACK}"):
        made.add(f"traffic {event.application} {ATTACK}")
    return made


def _cause(event: Event) -> str:
    """What an alert is about, without what changes from one to the next; a space would end a fingerprint's part."""
    said = str(event.props.get("cause") or (event.rules[0] if event.rules else "") or "unknown")
    return re.sub(r"\s+", "-", re.sub(r"\d+", "#", said[:200])).strip("-") or "unknown"


def _opened_by(key: str, event: Event, people: People, now: float) -> Case:
    """A new case that an event opens."""
    what = key.rpartition(" ")[2]
    name = people.name(event.application)
    if event.kind == "alert":
        title, severity = f"{name}: {event.props.get('title') or what}"[:300], _severity(event)
    elif what == ATTACK:
        title, severity = f"Somebody tries to turn {name} against its instructions", "medium"
    else:
        title, severity = f"Answers to {name} carry {said_labels((what,))}", "high" if LABELS[what] >= 4 else "medium"
    owner = people.owner(event.application)
    case = Case(
        id=_id(key),
        fingerprint=key,
        title=title,
        severity=severity,
        owner=owner.asset,
        owner_why=owner.why + "".join(f"; but {claim}" for claim in owner.conflicts),
        approver=people.approver(event.application, owner.asset),
        informed=people.informed(event.application, {what}),
        affected=people.affected(event.application),
        opened_at=now,
    )
    opened = _change(case, now, PENSTOCK, f"opened: {title}, seen in traffic")
    return timed(opened, people, people.settings.due_hours, now=now)


def _severity(event: Event) -> str:
    said = str(event.props.get("severity", ""))
    return said if said in SEVERITIES else "medium"


def _happened(case: Case, group: Sequence[Event], now: float) -> Case:
    """The case with events counted in, oldest first; one of the last ``KEPT_EVENTS`` is not counted again."""
    known = set(case.events)
    fresh = tuple(dict.fromkeys(event.id for event in group if event.id not in known))
    if not fresh:
        return case
    first = not case.event_count
    case = replace(
        case,
        events=(*case.events, *fresh)[-KEPT_EVENTS:],
        event_count=case.event_count + len(fresh),
        changed_at=max(now, case.changed_at),
    )
    if first and case.findings:
        case = _change(case, now, PENSTOCK, "seen in traffic for the first time")
    if case.state == "resolved" and not case.findings:
        case = _change(replace(case, state="open"), now, PENSTOCK, "re-opened: it happened again")
    return case


# ── small things ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _change(case: Case, at: float, who: str, what: str) -> Case:
    history = (*case.history, CaseChange(at, who, what))
    if len(history) > KEPT_HISTORY:
        history = (history[0], *history[-(KEPT_HISTORY - 1) :])
    return replace(case, changed_at=max(at, case.changed_at), history=history)


def _id(key: str) -> str:
    """48 bits of the fingerprint's SHA-256: short enough to say, and among 10,000 cases a collision below 1e-6."""
    return f"case-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def _assets_of(finding: Finding) -> tuple[str, ...]:
    return tuple(dict.fromkeys((finding.subject, *(step.asset for step in finding.path))))


def _worst_first(finding: Finding) -> tuple[int, float, str]:
    return -SEVERITIES.index(finding.severity), -finding.score, finding.id


def _case_order(case: Case) -> tuple[bool, int, float, str]:
    return case.state != "open", -SEVERITIES.index(case.severity), case.opened_at, case.id


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
