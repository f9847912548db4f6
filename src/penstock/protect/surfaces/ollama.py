"""Ollama's own API: chat, generate and embed. Streams are lines of JSON, and are the default."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from penstock.protect.exchange import Asked, Exchange, ToolCall, Usage
from penstock.protect.framing.frame import Framing
from penstock.protect.framing.ndjson import Lines
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
from penstock.protect.surfaces.surface import Failure, Route, Streaming, Tree

_WORDS = frozenset({"role", "type", "model", "created_at", "done_reason", "keep_alive"})
_EPOCH = "1970-01-01T00:00:00Z"


class OllamaChat(JsonSurface):
    """``/api/chat``."""

    name = "ollama.chat"
    family = "ollama"
    routes: tuple[Route, ...] = (Route("POST", r"/api/chat"),)
    words = _WORDS
    stream_headers = ((b"content-type", b"application/x-ndjson"),)

    def is_value(self, path: Path) -> bool:
        return path[-1:] == ("arguments",)

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        if path[0] in ("tools", "format"):
            return Place("", "tool_definition")
        if path[0] != "messages" or len(path) < 3:
            return Place("", "other")
        role = text_at(tree, "messages", path[1], "role")
        if path[-1] == "arguments":
            return Place(role, "tool_call")
        return Place(role, CHANNEL_OF.get(role, "content") if path[2] in ("content", "thinking") else "other")

    def answered_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        return Place("assistant", "tool_call" if path[-1] == "arguments" else "assistant")

    def streams(self, tree: Tree, asked: Asked) -> bool:
        return tree.get("stream") is not False

    def asked_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return [call for message in dicts(tree.get("messages")) for call in _calls(message)]

    def answered_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return _calls(item(tree, "message"))

    def usage(self, tree: Tree) -> Usage | None:
        return _usage(tree)

    def finish(self, tree: Tree) -> str:
        return text_at(tree, "done_reason")

    def streaming(self, exchange: Exchange, content_type: str) -> Streaming | None:
        lines = "ndjson" in content_type or (exchange.stream and "text/event-stream" not in content_type)
        return AnswerLines(exchange, Lines()) if lines else None

    def refusal(self, exchange: Exchange, message: str, reply: bytes = b"") -> bytes | None:
        if exchange.stream and not reply:
            return AnswerLines(exchange, Lines()).refusal(message)
        return _answer(decode(reply) if reply else {}, exchange, message)

    def failure(self, status: int, message: str, code: str) -> Failure:
        return Failure(msgspec.json.encode({"error": message}))


class OllamaGenerate(OllamaChat):
    """``/api/generate``."""

    name = "ollama.generate"
    routes: tuple[Route, ...] = (Route("POST", r"/api/generate"),)

    def is_value(self, path: Path) -> bool:
        return False

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        if path[0] in ("system", "template"):
            return Place("system", "system")
        return Place("user", "user") if path[0] in ("prompt", "suffix") else Place("", "other")


class OllamaEmbed(OllamaGenerate):
    """``/api/embed`` and ``/api/embeddings``; a refusal is an error there."""

    name = "ollama.embed"
    routes: tuple[Route, ...] = (Route("POST", r"/api/embed(?:dings)?"),)

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        return Place("", "document" if path[0] in ("input", "prompt") else "other")

    def streams(self, tree: Tree, asked: Asked) -> bool:
        return False

    def refusal(self, exchange: Exchange, message: str, reply: bytes = b"") -> None:
        return None


class AnswerLines(JsonStreaming):
    """A streamed answer of chat or generate."""

    words = _WORDS

    def __init__(self, exchange: Exchange, framing: Framing) -> None:
        super().__init__(exchange, framing)
        self._calls: list[ToolCall] = []
        self._last: Tree = {}

    def is_value(self, path: Path) -> bool:
        return path[-1:] == ("arguments",)

    def piece(self, tree: Tree, path: Path) -> Piece | None:
        if path in _GROWING:
            return Piece(("message", 0, path[-1]), whole=False)
        return Piece(("whole", 0, *path), "tool_call" if path[-1] == "arguments" else "other")

    def note(self, tree: Tree) -> None:
        self.usage = _usage(tree) or self.usage
        self.finish = text_at(tree, "done_reason") or self.finish
        self._calls += _calls(item(tree, "message"))

    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(self._calls[:100])

    def passed(self, tree: Tree) -> None:
        self._last = tree

    def refusal(self, message: str) -> bytes:
        return self.framing.framed(_answer(self._last, self.exchange, message))

    def failure(self, message: str, code: str) -> bytes:
        return self.framing.framed(msgspec.json.encode({"error": message}))


_GROWING = frozenset({("message", "content"), ("message", "thinking"), ("response",), ("thinking",)})


def _calls(message: Tree) -> list[ToolCall]:
    return [ToolCall(text_at(call, "function", "name")[:64]) for call in dicts(message.get("tool_calls"))]


def _usage(tree: Tree) -> Usage | None:
    if not isinstance(tree.get("eval_count"), int):
        return None
    return Usage(number_at(tree, "prompt_eval_count"), number_at(tree, "eval_count"))


def _answer(like: Tree, exchange: Exchange, message: str) -> bytes:
    said: dict[str, Any] = {"message": {"role": "assistant", "content": message}}
    if exchange.surface.endswith("generate"):
        said = {"response": message}
    head = {"model": like.get("model") or exchange.model, "created_at": like.get("created_at") or _EPOCH}
    return msgspec.json.encode({**head, **said, "done": True, "done_reason": "stop"})
