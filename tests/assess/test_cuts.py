"""What every way passes is what closes it: the tree of dominators, best cuts, and the walk without them."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from penstock.assess.cuts import Cuts
from penstock.assess.dominators import Dominators
from penstock.assess.facts import Facts
from penstock.graph.labels import propagate
from tests.world import World


def cuts(world: World) -> Cuts:
    graph = world.graph()
    return Cuts(Facts(graph, propagate(graph), world.organisation))


def chain(world: World, *, exposure: str = "internet") -> World:
    world.application("shop", exposure=exposure, auth="none").invokes("helper", kind="agent")
    world.agent("helper").uses_tool("lookup").uses_tool("refund", effects=["money"], approval="none")
    world.tool("lookup").runs_as("role")
    world.identity("role").can_read("customers", kind="dataset")
    world.identity("role").can_read("orders", kind="dataset")
    world.dataset("customers", contains="pii")
    world.dataset("orders", contains="pci")
    return world


@pytest.mark.parametrize("seed", range(60))
def test_dominators_are_what_cannot_be_walked_around(seed: int) -> None:
    chance = random.Random(seed)
    count = chance.randrange(4, 14)
    edges = [(chance.randrange(1, count), chance.randrange(1, count)) for _ in range(chance.randrange(3, 30))]
    starts = sorted({chance.randrange(1, count) for _ in range(2)})
    tail, head = (np.array(ends, np.int32) for ends in zip(*edges, strict=True))
    tree = Dominators.of(tail, head, np.array(starts, np.int32), count)
    reached = walked(edges, starts)
    for node in range(1, count):
        assert (tree.level[node] >= 0) == (node in reached)
        if node in reached:
            assert set(tree.chain(node)) == {w for w in reached - {node} if node not in walked(edges, starts, w)}


def walked(edges: Sequence[tuple[int, int]], starts: Sequence[int], without: int = -1) -> set[int]:
    seen: set[int] = set()
    left = [start for start in starts if start != without]
    while left:
        node = left.pop()
        if node not in seen:
            seen.add(node)
            left += [head for tail, head in edges if tail == node and head != without]
    return seen


def test_the_change_that_closes_most_comes_first(world: World) -> None:
    found = cuts(chain(world))
    best = found.best()[0]
    assert best.relation is None
    assert world.name(best.at) == "shop"
    assert {(entry, world.name(jewel)) for entry, jewel in best.closes} == {
        ("internet", "customers"), ("internet", "orders"), ("internet", "refund"),
    }  # fmt: skip


def test_what_is_meant_for_everybody_is_not_closed_but_cut_behind(world: World) -> None:
    chain(world).application("shop", audience="public")
    source, verb, target = cuts(world).best()[0].relation or ("", "", "")
    assert (world.name(source), verb, world.name(target)) == ("helper", "uses_tool", "lookup")


def test_each_cut_closes_exactly_what_it_says(world: World) -> None:
    found = cuts(chain(world))
    for cut in [*found.best(), *(found.of(jewel) for _, jewel in found.pairs)]:
        assert cut is not None
        assert not set(cut.closes) & found.without(cut)


def test_a_second_way_leaves_only_what_both_pass(world: World) -> None:
    chain(world).agent("helper").reads("customers", kind="dataset")
    found = cuts(world)
    cut = found.of(world.assets["customers"].id)
    assert cut is not None
    assert world.name(cut.at) == "shop"


@pytest.mark.parametrize(
    "sound",
    [
        lambda w: w.application("shop", exposure="private"),
        lambda w: w.application("shop", auth="oidc", audience="employees"),
        lambda w: w.tool("lookup", approval="required") and w.tool("refund", approval="required"),
    ],
)
def test_a_control_on_the_way_closes_it(world: World, sound) -> None:
    chain(world)
    sound(world)
    assert cuts(world).pairs == ()


def test_content_of_strangers_steers_what_reads_it_unless_it_is_checked(world: World) -> None:
    world.content_source("tickets", trust="untrusted")
    world.agent("clerk").reads("tickets", kind="content_source").uses_tool("pay", effects=["money"], approval="none")
    assert [(entry, world.name(jewel)) for entry, jewel in cuts(world).pairs if entry != "supply_chain"] == [
        ("untrusted_content", "pay")
    ]
    world.agent("clerk", input_filter=True)
    assert "untrusted_content" not in {entry for entry, _ in cuts(world).pairs}


def test_all_shortest_ways_are_told_and_a_bound_is_said(world: World) -> None:
    for number in range(6):
        world.application("shop", exposure="internet", auth="none").invokes(f"agent {number}", kind="agent")
        world.agent(f"agent {number}").reads("customers", kind="dataset")
    world.dataset("customers", contains="pii")
    found, jewel = cuts(world), world.assets["customers"].id
    ways, unseen = found.ways("internet", jewel)
    assert len(ways) == 6
    assert unseen is None
    ways, unseen = found.ways("internet", jewel, limit=4)
    assert len(ways) == 4
    assert unseen is not None
    assert "only 4" in unseen.why


def test_what_lies_too_far_is_said_to_be_left_out(world: World) -> None:
    world.application("door", exposure="internet", auth="none").invokes("agent 0", kind="agent")
    for number in range(14):
        world.agent(f"agent {number}").delegates_to(f"agent {number + 1}")
    world.agent("agent 14").reads("customers", kind="dataset")
    world.dataset("customers", contains="pii")
    found = cuts(world)
    assert found.pairs == ()
    assert [unseen.where for unseen in found.unseen] == ["internet"]


def test_findings_stand_under_the_one_change_that_closes_them(world: World) -> None:
    assessed = chain(world).assessed()
    listed = [finding for fix in assessed.fixes for finding in fix.findings]
    assert sorted(listed) == sorted(finding.id for finding in assessed.findings)
    first = assessed.fixes[0]
    assert len(first.closes) == 3
    assert first.change.startswith("set ")
