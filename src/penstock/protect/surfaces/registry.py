"""Which surface reads a request. A new protocol is a new file and one line here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from penstock.protect.surfaces.anthropic_messages import AnthropicMessages, AnthropicVertex
from penstock.protect.surfaces.bedrock import BedrockConverse, BedrockInvoke
from penstock.protect.surfaces.cohere_chat import CohereChat, CohereTexts
from penstock.protect.surfaces.gemini import Gemini, Vertex
from penstock.protect.surfaces.ollama import OllamaChat, OllamaEmbed, OllamaGenerate
from penstock.protect.surfaces.openai_chat import AzureChat, OpenAIChat
from penstock.protect.surfaces.openai_completions import AzureCompletions, OpenAICompletions
from penstock.protect.surfaces.openai_files import AzureAudio, AzureImages, OpenAIAudio, OpenAIFiles, OpenAIImages
from penstock.protect.surfaces.openai_responses import AzureResponses, OpenAIResponses
from penstock.protect.surfaces.openai_texts import AzureEmbeddings, OpenAIEmbeddings, OpenAIModerations
from penstock.protect.surfaces.surface import Surface
from penstock.protect.surfaces.unknown import Unknown

#: In the order they are asked; of two that would take a request, the narrower stands first.
SURFACES: tuple[Surface, ...] = (
    AzureChat(), AzureResponses(), AzureCompletions(), AzureEmbeddings(), AzureAudio(), AzureImages(),
    OpenAIChat(), OpenAIResponses(), OpenAICompletions(),
    AnthropicMessages(), AnthropicVertex(),
    Gemini(), Vertex(),
    BedrockConverse(), BedrockInvoke(),
    OllamaChat(), OllamaGenerate(), OllamaEmbed(),
    CohereChat(), CohereTexts(),
    OpenAIModerations(), OpenAIFiles(), OpenAIImages(), OpenAIAudio(), OpenAIEmbeddings(),
)  # fmt: skip

#: What reads all other paths.
UNKNOWN: Surface = Unknown()


class Registry:
    """Finds surfaces; routes without a pattern's freedom are found by table."""

    def __init__(self, surfaces: Iterable[Surface] = SURFACES) -> None:
        self._routes = [(route, surface) for surface in surfaces for route in surface.routes]
        self._known: dict[tuple[str, str], tuple[Surface, Mapping[str, str]]] = {}

    def find(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> tuple[Surface, Mapping[str, str]] | None:
        """The surface of a request, and what its path names."""
        if (known := self._known.get((method, path))) is not None:
            return known
        for route, surface in self._routes:
            fields = route.fields(method, path, headers)
            if fields is not None:
                if not route.headers and len(self._known) < _REMEMBERED:
                    self._known[method, path] = surface, fields
                return surface, fields
        return None


#: Paths whose surface is remembered; applications use few.
_REMEMBERED = 256
