"""Cohere: chat (v2 and v1), embed and rerank."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from penstock.protect.exchange import Exchange, ToolCall, Usage
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
    usage_at,
)
from penstock.protect.surfaces.surface import Failure, Route, Streaming, Tree, is_events

_WORDS = frozenset({"role", "type", "model", "finish_reason", "input_type", "truncate", "safety_mode"})


class CohereChat(JsonSurface):
    """``/v2/chat``."""

    name = "cohere.chat"
    family = "cohere"
    routes: tuple[Route, ...] = (Route("POST", r"/v2/chat"),)
    words = _WORDS

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        if path[0] in ("tools", "response_format"):
            return Place("", "tool_definition")
        if path[0] == "documents":
            return Place("", "document")
        if path[0] != "messages" or len(path) < 3:
            return Place("", "other")
        role = text_at(tree, "messages", path[1], "role")
        if "arguments" in path:
            return Place(role, "tool_call")
        return Place(role, CHANNEL_OF.get(role, "content") if "content" in path or "tool_plan" in path else "other")

    def answered_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path) or path == ("id",):
            return None
        return Place("assistant", "tool_call" if path[-1] == "arguments" else "assistant")

    def asked_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return [call for message in dicts(tree.get("messages")) for call in _calls(message.get("tool_calls"))]

    def answered_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return _calls(item(tree, "message").get("tool_calls"))

    def usage(self, tree: Tree) -> Usage | None:
        return _usage(tree)

    def finish(self, tree: Tree) -> str:
        return text_at(tree, "finish_reason")

    def streaming(self, exchange: Exchange, content_type: str) -> Streaming | None:
        return ChatEvents(exchange, ServerSentEvents()) if is_events(exchange, content_type) else None

    def refusal(self, exchange: Exchange, message: str, reply: bytes = b"") -> bytes | None:
        if exchange.stream and not reply:
            return ChatEvents(exchange, ServerSentEvents()).refusal(message)
        like = decode(reply) if reply else {}
        said = {"role": "assistant", "content": [{"type": "text", "text": message}]}
        return msgspec.json.encode(
            {
                "id": like.get("id") or "penstock",
                "finish_reason": "ERROR",
                "message": said,
                "usage": like.get("usage") or {},
            }
        )

    def failure(self, status: int, message: str, code: str) -> Failure:
        return Failure(msgspec.json.encode({"message": message, "code": code}))


class CohereTexts(CohereChat):
    """Embed, rerank and the older chat, whose texts stand in fields of their own; a refusal is an error there."""

    name = "cohere.texts"
    routes: tuple[Route, ...] = (
        Route("POST", r"/v[12]/(?:embed|rerank|classify|tokenize|summarize)"),
        Route("POST", r"/v1/chat"),
    )

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        if path[0] in ("texts", "documents", "inputs"):
            return Place("", "document")
        if path[0] == "preamble":
            return Place("system", "system")
        return Place("user", "user") if path[0] in ("message", "query", "text") else Place("", "other")

    def refusal(self, exchange: Exchange, message: str, reply: bytes = b"") -> None:
        return None


class ChatEvents(JsonStreaming):
    """A streamed answer of chat."""

    words = _WORDS

    def __init__(self, exchange: Exchange, framing: Framing) -> None:
        super().__init__(exchange, framing)
        self._calls: dict[int, ToolCall] = {}
        self._begun = False  # of what the client has: the message, and the text that is open
        self._open = self._block = -1

    def piece(self, tree: Tree, path: Path) -> Piece | None:
        if path == ("id",):
            return None
        key = ("content", number_at(tree, "index"))
        if path[:2] == ("delta", "message"):
            if path[2:] in _GROWING:
                return Piece((*key, path[-1]), whole=False)
            if path[-1] == "arguments":
                return Piece(("calls", number_at(tree, "index"), "arguments"), "tool_call", whole=False)
            if path[2:] == ("tool_plan",):
                return Piece(("plan", 0, "text"), whole=False)
        if path == ("text",) and tree.get("event_type") == "text-generation":  # version 1
            return Piece(("content", 0, "text"), whole=False)
        return Piece(("", 0, *path), "other")

    def closed(self, tree: Tree) -> tuple[tuple[str | int, ...], ...]:
        kind = tree.get("type")
        if kind == "content-end":
            return (("content", number_at(tree, "index")),)
        if kind == "tool-call-end":
            return (("calls", number_at(tree, "index")),)
        if kind in ("content-start", "tool-call-start"):
            return (("plan", 0),)
        return ((),) if kind == "message-end" else ()

    def note(self, tree: Tree) -> None:
        if tree.get("type") == "message-end":
            self.usage = _usage(item(tree, "delta"))
            self.finish = text_at(tree, "delta", "finish_reason")
        elif tree.get("type") == "tool-call-start":
            call = item(tree, "delta", "message", "tool_calls")
            self._calls[number_at(tree, "index")] = ToolCall(text_at(call, "function", "name")[:64])

    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(self._calls.values())[:100]

    def passed(self, tree: Tree) -> None:
        kind = tree.get("type")
        if kind == "message-start":
            self._begun = True
        elif kind == "content-start":
            self._open = self._block = number_at(tree, "index")
        elif kind == "content-end":
            self._open = -1

    def refusal(self, message: str) -> bytes:
        events: list[dict[str, Any]] = []
        if not self._begun:
            events.append({"type": "message-start", "id": "penstock", "delta": {"message": {"role": "assistant"}}})
        at = self._open
        if at < 0:
            at = self._block + 1
            start = {"message": {"content": {"type": "text", "text": ""}}}
            events.append({"type": "content-start", "index": at, "delta": start})
        else:
            message = f"\n\n{message}"
        events += [
            {"type": "content-delta", "index": at, "delta": {"message": {"content": {"text": message}}}},
            {"type": "content-end", "index": at},
            {"type": "message-end", "delta": {"finish_reason": "ERROR"}},
        ]
        return b"".join(self.framing.framed(msgspec.json.encode(event), event["type"]) for event in events)

    def failure(self, message: str, code: str) -> bytes:
        end = {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": message}}
        return self.framing.framed(msgspec.json.encode(end), "message-end")


_GROWING = frozenset({("content", "text"), ("content", "thinking")})


def _calls(calls: Any) -> list[ToolCall]:
    return [ToolCall(text_at(call, "function", "name")[:64]) for call in dicts(calls)]


def _usage(tree: Tree) -> Usage | None:
    return usage_at(item(tree, "usage"), "tokens", "input_tokens", "output_tokens")
