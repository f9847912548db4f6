"""One asset: the six questions with evidence, its data with proof, its relations, risks, history and traffic."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.assess.assessment import Answer
from penstock.graph.vocabulary import MARKS, Relation
from penstock.serve.api.assets import AssetRow, asset_row
from penstock.serve.api.endpoint import Call, NoSuchThing, endpoint
from penstock.serve.api.events import EventRow, event_row
from penstock.serve.api.shapes import EvidenceShape, Hop, QuestionShape, Ref, Risk
from penstock.serve.api.shaping import evidence, hops, question, ref, risk
from penstock.serve.world import World, by_weight

#: Relations shown of one verb and direction: hubs have thousands.
MOST_RELATIONS = 50
MOST_EVENTS = 20
MOST_VERSIONS = 30

#: Question → what it asks, in the order people ask.
QUESTIONS = {
    "impact": "What is the impact if it goes wrong?",
    "threats": "What threatens it?",
    "sensitive_data": "Which sensitive data does it touch?",
    "audience": "Internal or customer-facing?",
    "used_for": "What is it used for?",
    "processes": "Which business processes rely on it?",
}


class AnswerShape(msgspec.Struct, frozen=True):
    """``value`` None: nobody knows yet. ``because`` is the reason in words."""

    key: str
    question: str
    value: Any
    confidence: str
    because: str
    evidence: tuple[EvidenceShape, ...]


class LabelShape(msgspec.Struct, frozen=True):
    """``how`` is contains or sees; ``proof`` leads from where the data was seen to this asset."""

    label: str
    how: str
    mark: bool
    leakage: str
    proof: tuple[Hop, ...]


class Neighbour(msgspec.Struct, frozen=True):
    """``outward``: read *this asset verb other*; else *other verb this asset*."""

    verb: str
    outward: bool
    asset: Ref
    evidence: tuple[EvidenceShape, ...]


class Claim(msgspec.Struct, frozen=True):
    value: Any
    evidence: EvidenceShape


class Property(msgspec.Struct, frozen=True):
    """The value that counts, and every claim for it, the winner first."""

    name: str
    value: Any
    claims: tuple[Claim, ...]
    conflict: bool


class PastVersion(msgspec.Struct, frozen=True):
    """What differed from the version before; the first one has no fields."""

    valid_from: float
    valid_to: float | None
    fields: tuple[str, ...]


class People(msgspec.Struct, frozen=True):
    """Who must agree, who must know, and who is affected."""

    approver: str
    informed: tuple[str, ...]
    affected: tuple[str, ...]


class AssetPage(msgspec.Struct, frozen=True):
    """``answers`` is empty for assets that are no system by themselves: ``systems`` are those that use them."""

    asset: AssetRow
    people: People
    answers: tuple[AnswerShape, ...]
    systems: tuple[Ref, ...]
    labels: tuple[LabelShape, ...]
    notes: tuple[str, ...]
    risks: tuple[Risk, ...]
    neighbours: tuple[Neighbour, ...]
    neighbours_left_out: int
    properties: tuple[Property, ...]
    questions: tuple[QuestionShape, ...]
    evidence: tuple[EvidenceShape, ...]
    history: tuple[PastVersion, ...]
    traffic: tuple[EventRow, ...]
    first_seen: float


@endpoint("GET", "/assets/{id}")
def asset(call: Call) -> AssetPage:
    """One asset: six questions with evidence, labels with proof, neighbours, risks, history and traffic."""
    world = call.live.world
    found = world.graph.assets.get(call.path["id"])
    if found is None:
        raise NoSuchThing("There is no such asset", call.path["id"], "Search the inventory by name")
    answers = world.assessment.answers.get(found.id)
    neighbours, left_out = _neighbours(world, found.id)
    return AssetPage(
        asset_row(world, found),
        _people(world, found.id),
        tuple(_answer(world, key, getattr(answers, key)) for key in QUESTIONS) if answers else (),
        () if answers else _systems(world, found.id),
        _labels(world, found.id),
        tuple(note.text for note in world.labelling.notes(found.id)),
        tuple(risk(world, f) for f in world.findings_on.get(found.id, ())),
        neighbours,
        left_out,
        tuple(_property(world, found.id, name, value) for name, value in sorted(found.props.items())),
        tuple(question(world, q) for q in world.asked.get(found.id, ())),
        evidence(world.graph.evidence.get(found.id, ())),
        _history(call, found.id),
        tuple(event_row(world, e) for e in call.live.store.events(application=found.id, limit=MOST_EVENTS)),
        found.first_seen,
    )


def _answer(world: World, key: str, answer: Answer) -> AnswerShape:
    value = sorted(answer.value) if isinstance(answer.value, set | frozenset) else answer.value
    if isinstance(value, list | tuple):
        value = [_named(world, one) for one in value]
    return AnswerShape(
        key, QUESTIONS[key], _named(world, value), answer.confidence, answer.because, evidence(answer.evidence)
    )


def _named(world: World, value: Any) -> Any:
    """The name, where an answer is an asset."""
    return world.name(value) if isinstance(value, str) and value in world.graph.assets else value


def _systems(world: World, asset: str) -> tuple[Ref, ...]:
    """Systems with answers that touch the asset within three hops, nearest first."""
    seen, front, found = {asset}, [asset], []
    for _ in range(3):
        beyond: list[str] = []
        for here in front:
            ends = [r.source for r in world.graph.into(here)] + [r.target for r in world.graph.out(here)]
            for other in ends:
                if other not in seen and len(seen) < 2000:
                    seen.add(other)
                    beyond.append(other)
                    if other in world.assessment.answers:
                        found.append(ref(world, other))
        front = beyond
    return tuple(found[:8])


def _labels(world: World, asset: str) -> tuple[LabelShape, ...]:
    labelling = world.labelling
    contains, sees = labelling.contains(asset), labelling.sees(asset)
    return tuple(
        LabelShape(
            label,
            "contains" if label in contains else "sees",
            label in MARKS,
            str(labelling.leakage(asset, label) or ""),
            hops(world, labelling.proof(asset, label)),
        )
        for label in (*by_weight(contains), *by_weight(sees - contains))
    )


def _neighbours(world: World, asset: str) -> tuple[tuple[Neighbour, ...], int]:
    counts: dict[tuple[str, bool], int] = {}
    shown: list[Neighbour] = []
    left_out = 0
    both: list[tuple[Relation, bool]] = [(r, True) for r in world.graph.out(asset)]
    both += [(r, False) for r in world.graph.into(asset)]
    for relation, outward in sorted(both, key=lambda pair: (not pair[1], pair[0].verb)):
        group = relation.verb, outward
        counts[group] = counts.get(group, 0) + 1
        if counts[group] > MOST_RELATIONS:
            left_out += 1
            continue
        other = relation.target if outward else relation.source
        why = world.graph.evidence.get(relation.key, ())
        shown.append(Neighbour(relation.verb, outward, ref(world, other), evidence(why)))
    return tuple(shown), left_out


def _property(world: World, asset: str, name: str, value: Any) -> Property:
    claims = world.graph.claims.get((asset, name), ())
    return Property(
        name,
        _plain(value),
        tuple(Claim(_plain(v), evidence((e,))[0]) for v, e in claims[:10]),
        bool(world.graph.conflicts(asset, name)),
    )


def _plain(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else value


def _people(world: World, asset: str) -> People:
    labels = world.labelling.touches(asset)
    people = world.people
    return People(
        world.name(people.approver(asset) or ""),
        tuple(world.name(who) for who in people.informed(asset, labels)),
        tuple(world.name(who) for who in people.affected(asset)),
    )


def _history(call: Call, asset: str) -> tuple[PastVersion, ...]:
    versions = sorted(call.live.store.asset_history(asset), key=lambda v: v.valid_from)
    past: list[PastVersion] = []
    for place, version in enumerate(versions):
        fields: tuple[str, ...] = ()
        if place:
            before, after = versions[place - 1].asset, version.asset
            differ = [f for f in ("kind", "name", "status", "lifecycle") if getattr(before, f) != getattr(after, f)]
            differ += ["labels"] if before.labels != after.labels else []
            names = set(before.props) | set(after.props)
            differ += sorted(n for n in names if before.props.get(n) != after.props.get(n))
            fields = tuple(differ)
        past.append(PastVersion(version.valid_from, version.valid_to, fields))
    return tuple(reversed(past[-MOST_VERSIONS:]))
