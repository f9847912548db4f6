"""What was called shows in the inventory as the same asset that code would show."""

import pytest
from respond_world import AGENT, APP, AT, HELPDESK, MODEL, TRAINING, event, shop, team

from penstock.graph import identity
from penstock.graph.store import open_store
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import ADDING_SCOPES, VERBS, Complete
from penstock.respond import traffic, words
from penstock.respond.refresh import refresh
from penstock.respond.traffic import SCOPE, as_scan, roll_up
from penstock.settings import Settings


def call(number, upstream="https://api.openai.com/v1", **more):
    props = {"status": 200} | more.pop("props", {}) | ({"upstream": upstream} if upstream else {})
    return event(number, provider="front-door", model="gpt-4o", props=props, **more)


def relations(events):
    return {o.subject.key: o.evidence for o in roll_up(events) if not hasattr(o.subject, "kind")}


def test_many_calls_are_one_use_and_the_last_is_its_evidence():
    found = relations([call(3), call(9), call(5)])
    model = identity.asset("model", "gpt-4o", props={"provider": "openai"})
    assert set(found) == {(APP.id, "uses_model", model.id)}
    assert found[APP.id, "uses_model", model.id].where == "event e9"
    assert found[APP.id, "uses_model", model.id].scope == SCOPE


def test_order_of_events_does_not_matter():
    assert roll_up([call(1), call(2)]) == roll_up([call(2), call(1)])


def test_own_endpoint_is_the_one_that_code_calls():
    found = relations([call(1, "http://llm.shop.example:8000/v1")])
    from_code = identity.model_at("http://llm.shop.example:8000/v1", "gpt-4o", "repo:shop/helpdesk")
    place = identity.endpoint("http://llm.shop.example:8000/v1", "repo:shop/helpdesk")
    assert set(found) == {
        (APP.id, "uses_model", from_code.id),
        (APP.id, "invokes", place.id),
        (place.id, "serves", from_code.id),
    }


def test_what_failed_or_has_no_caller_says_nothing():
    silent = [call(1, props={"status": 404}), call(2, application=""), call(3, upstream="")]
    assert roll_up(silent) == ()
    assert relations([event(4, provider="openai", model="gpt-4o")])


# ── what traffic does to what is known ───────────────────────────────────────────────────────────────────────────────

OPENAI = identity.asset("model", "gpt-4o", props={"provider": "openai"})
OWN_ADDRESS = "http://llm.shop.example:8000"
OWN = identity.model_at(OWN_ADDRESS, "gpt-4o", HELPDESK)
SETTINGS = Settings(security_team="security")


@pytest.fixture
def store(tmp_path):
    """The shop, looked through in full, with an agent that uses a hosted model and one of the shop's own."""
    opened = open_store(tmp_path / "penstock.db")
    world = shop().link(AGENT, "uses_model", OPENAI).link(AGENT, "uses_model", OWN)
    scopes = (HELPDESK, TRAINING)
    complete = tuple(Complete(scope, verb, "test") for scope in scopes for verb in VERBS)
    opened.ingest(Scan(tuple(world.observations), complete, scopes=scopes, finished=scopes, at=AT))
    yield opened
    opened.close()


def judged(store, tmp_path, now):
    """Findings and questions: rule and asset of each."""
    made = refresh(store, SETTINGS, tmp_path, now=now).assessment
    findings = {(f.rule, f.subject, f.severity) for f in made.findings}
    return findings, {(q.asset, q.prop, q.verb) for q in made.questions}


def test_calls_of_what_is_known_change_no_finding_and_ask_no_question(store, tmp_path):
    before = judged(store, tmp_path, AT)
    assert before[0]
    calls = [call(1, application=AGENT.id), call(2, OWN_ADDRESS, application=AGENT.id)]
    store.ingest(as_scan(roll_up(calls), AT + 1))
    assert SCOPE in store.graph().scopes_of(OPENAI.id)
    assert store.graph().knows_all(OPENAI.id, "guarded_by")
    assert judged(store, tmp_path, AT + 2) == before


def test_a_persons_word_puts_nothing_in_doubt(store, tmp_path):
    before = judged(store, tmp_path, AT)
    words.say(store, "ada", MODEL.id, props={"region": "eu-central-1"}, now=AT + 1)
    assert words.SCOPE in store.graph().scopes_of(MODEL.id)
    assert judged(store, tmp_path, AT + 2) == before


def test_nothing_is_known_to_be_missing_of_what_only_traffic_showed(store):
    stranger = call(1, "https://api.mistral.ai/v1", application=AGENT.id)
    store.ingest(as_scan(roll_up([stranger]), AT + 1))
    graph = store.graph()
    (seen,) = [a.id for a in graph.of_kind("model") if graph.scopes_of(a.id) == {SCOPE}]
    assert not any(graph.knows_all(seen, verb) for verb in VERBS)


def test_a_roll_up_neither_retires_nor_ages_what_earlier_ones_saw(store):
    store.ingest(as_scan(roll_up([call(1, "https://api.mistral.ai/v1", application=AGENT.id)]), AT + 1))
    before = set(store.graph().assets)
    changes = store.ingest(as_scan(roll_up([call(2, application=AGENT.id)]), AT + 2))
    assert not changes.removed and not changes.changed
    assert set(store.graph().assets) == before
    assert {a.lifecycle for a in store.graph().assets.values()} == {"current"}
    assert all((SCOPE, verb) in store.graph().complete for verb in VERBS)


def test_scopes_that_only_add_are_those_of_traffic_and_words():
    assert {traffic.SCOPE, words.SCOPE} == ADDING_SCOPES


def test_who_names_another_owner_no_longer_means_the_first(store, tmp_path):
    for place, name in enumerate(("team one", "team two")):
        words.say(store, "ada", AGENT.id, owner=name, why=f"reason {place}", now=AT + 1 + place)
    words.say(store, "bo", AGENT.id, owner="team one", now=AT + 5)
    graph = store.graph()
    said = {r.target: graph.evidence[r.key] for r in graph.out(AGENT.id, "owned_by")}
    assert [e.collector for e in said[team("team-one").id]] == ["person:bo"]
    assert [e.chain for e in said[team("team-two").id]] == [("reason 1",)]


def test_a_process_is_the_one_known_by_that_name_or_a_new_one(store):
    for name in ("customer SUPPORT", "Order handling"):
        words.say(store, "ada", AGENT.id, process=name, now=AT + 1)
    assert {p.name for p in store.graph().of_kind("process")} == {"Customer support", "Order handling"}
    assert len(list(store.graph().out(AGENT.id, "supports"))) == 2
