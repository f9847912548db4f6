"""``POST /v1/inspect``: texts in, a verdict out, by the policy of whoever asks."""

import httpx
import pytest

from tests.protect.gateway_world import KEY, rule

MAIL = "write to ada@analytical.co.uk now"
TOLD = {"Authorization": f"Bearer {KEY}"}


def asked(gateway, said, **more):
    return httpx.post(f"{gateway.url}/inspect", headers=TOLD, json=said, **more)


def test_a_text_comes_back_masked_with_what_was_seen(gateway):
    gateway.rules(rule("redact", "pii", direction="in"))
    told = asked(gateway, {"text": MAIL}).json()
    assert (told["verdict"], told["text"], told["stopped"]) == ("redact", "write to [EMAIL] now", False)
    assert [(seen["type"], MAIL[seen["start"] : seen["end"]]) for seen in told["spans"]] == [
        ("EMAIL", "ada@analytical.co.uk")
    ]
    assert [fired["id"] for fired in told["rules"]] == ["in-redact"]
    assert gateway.event.id == told["reference"]
    assert (gateway.event.surface, gateway.event.seen) == ("inspect", {"in.pii": 1})


def test_messages_keep_their_shape(gateway):
    gateway.rules(rule("redact", "pii", direction="in"))
    parts = [{"type": "text", "text": MAIL}, {"type": "text", "text": "fine"}]
    said = [{"role": "system", "content": "be kind"}, {"role": "user", "content": parts}]
    told = asked(gateway, {"messages": said}).json()
    assert told["messages"][0] == said[0]
    assert told["messages"][1]["content"] == [{"type": "text", "text": "write to [EMAIL] now"}, parts[1]]


def test_what_is_stopped_says_why_and_is_not_handed_back(gateway):
    gateway.rules(rule("stop", "pii", direction="out"))
    told = asked(gateway, {"text": MAIL, "direction": "out", "channel": "assistant"}).json()
    assert told["stopped"]
    assert "text" not in told
    assert "team-security" in told["message"]
    assert told["reference"] in told["message"]


def test_observing_hands_back_what_came_and_what_would_be_done(gateway):
    gateway.rules(rule("stop", "pii", direction="in"), mode="observe")
    told = asked(gateway, {"text": MAIL}).json()
    assert (told["verdict"], told["would"], told["text"]) == ("observe", "stop", MAIL)


@pytest.mark.parametrize(
    "said",
    [{}, {"text": "a", "messages": []}, {"text": 7}, {"text": "a", "chanel": "user"}, {"text": "a", "channel": "b"},
     {"text": "a", "direction": "up"}, {"messages": [{"role": "user", "content": [{"image": 1}]}]},
     {"messages": [{"role": "user", "content": "x"}] * 5000}, [1]],
    ids=range(9),
)  # fmt: skip
def test_what_is_not_as_described_is_refused_in_words(gateway, said):
    answer = asked(gateway, said)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "not_understood")


@pytest.mark.parametrize(
    "body", [b"", b"[" * 100_000, b'{"text":"\xff"}', b'{"text":"\\ud800"}', b'{"text":' + b'{"a":' * 5000],
    ids=range(5),
)  # fmt: skip
def test_hostile_bodies_are_refused(gateway, body):
    assert httpx.post(f"{gateway.url}/inspect", headers=TOLD, content=body).status_code == 400


def test_an_unknown_key_and_another_method_are_refused(gateway):
    assert httpx.post(f"{gateway.url}/inspect", json={"text": "a"}).status_code == 401
    assert httpx.get(f"{gateway.url}/inspect", headers=TOLD).status_code == 405
    assert httpx.post(f"{gateway.url}/inspect", headers=TOLD, content=b"x" * (33 << 20)).status_code == 413
