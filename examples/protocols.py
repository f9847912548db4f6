"""How providers answer, protocol by protocol: the same words as a whole answer, as a stream, and as a call of a tool.

One value a protocol. ``upstream.py`` serves them; tests and benchmarks use them to say the same in every protocol.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.protect.framing.aws import EventStream
from penstock.protect.framing.sse import ServerSentEvents

Tree = dict[str, Any]
JSON, SSE, NDJSON, AWS = (
    "application/json",
    "text/event-stream",
    "application/x-ndjson",
    "application/vnd.amazon.eventstream",
)
TOOL = "send"


@dataclass(frozen=True)
class Protocol:
    """What a client sends and a provider answers.

    ask: the request for a prompt. answer, call: a whole answer of words, or with a call of the tool ``send`` and its
    arguments as JSON. events, called: the same as a stream in pieces. said: what a client understands of a whole
    answer, words and arguments together; heard: of a stream.
    """

    name: str
    path: str
    stream_path: str
    ask: Callable[[str, bool], Tree]
    answer: Callable[[str], Tree]
    call: Callable[[str], Tree]
    events: Callable[[Sequence[str]], list[bytes]]
    called: Callable[[Sequence[str]], list[bytes]]
    said: Callable[[Tree], str]
    heard: Callable[[bytes], str]
    stream_type: str = SSE
    headers: dict[str, str] = field(default_factory=dict)


# ── framings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def sse(*payloads: Tree, named: bool = False, done: bool = False) -> list[bytes]:
    """Events; ``named`` by the payload's type, with an end mark if ``done``."""
    names = [f"event: {payload['type']}\n" if named else "" for payload in payloads]
    events = [f"{name}data: {json.dumps(payload)}\n\n".encode() for name, payload in zip(names, payloads, strict=True)]
    return [*events, *([b"data: [DONE]\n\n"] if done else [])]


def payloads(stream: bytes) -> list[Tree]:
    """The JSON payloads of a stream of events."""
    parser = ServerSentEvents()
    events = [*parser.feed(stream), *filter(None, [parser.finish()])]
    return [json.loads(event.data) for event in events if event.data and event.data.strip() != b"[DONE]"]


def lines(stream: bytes) -> list[Tree]:
    return [json.loads(line) for line in stream.splitlines() if line.strip()]


def frames(stream: bytes) -> list[tuple[str, Tree]]:
    """Event type and payload of binary frames."""
    parser = EventStream()
    found = [(frame.name, json.loads(frame.data or b"{}")) for frame in parser.feed(stream)]
    parser.finish()
    return found


def joined(texts: Iterable[str | None]) -> str:
    return "".join(text or "" for text in texts)


# ── OpenAI ──────────────────────────────────────────────────────────────────────────────────────────────────────────

USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


def messages(prompt: str) -> list[Tree]:
    return [{"role": "system", "content": "Be kind."}, {"role": "user", "content": prompt}]


def chat_answer(message: Tree, finish: str = "stop") -> Tree:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, "logprobs": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": USAGE,
    }


def chat_call(arguments: str) -> Tree:
    return {
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": TOOL, "arguments": arguments}}],
    }


def chat_events(deltas: Sequence[Tree], finish: str = "stop") -> list[bytes]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    rows = [({"role": "assistant", "content": ""}, None), *((delta, None) for delta in deltas), ({}, finish)]
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in rows]
    return sse(*chunks, {**head, "choices": [], "usage": USAGE}, done=True)


def chat_called(pieces: Sequence[str]) -> list[bytes]:
    first = {"index": 0, "id": "call_1", "type": "function", "function": {"name": TOOL, "arguments": ""}}
    rest = [{"index": 0, "function": {"arguments": piece}} for piece in pieces]
    return chat_events([{"tool_calls": [call]} for call in (first, *rest)], "tool_calls")


def chat_said(message: Tree) -> str:
    calls = message.get("tool_calls") or ()
    return joined([message.get("content"), *(call.get("function", {}).get("arguments") for call in calls)])


def chat_heard(stream: bytes) -> str:
    return joined(chat_said(choice["delta"]) for chunk in payloads(stream) for choice in chunk.get("choices", ()))


CHAT = Protocol(
    "openai.chat",
    "/v1/chat/completions",
    "/v1/chat/completions",
    ask=lambda prompt, stream: {"model": "m", "messages": messages(prompt), "stream": stream},
    answer=lambda text: chat_answer({"content": text}),
    call=lambda arguments: chat_answer(chat_call(arguments), "tool_calls"),
    events=lambda pieces: chat_events([{"content": piece} for piece in pieces]),
    called=chat_called,
    said=lambda tree: joined(chat_said(choice["message"]) for choice in tree["choices"]),
    heard=chat_heard,
)


def response(output: list[Tree], status: str = "completed") -> Tree:
    usage = {
        "input_tokens": 3,
        "output_tokens": 5,
        "total_tokens": 8,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "model": "m",
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "usage": usage if status == "completed" else None,
    }


def response_message(text: str, status: str = "completed") -> Tree:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": [part]}


def response_call(arguments: str, status: str = "completed") -> Tree:
    return {
        "id": "fc_1",
        "type": "function_call",
        "call_id": "call_1",
        "name": TOOL,
        "arguments": arguments,
        "status": status,
    }


def response_events(kind: str, pieces: Sequence[str], empty: Tree, whole: Tree, part: bool) -> list[bytes]:
    text = "".join(pieces)
    place = {"item_id": whole["id"], "output_index": 0, **({"content_index": 0} if part else {})}
    field = "text" if part else "arguments"
    events: list[Tree] = [
        {"type": "response.created", "response": response([], "in_progress")},
        {"type": "response.in_progress", "response": response([], "in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": empty},
    ]
    if part:
        first = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        events.append({"type": "response.content_part.added", **place, "part": first})
    events += [
        {"type": f"{kind}.delta", **place, "delta": piece, **({"logprobs": []} if part else {})} for piece in pieces
    ]
    events.append({"type": f"{kind}.done", **place, field: text, **({"logprobs": []} if part else {"name": TOOL})})
    if part:
        events.append({"type": "response.content_part.done", **place, "part": whole["content"][0]})
    events.append({"type": "response.output_item.done", "output_index": 0, "item": whole})
    events.append({"type": "response.completed", "response": response([whole])})
    return sse(*({**event, "sequence_number": number} for number, event in enumerate(events)), named=True)


def response_said(tree: Tree) -> str:
    return joined(
        item.get("arguments", "") + joined(part.get("text") for part in item.get("content", ()))
        for item in tree["output"]
    )


def response_heard(stream: bytes) -> str:
    """What a client puts together from the deltas; every later statement of it must say the same."""
    events = payloads(stream)
    text = joined(event["delta"] for event in events if event["type"].endswith(".delta"))
    for event in events:
        if event["type"] in ("response.completed", "response.incomplete"):
            text_of_all = response_said(event["response"])
            text = text if text_of_all == text else f"{text} but {text_of_all}"
        if event["type"].endswith(("_text.done", "arguments.done")):
            stated = event.get("text", event.get("arguments"))
            text = text if text.endswith(stated) else f"{text} but {stated}"
    return text


RESPONSES = Protocol(
    "openai.responses",
    "/v1/responses",
    "/v1/responses",
    ask=lambda prompt, stream: {
        "model": "m",
        "instructions": "Be kind.",
        "stream": stream,
        "input": [{"role": "user", "content": [{"type": "input_text", "text": prompt}]}],
    },
    answer=lambda text: response([response_message(text)]),
    call=lambda arguments: response([response_call(arguments)]),
    events=lambda pieces: response_events(
        "response.output_text",
        pieces,
        {**response_message("", "in_progress"), "content": []},
        response_message("".join(pieces)),
        True,
    ),
    called=lambda pieces: response_events(
        "response.function_call_arguments",
        pieces,
        response_call("", "in_progress"),
        response_call("".join(pieces)),
        False,
    ),
    said=response_said,
    heard=response_heard,
)

COMPLETIONS = Protocol(
    "openai.completions",
    "/v1/completions",
    "/v1/completions",
    ask=lambda prompt, stream: {"model": "m", "prompt": prompt, "stream": stream},
    answer=lambda text: {
        "id": "c",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "usage": USAGE,
        "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": "stop"}],
    },
    call=lambda arguments: {},
    events=lambda pieces: sse(
        *(
            {
                "id": "c",
                "object": "text_completion",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "text": piece, "logprobs": None, "finish_reason": None}],
            }
            for piece in pieces
        ),
        done=True,
    ),
    called=lambda pieces: [],
    said=lambda tree: joined(choice["text"] for choice in tree["choices"]),
    heard=lambda stream: joined(choice["text"] for chunk in payloads(stream) for choice in chunk["choices"]),
)

# ── Anthropic ───────────────────────────────────────────────────────────────────────────────────────────────────────


def anthropic_message(content: list[Tree], stop: str | None) -> Tree:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 5},
    }


def tool_use(arguments: Any) -> Tree:
    return {"type": "tool_use", "id": "toolu_1", "name": TOOL, "input": arguments}


def anthropic_payloads(block: Tree, kind: str, field: str, pieces: Sequence[str], stop: str) -> list[Tree]:
    return [
        {"type": "message_start", "message": anthropic_message([], None)},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": kind, field: piece}} for piece in pieces),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]


def anthropic_words(pieces: Sequence[str]) -> list[Tree]:
    return anthropic_payloads({"type": "text", "text": ""}, "text_delta", "text", pieces, "end_turn")


def anthropic_called(pieces: Sequence[str]) -> list[Tree]:
    return anthropic_payloads(tool_use({}), "input_json_delta", "partial_json", pieces, "tool_use")


def anthropic_said(tree: Tree) -> str:
    blocks = tree["content"]
    return joined(json.dumps(block["input"]) if "input" in block else block.get("text") for block in blocks)


def anthropic_heard(events: Iterable[Tree]) -> str:
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    return joined(delta.get("text", delta.get("partial_json")) for delta in deltas)


ANTHROPIC = Protocol(
    "anthropic.messages",
    "/v1/messages",
    "/v1/messages",
    ask=lambda prompt, stream: {
        "model": "m",
        "max_tokens": 100,
        "system": "Be kind.",
        "stream": stream,
        "messages": [{"role": "user", "content": [{"type": "text", "text": prompt}]}],
    },
    answer=lambda text: anthropic_message([{"type": "text", "text": text}], "end_turn"),
    call=lambda arguments: anthropic_message([tool_use(json.loads(arguments))], "tool_use"),
    events=lambda pieces: sse(*anthropic_words(pieces), named=True),
    called=lambda pieces: sse(*anthropic_called(pieces), named=True),
    said=anthropic_said,
    heard=lambda stream: anthropic_heard(payloads(stream)),
    headers={"anthropic-version": "2023-06-01"},
)

# ── Gemini ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def candidates(parts: list[Tree], finish: str | None = None) -> Tree:
    candidate = {
        "content": {"role": "model", "parts": parts},
        "index": 0,
        **({"finishReason": finish} if finish else {}),
    }
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 5, "totalTokenCount": 8}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m"}


def gemini_said(tree: Tree) -> str:
    parts = [part for candidate in tree["candidates"] for part in candidate["content"].get("parts", ())]
    return joined(
        json.dumps(part["functionCall"]["args"]) if "functionCall" in part else part.get("text") for part in parts
    )


def gemini_chunks(pieces: Sequence[str]) -> list[Tree]:
    return [*(candidates([{"text": piece}]) for piece in pieces), candidates([{"text": ""}], "STOP")]


def gemini_call(arguments: str) -> Tree:
    return candidates([{"functionCall": {"name": TOOL, "args": json.loads(arguments)}}], "STOP")


def array(chunks: Sequence[Tree]) -> list[bytes]:
    """One JSON array in pieces, as Google sends it."""
    starts = [b"[", *[b",\r\n"] * (len(chunks) - 1)]
    return [
        *(start + json.dumps(chunk, indent=2).encode() for start, chunk in zip(starts, chunks, strict=True)),
        b"\n]\n",
    ]


def gemini_ask(prompt: str, stream: bool) -> Tree:
    return {
        "contents": [{"role": "user", "parts": [{"text": prompt}]}],
        "systemInstruction": {"parts": [{"text": "Be kind."}]},
    }


GEMINI = Protocol(
    "gemini",
    "/v1beta/models/m:generateContent",
    "/v1beta/models/m:streamGenerateContent?alt=sse",
    ask=gemini_ask,
    answer=lambda text: candidates([{"text": text}], "STOP"),
    call=gemini_call,
    events=lambda pieces: sse(*gemini_chunks(pieces)),
    called=lambda pieces: sse(gemini_call("".join(pieces))),
    said=gemini_said,
    heard=lambda stream: joined(gemini_said(chunk) for chunk in payloads(stream)),
)

GEMINI_ARRAY = Protocol(
    "gemini.streamGenerateContent",
    "/v1beta/models/m:generateContent",
    "/v1beta/models/m:streamGenerateContent",
    ask=gemini_ask,
    answer=GEMINI.answer,
    call=gemini_call,
    events=lambda pieces: array(gemini_chunks(pieces)),
    called=lambda pieces: array([gemini_call("".join(pieces))]),
    said=gemini_said,
    heard=lambda stream: joined(gemini_said(chunk) for chunk in json.loads(stream)),
    stream_type=JSON,
)

# ── Ollama ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def ollama(said: Tree, done: bool = True) -> Tree:
    counts = {"done_reason": "stop", "prompt_eval_count": 3, "eval_count": 5} if done else {}
    return {"model": "m", "created_at": "2026-01-01T00:00:00Z", **said, "done": done, **counts}


def ollama_message(text: str) -> Tree:
    return {"message": {"role": "assistant", "content": text}}


def ollama_call(arguments: str) -> Tree:
    calls = [{"function": {"name": TOOL, "arguments": json.loads(arguments)}}]
    return {"message": {"role": "assistant", "content": "", "tool_calls": calls}}


def ollama_lines(*trees: Tree) -> list[bytes]:
    return [json.dumps(tree).encode() + b"\n" for tree in trees]


def ollama_said(tree: Tree) -> str:
    message = tree.get("message", {})
    calls = message.get("tool_calls") or ()
    return joined([message.get("content"), *(json.dumps(call["function"]["arguments"]) for call in calls)])


OLLAMA = Protocol(
    "ollama.chat",
    "/api/chat",
    "/api/chat",
    ask=lambda prompt, stream: {"model": "m", "messages": messages(prompt), "stream": stream},
    answer=lambda text: ollama(ollama_message(text)),
    call=lambda arguments: ollama(ollama_call(arguments)),
    events=lambda pieces: ollama_lines(
        *(ollama(ollama_message(piece), False) for piece in pieces), ollama(ollama_message(""))
    ),
    called=lambda pieces: ollama_lines(ollama(ollama_call("".join(pieces)), False), ollama(ollama_message(""))),
    said=ollama_said,
    heard=lambda stream: joined(ollama_said(line) for line in lines(stream)),
    stream_type=NDJSON,
)

OLLAMA_GENERATE = Protocol(
    "ollama.generate",
    "/api/generate",
    "/api/generate",
    ask=lambda prompt, stream: {"model": "m", "prompt": prompt, "system": "Be kind.", "stream": stream},
    answer=lambda text: ollama({"response": text}),
    call=lambda arguments: {},
    events=lambda pieces: ollama_lines(
        *(ollama({"response": piece}, False) for piece in pieces), ollama({"response": ""})
    ),
    called=lambda pieces: [],
    said=lambda tree: tree.get("response", ""),
    heard=lambda stream: joined(line.get("response") for line in lines(stream)),
    stream_type=NDJSON,
)

# ── Bedrock ─────────────────────────────────────────────────────────────────────────────────────────────────────────

BEDROCK_USAGE = {"inputTokens": 3, "outputTokens": 5, "totalTokens": 8}


def converse(block: Tree, stop: str) -> Tree:
    return {
        "output": {"message": {"role": "assistant", "content": [block]}},
        "stopReason": stop,
        "usage": BEDROCK_USAGE,
        "metrics": {"latencyMs": 7},
    }


def converse_events(start: Tree | None, deltas: Sequence[Tree], stop: str) -> list[bytes]:
    stream = EventStream()
    at = {"contentBlockIndex": 0}
    events: list[tuple[str, Tree]] = [
        ("messageStart", {"role": "assistant"}),
        *([("contentBlockStart", {**at, "start": start})] if start else []),
        *(("contentBlockDelta", {**at, "delta": delta, "p": "abcdefg"}) for delta in deltas),
        ("contentBlockStop", at),
        ("messageStop", {"stopReason": stop}),
        ("metadata", {"usage": BEDROCK_USAGE, "metrics": {"latencyMs": 7}}),
    ]
    return [stream.framed(json.dumps(payload).encode(), name) for name, payload in events]


def converse_said(tree: Tree) -> str:
    blocks = tree["output"]["message"]["content"]
    return joined(
        json.dumps(block["toolUse"]["input"]) if "toolUse" in block else block.get("text") for block in blocks
    )


def converse_heard(stream: bytes) -> str:
    deltas = [payload["delta"] for name, payload in frames(stream) if name == "contentBlockDelta"]
    return joined(delta.get("text", delta.get("toolUse", {}).get("input")) for delta in deltas)


CONVERSE = Protocol(
    "bedrock.converse",
    "/model/m%3A0/converse",
    "/model/m%3A0/converse-stream",
    ask=lambda prompt, stream: {
        "messages": [{"role": "user", "content": [{"text": prompt}]}],
        "system": [{"text": "Be kind."}],
    },
    answer=lambda text: converse({"text": text}, "end_turn"),
    call=lambda arguments: converse(
        {"toolUse": {"toolUseId": "t1", "name": TOOL, "input": json.loads(arguments)}}, "tool_use"
    ),
    events=lambda pieces: converse_events(None, [{"text": piece} for piece in pieces], "end_turn"),
    called=lambda pieces: converse_events(
        {"toolUse": {"toolUseId": "t1", "name": TOOL}}, [{"toolUse": {"input": piece}} for piece in pieces], "tool_use"
    ),
    said=converse_said,
    heard=converse_heard,
    stream_type=AWS,
)


def invoke_frames(events: Sequence[Tree]) -> list[bytes]:
    stream = EventStream()
    wrapped = [{"bytes": b64encode(json.dumps(event).encode()).decode(), "p": "abc"} for event in events]
    return [stream.framed(json.dumps(payload).encode(), "chunk") for payload in wrapped]


def invoke_heard(stream: bytes) -> str:
    return anthropic_heard(
        json.loads(b64decode(payload["bytes"])) for _, payload in frames(stream) if "bytes" in payload
    )


INVOKE = Protocol(
    "bedrock.invoke.anthropic",
    "/model/m%3A0/invoke",
    "/model/m%3A0/invoke-with-response-stream",
    ask=lambda prompt, stream: {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": prompt}],
    },
    answer=ANTHROPIC.answer,
    call=ANTHROPIC.call,
    events=lambda pieces: invoke_frames(anthropic_words(pieces)),
    called=lambda pieces: invoke_frames(anthropic_called(pieces)),
    said=anthropic_said,
    heard=invoke_heard,
    stream_type=AWS,
)

# ── Cohere ──────────────────────────────────────────────────────────────────────────────────────────────────────────

COHERE_USAGE = {
    "billed_units": {"input_tokens": 3, "output_tokens": 5},
    "tokens": {"input_tokens": 3, "output_tokens": 5},
}


def cohere(message: Tree, finish: str) -> Tree:
    return {"id": "1", "finish_reason": finish, "message": {"role": "assistant", **message}, "usage": COHERE_USAGE}


def cohere_call(arguments: str) -> Tree:
    return {"id": "t1", "type": "function", "function": {"name": TOOL, "arguments": arguments}}


def cohere_events(kind: str, start: Tree, deltas: Sequence[Tree], finish: str) -> list[bytes]:
    name = "content" if kind == "content" else "tool-call"
    return sse(
        {"type": "message-start", "id": "1", "delta": {"message": {"role": "assistant", "content": []}}},
        {"type": f"{name}-start", "index": 0, "delta": {"message": start}},
        *({"type": f"{name}-delta", "index": 0, "delta": {"message": delta}} for delta in deltas),
        {"type": f"{name}-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": finish, "usage": COHERE_USAGE}},
        named=True,
    )


def cohere_said(tree: Tree) -> str:
    message = tree["message"]
    texts = [part.get("text") for part in message.get("content") or ()]
    return joined([*texts, *(call["function"]["arguments"] for call in message.get("tool_calls") or ())])


def cohere_heard(stream: bytes) -> str:
    found = []
    for event in payloads(stream):
        message = event.get("delta", {}).get("message", {})
        if event["type"] == "content-delta":
            found.append(message["content"].get("text"))
        elif event["type"] == "tool-call-delta":
            found.append(message["tool_calls"]["function"]["arguments"])
    return joined(found)


COHERE = Protocol(
    "cohere.chat",
    "/v2/chat",
    "/v2/chat",
    ask=lambda prompt, stream: {"model": "m", "messages": messages(prompt), "stream": stream},
    answer=lambda text: cohere({"content": [{"type": "text", "text": text}]}, "COMPLETE"),
    call=lambda arguments: cohere({"tool_calls": [cohere_call(arguments)], "tool_plan": "I will send it"}, "TOOL_CALL"),
    events=lambda pieces: cohere_events(
        "content",
        {"content": {"type": "text", "text": ""}},
        [{"content": {"text": piece}} for piece in pieces],
        "COMPLETE",
    ),
    called=lambda pieces: cohere_events(
        "tool",
        {"tool_calls": cohere_call("")},
        [{"tool_calls": {"function": {"arguments": piece}}} for piece in pieces],
        "TOOL_CALL",
    ),
    said=cohere_said,
    heard=cohere_heard,
)

AZURE = Protocol(
    "azure.chat",
    "/openai/deployments/d/chat/completions?api-version=2025-01-01",
    "/openai/deployments/d/chat/completions?api-version=2025-01-01",
    ask=CHAT.ask,
    answer=CHAT.answer,
    call=CHAT.call,
    events=CHAT.events,
    called=CHAT.called,
    said=CHAT.said,
    heard=CHAT.heard,
)

PROTOCOLS = (
    CHAT,
    RESPONSES,
    COMPLETIONS,
    AZURE,
    ANTHROPIC,
    GEMINI,
    GEMINI_ARRAY,
    OLLAMA,
    OLLAMA_GENERATE,
    CONVERSE,
    INVOKE,
    COHERE,
)
