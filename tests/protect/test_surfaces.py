"""Playbooks of the surfaces: what comes (>>), what the gateway reads in it, and what it says back (<<)."""

import json
from base64 import b64encode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from yarl import URL

from examples.protocols import ANTHROPIC, payloads, sse
from penstock.errors import NotUnderstood
from penstock.protect.exchange import Asked
from penstock.protect.keys import key_of, without_key
from penstock.protect.policy import Record
from penstock.protect.sigv4 import sign
from penstock.protect.stream_guard import StreamGuard
from penstock.protect.surfaces.registry import SURFACES, UNKNOWN, Registry
from tests.protect.parity import INSPECTION, policy, streamed, whole

REGISTRY = Registry()
CARD = "4111 1111 1111 1111"


def read(path, tree, *, headers=None, body=None, method="POST"):
    """The exchange that a request becomes."""
    sent = {name.lower().encode(): value.encode() for name, value in (headers or {}).items()}
    path, _, query = path.partition("?")
    found = REGISTRY.find(method, path, sent)
    surface, fields = found or (UNKNOWN, {})
    data = json.dumps(tree).encode() if body is None else body
    return surface.request(Asked(method, path, sent, data, query.encode(), fields))


def said(exchange):
    return {part.text: (part.role, part.channel) for part in exchange.parts}


# ── routes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "name", "model"),
    [
        ("/v1/chat/completions", "openai.chat", ""),
        ("/openai/v1/chat/completions", "azure.chat", ""),
        ("/openai/deployments/gpt-4o/chat/completions", "azure.chat", "gpt-4o"),
        ("/api/v1/chat/completions", "openai.chat", ""),
        ("/v1/responses", "openai.responses", ""),
        ("/openai/responses", "azure.responses", ""),
        ("/v1/completions", "openai.completions", ""),
        ("/v1/fim/completions", "openai.completions", ""),
        ("/v1/embeddings", "openai.embeddings", ""),
        ("/v1/moderations", "openai.moderations", ""),
        ("/v1/files", "openai.files", ""),
        ("/v1/fine_tuning/jobs", "openai.files", ""),
        ("/v1/images/generations", "openai.images", ""),
        ("/v1/audio/transcriptions", "openai.audio", ""),
        ("/openai/deployments/whisper/audio/transcriptions", "azure.audio", "whisper"),
        ("/v1/messages", "anthropic.messages", ""),
        ("/v1/messages/count_tokens", "anthropic.messages", ""),
        ("/v1beta/models/gemini-2.5-pro:generateContent", "gemini", "gemini-2.5-pro"),
        ("/v1beta/models/e:batchEmbedContents", "gemini", "e"),
        ("/v1/projects/p/locations/l/publishers/google/models/g:streamGenerateContent", "vertex", "g"),
        ("/v1/projects/p/locations/l/publishers/anthropic/models/c:streamRawPredict", "vertex.anthropic", "c"),
        ("/model/eu.anthropic.claude-x-v1:0/invoke", "bedrock.invoke", "eu.anthropic.claude-x-v1:0"),
        ("/model/arn:aws:bedrock:eu:1:x/y/converse-stream", "bedrock.converse", "arn:aws:bedrock:eu:1:x/y"),
        ("/api/chat", "ollama.chat", ""),
        ("/api/embed", "ollama.embed", ""),
        ("/v2/chat", "cohere.chat", ""),
        ("/v2/rerank", "cohere.texts", ""),
    ],
)
def test_each_path_has_its_surface(path, name, model):
    surface, fields = REGISTRY.find("POST", path, {})
    assert surface.name == name and fields.get("model", "") == model


@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions/x", "/v1/threads/t/messages", "/"])
def test_other_paths_have_none(path):
    assert REGISTRY.find("POST", path, {}) is None and REGISTRY.find("GET", "/v1/chat/completions", {}) is None


def test_every_surface_has_a_name_of_its_own_and_can_say_no():
    assert len({surface.name for surface in SURFACES}) == len(SURFACES)
    for surface in SURFACES:
        failure = surface.failure(403, "because", "code")
        assert "because" in json.loads(failure.body.decode()).__str__()


# ── who says what ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_responses_know_instructions_turns_calls_results_and_files():
    exchange = read(
        "/v1/responses",
        {
            "model": "m",
            "instructions": "Be kind",
            "stream": True,
            "tools": [{"type": "function", "name": "mail", "description": "Sends"}],
            "input": [
                {"role": "developer", "content": "Be brief"},
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "Hello"},
                        {"type": "input_file", "filename": "a.txt", "file_data": data_url(CARD * 2)},
                    ],
                },
                {"type": "function_call", "call_id": "c1", "name": "mail", "arguments": '{"to": 1}'},
                {"type": "function_call_output", "call_id": "c1", "output": "sent"},
                {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA" + "B" * 80},
            ],
        },
    )
    found = said(exchange)
    assert found["Be kind"] == ("system", "system") and found["Be brief"] == ("developer", "system")
    assert found["Hello"] == ("user", "user") and found['{"to": 1}'] == ("assistant", "tool_call")
    assert found["sent"] == ("tool", "tool_result") and found["Sends"] == ("", "tool_definition")
    assert found[CARD * 2] == ("", "file") and not any(text.startswith("gAAAA") for text in found)
    assert exchange.tools == ("mail",) and exchange.stream and exchange.tool_calls[0].name == "mail"


def test_anthropic_knows_thinking_calls_results_and_documents():
    signature = "Er" + "A" * 60 + "=="
    exchange = read(
        "/v1/messages",
        {
            "model": "m",
            "max_tokens": 5,
            "system": [{"type": "text", "text": "Be kind"}],
            "tools": [{"name": "mail", "description": "Sends", "input_schema": {}}],
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Hello"},
                        {
                            "type": "document",
                            "source": {"type": "text", "media_type": "text/plain", "data": "a paper of mine"},
                        },
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png()}},
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "hm", "signature": signature},
                        {"type": "tool_use", "id": "t", "name": "mail", "input": {"to": "x", "n": 5}},
                    ],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "sent"}]},
            ],
        },
        headers={"anthropic-version": "2023-06-01"},
    )
    found = said(exchange)
    assert found["Be kind"] == ("system", "system") and found["Hello"] == ("user", "user")
    assert found['{"to": "x", "n": 5}'] == ("assistant", "tool_call") and found["sent"] == ("tool", "tool_result")
    assert found["a paper of mine"] == ("user", "document") and found["Sends"] == ("", "tool_definition")
    assert signature not in found and [part.fixed for part in exchange.parts if part.text == "hm"] == [True]
    assert exchange.attachments[0].size == 300 and exchange.tools == ("mail",)


def test_gemini_knows_system_turns_calls_and_results_in_either_spelling():
    for call, result, system in (
        ("functionCall", "functionResponse", "systemInstruction"),
        ("function_call", "function_response", "system_instruction"),
    ):
        exchange = read(
            "/v1beta/models/g:generateContent",
            {
                system: {"parts": [{"text": "Be kind"}]},
                "contents": [
                    {
                        "role": "user",
                        "parts": [{"text": "Hello"}, {"inlineData": {"mimeType": "image/png", "data": png()}}],
                    },
                    {
                        "role": "model",
                        "parts": [{call: {"name": "mail", "args": {"to": "x"}}, "thoughtSignature": "Cg=="}],
                    },
                    {"role": "user", "parts": [{result: {"name": "mail", "response": {"said": "sent"}}}]},
                ],
            },
        )
        found = said(exchange)
        assert found["Be kind"] == ("system", "system") and found["Hello"] == ("user", "user")
        assert found['{"to": "x"}'] == ("model", "tool_call") and found['{"said": "sent"}'] == ("tool", "tool_result")
        assert "Cg==" not in found and len(exchange.attachments) == 1


def test_converse_knows_blocks_of_every_kind():
    exchange = read(
        "/model/m/converse",
        {
            "system": [{"text": "Be kind"}],
            "toolConfig": {"tools": [{"toolSpec": {"name": "mail", "inputSchema": {"json": {"type": "object"}}}}]},
            "messages": [
                {
                    "role": "user",
                    "content": [{"text": "Hello"}, {"document": {"name": "d", "source": {"bytes": b64(CARD)}}}],
                },
                {
                    "role": "assistant",
                    "content": [{"toolUse": {"toolUseId": "t", "name": "mail", "input": {"to": "x"}}}],
                },
                {
                    "role": "user",
                    "content": [{"toolResult": {"toolUseId": "t", "content": [{"json": {"said": "sent"}}]}}],
                },
            ],
        },
    )
    found = said(exchange)
    assert found["Be kind"] == ("system", "system") and found['{"to": "x"}'] == ("assistant", "tool_call")
    assert found['{"said": "sent"}'] == ("tool", "tool_result") and found[CARD] == ("", "file")
    assert exchange.tools == ("mail",)


def test_token_numbers_are_named_as_unread():
    assert read("/v1/embeddings", {"model": "m", "input": [[1, 2, 3]]}).unread
    assert read("/v1/completions", {"model": "m", "prompt": [1, 2]}).unread
    assert not read("/v1/embeddings", {"model": "m", "input": ["text"]}).unread


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def png(size=300):
    return b64encode(b"\x89PNG\r\n\x1a\n" + b"\xff\x00" * ((size - 8) // 2)).decode()


def b64(text):
    return b64encode(text.encode()).decode()


def data_url(text):
    return f"data:text/plain;base64,{b64(text)}"


def form(*fields):
    mark = b"----x42"
    parts = [
        b'--%b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
        % (mark, name, b'; filename="%b"' % filename if filename else b"", value)
        for name, filename, value in fields
    ]
    return {"content-type": "multipart/form-data; boundary=----x42"}, b"".join(parts) + b"--" + mark + b"--\r\n"


def test_training_data_is_read_line_by_line_before_it_leaves():
    lines = [
        {"messages": [{"role": "user", "content": f"pay {CARD}"}]},
        {"messages": [{"role": "user", "content": "b"}]},
    ]
    headers, body = form(
        (b"purpose", None, b"fine-tune"), (b"file", b"t.jsonl", b"\n".join(json.dumps(line).encode() for line in lines))
    )
    exchange = read("/v1/files", None, headers=headers, body=body)
    assert (f"pay {CARD}", ("", "file")) in said(exchange).items()
    sent = masked(exchange, body)
    assert CARD.encode() not in sent and sent == body.replace(CARD.encode(), b"[CREDIT_CARD]")


def test_tables_and_texts_are_read_and_sounds_are_named():
    headers, body = form(
        (b"model", None, b"whisper-1"),
        (b"prompt", None, b"about " + CARD.encode()),
        (b"file", b"a.mp3", b"ID3\x04\x00" + b"\xff\xfb" * 40),
    )
    exchange = read("/v1/audio/transcriptions", None, headers=headers, body=body)
    assert exchange.model == "whisper-1" and said(exchange)[f"about {CARD}"] == ("", "content")
    assert exchange.attachments[0].name == "a.mp3"
    headers, body = form((b"file", b"t.csv", f"name,card\nada,{CARD}\n".encode()))
    assert CARD.encode() not in masked(read("/v1/files", None, headers=headers, body=body), body)


@pytest.mark.parametrize("cut", [0.2, 0.6, 0.95])
def test_a_form_that_is_cut_short_is_refused(cut):
    headers, body = form((b"file", b"t.csv", b"x" * 200))
    with pytest.raises(NotUnderstood):
        read("/v1/files", None, headers=headers, body=body[: int(len(body) * cut)])


def test_a_picture_that_holds_letters_is_read_and_masked_in_base64():
    tree = {
        "model": "m",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64(f'pay {CARD} now')}"}}
                ],
            }
        ],
    }
    body = json.dumps(tree).encode()
    sent = json.loads(masked(read("/v1/chat/completions", tree), body))
    assert (
        sent["messages"][0]["content"][0]["image_url"]["url"] == f"data:image/png;base64,{b64('pay [CREDIT_CARD] now')}"
    )


def masked(exchange, body):
    from penstock.protect.judging import judged

    return judged(INSPECTION, policy(), Record(), "in", body, exchange.parts)[0]


# ── signed and encrypted ────────────────────────────────────────────────────────────────────────────────────────────


def test_signatures_pass_byte_for_byte_whole_and_streamed():
    signature = "EqQB" + "a1/+" * 30 + "=="
    blocks = [{"type": "thinking", "thinking": "", "signature": ""}]
    events = [
        {"type": "content_block_start", "index": 0, "content_block": blocks[0]},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": f"card {CARD} "}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": signature}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "content_block_stop", "index": 1},
        {"type": "message_stop"},
    ]
    surface, _ = REGISTRY.find("POST", "/v1/messages", {})
    exchange = read("/v1/messages", ANTHROPIC.ask("x", True))
    guard = StreamGuard(policy(), INSPECTION, Record(), surface.streaming(exchange, "text/event-stream"), str)
    out = payloads(guard.feed(b"".join(sse(*events, named=True))) + guard.finish())
    deltas = [event["delta"] for event in out if event["type"] == "content_block_delta"]
    assert (
        deltas[1]["signature"] == signature and "".join(d.get("thinking", "") for d in deltas) == "card [CREDIT_CARD] "
    )


def test_thinking_that_was_signed_is_counted_and_never_changed_on_its_way_back():
    tree = {
        "model": "m",
        "messages": [
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": f"card {CARD}", "signature": "RXE="},
                    {"type": "text", "text": CARD},
                ],
            }
        ],
    }
    body = json.dumps(tree).encode()
    sent = json.loads(masked(read("/v1/messages", tree), body))["messages"][0]["content"]
    assert sent[0]["thinking"] == f"card {CARD}" and sent[1]["text"] == "[CREDIT_CARD]"


# ── streams that are not as they should be ──────────────────────────────────────────────────────────────────────────


def test_reasoning_before_words_does_not_hold_the_words_back():
    from examples.protocols import CHAT, chat_events

    surface, _ = REGISTRY.find("POST", "/v1/chat/completions", {})
    events = chat_events([{"reasoning_content": "Let me see"}, {"content": "The answer is here "}, {"content": "and"}])
    exchange = read("/v1/chat/completions", CHAT.ask("x", True))
    guard = StreamGuard(policy(), INSPECTION, Record(), surface.streaming(exchange, "text/event-stream"), str)
    early = b"".join(guard.feed(event) for event in events[:3])
    assert b"Let me see" in early
    assert b"The answer is here" in early + guard.feed(events[3])


def test_a_text_that_comes_back_after_another_is_looked_at_where_it_goes_on():
    from examples.protocols import CHAT, chat_events

    deltas = [{"content": "card 4111 1111 "}, {"reasoning_content": "hm "}, {"content": "1111 1111 ok"}]
    found = streamed(CHAT, chat_events(deltas), policy())
    assert "1111 1111" not in found.text.partition("4111 1111 ")[2] and found.verdict == "redact"


def test_words_after_the_end_of_their_block_cut_the_stream():
    events = sse(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "4111 1111 "}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "1111 1111"}},
        named=True,
    )
    surface, _ = REGISTRY.find("POST", "/v1/messages", {})
    exchange = read("/v1/messages", ANTHROPIC.ask("x", True))
    guard = StreamGuard(policy(), INSPECTION, Record(), surface.streaming(exchange, "text/event-stream"), str)
    out = b"".join(guard.feed(event) for event in events) + guard.finish()
    assert guard.unread and b"1111 1111" not in out.replace(b"4111 1111", b"") and b"event: error" in out


def test_a_block_that_is_stopped_while_a_tool_is_called_is_closed_before_the_reason_is_given():
    events = ANTHROPIC.called(['{"card": "4111 ', '1111 1111 1111"}'])
    surface, _ = REGISTRY.find("POST", "/v1/messages", {})
    exchange = read("/v1/messages", ANTHROPIC.ask("x", True))
    guard = StreamGuard(
        policy("stop"), INSPECTION, Record(), surface.streaming(exchange, "text/event-stream"), lambda _: "NO"
    )
    out = payloads(b"".join(guard.feed(event) for event in events) + guard.finish())
    kinds = [(event["type"], event.get("index")) for event in out if event["type"].startswith("content_block")]
    assert kinds == [
        ("content_block_start", 0),
        ("content_block_stop", 0),
        ("content_block_start", 1),
        ("content_block_delta", 1),
        ("content_block_stop", 1),
    ]


def test_what_a_provider_says_in_fields_that_nobody_knows_is_judged():
    from examples.protocols import CHAT

    tree = CHAT.answer("fine")
    tree["choices"][0]["message"]["brand_new"] = {"deep": [f"pay {CARD}"]}
    found = whole(CHAT, tree, policy())
    assert found.verdict == "redact"


# ── keys and signatures ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({b"authorization": b"Bearer psk_1"}, b""),
        ({b"x-api-key": b"psk_1"}, b""),
        ({b"api-key": b"psk_1"}, b""),
        ({b"x-goog-api-key": b"psk_1"}, b""),
        ({}, b"alt=sse&key=psk_1&x=y"),
        ({b"authorization": b"AWS4-HMAC-SHA256 Credential=psk_1/20260101/eu-x/bedrock/aws4_request, Signature=0"}, b""),
    ],
)
def test_a_key_is_found_wherever_a_client_puts_it(headers, query):
    assert key_of(headers, query) == "psk_1" and b"psk_1" not in without_key(query)


@pytest.mark.parametrize("token", ["", "session-token"])
@pytest.mark.parametrize("path", ["/model/eu.model-1%3A0/converse", "/model/m/invoke?x=1&a=b"])
def test_the_gateway_signs_as_amazons_own_library_does(path, token):
    url = URL(f"https://bedrock-runtime.eu-central-1.amazonaws.com{path}", encoded=True)
    body = b'{"a": "b"}'
    ours = dict(sign("POST", url, body, {b"content-type": b"application/json"}, key_id="AKID", secret="s", token=token))
    request = AWSRequest(
        "POST",
        str(url),
        data=body,
        headers={"content-type": "application/json", "x-amz-content-sha256": ours[b"x-amz-content-sha256"].decode()},
    )
    theirs = SigV4Auth(Credentials("AKID", "s", token or None), "bedrock", "eu-central-1")
    request.context["timestamp"] = ours[b"x-amz-date"].decode()
    theirs._modify_request_before_signing(request)
    request.headers.replace_header("X-Amz-Date", ours[b"x-amz-date"].decode())
    text = theirs.string_to_sign(request, theirs.canonical_request(request))
    assert ours[b"authorization"].decode().endswith(f"Signature={theirs.signature(text, request)}")


# ── values over several parts ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "cut", [["4111 1111 ", "1111 1111"], ["4111", " 1111 ", "1111 11", "11"], ["pay 4111 1111 1", "111 1111 ok"]]
)
def test_a_value_over_several_parts_of_one_message_is_seen_as_the_reader_sees_it(cut):
    from examples.protocols import ANTHROPIC, GEMINI, anthropic_message, candidates

    said = "".join(cut).replace(CARD, "[CREDIT_CARD]")
    found = whole(GEMINI, candidates([{"text": piece} for piece in cut], "STOP"), policy())
    assert (found.text, found.verdict, dict(found.seen)) == (said, "redact", {"out.pci": 1})
    message = anthropic_message([{"type": "text", "text": piece} for piece in cut], "end_turn")
    assert whole(ANTHROPIC, message, policy()).text == said
    tree = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": piece} for piece in cut]}]}
    sent = json.loads(masked(read("/v1/chat/completions", tree), json.dumps(tree).encode()))
    assert "".join(part["text"] for part in sent["messages"][0]["content"]) == said


def test_messages_are_not_read_as_one_text():
    tree = {"model": "m", "messages": [{"role": "user", "content": half} for half in ("4111 1111 ", "1111 1111")]}
    body = json.dumps(tree).encode()
    assert masked(read("/v1/chat/completions", tree), body) is body
