"""Paths that no surface knows: judged as far as they are JSON, forms or text, and counted as not inspected."""

from __future__ import annotations

from penstock.errors import NotUnderstood
from penstock.protect import multipart
from penstock.protect.exchange import Asked, Attachment, Exchange, Part, Reply
from penstock.protect.framing.ndjson import Lines
from penstock.protect.framing.sse import ServerSentEvents
from penstock.protect.jsontext import Path
from penstock.protect.surfaces import openai_errors
from penstock.protect.surfaces.json_surface import JsonStreaming, JsonSurface, Piece, Place
from penstock.protect.surfaces.surface import STOPPED, Failure, Route, Streaming, Tree


class Unknown(JsonSurface):
    """Every string of JSON, every field of a form, every text."""

    name = ""
    family = ""
    routes: tuple[Route, ...] = ()
    words: frozenset[str] = frozenset({"role", "type", "object"})
    carries_files = True

    def request(self, asked: Asked) -> Exchange:
        if not asked.body:
            return Exchange(self.name, caller=asked.caller, application=asked.application)
        content_type = asked.headers.get(b"content-type", b"")
        if content_type.lower().startswith(b"multipart/"):
            return form(self.name, asked)
        try:
            return super().request(asked)
        except NotUnderstood:
            parts, attachments = _as_text(asked.body, content_type.decode("latin-1"))
            return Exchange(
                self.name, parts=parts, attachments=attachments, caller=asked.caller, application=asked.application
            )

    def reply(self, body: bytes) -> Reply:
        return super().reply(body) if body else Reply()

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        return None if self.is_word(path) else Place("", "other")

    def streaming(self, exchange: Exchange, content_type: str) -> Streaming | None:
        return plain_stream(exchange, content_type)

    def failure(self, status: int, message: str, code: str) -> Failure:
        return openai_errors.failure(status, message, code)


class PathByPath(JsonStreaming):
    """Texts at the same path of successive frames make one text."""

    words: frozenset[str] = frozenset({"role", "type", "object", "model", "id", "created_at"})

    def piece(self, tree: Tree, path: Path) -> Piece | None:
        return Piece(("", 0, *path), "other", whole=False)

    def refusal(self, message: str) -> bytes:
        return self.failure(message, STOPPED)

    def failure(self, message: str, code: str) -> bytes:
        return self.framing.framed(openai_errors.error(message, "upstream_error", code))


def plain_stream(exchange: Exchange, content_type: str) -> PathByPath | None:
    """A stream of JSON whose protocol is not known, by its content type."""
    if "text/event-stream" in content_type:
        return PathByPath(exchange, ServerSentEvents())
    if "ndjson" in content_type or "jsonl" in content_type or "json-seq" in content_type:
        return PathByPath(exchange, Lines())
    return None


def form(surface: str, asked: Asked) -> Exchange:
    """A form: its fields and files, read as what they are; a field ``model`` is the model."""
    parts: list[Part] = []
    attachments: list[Attachment] = []
    model, stream = asked.fields.get("model", ""), False
    for field in multipart.fields(asked.body, asked.headers.get(b"content-type", b"")):
        if field.name in ("model", "stream") and field.filename is None and field.end - field.start <= 200:
            value = asked.body[field.start : field.end].decode(errors="replace")
            model, stream = (value, stream) if field.name == "model" else (model, value == "true")
        found, attachment = multipart.texts_of(asked.body, field)
        parts += found
        if attachment is not None:
            attachments.append(attachment)
    return Exchange(
        surface, model, stream, tuple(parts), attachments=tuple(attachments), caller=asked.caller,
        application=asked.application,
    )  # fmt: skip


def _as_text(body: bytes, media_type: str) -> tuple[tuple[Part, ...], tuple[Attachment, ...]]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return (), (Attachment(media_type, len(body)),)
    return (Part("", "other", text, 0, len(body), "raw"),), ()
