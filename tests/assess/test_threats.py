"""Threat models: only what the graph makes conceivable, controls with evidence, and a range where nobody knows."""

from __future__ import annotations

import itertools

import pytest

from penstock.assess.controls import control_of
from penstock.assess.threats import Faced, ThreatModel, Threats, load_threats
from penstock.graph.labels import propagate
from penstock.graph.vocabulary import SEVERITIES
from tests.world import World


def model_of(world: World, name: str) -> ThreatModel:
    graph, assessed = world.graph(), world.assessed()
    return Threats(graph, propagate(graph), world.organisation, assessed.findings).of(world.assets[name].id)


def faced(world: World, name: str, threat: str) -> Faced | None:
    return next((one for one in model_of(world, name).threats if one.threat.id == threat), None)


def states(one: Faced) -> dict[str, str]:
    return {answering.standing.control: answering.standing.state for answering in one.controls}


def shop(world: World, **tool: object) -> World:
    """An open shop whose helper may refund money."""
    world.application("shop", exposure="internet", auth="none").invokes("helper")
    world.agent("helper").uses_model("chat").uses_tool("refund")
    world.tool("refund", effects=["money"], **tool)
    return world


@pytest.fixture
def world() -> World:
    made = World()
    made.agent("helper")  # what `invokes` leads to
    return made


def test_nothing_is_conceivable_where_nothing_is_known(world: World) -> None:
    world.application("empty")
    assert model_of(world, "empty").threats == ()


def test_a_threat_names_the_assets_that_make_it_conceivable(world: World) -> None:
    found = faced(shop(world), "shop", "tool-misuse")
    assert found is not None and found.state == "conceivable"
    assert found.because == ("helper may use refund (what it does: money)",)
    assert "{" not in found.attack + "".join(found.because)


def test_what_nobody_said_is_a_question_and_leaves_a_range(world: World) -> None:
    found = faced(shop(world), "shop", "tool-misuse")
    assert states(found)["approval"] == "unknown"
    assert found.rest[0] == "info" and SEVERITIES.index(found.rest[1]) >= SEVERITIES.index("medium")
    asked = next(one.standing.question for one in found.controls if one.standing.control == "approval")
    assert asked is not None and "refund" in asked.about


def test_a_control_that_stops_it_leaves_nothing_and_shows_its_evidence(world: World) -> None:
    found = faced(shop(world, approval="required"), "shop", "tool-misuse")
    assert found.rest == ("info", "info")
    assert next(one.standing.evidence for one in found.controls if one.stops)


def test_a_missing_control_leaves_it_as_bad_as_it_is(world: World) -> None:
    shop(world, approval="none")
    world.agent("helper", autonomy="act", input_filter=False)
    found = faced(world, "shop", "tool-misuse")
    assert found.rest == (found.inherent, found.inherent)


def test_a_finding_shows_that_a_threat_is_no_mere_possibility(world: World) -> None:
    shop(world)
    world.agent("helper", input_filter=False)
    found = faced(world, "shop", "direct-injection")
    assert (found.state, bool(found.findings)) == ("shown", True)


def test_a_numeric_model_faces_no_threats_of_language(world: World) -> None:
    world.application("scores").uses_model("churn")
    world.model("churn", format="joblib")
    told = {one.threat.id for one in model_of(world, "scores").threats}
    assert told == {"unsafe-weights"}


def test_the_door_of_an_agent_is_its_application(world: World) -> None:
    found = faced(shop(world), "shop", "cost-harvesting")
    login = {one.standing.asset for one in found.controls if one.standing.control == "login"}
    assert login == {world.assets["shop"].id}


def test_what_is_unrelated_changes_nothing(world: World) -> None:
    before = model_of(shop(world), "shop")
    world.agent("elsewhere").uses_tool("delete-all")
    world.tool("delete-all", effects=["delete"])
    assert model_of(world, "shop") == before


@pytest.mark.parametrize(
    ("thing", "safe", "unsafe"),
    [
        (("tool", "refund"), {"approval": "required"}, {"approval": "none"}),
        (("agent", "helper"), {"input_filter": True}, {"input_filter": False}),
        (("agent", "helper"), {"autonomy": "suggest"}, {"autonomy": "act"}),
        (("application", "shop"), {"rate_limit": True}, {"rate_limit": False}),
        (("application", "shop"), {"exposure": "private"}, {"exposure": "internet"}),
    ],
)
def test_taking_a_control_away_never_lowers_what_is_left(thing, safe, unsafe) -> None:
    rests = []
    for props in (safe, {}, unsafe):
        world = World()
        world.agent("helper")
        shop(world)
        kind, name = thing
        getattr(world, kind)(name, **props)
        rests.append({one.threat.id: one.rest for one in model_of(world, "shop").threats})
    for better, worse in itertools.pairwise(rests):
        for threat, (_, most) in better.items():
            assert SEVERITIES.index(worse[threat][1]) >= SEVERITIES.index(most), threat


def test_the_same_graph_gives_the_same_model_in_any_order(world: World) -> None:
    shop(world)
    one, other = (
        Threats(graph, propagate(graph), world.organisation).of(world.assets["shop"].id)
        for graph in (world.graph(), world.graph(reverse=True))
    )
    assert one == other


def test_every_control_and_every_word_of_stride_is_used() -> None:
    rows = load_threats()
    used = {control for row in rows for control in (*row.stopped_by, *row.eased_by)}
    assert all(control_of(control).does for control in used)
    assert len({word for row in rows for word in row.stride}) == 6
    print(f"{len(rows)} threats, {len(used)} controls, {sum(len(row.ways) for row in rows)} ways")
