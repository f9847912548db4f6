"""Clients and providers that mean harm, on every surface: nothing crashes, and nothing passes unjudged."""

import contextlib
import http.client
import json
import os
import random
import socket
import struct
import time
from zlib import crc32

import pytest

from examples.protocols import ANTHROPIC, CHAT, CONVERSE, GEMINI_ARRAY, OLLAMA, PROTOCOLS, frames
from penstock.errors import NotUnderstood
from penstock.protect.exchange import Asked, Exchange
from penstock.protect.framing.array import Elements
from penstock.protect.framing.aws import EventStream
from penstock.protect.framing.ndjson import Lines
from penstock.protect.framing.sse import ServerSentEvents
from penstock.protect.multipart import fields
from penstock.protect.policy import Record
from penstock.protect.stream_guard import StreamGuard
from penstock.protect.surfaces.registry import SURFACES, UNKNOWN
from tests.protect.gateway_world import KEY, rule
from tests.protect.parity import INSPECTION, arguments, policy, surface_of

#: Rounds of damage a surface: a fixed seed here, more by hand (PENSTOCK_FUZZ=20000).
ROUNDS = int(os.environ.get("PENSTOCK_FUZZ", "150"))
ALL = pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
CARD = "4111 1111 1111 1111"
DEEP = b'{"a":' * 70 + b"1" + b"}" * 70
SIGNS = b'{}[]",:\\u\x00\xff\xc3\xed\xa0\x80a1\r\n e'


def damaged(data, chance):
    data = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(data) + 1)
        data[at : at + chance.randrange(4)] = bytes(chance.choices(SIGNS, k=chance.randrange(4)))
    return bytes(data)


def surface_of_stream(protocol):
    surface, exchange = surface_of(protocol, True)
    return surface.streaming(exchange, protocol.stream_type)


def guard_of(protocol, action="redact"):
    surface, exchange = surface_of(protocol, True)
    return StreamGuard(
        policy(action), INSPECTION, Record(), surface.streaming(exchange, protocol.stream_type), lambda _: "NO"
    )


@ALL
def test_damaged_requests_and_answers_are_refused_or_read(protocol):
    chance = random.Random(1)
    surface, _ = surface_of(protocol, False)
    path = protocol.path.partition("?")[0].replace("%3A", ":")
    for _ in range(ROUNDS):
        with contextlib.suppress(NotUnderstood):
            body = damaged(json.dumps(protocol.ask(f"pay {CARD}", False)).encode(), chance)
            surface.request(Asked("POST", path, {}, body, b"", {"model": "m"}))
        with contextlib.suppress(NotUnderstood):
            surface.reply(damaged(json.dumps(protocol.answer(f"pay {CARD}")).encode(), chance))


def misshapen(tree, chance, depth=0):
    """The tree with some of its values of another type."""
    if chance.random() < 0.06 + 0.02 * depth:
        return chance.choice(
            [None, True, -1, 10**30, 1.5, "", "x", [], {}, [[]], [None, {"text": 5}], {"a": ["b"]}, "\u0000"]
        )
    if isinstance(tree, dict):
        return {key: misshapen(value, chance, depth + 1) for key, value in tree.items()}
    if isinstance(tree, list):
        return [misshapen(value, chance, depth + 1) for value in tree]
    return tree


@ALL
def test_trees_of_other_shapes_are_read_all_the_same(protocol):
    """JSON that is valid and no request, no answer and no frame of this protocol: refused or read, never a crash."""
    chance = random.Random(4)
    surface, exchange = surface_of(protocol, False)
    framing = surface_of_stream(protocol).framing
    frames_of = framing.feed(b"".join([*protocol.events(["a ", CARD]), *protocol.called([arguments("a "), ""])]))
    for _ in range(ROUNDS):
        body = json.dumps(misshapen(protocol.ask(CARD, False), chance)).encode()
        with contextlib.suppress(NotUnderstood):
            surface.request(Asked("POST", protocol.path, {}, body, b"", {"model": "m"}))
        for tree in (protocol.answer(CARD), protocol.call(arguments(CARD))):
            body = json.dumps(misshapen(tree, chance)).encode()
            with contextlib.suppress(NotUnderstood):
                surface.reply(body)
                surface.refusal(exchange, "NO", body)
                surface.clean(body)
        guard = guard_of(protocol, chance.choice(["redact", "stop"]))
        for frame in frames_of:
            if frame.data and frame.data != b"[DONE]":
                guard.feed(framing.changed(frame, json.dumps(misshapen(json.loads(frame.data), chance)).encode()))
        guard.finish()


@pytest.mark.parametrize("surface", [*SURFACES, UNKNOWN], ids=lambda surface: surface.name or "unknown")
def test_bodies_of_other_protocols_are_read_all_the_same(surface):
    chance = random.Random(6)
    for _ in range(ROUNDS // 10):
        for protocol in PROTOCOLS:
            asked, answered = (
                misshapen(tree, chance) for tree in (protocol.ask(CARD, True), protocol.call('{"a": 1}'))
            )
            exchange = Exchange(surface.name, "m")
            with contextlib.suppress(NotUnderstood):
                asking = Asked("POST", "/x", {}, json.dumps(asked).encode(), b"", {"model": "m"})
                exchange = surface.request(asking)
            with contextlib.suppress(NotUnderstood):
                surface.reply(json.dumps(answered).encode())
                surface.refusal(exchange, "NO", json.dumps(answered).encode())
            for kind in ("text/event-stream", "application/json", "application/x-ndjson", ""):
                if streaming := surface.streaming(exchange, kind):
                    guard = StreamGuard(policy(), INSPECTION, Record(), streaming, lambda _: "NO")
                    for event in protocol.events(["pay ", CARD]):
                        guard.feed(event)
                    guard.finish()


@ALL
@pytest.mark.parametrize("action", ["redact", "stop", "observe"])
def test_damaged_streams_end_in_words_and_never_in_a_crash(protocol, action):
    chance = random.Random(2)
    data = b"".join(protocol.events(["pay ", CARD, " now"]))
    for _ in range(ROUNDS // 3):
        hurt = damaged(data, chance)
        cuts = sorted(chance.randrange(len(hurt) + 1) for _ in range(4))
        guard = guard_of(protocol, action)
        for a, b in zip([0, *cuts], [*cuts, len(hurt)], strict=True):
            guard.feed(hurt[a:b])
        guard.finish()


@ALL
def test_a_stream_that_breaks_off_ends_in_the_protocols_own_error(protocol):
    events = protocol.events(["one ", "two ", "three"])
    guard = guard_of(protocol)
    cut = events[2][: len(events[2]) // 2]
    out = b"".join(guard.feed(piece) for piece in [*events[:2], cut]) + guard.broken("It broke off", "stream_broken")
    read = [frame.data for frame in surface_of_stream(protocol).framing.feed(out) if frame.data]
    assert b"It broke off" in read[-1] and all(json.loads(data) for data in read)


@ALL
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"null", b"\xff", b'{"a": "\\ud800"}', b'{"a":' * 70 + b"1" + b"}" * 70]
)
def test_bodies_that_are_no_requests_are_refused_in_words(protocol, body):
    surface, _ = surface_of(protocol, False)
    if surface.name == "bedrock.invoke":
        return  # any body may be some model's own: it is judged as the text it is
    with pytest.raises(NotUnderstood):
        surface.request(Asked("POST", protocol.path, {}, body, b"", {"model": "m"}))


def test_a_split_character_is_put_together_before_it_is_judged():
    data = b"".join(CHAT.events(["名前 ada@analytical.co.uk 👩‍🔬"])).decode().encode()
    raw = json.loads(json.dumps("名前 ada@analytical.co.uk 👩‍🔬"))
    data = data.replace(json.dumps(raw)[1:-1].encode(), raw.encode())
    for cut in range(len(data)):
        guard = guard_of(CHAT)
        assert b"analytical" not in guard.feed(data[:cut]) + guard.feed(data[cut:]) + guard.finish()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_events_with_comments_and_data_over_lines_are_judged(end):
    text = end.join(
        [
            "\ufeff: hello",
            "event: x",
            'data: {"choices": [{"index": 0,',
            f'data: "delta": {{"content": "pay {CARD}"}}}}]}}',
            "retry: 5",
            "",
            "",
        ]
    )
    for size in (1, 3, 1000):
        guard = guard_of(CHAT)
        data = text.encode()
        out = b"".join(guard.feed(data[i : i + size]) for i in range(0, len(data), size)) + guard.finish()
        assert b"[CREDIT_CARD]" in out and b"1111" not in out and b"retry: 5" in out


# ── frames ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("at", [0, 4, 8, 12, 20, -1])
def test_a_frame_whose_checksum_is_wrong_cuts_the_stream(at):
    events = CONVERSE.events(["one ", "two "])
    hurt = bytearray(events[2])
    hurt[at] ^= 0x40
    guard = guard_of(CONVERSE)
    out = guard.feed(events[0]) + guard.feed(events[1]) + guard.feed(bytes(hurt)) + guard.finish()
    assert guard.unread and frames(out)[-1][0] == "exception:modelStreamErrorException"


def test_a_frame_that_says_it_is_huge_is_not_waited_for():
    lengths = struct.pack(">II", 1 << 30, 0)
    with pytest.raises(NotUnderstood):
        EventStream().feed(lengths + struct.pack(">I", crc32(lengths)))


def test_frames_that_are_masked_have_right_checksums_again():
    guard = guard_of(CONVERSE)
    out = b"".join(guard.feed(event) for event in CONVERSE.events(["pay ", CARD, " now"])) + guard.finish()
    assert CONVERSE.heard(out) == "pay [CREDIT_CARD] now"


@pytest.mark.parametrize("framing", [ServerSentEvents, Lines, Elements, EventStream])
def test_what_never_ends_is_bounded(framing):
    start = {Elements: b'[{"a": "', EventStream: b""}.get(framing, b"data: ")
    reader = framing()
    reader.feed(start)
    with pytest.raises(NotUnderstood):
        for _ in range(100):
            reader.feed(b"x" * 65536)


def test_elements_are_found_however_they_are_written():
    chunks = [b'{"a": "]},{\\"["}', b"{}", b'{"b": [{"c": [1, "\\\\"]}]}']
    data = b" [ " + b" , ".join(chunks) + b" ] \n"
    for cut in range(len(data)):
        reader = Elements()
        found = [*reader.feed(data[:cut]), *reader.feed(data[cut:])]
        last = reader.finish()
        assert [frame.data for frame in found] == chunks and last.data is None
        assert b"".join(frame.raw for frame in [*found, last]) == data


def test_an_array_that_is_stopped_is_still_an_array():
    for number in range(3):
        guard = guard_of(GEMINI_ARRAY, "stop")
        pieces = ["fine "] * number + [f"pay {CARD} now"]
        out = b"".join(guard.feed(event) for event in GEMINI_ARRAY.events(pieces)) + guard.finish()
        assert GEMINI_ARRAY.heard(out).endswith("NO")


@pytest.mark.parametrize(
    "body", [b"", b"--x", b"--x\r\n\r\n", b"--x\r\nA: b\r\n\r\n" + b"y" * 100, b"--x--", b"\x00" * 50]
)
def test_forms_of_nothing_are_refused_or_empty(body):
    with contextlib.suppress(NotUnderstood):
        assert fields(body, b"multipart/form-data; boundary=x") == []
    with pytest.raises(NotUnderstood):
        fields(body, b"multipart/form-data")


def test_damaged_forms_never_crash():
    chance = random.Random(3)
    good = (
        b"".join(
            b'--x\r\nContent-Disposition: form-data; name="a%d"; filename="f"\r\n\r\nvalue\r\n' % i for i in range(4)
        )
        + b"--x--"
    )
    for _ in range(ROUNDS * 4):
        with contextlib.suppress(NotUnderstood):
            fields(damaged(good, chance), b"multipart/form-data; boundary=x")


# ── over sockets ────────────────────────────────────────────────────────────────────────────────────────────────────


def post(gateway, protocol, tree, *, raw=None, stream=False, headers=()):
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://").removesuffix("/v1"), timeout=20)
    given = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", **protocol.headers, **dict(headers)}
    connection.request("POST", protocol.stream_path if stream else protocol.path, raw or json.dumps(tree), given)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer, data


@ALL
@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "image/png", "application/json", ""])
def test_a_stream_whose_content_type_lies_is_judged_all_the_same(gateway, provider, protocol, kind):
    gateway.rules(rule("redact"))
    provider.says(*protocol.events(["pay 4111 ", "1111 1111", " 1111 now"]), type=kind or protocol.stream_type)
    _, data = post(gateway, protocol, protocol.ask("x", True), stream=True)
    assert protocol.heard(data) == "pay [CREDIT_CARD] now"


@pytest.mark.parametrize("protocol", [CHAT, ANTHROPIC, OLLAMA], ids=lambda protocol: protocol.name)
def test_a_provider_that_lies_about_its_length_is_cut(gateway, provider, protocol):
    gateway.rules(rule("redact"))
    body = json.dumps(protocol.answer("fine")).encode()
    provider.says(body, headers=[(b"content-length", b"%d" % (len(body) + 50))])
    answer, data = post(gateway, protocol, protocol.ask("x", False) | {"stream": False})
    assert answer.status == 502 and b"broke off" in data


@pytest.mark.parametrize(
    "lines",
    [
        [b"Content-Length: 5", b"Content-Length: 6"],
        [b"Content-Length: 5", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"],
        [b"Content-Length: +5"],
        [b"Content-Length: 5, 5"],
        [b"Content-Length : 5"],
        [b"Transfer-Encoding: xchunked"],
        [b"X: a\nContent-Length: 0"],
    ],
)
def test_requests_that_two_readers_would_read_differently_never_reach_the_provider(gateway, provider, lines):
    hidden = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    head = [b"POST /v1/chat/completions HTTP/1.1", b"Host: gateway", b"Authorization: Bearer " + KEY.encode(), *lines]
    with socket.create_connection(
        ("127.0.0.1", int(gateway.url.rpartition(":")[2].partition("/")[0])), 5
    ) as connection:
        connection.sendall(b"\r\n".join(head) + b"\r\n\r\n0\r\n\r\n" + hidden)
        connection.settimeout(3)
        with contextlib.suppress(OSError):
            assert b" 200 " not in connection.recv(4096)
    assert provider.asked == []


def test_the_provider_is_left_within_half_a_second_of_the_client(gateway, provider):
    """Measured generously for a busy machine; the watcher itself reacts at once."""
    gateway.rules(rule("redact"))
    for protocol in (CHAT, ANTHROPIC, CONVERSE, OLLAMA):
        provider.closed.clear()
        provider.says(*protocol.events(["word "] * 400), type=protocol.stream_type, pause=0.02)
        connection = http.client.HTTPConnection(gateway.url.removeprefix("http://").removesuffix("/v1"), timeout=20)
        connection.request(
            "POST",
            protocol.stream_path,
            json.dumps(protocol.ask("x", True)),
            {"Authorization": f"Bearer {KEY}", **protocol.headers},
        )
        answer = connection.getresponse()
        answer.read(10)
        answer.close()
        connection.close()
        left = time.monotonic()
        assert provider.closed.wait(10)
        assert time.monotonic() - left < 5
