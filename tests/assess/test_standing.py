"""An assessment that keeps up with changes says what judging the whole graph would say."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from penstock.assess.assessment import Assessment
from penstock.assess.engine import assess
from penstock.assess.standing import Standing
from penstock.graph.diff import diff
from penstock.graph.graph import Graph
from penstock.graph.labels import propagate
from penstock.graph.vocabulary import VERBS, Relation
from tests.assess.test_assessing import leak, random_world
from tests.world import World


def said(assessed: Assessment) -> tuple:
    return assessed.findings, assessed.questions, assessed.paths


def kept_up(standing: Standing, before: Graph, after: Graph) -> Assessment:
    standing.change(after, propagate(after), diff(before, after))
    return standing.assessment(now=0.0)


def whole(world: World, graph: Graph) -> Assessment:
    return assess(graph, propagate(graph), world.organisation, now=0.0)


def test_a_new_door_is_seen_and_a_closed_one_forgotten() -> None:
    closed, opened = leak(World(), exposure="corporate"), leak(World())
    before, after = closed.graph(), opened.graph()
    standing = Standing(before, propagate(before), closed.organisation)
    assert said(kept_up(standing, before, after)) == said(whole(opened, after))
    assert any(finding.rule == "PS101" for finding in standing.assessment(now=0.0).findings)
    assert said(kept_up(standing, after, before)) == said(whole(closed, before))


def test_only_what_a_change_reaches_is_judged_again() -> None:
    world = leak(World())
    for number in range(30):
        world.agent(f"other {number}", exposure="internet", auth="none").reads(f"table {number}", contains="pii")
    before = world.graph()
    standing = Standing(before, propagate(before), world.organisation)
    world.thing("agent", "other 7", auth="oidc")
    after = world.graph()
    assert said(kept_up(standing, before, after)) == said(whole(world, after))
    subjects = {asset.id for asset in after.assets.values() if asset.name in ("other 7", "table 7")}
    assert standing.judged_again <= len(standing.rules) * len(subjects)


@pytest.mark.parametrize("seed", range(25))
def test_after_any_change_the_same_is_said_as_of_the_whole_graph(seed: int) -> None:
    chance = random.Random(seed)
    world = random_world(seed)
    graph = world.graph()
    standing = Standing(graph, propagate(graph), world.organisation)
    for _ in range(6):
        after = changed(graph, chance)
        assert said(kept_up(standing, graph, after)) == said(whole(world, after)), diff(graph, after)
        graph = after


def changed(graph: Graph, chance: random.Random) -> Graph:
    """One thing is different: a property, a label, a relation more or less, an asset that came or went."""
    ids = sorted(graph.assets)
    one, two = chance.sample(ids, 2)
    match chance.choice(("prop", "label", "more", "less", "less", "gone", "new")):
        case "prop":
            name, value = chance.choice(
                [("exposure", "internet"), ("exposure", "private"), ("auth", "none"), ("public_read", True),
                 ("output_filter", False), ("approval", "none"), ("trust", "untrusted"), ("purpose", "CV screening")]
            )  # fmt: skip
            asset = graph.assets[one]
            props = {**asset.props, name: value} if asset.prop(name) != value else {}
            return replace(graph, assets={**graph.assets, one: replace(asset, props=props)})
        case "label":
            asset = graph.assets[one]
            return replace(graph, assets={**graph.assets, one: replace(asset, labels=asset.labels ^ {"pii"})})
        case "more":
            relation = Relation(one, chance.choice(sorted(VERBS)), two)
            kept = tuple(r for r in graph.relations if r.key != relation.key)
            return replace(graph, relations=(*kept, relation))
        case "less" if graph.relations:
            gone = chance.choice(graph.relations)
            return replace(graph, relations=tuple(r for r in graph.relations if r is not gone))
        case "gone" if len(ids) > 6:
            assets = {id: asset for id, asset in graph.assets.items() if id != one}
            return replace(
                graph, assets=assets, relations=tuple(r for r in graph.relations if one not in (r.source, r.target))
            )
        case _:
            new = replace(graph.assets[one], id=f"{chance.randrange(10**6)}", name="new")
            evidence = {**graph.evidence, new.id: graph.evidence[one]}
            return replace(graph, assets={**graph.assets, new.id: new}, evidence=evidence)
