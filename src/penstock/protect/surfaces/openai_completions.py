"""OpenAI's older completions (a prompt, and what follows it), and filling in the middle."""

from __future__ import annotations

import msgspec

from penstock.protect.exchange import Asked, Exchange, Key, Usage
from penstock.protect.framing.frame import Frame
from penstock.protect.framing.sse import ServerSentEvents
from penstock.protect.jsontext import Path, decode
from penstock.protect.surfaces import openai_chat, openai_errors
from penstock.protect.surfaces.json_surface import JsonStreaming, JsonSurface, Piece, Place, dicts, item, text_at
from penstock.protect.surfaces.surface import Failure, Heard, Route, Streaming, Tree, is_events

_WORDS = frozenset({"object", "model", "finish_reason", "system_fingerprint"})


class OpenAICompletions(JsonSurface):
    """``/v1/completions``; a prompt of token numbers is named as unread."""

    name = "openai.completions"
    family = "openai"
    routes: tuple[Route, ...] = (Route("POST", r"(?:/[\w.-]+){0,4}/(?<!chat/)(?:fim/)?completions"),)
    words = _WORDS

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        return Place("user", "user") if path[0] in ("prompt", "suffix") else Place("", "other")

    def answered_place(self, tree: Tree, path: Path) -> Place | None:
        return None if self.is_word(path) or "logprobs" in path or path == ("id",) else Place("assistant", "assistant")

    def unread(self, tree: Tree) -> str:
        return tokens(tree.get("prompt"))

    def usage(self, tree: Tree) -> Usage | None:
        return openai_chat.usage(tree)

    def finish(self, tree: Tree) -> str:
        return text_at(tree, "choices", 0, "finish_reason")

    def clean(self, body: bytes) -> bytes:
        return openai_chat.without_logprobs(body)

    def streaming(self, exchange: Exchange, content_type: str) -> Streaming | None:
        return Texts(exchange, ServerSentEvents()) if is_events(exchange, content_type) else None

    def refusal(self, exchange: Exchange, message: str, reply: bytes = b"") -> bytes:
        if exchange.stream and not reply:
            return Texts(exchange, ServerSentEvents()).refusal(message)
        return _completion(decode(reply) if reply else {}, exchange.model, message)

    def failure(self, status: int, message: str, code: str) -> Failure:
        return openai_errors.failure(status, message, code)


class AzureCompletions(OpenAICompletions):
    """The same on Azure."""

    name = "azure.completions"
    family = "azure"
    routes: tuple[Route, ...] = (Route("POST", r"/openai(?:/deployments/(?P<model>[^/]+)|/v1)?/completions"),)

    def model(self, tree: Tree, asked: Asked) -> str:
        return asked.fields.get("model", "") or text_at(tree, "model")


class Texts(JsonStreaming):
    """A streamed completion."""

    words = _WORDS
    _last: Tree = {}  # noqa: RUF012 (replaced, never changed)

    def read(self, frame: Frame) -> Heard:
        if frame.data is not None and frame.data.strip() == b"[DONE]":
            return Heard([], ((),))
        heard = super().read(frame)
        heard.repeats = b'"logprobs"' in frame.raw
        return heard

    def piece(self, tree: Tree, path: Path) -> Piece | None:
        if "logprobs" in path or path == ("id",):
            return None
        if path[:1] == ("choices",) and path[2:] == ("text",):
            number = item(tree, "choices", path[1]).get("index")
            key: Key = ("choices", number if isinstance(number, int) else path[1], "text")
            return Piece(key, whole=False)
        return Piece(("", 0, *path), "other")

    def note(self, tree: Tree) -> None:
        self.usage = openai_chat.usage(tree) or self.usage
        for choice in dicts(tree.get("choices")):
            self.finish = text_at(choice, "finish_reason") or self.finish

    def passed(self, tree: Tree) -> None:
        if tree.get("choices") is not None:
            self._last = tree

    def clean(self, data: bytes) -> bytes:
        return openai_chat.without_logprobs(data)

    def refusal(self, message: str) -> bytes:
        return self.framing.framed(_completion(self._last, self.exchange.model, message)) + b"data: [DONE]\n\n"

    def failure(self, message: str, code: str) -> bytes:
        return self.framing.framed(openai_errors.error(message, "upstream_error", code))


def tokens(value: object) -> str:
    """Why an input of token numbers is not read."""
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(first, int) or (isinstance(first, list) and first and isinstance(first[0], int)):
        return "the input is token numbers"
    return ""


def _completion(like: Tree, model: str, message: str) -> bytes:
    return msgspec.json.encode(
        {
            "id": like.get("id") or "cmpl-penstock",
            "object": "text_completion",
            "created": like.get("created") or 0,
            "model": like.get("model") or model,
            "choices": [{"index": 0, "text": message, "logprobs": None, "finish_reason": "content_filter"}],
            "usage": like.get("usage"),
        }
    )
