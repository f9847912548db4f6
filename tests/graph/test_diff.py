from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from penstock.graph.diff import diff
from penstock.graph.graph import Graph
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Relation
from tests.graph.worlds import observations, of, seen, thing, world


@given(observations)
def test_nothing_differs_from_itself(observed):
    graph = merge(observed)
    assert not diff(graph, graph)
    assert not diff(graph, merge(list(reversed(observed))))


@given(observations, observations)
def test_what_is_added_one_way_is_removed_the_other(one, other):
    before, after = merge(one), merge(other)
    there, back = diff(before, after), diff(after, before)
    assert there.added == back.removed and there.relations_added == back.relations_removed
    assert {id: {n: pair[::-1] for n, pair in f.items()} for id, f in there.changed.items()} == back.changed
    assert bool(there) == bool(back)


def test_changes_name_field_and_both_values():
    before = merge([seen(thing("agent", "helper", props={"exposure": "private"}))])
    after = merge([seen(thing("agent", "Helper", props={"exposure": "internet"}, labels=["pii"]))])
    assert diff(before, after).changed == {
        of("agent:helper"): {
            "name": ("helper", "Helper"),
            "labels": ([], ["pii"]),
            "props.exposure": ("private", "internet"),
        }
    }


def test_a_relation_whose_properties_changed_is_taken_away_and_added():
    graph = world("agent:a reads dataset:d")
    other = replace(graph, relations=tuple(Relation(*r.key, {"mode": "all"}) for r in graph.relations))
    changes = diff(graph, other)
    assert len(changes.relations_added) == len(changes.relations_removed) == 1


def test_when_something_was_seen_is_no_change():
    graph = merge([seen(thing("agent", "a"), at=1.0)])
    assert not diff(graph, merge([seen(thing("agent", "a"), at=9.0)]))


def test_retired_counts_as_gone():
    graph = merge([seen(thing("agent", "a"))])
    retired = Graph({id: replace(asset, lifecycle="retired") for id, asset in graph.assets.items()})
    assert [asset.name for asset in diff(graph, retired).removed] == ["a"]
