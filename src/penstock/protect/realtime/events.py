"""The events of OpenAI's realtime API: which texts they hold, which belong together, what ends a response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from penstock.protect.exchange import Exchange, Key, Part, ToolCall
from penstock.protect.framing.frame import LONGEST, Frame
from penstock.protect.jsontext import Path, read
from penstock.protect.surfaces import openai_errors
from penstock.protect.surfaces.json_surface import CHANNEL_OF, JsonStreaming, JsonSurface, Piece, Place, item, text_at
from penstock.protect.surfaces.surface import STOPPED, Failure, Route, Tree

#: Stands between messages of a socket where they are handed on as one; JSON holds it nowhere.
BETWEEN = b"\x1e"
_WORDS = frozenset(
    {"type", "object", "model", "role", "status", "voice", "event_id", "id", "item_id", "response_id", "call_id",
     "previous_item_id", "conversation_id", "format", "modalities", "output_modalities", "audio"}
)  # fmt: skip
#: Events whose texts are in pieces: end of the name → field of the whole, channel.
_PIECES = {
    "text": ("text", "assistant"), "output_text": ("text", "assistant"),
    "audio_transcript": ("transcript", "assistant"), "output_audio_transcript": ("transcript", "assistant"),
    "function_call_arguments": ("arguments", "tool_call"), "mcp_call_arguments": ("arguments", "tool_call"),
    "input_audio_transcription": ("transcript", "user"),
}  # fmt: skip


class RealtimeEvents(JsonSurface):
    """Events that stand alone: what a client sends, and what a server says about its session and items."""

    name = "openai.realtime"
    family = "openai"
    routes: tuple[Route, ...] = ()
    words = _WORDS

    def is_value(self, path: Path) -> bool:
        return bool(path) and path[-1] == "tools" and path[0] in ("session", "response")

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        if path[-1] == "instructions":
            return Place("system", "system")
        if path[-1] == "tools":
            return Place("", "tool_definition")
        about = item(tree, "item")
        if text_at(about, "type") == "function_call_output":
            return Place("tool", "tool_result")
        role = text_at(about, "role")
        return Place(role, "tool_call" if path[-1] == "arguments" else CHANNEL_OF.get(role, "user"))

    def answered_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        return Place("assistant", "tool_call" if path[-1] == "arguments" else "assistant")

    def failure(self, status: int, message: str, code: str) -> Failure:
        return openai_errors.failure(status, message, code)

    def parts(self, body: bytes, *, sent: bool) -> tuple[Part, ...]:
        """The texts of one event. Raises ``NotUnderstood`` when it is none."""
        tree, found = read(body, self.is_value)
        return self._parts(tree, found, self.asked_place if sent else self.answered_place, body)[0]


EVENTS = RealtimeEvents()


class Messages:
    """The framing of a socket: each message is a frame."""

    def feed(self, piece: bytes) -> list[Frame]:
        return [Frame(piece + BETWEEN, piece)]

    def finish(self) -> Frame | None:
        return None

    def changed(self, frame: Frame, data: bytes) -> bytes:
        return data + BETWEEN

    def framed(self, data: bytes, name: str = "") -> bytes:
        return data + BETWEEN

    def end(self) -> bytes:
        return b""


class Response(JsonStreaming):
    """One response on its way: its texts come in pieces and are stated again by the events that end them."""

    words = _WORDS

    def __init__(self, exchange: Exchange, id: str) -> None:
        super().__init__(exchange, Messages())
        self.id = id
        self._calls: dict[str, ToolCall] = {}

    def piece(self, tree: Tree, path: Path) -> Piece | None:
        kind = text_at(tree, "type")
        field, channel, ending = pieces_of(kind)
        if not field:
            channel = "tool_call" if path[-1] == "arguments" else "assistant"
            return Piece(("", 0, *path), channel)
        if kind.endswith("audio.delta") or path[0] not in ("delta", field):
            return None if path[0] == "delta" else Piece(("", 0, *path), "other")
        return Piece(_key(tree, field), channel, whole=not ending)

    def closed(self, tree: Tree) -> tuple[Key, ...]:
        kind = text_at(tree, "type")
        field, _, ending = pieces_of(kind)
        if kind == "response.done":
            return ((),)
        return (_key(tree, field),) if field and not ending else ()

    def note(self, tree: Tree) -> None:
        about = item(tree, "item")
        if text_at(about, "type") == "function_call" and len(self._calls) < 100:
            self._calls[text_at(about, "id")] = ToolCall(text_at(about, "name")[:64])

    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(self._calls.values())

    def refusal(self, message: str) -> bytes:
        return self.failure(message, STOPPED)

    def failure(self, message: str, code: str) -> bytes:
        """An error event, and the end of the response, so that the client waits for nothing more."""
        ended = {
            "type": "response.done",
            "event_id": "event_penstock_done",
            "response": {
                "object": "realtime.response", "id": self.id, "status": "incomplete", "output": [],
                "status_details": {"type": "incomplete", "reason": "content_filter"},
            },
        }  # fmt: skip
        return error(message, code) + BETWEEN + msgspec.json.encode(ended) + BETWEEN


def error(message: str, code: str, event_id: str = "") -> bytes:
    """An error as the API sends it. ``event_id``: of the client's event that it is about."""
    told: dict[str, Any] = {"type": "invalid_request_error", "code": code, "message": message, "param": None}
    told["event_id"] = event_id or None
    return msgspec.json.encode({"type": "error", "event_id": "event_penstock", "error": told})


def pieces_of(kind: str) -> tuple[str, str, bool]:
    """Field and channel of the text that an event continues or states, and whether it continues it; "" when none."""
    about, _, ending = kind.rpartition(".")
    field, channel = _PIECES.get(about.rpartition(".")[2], ("", ""))
    return (field, channel, ending == "delta") if ending in ("delta", "done", "completed") else ("", "", False)


def home_of(tree: Mapping[str, Any]) -> str:
    """The response, or the item that somebody says, to which an event belongs; empty when it stands alone."""
    kind = text_at(tree, "type")
    if kind.startswith("response."):
        return text_at(tree, "response_id") or text_at(tree, "response", "id")
    return text_at(tree, "item_id") if pieces_of(kind)[0] else ""


def ends_home(tree: Mapping[str, Any]) -> bool:
    """Whether an event is the last of its response or item."""
    kind = text_at(tree, "type")
    return kind in ("response.done", "conversation.item.input_audio_transcription.completed")


def sound(tree: Mapping[str, Any]) -> int:
    """Bytes of sound that an event carries, which nobody reads here."""
    for key in ("audio", "delta"):
        value = tree.get(key)
        if isinstance(value, str) and text_at(tree, "type").endswith(("audio.delta", "audio_buffer.append")):
            return len(value) * 3 // 4
    return 0


def _key(tree: Mapping[str, Any], field: str) -> Key:
    number = tree.get("content_index")
    return text_at(tree, "item_id"), number if isinstance(number, int) else 0, field


#: Bytes of one message.
LARGEST = 8 * LONGEST
