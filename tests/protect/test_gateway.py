"""The gateway between a real client and a real (scripted) provider, both over sockets."""

import gzip
import http.client
import json
import socket
import time
import zlib

import openai
import pytest

from penstock.inspect.sensitive.rows import written_out
from penstock.protect.requests import LARGEST
from tests.protect.gateway_world import KEY, chunks, completion, rule, snapshot

CARD = "4111 1111 1111 1111"
SECRET = written_out("sk-proj-{url:48}")


@pytest.fixture
def client(gateway):
    return openai.OpenAI(base_url=gateway.url, api_key=KEY, max_retries=0)


def ask(client, text="Hello", **more):
    return client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}], **more)


def said(stream):
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


# ── harmless calls ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_passes_and_leaves_an_event(client, gateway, provider):
    provider.completes("Hi there")
    assert ask(client).choices[0].message.content == "Hi there"
    event = gateway.event
    assert (event.application, event.provider, event.model, event.verdict) == ("actor-1", "openai", "gpt-4o", "allow")
    assert event.seen == {} and event.props["status"] == 200 and "Hello" not in str(event)


def test_the_callers_key_stays_here_and_the_providers_goes_there(client, provider):
    provider.completes("Hi")
    ask(client, extra_headers={"x-penstock-note": "n", "Cookie": "a=b", "OpenAI-Project": "p1"})
    scope, body = provider.asked[0]
    headers = dict(scope["headers"])
    assert headers[b"authorization"] == b"Bearer upstream-credential" and headers[b"openai-project"] == b"p1"
    assert KEY.encode() not in b"".join([*headers.values(), body, scope["query_string"]])
    assert b"cookie" not in headers and b"x-penstock-note" not in headers


def test_bytes_pass_unchanged_both_ways(gateway, provider):
    sent = b'{ "model" : "gpt-4o",\n\t"messages":[ {"role":"user","content":"h\\u00e9llo"} ], "unknown": 1.50 }'
    answered = b'{"id":"x","choices":[{"index":0,"message":{"content":"fine \\u2713"}}],  "extra": [1.0,2e3] }'
    gateway.rules(rule("redact"), rule("redact", direction="in"))
    provider.says(answered, headers=[(b"x-request-id", b"r1"), (b"x-ratelimit-remaining-tokens", b"9")])
    response, body = post(gateway, sent, path="/v1/chat/completions?a=b%2Fc")
    assert body == answered and provider.asked[0][1] == sent and provider.asked[0][0]["query_string"] == b"a=b%2Fc"
    assert response["x-request-id"] == "r1" and response["x-penstock-decision"] == "allow"


def test_a_harmless_stream_passes_byte_for_byte(gateway, provider):
    gateway.rules(rule("redact"))
    provider.streams("Hel", "lo wor", "ld, 12", " items")
    expected = b"".join(provider.script["body"])
    assert post(gateway, request(stream=True))[1] == expected


def test_models_can_be_listed_and_are_counted_as_not_inspected(client, gateway, provider):
    provider.says(b'{"object": "list", "data": [{"id": "gpt-4o", "object": "model", "created": 1, "owned_by": "x"}]}')
    assert [model.id for model in client.models.list()] == ["gpt-4o"]
    assert gateway.event.props["uninspected"] == "/v1/models"


# ── masks and stops ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_is_masked_alike_whether_streamed_or_not(client, gateway, provider):
    gateway.rules(rule("redact", "pci"))
    text = f"Your card {CARD} is fine, mail ada@analytical.co.uk"
    provider.completes(text)
    whole = ask(client).choices[0].message.content
    first = gateway.event
    provider.streams(*[text[i : i + 3] for i in range(0, len(text), 3)])
    streamed = said(ask(client, stream=True))
    assert whole == streamed == "Your card [CREDIT_CARD] is fine, mail ada@analytical.co.uk"
    until = time.monotonic() + 5
    while len(gateway.sink.events) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    second = gateway.sink.events[-1]
    assert first.verdict == second.verdict == "redact" and first.seen == second.seen == {"out.pci": 1, "out.pii": 1}
    assert first.finding_ids == second.finding_ids == ("finding-1",) and first.rules == ("out-redact",)


def test_a_prompt_is_masked_before_it_leaves(client, gateway, provider):
    gateway.rules(rule("redact", "pci", direction="in"))
    provider.completes("ok")
    ask(client, f"Charge {CARD} now")
    assert json.loads(provider.asked[0][1])["messages"][0]["content"] == "Charge [CREDIT_CARD] now"
    assert gateway.event.verdict == "redact" and gateway.event.seen == {"in.pci": 1}


@pytest.mark.parametrize("stream", [False, True])
def test_a_stopped_prompt_never_leaves_and_says_why_who_and_how(client, gateway, provider, stream):
    gateway.rules(rule("stop", "credentials", direction="in", id="PS-KEYS"))
    answer = ask(client, f"my key is {SECRET}", stream=stream)
    if stream:
        parts = list(answer)
        text, reason = said(parts), parts[-1].choices[0].finish_reason
    else:
        text, reason = answer.choices[0].message.content, answer.choices[0].finish_reason
    assert reason == "content_filter" and provider.asked == []
    for words in ("a credential", "PS-KEYS", "team-support", "team-security", gateway.event.id):
        assert words in text
    assert SECRET not in text and gateway.event.verdict == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_a_stopped_answer_ends_with_the_reason(client, gateway, provider, stream):
    gateway.rules(rule("stop", "credentials"))
    if stream:
        provider.streams("The key is ", SECRET[:9], SECRET[9:], " keep it")
        parts = list(ask(client, stream=True))
        text, reason = said(parts), parts[-1].choices[0].finish_reason
    else:
        provider.completes(f"The key is {SECRET} keep it")
        answer = ask(client)
        text, reason = answer.choices[0].message.content, answer.choices[0].finish_reason
    assert reason == "content_filter" and SECRET[:20] not in text and "a credential" in text
    assert gateway.event.verdict == "stop"


def test_observing_masks_nothing_and_notes_what_would_have_been(client, gateway, provider):
    gateway.rules(rule("stop", "pci"), mode="observe")
    provider.completes(f"Card {CARD}")
    assert CARD in ask(client).choices[0].message.content
    assert gateway.event.verdict == "observe" and gateway.event.props["would"] == "stop"


def test_a_streamed_tool_call_is_masked_and_still_makes_sense_to_the_client(client, gateway, provider):
    gateway.rules(rule("redact", "pii"))

    def call(arguments, **more):
        return {"tool_calls": [{"index": 0, "function": {"arguments": arguments, **more}}]}

    first = call("", name="mail")
    first["tool_calls"][0] |= {"id": "call_1", "type": "function"}
    provider.streams(first, call('{"to": "ada@'), call('analytical.co.uk", "n": 1}'))
    arguments = "".join(
        tool.function.arguments or ""
        for chunk in ask(client, stream=True)
        for tool in chunk.choices[0].delta.tool_calls or ()
    )
    assert json.loads(arguments) == {"to": "[EMAIL]", "n": 1}


def test_the_next_call_follows_the_new_snapshot(client, gateway, provider):
    provider.completes(f"Card {CARD}")
    gateway.rules(rule("redact", "pci"))
    assert CARD not in ask(client).choices[0].message.content
    gateway.rules()
    assert CARD in ask(client).choices[0].message.content


# ── who may call what ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_key_is_refused_in_the_clients_own_words(gateway, provider):
    with pytest.raises(openai.AuthenticationError, match="penstock keys"):
        ask(openai.OpenAI(base_url=gateway.url, api_key="sk-wrong", max_retries=0))
    assert provider.asked == [] and gateway.sink.events == []


def test_without_a_policy_nothing_passes(client, gateway, provider):
    gateway.source.put(None)
    gateway.source.problem = "there is no file snapshot.json"
    with pytest.raises(openai.InternalServerError, match=r"no policy yet.*no file snapshot\.json.*penstock up"):
        ask(client)
    assert provider.asked == []


def test_a_model_that_is_not_allowed_is_refused(client, gateway, provider):
    gateway.rules(models=("gpt-4o-mini",))
    with pytest.raises(openai.PermissionDeniedError, match="gpt-4o-mini"):
        ask(client)
    assert provider.asked == [] and gateway.event.verdict == "stop"


def test_paths_that_nobody_reads_are_refused_unless_policy_lets_them_pass(client, gateway, provider):
    gateway.rules(unknown_paths="refuse")
    with pytest.raises(openai.NotFoundError, match="knows no protocol"):
        client.post("/new/thing", body={"a": "b"}, cast_to=object)
    assert provider.asked == []
    gateway.rules(unknown_paths="refuse", uninspected=("/v1/new/",))
    provider.says(b'{"fine": true}')
    assert client.post("/new/thing", body={"a": "b"}, cast_to=object) == {"fine": True}


def test_paths_that_nobody_reads_pass_counted_and_judged_as_far_as_they_are_text(client, gateway, provider):
    gateway.rules(rule("redact", "pci", direction="in"), rule("redact", "pci"))
    provider.says(json.dumps({"said": [f"it was {CARD}"]}).encode())
    assert client.post("/new/thing", body={"a": f"use {CARD}"}, cast_to=object) == {"said": ["it was [CREDIT_CARD]"]}
    assert json.loads(provider.asked[0][1]) == {"a": "use [CREDIT_CARD]"}
    assert gateway.event.props["uninspected"] == "/v1/new/thing" and gateway.event.verdict == "redact"


# ── providers that fail ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_providers_error_reaches_the_client_as_it_is(client, provider):
    provider.says(b'{"error": {"message": "slow down", "type": "rate", "code": "r"}}', status=429)
    with pytest.raises(openai.RateLimitError, match="slow down"):
        ask(client)


def test_a_provider_that_is_not_there_is_named(client, gateway, provider):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        gateway.source.put(snapshot(upstream=f"http://127.0.0.1:{unused.getsockname()[1]}/v1"))
        with pytest.raises(openai.InternalServerError, match=r"'openai' cannot be reached"):
            ask(client)


def test_a_redirection_is_not_followed(client, provider):
    provider.says(b"", status=307, headers=[(b"location", b"http://169.254.169.254/")])
    with pytest.raises(openai.InternalServerError, match="redirection"):
        ask(client)
    assert len(provider.asked) == 1


def test_an_answer_in_gzip_is_judged_all_the_same(client, gateway, provider):
    gateway.rules(rule("redact", "pci"))
    provider.says(
        gzip.compress(json.dumps(completion(f"Card {CARD}")).encode()), headers=[(b"content-encoding", b"gzip")]
    )
    assert ask(client).choices[0].message.content == "Card [CREDIT_CARD]"


def test_the_provider_is_left_when_the_client_hangs_up(client, gateway, provider):
    gateway.rules(rule("redact"))
    provider.streams(*["word "] * 400, pause=0.02)
    stream = ask(client, stream=True)
    next(iter(stream))
    stream.close()
    left = time.monotonic()
    assert provider.closed.wait(5)
    assert time.monotonic() - left < 2 and provider.sent < 200
    assert gateway.event.props["outcome"] == "hung_up"


def test_a_slow_reader_does_not_fill_memory(gateway, provider):
    """The provider has 64 MB to say; what it can say before the client reads is what buffers of sockets hold."""
    event = chunks("x" * 60_000)[1]
    provider.says(*[event] * 1000, type="text/event-stream")
    connection = socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2].partition("/")[0])))
    body = request(stream=True)
    connection.sendall(head(len(body)) + body)
    time.sleep(1.0)
    assert provider.sent < 900
    connection.close()
    assert provider.closed.wait(5)


# ── clients that mean harm ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not_understood"),
        (b"[" * 200_000, 400, "not_understood"),
        (b'{"messages": "\xff\xfe"}', 400, "not_understood"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, 400, "not_understood"),
    ],
)
def test_bodies_that_are_no_requests_are_refused_in_words(gateway, provider, body, status, code):
    response, answer = post(gateway, body)
    assert response.status == status and json.loads(answer)["error"]["code"] == code
    assert provider.asked == []


def test_a_hundred_megabytes_are_refused_by_their_announcement(gateway, provider):
    with socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2].partition("/")[0]))) as connection:
        connection.sendall(head(100 * 1024 * 1024) + b"{")
        assert b" 413 " in connection.recv(4096)


def test_a_hundred_megabytes_in_pieces_are_refused_when_they_are_too_many(gateway, provider):
    with socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2].partition("/")[0]))) as connection:
        connection.sendall(head(None))
        piece = b"%x\r\n" % (1 << 20) + b" " * (1 << 20) + b"\r\n"
        try:
            for _ in range(100):
                connection.sendall(piece)
        except OSError:
            pass
        else:
            pytest.fail("all of it was taken")
    assert provider.asked == []


def test_a_gzip_bomb_is_refused(gateway, provider):
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = b"".join(bomb.compress(b" " * (1 << 20)) for _ in range(2 * (LARGEST >> 20))) + bomb.flush()
    response, _ = post(gateway, data, encoding="gzip")
    assert response.status == 413 and len(data) < 200_000


def test_a_compressed_body_is_judged_and_sent_on_plain(gateway, provider):
    gateway.rules(rule("redact", "pci", direction="in"))
    provider.completes("ok")
    post(gateway, gzip.compress(request(f"card {CARD}")), encoding="gzip")
    scope, body = provider.asked[0]
    assert b"[CREDIT_CARD]" in body and b"content-encoding" not in dict(scope["headers"])
    assert post(gateway, b"x", encoding="br")[0].status == 400


def test_two_lengths_are_refused(gateway, provider):
    body = request()
    with socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2].partition("/")[0]))) as connection:
        connection.sendall(
            head(len(body)).replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n") + b"0\r\n\r\n" + body
        )
        assert b" 400 " in connection.recv(4096)
    assert provider.asked == []


def test_health_and_readiness(gateway):
    root = gateway.url.removesuffix("/v1")
    assert get(root, "/healthz")[0] == 200 and get(root, "/readyz")[0] == 200
    gateway.source.put(None)
    assert get(root, "/healthz")[0] == 200 and get(root, "/readyz")[0] == 503


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def request(text="Hello", **more):
    return json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **more}).encode()


def head(length):
    size = b"Transfer-Encoding: chunked" if length is None else b"Content-Length: %d" % length
    lines = [b"POST /v1/chat/completions HTTP/1.1", b"Host: gateway", b"Authorization: Bearer " + KEY.encode(), size]
    return b"\r\n".join(lines) + b"\r\n\r\n"


class Response(dict):
    status = 0


def post(gateway, body, *, path="/v1/chat/completions", encoding=""):
    connection = http.client.HTTPConnection(gateway.url.removeprefix("http://").removesuffix("/v1"), timeout=20)
    headers = {"Authorization": f"Bearer {KEY}"} | ({"Content-Encoding": encoding} if encoding else {})
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    response = Response({name.lower(): value for name, value in answer.getheaders()})
    response.status = answer.status
    data = answer.read()
    connection.close()
    return response, data


def get(root, path):
    connection = http.client.HTTPConnection(root.removeprefix("http://"), timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()
