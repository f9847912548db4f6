"""OpenAI's calls that carry files: uploads, fine-tuning, batches, pictures and sounds.

An upload is data that leaves: JSON lines, tables and texts are read; what holds no text is named by type and size.
"""

from __future__ import annotations

from penstock.protect.exchange import Asked, Exchange
from penstock.protect.framing.sse import ServerSentEvents
from penstock.protect.jsontext import Path
from penstock.protect.surfaces import openai_errors
from penstock.protect.surfaces.json_surface import JsonStreaming, JsonSurface, Piece, Place, text_at
from penstock.protect.surfaces.surface import STOPPED, Failure, Route, Streaming, Tree
from penstock.protect.surfaces.unknown import form


class OpenAIFiles(JsonSurface):
    """Uploads, and the jobs that use them."""

    name = "openai.files"
    family = "openai"
    routes: tuple[Route, ...] = (
        Route("POST", r"(?:/openai)?/v1/files"),
        Route("POST", r"(?:/openai)?/v1/uploads(?:/[\w.-]+/(?:parts|complete|cancel))?"),
        Route("POST", r"(?:/openai)?/v1/fine_tuning/jobs"),
        Route("POST", r"(?:/openai)?/v1/batches"),
        Route("POST", r"(?:/openai)?/v1/vector_stores(?:/[\w.-]+/(?:files|file_batches|search))?"),
        Route("GET", r"(?:/openai)?/v1/files/[\w.-]+/content"),
        Route("POST", r"/openai/(?:files|fine_tuning/jobs|batches)"),
    )
    carries_files = True

    def request(self, asked: Asked) -> Exchange:
        if asked.headers.get(b"content-type", b"").lower().startswith(b"multipart/"):
            return form(self.name, asked)
        if not asked.body:
            return Exchange(self.name, caller=asked.caller, application=asked.application)
        return super().request(asked)

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        return None if self.is_word(path) else Place("", "other")

    def failure(self, status: int, message: str, code: str) -> Failure:
        return openai_errors.failure(status, message, code)


class OpenAIImages(OpenAIFiles):
    """Pictures from words, and from other pictures; streamed pictures hold no text."""

    name = "openai.images"
    routes: tuple[Route, ...] = (
        Route("POST", r"(?:/[\w.-]+){0,4}/images/(?:generations|edits|variations)"),
        Route("POST", r"(?:/[\w.-]+){0,4}/videos(?:/[\w.-]+/remix)?"),
    )
    words = frozenset({"type", "object", "model", "size", "quality", "response_format", "output_format"})

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        return Place("user", "user") if path[0] == "prompt" else Place("", "other")


class OpenAIAudio(OpenAIFiles):
    """Speech to text, and text to speech. Sounds are not heard, only named."""

    name = "openai.audio"
    routes: tuple[Route, ...] = (Route("POST", r"(?:/[\w.-]+){0,4}/audio/(?:transcriptions|translations|speech)"),)
    words = frozenset({"type", "object", "model", "voice", "response_format", "stream_format", "language"})

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        return Place("user", "user") if path[0] in ("input", "instructions") else Place("", "other")

    def streaming(self, exchange: Exchange, content_type: str) -> Streaming | None:
        return Transcript(exchange, ServerSentEvents()) if "text/event-stream" in content_type else None


class AzureAudio(OpenAIAudio):
    """The same on Azure, where a deployment in the path takes the model's place."""

    name = "azure.audio"
    family = "azure"
    routes: tuple[Route, ...] = (
        Route("POST", r"/openai/deployments/(?P<model>[^/]+)/audio/(?:transcriptions|translations|speech)"),
    )


class AzureImages(OpenAIImages):
    """The same on Azure."""

    name = "azure.images"
    family = "azure"
    routes: tuple[Route, ...] = (Route("POST", r"/openai/deployments/(?P<model>[^/]+)/images/(?:generations|edits)"),)


class Transcript(JsonStreaming):
    """A streamed transcript, or speech (of which only its end holds words)."""

    def piece(self, tree: Tree, path: Path) -> Piece | None:
        kind = text_at(tree, "type")
        if kind.startswith("speech.audio."):
            return None if path == ("audio",) else Piece(("", 0, *path), "other")
        if kind.startswith("transcript.text.") and path in (("delta",), ("text",)):
            return Piece(("transcript", 0, "text"), whole=kind != "transcript.text.delta")
        return Piece(("", 0, *path), "other")

    def refusal(self, message: str) -> bytes:
        return self.failure(message, STOPPED)

    def failure(self, message: str, code: str) -> bytes:
        return self.framing.framed(openai_errors.error(message, "upstream_error", code))
