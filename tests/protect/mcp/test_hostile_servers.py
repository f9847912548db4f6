"""Servers of MCP that misbehave, behind the gateway: what they send is bounded, and ends with its client."""

import json
import time

import httpx
import pytest

from penstock.protect.gateway import build
from penstock.protect.mcp import door
from tests.protect.gateway_world import KEY, Provider, rule, served
from tests.protect.mcp.world import Served

TOLD = {"Authorization": f"Bearer {KEY}", "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json"}  # fmt: skip
LIST = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'


def event(**more):
    return b"data: " + json.dumps({"jsonrpc": "2.0", **more}, ensure_ascii=False).encode() + b"\n\n"


PROGRESS = event(method="notifications/progress", params={"progressToken": 1, "progress": 1})


@pytest.fixture
def here():
    provider = Provider()
    with served(provider) as url:
        one = Served(f"{url}/mcp")
        one.provider = provider
        one.rules(rule("redact", "pii", direction="out"))
        with served(build(one.source, one.sink)) as one.root:
            yield one


def asked(here):
    return httpx.post(here.url, content=LIST, headers=TOLD, timeout=20)


def test_a_stream_without_end_is_closed_upstream_when_its_client_leaves(here):
    here.provider.says(*[PROGRESS] * 100_000, type="text/event-stream", pause=0.001)
    with httpx.stream("POST", here.url, content=LIST, headers=TOLD, timeout=10) as answer:
        assert next(answer.iter_bytes()).startswith(b"data: ")
    assert here.provider.closed.wait(5)


def test_events_arrive_while_the_stream_is_open(here):
    here.provider.says(PROGRESS, PROGRESS, event(id=1, result={"tools": []}), type="text/event-stream", pause=0.5)
    began = time.monotonic()
    with httpx.stream("POST", here.url, content=LIST, headers=TOLD, timeout=10) as answer:
        next(answer.iter_bytes())
        assert time.monotonic() - began < 0.9


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_stream_in_any_pieces_says_the_same_and_keeps_its_ids(here, size):
    stream = b": hello\r\n\r\nid: 4\r\nevent: message\r\n" + event(
        id=1, result={"content": [{"type": "text", "text": "an ada@analytical.co.uk, Grüße"}]}
    ).replace(b"\n", b"\r\n")
    here.provider.says(*[stream[at : at + size] for at in range(0, len(stream), size)], type="text/event-stream")
    assert asked(here).content == stream.replace(b"ada@analytical.co.uk", b"[EMAIL]")


@pytest.mark.parametrize(
    "data",
    [b"data: {\n\n", b"data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"result\":{}}\n\n", b"data: [[[[[[\n\n",
     b"data: \xff\xfe\n\n"],
    ids=range(4),
)  # fmt: skip
def test_what_cannot_be_read_is_not_handed_on_where_policy_acts(here, data):
    here.provider.says(data, PROGRESS, type="text/event-stream")
    assert asked(here).content == PROGRESS
    here.rules(mode="observe")
    assert asked(here).content == data + PROGRESS


def test_an_event_that_is_too_long_ends_the_stream(here, monkeypatch):
    monkeypatch.setattr(door, "LONGEST", 100_000)
    here.provider.says(PROGRESS, *[b"data: " + b"x" * 50_000] * 10, type="text/event-stream")
    assert asked(here).content == PROGRESS


def test_an_answer_of_another_kind_is_judged_as_text(here):
    here.provider.says(b"<p>write to ada@analytical.co.uk</p>", type="text/html", status=500)
    answer = asked(here)
    assert (answer.status_code, answer.content) == (500, b"<p>write to [EMAIL]</p>")


def test_an_endpoint_on_another_host_is_not_followed(here):
    here.provider.says(b"event: endpoint\ndata: https://evil.example/messages\n\n", type="text/event-stream")
    answer = httpx.get(here.url, headers=TOLD)
    assert b"evil" not in answer.content
    forged = httpx.post(f"{here.url}/L2FkbWlu.00000000000000000000000000000000", content=LIST, headers=TOLD)
    assert forged.status_code == 404


def test_a_server_that_is_gone_is_said_in_words(here):
    here.upstreams = (type(here.upstreams[0])(name="shop", base_url="http://127.0.0.1:1/mcp", surfaces=("mcp",)),)
    here.rules()
    answer = asked(here)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, -32000)
