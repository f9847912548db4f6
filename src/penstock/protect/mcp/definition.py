"""A tool as a server describes it: what a model reads of it, its fingerprint, and how it differs from another."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec

#: What of a definition a model or a client acts on. Others (icons, ``_meta``) change without meaning.
FIELDS = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")
#: Bytes of a definition that are kept to show a difference by, lines of a difference, characters of a line.
KEPT, LINES, LINE = 16_384, 40, 240
#: Texts of one definition that are looked at, and how deep.
TEXTS, DEPTH = 2_000, 32


def acted_on(tool: Mapping[str, Any]) -> dict[str, Any]:
    """The definition without what nobody acts on."""
    return {field: tool[field] for field in FIELDS if tool.get(field) is not None}


def digest(tool: Mapping[str, Any], identity: str) -> str:
    """SHA-256 (hex) over the definition, whatever the order of its keys, and the identity of its server."""
    return sha256(encoded(tool) + b"\0" + identity.encode("utf-8", "surrogatepass")).hexdigest()


def encoded(tool: Mapping[str, Any]) -> bytes:
    """The definition in its one canonical form."""
    return msgspec.json.encode(acted_on(tool), order="deterministic")


def kept(tool: Mapping[str, Any]) -> str:
    """The definition to show a later difference by; empty when it is too long."""
    data = encoded(tool)
    return data.decode() if len(data) <= KEPT else ""


def texts(tool: Mapping[str, Any]) -> str:
    """All that a model may read of the definition, one text a line: descriptions, names, values of its schemas."""
    found: list[str] = []
    for field in FIELDS:
        for text in _strings(tool.get(field), 0):
            found.append(text)
            if len(found) >= TEXTS:
                return "\n".join(found)
    return "\n".join(found)


def _strings(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < DEPTH and isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(key, str) and key not in _SCHEMA_WORDS:
                yield key
            if key not in ("type", "$schema", "format"):
                yield from _strings(inner, depth + 1)
    elif depth < DEPTH and isinstance(value, list):
        for inner in value:
            yield from _strings(inner, depth + 1)


#: Keys of JSON Schema and of annotations, which are words of the protocol.
_SCHEMA_WORDS = frozenset(
    {"type", "properties", "required", "description", "title", "items", "enum", "default", "anyOf", "oneOf", "allOf",
     "additionalProperties", "$schema", "$ref", "$defs", "definitions", "format", "minimum", "maximum", "minLength",
     "maxLength", "pattern", "const", "examples", "readOnlyHint", "destructiveHint", "idempotentHint",
     "openWorldHint", "x-mcp-header"}
)  # fmt: skip


def difference(before: str, after: Mapping[str, Any]) -> tuple[str, ...]:
    """What changed, as lines that begin with - or +; ``before`` is what ``kept`` answered."""
    if not before:
        return ("the earlier definition was too long to be kept",)
    try:
        old: Any = msgspec.json.decode(before)
    except msgspec.DecodeError:
        return ("the earlier definition was not kept whole",)
    lines = difflib.unified_diff(_lines(old), _lines(acted_on(after)), lineterm="", n=0)
    changed = [line[:LINE] for line in lines if line[:3] not in ("---", "+++") and not line.startswith("@@")]
    more = [f"… {len(changed) - LINES} more lines"] if len(changed) > LINES else []
    return tuple(changed[:LINES] + more) or ("the server itself: its address or command is another one",)


def _lines(tool: Mapping[str, Any]) -> list[str]:
    return [f"{path}: {line}" for path, text in _leaves(tool, "", 0) for line in text.splitlines() or [""]]


def _leaves(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and depth < DEPTH:
        for key in sorted(value):
            yield from _leaves(value[key], f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(value, list) and depth < DEPTH:
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]", depth + 1)
    else:
        yield path, value if isinstance(value, str) else msgspec.json.encode(value).decode()


def mirrored(tool: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Headers that repeat arguments of the tool (``x-mcp-header``), in small letters, and the path of the argument."""
    found: dict[str, tuple[str, ...]] = {}
    _mirrored(tool.get("inputSchema"), (), found)
    return found


def _mirrored(schema: Any, path: tuple[str, ...], found: dict[str, tuple[str, ...]]) -> None:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or len(path) >= DEPTH:
        return
    for name, inner in properties.items():
        said = inner.get("x-mcp-header") if isinstance(inner, dict) else None
        if isinstance(said, str) and len(found) < 64:
            found[f"mcp-param-{said.lower()}"] = (*path, name)
        _mirrored(inner, (*path, name), found)
