"""What the assessment says of small worlds, and the properties that hold in all of them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.graph.store.protocol import Acceptance
from penstock.graph.vocabulary import SEVERITIES
from penstock.settings import Organisation
from tests.world import World


def leak(world: World, **door) -> World:
    """customer table → training → model → endpoint → agent → public application"""
    world.model("risk").trained_on("customers", contains="pii")
    world.endpoint("serving").serves("risk")
    world.agent("helper").invokes("serving")
    world.application("shop", **{"exposure": "internet", **door}).invokes("helper")
    return world


def test_the_chain_from_customer_table_to_public_agent_is_one_finding_with_its_path(world: World) -> None:
    (finding,) = leak(world).findings("PS101")
    assert world.name(finding.subject) == "serving"
    assert [world.name(step.asset) for step in finding.path] == ["shop", "helper", "serving", "risk", "customers"]
    assert [step.verb for step in finding.path] == ["", "invokes", "invokes", "serves", "trained_on"]
    assert world.name(finding.fix_at) == "shop"
    assert "personal data" in finding.explanation and "risk" in finding.explanation


@pytest.mark.parametrize("cut", range(4))
def test_the_chain_is_gone_when_any_link_is_cut(world: World, cut: int) -> None:
    leak(world).relations.pop(cut)
    assert world.findings("PS101") == []


def test_an_output_guard_before_the_application_silences_the_chain(world: World) -> None:
    leak(world).thing("application", "shop").guarded_by("gateway", output_filter=True)
    assert world.findings("PS101") == []


def test_an_application_that_answers_through_guarded_agents_alone_is_guarded(world: World) -> None:
    """The code of a repository names the endpoint; the guarded agent in it is what talks to the model there."""
    leak(world).agent("desk").uses_model("alias", kind="model").guarded_by("check", output_filter=True)
    world.model("alias").derived_from("risk")
    world.application("other", exposure="internet").invokes("desk").invokes("serving")
    paths = {world.name(path.hops[0].asset) for path in world.assessed().paths}
    assert paths == {"shop"}


def test_agents_that_call_each_other_in_a_ring_are_judged_too(world: World) -> None:
    for number in range(40):
        world.agent(f"a{number}", exposure="internet").invokes(f"a{(number + 1) % 40}", kind="agent")
    world.thing("agent", "a0").reads("orders", contains="pii")
    assert world.assessed().answers


def test_a_guard_of_which_nothing_is_known_is_asked_for(world: World) -> None:
    leak(world).thing("application", "shop").guarded_by("gateway")
    assert world.findings("PS101") == []
    assert ("gateway", "output_filter") in world.questions("PS101")


def test_absence_is_not_read_where_not_all_was_seen(world: World) -> None:
    leak(world).partly("guarded_by")
    assert world.findings("PS101") == []
    assert ("shop", "guarded_by") in world.questions("PS101")


def test_an_endpoint_that_may_be_a_gateway_keeps_absence_from_being_read(world: World) -> None:
    world.application("shop", exposure="internet", auth="none").reads("orders", contains="pii").invokes("proxy")
    assert len(world.findings("PS111")) == 1
    world.partly("serves")
    assert world.findings("PS111") == []
    assert ("proxy", "output_filter") in world.questions("PS111")
    world.thing("endpoint", "proxy").serves("own model")
    assert len(world.findings("PS111")) == 1


def test_unknown_exposure_is_a_question_never_a_finding(world: World) -> None:
    leak(world, exposure=None)
    assert world.findings("PS101") == []
    assert ("shop", "exposure") in world.questions("PS101")


def test_an_agent_behind_login_is_not_public(world: World) -> None:
    world.agent("helpdesk", exposure="corporate").reads("payroll", contains="pii")
    assert world.findings("PS111") == []


def test_an_accepted_finding_moves_aside_until_its_end_date(world: World) -> None:
    (finding,) = leak(world).findings("PS101")
    accepted = Acceptance(finding.id, "ciso", "pilot", until=100.0, at=1.0)
    during, after = (world.assessed(acceptances=[accepted], now=now) for now in (50.0, 100.0))
    assert finding.id in {f.id for f in during.accepted} and finding.id not in {f.id for f in during.findings}
    assert finding.id in {f.id for f in after.findings} and not after.accepted


def test_findings_of_one_cause_share_a_root(world: World) -> None:
    world.workspace("lab", exposure="internet", auth="none").deployed_on("box")
    world.infrastructure("box").runs_as("role")
    world.identity("role").can_read("customers", contains="pii")
    roots = {finding.rule: finding.root for finding in world.findings()}
    assert roots["PS130"] == roots["PS303"] == roots["PS304"]
    assert roots["PS335"] != roots["PS130"]


def test_the_path_of_an_open_notebook_ends_at_the_data_and_names_the_cut(world: World) -> None:
    world.workspace("lab", exposure="internet", auth="none").runs_as("role")
    world.identity("role").can_read("customers", contains="pii")
    path = world.assessed().paths[0]
    assert (path.entry, world.name(path.target), path.severity) == ("internet", "customers", "critical")
    assert world.name(path.cut[0]) == "lab"


def test_the_six_questions_are_answered_or_said_to_be_unknown(world: World) -> None:
    world.application("shop", audience="customers").reads("orders", contains="pci").supports("sales", criticality=2)
    world.application("toy")
    answers = world.assessed().answers
    shop, toy = (answers[world.assets[name].id] for name in ("shop", "toy"))
    assert (shop.audience.value, shop.sensitive_data.value, shop.impact.value) == ("customers", ["pci"], 4)
    assert [world.name(id) for id in shop.processes.value] == ["sales"]
    assert (toy.audience.value, toy.used_for.value, toy.processes.value, toy.impact.value) == (None,) * 4


def test_every_term_of_a_score_has_a_reason(world: World) -> None:
    (finding,) = leak(world).findings("PS101")
    assert finding.terms["impact"]["because"] and finding.terms["likelihood"]["because"]
    assert finding.score_range[0] <= finding.score <= finding.score_range[1]


def test_every_finding_says_what_to_do_by_when(world: World) -> None:
    for finding in leak(world, auth="none").findings():
        assert finding.terms["do"]["value"] in ("act", "attend", "track")
        assert finding.terms["do"]["days"] >= 2


def test_the_agency_of_an_agent_is_told_factor_by_factor(world: World) -> None:
    world.agent("desk", exposure="internet", auth="none", autonomy="act").reads("orders", contains="pii")
    world.thing("agent", "desk").remembers_in("notes").delegates_to("clerk")
    (finding,) = world.findings("PS111")
    assert finding.terms["agency"]["factors"] == {"autonomy": 1.0, "tools": 0.0, "memory": 1.0, "delegation": 1.0}


def test_a_provider_is_unsanctioned_only_where_the_organisation_has_a_list(world: World) -> None:
    world.application("notes").sends_to("Model House").reads("people", contains="pii")
    assert world.findings("PS210") == []
    world.organisation = Organisation(sanctioned_providers=("model house",))
    assert world.findings("PS210") == []
    world.organisation = Organisation(sanctioned_providers=("somebody else",))
    assert len(world.findings("PS210")) == 1


# ── in every world ───────────────────────────────────────────────────────────────────────────────────────────────────

_EXPOSURES = ["private", "corporate", "partner", "internet"]
_LABELS = ["pii", "phi", "pci", "confidential", "minors"]
_KINDS = ["application", "agent", "tool", "endpoint", "model", "dataset", "vector_store", "log_store", "identity"]
_VERBS = ["invokes", "uses_tool", "reads", "retrieves_from", "serves", "trained_on", "indexes", "logs_to", "runs_as",
          "can_read", "guarded_by"]  # fmt: skip


def random_world(seed: int, *, names: str = "thing") -> World:
    chance = random.Random(seed)
    world = World()
    kinds = [chance.choice(_KINDS) for _ in range(12)] + ["guardrail"]
    for number, kind in enumerate(kinds):
        props = {
            "exposure": chance.choice([None, *_EXPOSURES]), "auth": chance.choice([None, "none", "oidc"]),
            "effects": chance.choice([None, ["exec"], ["email"], ["read"]]), "approval": chance.choice([None, "none"]),
            "output_filter": chance.choice([None, True, False]), "public_read": chance.choice([None, True, False]),
        }  # fmt: skip
        labels = [chance.choice(_LABELS)] if kind in ("dataset", "vector_store") and chance.random() < 0.5 else []
        world.thing(kind, f"{names}{number}", contains=labels, **props)
    every = list(world.assets)
    for _ in range(24):
        one, two = chance.sample(every, 2)
        getattr(world.thing(world.assets[one].kind, one), chance.choice(_VERBS))(two)
    return world


def told(world: World, names: str = "thing", **how) -> list[tuple]:
    """Findings without ids: what remains must not depend on names or order."""
    place = {asset.id: int(name.removeprefix(names)) for name, asset in world.assets.items() if name.startswith(names)}
    return sorted((f.rule, place[f.subject], f.severity, f.score) for f in world.assessed(**how).findings)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_order_and_names_change_nothing(seed: int) -> None:
    assert told(random_world(seed)) == told(random_world(seed), reverse=True)
    assert told(random_world(seed)) == told(random_world(seed, names="zz"), "zz")


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_an_unrelated_asset_changes_nothing(seed: int) -> None:
    world = random_world(seed)
    before = told(world)
    world.dataset("elsewhere", contains="pci")
    assert told(world) == before


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), place=st.integers(0, 11))
def test_more_exposure_or_another_label_never_lowers_a_score(seed: int, place: int) -> None:
    before = {f.id: f for f in random_world(seed).findings()}
    wider, labelled = random_world(seed), random_world(seed)
    name = f"thing{place}"
    exposure = wider.assets[name].prop("exposure")
    if exposure in _EXPOSURES[:-1]:
        wider.thing(wider.assets[name].kind, name, exposure=_EXPOSURES[_EXPOSURES.index(exposure) + 1])
    labelled.thing(labelled.assets[name].kind, name, contains="phi")
    for changed in (wider, labelled):
        after = {f.id: f for f in changed.findings()}
        for id, finding in before.items():
            assert id in after, finding
            assert after[id].score >= finding.score, finding
            assert SEVERITIES.index(after[id].severity) >= SEVERITIES.index(finding.severity)


_CONTROLS = {"output_filter": False, "input_filter": False, "approval": "none", "sandbox": False}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), place=st.integers(0, 11), control=st.sampled_from(sorted(_CONTROLS)))
def test_removing_a_control_never_lowers_a_risk(seed: int, place: int, control: str) -> None:
    guarded, open_one = random_world(seed), random_world(seed)
    name = f"thing{place}"
    guarded.thing(guarded.assets[name].kind, name, **{control: "required" if control == "approval" else True})
    open_one.thing(open_one.assets[name].kind, name, **{control: _CONTROLS[control]})
    before = {f.id: f for f in guarded.findings()}
    after = {f.id: f for f in open_one.findings()}
    for id, finding in before.items():
        assert id in after, finding
        assert after[id].score >= finding.score, finding


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_two_judgements_are_equal_to_the_byte(seed: int) -> None:
    one, two = (random_world(seed).assessed() for _ in range(2))
    told = [repr((a.findings, a.questions, a.paths, dict(a.answers))) for a in (one, two)]
    assert told[0] == told[1]
