"""Which case a finding or an event belongs to, and how a person changes that: merging and taking apart.

A case *holds* what a person put there: fingerprints of other cases, and single findings (``finding <id>``). Whatever
comes with one of them later joins that case, so that what was merged is not made a second time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from penstock.errors import WrongUse
from penstock.graph.store.protocol import Store
from penstock.graph.vocabulary import SEVERITIES, Case, CaseChange

#: Cases merged in one step: what a person can have looked at.
MOST = 500


def homes(cases: Iterable[Case]) -> dict[str, str]:
    """Fingerprint or ``finding <id>`` → fingerprint of the case that holds it because a person said so."""
    return {held: case.fingerprint for case in cases for held in case.holds}


def home_of(finding: str, fingerprint: str, held: Mapping[str, str]) -> str:
    """The fingerprint of the case that a finding belongs to."""
    return held.get(f"finding {finding}") or held.get(fingerprint, fingerprint)


def merge(store: Store, into: str, others: Collection[str], *, who: str, why: str, now: float) -> Case:
    """Make several cases one. The others close and lead to it; no finding and no event counts twice.

    Raises:
        WrongUse: nobody decides, a case is not there, was merged already, or is merged into itself.
    """
    _decided(into, who, why)
    if into in others or not 0 < len(set(others)) <= MOST:
        raise WrongUse("A case is merged with others", into, f"Name 1 to {MOST} others")

    def change(cases: Iterable[Case], _: object) -> Iterable[Case]:
        known = {case.id: case for case in cases}
        if missing := next((id for id in (into, *others) if id not in known), None):
            raise WrongUse("There is no such case", missing, "penstock cases --all lists them")
        if gone := next((known[id] for id in (into, *others) if known[id].merged_into), None):
            raise WrongUse("The case was merged already", gone.id, f"Into {gone.merged_into}")
        target = known[into]
        changed: list[Case] = []
        for id in dict.fromkeys(others):
            other = known[id]
            target = _joined(target, other)
            changed.append(_left(other, target, who, why, now))
        line = f"merged: {len(changed)} {'case' if len(changed) == 1 else 'cases'} joined: {why.strip()}"
        return [_line(replace(target, state="open", until=None), now, who, line), *changed]

    return store.change_cases(change).cases[0]


def split(store: Store, case: str, findings: Collection[str], *, who: str, why: str, now: float) -> Case:
    """Take findings out of a case into one of their own; what comes with them later follows them.

    Raises:
        WrongUse: nobody decides, there is no such case, or the findings are none of it or all of it.
    """
    _decided(case, who, why)

    def change(cases: Iterable[Case], _: object) -> Iterable[Case]:
        known = {one.id: one for one in cases}
        if case not in known:
            raise WrongUse("There is no such case", case, "penstock cases --all lists them")
        whole, taken = known[case], tuple(sorted(set(findings)))
        if not taken or not set(taken) < set(whole.findings):
            raise WrongUse("Some of the case's findings are taken out, not all", case, "Name their ids")
        held = tuple(f"finding {id}" for id in taken)
        key = f"split {whole.fingerprint} {' '.join(taken)}"
        made = replace(
            whole, id=_id(key), fingerprint=key, findings=taken, holds=held, events=(), event_count=0, opened_at=now,
            state="open", until=None, history=(), due=None, escalated_at=None, merged_into="",
        )  # fmt: skip
        rest = tuple(id for id in whole.findings if id not in taken)
        kept = replace(whole, findings=rest, holds=tuple(one for one in whole.holds if one not in held))
        return [
            _line(made, now, who, f"split from {whole.id}: {why.strip()}"),
            _line(kept, now, who, f"{len(taken)} findings taken out into {made.id}: {why.strip()}"),
        ]

    return store.change_cases(change).cases[0]


def _joined(target: Case, other: Case) -> Case:
    """The target with everything of the other, each once."""
    fresh = [id for id in other.events if id not in set(target.events)]
    both = len(other.events) - len(fresh)
    worst = max(target.severity, other.severity, key=SEVERITIES.index)
    return replace(
        target,
        severity=worst,
        findings=tuple(sorted({*target.findings, *other.findings})),
        events=(*target.events, *fresh)[-1000:],
        event_count=target.event_count + other.event_count - both,
        informed=tuple(dict.fromkeys((*target.informed, *other.informed))),
        affected=tuple(dict.fromkeys((*target.affected, *other.affected))),
        holds=tuple(dict.fromkeys((*target.holds, other.fingerprint, *other.holds))),
        opened_at=min(target.opened_at, other.opened_at),
    )


def _left(other: Case, target: Case, who: str, why: str, now: float) -> Case:
    gone = replace(
        other, state="resolved", until=None, findings=(), holds=(), merged_into=target.id, due=None, escalated_at=None
    )
    return _line(gone, now, who, f"merged into {target.id}: {why.strip()}")


def _line(case: Case, now: float, who: str, what: str) -> Case:
    line = CaseChange(now, who.strip(), what)
    return replace(case, history=(*case.history, line), changed_at=max(now, case.changed_at))


def _decided(case: str, who: str, why: str) -> None:
    if not who.strip() or len(why.strip()) < 3:
        raise WrongUse("This needs a name and a reason", case, "Say who decides, and why")


def _id(key: str) -> str:
    return f"case-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
