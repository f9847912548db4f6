"""Amazon Bedrock: converse, and invoke with a model's own body; streams are binary frames with checksums."""

from __future__ import annotations

import contextlib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec.structs import replace

from penstock.errors import NotUnderstood
from penstock.protect.exchange import Asked, Exchange, Fragment, Key, Part, Reply, ToolCall, Usage
from penstock.protect.framing.aws import MEDIA_TYPE, EventStream
from penstock.protect.framing.frame import Frame
from penstock.protect.framing.sse import ServerSentEvents
from penstock.protect.jsontext import Path, decode
from penstock.protect.surfaces.anthropic_messages import AnthropicMessages, MessageEvents
from penstock.protect.surfaces.json_surface import (
    CHANNEL_OF,
    JsonStreaming,
    JsonSurface,
    Piece,
    Place,
    dicts,
    item,
    number_at,
    text_at,
    usage_at,
)
from penstock.protect.surfaces.surface import STOPPED, Failure, Heard, Route, Streaming, Surface, Tree
from penstock.protect.surfaces.unknown import PathByPath, Unknown

_WORDS = frozenset({"role", "type", "format", "stopReason", "toolUseId", "status"})
_OPAQUE = frozenset({"signature", "redactedContent"})
#: Status → the exception AWS clients raise.
_EXCEPTIONS = {400: "ValidationException", 401: "AccessDeniedException", 403: "AccessDeniedException",
               404: "ResourceNotFoundException", 413: "ValidationException", 429: "ThrottlingException",
               503: "ServiceUnavailableException"}  # fmt: skip
_STREAM_HEADERS = ((b"content-type", MEDIA_TYPE.encode()),)


def failure(status: int, message: str) -> Failure:
    """An error as AWS clients read it: its type in a header."""
    kind = _EXCEPTIONS.get(status, "InternalServerException")
    return Failure(
        msgspec.json.encode({"message": message}),
        ((b"content-type", b"application/json"), (b"x-amzn-errortype", kind.encode())),
    )


def _is_frames(exchange: Exchange, content_type: str) -> bool:
    """Whether an answer is a stream of frames; one that was asked for and is not JSON is taken for it."""
    return MEDIA_TYPE in content_type or (exchange.stream and "json" not in content_type)


def broken(stream: EventStream, message: str, code: str) -> bytes:
    """An error in a stream."""
    kind = "validationException" if code == STOPPED else "modelStreamErrorException"
    return stream.framed(msgspec.json.encode({"message": message}), f"exception:{kind}")


class BedrockConverse(JsonSurface):
    """``/model/{id}/converse`` and ``converse-stream``: one body for all models."""

    name = "bedrock.converse"
    family = "bedrock"
    routes: tuple[Route, ...] = (Route("POST", r"/model/(?P<model>.+)/(?P<call>converse|converse-stream)"),)
    words = _WORDS
    opaque = _OPAQUE
    stream_headers = _STREAM_HEADERS

    def is_value(self, path: Path) -> bool:
        return len(path) > 2 and (path[-2:] == ("toolUse", "input") or (path[-1] == "json" and "toolResult" in path))

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        if path[0] == "system":
            return Place("system", "system")
        if path[0] == "toolConfig":
            return Place("", "tool_definition")
        if path[0] != "messages" or len(path) < 4:
            return Place("", "other")
        return _block(text_at(tree, "messages", path[1], "role"), path[4:], asked=True)

    def answered_place(self, tree: Tree, path: Path) -> Place | None:
        return None if self.is_word(path) else _block("assistant", path[4:], asked=False)

    def streams(self, tree: Tree, asked: Asked) -> bool:
        return asked.fields.get("call") == "converse-stream"

    def model(self, tree: Tree, asked: Asked) -> str:
        return unquote(asked.fields.get("model", ""))

    def tools(self, tree: Tree) -> Iterable[Any]:
        return [item(tool, "toolSpec").get("name") for tool in dicts(item(tree, "toolConfig").get("tools"))]

    def asked_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return [call for message in dicts(tree.get("messages")) for call in _calls(message)]

    def answered_calls(self, tree: Tree) -> Iterable[ToolCall]:
        return _calls(item(tree, "output", "message"))

    def usage(self, tree: Tree) -> Usage | None:
        return _usage(tree)

    def finish(self, tree: Tree) -> str:
        return text_at(tree, "stopReason")

    def streaming(self, exchange: Exchange, content_type: str) -> Streaming | None:
        return ConverseEvents(exchange, EventStream()) if _is_frames(exchange, content_type) else None

    def refusal(self, exchange: Exchange, message: str, reply: bytes = b"") -> bytes:
        if exchange.stream and not reply:
            return ConverseEvents(exchange, EventStream()).refusal(message)
        like = decode(reply) if reply else {}
        return msgspec.json.encode(
            {
                "output": {"message": {"role": "assistant", "content": [{"text": message}]}},
                "stopReason": "content_filtered",
                "usage": like.get("usage") or _NO_USAGE,
                "metrics": like.get("metrics") or {"latencyMs": 0},
            }
        )

    def failure(self, status: int, message: str, code: str) -> Failure:
        return failure(status, message)


class ConverseEvents(JsonStreaming):
    """A streamed answer of converse. The frame's event type says what its payload is."""

    framing: EventStream
    words = _WORDS
    opaque = _OPAQUE

    def __init__(self, exchange: Exchange, framing: EventStream) -> None:
        super().__init__(exchange, framing)
        self._name = ""
        self._calls: dict[int, ToolCall] = {}
        self._begun = False  # of what the client has: the message, and the number and kind of the block that is open
        self._block, self._open = -1, ""

    def read(self, frame: Frame) -> Heard:
        self._name = frame.name
        heard = super().read(frame)
        heard.tree = {"": frame.name, **(heard.tree or {})}
        return heard

    def piece(self, tree: Tree, path: Path) -> Piece | None:
        key: Key = ("content", number_at(tree, "contentBlockIndex"))
        if path[0] == "delta" and path[-1] in ("text", "input"):
            called = path[1:] == ("toolUse", "input")
            return Piece((*key, *path[1:]), "tool_call" if called else "assistant", whole=False)
        if path[0] in ("delta", "start"):
            return Piece(("whole", *key, *path), "assistant")
        return None if path == ("p",) else Piece(("", 0, *path), "other")  # p pads a frame to hide its length

    def closed(self, tree: Tree) -> tuple[Key, ...]:
        if self._name == "contentBlockStop":
            return (("content", number_at(tree, "contentBlockIndex")),)
        return ((),) if self._name in ("messageStop", "metadata") or self._name.startswith("exception:") else ()

    def note(self, tree: Tree) -> None:
        self.usage = _usage(tree) or self.usage
        self.finish = text_at(tree, "stopReason") or self.finish
        if name := text_at(tree, "start", "toolUse", "name"):
            self._calls[number_at(tree, "contentBlockIndex")] = ToolCall(name[:64])

    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(self._calls.values())[:100]

    def passed(self, tree: Tree) -> None:
        name = tree.get("")
        self._begun = self._begun or name == "messageStart"
        if name in ("contentBlockStart", "contentBlockDelta"):
            self._block = number_at(tree, "contentBlockIndex")
            self._open = "text" if item(tree, "delta").get("text") is not None else self._open or "other"
        elif name == "contentBlockStop":
            self._open = ""

    def refusal(self, message: str) -> bytes:
        events: list[tuple[str, dict[str, Any]]] = []
        if not self._begun:
            events.append(("messageStart", {"role": "assistant"}))
        if self._open and self._open != "text":
            events.append(("contentBlockStop", {"contentBlockIndex": self._block}))
        message = f"\n\n{message}" if self._open == "text" else message
        at = self._block if self._open == "text" else self._block + 1
        events += [
            ("contentBlockDelta", {"contentBlockIndex": at, "delta": {"text": message}}),
            ("contentBlockStop", {"contentBlockIndex": at}),
            ("messageStop", {"stopReason": "content_filtered"}),
            ("metadata", {"usage": _NO_USAGE, "metrics": {"latencyMs": 0}}),
        ]
        return b"".join(self.framing.framed(msgspec.json.encode(event), name) for name, event in events)

    def failure(self, message: str, code: str) -> bytes:
        return broken(self.framing, message, code)


class BedrockInvoke(Surface):
    """``/model/{id}/invoke``: the body is the model's own, Anthropic's read as such, others string by string."""

    name = "bedrock.invoke"
    family = "bedrock"
    routes: tuple[Route, ...] = (Route("POST", r"/model/(?P<model>.+)/(?P<call>invoke|invoke-with-response-stream)"),)
    stream_headers = _STREAM_HEADERS

    def __init__(self) -> None:
        self._anthropic = AnthropicMessages()
        self._other = Unknown()

    def request(self, asked: Asked) -> Exchange:
        within = self._anthropic if b'"anthropic_version"' in asked.body else self._other
        exchange = within.request(replace(asked, headers={**asked.headers, b"content-type": b"application/json"}))
        return replace(
            exchange,
            surface=f"{self.name}.anthropic" if within is self._anthropic else self.name,
            model=unquote(asked.fields.get("model", "")),
            stream=asked.fields.get("call") != "invoke",
        )

    def reply(self, body: bytes) -> Reply:
        like_anthropic = b'"stop_reason"' in body and b'"content"' in body
        return (self._anthropic if like_anthropic else self._other).reply(body)

    def streaming(self, exchange: Exchange, content_type: str) -> Streaming | None:
        return InvokeEvents(exchange, EventStream()) if _is_frames(exchange, content_type) else None

    def refusal(self, exchange: Exchange, message: str, reply: bytes = b"") -> bytes | None:
        if not exchange.surface.endswith(".anthropic"):
            return None
        if exchange.stream and not reply:
            return InvokeEvents(exchange, EventStream()).refusal(message)
        return self._anthropic.refusal(replace(exchange, stream=False), message, reply)

    def failure(self, status: int, message: str, code: str) -> Failure:
        return failure(status, message)


class InvokeEvents(Streaming):
    """Frames that carry a model's own events in base64."""

    framing: EventStream

    def __init__(self, exchange: Exchange, framing: EventStream) -> None:
        super().__init__(exchange, framing)
        events = ServerSentEvents()
        is_anthropic = exchange.surface.endswith(".anthropic")
        self._within = MessageEvents(exchange, events) if is_anthropic else PathByPath(exchange, events)

    def read(self, frame: Frame) -> Heard:
        outer = decode(frame.data or b"")
        wrapped = outer.get("bytes")
        if not isinstance(wrapped, str):  # an exception, or a frame of another kind
            text = (frame.data or b"").decode(errors="replace")
            return Heard(
                [Fragment(("", 0, "frame"), Part("", "other", text, 0, len(frame.data or b""), "value"), True)]
            )
        try:
            inner = b64decode(wrapped, validate=True)
        except ValueError as error:
            raise NotUnderstood("A frame of the stream holds broken base64", hint="Ask again") from error
        heard = self._within.heard(inner, frame)
        self.usage, self.finish = self._within.usage, self._within.finish
        heard.data = inner
        return heard

    def changed(self, frame: Frame, data: bytes) -> bytes:
        with contextlib.suppress(NotUnderstood):
            outer = decode(frame.data or b"")
            if "bytes" in outer:
                outer["bytes"] = b64encode(data).decode()
                data = msgspec.json.encode(outer)
        return self.framing.changed(frame, data)

    def tool_calls(self) -> tuple[ToolCall, ...]:
        return self._within.tool_calls()

    def passed(self, tree: Tree) -> None:
        self._within.passed(tree)

    def refusal(self, message: str) -> bytes:
        if isinstance(self._within, PathByPath):
            return self.failure(message, STOPPED)
        events = ServerSentEvents().feed(self._within.refusal(message))
        return b"".join(self._wrapped(event.data) for event in events if event.data)

    def _wrapped(self, data: bytes) -> bytes:
        return self.framing.framed(msgspec.json.encode({"bytes": b64encode(data).decode()}), "chunk")

    def failure(self, message: str, code: str) -> bytes:
        return broken(self.framing, message, code)


_NO_USAGE = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}


def _block(role: str, path: Path, *, asked: bool) -> Place:
    kind = path[0] if path else ""
    if kind == "reasoningContent":  # signed: what is asked again must be what was answered
        return Place(role, "assistant", fixed=asked)
    if kind == "toolUse":
        return Place(role, "tool_call" if path[-1] == "input" else "other")
    if kind == "toolResult":
        return Place("tool", "tool_result")
    if kind in ("document", "searchResult"):
        return Place(role, "document")
    return Place(role, CHANNEL_OF.get(role, "content"))


def _calls(message: Tree) -> list[ToolCall]:
    return [
        ToolCall(text_at(block, "toolUse", "name")[:64])
        for block in dicts(message.get("content"))
        if isinstance(block.get("toolUse"), dict)
    ]


def _usage(tree: Tree) -> Usage | None:
    return usage_at(tree, "usage", "inputTokens", "outputTokens")
