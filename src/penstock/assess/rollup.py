"""The six questions for a project, a team and the whole ecosystem: what its systems' answers come to together.

The worst known answer counts, and how many systems have none stays visible: a team of ten systems of which nobody knows
the purpose is no team without risk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from penstock.assess.assessment import Answer, Answers
from penstock.assess.systems import systems
from penstock.errors import WrongUse
from penstock.graph.graph import Graph
from penstock.graph.owners import owners_of
from penstock.graph.vocabulary import CONFIDENCE_ORDER, LABELS, WORST_FIRST

#: The name of everything together.
ALL = "all"
#: What systems are gathered by: whoever owns them, and what they were seen in.
GROUPS = ("team", "person", "repository")
#: Systems named in a reason, pieces of evidence kept, and purposes told.
_NAMED, _MOST, _PURPOSES = 3, 8, 50


@dataclass(frozen=True, slots=True)
class RollUp:
    """The six answers of a group of systems. ``unknown``: question → how many of the systems have no answer."""

    of: str
    systems: tuple[str, ...]
    answers: Answers
    unknown: Mapping[str, int]


def members(graph: Graph, of: str) -> tuple[str, ...]:
    """Ids of the systems of a team or person (what it owns), of a repository (what was seen in it), or of ``all``.

    Raises:
        WrongUse: it is neither.
    """
    found = systems(graph)
    if of != ALL:
        asset = graph.assets.get(of)
        if asset is None or asset.kind not in GROUPS:
            what = asset.name if asset else of
            raise WrongUse(f"{what!r} is no team, person or repository", hint="Name one of these, or all")
        if asset.kind == "repository":
            scopes = {f"repo:{asset.name}"} | {
                e.scope for e in graph.evidence.get(of, ()) if e.scope.startswith("repo:")
            }
            found = [id for id in found if scopes & (graph.scopes_of(id) | {graph.assets[id].scope})]
        else:
            found = [id for id in found if any(owner.target == of for owner in owners_of(graph, id))]
    return tuple(found)


def rolled_up(graph: Graph, answers: Mapping[str, Answers], of: str = ALL) -> RollUp:
    """The six questions for a team, a person, a repository or ``all``.

    Args:
        answers: the answers of each system, as the assessment has them.
    Raises:
        WrongUse: there is no such group.
    """
    there = members(graph, of)
    told = [(graph.assets[id].name, answers[id]) for id in there if id in answers]
    impact = [(name, one.impact) for name, one in told]
    threats = [(name, one.threats) for name, one in told]
    data = [(name, one.sensitive_data) for name, one in told]
    audience = [(name, one.audience) for name, one in told]
    used_for = [(name, one.used_for) for name, one in told]
    processes = [(name, one.processes) for name, one in told]
    columns = {
        "impact": impact, "threats": threats, "sensitive_data": data,
        "audience": audience, "used_for": used_for, "processes": processes,
    }  # fmt: skip
    return RollUp(
        of,
        there,
        Answers(
            impact=_impact(impact),
            threats=_united(threats),
            sensitive_data=_data(data),
            audience=_audience(audience),
            used_for=_purposes(used_for),
            processes=_united(processes),
        ),
        {question: sum(one.value is None for _, one in column) for question, column in columns.items()},
    )


Column = Sequence[tuple[str, Answer]]


def _impact(column: Column) -> Answer:
    known = [(name, one) for name, one in column if one.value is not None]
    if not known:
        return Answer(None, because=_silence(column))
    worst = max(one.value for _, one in known)
    return _answer(worst, [(name, one) for name, one in known if one.value == worst], column)


def _united(column: Column) -> Answer:
    """Everything that any of them names, what most name first."""
    counted = Counter(value for _, one in column for value in one.value or ())
    if all(one.value is None for _, one in column):
        return Answer(None, because=_silence(column))
    ordered = sorted(counted, key=lambda value: (-counted[value], value))
    return _answer(ordered, [(name, one) for name, one in column if one.value], column)


def _data(column: Column) -> Answer:
    labels = {label for _, one in column for label in one.value or ()}
    ordered = sorted(labels, key=lambda label: (-LABELS.get(label, 0), label))
    return _answer(ordered, [(name, one) for name, one in column if one.value], column)


def _audience(column: Column) -> Answer:
    """Whom any of them is meant for, the widest first."""
    order = WORST_FIRST["audience"]
    known = [(name, one) for name, one in column if one.value is not None]
    if not known:
        return Answer(None, because=_silence(column))
    widest = sorted({one.value for _, one in known}, key=order.index)
    return _answer(widest, [(name, one) for name, one in known if one.value == widest[0]], column)


def _purposes(column: Column) -> Answer:
    known = [(name, one) for name, one in column if one.value is not None]
    if not known:
        return Answer(None, because=_silence(column))
    return _answer([f"{name}: {one.value}" for name, one in known[:_PURPOSES]], known, column)


def _answer(value: object, shown: Column, column: Column) -> Answer:
    """The value, of which systems it is so, as sure as the least sure of them."""
    silent = sum(one.value is None for _, one in column)
    said = _names(name for name, _ in shown) or "none was seen"
    evidence = tuple(dict.fromkeys(piece for _, one in shown for piece in one.evidence))[:_MOST]
    sure = max((one.confidence for _, one in shown), key=CONFIDENCE_ORDER.index, default="inferred")
    return Answer(value, sure, f"{said}; unknown of {silent} of {len(column)}" if silent else said, evidence)


def _silence(column: Column) -> str:
    return f"nobody said, of {len(column)} systems" if column else "there is no system"


def _names(names: Iterable[str]) -> str:
    told = list(dict.fromkeys(names))
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return f"{', '.join(told[:_NAMED])}{more}"
