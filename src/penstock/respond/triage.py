"""What to know of a case in the first minute: what, since when, how sure, how far it reaches, and the first step.

Plain sentences from the graph, the same for the same facts; each names the ids it rests on, so that it can be checked.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling
from penstock.graph.vocabulary import CONFIDENCE_ORDER, SENSITIVE, Case, Event, Finding, said_labels
from penstock.respond.people import People

#: Names listed in a sentence before the rest is counted.
NAMED = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One answer and the ids of the findings, assets or events it rests on."""

    question: str
    answer: str
    rests_on: tuple[str, ...] = ()


def summary(
    case: Case,
    findings: Mapping[str, Finding],
    events: Sequence[Event],
    labelling: Labelling,
    people: People,
    *,
    now: float,
) -> tuple[Line, ...]:
    """The case in five lines.

    Args:
        findings: the current ones, by id; those of the case that are gone are left out.
        events: those of the case that are at hand, in any order.
    """
    found = sorted((findings[id] for id in case.findings if id in findings), key=lambda f: (-f.score, f.id))
    return (
        _what(case, found, events),
        _since(case, events, now),
        _how_sure(found, events, people.graph),
        _reach(case, found, labelling, people),
        _first_step(case, found, events, people),
    )


def _what(case: Case, found: Sequence[Finding], events: Sequence[Event]) -> Line:
    if found:
        rest = f" and {len(found) - 1} more with the same cause" if len(found) > 1 else ""
        return Line("What is it?", found[0].explanation + rest, tuple(f.id for f in found))
    verdicts = Counter(event.verdict for event in events)
    done = ", ".join(f"{number} × {verdict}" for verdict, number in verdicts.most_common())
    return Line("What is it?", f"{case.title}{f' ({done})' if done else ''}", tuple(e.id for e in events[:NAMED]))


def _since(case: Case, events: Sequence[Event], now: float) -> Line:
    said = f"Since {_day(case.opened_at)} ({_long(now - case.opened_at)})"
    if not case.event_count:
        return Line("Since when?", f"{said}; not seen in traffic")
    last = max(events, key=lambda event: event.at, default=None)
    seen = f"; seen in traffic {case.event_count} times"
    if last is not None:
        seen += f", last {_long(now - last.at)} ago"
    return Line("Since when?", said + seen, (last.id,) if last else ())


def _how_sure(found: Sequence[Finding], events: Sequence[Event], graph: Graph) -> Line:
    if events:
        return Line("How sure?", "It happened: the gateway saw it", tuple(e.id for e in events[:NAMED]))
    if not found:
        return Line("How sure?", "Unknown: what it rests on is not there any more")
    worst = found[0]
    weakest, at = CONFIDENCE_ORDER[0], ""
    for asset in dict.fromkeys((worst.subject, *(step.asset for step in worst.path))):
        pieces = graph.evidence.get(asset, ())
        best = min((e.confidence for e in pieces), key=CONFIDENCE_ORDER.index, default="guessed")
        if CONFIDENCE_ORDER.index(best) > CONFIDENCE_ORDER.index(weakest):
            weakest, at = best, asset
    low, high = worst.score_range
    spread = f"; its score lies between {low:.0f} and {high:.0f}, for some of it is unknown" if high - low > 1 else ""
    name = graph.assets[at].name if at in graph.assets else at
    weak = f": its weakest point is {name}" if at and weakest != "resolved" else ""
    return Line("How sure?", f"{_SURE[weakest]}{weak}{spread}", (worst.id, *((at,) if at else ())))


_SURE = {
    "declared": "Its owners declare all of it",
    "resolved": "Every step was read where it stands",
    "inferred": "Part of it was concluded, not read",
    "guessed": "Part of it is a guess",
}


def _reach(case: Case, found: Sequence[Finding], labelling: Labelling, people: People) -> Line:
    assets = {case_asset for f in found for case_asset in (f.subject, *(step.asset for step in f.path))}
    labels = frozenset[str]().union(*(labelling.contains(a) | labelling.sees(a) for a in assets)) & SENSITIVE
    parts = [said_labels(labels)] if labels else []
    known = [people.graph.assets[id] for id in case.affected if id in people.graph.assets]
    for kind, words in (("process", "the process"), ("", "")):
        named = [a for a in known if (a.kind == kind if kind else a.kind != "process")]
        if named:
            names = ", ".join(a.name for a in named[:NAMED])
            more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
            parts.append(f"{words} {names}{more}".strip())
    return Line("How far does it reach?", "; ".join(parts) or "Nothing known depends on it", case.affected[:NAMED])


def _first_step(case: Case, found: Sequence[Finding], events: Sequence[Event], people: People) -> Line:
    if not case.owner:
        about = (found[0].subject,) if found else ()
        return Line("What first?", "Name an owner: nobody is known to answer for it", about)
    owner = people.name(case.owner)
    if found:
        where = f" (at {people.name(found[0].fix_at)})" if found[0].fix_at else ""
        return Line("What first?", f"{owner}: {found[0].fix}{where}", (found[0].id,))
    observed = [e for e in events if e.verdict == "observe"]
    if observed:
        return Line(
            "What first?",
            f"{owner}: let the gateway enforce, so far it only notes this (modes in penstock.yaml)",
            tuple(e.id for e in observed[:NAMED]),
        )
    return Line("What first?", f"{owner}: look at the last calls, then close it with what was done")


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def _long(seconds: float) -> str:
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {word}{'' if number == 1 else 's'}"
    return "moments"
