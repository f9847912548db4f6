"""The policy snapshot says for each caller what to keep from it, why, and for which findings."""

import stat
from dataclasses import replace

import msgspec
import pytest
from respond_world import AGENT, APP, AT, LEAK, OTHER, finding, shop

from penstock.errors import NotReachable, NotUnderstood
from penstock.graph import identity
from penstock.graph.labels import propagate
from penstock.graph.store.protocol import AccessKey
from penstock.protect.snapshot import decode
from penstock.respond.cases import update
from penstock.respond.people import People
from penstock.respond.snapshot import compile_snapshot, read_snapshot, same_content, write_snapshot
from penstock.settings import GatewaySetting, Organisation, Settings, UpstreamSetting, parse_settings


def key(application, name="k", **more):
    return AccessKey(name, name, f"sha-of-{name}", application, AT, **more)


SETTINGS = Settings(security_team="security")


def compiled(settings=SETTINGS, keys=None, findings=(LEAK,), graph=None):
    graph = graph or shop().graph()
    labelling = propagate(graph)
    cases = update((), findings, (), People(graph, settings), graph, now=AT, labelling=labelling)
    keys = keys or [key(AGENT.id, "agent"), key(OTHER.id, "other"), key(APP.id, "app")]
    return compile_snapshot(graph, labelling, findings, cases, keys, settings, version=1, now=AT)


def rule(caller, id):
    return next((rule for rule in caller.rules if rule.id == id), None)


def test_agent_that_is_reached_by_personal_data_has_it_redacted_and_says_how_it_gets_there():
    caller = compiled().callers["sha-of-agent"]
    out = rule(caller, "out-pii")
    assert (out.direction, out.action, out.categories, out.findings) == ("out", "redact", ("pii",), ("f-leak",))
    way = "customers.csv → support-7b → http://llm.shop.example:8000 → support-agent"
    assert out.why == f"personal data can reach it: {way}"
    assert (caller.name, caller.owner, caller.approver) == ("support-agent", "support", "customer-data")


def test_neighbour_that_touches_nothing_has_only_the_rules_everybody_has():
    caller = compiled().callers["sha-of-other"]
    assert [r.id for r in caller.rules if "attack" not in r.id] == ["out-credentials", "in-credentials"]
    assert rule(caller, "out-credentials").findings == ()


def test_application_answers_for_the_agents_it_hands_on_to():
    caller = compiled().callers["sha-of-app"]
    assert rule(caller, "out-pii").findings == ("f-leak",)


def test_finding_that_is_not_about_the_data_is_not_the_rules():
    other = finding("f-else", subject=AGENT.id, path=(), root="else")
    graph = shop().graph()
    graph = replace(graph, relations=tuple(r for r in graph.relations if r.verb != "trained_on"))
    assert rule(compiled(findings=(other,), graph=graph).callers["sha-of-agent"], "out-pii") is None


def test_callers_observe_until_the_operator_says_enforce():
    assert {c.mode for c in compiled().callers.values()} == {"observe"}
    settings = Settings(modes={"support-agent": "enforce", APP.id: "enforce"})
    modes = {key: caller.mode for key, caller in compiled(settings).callers.items()}
    assert modes == {"sha-of-agent": "enforce", "sha-of-app": "enforce", "sha-of-other": "observe"}


def test_revoked_key_is_no_caller():
    assert "sha-of-x" not in compiled(keys=[key(AGENT.id, "x", revoked_at=AT - 1), key(APP.id)]).callers


def test_personal_data_for_a_provider_that_is_not_sanctioned_is_noted():
    world = shop().link(AGENT, "uses_model", identity.asset("model", "m-1", props={"provider": "elsewhere"}))
    graph = world.graph()
    settings = Settings(organisation=Organisation(sanctioned_providers=("openai",)))
    noted = rule(compiled(settings, graph=graph).callers["sha-of-agent"], "in-unsanctioned")
    assert (noted.direction, noted.action) == ("in", "observe")
    assert "elsewhere" in noted.why
    assert rule(compiled(graph=graph).callers["sha-of-agent"], "in-unsanctioned") is None


def test_same_world_makes_the_same_content_whatever_version_and_time():
    one = compiled()
    assert same_content(one, msgspec.structs.replace(compiled(), version=9, made_at=AT + 5))
    assert not same_content(one, compiled(Settings(upstreams=(UpstreamSetting("o", "https://o.example", "O_KEY"),))))


def test_file_is_replaced_whole_and_private(tmp_path):
    path = tmp_path / "state" / "snapshot.json"
    write_snapshot(path, compiled())
    write_snapshot(path, msgspec.structs.replace(compiled(), version=2))
    assert decode(path.read_bytes()).version == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["snapshot.json"]


def test_failure_to_write_leaves_the_old_one_in_force(tmp_path):
    path = tmp_path / "snapshot.json"
    path.mkdir()  # a folder cannot be replaced by a file
    with pytest.raises(NotReachable, match="cannot be written"):
        write_snapshot(path, compiled())
    assert [p.name for p in tmp_path.iterdir()] == ["snapshot.json"]


def test_unreadable_file_is_no_snapshot(tmp_path):
    (tmp_path / "snapshot.json").write_bytes(b'{"version": "x"')
    assert read_snapshot(tmp_path / "snapshot.json") is None
    assert read_snapshot(tmp_path / "none.json") is None


def test_the_operator_says_what_becomes_of_unknown_paths_how_a_refusal_reads_and_which_protocol_goes_where():
    said = replace(
        SETTINGS,
        gateway=GatewaySetting(unknown_paths="refuse", refusal="error"),
        upstreams=(UpstreamSetting("work", "https://models.example", surfaces=("anthropic",)),),
    )
    made = compiled(said)
    assert {(c.unknown_paths, c.refusal) for c in made.callers.values()} == {("refuse", "error")}
    assert made.upstreams[0].surfaces == ("anthropic",)


# ── what the operator writes ─────────────────────────────────────────────────────────────────────────────────────────


def declared(*rules, **more):
    return compiled(parse_settings({"policy": list(rules), **more}, "here")).callers["sha-of-agent"]


def test_a_rule_of_the_operator_stands_beside_those_of_the_graph():
    caller = declared(
        {"id": "cards", "action": "ask", "match": {"data": ["pci"], "model": ["gpt-*"]}, "message": "Use the vault"}
    )
    made = rule(caller, "cards")
    assert (made.action, made.categories, made.models, made.message) == ("ask", ("pci",), ("gpt-*",), "Use the vault")
    assert rule(caller, "out-pii").action == "redact"


def test_a_rule_with_the_name_of_one_of_the_graph_takes_its_place():
    assert rule(declared({"id": "out-pii", "action": "stop", "match": {"direction": "out", "data": ["pii"]}}),
                "out-pii").action == "stop"  # fmt: skip
    assert rule(declared({"id": "in-attack-user", "action": "allow"}), "in-attack-user") is None


def test_rules_hold_for_the_applications_they_name_and_the_labels_they_touch():
    stop = {"id": "x", "action": "stop"}
    assert rule(declared({**stop, "match": {"application": ["support-*"]}}), "x")
    assert not rule(declared({**stop, "match": {"application": ["billing"]}}), "x")
    assert rule(declared({**stop, "match": {"labels": ["pii"]}}), "x")
    assert not rule(declared({**stop, "match": {"labels": ["phi"]}}), "x")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"action": "stopp"}, "Did you mean stop"),
        ({"action": "redact"}, "match.data"),
        ({"action": "route", "to": "nowhere"}, "'nowhere' is no to"),
        ({"action": "stop", "when": "call.modle == 'x'"}, "call.modle"),
        ({"action": "throttle"}, "calls: 10"),
        ({"action": "tokenise", "match": {"direction": "out", "data": ["pii"]}}, "direction: in"),
    ],
)
def test_a_rule_that_cannot_be_put_in_force_is_told_in_words(wrong, says):
    with pytest.raises(NotUnderstood) as told:
        declared({"id": "r", **wrong})
    assert says in str(told.value)


def test_limits_and_allowed_models_reach_the_caller():
    caller = declared(limits=[{"application": ["support-*"], "per": "hour", "tokens": 5000, "models": ["gpt-4o*"]}])
    assert caller.limits[0].tokens == 5000 and caller.limits[0].seconds == 3600 and caller.models == ("gpt-4o*",)
