"""A stream in any pieces gets the verdict and the words of the whole answer; what is harmless arrives as it came."""

import json
import random

import pytest

from penstock.inspect.sensitive import redact
from penstock.inspect.sensitive.rows import written_out
from penstock.protect.exchange import Exchange
from penstock.protect.framing.sse import ServerSentEvents
from penstock.protect.inspection import Inspection
from penstock.protect.policy import ACTIONS, Policy, Record
from penstock.protect.stream_guard import StreamGuard
from penstock.protect.surfaces.openai_chat import OpenAIChat
from tests.protect.gateway_world import caller, chunks, rule

INSPECTION = Inspection()
SECRET = written_out("sk-proj-{url:48}")
PLANTED = [
    "Write to ada.lovelace@analytical.co.uk, she knows.",
    "Charge 4111 1111 1111 1111 before Friday",
    f"The key is {SECRET} indeed",
    "Both: grace@navy.mil/5500005555555559.",
    f"postgresql://app:{written_out('{alnum:20}')}@db.internal/x",
    "date of birth 1984-07-23 and SSN: 536-90-4399, IBAN DE89 3704 0044 0532 0130 00",
    "hid\U000e0068\U000e0069\U000e0070den and 日本 ada@analytical.co.uk 👩‍🔬",
]
BENIGN = "Orders ship on Monday 2026-03-04 at 11:02. 名前 👩‍🔬 costs 1,234.56, see https://shop.example/a?b=c&d=1 … bye"


def guarded(pieces, *rules, mode="enforce"):
    record = Record()
    streaming = OpenAIChat().streaming(Exchange("openai.chat", "gpt-4o", stream=True), "text/event-stream")
    guard = StreamGuard(Policy(caller(*rules, mode=mode)), INSPECTION, record, streaming, lambda _: "STOPPED")
    out = b"".join([guard.feed(piece) for piece in pieces]) + guard.finish()
    return out, record


def content(stream):
    """What a client puts together from a stream, by choice."""
    said = {}
    parser = ServerSentEvents()
    for event in [*parser.feed(stream), *filter(None, [parser.finish()])]:
        if event.data and event.data != b"[DONE]":
            for choice in json.loads(event.data).get("choices", []):
                said.setdefault(choice["index"], []).append(choice["delta"].get("content") or "")
    return {index: "".join(parts) for index, parts in said.items()}


def tokens(text, chance):
    pieces = []
    while text:
        size = chance.randrange(1, 9)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


@pytest.mark.parametrize("text", PLANTED)
def test_masks_are_those_of_the_whole_answer_at_every_split(text):
    spans = INSPECTION.spans(text)
    whole = redact(text, spans)
    assert whole != text
    for cut in range(len(text) + 1):
        pieces = [piece for piece in (text[:cut], text[cut:]) if piece]
        out, record = guarded([*chunks(*pieces), b"data: [DONE]\n\n"], rule("redact"))
        assert content(out) == {0: whole}
        assert record.verdict == "redact" and sum(record.seen.values()) == len(spans)


@pytest.mark.parametrize("text", PLANTED)
def test_masks_do_not_depend_on_how_bytes_arrive(text):
    stream = b"".join(chunks(*tokens(text, random.Random(1)))) + b"data: [DONE]\n\n"
    whole, _ = guarded([stream], rule("redact"))
    for cut in range(0, len(stream), 7):
        assert guarded([stream[:cut], stream[cut:]], rule("redact"))[0] == whole
    assert guarded([stream[i : i + 1] for i in range(len(stream))], rule("redact"))[0] == whole


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_harmless_streams_arrive_byte_for_byte(mode, end):
    chance = random.Random(3)
    events = [b": keep-alive\n\n", *chunks(*tokens(BENIGN, chance)), b"event: ping\ndata: {}\n\n", b"data: [DONE]\n\n"]
    stream = b"".join(events).replace(b"\n", end)
    for _ in range(40):
        cuts = sorted(chance.randrange(len(stream)) for _ in range(6))
        pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
        assert guarded(pieces, rule("redact"), mode=mode)[0] == stream


def test_only_the_masked_text_changes():
    events = chunks("Hi ", "ada@", "analytical.co.uk", " bye")
    out, _ = guarded([*events, b"data: [DONE]\n\n"], rule("redact"))
    expected = [*events]
    expected[2] = expected[2].replace(b'"ada@"', b'"[EMAIL]"')
    expected[3] = expected[3].replace(b'"analytical.co.uk"', b'""')
    assert out == b"".join(expected) + b"data: [DONE]\n\n"


def test_a_payload_over_several_lines_is_read_and_masked():
    event = b'data: {"choices": [{"index": 0,\ndata:  "delta": {"content": "ada@analytical.co.uk"}}]}\nid: 7\n\n'
    out, _ = guarded([event, b"data: [DONE]\n\n"], rule("redact"))
    assert content(out) == {0: "[EMAIL]"} and b"id: 7\n" in out


def test_choices_do_not_leak_into_each_other():
    one, two = chunks("ada@", "analytical.co.uk ok"), chunks("plain ", "words", choice=1)
    out, _ = guarded([piece for pair in zip(one, two, strict=True) for piece in pair], rule("redact"))
    assert content(out) == {0: "[EMAIL] ok", 1: "plain words"}


def test_a_stop_ends_the_stream_in_the_protocols_own_words():
    out, record = guarded(
        [*chunks("The key is ", SECRET, " and more"), b"data: [DONE]\n\n"], rule("stop", "credentials")
    )
    assert SECRET[:12] not in out.decode() and content(out)[0] == "The key is STOPPED"
    assert b'"finish_reason":"content_filter"' in out and out.endswith(b"data: [DONE]\n\n")
    assert record.verdict == "stop" and record.seen == {"out.credentials": 1}


def test_observing_changes_nothing_and_sees_all():
    events = [*chunks("ada@", "analytical.co.uk"), b"data: [DONE]\n\n"]
    out, record = guarded(events, rule("stop"), mode="observe")
    assert out == b"".join(events)
    assert record.verdict == "observe" and ACTIONS[record.meant] == "stop" and record.seen == {"out.pii": 1}


def call(arguments, **more):
    return {"tool_calls": [{"index": 0, "function": {"arguments": arguments}, **more}]}


def test_tool_arguments_wait_until_they_are_whole():
    streaming = OpenAIChat().streaming(Exchange("openai.chat", stream=True), "text/event-stream")
    guard = StreamGuard(Policy(caller(rule("redact"))), INSPECTION, Record(), streaming, lambda _: "")
    events = chunks(call("", id="call_1", type="function"), call('{"to": "ada@'), call('analytical.co.uk"}'))
    early = b"".join(guard.feed(event) for event in events)
    assert b"ada@" not in early and early.count(b'"arguments"') == 1
    late = guard.feed(b"data: [DONE]\n\n")
    assert b"[EMAIL]" in late and b"analytical" not in late


def test_tool_arguments_are_read_as_the_tool_will_read_them():
    escaped = '{"to": "ada\\u0040analytical.co.uk"}'
    out, _ = guarded([*chunks(call(escaped[:9]), call(escaped[9:])), b"data: [DONE]\n\n"], rule("redact"))
    assert b"analytical" not in out and b"[EMAIL]" in out


def test_token_probabilities_go_with_the_text_they_repeat():
    event = chunks("mail ada@analytical.co.uk now")[1]
    repeated = event.replace(
        b'"finish_reason"', b'"logprobs": {"content": [{"token": "ada@analytical.co.uk"}]}, "finish_reason"'
    )
    out, _ = guarded([repeated], rule("redact"))
    assert b"analytical" not in out


def test_an_error_in_the_stream_is_judged_too():
    out, _ = guarded([b'data: {"error": {"message": "no quota for ada@analytical.co.uk"}}\n\n'], rule("redact"))
    assert json.loads(out[6:])["error"]["message"] == "no quota for [EMAIL]"


def test_what_is_no_json_is_judged_as_text():
    out, _ = guarded([b"data: ask ada@analytical.co.uk\n\n"], rule("redact"))
    assert out == b"data: ask [EMAIL]\n\n"


def test_random_bytes_neither_crash_nor_grow():
    chance = random.Random(11)
    material = (
        b"".join(chunks("ada@analytical.co.uk ", "x" * 50))
        + b'data: [DONE]\n\ndata: {"choices": 7}\n\n\r\n\r\n{[}]\x00\xff'
    )
    for _ in range(300):
        pieces = []
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(len(material))
            pieces.append(material[at : at + chance.randrange(120)])
        guarded(pieces, rule("redact"))
        guarded(pieces, rule("stop"), mode="observe")
