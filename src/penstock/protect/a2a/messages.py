"""A2A over JSON-RPC (0.3 and 1.0): what its texts are, and which of a stream belong together."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.protect.exchange import Exchange, Key, Part
from penstock.protect.framing.sse import ServerSentEvents
from penstock.protect.jsontext import Path, decode, read
from penstock.protect.mcp import message as rpc
from penstock.protect.surfaces import openai_errors
from penstock.protect.surfaces.json_surface import JsonStreaming, JsonSurface, Piece, Place, dicts, item, text_at
from penstock.protect.surfaces.surface import Failure, Route, Tree

#: Words of the protocol; whoever reads them compares them.
_WORDS = frozenset(
    {"jsonrpc", "method", "id", "kind", "role", "state", "messageId", "taskId", "contextId", "artifactId", "timestamp",
     "mediaType", "mimeType", "protocolVersion", "protocolBinding", "url", "preferredTransport", "version", "type"}
)  # fmt: skip
#: JSON-RPC code of what policy stopped, of the range that is the implementation's own.
STOPPED = -32000


class A2aMessages(JsonSurface):
    """Messages to an agent are data that leaves, its answers and artifacts come from outside."""

    name = "a2a"
    family = "a2a"
    routes: tuple[Route, ...] = ()
    words = _WORDS

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        return None if self.is_word(path) else Place("user", "tool_call" if "data" in path else "user")

    def answered_place(self, tree: Tree, path: Path) -> Place | None:
        return None if self.is_word(path) else Place("agent", "tool_result")

    def failure(self, status: int, message: str, code: str) -> Failure:
        return openai_errors.failure(status, message, code)

    def parts(self, body: bytes, *, sent: bool) -> tuple[Part, ...]:
        """The texts of one message. Raises ``NotUnderstood`` when it is none."""
        tree, found = read(body, self.is_value)
        return self._parts(tree, found, self.asked_place if sent else self.answered_place, body)[0]


MESSAGES = A2aMessages()


class Events(JsonStreaming):
    """A streamed answer: pieces of one artifact make one text, all else is whole."""

    words = _WORDS

    def __init__(self, exchange: Exchange, number: Any, longest: int) -> None:
        super().__init__(exchange, ServerSentEvents(longest))
        self._number = number

    def piece(self, tree: Tree, path: Path) -> Piece | None:
        update, at = _update(tree)
        if update and path[-1] == "text" and path[: at + 2] == (*path[:at], "artifact", "parts"):
            return Piece((text_at(update, "artifact", "artifactId"), 0, "text"), "tool_result", whole=False)
        return Piece(("", 0, *path), "tool_result")

    def closed(self, tree: Tree) -> tuple[Key, ...]:
        update, _ = _update(tree)
        return ((text_at(update, "artifact", "artifactId"),),) if update.get("lastChunk") is True else ()

    def refusal(self, message: str) -> bytes:
        return self.failure(message, "stopped_by_policy")

    def failure(self, message: str, code: str) -> bytes:
        return self.framing.framed(rpc.error(self._number, STOPPED, message))


def _update(tree: Tree) -> tuple[Tree, int]:
    """The part of an artifact that an event brings, and how deep it stands; nothing when it brings none."""
    if isinstance(item(tree, "result", "artifactUpdate").get("artifact"), dict):
        return item(tree, "result", "artifactUpdate"), 2
    if text_at(tree, "result", "kind") == "artifact-update":
        return item(tree, "result"), 1
    return {}, 0


def led_back(body: bytes, here: str) -> bytes:
    """An agent's card in which every address of the agent is ``here``; signatures go, for they cover the addresses.

    Raises:
        NotUnderstood: it is no card.
    """
    card = decode(body)
    found = [card, *dicts(card.get("supportedInterfaces")), *dicts(card.get("additionalInterfaces"))]
    for interface in found:
        if isinstance(interface.get("url"), str):
            interface["url"] = here
            card.pop("signatures", None)
    return msgspec.json.encode(card)


def said_of_itself(body: bytes) -> dict[str, Any]:
    """What is kept of a card: names, no texts."""
    card = decode(body)
    skills = [text_at(skill, "name")[:64] for skill in dicts(card.get("skills"))[:50]]
    return {"name": text_at(card, "name")[:128], "version": text_at(card, "version")[:32], "skills": skills}
