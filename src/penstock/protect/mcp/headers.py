"""Headers that repeat what stands in the body (revision 2026-07-28): they must say the same, or nothing is sent on.

Whoever stands between client and server may route by the header; the server acts on the body. The rules are those of
the specification, section "Server Validation" of Streamable HTTP.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from penstock.protect.mcp.message import Message

#: JSON-RPC code of a header that does not fit its body.
MISMATCH = -32020
#: The first revision in which the headers must be there.
STATELESS = "2026-07-28"
_NAMED = frozenset({"tools/call", "resources/read", "prompts/get"})


def mismatch(headers: Mapping[bytes, bytes], message: Message, mirrored: Mapping[str, tuple[str, ...]]) -> str | None:
    """Why headers and body do not fit, in words; None when they do.

    Args:
        mirrored: headers that repeat arguments of the tool that is called, by the tool's definition.
    """
    version = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
    modern = max(version, message.version) >= STATELESS
    if modern and message.kind == "request":
        if version != message.version:
            return _differ("MCP-Protocol-Version", version, message.version)
        if b"mcp-method" not in headers:
            return "Header mismatch: Mcp-Method is missing"
        if message.method in _NAMED and b"mcp-name" not in headers:
            return "Header mismatch: Mcp-Name is missing"
    method = headers.get(b"mcp-method")
    if method is not None and message.method and method.decode("latin-1").strip() != message.method:
        return _differ("Mcp-Method", method.decode("latin-1"), message.method)
    name = headers.get(b"mcp-name")
    if name is not None and message.method in _NAMED:
        plain = _plain(name)
        if plain != message.name:
            return _differ("Mcp-Name", plain, message.name)
    if modern and message.method == "tools/call":
        return _argument_mismatch(headers, message.params.get("arguments"), mirrored)
    return None


def _argument_mismatch(
    headers: Mapping[bytes, bytes], arguments: Any, mirrored: Mapping[str, tuple[str, ...]]
) -> str | None:
    for header, path in mirrored.items():
        value = arguments
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        given = headers.get(header.encode("latin-1", "replace"))
        if value is None and given is None:
            continue
        if given is None:
            return f"Header mismatch: {header} is missing"
        plain = _plain(given)
        if plain is None or not _equal(plain, value):
            return _differ(header, plain, _said(value))
    return None


def _plain(value: bytes) -> str | None:
    """A header's value without its coding; None when it cannot be read."""
    text = value.decode("latin-1").strip()
    if text.startswith("=?base64?") and text.endswith("?="):
        try:
            return b64decode(text[9:-2], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
    return text if text.isascii() and text.isprintable() else None


def _equal(header: str, value: Any) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(header) == float(value)
        except (ValueError, OverflowError):
            return False
    return header == _said(value)


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _differ(header: str, given: str | None, value: str) -> str:
    said = "cannot be read" if given is None else f"is {given[:80]!r}"
    return f"Header mismatch: {header} {said}, the body says {value[:80]!r}"
