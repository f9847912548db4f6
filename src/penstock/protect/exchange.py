"""One call as everyone behind the surface sees it: who speaks, what is said, and where it stands in the bytes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

import msgspec

#: What a text is to the model. ``content`` is said by nobody in particular (a prompt, an input of an embedding).
CHANNELS = frozenset(
    {"system", "user", "assistant", "tool_call", "tool_result", "tool_definition", "document", "file", "content",
     "other"}
)  # fmt: skip

#: Category of a text on which the detectors failed, beside the data categories.
UNSEEN = "unseen"


class Part(msgspec.Struct, frozen=True, gc=False):
    """One text of a body, with its place in the bytes: replacing ``start:end`` replaces the text and nothing else.

    The place is looked up when it is needed (``jsontext.place``).
    role: who says it, in the protocol's own word (empty for what nobody says, such as a parameter).
    channel: one of ``CHANNELS``.
    coding: what stands in the bytes. json: the text as a JSON string, quotes included · value: a JSON value, whose
        bytes are the text (the arguments of a tool) · base64: base64, without quotes · raw: the text itself.
    fixed: the bytes must stay as they are, because the provider has signed them: it may be stopped, never masked.
    run: parts of one number other than 0 are read as one text, because they are the texts of one message in a row.
    """

    role: str
    channel: str
    text: str
    start: int
    end: int
    coding: str = "json"
    fixed: bool = False
    run: int = 0

    def encoded(self, text: str) -> bytes:
        """Another text in the coding of this part."""
        if self.coding == "json":
            return msgspec.json.encode(text)
        data = text.encode("utf-8", "surrogatepass")
        return b64encode(data) if self.coding == "base64" else data

    @property
    def place(self) -> tuple[int, int]:
        return self.start, self.end

    @property
    def is_json(self) -> bool:
        """Whether the text is JSON for somebody else to read: masks must leave it valid."""
        return self.coding == "value" or self.channel == "tool_call"


class Attachment(msgspec.Struct, frozen=True, gc=False):
    """A file that came along and holds no text that can be read here: an image, a sound, a PDF."""

    media_type: str
    size: int
    name: str = ""


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """A call the model asks for. ``arguments`` is JSON; in a stream it is joined from all of its fragments."""

    name: str
    arguments: str = ""
    id: str = ""


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens, as the provider counts them."""

    sent: int = 0
    answered: int = 0


class Asked(msgspec.Struct, frozen=True):
    """A request off the wire, before a surface has read it.

    path: decoded, without the query. fields: what the route's pattern named in the path (a model, an operation).
    caller, application: who asks, and the asset that stands for it.
    """

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    body: bytes
    query: bytes = b""
    fields: Mapping[str, str] = {}
    caller: str = ""
    application: str = ""


class Exchange(msgspec.Struct, frozen=True):
    """What is asked, without a protocol.

    tools: names of the tools the model is offered. tool_calls: those that earlier turns hold.
    attachments: what came along and was not read. unread: why parts of the body hold no text that can be read.
    """

    surface: str
    model: str = ""
    stream: bool = False
    parts: tuple[Part, ...] = ()
    tools: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    unread: str = ""
    caller: str = ""
    application: str = ""


class Reply(msgspec.Struct, frozen=True):
    """What is answered. ``finish`` is the protocol's own word for why the answer ends."""

    parts: tuple[Part, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    usage: Usage | None = None
    finish: str = ""


#: What a fragment of a stream belongs to: the path of its text in the whole answer. Fragments of one key make one
#: text. Its first two steps name the sequence (a choice, a candidate) in which one text follows another.
Key = tuple[str | int, ...]


class Fragment(msgspec.Struct, frozen=True, gc=False):
    """A piece of a streamed text. ``whole``: it states the text in full, alone or again after its pieces."""

    key: Key
    part: Part
    whole: bool = False
