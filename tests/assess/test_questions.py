"""A question is asked when its answer could lead to a risk worth a person's time, once, in words a person answers."""

from __future__ import annotations

import re

import pytest

from penstock.assess.asking import answerable
from penstock.assess.examples import world as drawn
from penstock.assess.facts import Facts
from penstock.assess.rules import load_rules
from penstock.graph.labels import propagate
from penstock.graph.questions import PROP_QUESTIONS, VERB_QUESTIONS
from penstock.graph.vocabulary import PROPS, VERBS, Question
from penstock.settings import Organisation
from tests.assess.test_assessing import random_world
from tests.world import World

RULES = load_rules()


def asked(world: World) -> list[Question]:
    return list(world.assessed().questions)


def about(world: World) -> list[tuple[str, str]]:
    return [(world.name(q.asset), q.prop or q.verb) for q in asked(world)]


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_by(rule) -> set[str]:
    """Every property that a rule reads, in conditions and in brackets."""
    conditions = [*rule.when, *([rule.unless] if rule.unless else [])]
    conditions += [condition for condition, _ in rule.raises + rule.lowers]
    parts = [name.split(".") for condition in conditions for name in condition.names]
    spots = [spot for chain in rule.chains + rule.absent for spot in chain.spots]
    named = {part[1] for part in parts if len(part) > 1 and part[0] in rule.kinds}
    return (named | {name for spot in spots for name, _ in spot.props}) & set(PROPS)


def test_every_property_that_a_rule_reads_has_a_question() -> None:
    assert {prop for rule in RULES for prop in read_by(rule)} <= set(PROP_QUESTIONS)
    assert set(PROP_QUESTIONS) <= set(PROPS)


def test_every_relation_has_a_question_from_either_end() -> None:
    assert set(VERB_QUESTIONS) == set(VERBS)


def test_every_question_is_one_and_names_its_asset() -> None:
    for text in [*PROP_QUESTIONS.values(), *(text for pair in VERB_QUESTIONS.values() for text in pair)]:
        assert re.fullmatch(r"[A-Z][^?]*\{asset\}[^?]*\?", text), text
    for rule in RULES:
        if rule.asks:
            assert re.match(r"[A-Z][^?]*\{" + rule.subject + r"\}[^?]*\?( [A-Z{][^?]*\.)?$", rule.row.ask), rule.id


@pytest.mark.parametrize(
    "field", ["reach", "anonymous", "guarded_in", "guarded_out", "owned", "high_risk", "criticality"]
)
def test_every_derived_field_comes_down_to_something_that_can_be_said(field: str) -> None:
    graph = drawn("application -uses_model-> model").graph
    facts = Facts(graph, propagate(graph), Organisation())
    (application,) = graph.of_kind("application")
    found = answerable(facts, application.id, field)
    assert found is not None
    assert found[1] in {*PROP_QUESTIONS, *VERB_QUESTIONS}


def test_a_relation_is_asked_for_from_the_end_that_is_known(world: World) -> None:
    world.application("shop", exposure="internet").invokes("serving")
    world.endpoint("serving").serves("risk")
    world.model("risk").trained_on("customers", contains="pii")
    world.partly("guarded_by")
    assert "What checks the traffic of shop?" in [q.about for q in asked(world)]


def test_an_absence_that_is_not_sure_leaves_a_question_its_own_words(world: World) -> None:
    world.application("shop", exposure="corporate", auth="oidc").reads("orders", contains="pii").uses_model("m")
    sure = {q.about for q in asked(world)}
    world.partly("supports", "invokes")
    assert {q.about for q in asked(world)} == sure
    assert "Which business process does shop serve, and who relies on it?" in sure


# ── what is worth asking ─────────────────────────────────────────────────────────────────────────────────────────────


def test_what_could_lead_to_nothing_of_weight_is_not_asked(world: World) -> None:
    world.model("small", rollback=None, cmk=None)
    world.endpoint("api", exposure="private").serves("small").owned_by("team")
    world.credential("key")
    world.pipeline("job").holds("key")
    assert all(q.prop not in ("rollback", "cmk", "age_days", "last_used_days") for q in asked(world))


def test_the_answer_on_which_most_rules_hang_is_asked_for_first(world: World) -> None:
    """Login and reach of the application decide whether strangers steer it; the tool's approval only one way out."""
    world.application("shop", exposure="internet").reads("orders", contains="pii")
    world.agent("helper").uses_tool("mail", effects=["network"])
    world.thing("application", "shop").invokes("helper", kind="agent")
    world.thing("agent", "helper").retrieves_from("index", contains="pii", trust="trusted")
    assert ("shop", "auth") in about(world)
    assert ("mail", "approval") not in about(world)
    world.thing("application", "shop", auth="none")
    assert ("mail", "approval") in about(world)


def test_one_question_for_each_asset_and_matter_with_the_weightiest_rule(world: World) -> None:
    world.application("shop").reads("orders", contains="phi").retrieves_from("index").owned_by("team").uses_model("m")
    world.vector_store("index", contains="phi", trust="trusted")
    (question,) = [q for q in asked(world) if world.name(q.asset) == "shop" and q.prop == "exposure"]
    assert question.rule in ("PS106", "PS111")
    assert len({(q.asset, q.prop, q.verb, q.about) for q in asked(world)}) == len(asked(world))


def test_the_first_question_is_that_on_which_the_worst_hangs(world: World) -> None:
    world.application("shop").reads("orders", contains="phi").supports("sales", criticality=2).uses_model("m")
    world.application("toy").owned_by("team").uses_model("m")
    world.endpoint("api", auth=None, audience="employees").owned_by("team")
    assert about(world)[0] == ("shop", "exposure")


@pytest.mark.parametrize("seed", range(8))
def test_the_order_in_which_things_were_seen_changes_no_question(seed: int) -> None:
    world = random_world(seed)
    assert world.assessed().questions == world.assessed(reverse=True).questions


def test_a_risk_that_is_found_already_is_not_asked_for_again(world: World) -> None:
    world.agent("desk").retrieves_from("index").owned_by("team")
    world.vector_store("index").indexes("drafts", contains="confidential").ingests("web", trust="untrusted")
    assert ("index", "trust") not in about(world)


# ── whom ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_files_of_a_repository_are_not_asked_about_one_by_one(world: World) -> None:
    world.application("shop", exposure="private", auth="oidc").reads("data/customers.csv", contains="pii")
    world.model("weights").trained_on("data/customers.csv")
    assert not {prop for _, prop in about(world)} & {"public_read", "public_write", "region", "records", "trust"}


def test_a_bucket_and_a_model_on_a_hub_are_asked_about(world: World) -> None:
    world.dataset("s3://acme/customers", contains="pii")
    world.model("acme/helper", provider="huggingface").trained_on("s3://acme/customers")
    assert {name for name, prop in about(world) if prop == "public_read"} == {"s3://acme/customers", "acme/helper"}


def test_who_reaches_an_agent_is_asked_of_the_application_before_it(world: World) -> None:
    world.application("shop").invokes("helper", kind="agent").owned_by("team")
    world.agent("helper").retrieves_from("index")
    world.vector_store("index", contains="pii", trust="trusted")
    assert [name for name, prop in about(world) if prop == "exposure"] == ["shop"]


def test_an_application_that_only_trains_is_reached_by_nobody(world: World) -> None:
    world.application("trainer").reads("customers", contains="pii").uses_model("base").owned_by("team")
    world.model("own").fine_tuned_from("base").trained_on("customers")
    assert ("trainer", "exposure") not in about(world)


def test_the_owner_is_asked_for_once_of_the_application(world: World) -> None:
    world.assets["shop"] = application_of(world)
    world.partly("owned_by")
    for name in ("one", "two"):
        world.thing("agent", name).reads("orders", contains="pii")
    assert [name for name, verb in about(world) if verb == "owned_by"] == ["shop"]
    world.relations += owned(world)
    assert [name for name, verb in about(world) if verb == "owned_by"] == []


def application_of(world: World):
    from penstock.graph import identity

    return identity.application(world.scope, "shop")


def owned(world: World):
    from penstock.graph import identity

    world.assets["team"] = identity.asset("team", "team")
    return [identity.relation(application_of(world), "owned_by", world.assets["team"])]


def test_what_only_assistants_use_is_approved_at_the_assistant(world: World) -> None:
    world.assistant("coder").connects_to("cluster", effects=["deploy", "exec"], sandbox=True).owned_by("team")
    world.assistant("other").connects_to("cluster").owned_by("team")
    assert [name for name, prop in about(world) if prop == "approval"] in (["coder"], ["other"])
    world.thing("assistant", "coder", approval="none")
    world.thing("assistant", "other", approval="required")
    assert [world.name(f.subject) for f in world.findings("PS381")] == ["cluster"]
