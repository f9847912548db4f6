"""What rules make of spans."""

import pytest

from penstock.inspect.span import Span
from penstock.protect.keys import caller_id, key_of
from penstock.protect.policy import Policy
from penstock.protect.snapshot_source import InForce
from tests.protect.gateway_world import KEY, caller, rule, snapshot


def span(category, kind="X", confidence=0.9):
    return Span(0, 5, kind, category, confidence, "because", "row")


def decide(*rules, spans, direction="out", mode="enforce"):
    return Policy(caller(*rules, mode=mode)).decide(direction, spans)


def test_the_most_severe_rule_wins():
    rules = [rule("observe"), rule("redact", "pii"), rule("stop", "credentials")]
    assert decide(*rules, spans=[span("phi")]).action == "observe"
    assert decide(*rules, spans=[span("phi"), span("pii")]).action == "redact"
    assert decide(*rules, spans=[span("pii"), span("credentials")]).action == "stop"


def test_only_spans_that_a_rule_masks_are_masked():
    assert decide(rule("redact", "pii"), rule("observe"), spans=[span("pii"), span("phi")]).redact == (span("pii"),)


def test_rules_hold_for_their_direction_category_and_type_only():
    masks_cards = rule("redact", "pci", types=("CREDIT_CARD",))
    assert decide(masks_cards, spans=[span("pci")]).action == "allow"
    assert decide(masks_cards, spans=[span("pci", "CREDIT_CARD")]).action == "redact"
    assert decide(masks_cards, spans=[span("pci", "CREDIT_CARD")], direction="in").action == "allow"


def test_observing_reduces_every_action_to_a_note():
    decision = decide(rule("stop"), spans=[span("pii")], mode="observe")
    assert (decision.action, decision.meant, decision.redact) == ("observe", "stop", ())


def test_marks_and_guesses_move_nothing():
    assert decide(rule("stop"), spans=[span("mark"), span("pii", confidence=0.2)]).action == "allow"


@pytest.mark.parametrize("header", [{b"authorization": b"Bearer " + KEY.encode()}, {b"api-key": KEY.encode()}])
def test_a_key_is_known_by_its_hash(header):
    assert key_of(header) == KEY and caller_id(KEY, snapshot()) in snapshot().callers


@pytest.mark.parametrize("key", ["", "x", KEY + " ", KEY[:-1], "ключ"])
def test_other_keys_are_not_known(key):
    assert caller_id(key, snapshot()) == "" and InForce(snapshot()).policy_of(key) is None


def test_unknown_callers_get_the_policy_made_for_them():
    assert InForce(snapshot(unknown=caller(name="anyone"))).policy_of("x").caller.name == "anyone"
