"""Living with a finding: a named person's decision, with a reason and an end."""

from __future__ import annotations

import time
from collections.abc import Iterable

from penstock.errors import WrongUse
from penstock.graph.graph import Graph
from penstock.graph.store.protocol import Acceptance, Store
from penstock.graph.vocabulary import Finding

DAY = 86_400.0
#: How long an acceptance lasts unless told otherwise, and at most: a year without a second look is too long.
DAYS, MOST_DAYS = 90, 365


def accept(store: Store, finding: str, *, who: str, why: str, until: float | None = None, now: float) -> Acceptance:
    """Accept a finding until a date (in seconds since the epoch; 90 days from now when not given).

    Raises:
        WrongUse: no such finding, no name, no reason, or an end that is past or more than 365 days away.
    """
    if finding not in {known.id for known in store.findings()}:
        raise WrongUse("There is no such open finding", finding, "penstock risks lists them with their ids")
    if not who.strip():
        raise WrongUse("Nobody accepts this", finding, "Give the name of the person who decides: --by")
    if not why.strip():
        raise WrongUse("An acceptance needs a reason", finding, "Say why it can be lived with: --why")
    end = now + DAYS * DAY if until is None else until
    if end <= now:
        raise WrongUse("The end date is past", finding, "Give a date to come: --until 2027-01-31")
    if end > now + MOST_DAYS * DAY:
        raise WrongUse(
            f"An acceptance lasts at most {MOST_DAYS} days", finding, "Give an earlier date, and look again then"
        )
    decision = Acceptance(finding, who.strip(), why.strip(), end, now)
    store.accept(decision)
    store.audit(
        decision.who, f"accepted until {time.strftime('%Y-%m-%d', time.gmtime(end))}: {decision.why}", finding, now
    )
    return decision


def revoke(store: Store, finding: str, *, who: str, why: str, now: float) -> int:
    """Take back every acceptance of a finding, so that it counts again; returns how many there were.

    Raises:
        WrongUse: no name or no reason.
    """
    if not who.strip() or not why.strip():
        raise WrongUse("Taking back an acceptance needs a name and a reason", finding)
    gone = store.revoke_acceptance(finding)
    if gone:
        store.audit(who.strip(), f"took back the acceptance: {why.strip()}", finding, now)
    return gone


def matching(findings: Iterable[Finding], graph: Graph, what: str, place: str = "") -> tuple[Finding, ...]:
    """The findings that a person means by an id, the beginning of one (six letters or more), or a rule.

    ``place`` narrows them to those whose subject has that id or name, or evidence in that file.
    """
    meant = [
        finding
        for finding in findings
        if what == finding.id
        or what.casefold() == finding.rule.casefold()
        or (len(what) >= 6 and finding.id.startswith(what))
    ]
    return tuple(finding for finding in meant if not place or _is_at(finding, graph, place))


def _is_at(finding: Finding, graph: Graph, place: str) -> bool:
    names = set[str]()
    for asset in (finding.subject, finding.fix_at):
        known = graph.assets.get(asset)
        names |= {asset, known.name if known else ""}
        for evidence in graph.evidence.get(asset, ()):
            names |= {evidence.where, evidence.where.rpartition(":")[0]}
    return place in names
