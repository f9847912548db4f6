"""The contract of a surface: what an adapter must know of its protocol, and nothing of policy, detectors or sockets.

A surface is one file with one class, named in ``surfaces.registry``:

* ``routes`` say which requests are its own: method, a pattern of the whole path (named groups become
  ``Asked.fields``), and headers that must be there.
* ``request`` turns a request into an ``Exchange``: every text that a model may read is a ``Part`` with its role, its
  channel and its place in the bytes. Texts in fields that the adapter does not know are parts, too (channel ``other``).
  What is no text (an image, token numbers) is named in ``attachments`` or ``unread``. Nothing is left out silently.
* ``reply`` does the same for an answer in one piece.
* ``streaming`` makes the reader of one streamed answer: a ``Framing`` cuts bytes into frames, ``read`` says which texts
  a frame continues or states, ``passed`` is told of each frame that the client has got, and ``refusal`` and ``failure``
  end the stream in the protocol's own words from where the client stands.
* ``refusal`` is an answer whose text is the refusal, for clients that show what the model says; None where an answer
  has no text. ``failure`` is the error that the client's library raises as its own typed error.

The gateway changes a body only at ``Part.start:Part.end``; bytes between parts are never touched. So an adapter cannot
break what it does not know. A protocol of messages both ways (JSON-RPC over HTTP, WebSocket) is the same contract: a
request with its reply or stream, where a server's own messages are frames of the stream and a socket's messages are
frames of a framing that passes them as they are.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from penstock.protect.exchange import Asked, Exchange, Fragment, Key, Reply, ToolCall, Usage
from penstock.protect.framing.frame import Frame, Framing

#: A JSON object as it was decoded.
Tree = Mapping[str, Any]
#: Code of an error that stands in place of what policy stopped.
STOPPED = "stopped_by_policy"


@dataclass(frozen=True, slots=True)
class Route:
    """Requests that belong to a surface. ``path`` matches the whole decoded path."""

    method: str
    path: str
    headers: tuple[bytes, ...] = ()
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(self.path))

    def fields(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> Mapping[str, str] | None:
        """What the path names; None when the request belongs to somebody else."""
        if method != self.method or any(name not in headers for name in self.headers):
            return None
        match = self.pattern.fullmatch(path)
        return {name: value for name, value in match.groupdict().items() if value} if match else None


@dataclass(frozen=True, slots=True)
class Failure:
    """An error in the protocol's own shape."""

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ((b"content-type", b"application/json"),)


class Heard(msgspec.Struct, gc=False):
    """What a frame says: pieces of texts, and which texts end with it.

    closed: keys, or beginnings of keys, of texts that no later frame continues; ``((),)`` closes all.
    tree: the payload, decoded, for ``Streaming.passed``. data: the payload that the fragments point into, when it is
    wrapped in the frame's own. repeats: the frame repeats its texts token by token.
    """

    fragments: list[Fragment]
    closed: tuple[Key, ...] = ()
    tree: dict[str, Any] | None = None
    data: bytes | None = None
    repeats: bool = False


class Surface(ABC):
    """One protocol. ``family`` is the kind of provider: it chooses the upstream and how its key is sent."""

    name: str
    family: str
    routes: tuple[Route, ...]
    #: Whether answers may be files, which pass as they come when their content type says so.
    carries_files = False
    #: Headers of a stream that the gateway answers by itself.
    stream_headers: tuple[tuple[bytes, bytes], ...] = (
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-cache"),
    )

    @abstractmethod
    def request(self, asked: Asked) -> Exchange:
        """What is asked.

        Raises:
            NotUnderstood: the body is not what this protocol sends.
        """

    @abstractmethod
    def reply(self, body: bytes) -> Reply:
        """What is answered, an error of the provider included.

        Raises:
            NotUnderstood: the body is not what this protocol answers.
        """

    def streaming(self, exchange: Exchange, content_type: str) -> Streaming | None:
        """The reader of an answer of this content type; None when it comes in one piece."""
        return None

    def clean(self, body: bytes) -> bytes:
        """A reply in which texts were changed, without what repeats them in another shape."""
        return body

    def refusal(self, exchange: Exchange, message: str, reply: bytes = b"") -> bytes | None:
        """An answer that says why there is none; ``reply`` is the one that was stopped, for its name and usage."""
        return None

    @abstractmethod
    def failure(self, status: int, message: str, code: str) -> Failure:
        """An error in one piece."""


class Streaming(ABC):
    """One streamed answer, on its way."""

    framing: Framing
    usage: Usage | None = None
    finish: str = ""

    def __init__(self, exchange: Exchange, framing: Framing) -> None:
        self.exchange = exchange
        self.framing = framing

    @abstractmethod
    def read(self, frame: Frame) -> Heard:
        """What a frame says; ``frame.data`` is there.

        Raises:
            NotUnderstood: the payload is not what this protocol sends. It is judged as plain text then.
        """

    def passed(self, tree: Tree) -> None:  # noqa: B027 (most protocols end a stream alike wherever it stands)
        """The client has got this frame: remember what the refusal must go on from."""

    def changed(self, frame: Frame, data: bytes) -> bytes:
        """The frame with another payload (one in which texts were replaced)."""
        return self.framing.changed(frame, data)

    def clean(self, data: bytes) -> bytes:
        """A payload in which texts were changed, without what repeats them in another shape."""
        return data

    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls that the answer asks for, without arguments, which the guard joins."""
        return ()

    @abstractmethod
    def refusal(self, message: str) -> bytes:
        """The end of the stream, with the message as its last text; frames that nobody has got do not count."""

    @abstractmethod
    def failure(self, message: str, code: str) -> bytes:
        """The end of the stream as an error that the client's library raises."""


def is_events(exchange: Exchange, content_type: str) -> bool:
    """Whether an answer is a stream of events; one that was asked for and is not JSON is taken for it."""
    return "text/event-stream" in content_type or (exchange.stream and "json" not in content_type)
