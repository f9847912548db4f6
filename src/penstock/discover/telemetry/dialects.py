"""What a span tells of an AI call, whichever of the four dialects it speaks.

Sources of the names, all read in November 2026: OpenTelemetry GenAI conventions (current: ``gen_ai.*`` with messages as
one value; up to 1.36: ``gen_ai.system``, one event a message), OpenInference (``openinference.span.kind``, ``llm.*``),
OpenLLMetry (``traceloop.*``, numbered ``gen_ai.prompt.N``). Beside them plain HTTP clients that call a model's API.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from penstock.discover.telemetry.otlp import Said
from penstock.knowledge.providers import provider_of_host, provider_of_prefix

#: Texts of one call that are handed on, and names of tools.
TEXTS, TOOLS = 64, 100
#: Depth to which messages are walked.
_DEPTH = 8


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a model, tool or store, as telemetry tells it. texts: direction (in, out), channel, text."""

    said: Said
    dialect: str
    operation: str
    provider: str = ""
    model: str = ""
    agent: str = ""
    tool: str = ""
    tools: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    server: str = ""
    store: str = ""
    collection: str = ""
    session: str = ""
    sent: int = 0
    answered: int = 0
    failed: bool = False
    address: str = ""
    texts: tuple[tuple[str, str, str], ...] = ()


#: Names in telemetry → the provider as everything else here calls it; others are looked up as prefixes of routers.
_PROVIDERS = {
    "aws.bedrock": "aws-bedrock", "aws": "aws-bedrock", "az.ai.openai": "azure-openai",
    "azure.ai.openai": "azure-openai",
    "azure.ai.inference": "azure-openai", "az.ai.inference": "azure-openai", "gcp.vertex_ai": "google-vertex-ai",
    "vertexai": "google-vertex-ai", "gcp.gemini": "google-gemini", "gcp.gen_ai": "google-gemini",
    "gemini": "google-gemini", "mistral_ai": "mistral", "x_ai": "xai", "ibm.watsonx.ai": "watsonx",
    "moonshot_ai": "moonshot",
}  # fmt: skip
#: The dialects' words for what is done → the word of the current conventions.
_OPERATIONS = {
    "LLM": "chat", "EMBEDDING": "embeddings", "TOOL": "execute_tool", "AGENT": "invoke_agent", "RETRIEVER": "retrieval",
    "RERANKER": "rerank", "CHAIN": "", "GUARDRAIL": "guardrail", "EVALUATOR": "evaluate",
    "agent": "invoke_agent", "tool": "execute_tool", "workflow": "", "task": "",
    "completion": "text_completion", "embedding": "embeddings",
}  # fmt: skip
_MODEL = ("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "embedding.model_name",
          "reranker.model_name", "llm.request.model")  # fmt: skip
_PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
_KIND = ("openinference.span.kind", "traceloop.span.kind", "llm.request.type")
_STORE = ("db.system.name", "db.system", "vector_db.vendor")
_COLLECTION = ("db.collection.name", "db.namespace", "db.name")
_SESSION = ("gen_ai.conversation.id", "session.id", "traceloop.association.properties.session_id")
_SENT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
_ANSWERED = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion")
_ADDRESS = ("url.full", "http.url", "server.address", "net.peer.name")
#: Products whose calls are retrievals from a vector store.
_STORES = frozenset(
    {"pinecone", "chroma", "chromadb", "weaviate", "qdrant", "milvus", "lancedb", "marqo", "vespa", "pgvector"}
)
#: Keys of whole texts: key → direction, channel.
_WHOLE = {
    "gen_ai.input.messages": ("in", "user"), "gen_ai.output.messages": ("out", "assistant"),
    "gen_ai.system_instructions": ("in", "system"), "gen_ai.tool.call.arguments": ("in", "tool_call"),
    "gen_ai.tool.call.result": ("out", "tool_result"), "gen_ai.prompt": ("in", "user"),
    "gen_ai.completion": ("out", "assistant"), "traceloop.entity.input": ("in", "user"),
    "traceloop.entity.output": ("out", "assistant"), "input.value": ("in", "user"),
    "output.value": ("out", "assistant"), "tool.parameters": ("in", "tool_call"),
}  # fmt: skip
#: Numbered keys of single texts: what they begin with and end with → direction, channel.
_NUMBERED = (
    ("gen_ai.prompt.", (".content",), "in", "user"), ("gen_ai.completion.", (".content",), "out", "assistant"),
    ("gen_ai.completion.", (".arguments",), "out", "tool_call"), ("gen_ai.prompt.", (".arguments",), "in", "tool_call"),
    ("llm.input_messages.", (".message.content", ".message_content.text"), "in", "user"),
    ("llm.output_messages.", (".message.content", ".message_content.text"), "out", "assistant"),
    ("llm.output_messages.", (".function.arguments",), "out", "tool_call"),
    ("llm.prompts.", (".text",), "in", "user"), ("llm.choices.", (".text",), "out", "assistant"),
    ("embedding.embeddings.", (".embedding.text",), "in", "content"),
    ("retrieval.documents.", (".document.content",), "out", "document"),
    ("reranker.input_documents.", (".document.content",), "in", "document"),
)  # fmt: skip
#: Events of conventions up to 1.36 → direction, channel; also the event that carries a whole call since.
_EVENTS = {
    "gen_ai.system.message": ("in", "system"), "gen_ai.user.message": ("in", "user"),
    "gen_ai.assistant.message": ("in", "assistant"), "gen_ai.tool.message": ("in", "tool_result"),
    "gen_ai.choice": ("out", "assistant"), "gen_ai.content.prompt": ("in", "user"),
    "gen_ai.content.completion": ("out", "assistant"), "gen_ai.evaluation.result": ("out", "other"),
}  # fmt: skip
_OFFERED = re.compile(r"llm\.request\.functions\.\d+\.name|llm\.tools\.\d+\.tool\.json_schema")
_WANTED = re.compile(r".*\.tool_calls\.\d+\.(?:tool_call\.function\.)?name")


def call_of(said: Said) -> Call | None:
    """The call; None when the span tells of none."""
    told, gathered = said.attributes, _Gathered()
    gathered.take(said)
    dialect = gathered.dialect
    if not dialect:
        return _plain(said)
    kind = _text(told, _KIND)
    operation = _text(told, ("gen_ai.operation.name",)) or _OPERATIONS.get(kind, kind.lower() if kind else "")
    method = _text(told, ("mcp.method.name",))
    store = _text(told, _STORE).lower()
    store = store if store in _STORES else ""
    entity = _text(told, ("traceloop.entity.name",)) or said.name[:128]
    tool = _text(told, ("gen_ai.tool.name", "tool.name")) or (entity if kind in ("tool", "TOOL") else "")
    agent = _text(told, ("gen_ai.agent.name", "agent.name")) or (entity if kind in ("agent", "AGENT") else "")
    address = _address(told)
    return Call(
        said=said,
        dialect=dialect,
        operation=(operation or ("retrieval" if store else "execute_tool" if tool else method))[:64],
        provider=_provider(address, _text(told, _PROVIDER)),
        model=_text(told, _MODEL),
        agent=agent,
        tool=tool,
        tools=tuple(sorted(gathered.offered - {""}))[:TOOLS] if gathered.offered else (),
        wanted=tuple(sorted(gathered.wanted - {""}))[:TOOLS] if gathered.wanted else (),
        server=(_text(told, ("mcp.server.name",)) or address) if method else "",
        store=store,
        collection=_text(told, _COLLECTION) if store else "",
        session=_text(told, _SESSION),
        sent=_number(told, _SENT),
        answered=_number(told, _ANSWERED),
        failed="error.type" in told,
        address=address,
        texts=tuple(gathered.texts[:TEXTS]),
    )


class _Role(msgspec.Struct, frozen=True):
    """What a key says: of its dialect, and what its value is. place: direction and channel of a text."""

    dialect: str = ""
    place: tuple[str, str] | None = None
    whole: bool = False
    offers: bool = False
    wants: bool = False


class _Gathered:
    """What one walk over a span's attributes finds."""

    def __init__(self) -> None:
        self.dialects: set[str] = set()
        self.texts: list[tuple[str, str, str]] = []
        self.offered: set[str] = set()
        self.wanted: set[str] = set()

    def take(self, said: Said) -> None:
        for key, value in said.attributes.items():
            role = _role(key)
            if role is not None:
                self._take(role, key, value)
        for name, inner in said.events:
            if place := _EVENTS.get(name):
                self.dialects.add("event")
                self.texts += [(*place, text) for text in _strings(inner, 0) if text]
                self._calls(inner.get("message", inner))

    def _take(self, role: _Role, key: str, value: Any) -> None:
        if role.dialect and (role.dialect != "store" or str(value).lower() in _STORES):
            self.dialects.add(role.dialect)
        if role.place is not None and len(self.texts) < TEXTS:
            if not role.whole:
                self.texts += [(*role.place, value)] if isinstance(value, str) and value else []
            else:
                found = _decoded(value) if isinstance(value, str) else value
                self.texts += [(*role.place, text) for text in _strings(found, 0) if text]
        if role.offers:
            found = _decoded(value) if isinstance(value, str) else value
            for tool in found if isinstance(found, list) else [found]:
                self.offered.add(tool[:128] if isinstance(tool, str) else _name(tool))
        if role.wants:
            if key == "gen_ai.output.messages":
                for message in _listed(value):
                    self._calls(message)
            elif isinstance(value, str):
                self.wanted.add(value[:128])

    def _calls(self, message: Any) -> None:
        """Names of the tools that a message asks to be called."""
        if isinstance(message, dict):
            for part in [*_listed(message.get("parts")), *_listed(message.get("tool_calls"))]:
                if isinstance(part, dict) and part.get("type") != "text":
                    self.wanted.add(_name(part))

    @property
    def dialect(self) -> str:
        """The dialect, by what only it has."""
        found = self.dialects
        for name, signs in _SIGNS:
            if found & signs:
                return name
        return ""


#: In the order they are asked: OpenInference marks its spans; the old conventions are what names ``gen_ai.system``.
_SIGNS = (
    ("openinference", {"openinference"}), ("openllmetry", {"traceloop", "numbered", "store"}),
    ("gen_ai", {"provider"}), ("gen_ai.1.36", {"event", "system"}), ("gen_ai", {"gen_ai"}),
)  # fmt: skip


@lru_cache(maxsize=4096)
def _role(key: str) -> _Role | None:
    """What a key says; None for the many that are only looked up by name."""
    place, whole = _WHOLE.get(key), True
    if place is None:
        whole = False
        for start, ends, direction, channel in _NUMBERED:
            if key.startswith(start) and key.endswith(ends):
                place = direction, channel
                break
    dialect = ""
    if key == "openinference.span.kind":
        dialect = "openinference"
    elif key.startswith("traceloop.") or key == "llm.request.type":
        dialect = "traceloop"
    elif key.startswith(("gen_ai.prompt.", "gen_ai.completion.")):
        dialect = "numbered"
    elif key in ("gen_ai.provider.name", "gen_ai.system"):
        dialect = key[7:].partition(".")[0]
    elif key.startswith(("gen_ai.", "mcp.")):
        dialect = "gen_ai"
    elif key in ("db.system", "db.system.name"):
        dialect = "store"
    offers = key == "gen_ai.tool.definitions" or _OFFERED.fullmatch(key) is not None
    wants = key == "gen_ai.output.messages" or ("tool_calls" in key and _WANTED.fullmatch(key) is not None)
    role = _Role(dialect, place, whole, offers, wants)
    return None if role == _Role() else role


def _plain(said: Said) -> Call | None:
    """A call of a model's API by a client that nobody has instrumented for AI."""
    address = _address(said.attributes)
    provider = _host(address) if address else ""
    if not provider:
        return None
    status = _number(said.attributes, ("http.response.status_code", "http.status_code"))
    return Call(said=said, dialect="http", operation="http", provider=provider, address=address, failed=status >= 400)


@lru_cache(maxsize=4096)
def _provider(address: str, named: str) -> str:
    """The provider: whose host was called, else as the span calls it."""
    named = named.lower()
    return (_host(address) if address else "") or _PROVIDERS.get(named) or provider_of_prefix(named)


@lru_cache(maxsize=4096)
def _host(address: str) -> str:
    return provider_of_host(address)


def _address(told: Mapping[str, Any]) -> str:
    """Where the call went: scheme and host; never path or query, which may hold a key."""
    found = _text(told, _ADDRESS)
    if "://" in found:
        return _origin(found)
    port = _number(told, ("server.port",))
    return f"{found}:{port}" if found and port not in (0, 443, 80) else found


_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*://)(?:[^/?#]*@)?([^/?#@]*)", re.IGNORECASE)


def _origin(url: str) -> str:
    found = _ORIGIN.match(url)
    return found[1] + found[2] if found else ""


def _name(tool: Any) -> str:
    if not isinstance(tool, dict):
        return ""
    inner = tool.get("function")
    name = tool.get("name") or (inner.get("name") if isinstance(inner, dict) else "")
    return name[:128] if isinstance(name, str) else ""


#: Keys of messages whose values are words of the protocol.
_NO_TEXT = frozenset({"role", "type", "id", "name", "finish_reason", "index", "mime_type", "modality"})


def _strings(value: Any, depth: int) -> Iterator[str]:
    """The texts of messages, whatever their shape."""
    if isinstance(value, str):
        yield value
    elif depth < _DEPTH and isinstance(value, list):
        for inner in value:
            yield from _strings(inner, depth + 1)
    elif depth < _DEPTH and isinstance(value, dict):
        for key, inner in value.items():
            if key not in _NO_TEXT:
                yield from _strings(inner, depth + 1)


def _decoded(text: str) -> Any:
    """JSON in a value; the text itself when it is none."""
    if text[:1] not in ("[", "{"):
        return text
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return text


def _listed(value: Any) -> list[Any]:
    found = _decoded(value) if isinstance(value, str) else value
    return found if isinstance(found, list) else []


def _text(told: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        if (value := told.get(key)) and isinstance(value, str):
            return value[:256]
    return ""


def _number(told: Mapping[str, Any], keys: tuple[str, ...]) -> int:
    for key in keys:
        value = told.get(key)
        if isinstance(value, int | float):
            return int(value)
        if isinstance(value, str) and value.isdecimal():
            return int(value[:12])
    return 0
