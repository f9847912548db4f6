"""A2A through the gateway: messages, streams of both revisions, cards, and what is hostile."""

import json
import time

import httpx
import pytest

from penstock.protect.gateway import build
from penstock.protect.sink import MemorySink
from penstock.protect.snapshot import Upstream
from penstock.protect.snapshot_source import FixedSnapshot
from tests.protect.gateway_world import KEY, Provider, rule, served, snapshot

TOLD = {"Authorization": f"Bearer {KEY}"}
SAID = "write to ada@analytical.co.uk today"


class World:
    def __init__(self, provider):
        self.provider, self.sink, self.source = provider, MemorySink(), FixedSnapshot(None)

    def rules(self, *rules, **more):
        fresh = snapshot(*rules, **more)
        upstream = (Upstream(name="desk", base_url=f"{self.provider.root}/rpc", surfaces=("a2a",)),)
        self.source.put(type(fresh)(version=1, made_at=0.0, callers=fresh.callers, upstreams=upstream))

    def post(self, body, **how):
        return httpx.post(f"{self.root}/a2a/desk", content=body, headers=TOLD, timeout=20, **how)


@pytest.fixture
def world():
    provider = Provider()
    with served(provider) as provider.root:
        here = World(provider)
        here.rules()
        with served(build(here.source, here.sink)) as here.root:
            yield here


def ask(text, method="SendMessage"):
    message = {"messageId": "m1", "role": "ROLE_USER", "parts": [{"text": text}]}
    return json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": {"message": message}}).encode()


def answer(text):
    message = {"messageId": "m2", "role": "ROLE_AGENT", "parts": [{"text": text}]}
    return json.dumps({"jsonrpc": "2.0", "id": 7, "result": {"message": message}}).encode()


def artifact(text, cut, old):
    """The events of one artifact in pieces, in the words of 0.3 or 1.0."""
    for start in range(0, len(text), cut):
        part = {"kind": "text", "text": text[start : start + cut]} if old else {"text": text[start : start + cut]}
        update = {"taskId": "t", "contextId": "c", "append": start > 0, "lastChunk": start + cut >= len(text),
                  "artifact": {"artifactId": "a1", "parts": [part]}}  # fmt: skip
        told = {"kind": "artifact-update", **update} if old else {"artifactUpdate": update}
        yield b"data: " + json.dumps({"jsonrpc": "2.0", "id": 7, "result": told}).encode() + b"\n\n"


def texts(body):
    events = [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: ")]
    found = [event["result"].get("artifactUpdate", event["result"]) for event in events if "result" in event]
    return "".join(part["text"] for update in found for part in update["artifact"]["parts"]), events


def test_harmless_messages_pass_byte_for_byte_and_are_noted(world):
    world.rules(rule("redact", "pii", direction="in"), rule("redact", "pii", direction="out"))
    world.provider.says(answer("fine"))
    assert world.post(ask("hello")).content == answer("fine")
    assert world.provider.asked[0][1] == ask("hello")
    until = time.monotonic() + 5
    while not world.sink.events and time.monotonic() < until:
        time.sleep(0.01)
    event = world.sink.events[0]
    assert (event.surface, event.props["agent"], event.props["method"]) == ("a2a", "desk", "SendMessage")


def test_what_leaves_and_what_comes_is_masked(world):
    world.rules(rule("redact", "pii", direction="in"), rule("redact", "pii", direction="out"))
    world.provider.says(answer(SAID))
    told = world.post(ask(SAID, "message/send")).json()
    assert told["result"]["message"]["parts"][0]["text"] == "write to [EMAIL] today"
    assert b"write to [EMAIL] today" in world.provider.asked[0][1]


@pytest.mark.parametrize("direction", ["in", "out"])
def test_what_is_stopped_is_an_error_of_the_protocol(world, direction):
    world.rules(rule("stop", "pii", direction=direction))
    world.provider.says(answer(SAID))
    told = world.post(ask(SAID)).json()
    assert (told["id"], told["error"]["code"]) == (7, -32000)
    assert "team-security" in told["error"]["message"]
    assert len(world.provider.asked) == (direction == "out")


@pytest.mark.parametrize("old", [True, False], ids=["0.3", "1.0"])
def test_pieces_of_an_artifact_are_one_text_however_they_are_cut(world, old):
    world.rules(rule("redact", "pii", direction="out"))
    for cut in (1, 3, 9, 20, 100):
        world.provider.says(*artifact(SAID, cut, old), type="text/event-stream")
        assert texts(world.post(ask("go", "SendStreamingMessage")).content)[0] == "write to [EMAIL] today"


def test_a_stream_that_policy_stops_ends_with_the_reason(world):
    world.rules(rule("stop", "pii", direction="out"))
    world.provider.says(*artifact(SAID, 4, False), type="text/event-stream")
    told, events = texts(world.post(ask("go", "message/stream")).content)
    assert "ada@" not in told
    assert "an e-mail address" in events[-1]["error"]["message"]


def test_a_card_leads_back_to_the_gateway_and_is_noted(world):
    card = {"name": "desk", "version": "2", "url": "https://desk.example/rpc", "skills": [{"name": "answers"}],
            "supportedInterfaces": [{"url": "https://desk.example/rpc", "protocolBinding": "JSONRPC"}],
            "signatures": [{"signature": "x"}]}  # fmt: skip
    world.provider.says(json.dumps(card).encode())
    told = httpx.get(f"{world.root}/a2a/desk/.well-known/agent-card.json", headers=TOLD).json()
    assert told["url"] == told["supportedInterfaces"][0]["url"] == f"{world.root}/a2a/desk"
    assert "signatures" not in told
    assert world.sink.events[-1].props["card"] == {"name": "desk", "version": "2", "skills": ["answers"]}


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"[]", 400), (b"\xff", 400), (b"[" * 100_000, 400), (b"x" * (33 << 20), 413),
     (b"[" + b",".join([ask("a")] * 2) + b"]", 400),
     (b'{"jsonrpc":"2.0","id":1,"method":"SendMessage","method":"CancelTask"}', 400)],
    ids=range(7),
)  # fmt: skip
def test_hostile_messages_are_refused(world, body, status):
    assert world.post(body).status_code == status
    assert world.provider.asked == []


def test_others_than_those_that_may_are_turned_away(world):
    assert httpx.post(f"{world.root}/a2a/desk", content=ask("a")).status_code == 401
    assert httpx.post(f"{world.root}/a2a/other", content=ask("a"), headers=TOLD).status_code == 404
    assert httpx.get(f"{world.root}/a2a/desk", headers=TOLD).status_code == 405
