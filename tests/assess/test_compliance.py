"""Frameworks against a graph: what was seen is told, the rest is asked, and nothing is certain that is not."""

from __future__ import annotations

from datetime import date

import pytest

from penstock.assess.compliance import FRAMEWORKS, Compliance, Told, dates, framework_named
from penstock.assess.threats import Threats
from penstock.errors import WrongUse
from penstock.graph.labels import propagate
from tests.world import World


def compliance(world: World) -> Compliance:
    graph, assessed = world.graph(), world.assessed()
    return Compliance(Threats(graph, propagate(graph), world.organisation, assessed.findings), assessed.findings)


def told(world: World, framework: str, number: str, name: str) -> Told:
    judged = compliance(world).of(framework_named(framework), world.assets[name].id)
    return next(one for one in judged if one.requirement.number == number).told[0]


def test_an_empty_graph_meets_nothing_and_fails_nothing() -> None:
    for edition in FRAMEWORKS:
        states = {one.state for one in compliance(World()).of(edition)}
        assert states <= {"unknown", "not applicable"}


@pytest.mark.parametrize(
    ("said", "state"), [({}, "unknown"), ({"disclosure": True}, "met"), ({"disclosure": False}, "not met")]
)
def test_transparency_follows_what_is_said(said: dict[str, bool], state: str) -> None:
    world = World()
    world.application("desk", audience="customers", **said).uses_model("chat")
    found = told(world, "eu-ai-act", "art-50", "desk")
    assert found.state == state
    assert bool(found.evidence or found.findings) is (state != "unknown") and bool(found.questions) is (
        state == "unknown"
    )


def test_duties_of_high_risk_hang_on_the_purpose() -> None:
    for purpose, state in ((None, "unknown"), ("summarise meetings", "not applicable"), ("CV screening", "unknown")):
        world = World()
        world.application("desk", purpose=purpose).uses_model("chat")
        assert told(world, "eu-ai-act", "art-14", "desk").state == state


def test_role_and_class_are_proposed_with_what_decides() -> None:
    world = World()
    world.application("hiring", purpose="rank job candidates", audience="employees").uses_model("chat")
    proposed = compliance(world).proposals(world.assets["hiring"].id)
    assert proposed.risk_class is not None and proposed.risk_class.name == "high-risk"
    assert [role.name for role in proposed.roles] == ["provider", "deployer"]
    assert any("Article 5" in question.about for question in proposed.questions)
    world = World()
    world.application("unclear").uses_model("chat")
    assert compliance(world).proposals(world.assets["unclear"].id).risk_class is None


def test_a_finding_speaks_against_what_it_is_tagged_with() -> None:
    world = World()
    world.application("desk", exposure="internet", rate_limit=False).uses_model("chat")
    found = told(world, "owasp-llm", "LLM06", "desk")
    assert found.state == "not met" and found.findings


def test_every_date_says_who_says_so() -> None:
    for day in dates():
        assert date.fromisoformat(day.day) and day.source and day.url.startswith("https://")
        assert day.read == "law" or day.note


def test_an_unknown_framework_is_refused_with_those_there_are() -> None:
    with pytest.raises(WrongUse) as refused:
        framework_named("soc2")
    assert "eu-ai-act" in str(refused.value.hint)
