from __future__ import annotations

import pickle

import pytest

from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import (
    AI_KINDS,
    CONTEXT_KINDS,
    DATA_KINDS,
    KIND_ALIASES,
    KINDS,
    LABELS,
    MARKS,
    PROPS,
    VERBS,
    WORST_FIRST,
    Asset,
    Evidence,
    Prop,
    Relation,
    check_labels,
    check_props,
)


def test_every_kind_has_an_identity_and_no_table_names_another():
    assert set(identity.SCOPES) == KINDS
    assert set(identity.FAMILIES) <= KINDS
    assert AI_KINDS | DATA_KINDS | CONTEXT_KINDS <= KINDS
    assert set(KIND_ALIASES.values()) <= KINDS and not set(KIND_ALIASES) & KINDS
    assert not AI_KINDS & DATA_KINDS


def test_a_verb_that_carries_says_where_to():
    assert all(bool(verb.carries) == bool(verb.to) for verb in VERBS.values())
    assert all(name == verb.name for name, verb in VERBS.items())


def test_marks_are_no_labels():
    assert not MARKS & set(LABELS)
    assert all(1 <= weight <= 4 for weight in LABELS.values())


def test_ordered_properties_order_exactly_their_words():
    for name, order in WORST_FIRST.items():
        prop = PROPS[name]
        assert set(order) == (set(prop.words) if prop.type == "word" else {True, False})


@pytest.mark.parametrize("prop", PROPS.values(), ids=lambda prop: prop.name)
def test_every_property_takes_what_its_row_says_and_nothing_else(prop: Prop):
    good = {
        "text": "x",
        "flag": False,
        "number": 3,
        "word": (*prop.words, "x")[0],
        "words": list(prop.words[:2]) or ["x"],
        "record": {"method": "sums"},
    }[prop.type]
    check_props({prop.name: good}, "a test")
    check_props({prop.name: None}, "a test")
    for bad in (object(), {"a": {}}, float("nan")):
        with pytest.raises(NotUnderstood):
            check_props({prop.name: bad}, "a test")


def test_a_misspelt_property_is_refused_with_the_near_ones():
    with pytest.raises(NotUnderstood) as error:
        check_props({"exposur": "internet"}, "collector python.models at app.py:3")
    assert "exposure" in str(error.value) and "app.py:3" in str(error.value)


def test_an_unknown_label_is_refused():
    check_labels({"pii", "public"}, "a test")
    with pytest.raises(NotUnderstood):
        check_labels({"personal"}, "a test")


def test_spelling_never_makes_two_things_of_one():
    assert identity.asset("model", "GPT-4o ", props={"provider": "openai"}).id == (
        identity.asset("model", "gpt-4o", props={"provider": "openai"}, scope="repo:other").id
    )


def test_an_agent_that_turns_out_an_application_keeps_its_id():
    agent = identity.asset("agent", "helper", scope="repo:shop")
    assert agent.id == identity.asset("application", "helper", scope="repo:shop").id
    assert agent.id != identity.asset("tool", "helper", scope="repo:shop").id
    assert agent.id != identity.asset("agent", "helper", scope="repo:bank").id


def test_a_name_that_is_no_valid_unicode_still_has_an_id():
    assert identity.asset("dataset", "caf\udce9.csv", scope="repo:shop").id


def test_an_endpoint_is_one_for_its_origin():
    one = identity.endpoint("https://user:secret@LLM.example.com/v1/chat", "repo:a")
    assert one.id == identity.endpoint("https://llm.example.com:443", "repo:b").id
    assert "secret" not in one.name
    assert (
        identity.endpoint("http://ollama:11434", "repo:a").id != identity.endpoint("http://ollama:11434", "repo:b").id
    )


def test_values_cross_processes():
    asset = Asset("a", "model", "m", props={"records": 1}, labels=frozenset({"pii"}))
    graph = Graph({"a": asset}, (Relation("a", "derived_from", "a"),), {"a": (Evidence("c", "f:1"),)})
    assert list(graph.out("a"))
    assert pickle.loads(pickle.dumps(graph)) == graph
