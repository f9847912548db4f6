"""OpenAI's calls that take texts and answer with numbers: embeddings and moderations. A refusal is an error there."""

from __future__ import annotations

from penstock.protect.exchange import Usage
from penstock.protect.jsontext import Path
from penstock.protect.surfaces import openai_errors
from penstock.protect.surfaces.json_surface import JsonSurface, Place, number_at
from penstock.protect.surfaces.openai_completions import tokens
from penstock.protect.surfaces.surface import Failure, Route, Tree


class OpenAIEmbeddings(JsonSurface):
    """``/v1/embeddings`` and ``/v1/rerank``: what is embedded stays readable to whoever holds the vectors."""

    name = "openai.embeddings"
    family = "openai"
    routes: tuple[Route, ...] = (Route("POST", r"(?:/[\w.-]+){0,4}/(?:embeddings|rerank)"),)
    words = frozenset({"object", "model", "encoding_format"})

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        return Place("", "document" if path[0] in ("input", "documents") else "other")

    def unread(self, tree: Tree) -> str:
        return tokens(tree.get("input"))

    def usage(self, tree: Tree) -> Usage | None:
        return Usage(number_at(tree, "usage", "prompt_tokens")) if isinstance(tree.get("usage"), dict) else None

    def failure(self, status: int, message: str, code: str) -> Failure:
        return openai_errors.failure(status, message, code)


class AzureEmbeddings(OpenAIEmbeddings):
    """The same on Azure."""

    name = "azure.embeddings"
    family = "azure"
    routes: tuple[Route, ...] = (Route("POST", r"/openai(?:/deployments/(?P<model>[^/]+)|/v1)?/embeddings"),)


class OpenAIModerations(OpenAIEmbeddings):
    """``/v1/moderations``: texts, and pictures by address."""

    name = "openai.moderations"
    routes: tuple[Route, ...] = (Route("POST", r"(?:/[\w.-]+){0,4}/moderations"),)
    words = frozenset({"type", "model", "id"})

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        return Place("user", "user") if path[0] == "input" else Place("", "other")
