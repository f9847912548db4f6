"""OpenAI chat completions: what a request asks, what a reply says, and how to say no in its own words."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from penstock.errors import NotUnderstood
from penstock.protect.exchange import Exchange, Part, Reply
from penstock.protect.jsontext import Path, Text, decode, texts

NAME = "openai.chat"
PATH = "/v1/chat/completions"

#: Keys whose values are words of the protocol, not of people.
_PROTOCOL = frozenset(
    {"role", "type", "object", "model", "finish_reason", "system_fingerprint", "service_tier", "reasoning_effort"}
)


def read_request(body: bytes) -> Exchange:
    """What is asked.

    Every text of the body is a part, also in fields that this adapter does not know.

    Raises:
        NotUnderstood: the body is no JSON object, or nests too deeply.
    """
    found = texts(body)
    tree = decode(body)
    model, stream = tree.get("model"), tree.get("stream")
    return Exchange(
        surface=NAME,
        model=model if isinstance(model, str) else "",
        stream=stream is True,
        parts=tuple(_request_part(tree, text) for text in found if _is_said(text)),
        tools=_tools(tree),
    )


def read_reply(body: bytes) -> Reply:
    """What is answered, in one JSON document (an error of the provider is one, too).

    Raises:
        NotUnderstood: the body is no JSON object, or nests too deeply.
    """
    found = texts(body)
    decode(body)
    parts = [
        _part(_channel(text.path), "assistant", text) for text in found if _is_said(text) and not _repeats(text.path)
    ]
    return Reply(tuple(parts), b'"logprobs"' in body)


def without_logprobs(body: bytes) -> bytes:
    """The reply with token probabilities taken out, because they repeat the text token by token."""
    tree = decode(body)
    for choice in _dicts(tree.get("choices")):
        if choice.get("logprobs") is not None:
            choice["logprobs"] = None
    return msgspec.json.encode(tree)


# ── streams ─────────────────────────────────────────────────────────────────────────────────────────────────────────

#: What a fragment belongs to: (choice, field, number of the tool call). Fragments of one key make one text.
Key = tuple[int, str, int]


def read_chunk(payload: bytes) -> tuple[dict[str, Any], list[tuple[Key, Part]]]:
    """One streamed chunk: its tree, and the fragments of text in it with what each belongs to.

    A text that comes whole (an error, the name of a tool) has the choice -1: no later chunk continues it.

    Raises:
        NotUnderstood: the chunk is no JSON object, or nests too deeply.
    """
    found = texts(payload)
    tree = decode(payload)
    choices = tree.get("choices")
    parts: list[tuple[Key, Part]] = []
    for text in found:
        if not _is_said(text) or _repeats(text.path) or not text.value:
            continue
        parts.append((_key(choices, text.path), _part(_channel(text.path), "assistant", text)))
    return tree, parts


def _key(choices: Any, path: Path) -> Key:
    if len(path) < 4 or path[0] != "choices" or not isinstance(path[1], int):
        return -1, "/".join(str(step) for step in path if isinstance(step, str)), 0
    if path[2] != "delta" or path[-1] in _WHOLE:
        return -1, "/".join(str(step) for step in path if isinstance(step, str)), 0
    choice = _item(choices, path[1])
    number = choice.get("index")
    field = "/".join(str(step) for step in path[2:] if isinstance(step, str))
    call = 0
    if "tool_calls" in path:
        at = path.index("tool_calls")
        if len(path) > at + 1 and isinstance(path[at + 1], int):
            delta = choice.get("delta")
            position = int(path[at + 1])
            named = _item(delta.get("tool_calls") if isinstance(delta, dict) else None, position).get("index")
            call = named if isinstance(named, int) else position
    return (number if isinstance(number, int) else int(path[1])), field, call


#: Fields of a delta that come whole in one chunk.
_WHOLE = frozenset({"id", "name", "type", "role", "format", "signature"})


def refusal_chunks(like: Mapping[str, Any] | None, model: str, choices: Sequence[int], message: str) -> bytes:
    """The end of a stream that was stopped: the message as text, ``content_filter`` as the reason, and the end mark."""
    head = _head(like, model, "chat.completion.chunk")
    events = []
    for number in choices or (0,):
        delta = {"content": message} if like else {"role": "assistant", "content": message}
        choice = {"index": number, "delta": delta, "finish_reason": "content_filter"}
        events.append(b"data: " + msgspec.json.encode({**head, "choices": [choice]}) + b"\n\n")
    return b"".join(events) + b"data: [DONE]\n\n"


def refusal_reply(like: Mapping[str, Any] | None, model: str, message: str) -> bytes:
    """A completion that says why there is none."""
    said = {"role": "assistant", "content": message, "refusal": None}
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": "content_filter"}
    usage = (like or {}).get("usage") or {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return msgspec.json.encode({**_head(like, model, "chat.completion"), "choices": [choice], "usage": usage})


def error_body(message: str, kind: str, code: str) -> bytes:
    """An error in the shape that clients of this API read."""
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": None, "code": code}})


def error_chunk(message: str, code: str) -> bytes:
    """An error in the middle of a stream; no end mark follows, so that it does not pass for a whole answer."""
    return b"data: " + error_body(message, "upstream_error", code) + b"\n\n"


def _head(like: Mapping[str, Any] | None, model: str, kind: str) -> dict[str, Any]:
    like = like or {}
    return {
        "id": like.get("id") or "chatcmpl-penstock",
        "object": kind,
        "created": like.get("created") or int(time.time()),
        "model": like.get("model") or model,
    }


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _request_part(tree: Mapping[str, Any], text: Text) -> Part:
    path = text.path
    role = ""
    if len(path) > 2 and path[0] == "messages" and isinstance(path[1], int):
        said_by = _item(tree.get("messages"), path[1]).get("role")
        role = said_by if isinstance(said_by, str) else ""
    return _part(_channel(path), role, text)


def _channel(path: Path) -> str:
    if path and path[0] in ("tools", "functions", "response_format"):
        return "tool_definition"
    if "arguments" in path:
        return "tool_call"
    return "content" if "content" in path else "other"


def _is_said(text: Text) -> bool:
    path = text.path
    return not path or (path[-1] not in _PROTOCOL and not (path[-1] == "id" and len(path) == 1))


def _repeats(path: Path) -> bool:
    return "logprobs" in path


def _part(channel: str, role: str, text: Text) -> Part:
    return Part(role, channel, text.value, text.start, text.end)


def _tools(tree: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the tools that are offered, at most 100."""
    names = []
    for tool in _dicts(tree.get("tools"))[:100]:
        function = tool.get("function")
        name = function.get("name") if isinstance(function, dict) else tool.get("name")
        if isinstance(name, str):
            names.append(name[:64])
    return tuple(names)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _item(value: Any, position: int) -> Mapping[str, Any]:
    if isinstance(value, list) and position < len(value) and isinstance(value[position], dict):
        return value[position]  # type: ignore[no-any-return]
    return {}


__all__ = [
    "NAME", "PATH", "Key", "NotUnderstood", "error_body", "error_chunk", "read_chunk", "read_reply", "read_request",
    "refusal_chunks", "refusal_reply", "without_logprobs",
]  # fmt: skip
