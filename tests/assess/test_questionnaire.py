"""The questionnaire asks what is not known, when it matters, and proposes without believing."""

from __future__ import annotations

import pytest

from penstock.assess.facts import Facts
from penstock.assess.questionnaire import open_questions, purpose_in
from penstock.assess.rollup import members, rolled_up
from penstock.errors import WrongUse
from penstock.graph.labels import propagate
from tests.world import World


def asked(world: World, name: str) -> list[str]:
    graph = world.graph()
    facts = Facts(graph, propagate(graph), world.organisation)
    return [one.sets for one in open_questions(facts, only=world.assets[name].id)]


def test_a_follow_up_waits_for_the_answer_before_it() -> None:
    world = World()
    world.application("desk").uses_model("chat")
    assert "exposure" in asked(world, "desk") and "auth" not in asked(world, "desk")
    world.application("desk", exposure="internet")
    assert "exposure" not in asked(world, "desk") and "auth" in asked(world, "desk")
    world.application("desk", exposure="private")
    assert "auth" not in asked(world, "desk")


def test_what_a_risk_hangs_on_comes_first_and_once() -> None:
    world = World()
    world.application("desk", audience="customers").uses_model("chat").reads("people", contains="pii")
    graph, assessed = world.graph(), world.assessed()
    found = open_questions(Facts(graph, propagate(graph), world.organisation), assessed.questions)
    keys = [(one.asset, one.sets) for one in found]
    assert len(keys) == len(set(keys))
    with_risk = [bool(one.rule) for one in found]
    assert with_risk == sorted(with_risk, reverse=True) and with_risk[0]


def test_a_purpose_is_proposed_from_names_and_stays_a_question() -> None:
    world = World()
    world.application("desk").uses_tool("refund")
    graph = world.graph()
    found = open_questions(Facts(graph, propagate(graph), world.organisation), only=world.assets["desk"].id)
    purpose = next(one for one in found if one.sets == "purpose")
    assert purpose.proposal is not None and "refund" in purpose.proposal.value


@pytest.mark.parametrize(
    ("readme", "purpose"),
    [
        ("# Desk\n\nAnswers questions of customers. And more.\n", "Answers questions of customers."),
        ("# Desk\n\n[![build](u)](v)\n\n```\ncode, enough of it\n```\n\nA [bot](u) that helps.", "A bot that helps."),
        ("Notes. Nothing here is in use yet.", "Notes. Nothing here is in use yet."),
        ("", ""),
        ("```\nnever closed, and long enough to be taken\n", ""),
        ("word " * 5_000, ("word " * 40)[:199] + "…"),
    ],
)  # fmt: skip
def test_a_readme_says_what_something_is_for_in_its_first_prose(readme: str, purpose: str) -> None:
    assert purpose_in(readme) == purpose


def team(world: World) -> World:
    world.application("desk", purpose="answers customers", audience="customers").uses_model("chat").owned_by("care")
    world.application("desk").reads("people", contains="pii").supports("sales")
    world.process("sales", criticality=4)
    world.assistant("helper", audience="employees").owned_by("care")
    world.application("other").uses_model("chat").owned_by("else")
    return world


def test_a_team_has_the_worst_of_its_systems_and_counts_the_silent_ones() -> None:
    world = team(World())
    rolled = rolled_up(world.graph(), world.assessed().answers, world.assets["care"].id)
    assert [world.name(id) for id in rolled.systems] == ["desk", "helper"]
    assert rolled.answers.impact.value == 4
    assert rolled.answers.audience.value == ["customers", "employees"]
    assert rolled.answers.sensitive_data.value == ["pii"]
    assert rolled.unknown["used_for"] == 1
    assert "unknown of 1 of 2" in rolled.answers.used_for.because


def test_the_ecosystem_is_everything_and_a_model_is_no_group() -> None:
    world = team(World())
    assert len(members(world.graph(), "all")) == 3
    with pytest.raises(WrongUse):
        members(world.graph(), world.assets["chat"].id)
    assert rolled_up(World().graph(), {}).answers.impact.value is None
