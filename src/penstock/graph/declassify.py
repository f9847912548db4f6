"""What takes a label away: a removal that somebody describes and an approver outside the scanned tree accepts (R5).

Anybody may propose one (``ai-system.yaml``, a lineage file that says *masked*); it then bounds how readily the data can
be got out, and nothing more. In force it is only with a method, an approver, a date, and a word from outside the tree;
and then only for the categories and sources that were there when it was accepted. A record names:

    method       what was done, in words; ``downgrade`` for a person's judgement alone
    approved_by  who accepted it
    date, until  when, and how long it holds (a downgrade: at most 90 days)
    categories   labels it removes, with commas between; all when left out
    sources      ids or names of what it was built from and covers, with commas between; all when left out
    evidence     where the check of it can be read
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from penstock.errors import WrongUse
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import LABELS, Asset, Evidence, Observation, said_labels

PROP = "declassified"
DAY = 86_400.0
#: Longest time without a second look, in days: of a described method, and of a person's judgement alone (DESIGN §4).
MOST_DAYS, DOWNGRADE_DAYS = 365, 90
_NEEDED = ("method", "approved_by", "date")
#: Scopes whose content is written by whoever builds the data: a repository, lineage that was handed over.
_OWN_WORD = ("repo:", "lineage:", "mlflow:")


@dataclass(frozen=True, slots=True)
class Declassification:
    """A claim that labels were removed on the way into an asset. ``objection`` says why it does not count; "" if so.

    ``categories`` and ``sources`` are what it covers, None for all.
    """

    asset: str
    record: Mapping[str, Any]
    categories: frozenset[str] | None
    sources: frozenset[str] | None
    objection: str = ""

    @property
    def in_force(self) -> bool:
        return not self.objection

    def removes(self, label: str) -> bool:
        return self.in_force and (self.categories is None or label in self.categories)

    def covers(self, source: Asset) -> bool:
        return self.sources is None or not self.sources.isdisjoint((source.id, source.name))

    @property
    def told(self) -> str:
        """What is in force, or why nothing is, for a reader."""
        if self.objection:
            return self.objection
        what = f"{self.record['method']}, accepted by {self.record['approved_by']} on {self.record['date']}"
        if self.categories is not None:
            what += f", for {said_labels(self.categories)}"
        return what + (f", until {self.record['until']}" if self.record.get("until") else "")


def declassification(graph: Graph, asset: str) -> Declassification | None:
    """What is claimed for an asset; None when nothing is."""
    record = graph.assets[asset].props.get(PROP)
    if not record:
        return None
    return Declassification(
        asset, record, _words(record.get("categories")), _words(record.get("sources")), _objection(graph, asset, record)
    )


def proposals(graph: Graph) -> Iterator[Declassification]:
    """The claims that wait for an approver, or whose acceptance has ended."""
    for id in graph.assets:
        claim = declassification(graph, id)
        if claim is not None and not claim.in_force:
            yield claim


def confirmation(
    graph: Graph,
    asset: str,
    arriving: Mapping[str, frozenset[str]],
    *,
    who: str,
    why: str,
    until: float | None = None,
    now: float,
) -> Observation:
    """An approver's word that what is claimed for an asset holds, for whoever stores people's words.

    It covers what arrives now: a new source or a new category opens the question again.

    Args:
        arriving: id of each direct source → the labels that come from it (``Labelling.arriving``).
        until: end in seconds since the epoch; as long as is allowed when not given.
    Raises:
        WrongUse: nothing is claimed, nothing arrives, nobody confirms it or without a reason, or for too long.
    """
    claim = declassification(graph, asset)
    if claim is None or not claim.record.get("method"):
        raise WrongUse("Nobody says how labels are removed here", asset, "Describe it in ai-system.yaml")
    if not who.strip() or not why.strip():
        raise WrongUse("Accepting a removal needs a name and a reason", asset)
    if who.strip().casefold() in {said.casefold() for said in _claimed_by(graph, asset)}:
        raise WrongUse("Who proposes a removal cannot accept it", asset, "Ask somebody else who answers for this data")
    days = _most_days(claim.record)
    end = now + days * DAY if until is None else until
    if not now < end <= now + days * DAY:
        raise WrongUse(f"It can be accepted for 1 to {days} days", asset, "Give an earlier date, and look again then")
    covered = {
        source: labels & set(LABELS) if claim.categories is None else labels & claim.categories
        for source, labels in arriving.items()
        if claim.covers(graph.assets[source])
    }
    categories = sorted(frozenset[str]().union(*covered.values()))
    if not categories:
        raise WrongUse("There is nothing to remove: no label arrives here", asset)
    record = {
        **claim.record,
        "approved_by": who.strip(),
        "date": _day(now),
        "until": _day(end),
        "categories": ", ".join(categories),
        "sources": ", ".join(sorted(source for source, labels in covered.items() if labels)),
    }
    known = graph.assets[asset]
    word = Asset(asset, known.kind, known.name, known.scope, {PROP: record}, status=known.status)
    told = Evidence(
        f"person:{who.strip()}", f"accepted by {who.strip()}", "declared", (why.strip(),), "words", now, end
    )
    return Observation(word, told)


def _objection(graph: Graph, asset: str, record: Mapping[str, Any]) -> str:
    """Why a claim does not count; empty when it does."""
    said = [evidence for value, evidence in graph.claims.get((asset, PROP), ()) if value == record]
    if said and all(e.scope.startswith(_OWN_WORD) and not e.collector.startswith("person:") for e in said):
        return "its declassification is proposed by the source itself, and no approver outside it has confirmed it"
    if missing := [part for part in _NEEDED if not record.get(part)]:
        return f"its declassification names no {' and no '.join(part.replace('_', ' ') for part in missing)}"
    ends = [end for end in (_end_of(record.get("until")), _last_of_downgrade(record)) if end is not None]
    if ends and graph.at and min(ends) <= graph.at:
        return f"its declassification ended on {_day(min(ends) - 1)}"
    return ""


def _end_of(until: Any) -> float | None:
    """When it ends; a day named without an hour is the last one."""
    given = _seconds(until)
    return given + DAY if given is not None and isinstance(until, str) and len(until) == _DAY_LONG else given


#: Characters of ``YYYY-MM-DD``.
_DAY_LONG = 10


def _last_of_downgrade(record: Mapping[str, Any]) -> float | None:
    if _most_days(record) != DOWNGRADE_DAYS or (given := _seconds(record.get("date"))) is None:
        return None
    return given + DOWNGRADE_DAYS * DAY


def _most_days(record: Mapping[str, Any]) -> int:
    return DOWNGRADE_DAYS if str(record.get("method")).strip().casefold() == "downgrade" else MOST_DAYS


def _claimed_by(graph: Graph, asset: str) -> set[str]:
    """Names of the people who claim the removal themselves; who only accepted one does not."""
    said = [(value, evidence.collector) for value, evidence in graph.claims.get((asset, PROP), ())]
    return {
        collector.removeprefix("person:")
        for value, collector in said
        if collector.startswith("person:") and not (isinstance(value, Mapping) and value.get("approved_by"))
    }


def _words(said: object) -> frozenset[str] | None:
    return frozenset(word.strip() for word in str(said).split(",") if word.strip()) if said else None


def _seconds(date: Any) -> float | None:
    if isinstance(date, int | float):
        return float(date)
    try:
        parsed = datetime.fromisoformat(str(date))
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
