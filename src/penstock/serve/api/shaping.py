"""From the values of the house to the shapes of the API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from penstock.graph.vocabulary import Evidence, Finding, Question, Step
from penstock.respond.cases import answers_for
from penstock.respond.people import Ownership
from penstock.respond.words import BY_HAND
from penstock.serve.api.shapes import EvidenceShape, Hop, Owner, QuestionGroup, QuestionShape, Ref, Risk
from penstock.serve.world import World, by_weight

#: Relations that a person states by naming the other end: verb → what the correction is about.
ANSWERED_BY = {"owned_by": "owner", "supports": "process"}
#: Pieces of evidence shown for one thing; the strongest come first.
MOST_EVIDENCE = 20


def ref(world: World, asset: str) -> Ref:
    """A link to the asset; one that is not known here keeps its id as its name."""
    found = world.graph.assets.get(asset)
    return Ref(asset, found.kind, found.name) if found else Ref(asset, "", world.name(asset))


def evidence(pieces: Iterable[Evidence]) -> tuple[EvidenceShape, ...]:
    return tuple(
        EvidenceShape(e.collector, e.where, e.scope, e.confidence, tuple(e.chain), e.seen_at, e.until)
        for e in list(pieces)[:MOST_EVIDENCE]
    )


def hops(world: World, steps: Sequence[Step], *, cut: str = "") -> tuple[Hop, ...]:
    """The path with what each step rests on; the first hop carries the evidence of its asset.

    cut: id of the asset to change first.
    """
    shaped: list[Hop] = []
    for place, step in enumerate(steps):
        asset = world.graph.assets.get(step.asset)
        before = steps[place - 1].asset if place else ""
        why = world.hop_evidence(before, step.verb, step.asset) if place else world.graph.evidence.get(step.asset, ())
        shaped.append(
            Hop(
                ref(world, step.asset),
                step.verb,
                step.forward,
                str((asset.prop("exposure") if asset else "") or ""),
                by_weight(world.labelling.contains(step.asset)) if asset else (),
                by_weight(asset.labels) if asset else (),
                evidence(why),
                step.asset == cut,
            )
        )
    return tuple(shaped)


def owner(world: World, asset: str) -> Owner:
    return _owner(world.owner_of(asset))


def _owner(found: Ownership) -> Owner:
    return Owner(found.asset, found.name, found.why, tuple(map(str, found.conflicts)))


def risk(world: World, finding: Finding) -> Risk:
    case = world.case_of.get(finding.id)
    state = "accepted" if finding.id in world.accepted else case.state if case else "open"
    path = world.path_of.get(finding.id)
    low, high = finding.score_range
    return Risk(
        finding.id,
        finding.rule,
        finding.title,
        finding.severity,
        finding.score,
        low,
        high,
        ref(world, finding.subject),
        finding.explanation,
        finding.fix,
        ref(world, finding.fix_at) if finding.fix_at else None,
        hops(world, path.hops if path else finding.path, cut=path.cut[0] if path and path.cut else finding.fix_at),
        _owner(answers_for(finding, world.people)),
        state,
        case.id if case else "",
        world.first_seen.get(finding.id),
    )


def question(world: World, asked: Question) -> QuestionShape:
    answers = asked.prop if asked.prop in BY_HAND else ANSWERED_BY.get(asked.verb, "") if not asked.prop else ""
    return QuestionShape(ref(world, asked.asset), asked.about, asked.rule, answers)


def question_groups(world: World, limit: int, offset: int = 0) -> tuple[QuestionGroup, ...]:
    """Open questions by asset; the asset with the most pressing question comes first."""
    page = islice(world.asked.items(), offset, offset + limit)
    return tuple(
        QuestionGroup(ref(world, asset), tuple(question(world, one) for one in asked)) for asset, asked in page
    )
