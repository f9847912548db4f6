"""A conversation as every protocol resends it: who said what, which tool returned it, and which tools are offered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from penstock.protect.sessions.effects import Tool

#: Turns and characters that are looked at; what goes beyond leaves the conversation partly read.
TURNS, CHARACTERS = 4_000, 1_500_000
#: Tools that are looked at, and characters of a tool's description.
TOOLS, DESCRIPTION = 500, 1_000

Tree = Mapping[str, Any]


class Turn(msgspec.Struct, frozen=True, gc=False):
    """One thing said. kind: system | user | assistant | call | result | document.

    tool, call: of a call and of its result; ``text`` of a call is its arguments.
    """

    kind: str
    text: str
    tool: str = ""
    call: str = ""


class Conversation(msgspec.Struct, frozen=True):
    """All that was said so far, oldest first. whole: whether all of it was read."""

    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    whole: bool = True


def conversation(surface: str, tree: Tree) -> Conversation | None:
    """What a request of a protocol holds; None for a protocol that holds no conversation."""
    reader = _READERS.get(_family(surface))
    if reader is None:
        return None
    said, offered = reader
    turns: list[Turn] = []
    names: dict[str, str] = {}
    size = 0
    for turn in said(tree):
        size += len(turn.text)
        if len(turns) >= TURNS or size > CHARACTERS:
            return Conversation(tuple(turns), _tools(offered(tree)), whole=False)
        if turn.kind == "call":
            names[turn.call] = turn.tool
        elif turn.kind == "result" and not turn.tool:
            turn = Turn("result", turn.text, names.get(turn.call, ""), turn.call)
        if turn.text or turn.kind == "call":
            turns.append(turn)
    return Conversation(tuple(turns), _tools(offered(tree)))


def _family(surface: str) -> str:
    return _FAMILIES.get(surface, "")


_FAMILIES = {
    "openai.chat": "chat", "azure.chat": "chat", "ollama.chat": "chat", "ollama": "chat", "cohere.chat": "chat",
    "openai.responses": "responses", "azure.responses": "responses",
    "anthropic.messages": "anthropic", "vertex.anthropic": "anthropic", "bedrock.anthropic": "anthropic",
    "gemini": "gemini", "vertex": "gemini", "bedrock.converse": "converse",
}  # fmt: skip


# ── what a protocol says ────────────────────────────────────────────────────────────────────────────────────────────


def _chat(tree: Tree) -> Iterator[Turn]:
    for message in _dicts(tree.get("messages")):
        role = message.get("role")
        text = text_of(message.get("content"))
        if role in ("system", "developer"):
            yield Turn("system", text)
        elif role == "user":
            yield Turn("user", text)
        elif role in ("tool", "function"):
            yield Turn("result", text, _said(message, "name", "tool_name"), _said(message, "tool_call_id", "name"))
        else:
            if text:
                yield Turn("assistant", text)
            for call in _dicts(message.get("tool_calls")):
                function = _dict(call.get("function"))
                yield Turn("call", as_json(function.get("arguments")), _said(function, "name"), _said(call, "id"))
    for document in _list(tree.get("documents")):
        yield Turn("document", text_of(document))


def _anthropic(tree: Tree) -> Iterator[Turn]:
    yield Turn("system", text_of(tree.get("system")))
    for message in _dicts(tree.get("messages")):
        speaker = "assistant" if message.get("role") == "assistant" else "user"
        content = message.get("content")
        if isinstance(content, str):
            yield Turn(speaker, content)
            continue
        for block in _dicts(content):
            kind = block.get("type")
            if kind == "text":
                yield Turn(speaker, _said(block, "text"))
            elif kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
                yield Turn("call", as_json(block.get("input")), _said(block, "name"), _said(block, "id"))
            elif isinstance(kind, str) and kind.endswith("tool_result"):
                yield Turn("result", text_of(block.get("content")), "", _said(block, "tool_use_id"))
            elif kind in ("document", "search_result"):
                yield Turn("document", text_of(block.get("source")) or text_of(block.get("content")))


def _converse(tree: Tree) -> Iterator[Turn]:
    yield Turn("system", text_of(tree.get("system")))
    for message in _dicts(tree.get("messages")):
        speaker = "assistant" if message.get("role") == "assistant" else "user"
        for block in _dicts(message.get("content")):
            if "text" in block:
                yield Turn(speaker, _said(block, "text"))
            elif "toolUse" in block:
                use = _dict(block["toolUse"])
                yield Turn("call", as_json(use.get("input")), _said(use, "name"), _said(use, "toolUseId"))
            elif "toolResult" in block:
                result = _dict(block["toolResult"])
                yield Turn("result", text_of(result.get("content")), "", _said(result, "toolUseId"))
            elif "document" in block:
                yield Turn("document", text_of(_dict(block["document"]).get("source")))


def _gemini(tree: Tree) -> Iterator[Turn]:
    yield Turn("system", text_of(_dict(tree.get("systemInstruction") or tree.get("system_instruction")).get("parts")))
    for content in _dicts(tree.get("contents")):
        speaker = "assistant" if content.get("role") == "model" else "user"
        for part in _dicts(content.get("parts")):
            call = _dict(part.get("functionCall") or part.get("function_call"))
            result = _dict(part.get("functionResponse") or part.get("function_response"))
            if call:
                yield Turn("call", as_json(call.get("args")), _said(call, "name"), _said(call, "id", "name"))
            elif result:
                name = _said(result, "name")
                yield Turn("result", text_of(result.get("response")), name, _said(result, "id", "name"))
            else:
                yield Turn(speaker, _said(part, "text"))


def _responses(tree: Tree) -> Iterator[Turn]:
    yield Turn("system", text_of(tree.get("instructions")))
    given = tree.get("input")
    if isinstance(given, str):
        yield Turn("user", given)
        return
    for item in _dicts(given):
        kind = item.get("type", "message")
        if kind == "message":
            role = item.get("role")
            speaker = "system" if role in ("system", "developer") else "assistant" if role == "assistant" else "user"
            yield Turn(speaker, text_of(item.get("content")))
        elif kind in ("function_call", "custom_tool_call", "mcp_call"):
            sent = item.get("arguments", item.get("input"))
            yield Turn("call", as_json(sent), _said(item, "name"), _said(item, "call_id", "id"))
            if "output" in item:
                yield Turn("result", text_of(item["output"]), _said(item, "name"), _said(item, "call_id", "id"))
        elif isinstance(kind, str) and kind.endswith("_output"):
            yield Turn("result", text_of(item.get("output")), "", _said(item, "call_id"))


# ── which tools it offers ───────────────────────────────────────────────────────────────────────────────────────────


def _listed(tree: Tree) -> Iterator[Tree]:
    """Tools of OpenAI, Anthropic, Ollama and Cohere."""
    for tool in _dicts(tree.get("tools")):
        yield _dict(tool.get("function")) or tool
    yield from _dicts(tree.get("functions"))


def _declared(tree: Tree) -> Iterator[Tree]:
    for tool in _dicts(tree.get("tools")):
        yield from _dicts(tool.get("functionDeclarations") or tool.get("function_declarations"))


def _specified(tree: Tree) -> Iterator[Tree]:
    for tool in _dicts(_dict(tree.get("toolConfig")).get("tools")):
        yield _dict(tool.get("toolSpec"))


def _tools(found: Iterable[Tree]) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    for tool in found:
        if len(tools) >= TOOLS:
            break
        if name := _said(tool, "name"):
            tools.append(Tool(name[:128], _said(tool, "description")[:DESCRIPTION]))
    return tuple(tools)


_READERS: dict[str, tuple[Callable[[Tree], Iterator[Turn]], Callable[[Tree], Iterator[Tree]]]] = {
    "chat": (_chat, _listed),
    "anthropic": (_anthropic, _listed),
    "responses": (_responses, _listed),
    "gemini": (_gemini, _declared),
    "converse": (_converse, _specified),
}


# ── trees from strangers ────────────────────────────────────────────────────────────────────────────────────────────

#: Keys under which blocks of content carry their text.
_TEXT_KEYS = ("text", "content", "output", "input_text", "data")


def text_of(content: Any, depth: int = 0) -> str:
    """The text of a content in any shape: a string, blocks of text, or JSON as it stands."""
    if isinstance(content, str):
        return content
    if content is None or depth > 8:
        return ""
    if isinstance(content, list):
        return "\n".join(text for item in content if (text := text_of(item, depth + 1)))
    if isinstance(content, dict):
        if isinstance(content.get("json"), dict | list):
            return as_json(content["json"])
        kind = content.get("type")
        if isinstance(kind, str) or set(content) <= {"text", "citations"}:
            for key in _TEXT_KEYS:
                if content.get(key):
                    return text_of(content[key], depth + 1)
        return as_json(content)
    return str(content)


def as_json(value: Any) -> str:
    """A value as JSON; a string is taken for JSON already."""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode() if value is not None else ""


def _said(tree: Tree, *keys: str) -> str:
    return next((value for key in keys if isinstance(value := tree.get(key), str)), "")


def _dict(value: Any) -> Tree:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> list[Tree]:
    return [item for item in _list(value) if isinstance(item, dict)]
