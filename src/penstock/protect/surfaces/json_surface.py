"""What all surfaces of JSON bodies share: every text is found, placed by its path, and files in base64 are opened."""

from __future__ import annotations

import binascii
import re
from abc import abstractmethod
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from penstock.protect.exchange import Asked, Attachment, Exchange, Fragment, Key, Part, Reply, ToolCall, Usage
from penstock.protect.framing.frame import Frame
from penstock.protect.jsontext import Path, Text, place, read
from penstock.protect.surfaces.surface import Heard, Streaming, Surface, Tree


class Place(NamedTuple):
    """What a text is: who says it, in which channel, and whether its bytes are signed."""

    role: str
    channel: str
    fixed: bool = False


class Piece(NamedTuple):
    """What a text of a frame belongs to."""

    key: Key
    channel: str = "assistant"
    whole: bool = True
    fixed: bool = False


#: A role's channel, in the words of all protocols.
CHANNEL_OF = {
    "system": "system", "developer": "system", "SYSTEM": "system", "user": "user", "USER": "user",
    "assistant": "assistant", "model": "assistant", "chatbot": "assistant", "CHATBOT": "assistant",
    "tool": "tool_result", "function": "tool_result", "TOOL": "tool_result",
}  # fmt: skip


class JsonSurface(Surface):
    """A surface whose bodies are JSON objects."""

    #: Keys whose values are words of the protocol, not of people.
    words: frozenset[str] = frozenset({"role", "type", "object", "model"})
    #: Keys whose values the provider has signed or encrypted; they pass byte for byte.
    opaque: frozenset[str] = frozenset()

    def request(self, asked: Asked) -> Exchange:
        tree, found = read(asked.body, self.is_value)
        parts, attachments = self._parts(tree, found, self.asked_place, asked.body)
        return Exchange(
            surface=self.name,
            model=self.model(tree, asked),
            stream=self.streams(tree, asked),
            parts=parts,
            tools=tuple(name[:64] for name in self.tools(tree) if isinstance(name, str))[:100],
            tool_calls=tuple(self.asked_calls(tree)),
            attachments=attachments,
            unread=self.unread(tree),
            caller=asked.caller,
            application=asked.application,
        )

    def reply(self, body: bytes) -> Reply:
        tree, found = read(body, self.is_value)
        parts, attachments = self._parts(tree, found, self.answered_place, body)
        return Reply(parts, tuple(self.answered_calls(tree)), attachments, self.usage(tree), self.finish(tree))

    def _parts(
        self, tree: Tree, found: Iterable[Text], place_of: Callable[[Tree, Path], Place | None], body: bytes
    ) -> tuple[tuple[Part, ...], tuple[Attachment, ...]]:
        """The texts of a body that somebody says, and the files that are none."""
        parts: list[Part] = []
        attachments: list[Attachment] = []
        list_before, run = None, 0
        for text in found:
            where = place_of(tree, text.path)
            if where is None or is_opaque(text, self.opaque):
                continue
            opened = _opened(text, body)
            if opened is None:
                this_list = text.path[:-2] if text.path[-1] == "text" and text.path[0] != "choices" else None
                run += this_list != list_before
                list_before = this_list
                parts.append(_part(where, text, run if this_list else 0))
            elif isinstance(opened, Part):
                parts.append(opened)
            else:
                attachments.append(opened)
        return tuple(parts), tuple(attachments)

    # ── what an adapter says of its bodies ───────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        """What the text at the path of a request is; None for a word of the protocol."""

    def answered_place(self, tree: Tree, path: Path) -> Place | None:
        """What the text at the path of a reply is; None for a word of the protocol."""
        return None if self.is_word(path) else Place("assistant", "assistant")

    def is_value(self, path: Path) -> bool:
        """Whether the object or list at the path is one text: the arguments or the result of a tool."""
        return False

    def is_word(self, path: Path) -> bool:
        """Whether the text at the path is a word of the protocol."""
        return bool(path) and path[-1] in self.words

    def model(self, tree: Tree, asked: Asked) -> str:
        return asked.fields.get("model", "") or text_at(tree, "model")

    def streams(self, tree: Tree, asked: Asked) -> bool:
        return tree.get("stream") is True

    def tools(self, tree: Tree) -> Iterable[Any]:
        """Names of the tools that are offered."""
        return [item(tool, "function").get("name") or tool.get("name") for tool in dicts(tree.get("tools"))]

    def asked_calls(self, tree: Tree) -> Iterable[ToolCall]:
        """The tool calls of earlier turns."""
        return ()

    def answered_calls(self, tree: Tree) -> Iterable[ToolCall]:
        """The tool calls that a reply asks for."""
        return ()

    def unread(self, tree: Tree) -> str:
        """Why parts of the request hold no text, when they do."""
        return ""

    def usage(self, tree: Tree) -> Usage | None:
        return None

    def finish(self, tree: Tree) -> str:
        return ""


class JsonStreaming(Streaming):
    """A stream whose frames are JSON objects."""

    words: frozenset[str] = frozenset({"role", "type", "object", "model"})
    opaque: frozenset[str] = frozenset()

    def read(self, frame: Frame) -> Heard:
        data = frame.data or b""
        return self.heard(data, frame)

    def heard(self, data: bytes, frame: Frame) -> Heard:
        """What a payload says."""
        tree, found = read(data, self.is_value)
        fragments: list[Fragment] = []
        for text in found:
            if not text.value or (text.path and text.path[-1] in self.words):
                continue
            if (piece := self.piece(tree, text.path)) is None:
                continue
            if is_opaque(text, self.opaque):
                continue
            key, channel, whole, fixed = piece
            if whole and (opened := _opened(text, data)) is not None:
                if isinstance(opened, Part):
                    fragments.append(Fragment(key, opened, True))
                continue
            fragments.append(Fragment(key, _part(Place("assistant", channel, fixed), text), whole))
        self.note(tree)
        return Heard(fragments, self.closed(tree), tree)

    @abstractmethod
    def piece(self, tree: Tree, path: Path) -> Piece | None:
        """What the text at the path of a frame belongs to; None for a word of the protocol."""

    def is_value(self, path: Path) -> bool:
        return False

    def closed(self, tree: Tree) -> tuple[Key, ...]:
        """Keys, or their beginnings, that end with this frame."""
        return ()

    def note(self, tree: Tree) -> None:
        """Remember usage and why the answer ends."""


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def is_opaque(text: Text, keys: frozenset[str]) -> bool:
    """Whether the text is what the provider has signed or encrypted: under such a key, and of such characters."""
    return bool(text.path) and text.path[-1] in keys and _BASE64.fullmatch(text.value) is not None


def _part(where: Place, text: Text, run: int = 0) -> Part:
    coding = "value" if text.is_value else "json"
    return Part(where.role, where.channel, text.value, text.start, text.end, coding, where.fixed, run)


#: Keys under which protocols carry files in base64.
_FILE_KEYS = frozenset(
    {"data", "bytes", "blob", "file_data", "b64_json", "images", "image", "partial_image_b64", "embedding"}
)
#: Fewer characters are no file.
_SMALLEST_FILE = 16
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]+={0,2}\s*")
_DATA_URL = re.compile(r"data:([^,;]{0,80})(?:;[^,]{0,80})?;base64,")
#: Characters of base64 that are opened to see whether a file is text.
_SNIFF = 4096


def _opened(text: Text, body: bytes) -> Part | Attachment | None:
    """A text that is a file in base64: its own text if it has one, else what it is; None for every other text.

    What a file is called by its sender counts for nothing: a "PNG" that holds letters is read.
    """
    value = text.value
    if len(value) < _SMALLEST_FILE or text.is_value:
        return None
    skipped, media_type = 0, ""
    if value.startswith("data:") and (url := _DATA_URL.match(value)):
        skipped, media_type = url.end(), url[1]
        value = value[skipped:]
    else:
        key = next((step for step in reversed(text.path) if isinstance(step, str)), "")
        if key not in _FILE_KEYS or not _BASE64.fullmatch(value):
            return None
    if _readable(value[:_SNIFF]) is None or (content := _readable(value)) is None:
        return Attachment(media_type, len(value) * 3 // 4)
    start, end = place(body, text.start, text.end)
    if skipped and body[start + 1 : start + 1 + skipped] != text.value[:skipped].encode():
        skipped = 0  # written with escapes: all of the string is replaced when some of it is
    return Part("", "file", content, start + 1 + skipped, end - 1, "base64")


def _readable(value: str) -> str | None:
    """The text that base64 holds; None when it holds none."""
    value = value.translate(_URL_SAFE)
    cut = len(value) % 4
    try:
        data = b64decode(value[: len(value) - cut] if cut == 1 else value + "=" * (-len(value) % 4))
        content = data.decode()
    except UnicodeDecodeError as error:
        if len(value) < _SNIFF or error.start < len(data) - 4:
            return None
        content = data[: error.start].decode()  # a character cut in two at the end of the sample
    except (binascii.Error, ValueError):
        return None
    controls = sum(content.count(sign) for sign in _CONTROLS)
    return content if controls == 0 else None


_URL_SAFE = {ord("-"): "+", ord("_"): "/", ord(" "): None, ord("\n"): None, ord("\r"): None}
#: Characters that texts do not hold.
_CONTROLS = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f"


# ── trees from strangers ────────────────────────────────────────────────────────────────────────────────────────────


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; nothing when it is none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def item(value: Any, *steps: str | int) -> Mapping[str, Any]:
    """The object that the steps lead to; an empty one when there is none."""
    for step in steps:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and -1 <= step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def text_at(value: Any, *steps: str | int) -> str:
    """The text that the steps lead to; an empty one when there is none."""
    found = item(value, *steps[:-1]).get(steps[-1])  # type: ignore[arg-type]
    return found if isinstance(found, str) else ""


def usage_at(tree: Tree, where: str, sent: str, answered: str) -> Usage | None:
    """Tokens under these names; None when the provider does not count them."""
    if not isinstance(tree.get(where), dict):
        return None
    return Usage(number_at(tree, where, sent), number_at(tree, where, answered))


def number_at(value: Any, *steps: str | int) -> int:
    """The number that the steps lead to; 0 when there is none."""
    found = item(value, *steps[:-1]).get(steps[-1])  # type: ignore[arg-type]
    return found if isinstance(found, int) else 0
