"""JSON-RPC off the wire: one message or a batch, each with the very bytes it came in.

What two readers could read differently is refused here: two keys of one name, a known key in other letters, bytes that
are no UTF-8. Otherwise the gateway would judge one tool call and the server would run another.
"""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec

from penstock.errors import NotUnderstood

#: Messages in one batch; batches were dropped from the protocol in 2025-06-18, and clients sent a handful.
BATCH = 256
#: Keys of the protocol that decide what a message does; a reader that ignores case must find no others.
_KEYS = frozenset(
    {"jsonrpc", "method", "id", "params", "result", "error", "name", "arguments", "uri", "tools", "_meta"}
)

Kind = Literal["request", "notification", "result", "error"]


class Message(msgspec.Struct, frozen=True):
    """One message. ``raw``: its bytes. ``id``: None where it has none."""

    raw: bytes
    tree: dict[str, Any]
    kind: Kind
    method: str = ""
    id: str | int | float | None = None

    @property
    def params(self) -> dict[str, Any]:
        params = self.tree.get("params")
        return params if isinstance(params, dict) else {}

    @property
    def result(self) -> dict[str, Any]:
        result = self.tree.get("result")
        return result if isinstance(result, dict) else {}

    @property
    def name(self) -> str:
        """What a request is about: a tool, a prompt, a resource."""
        name = self.params.get("uri" if self.method.startswith("resources/") else "name")
        return name if isinstance(name, str) else ""

    @property
    def version(self) -> str:
        """The revision that the message itself says it is written in (2026-07-28 and later); empty when it does not."""
        meta = self.params.get("_meta")
        said = meta.get("io.modelcontextprotocol/protocolVersion") if isinstance(meta, dict) else None
        return said if isinstance(said, str) else ""


def read(data: bytes) -> tuple[list[Message], bool]:
    """The messages of a body, and whether they came as a batch.

    Raises:
        NotUnderstood: it is no JSON-RPC, or could be read in two ways.
    """
    if not data.lstrip(b" \t\r\n").startswith(b"["):
        return [_message(data)], False
    try:
        pieces = msgspec.json.decode(data, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood("The batch is not valid JSON", hint=str(error)) from error
    if not 0 < len(pieces) <= BATCH:
        raise NotUnderstood(f"A batch holds 1 to {BATCH} messages, not {len(pieces)}", hint="Send them one by one")
    return [_message(bytes(piece)) for piece in pieces], True


def _message(data: bytes) -> Message:
    try:
        tree = json.loads(data.decode(), object_pairs_hook=_object, parse_constant=_no_number)
    except NotUnderstood:
        raise
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("The message is not valid JSON", hint=str(error)[:200]) from error
    if not isinstance(tree, dict) or tree.get("jsonrpc") != "2.0":
        raise NotUnderstood("The message is no JSON-RPC 2.0", hint='Send {"jsonrpc": "2.0", …}')
    number = tree.get("id")
    if number is not None and (isinstance(number, bool) or not isinstance(number, str | int | float)):
        raise NotUnderstood("The id of the message is neither a text nor a number")
    method = tree.get("method")
    if isinstance(method, str) and "result" not in tree and "error" not in tree:
        message = Message(data, tree, "notification" if "id" not in tree else "request", method, number)
        if method == "tools/call" and not message.name:
            raise NotUnderstood("A tool is called without a name")
        return message
    if method is None and ("result" in tree) != ("error" in tree):
        return Message(data, tree, "result" if "result" in tree else "error", "", number)
    raise NotUnderstood("The message is neither a request nor an answer")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise NotUnderstood("An object of the message has two keys of one name", hint="Send each key once")
    for key in tree:
        if key not in _KEYS and key.casefold() in _KEYS and ("jsonrpc" in tree or "_meta" in tree or "name" in tree):
            raise NotUnderstood(f"The key {key!r} could be read as {key.casefold()!r}", hint="Spell it as specified")
    return tree


def _no_number(word: str) -> None:
    raise NotUnderstood(f"{word} is no JSON", hint="Send a number or null")


def result(number: Any, value: dict[str, Any]) -> bytes:
    """An answer."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "result": value})


def error(number: Any, code: int, message: str, data: dict[str, Any] | None = None) -> bytes:
    """An answer that says what went wrong."""
    said: dict[str, Any] = {"code": code, "message": message}
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "error": said | ({"data": data} if data else {})})


def joined(messages: list[bytes], *, batch: bool) -> bytes:
    """Messages as one body."""
    return b"[" + b",".join(messages) + b"]" if batch else b"".join(messages)
