"""Lists of tools that a server or a function-calling application offers, as JSON: what each tells the model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from penstock.discover.assistants.documents import read
from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.discover.infra.marked import Map, as_map, as_text, line_of, maps
from penstock.graph import identity
from penstock.graph.vocabulary import Observation, Unseen
from penstock.inspect.hidden import find
from penstock.inspect.instructions import poison

NAME = "assistants.tool-lists"
#: Tools of one list, and texts of one tool, that are looked at.
MOST = 500
#: How the parameters of a tool are called: MCP, OpenAI functions, Anthropic tools.
_PARAMETERS = ("inputSchema", "parameters", "input_schema")
_WORDS = {"INVISIBLE": "invisible", "TAGS": "tags", "BIDI": "bidi"}


@collector(
    NAME,
    reads=["tools.json", "tools-list.json", "tools_list.json", "*.tools.json", "*-tools.json", "*_tools.json",
           "functions.json", "mcp-manifest.json", "manifest.json", "server.json"],
    sees="tools described in JSON, hidden characters in them, and signs that they work against the user",
    unseen="tools that a server describes only when it is asked",
)  # fmt: skip
def tool_lists(file: File) -> Iterator[Yielded]:
    """The tools of a list, when every entry has a name and a description or parameters."""
    if b'"name"' not in file.data or not any(key.encode() in file.data for key in (*_PARAMETERS, "description")):
        return
    document = read(file, NAME)
    if isinstance(document, Unseen):
        return  # a manifest of another kind, which its own reader judges
    tools = [_function(entry) for entry in maps(_listed(document))[:MOST]]
    if not tools or not all(_is_tool(tool) for tool in tools):
        return
    for tool in tools:
        yield from _tool(file, tool)


def _tool(file: File, tool: Map) -> Iterator[Yielded]:
    name = as_text(tool.get("name"))[:200]
    read_by_model = list(_texts(tool))
    whole = "\n".join(text for _, text in read_by_model)
    props: dict[str, Any] = {"text_hash": hashlib.sha256(whole.encode()).hexdigest(), "text_length": len(whole)}
    line, chain = line_of(tool, "name"), []
    for where, text in read_by_model:
        if spans := find(text):
            props["hidden"] = sorted({_WORDS[span.type] for span in spans if span.type in _WORDS})
            chain += [f"{where}: {span.reason}" for span in spans[:3]]
        if signs := poison(text, "tool"):
            props["dangers"] = ["poisoned"]
            chain += [f"{where}: {sign.reason}" for sign in signs[:5]]
    found = identity.asset("tool", name, scope=file.scope, key=f"{file.path}#{name}", props=props)
    yield Observation(found, file.evidence(NAME, line, chain=chain[:20]))
    yield Fact("defined", file.path, {"id": found.id, "line": line})


def _texts(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text that the model will read, with its place in the tool; names of parameters are read too."""
    waiting: list[tuple[str, Any]] = [(where, value)]
    for _ in range(5_000):
        if not waiting:
            return
        place, part = waiting.pop()
        if isinstance(part, str) and len(part) > 3:
            yield place or "text", part
        elif isinstance(part, dict):
            waiting += [(f"{place}.{key}" if place else str(key), child) for key, child in part.items()]
            yield from ((place or "name", key) for key in part if len(key) > 40)
        elif isinstance(part, list):
            waiting += [(place, child) for child in part]


def _listed(document: Any) -> Any:
    root = as_map(document)
    return document if isinstance(document, list) else root.get("tools", as_map(root.get("result")).get("tools"))


def _function(entry: Map) -> Map:
    inner = entry.get("function")
    return inner if isinstance(inner, Map) else entry


def _is_tool(entry: Map) -> bool:
    described = any(isinstance(entry.get(key), Map) for key in _PARAMETERS)
    return bool(as_text(entry.get("name"))) and (described or bool(as_text(entry.get("description"))))
