"""The verdict does not depend on the protocol, on streaming, or on where the bytes are cut."""

import json
import random

import pytest

from examples.protocols import PROTOCOLS
from tests.protect.parity import BENIGN, PLANTED, arguments, asked, in_tokens, in_two, policy, recut, streamed, whole

ALL = pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
CALLING = pytest.mark.parametrize(
    "protocol", [one for one in PROTOCOLS if one.call("{}")], ids=lambda protocol: protocol.name
)
EXPECTED = PROTOCOLS[0]


@ALL
@pytest.mark.parametrize("action", ["redact", "observe"])
def test_planted_words_meet_the_same_verdict_whole_and_streamed(protocol, action):
    chance = random.Random(1)
    using = policy(action)
    for text, secret in PLANTED.values():
        expected = whole(EXPECTED, EXPECTED.answer(text), using)
        assert expected.verdict == action and (secret in expected.text) == (action == "observe")
        found = whole(protocol, protocol.answer(text), using)
        assert (found.text, found.verdict, found.seen) == (expected.text, expected.verdict, expected.seen)
        for _ in range(3):
            pieces = recut(protocol.events(in_tokens(text, chance)), chance)
            found = streamed(protocol, pieces, using)
            assert (found.text, found.verdict, found.seen) == (expected.text, expected.verdict, expected.seen)


@ALL
def test_stopped_words_never_arrive_and_the_answer_says_so_in_the_protocols_own_words(protocol):
    chance = random.Random(2)
    for text, secret in PLANTED.values():
        assert whole(protocol, protocol.answer(text), policy("stop")).text == "STOPPED"
        found = streamed(protocol, recut(protocol.events(in_tokens(text, chance)), chance), policy("stop"))
        assert found.text.endswith("STOPPED") and secret not in found.text and found.verdict == "stop"


@CALLING
def test_arguments_of_tools_meet_the_same_verdict(protocol):
    chance = random.Random(3)
    for text, secret in PLANTED.values():
        expected = whole(EXPECTED, EXPECTED.call(arguments(text)), policy())
        found = whole(protocol, protocol.call(arguments(text)), policy())
        assert json.loads(found.text) == json.loads(expected.text) and secret not in found.text
        assert (found.verdict, found.seen) == (expected.verdict, expected.seen)
        found = streamed(protocol, recut(protocol.called(in_tokens(arguments(text), chance)), chance), policy())
        assert json.loads(found.text) == json.loads(expected.text)
        assert (found.verdict, found.seen) == (expected.verdict, expected.seen)


@CALLING
def test_numbers_in_arguments_are_masked_and_stay_json(protocol):
    given = '{"card": 4111111111111111, "amount": 12}'
    expected = {"card": "[CREDIT_CARD]", "amount": 12}
    assert json.loads(whole(protocol, protocol.call(given), policy()).text) == expected
    assert json.loads(streamed(protocol, protocol.called([given[:14], given[14:]]), policy()).text) == expected


@ALL
def test_benign_twins_arrive_byte_for_byte(protocol):
    chance = random.Random(4)
    for text in BENIGN.values():
        for action in ("redact", "stop"):
            assert whole(protocol, protocol.answer(text), policy(action)).untouched
            found = streamed(protocol, recut(protocol.events(in_tokens(text, chance)), chance), policy(action))
            assert found.untouched and found.verdict == "allow" and found.text == text


@ALL
@pytest.mark.parametrize("stream", [False, True])
def test_prompts_are_masked_before_they_leave_and_nothing_else_changes(protocol, stream):
    for text, secret in PLANTED.values():
        body, sent, decision, record = asked(protocol, text, stream, policy())
        assert decision.action == "redact" and secret not in sent.decode() and record.verdict == "redact"
        assert json.loads(sent).keys() == json.loads(body).keys()
    for text in BENIGN.values():
        body, sent, _, _ = asked(protocol, text, stream, policy())
        assert sent is body


@pytest.mark.slow
@ALL
def test_planted_words_are_masked_at_every_split(protocol):
    for text, _ in PLANTED.values():
        expected = whole(EXPECTED, EXPECTED.answer(text), policy())
        for pieces in in_two(text):
            found = streamed(protocol, protocol.events(pieces), policy())
            assert (found.text, found.verdict, found.seen) == (expected.text, expected.verdict, expected.seen)


@pytest.mark.slow
@ALL
def test_masks_do_not_depend_on_any_cut_of_the_bytes(protocol):
    for text, _ in PLANTED.values():
        data = b"".join(protocol.events(in_tokens(text, random.Random(5))))
        expected = whole(EXPECTED, EXPECTED.answer(text), policy())
        for cut in range(1, len(data)):
            found = streamed(protocol, [data[:cut], data[cut:]], policy())
            assert (found.text, found.verdict, found.seen) == (expected.text, expected.verdict, expected.seen)
