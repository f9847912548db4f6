from __future__ import annotations

from hypothesis import given

from penstock.graph.merge import merge
from penstock.graph.views import View
from penstock.graph.vocabulary import Relation
from tests.graph.worlds import observations, of, world

DIAMOND = world(
    "agent:a uses_tool tool:l", "agent:a uses_tool tool:r", "tool:l reads dataset:d", "tool:r reads dataset:d",
    "tool:r writes dataset:d", "dataset:d derived_from dataset:e",
)  # fmt: skip


def test_reach_follows_direction_verbs_and_depth():
    view = View.of(DIAMOND)
    everything = frozenset(DIAMOND.assets)
    assert view.reach([of("agent:a")]) == everything
    assert view.reach([of("agent:a")], depth=1) == {of("agent:a"), of("tool:l"), of("tool:r")}
    assert view.reach([of("dataset:d")], backward=True) == everything - {of("dataset:e")}
    assert view.reach([of("tool:l")], both=True) == everything
    assert View.of(DIAMOND, verbs=["reads"]).reach([of("tool:l")]) == {of("tool:l"), of("dataset:d")}
    assert view.reach([]) == frozenset()


def test_all_shortest_paths_are_found_in_order_and_bounded():
    view = View.of(DIAMOND)
    paths = view.shortest_paths(of("agent:a"), of("dataset:d"))
    assert sorted([step.verb for step in path[1:]] for path in paths) == [
        ["uses_tool", "reads"], ["uses_tool", "reads"], ["uses_tool", "writes"],
    ]  # fmt: skip
    assert paths == sorted(paths, key=lambda path: [(step.asset, step.verb) for step in path])
    assert view.shortest_paths(of("agent:a"), of("dataset:d"), limit=2) == paths[:2]
    assert view.shortest_paths(of("dataset:e"), of("agent:a")) == []
    back = view.shortest_paths(of("dataset:d"), of("agent:a"), backward=True)
    assert len(back) == 3 and not any(step.forward for path in back for step in path[1:])
    assert view.shortest_paths(of("agent:a"), of("dataset:e"), depth=2) == []
    assert len(view.shortest_paths(of("tool:l"), of("tool:r"), both=True)) == 3


def test_fresh_relations_are_laid_over_without_building_anew():
    view = View.of(DIAMOND).with_edges([Relation(of("dataset:e"), "copied_to", "new")])
    assert "new" in view.reach([of("agent:a")])
    assert view.reach(["new"], backward=True) >= {of("agent:a"), "new"}
    assert len(view.shortest_paths(of("dataset:d"), "new")) == 1


@given(observations)
def test_an_overlay_reaches_what_a_whole_view_reaches(observed):
    graph = merge(observed)
    whole = View.of(graph)
    half = View.of(merge([o for o in observed if not isinstance(o.subject, Relation)])).with_edges(graph.relations)
    for id in graph.assets:
        for ways in ({}, {"backward": True}, {"both": True}):
            assert whole.distances([id], **ways) == half.distances([id], **ways)


def test_many_places_at_once_agree_with_one_by_one():
    chain = [f"dataset:{n} derived_from dataset:{n // 3}" for n in range(1, 200)]
    view = View.of(world(*chain))
    assert view.distances([of("dataset:0")], backward=True) == view.with_edges([Relation("x", "reads", "x")]).distances(
        [of("dataset:0")], backward=True
    )
