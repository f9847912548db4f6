"""Small worlds in the language of chains: the examples of rules, and how a rule fares in one.

``application[exposure: internet] -reads-> dataset[contains: [pii]]`` is two assets and a relation. A world is one such
chain, a list of them (equal names are one asset), or ``{world: …, org: {…}, partly: [verb], asks: true}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.assess.chains import Spot, parse_chain
from penstock.assess.rules import Rule
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.graph import Graph
from penstock.graph.merge import merge
from penstock.graph.vocabulary import VERBS, Asset, Complete, Evidence, Observation
from penstock.settings import Organisation, parse_settings

_SCOPE = "repo:example"


@dataclass(frozen=True, slots=True)
class World:
    graph: Graph
    organisation: Organisation
    asks: bool = False


def world(example: Any) -> World:
    """The graph that an example draws; all of it was seen, but the verbs that it names under ``partly``.

    Raises:
        NotUnderstood: a chain is not in the grammar, or takes more than one relation a step.
    """
    said: Mapping[str, Any] = example if isinstance(example, Mapping) else {"world": example}
    texts = said.get("world") or []
    assets: dict[str, Asset] = {}
    observations: list[Observation] = []
    evidence = Evidence("example", "example", "declared", scope=_SCOPE)
    for text in [texts] if isinstance(texts, str) else texts:
        known = {name: frozenset({asset.kind}) for name, asset in assets.items()}
        chain = parse_chain(text, known)
        for spot in chain.spots:
            if spot.variable not in assets or spot.props:
                assets[spot.variable] = _asset(spot, text)
                observations.append(Observation(assets[spot.variable], evidence))
        for (one, two), segment in zip(zip(chain.spots, chain.spots[1:], strict=False), chain.segments, strict=True):
            if len(segment.verbs) != 1 or (segment.least, segment.most) != (1, 1):
                raise NotUnderstood("A step of a world is one relation", text, "-verb->")
            ends = (one, two) if segment.forward else (two, one)
            source, target = (assets[end.variable] for end in ends)
            verb = next(iter(segment.verbs))
            observations.append(Observation(identity.relation(source, verb, target), evidence))
    partly = set(said.get("partly") or ())
    complete = [Complete(_SCOPE, verb, "example") for verb in VERBS if verb not in partly]
    return World(
        merge(observations, complete=complete),
        parse_settings({"organisation": dict(said.get("org") or {})}, "example").organisation,
        bool(said.get("asks")),
    )


def _asset(spot: Spot, text: str) -> Asset:
    if len(spot.kinds) != 1:
        raise NotUnderstood(f"{spot.variable!r} is of several kinds", text, "Write name:kind")
    props = dict(spot.props)
    labels = props.pop("contains", ())
    name = str(props.pop("name", spot.variable))
    return identity.asset(
        next(iter(spot.kinds)), name, scope=_SCOPE, key=f"{spot.variable}", props=props, labels=labels
    )


def fires(rule: Rule, example: Any) -> bool:
    """Whether the rule raises in the world; one that must ask and does not counts as the wrong way round."""
    from penstock.assess.engine import assess_rules
    from penstock.graph.labels import propagate

    drawn = world(example)
    assessed = assess_rules([rule], drawn.graph, propagate(drawn.graph), drawn.organisation)
    asked = any(question.rule == rule.id for question in assessed.questions)
    if rule.asks:
        return asked
    found = bool(assessed.findings)
    return not found if drawn.asks and not asked else found
