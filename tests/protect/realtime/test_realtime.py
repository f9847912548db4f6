"""Realtime sessions: the real client library, the gateway, and a provider that speaks the protocol, on loopback."""

import asyncio
import contextlib
import json
import threading
import time

import pytest
import uvicorn
from openai import AsyncOpenAI
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from penstock.protect.doors.room import Room
from penstock.protect.gateway import build
from penstock.protect.inspection import Inspection
from penstock.protect.policy import Policy
from penstock.protect.realtime.door import Session
from penstock.protect.sink import MemorySink
from penstock.protect.snapshot import Upstream
from penstock.protect.snapshot_source import FixedSnapshot
from tests.protect.gateway_world import KEY, caller, rule, snapshot

SAID = "I will write to ada@analytical.co.uk today."
SOUND = "AAECAwQFBgcICQoLDA0ODw=="


def response(text, cut=7, home="resp_1", tool=None):
    """The events of one response, its text cut into pieces."""
    about = {"response_id": home, "item_id": f"item_{home}", "output_index": 0, "content_index": 0}
    yield {"type": "response.created", "response": {"id": home, "object": "realtime.response", "output": []}}
    if tool:
        for piece in (tool[:9], tool[9:]):
            yield {"type": "response.function_call_arguments.delta", "delta": piece, "call_id": "c", **about}
        yield {"type": "response.function_call_arguments.done", "arguments": tool, "call_id": "c", **about}
    for start in range(0, len(text), cut):
        yield {"type": "response.output_text.delta", "delta": text[start : start + cut], **about}
    yield {"type": "response.output_audio.delta", "delta": SOUND, **about}
    yield {"type": "response.output_text.done", "text": text, **about}
    part = {"type": "output_text", "text": text}
    done = {"id": home, "object": "realtime.response", "status": "completed",
            "output": [{"id": f"item_{home}", "type": "message", "role": "assistant", "content": [part]}],
            "usage": {"input_tokens": 3, "output_tokens": 5}}  # fmt: skip
    yield {"type": "response.done", "response": done}


class Provider:
    """Answers each ``response.create`` with ``text``; remembers what it was sent."""

    def __init__(self):
        self.heard, self.headers, self.text, self.tool = [], None, SAID, None

    async def __call__(self, socket):
        self.headers = socket.request.headers
        await socket.send(json.dumps({"type": "session.created", "event_id": "e0", "session": {"id": "s"}}))
        with contextlib.suppress(ConnectionClosed):
            async for message in socket:
                event = json.loads(message)
                self.heard.append(event)
                if event["type"] == "response.create":
                    for number, answer in enumerate(response(self.text, tool=self.tool)):
                        await socket.send(json.dumps({**answer, "event_id": f"e{number}"}))


@contextlib.asynccontextmanager
async def world(*rules, **more):
    provider, sink = Provider(), MemorySink()
    async with serve(provider, "127.0.0.1", 0) as running:
        upstream = f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}/v1"
        source = FixedSnapshot(snapshot(*rules, upstream=upstream, **more))
        server = uvicorn.Server(uvicorn.Config(build(source, sink), port=0, ws="auto", log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            await asyncio.sleep(0.01)
        provider.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        provider.sink = sink
        yield provider
        server.should_exit = True
        await asyncio.to_thread(thread.join, 5)


async def spoken(provider, ask="hello"):
    """One turn with the real client: the text it heard, the events it got."""
    client = AsyncOpenAI(base_url=f"{provider.url}/v1", api_key=KEY)
    events = []
    async with client.realtime.connect(model="gpt-realtime") as session:
        await session.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": ask}]}
        )
        await session.response.create()
        async for event in session:
            events.append(event)
            if event.type == "response.done":
                break
    return "".join(event.delta for event in events if event.type == "response.output_text.delta"), events


async def test_a_session_passes_and_each_turn_is_noted(monkeypatch):
    monkeypatch.setenv("PENSTOCK_TEST_UPSTREAM_KEY", "upstream-credential")
    async with world() as provider:
        text, events = await spoken(provider)
        assert text == SAID
        assert events[-1].response.status == "completed"
        assert provider.headers["authorization"] == "Bearer upstream-credential"
        (event,) = provider.sink.events
    assert (event.surface, event.model, event.props["usage"]) == (
        "openai.realtime",
        "gpt-realtime",
        {"in": 3, "out": 5},
    )
    assert event.seen.get("out.pii")
    assert event.props["sound_out"] == 18
    assert "ada@" not in repr(event)


async def test_a_value_in_pieces_is_masked_wherever_it_is_stated():
    async with world(rule("redact", "pii", direction="out")) as provider:
        provider.tool = '{"to": "ada@analytical.co.uk"}'
        text, events = await spoken(provider)
        assert text == "I will write to [EMAIL] today."
        assert "ada@" not in repr(events)
        arguments = "".join(e.delta for e in events if e.type == "response.function_call_arguments.delta")
        assert json.loads(arguments) == {"to": "[EMAIL]"}


async def test_a_response_that_policy_stops_ends_with_the_reason_and_is_cancelled_upstream():
    async with world(rule("stop", "pii", direction="out")) as provider:
        text, events = await spoken(provider)
        assert "ada@" not in repr(events)
        assert "ada" not in text
        (told,) = [event for event in events if event.type == "error"]
        assert "team-security" in told.error.message
        assert events[-1].response.status == "incomplete"
        until = time.monotonic() + 5
        while provider.heard[-1]["type"] != "response.cancel" and time.monotonic() < until:
            await asyncio.sleep(0.01)
        assert provider.heard[-1] == {"type": "response.cancel", "response_id": "resp_1"}


async def test_what_a_client_says_is_judged_before_it_leaves():
    async with world(rule("redact", "pii", direction="in")) as provider:
        await spoken(provider, "I am ada@analytical.co.uk")
        assert provider.heard[0]["item"]["content"][0]["text"] == "I am [EMAIL]"
    async with world(rule("stop", "pii", direction="in")) as provider:
        _, events = await spoken(provider, "I am ada@analytical.co.uk")
        assert [event["type"] for event in provider.heard] == ["response.create"]
        assert any(event.type == "error" and event.error.code == "stopped_by_policy" for event in events)


async def test_an_unknown_key_is_turned_away():
    async with world() as provider:
        place = provider.url.replace("http", "ws") + "/v1/realtime?model=m"
        with pytest.raises(Exception, match=r"403|rejected"):
            async with connect(place, additional_headers={"Authorization": "Bearer nobody"}):
                pass
        async with connect(place, subprotocols=["realtime", f"openai-insecure-api-key.{KEY}"]) as socket:
            assert json.loads(await socket.recv())["type"] == "session.created"


# ── without sockets ──────────────────────────────────────────────────────────────────────────────────────────────────


def session(*rules, **more):
    source = FixedSnapshot(snapshot(*rules, **more))
    room = Room(source, MemorySink(), Inspection(), lambda: None, {"refused": 0, "calls": 0})
    return Session(
        room, source.current(), Policy(caller(*rules, **more)), Upstream(name="openai", base_url="https://x"), "m"
    )


def heard(one, text, cut):
    out = [event for answer in response(text, cut) for event in one.from_server(json.dumps(answer).encode())[0]]
    return "".join(e["delta"] for e in map(json.loads, out) if e["type"] == "response.output_text.delta"), out


@pytest.mark.parametrize("action", ["redact", "stop"])
def test_the_verdict_is_the_same_however_the_text_is_cut(action):
    texts = {cut: heard(session(rule(action, "pii", direction="out")), SAID, cut)[0] for cut in range(1, len(SAID) + 1)}
    if action == "redact":
        assert set(texts.values()) == {"I will write to [EMAIL] today."}
    else:
        assert not any("ada@" in text for text in texts.values())


def test_harmless_events_pass_byte_for_byte():
    one = session(rule("redact", "pii", direction="out"), rule("redact", "pii", direction="in"))
    odd = b'{ "type":"input_audio_buffer.append", "audio" :"' + SOUND.encode() + b'" }'
    assert one.from_client(odd) == (odd, [])
    sent = [json.dumps(answer).encode() for answer in response("All is well.")]
    assert [event for data in sent for event in one.from_server(data)[0]] == sent


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 5000, b'{"type":7}', b"{}"])
def test_hostile_events_are_refused_or_harmless(data):
    one = session(rule("redact", "pii", direction="out"), rule("redact", "pii", direction="in"))
    on, back = one.from_client(data)
    assert on == data or json.loads(back[0])["type"] == "error"
    one.from_server(data)
    one.close()


def test_a_session_without_end_holds_little():
    one = session(rule("redact", "pii", direction="out"))
    for number in range(2_000):
        first = next(iter(response("x", home=f"r{number}")))
        one.from_server(json.dumps(first).encode())
    assert len(one._following) <= 16
