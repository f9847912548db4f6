"""What was called shows in the inventory as the same asset that code would show."""

from respond_world import APP, event

from penstock.graph import identity
from penstock.respond.traffic import SCOPE, as_scan, roll_up


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
    assert set(found) == {
        (APP.id, "uses_model", from_code.id),
        (APP.id, "invokes", identity.endpoint("http://llm.shop.example:8000/v1", "repo:shop/helpdesk").id),
    }


def test_what_failed_or_has_no_caller_says_nothing():
    silent = [call(1, props={"status": 404}), call(2, application=""), call(3, upstream="")]
    assert roll_up(silent) == ()
    assert relations([event(4, provider="openai", model="gpt-4o")])


def test_traffic_retires_nothing():
    assert as_scan(roll_up([call(1)]), 1.0).finished == ()
