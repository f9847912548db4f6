from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import NotUnderstood
from penstock.graph.graph import Graph
from penstock.graph.identity import relation
from penstock.graph.merge import merge
from penstock.graph.vocabulary import MARKS, Asset, Complete, Relation
from tests.graph.worlds import SHOP, observations, of, seen, thing


@given(observations, st.randoms())
def test_merging_is_free_of_order(observed, random):
    shuffled = list(observed)
    random.shuffle(shuffled)
    assert _told(merge(observed, at=6.0)) == _told(merge(shuffled, at=6.0))


@given(observations)
def test_merging_the_same_twice_changes_nothing(observed):
    assert _told(merge(observed)) == _told(merge([*observed, *observed]))


@given(observations)
def test_every_asset_and_relation_has_evidence(observed):
    graph = merge(observed)
    assert set(graph.evidence) == set(graph.assets) | {r.key for r in graph.relations}
    assert all(graph.evidence.values())


@given(observations)
def test_labels_are_all_that_anybody_saw(observed):
    graph = merge(observed)
    for observation in observed:
        if isinstance(observation.subject, Asset) and observation.evidence.until is None:
            merged = graph.assets[observation.subject.id]
            assert observation.subject.labels <= merged.labels
            assert set(observation.subject.props.get("declared_data", ())) <= merged.labels


@given(observations)
def test_relations_end_at_assets(observed):
    graph = merge(observed)
    assert all(r.source in graph.assets and r.target in graph.assets for r in graph.relations)


def _told(graph: Graph) -> tuple:
    return (
        list(graph.assets.items()),
        graph.relations,
        dict(graph.evidence),
        dict(graph.claims),
        graph.complete,
        graph.unseen,
    )


def test_a_surer_claim_wins_and_the_loser_is_kept():
    guess = seen(thing("agent", "helper", props={"purpose": "fun"}), "a.py:1", confidence="guessed")
    word = seen(thing("agent", "helper", props={"purpose": "support"}), "ai-system.yaml:2", confidence="declared")
    graph = merge([guess, word])
    helper = of("agent:helper")
    assert graph.assets[helper].prop("purpose") == "support"
    assert [value for value, _ in graph.conflicts(helper, "purpose")] == ["support", "fun"]


def test_a_persons_newer_word_wins_over_the_older():
    old = seen(thing("agent", "helper", props={"purpose": "fun"}), by="person:ana", confidence="declared", at=1.0)
    new = seen(thing("agent", "helper", props={"purpose": "support"}), by="person:zoe", confidence="declared", at=2.0)
    assert merge([old, new]).assets[of("agent:helper")].prop("purpose") == "support"


def test_a_persons_word_counts_until_its_end():
    agent = seen(thing("agent", "helper"))
    word = seen(thing("agent", "helper", props={"sanction": "sanctioned"}), by="person:ana", until=10.0)
    assert merge([agent, word], at=9.0).assets[of("agent:helper")].prop("sanction") == "sanctioned"
    assert merge([agent, word], at=10.0).assets[of("agent:helper")].prop("sanction") is None


def test_a_declaration_inside_the_tree_makes_nothing_look_safer():
    compose = seen(thing("endpoint", "api", props={"exposure": "internet"}), "compose.yaml:4", confidence="inferred")
    claim = seen(thing("endpoint", "api", props={"exposure": "private"}), "ai-system.yaml:2", confidence="declared")
    assert merge([compose, claim]).assets[of("endpoint:api")].prop("exposure") == "internet"
    raised = seen(thing("endpoint", "api", props={"exposure": "internet"}), "ai-system.yaml:2", confidence="declared")
    inside = seen(thing("endpoint", "api", props={"exposure": "private"}), "compose.yaml:4")
    assert merge([raised, inside]).assets[of("endpoint:api")].prop("exposure") == "internet"


def test_a_person_outside_the_tree_may_say_that_it_is_safer():
    compose = seen(thing("endpoint", "api", props={"exposure": "internet"}))
    word = seen(
        thing("endpoint", "api", props={"exposure": "private"}), by="person:ana", confidence="declared", scope=""
    )
    assert merge([compose, word]).assets[of("endpoint:api")].prop("exposure") == "private"


def test_declared_data_raises_labels_and_never_lowers_them():
    found = seen(thing("dataset", "orders", labels=["pii"]))
    claim = seen(thing("dataset", "orders", props={"declared_data": ["public", "pci"]}), confidence="declared")
    assert merge([found, claim]).assets[of("dataset:orders")].labels - MARKS == {"pii", "pci"}


def test_word_lists_add_up():
    read = seen(thing("tool", "sql", props={"effects": ["read"]}), "a.py:1")
    write = seen(thing("tool", "sql", props={"effects": ("write",)}), "b.py:1")
    assert merge([read, write]).assets[of("tool:sql")].prop("effects") == ["read", "write"]


def test_a_change_of_kind_keeps_the_id_and_the_more_specific_kind_stands():
    application, agent = seen(thing("application", "helper"), "a.py:1"), seen(thing("agent", "helper"), "b.py:1")
    graph = merge([application, agent])
    assert [(a.id, a.kind) for a in graph.assets.values()] == [(application.subject.id, "agent")]
    assert [value for value, _ in graph.conflicts(of("agent:helper"), "kind")] == ["agent", "application"]


def test_a_surer_kind_wins_over_a_more_specific_one():
    application = seen(thing("application", "helper"), confidence="declared")
    agent = seen(thing("agent", "helper"), confidence="guessed")
    assert [a.kind for a in merge([application, agent]).assets.values()] == ["application"]


def test_the_strongest_status_stands():
    graph = merge([seen(thing("model", "m", status="test"), "t.py:1"), seen(thing("model", "m"), "a.py:1")])
    assert [a.status for a in graph.assets.values()] == ["used"]


def test_kept_ids_replace_issued_ones_at_both_ends():
    new = thing("agent", "renamed")
    graph = merge(
        [seen(new), seen(thing("tool", "sql")), seen(relation(new, "uses_tool", thing("tool", "sql")))],
        kept={new.id: "old-id"},
    )
    assert "old-id" in graph.assets and new.id not in graph.assets
    assert [r.source for r in graph.relations] == ["old-id"]


def test_ids_kept_in_a_circle_still_end():
    agent = thing("agent", "helper")
    assert len(merge([seen(agent)], kept={agent.id: "x", "x": agent.id}).assets) == 1


def test_a_relation_to_something_nobody_described_is_unseen_and_no_absence():
    agent = thing("agent", "helper")
    graph = merge(
        [seen(agent), seen(Relation(agent.id, "guarded_by", "guardrail-gone"), "a.py:7")],
        complete=[Complete(SHOP, "guarded_by", "code"), Complete(SHOP, "reads", "code")],
    )
    assert graph.relations == ()
    assert [(gap.where, gap.scope) for gap in graph.unseen] == [("a.py:7", SHOP)]
    assert "guardrail-gone" in graph.unseen[0].why
    assert not graph.knows_all(agent.id, "guarded_by") and graph.knows_all(agent.id, "reads")


@pytest.mark.parametrize(
    "wrong",
    [
        Asset("x", "robot", "r"),
        Asset("x", "agent", "r", props={"colour": "red"}),
        Asset("x", "agent", "r", props={"exposure": "everybody"}),
        Asset("x", "agent", "r", labels=frozenset({"secretish"})),
        Asset("x", "agent", "r", status="maybe"),
        Relation("x", "likes", "x"),
        Relation("x", "reads", "x", {"exposure": 4}),
    ],
)
def test_words_outside_the_vocabulary_are_refused_by_name(wrong):
    with pytest.raises(NotUnderstood):
        merge([seen(wrong, by="code.models")])
