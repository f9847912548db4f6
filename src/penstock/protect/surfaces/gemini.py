"""Gemini, at Google AI and on Vertex: generateContent, streamed as events or as one JSON array, and embeddings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from penstock.protect.exchange import Asked, Exchange, ToolCall, Usage
from penstock.protect.framing.array import Elements
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
from penstock.protect.surfaces.surface import STOPPED, Failure, Route, Streaming, Tree

_WORDS = frozenset(
    {"role", "finishReason", "mimeType", "mime_type", "modelVersion", "taskType", "modality", "responseId"}
)
_OPAQUE = frozenset({"thoughtSignature", "thought_signature"})
_ANSWERS = frozenset({"generateContent", "streamGenerateContent"})
#: Status → the word Google's clients read.
_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
           413: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 502: "UNAVAILABLE", 503: "UNAVAILABLE"}  # fmt: skip
_METHODS = r"(?P<call>generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents|predict)"


class Gemini(JsonSurface):
    """``models/{model}:generateContent`` and its siblings."""

    name = "gemini"
    family = "gemini"
    routes: tuple[Route, ...] = (
        Route("POST", r"/v1(?:beta|alpha)?\d?/(?:models|tunedModels)/(?P<model>[^/:]+):" + _METHODS),
    )
    words = _WORDS
    opaque = _OPAQUE

    def is_value(self, path: Path) -> bool:
        return _is_value(path)

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        if path[0] in ("systemInstruction", "system_instruction"):
            return Place("system", "system")
        if path[0] in ("tools", "generationConfig"):
            return Place("", "tool_definition" if path[0] == "tools" else "other")
        if path[0] == "contents":
            role = text_at(tree, "contents", path[1], "role") if len(path) > 2 else ""
            return _part(role or "user", path)
        return Place("", "document" if path[0] in ("content", "requests", "instances") else "other")

    def answered_place(self, tree: Tree, path: Path) -> Place | None:
        return None if self.is_word(path) else _part("model", path)

    def streams(self, tree: Tree, asked: Asked) -> bool:
        return asked.fields.get("call") == "streamGenerateContent"

    def request(self, asked: Asked) -> Exchange:
        exchange = super().request(asked)
        call = asked.fields.get("call", "")
        by_events = b"alt=sse" in asked.query
        name = self.name if call in _ANSWERS and (by_events or not exchange.stream) else f"{self.name}.{call}"
        return replace(exchange, surface=name)

    def tools(self, tree: Tree) -> Iterable[Any]:
        return [
            declared.get("name")
            for tool in dicts(tree.get("tools"))
            for declared in dicts(tool.get("functionDeclarations") or tool.get("function_declarations"))
        ]

    def asked_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return [call for content in dicts(tree.get("contents")) for call in _calls(content)]

    def answered_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return [call for candidate in dicts(tree.get("candidates")) for call in _calls(item(candidate, "content"))]

    def usage(self, tree: Tree) -> Usage | None:
        return _usage(tree)

    def finish(self, tree: Tree) -> str:
        return text_at(tree, "candidates", 0, "finishReason") or text_at(tree, "promptFeedback", "blockReason")

    def streaming(self, exchange: Exchange, content_type: str) -> Streaming | None:
        if "text/event-stream" in content_type:
            return Candidates(exchange, ServerSentEvents())
        return Candidates(exchange, Elements()) if exchange.stream else None

    def refusal(self, exchange: Exchange, message: str, reply: bytes = b"") -> bytes | None:
        if exchange.surface not in (self.name, f"{self.name}.streamGenerateContent"):
            return None
        if not exchange.stream or reply:
            return _refused(decode(reply) if reply else {}, exchange.model, message)
        by_events = exchange.surface == self.name
        stream = Candidates(exchange, ServerSentEvents() if by_events else Elements())
        return stream.refusal(message) + stream.framing.end()

    def failure(self, status: int, message: str, code: str) -> Failure:
        return Failure(_error(status, message))


class Vertex(Gemini):
    """The same on Vertex."""

    name = "vertex"
    family = "vertex"
    routes: tuple[Route, ...] = (
        Route(
            "POST",
            r"/v1(?:beta\d?)?/(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/[^/]+/models|endpoints)/"
            r"(?P<model>[^/:]+):" + _METHODS,
        ),
    )


class Candidates(JsonStreaming):
    """A streamed answer. Parts have no numbers of their own: the texts of all chunks follow one another."""

    words = _WORDS
    opaque = _OPAQUE

    def __init__(self, exchange: Exchange, framing: Framing) -> None:
        super().__init__(exchange, framing)
        self._calls: list[ToolCall] = []
        self._last: Tree = {}

    def is_value(self, path: Path) -> bool:
        return _is_value(path)

    def piece(self, tree: Tree, path: Path) -> Piece | None:
        if len(path) < 6 or path[0] != "candidates" or path[3] != "parts" or not isinstance(path[1], int):
            return Piece(("", 0, *path), "other")
        candidate = item(tree, "candidates", path[1])
        number = candidate.get("index", 0)
        number = number if isinstance(number, int) else 0
        if path[5] == "text":
            thought = item(candidate, "content", "parts", path[4]).get("thought") is True
            return Piece(("candidates", number, "thought" if thought else "text"), whole=False)
        return Piece(("whole", number, *path[5:]), _part("model", path).channel)

    def note(self, tree: Tree) -> None:
        self.usage = _usage(tree) or self.usage
        for candidate in dicts(tree.get("candidates")):
            self.finish = text_at(candidate, "finishReason") or self.finish
            self._calls += _calls(item(candidate, "content"))

    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(self._calls[:100])

    def passed(self, tree: Tree) -> None:
        self._last = tree
        if isinstance(self.framing, Elements):
            self.framing.given = True

    def refusal(self, message: str) -> bytes:
        return self.framing.framed(_refused(self._last, self.exchange.model, message))

    def failure(self, message: str, code: str) -> bytes:
        return self.framing.framed(_error(403 if code == STOPPED else 500, message)) + self.framing.end()


def _is_value(path: Path) -> bool:
    """The arguments of a call and the result of one are objects."""
    return len(path) > 2 and (path[-2:] in _ARGUMENTS or path[-2:] in _RESULTS)


_ARGUMENTS = (("functionCall", "args"), ("function_call", "args"))
_RESULTS = (("functionResponse", "response"), ("function_response", "response"))


def _part(role: str, path: Path) -> Place:
    if "functionCall" in path or "function_call" in path:
        return Place(role, "tool_call" if path[-1] == "args" else "other")
    if "functionResponse" in path or "function_response" in path:
        return Place("tool", "tool_result")
    if "parts" not in path:
        return Place(role, "other")
    return Place(role, CHANNEL_OF.get(role, "content"))


def _calls(content: Tree) -> list[ToolCall]:
    return [
        ToolCall(text_at(part, "functionCall", "name")[:64])
        for part in dicts(content.get("parts"))
        if isinstance(part.get("functionCall"), dict)
    ]


def _usage(tree: Tree) -> Usage | None:
    if not isinstance(tree.get("usageMetadata"), dict):
        return None
    answered = number_at(tree, "usageMetadata", "candidatesTokenCount")
    return Usage(
        number_at(tree, "usageMetadata", "promptTokenCount"),
        answered + number_at(tree, "usageMetadata", "thoughtsTokenCount"),
    )


def _refused(like: Tree, model: str, message: str) -> bytes:
    content = {"role": "model", "parts": [{"text": message}]}
    candidate = {"content": content, "finishReason": "PROHIBITED_CONTENT", "index": 0}
    return msgspec.json.encode(
        {
            "candidates": [candidate],
            "usageMetadata": like.get("usageMetadata") or {"promptTokenCount": 0, "totalTokenCount": 0},
            "modelVersion": like.get("modelVersion") or model,
        }
    )


def _error(status: int, message: str) -> bytes:
    word = _STATUS.get(status, "INTERNAL")
    return msgspec.json.encode({"error": {"code": status, "message": message, "status": word}})
