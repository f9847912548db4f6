"""OpenAI chat completions, and every provider that is compatible with them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import msgspec

from penstock.protect.exchange import Exchange, Key, ToolCall, Usage
from penstock.protect.framing.frame import Frame
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
from penstock.protect.surfaces.surface import Failure, Heard, Route, Streaming, Tree, is_events

_WORDS = frozenset(
    {"role", "type", "object", "model", "finish_reason", "system_fingerprint", "service_tier", "reasoning_effort"}
)
_DEFINITIONS = frozenset({"tools", "functions", "response_format"})


class OpenAIChat(JsonSurface):
    """``/v1/chat/completions``, under whichever prefix a compatible provider has it."""

    name = "openai.chat"
    family = "openai"
    routes: tuple[Route, ...] = (Route("POST", r"(?:/[\w.-]+){0,5}/chat/completions"),)
    words = _WORDS

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        if path[0] in _DEFINITIONS:
            return Place("", "tool_definition")
        if path[0] != "messages" or len(path) < 3:
            return Place("", "other")
        role = text_at(tree, "messages", path[1], "role")
        if "arguments" in path:
            return Place(role, "tool_call")
        return Place(role, CHANNEL_OF.get(role, "content") if "content" in path else "other")

    def answered_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path) or "logprobs" in path or path == ("id",):
            return None
        return Place("assistant", "tool_call" if "arguments" in path else "assistant")

    def asked_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return [_call(call) for message in dicts(tree.get("messages")) for call in dicts(message.get("tool_calls"))]

    def answered_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return [
            _call(call)
            for choice in dicts(tree.get("choices"))
            for call in dicts(item(choice, "message").get("tool_calls"))
        ]

    def tools(self, tree: Tree) -> Iterable[Any]:
        return [*super().tools(tree), *(function.get("name") for function in dicts(tree.get("functions")))]

    def usage(self, tree: Tree) -> Usage | None:
        return usage(tree)

    def finish(self, tree: Tree) -> str:
        return text_at(tree, "choices", 0, "finish_reason")

    def clean(self, body: bytes) -> bytes:
        return without_logprobs(body)

    def streaming(self, exchange: Exchange, content_type: str) -> Streaming | None:
        return Chunks(exchange, ServerSentEvents()) if is_events(exchange, content_type) else None

    def refusal(self, exchange: Exchange, message: str, reply: bytes = b"") -> bytes:
        like = decode(reply) if reply else {}
        if exchange.stream and not reply:
            return Chunks(exchange, ServerSentEvents()).refusal(message)
        said = {"role": "assistant", "content": message, "refusal": None}
        choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": "content_filter"}
        used = like.get("usage") or {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        head = _head(like, exchange.model, "chat.completion")
        return msgspec.json.encode({**head, "choices": [choice], "usage": used})

    def failure(self, status: int, message: str, code: str) -> Failure:
        return openai_errors.failure(status, message, code)


class AzureChat(OpenAIChat):
    """The same on Azure, where a deployment in the path takes the model's place."""

    name = "azure.chat"
    family = "azure"
    routes: tuple[Route, ...] = (Route("POST", r"/openai(?:/deployments/(?P<model>[^/]+)|/v1)?/chat/completions"),)


class Chunks(JsonStreaming):
    """A streamed completion."""

    words = _WORDS

    def __init__(self, exchange: Exchange, framing: ServerSentEvents) -> None:
        super().__init__(exchange, framing)
        self._last: Tree = {}
        self._begun: set[int] = set()
        self._done: set[int] = set()
        self._calls: dict[tuple[int, int], ToolCall] = {}

    def read(self, frame: Frame) -> Heard:
        if frame.data is not None and frame.data.strip() == b"[DONE]":
            return Heard([], ((),))
        heard = super().read(frame)
        heard.repeats = b'"logprobs"' in frame.raw
        return heard

    def piece(self, tree: Tree, path: Path) -> Piece | None:
        if "logprobs" in path or path == ("id",):
            return None
        channel = "tool_call" if "arguments" in path else "assistant"
        field = tuple(step for step in path if isinstance(step, str))
        if len(path) < 4 or path[0] != "choices" or not isinstance(path[1], int) or path[2] != "delta":
            return Piece(("", 0, *field), channel)
        choice = item(tree, "choices", path[1])
        number = choice.get("index")
        key: Key = ("choices", number if isinstance(number, int) else path[1], *field[2:])
        if path[-1] in _WHOLE:
            return Piece(("whole", *key), channel)
        if path[3] == "tool_calls" and len(path) > 4:
            key = (*key, _call_number(choice, path[4]))
        return Piece(key, channel, whole=False)

    def note(self, tree: Tree) -> None:
        if tree.get("usage") is not None:
            self.usage = usage(tree)
        for choice in dicts(tree.get("choices")):
            self.finish = text_at(choice, "finish_reason") or self.finish
            delta = choice.get("delta")
            if isinstance(delta, dict) and delta.get("tool_calls"):
                for position, call in enumerate(dicts(delta["tool_calls"])[:100]):
                    at = number_at(choice, "index"), _call_number(choice, position)
                    if name := text_at(call, "function", "name"):
                        self._calls[at] = ToolCall(name[:64], "", text_at(call, "id")[:128])

    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(self._calls.values())[:100]

    def passed(self, tree: Tree) -> None:
        if tree.get("choices") is None:
            return
        self._last = tree
        for choice in dicts(tree["choices"]):
            number = choice.get("index", 0)
            if isinstance(number, int):
                self._begun.add(number)
                if choice.get("finish_reason"):
                    self._done.add(number)

    def clean(self, data: bytes) -> bytes:
        return without_logprobs(data)

    def refusal(self, message: str) -> bytes:
        events = []
        head = _head(self._last, self.exchange.model, "chat.completion.chunk")
        for number in sorted(self._begun - self._done) or (0,):
            said = {"content": message} if number in self._begun else {"role": "assistant", "content": message}
            choice = {"index": number, "delta": said, "finish_reason": "content_filter"}
            events.append(self.framing.framed(msgspec.json.encode({**head, "choices": [choice]})))
        return b"".join(events) + b"data: [DONE]\n\n"

    def failure(self, message: str, code: str) -> bytes:
        """No end mark follows, so that it does not pass for a whole answer."""
        return self.framing.framed(openai_errors.error(message, "upstream_error", code))


#: Fields of a delta that come whole in one chunk.
_WHOLE = frozenset({"id", "name", "type", "role", "format", "signature"})


def without_logprobs(body: bytes) -> bytes:
    """The body with token probabilities taken out, because they repeat the text token by token."""
    if b'"logprobs"' not in body:
        return body
    tree = decode(body)
    for choice in dicts(tree.get("choices")):
        if choice.get("logprobs") is not None:
            choice["logprobs"] = None
    return msgspec.json.encode(tree)


def usage(tree: Tree) -> Usage | None:
    """Tokens as OpenAI counts them."""
    return usage_at(tree, "usage", "prompt_tokens", "completion_tokens")


def _call(call: Tree) -> ToolCall:
    return ToolCall(
        text_at(call, "function", "name")[:64], text_at(call, "function", "arguments"), text_at(call, "id")[:128]
    )


def _call_number(choice: Tree, position: Any) -> int:
    named = item(choice, "delta", "tool_calls", position).get("index")
    return named if isinstance(named, int) else position if isinstance(position, int) else 0


def _head(like: Tree, model: str, kind: str) -> dict[str, Any]:
    return {
        "id": like.get("id") or "chatcmpl-penstock",
        "object": kind,
        "created": like.get("created") or int(time.time()),
        "model": like.get("model") or model,
    }
