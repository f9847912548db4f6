"""OpenAI responses. A streamed text is named by its path in the finished response, which states it again and again."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import msgspec

from penstock.protect.exchange import Exchange, Key, ToolCall, Usage
from penstock.protect.framing.frame import Framing
from penstock.protect.framing.sse import ServerSentEvents
from penstock.protect.jsontext import Path, decode
from penstock.protect.surfaces import openai_errors
from penstock.protect.surfaces.json_surface import (
    CHANNEL_OF,
    JsonStreaming,
    JsonSurface,
    Piece,
    Place,
    dicts,
    item,
    number_at,
    text_at,
    usage_at,
)
from penstock.protect.surfaces.surface import Failure, Route, Streaming, Tree, is_events

_WORDS = frozenset({"role", "type", "object", "model", "status", "obfuscation", "service_tier", "truncation", "effort"})
#: A reasoning item that the provider encrypted; sounds and pictures that come in pieces.
_OPAQUE = frozenset({"encrypted_content", "partial_image_b64"})
#: Fields of items that hold what a tool is to do.
_CALLS = frozenset({"arguments", "input", "code", "action"})
#: Types of items that hold what a tool gave back.
_RESULTS = ("_output", "_result")


class OpenAIResponses(JsonSurface):
    """``/v1/responses``, and its count of tokens."""

    name = "openai.responses"
    family = "openai"
    routes: tuple[Route, ...] = (
        Route("POST", r"(?:/[\w.-]+){0,5}/responses"),
        Route("POST", r"(?:/[\w.-]+){0,5}/responses/(?P<part>input_tokens|compact)"),
    )
    words = _WORDS
    opaque = _OPAQUE

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        if path[0] == "instructions":
            return Place("system", "system")
        if path[0] in ("tools", "text"):
            return Place("", "tool_definition")
        if path[0] != "input":
            return Place("", "other")
        if len(path) == 1:
            return Place("user", "user")
        entry = item(tree, "input", path[1])
        return _place(entry, path[2:])

    def answered_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path) or "logprobs" in path or path == ("id",):
            return None
        if path[0] == "output" and len(path) > 2:
            return Place("assistant", _channel(path))
        return Place("", "other")

    def model(self, tree: Tree, asked: Any) -> str:
        return text_at(tree, "model")

    def asked_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return _calls(tree.get("input"))

    def answered_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return _calls(tree.get("output"))

    def usage(self, tree: Tree) -> Usage | None:
        return _usage(tree)

    def finish(self, tree: Tree) -> str:
        return text_at(tree, "incomplete_details", "reason") or text_at(tree, "status")

    def clean(self, body: bytes) -> bytes:
        return without_logprobs(body)

    def streaming(self, exchange: Exchange, content_type: str) -> Streaming | None:
        return ResponseEvents(exchange, ServerSentEvents()) if is_events(exchange, content_type) else None

    def refusal(self, exchange: Exchange, message: str, reply: bytes = b"") -> bytes:
        if exchange.stream and not reply:
            return ResponseEvents(exchange, ServerSentEvents()).refusal(message)
        like = decode(reply) if reply else {}
        return msgspec.json.encode(_response(like, exchange.model, [_message("msg_penstock", message)]))

    def failure(self, status: int, message: str, code: str) -> Failure:
        return openai_errors.failure(status, message, code)


class AzureResponses(OpenAIResponses):
    """The same on Azure."""

    name = "azure.responses"
    family = "azure"
    routes: tuple[Route, ...] = (
        Route("POST", r"/openai(?:/deployments/(?P<model>[^/]+)|/v1)?/responses(?:/input_tokens)?"),
    )


class ResponseEvents(JsonStreaming):
    """A streamed response."""

    words = _WORDS
    opaque = _OPAQUE

    def __init__(self, exchange: Exchange, framing: Framing) -> None:
        super().__init__(exchange, framing)
        self._response: Tree = {}
        self._number = 0
        self._item = -1  # of what the client has: the last item, its id, and the text of its open part
        self._item_id = ""
        self._part: int | None = None
        self._said: list[str] = []
        self._calls: dict[int, ToolCall] = {}

    def piece(self, tree: Tree, path: Path) -> Piece | None:
        kind = text_at(tree, "type")
        if "logprobs" in path or kind in _SOUND or path == ("item_id",):
            return None
        if path[0] == "response":
            return Piece(path[1:], _channel(path[1:])) if path[1:] != ("id",) else None
        at = number_at(tree, "output_index")
        if path[0] in ("item", "part"):
            return Piece((*_home(tree, at), *path[1:]), _channel(path))
        field, ending = _FIELDS.get(kind.rpartition(".")[0], ""), kind.rpartition(".")[2]
        if not field or path[0] not in ("delta", *_WHOLE):
            return Piece(("", 0, *path), "other")
        key = (*_home(tree, at), field)
        channel = "tool_call" if field in _CALLS else "assistant"
        return Piece(key, channel, whole=path[0] != "delta" or ending != "delta")

    def note(self, tree: Tree) -> None:
        response = tree.get("response")
        if isinstance(response, dict):
            self.usage = _usage(response) or self.usage
            self.finish = text_at(response, "incomplete_details", "reason") or text_at(response, "status")
        for call in _calls([tree.get("item")]):
            self._calls[number_at(tree, "output_index")] = call

    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(self._calls.values())[:100]

    def passed(self, tree: Tree) -> None:
        kind = text_at(tree, "type")
        self._number = max(self._number, number_at(tree, "sequence_number") + 1)
        if isinstance(tree.get("response"), dict):
            self._response = tree["response"]
        elif kind == "response.output_item.added":
            self._item, self._item_id = number_at(tree, "output_index"), text_at(tree, "item", "id")
            self._part, self._said = None, []
        elif kind == "response.content_part.added" and text_at(tree, "part", "type") == "output_text":
            self._part, self._said = number_at(tree, "content_index"), []
        elif kind == "response.output_text.delta" and self._part is not None:
            self._said.append(text_at(tree, "delta"))
        elif kind in ("response.content_part.done", "response.output_item.done"):
            self._part, self._said = None, []

    def clean(self, data: bytes) -> bytes:
        return without_logprobs(data)

    def refusal(self, message: str) -> bytes:
        """The message goes on in the open text, or begins a new one; the response ends as incomplete."""
        events: list[dict[str, Any]] = []
        response = _response(self._response, self.exchange.model, [])
        if not self._response:
            events.append({"type": "response.created", "response": {**response, "status": "in_progress"}})
        if self._part is None:
            self._item, self._item_id, self._part = self._item + 1, "msg_penstock", 0
            empty = {**_message(self._item_id, ""), "status": "in_progress", "content": []}
            events.append({"type": "response.output_item.added", "output_index": self._item, "item": empty})
            events.append({"type": "response.content_part.added", "part": _text("")})
        before = "".join(self._said)
        text = f"{before}\n\n{message}" if before else message
        done = _message(self._item_id, text)
        events += [
            {"type": "response.output_text.delta", "delta": text[len(before) :], "logprobs": []},
            {"type": "response.output_text.done", "text": text, "logprobs": []},
            {"type": "response.content_part.done", "part": _text(text)},
            {"type": "response.output_item.done", "item": done},
            {"type": "response.incomplete", "response": {**response, "output": [done]}},
        ]
        out = []
        for number, event in enumerate(events, self._number):
            if "response" not in event:
                event["output_index"] = self._item
                if "item" not in event:
                    event |= {"item_id": self._item_id, "content_index": self._part}
            event["sequence_number"] = number
            out.append(self.framing.framed(msgspec.json.encode(event), event["type"]))
        return b"".join(out)

    def failure(self, message: str, code: str) -> bytes:
        error = {"type": "upstream_error", "message": message, "param": None, "code": code}
        event = {**error, "type": "error", "error": error, "sequence_number": self._number}
        return self.framing.framed(msgspec.json.encode(event), "error")


#: Event without its last word → the field of the item, or of its part, that it continues and then states.
_FIELDS = {
    "response.output_text": "text", "response.refusal": "refusal", "response.reasoning_text": "text",
    "response.reasoning_summary_text": "text", "response.function_call_arguments": "arguments",
    "response.mcp_call_arguments": "arguments", "response.custom_tool_call_input": "input",
    "response.code_interpreter_call_code": "code", "response.audio.transcript": "transcript",
}  # fmt: skip
#: Fields in which a ``done`` event states the text.
_WHOLE = ("text", "refusal", "arguments", "input", "code", "transcript")
_SOUND = frozenset({"response.audio.delta", "response.audio.done"})


def _home(tree: Tree, at: int) -> Key:
    """The path of the item, or of the part of it, that an event is about."""
    if isinstance(tree.get("content_index"), int):
        return "output", at, "content", tree["content_index"]
    if isinstance(tree.get("summary_index"), int):
        return "output", at, "summary", tree["summary_index"]
    return "output", at


def _place(entry: Tree, path: Path) -> Place:
    kind, role = text_at(entry, "type"), text_at(entry, "role")
    if kind.endswith(_RESULTS):
        return Place("tool", "tool_result")
    if path and path[0] in _CALLS:
        return Place("assistant", "tool_call")
    if "content" in path or "summary" in path:
        return Place(role, "file" if "filename" in path else CHANNEL_OF.get(role, "assistant"))
    return Place(role, "other")


def _channel(path: Path) -> str:
    named = [step for step in path if isinstance(step, str)]
    return "tool_call" if named and named[-1] in ("arguments", "input", "code") else "assistant"


def _calls(items: Any) -> list[ToolCall]:
    return [
        ToolCall((text_at(entry, "name") or text_at(entry, "type"))[:64], text_at(entry, "arguments"))
        for entry in dicts(items)
        if text_at(entry, "type").endswith("_call")
    ]


def _usage(tree: Tree) -> Usage | None:
    return usage_at(tree, "usage", "input_tokens", "output_tokens")


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


def _message(id: str, text: str) -> dict[str, Any]:
    return {"type": "message", "id": id, "role": "assistant", "status": "incomplete", "content": [_text(text)]}


def _response(like: Tree, model: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": like.get("id") or "resp_penstock",
        "object": "response",
        "created_at": like.get("created_at") or int(time.time()),
        "status": "incomplete",
        "incomplete_details": {"reason": "content_filter"},
        "error": None,
        "instructions": None,
        "metadata": {},
        "model": like.get("model") or model,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "usage": like.get("usage"),
    }


def without_logprobs(body: bytes) -> bytes:
    """The body with token probabilities taken out, because they repeat the text token by token."""
    if b'"logprobs"' not in body:
        return body
    tree = decode(body)
    _drop(tree)
    return msgspec.json.encode(tree)


def _drop(value: Any) -> None:
    if isinstance(value, dict):
        if value.get("logprobs"):
            value["logprobs"] = []
        for inner in value.values():
            _drop(inner)
    elif isinstance(value, list):
        for inner in value:
            _drop(inner)
