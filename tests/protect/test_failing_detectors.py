"""A detector that dies: each rule says what becomes of the text, and nothing passes unjudged by accident."""

import json
import time

import openai
import pytest

from examples.protocols import PROTOCOLS
from penstock.inspect.sensitive.detector import detector
from penstock.protect.gateway import Gateway
from penstock.protect.inspection import Inspection
from penstock.protect.policy import Policy, Record
from penstock.protect.sink import MemorySink
from penstock.protect.snapshot_source import FixedSnapshot
from penstock.protect.stream_guard import StreamGuard
from tests.protect.gateway_world import KEY, caller, completion, rule, served, snapshot
from tests.protect.parity import surface_of

CARD = "4111 1111 1111 1111"


class Dying:
    """A detector that works until it is killed, and again after it was revived."""

    def __init__(self):
        self.alive = True
        self._real = detector()

    def look(self, text):
        if not self.alive:
            raise MemoryError("killed")
        return self._real.look(text)


@pytest.fixture
def dying():
    return Dying()


@pytest.fixture
def world(provider, dying, monkeypatch):
    monkeypatch.setenv("PENSTOCK_TEST_UPSTREAM_KEY", "k")
    sink, source = MemorySink(), FixedSnapshot(None)
    with served(Gateway(source, sink, Inspection(dying))) as url:

        class World:
            client = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)

            def rules(self, *rules, **more):
                source.put(snapshot(*rules, upstream=provider.url, **more))

            def ask(self, **more):
                return self.client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": "Hello there"}], **more
                )

            @property
            def event(self):
                until = time.monotonic() + 5
                while not sink.events and time.monotonic() < until:
                    time.sleep(0.01)
                return sink.events[-1]

        yield World()


def failing(action, on_error, direction="out"):
    made = rule(action, "pci", direction=direction)
    return type(made)(
        **{name: getattr(made, name) for name in made.__struct_fields__ if name != "on_error"}, on_error=on_error
    )


@pytest.mark.parametrize("on_error", ["stop", "ask"])
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_judged_is_stopped_where_the_rule_says_so(world, provider, dying, stream, on_error):
    world.rules(failing("redact", on_error))
    dying.alive = False
    provider.streams("The card ", CARD, " is fine") if stream else provider.completes(f"The card {CARD} is fine")
    answer = world.ask(stream=stream)
    if stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices)
    else:
        text = answer.choices[0].message.content
    assert "4111" not in text and "text that could not be inspected" in text and "team-security" in text
    event = world.event
    assert event.verdict == on_error and event.seen["out.unseen"] >= 1
    assert [ask["rule"] for ask in event.props.get("asks", [])] == (["out-redact"] if on_error == "ask" else [])


@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_judged_passes_and_is_counted_where_the_rule_says_so(world, provider, dying, stream):
    world.rules(failing("redact", "allow"))
    dying.alive = False
    provider.streams("All ", "fine") if stream else provider.completes("All fine")
    answer = world.ask(stream=stream)
    if stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in answer if chunk.choices)
    else:
        text = answer.choices[0].message.content
    assert text == "All fine" and world.event.seen["out.unseen"] >= 1


def test_a_prompt_that_cannot_be_judged_never_leaves(world, provider, dying):
    world.rules(failing("stop", "stop", direction="in"))
    dying.alive = False
    assert "could not be inspected" in world.ask().choices[0].message.content and provider.asked == []


def test_observing_stops_nothing_whatever_fails(world, provider, dying):
    world.rules(failing("stop", "stop"), mode="observe")
    dying.alive = False
    provider.says(json.dumps(completion("All fine")).encode())
    assert world.ask().choices[0].message.content == "All fine"
    assert world.event.props["would"] == "stop"


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_a_detector_that_comes_back_in_the_middle_of_a_stream_judges_all_of_it(protocol, dying):
    surface, exchange = surface_of(protocol, True)
    record = Record()
    streaming = surface.streaming(exchange, protocol.stream_type)
    guard = StreamGuard(Policy(caller(rule("redact"))), Inspection(dying), record, streaming, str)
    out = b""
    for number, event in enumerate(
        protocol.events(["The card 4111 ", "1111 1111 ", "1111 is fine and ", "so is all else"])
    ):
        dying.alive = number > 4
        out += guard.feed(event)
    dying.alive = True
    assert "4111" not in protocol.heard(out + guard.finish())
