"""A request off the wire: whole, bounded, decoded."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import NotUnderstood
from penstock.protect.upstream import PIECE, decompressor

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: Bytes of a body, as sent and decoded: above the providers' own limits for chat, below what hurts.
LARGEST = 32 * 1024 * 1024
#: Seconds a client may take to send its body.
PATIENCE = 60.0


@dataclass(slots=True)
class Bounds:
    """How large a body may be, in bytes, and how long it may take, in seconds."""

    largest: int = LARGEST
    patience: float = PATIENCE


#: Those of this process, for all its doors; set before it serves.
BOUNDS = Bounds()


class TooLarge(NotUnderstood):
    """The body is larger than the gateway takes: send less."""


class ClientGone(Exception):
    """The client hung up before its request was whole."""


async def read_body(headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    """The whole body, its content coding undone.

    Raises:
        TooLarge: it is, or decodes to, more than ``BOUNDS.largest`` bytes.
        NotUnderstood: the headers contradict each other, the coding is unknown or broken, or the client is too slow.
        ClientGone: the client hung up.
    """
    length = headers.get(b"content-length")
    if length is not None:
        if b"transfer-encoding" in headers or not length.isdigit():
            raise NotUnderstood("Content-Length and Transfer-Encoding contradict each other", hint="Send one of them")
        if int(length) > BOUNDS.largest:
            raise _too_large()
    try:
        message = await receive()
        if not message.get("more_body") and message["type"] == "http.request":
            body = message.get("body", b"")  # nearly always: one piece
        else:
            async with asyncio.timeout(BOUNDS.patience):
                body = await _rest(message, receive)
    except TimeoutError as error:
        raise NotUnderstood(
            f"The body did not arrive within {BOUNDS.patience:g} seconds", hint="Send it faster"
        ) from error
    coding = headers.get(b"content-encoding", b"").strip().lower().decode("latin-1")
    return body if coding in ("", "identity") else _undone(body, coding)


async def _rest(message: Message, receive: Receive) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        if message["type"] != "http.request":
            raise ClientGone
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > BOUNDS.largest:
            raise _too_large()
        if not message.get("more_body"):
            return b"".join(pieces)
        message = await receive()


def _undone(body: bytes, coding: str) -> bytes:
    undo = decompressor(coding)
    pieces: list[bytes] = []
    size = 0
    try:
        while body:
            plain = undo.decompress(body, PIECE)
            size += len(plain)
            if size > BOUNDS.largest:
                raise _too_large()
            pieces.append(plain)
            if undo.eof or (not plain and not undo.unconsumed_tail):
                break
            body = undo.unconsumed_tail
    except zlib.error as error:
        raise NotUnderstood("The compressed body is broken", hint=str(error)) from error
    if not undo.eof:
        raise NotUnderstood("The compressed body is cut short", hint="Send it whole")
    return b"".join(pieces)


def _too_large() -> TooLarge:
    return TooLarge(f"The body is larger than {BOUNDS.largest >> 20} MiB", hint="Send less in one call")
