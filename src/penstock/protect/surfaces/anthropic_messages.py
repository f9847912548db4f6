"""Anthropic messages and count_tokens, at Anthropic itself and on Vertex."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from penstock.protect.exchange import Asked, Exchange, Key, ToolCall, Usage
from penstock.protect.framing.frame import Framing
from penstock.protect.framing.sse import ServerSentEvents
from penstock.protect.jsontext import Path, decode
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
)
from penstock.protect.surfaces.surface import STOPPED, Failure, Route, Streaming, Tree, is_events

_WORDS = frozenset({"role", "type", "model", "stop_reason", "media_type", "service_tier", "anthropic_version"})
#: What Anthropic has signed or encrypted must come back as it went out.
_OPAQUE = frozenset({"signature", "encrypted_content", "encrypted_index", "encrypted_stdout"})
#: Status → type of the error.
_TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
          413: "request_too_large", 429: "rate_limit_error", 503: "overloaded_error"}  # fmt: skip
_COUNT = "count_tokens"
#: Types of blocks, as they end, that a tool or a search gave.
_RESULT = ("_result", "search_result")


class AnthropicMessages(JsonSurface):
    """``/v1/messages`` and ``/v1/messages/count_tokens``."""

    name = "anthropic.messages"
    family = "anthropic"
    routes: tuple[Route, ...] = (
        Route("POST", r"(?:/[\w.-]+){0,4}/messages(?:/(?P<part>count_tokens))?", (b"anthropic-version",)),
        Route("POST", r"/v1/messages(?:/(?P<part>count_tokens))?"),
    )
    words = _WORDS
    opaque = _OPAQUE

    def request(self, asked: Asked) -> Exchange:
        exchange = super().request(asked)
        return replace(exchange, surface=f"{self.name}.{_COUNT}") if asked.fields.get("part") else exchange

    def is_value(self, path: Path) -> bool:
        return path[-1:] == ("input",) and len(path) > 2

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        if path[0] == "system":
            return Place("system", "system")
        if path[0] in ("tools", "mcp_servers"):
            return Place("", "tool_definition")
        if path[0] != "messages" or len(path) < 3:
            return Place("", "other")
        role = text_at(tree, "messages", path[1], "role")
        if path[2] != "content":
            return Place(role, "other")
        if len(path) == 3:
            return Place(role, CHANNEL_OF.get(role, "content"))
        return _block(item(tree, "messages", path[1], "content", path[3]), role, path[4:])

    def answered_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path) or path == ("id",):
            return None
        if path[0] != "content" or len(path) < 3:
            return Place("", "other")
        return _block(item(tree, "content", path[1]), "assistant", path[2:], asked=False)

    def tools(self, tree: Tree) -> Iterable[Any]:
        return [tool.get("name") for tool in dicts(tree.get("tools"))]

    def asked_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return [call for message in dicts(tree.get("messages")) for call in _calls(message.get("content"))]

    def answered_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return _calls(tree.get("content"))

    def usage(self, tree: Tree) -> Usage | None:
        return _usage(tree, None)

    def finish(self, tree: Tree) -> str:
        return text_at(tree, "stop_reason")

    def streaming(self, exchange: Exchange, content_type: str) -> Streaming | None:
        return MessageEvents(exchange, ServerSentEvents()) if is_events(exchange, content_type) else None

    def refusal(self, exchange: Exchange, message: str, reply: bytes = b"") -> bytes | None:
        if exchange.surface.endswith(_COUNT):
            return None
        if exchange.stream and not reply:
            return MessageEvents(exchange, ServerSentEvents()).refusal(message)
        like = decode(reply) if reply else {}
        return msgspec.json.encode(
            {
                **_head(like, exchange.model),
                "content": [{"type": "text", "text": message}],
                "stop_reason": "refusal",
                "usage": like.get("usage") or _NO_USAGE,
            }
        )

    def failure(self, status: int, message: str, code: str) -> Failure:
        return Failure(_error(message, _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")))


class AnthropicVertex(AnthropicMessages):
    """The same on Vertex, where the path names the model."""

    name = "vertex.anthropic"
    family = "vertex"
    routes: tuple[Route, ...] = (
        Route(
            "POST",
            r"/v1/projects/[^/]+/locations/[^/]+/publishers/anthropic/models/(?P<model>[^/:]+):(?:streamR|r)awPredict",
        ),
    )


class MessageEvents(JsonStreaming):
    """A streamed message: blocks that open, grow and close one after another."""

    words = _WORDS
    opaque = _OPAQUE

    def __init__(self, exchange: Exchange, framing: Framing) -> None:
        super().__init__(exchange, framing)
        self._calls: dict[int, ToolCall] = {}
        self._begun: Tree | None = None  # of what the client has: the message, the block that is open, its number
        self._open = ""
        self._block = -1

    def is_value(self, path: Path) -> bool:
        return path[-1:] == ("input",) and path[:1] == ("content_block",)

    def piece(self, tree: Tree, path: Path) -> Piece | None:
        if path in (("message", "id"), ("content_block", "id")):
            return None
        key: Key = ("content", number_at(tree, "index"))
        if path[0] == "delta" and len(path) == 2 and (field := _GROWING.get(str(path[1]))):
            return Piece((*key, field), "tool_call" if field == "input" else "assistant", whole=False)
        if path[0] == "content_block" and len(path) == 2 and path[1] in _GROWING.values() and path[1] != "input":
            return Piece((*key, *path[1:]), whole=False)
        if path[0] in ("content_block", "delta"):
            return Piece(("whole", *key, *path[1:]), "tool_call" if path[-1] == "input" else "assistant")
        return Piece(("", 0, *path), "other")

    def closed(self, tree: Tree) -> tuple[Key, ...]:
        kind = tree.get("type")
        if kind == "content_block_stop":
            return (("content", number_at(tree, "index")),)
        return ((),) if kind in ("message_stop", "error") else ()

    def note(self, tree: Tree) -> None:
        kind = tree.get("type")
        if kind == "message_start":
            self.usage = _usage(item(tree, "message"), self.usage)
        elif kind == "message_delta":
            self.usage = _usage(tree, self.usage)
            self.finish = text_at(tree, "delta", "stop_reason") or self.finish
        elif kind == "content_block_start":
            for call in _calls([tree.get("content_block")]):
                self._calls[number_at(tree, "index")] = call

    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(self._calls.values())[:100]

    def passed(self, tree: Tree) -> None:
        kind = tree.get("type")
        if kind == "message_start":
            self._begun = item(tree, "message")
        elif kind == "content_block_start":
            self._block, self._open = number_at(tree, "index"), text_at(tree, "content_block", "type") or "?"
        elif kind == "content_block_stop":
            self._open = ""

    def refusal(self, message: str) -> bytes:
        """The message goes on in the open text, or in a block of its own behind the one that was open."""
        events: list[dict[str, Any]] = []
        if self._begun is None:
            started = {**_head({}, self.exchange.model), "content": [], "stop_reason": None, "usage": _NO_USAGE}
            events.append({"type": "message_start", "message": started})
        if self._open and self._open != "text":
            events.append({"type": "content_block_stop", "index": self._block})
        if self._open != "text":
            self._block += 1
            text = {"type": "text", "text": ""}
            events.append({"type": "content_block_start", "index": self._block, "content_block": text})
        else:
            message = f"\n\n{message}"
        used = number_at(self._begun or {}, "usage", "output_tokens")
        events += [
            {"type": "content_block_delta", "index": self._block, "delta": {"type": "text_delta", "text": message}},
            {"type": "content_block_stop", "index": self._block},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "refusal", "stop_sequence": None},
                "usage": {"output_tokens": used},
            },
            {"type": "message_stop"},
        ]
        return b"".join(self.framing.framed(msgspec.json.encode(event), event["type"]) for event in events)

    def failure(self, message: str, code: str) -> bytes:
        return self.framing.framed(_error(message, "permission_error" if code == STOPPED else "api_error"), "error")


#: Field of a delta → the field of the block that it continues.
_GROWING = {"text": "text", "thinking": "thinking", "partial_json": "input"}
_NO_USAGE = {"input_tokens": 0, "output_tokens": 0}


def _block(block: Tree, role: str, path: Path, *, asked: bool = True) -> Place | None:
    """What a text of a block of content is."""
    kind = text_at(block, "type")
    if kind == "redacted_thinking":
        return None if path == ("data",) else Place(role, "other")
    if kind == "thinking":  # signed: what is asked again must be what was answered
        return Place(role, "assistant", fixed=asked)
    if kind.endswith("tool_use"):
        return Place(role, "tool_call" if path[0] == "input" else "other")
    if kind == "document":
        return Place(role, "document")
    if kind.endswith(_RESULT):
        return Place("tool", "document" if kind == "search_result" else "tool_result")
    return Place(role, CHANNEL_OF.get(role, "content"))


def _calls(blocks: Any) -> list[ToolCall]:
    return [
        ToolCall(text_at(block, "name")[:64], "", text_at(block, "id")[:128])
        for block in dicts(blocks)
        if text_at(block, "type").endswith("tool_use")
    ]


def _usage(tree: Tree, before: Usage | None) -> Usage | None:
    used = tree.get("usage")
    if not isinstance(used, dict):
        return before
    sent = sum(
        number_at(used, name) for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    )
    return Usage(sent or (before.sent if before else 0), number_at(used, "output_tokens"))


def _head(like: Tree, model: str) -> dict[str, Any]:
    return {
        "id": like.get("id") or "msg_penstock",
        "type": "message",
        "role": "assistant",
        "model": like.get("model") or model,
        "stop_sequence": None,
    }


def _error(message: str, kind: str) -> bytes:
    return msgspec.json.encode({"type": "error", "error": {"type": kind, "message": message}})
