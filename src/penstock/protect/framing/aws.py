"""Amazon's event stream: binary frames of a prelude, headers, a payload and two checksums.

The format is described in the Amazon Transcribe and AWS SDK documentation as ``application/vnd.amazon.eventstream``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from zlib import crc32

from penstock.errors import NotUnderstood
from penstock.protect.framing.frame import LONGEST, Frame

MEDIA_TYPE = "application/vnd.amazon.eventstream"


class EventStream:
    """Cuts a byte stream into frames whose checksums are right, and makes such frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[Frame]:
        data = self._rest + piece if self._rest else piece
        frames: list[Frame] = []
        at = 0
        while len(data) - at >= _PRELUDE.size:
            total, _, check = _PRELUDE.unpack_from(data, at)
            if crc32(data[at : at + 8]) != check or not _LEAST <= total <= LONGEST:
                raise NotUnderstood("A frame of the stream is broken", f"byte {at}", "Its length or checksum is wrong")
            if len(data) - at < total:
                break
            frames.append(_frame(data[at : at + total]))
            at += total
        self._rest = data[at:]
        return frames

    def finish(self) -> Frame | None:
        rest, self._rest = self._rest, b""
        if rest:
            raise NotUnderstood("The stream ends within a frame", hint="Ask again")
        return None

    def changed(self, frame: Frame, data: bytes) -> bytes:
        _, size, _ = _PRELUDE.unpack_from(frame.raw)
        return _built(frame.raw[_PRELUDE.size : _PRELUDE.size + size], data)

    def framed(self, data: bytes, name: str = "") -> bytes:
        """A new frame; ``name`` is its event type, or ``exception:`` and its exception type."""
        kind, _, exception = name.partition(":")
        told = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
        if kind == "exception":
            told = {":exception-type": exception, ":content-type": "application/json", ":message-type": "exception"}
        return _built(b"".join(_header(key.encode(), value.encode()) for key, value in told.items()), data)

    def end(self) -> bytes:
        return b""


def begins(data: bytes) -> bool:
    """Whether the bytes begin as such a stream does."""
    return len(data) >= _PRELUDE.size and crc32(data[:8]) == _PRELUDE.unpack_from(data)[2]


def _frame(raw: bytes) -> Frame:
    _, size, _ = _PRELUDE.unpack_from(raw)
    (check,) = struct.unpack_from(">I", raw, len(raw) - 4)
    if crc32(raw[:-4]) != check or _PRELUDE.size + size > len(raw) - 4:
        raise NotUnderstood("A frame of the stream is broken", hint="Its checksum or its headers' length is wrong")
    headers = read_headers(raw[_PRELUDE.size : _PRELUDE.size + size])
    name = headers.get(":event-type", "")
    if headers.get(":message-type") in ("exception", "error"):
        name = "exception:" + headers.get(":exception-type", headers.get(":error-code", ""))
    return Frame(raw, raw[_PRELUDE.size + size : -4] or None, name)


def read_headers(data: bytes) -> dict[str, str]:
    """The headers that are strings, which all that matter here are.

    Raises:
        NotUnderstood: a header is cut short, or of a type that does not exist.
    """
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            length = data[at]
            name = data[at + 1 : at + 1 + length].decode()
            kind = data[at + 1 + length]
            at += 2 + length
            if kind in (_BYTES, _STRING):
                (size,) = struct.unpack_from(">H", data, at)
                if kind == _STRING:
                    found[name] = data[at + 2 : at + 2 + size].decode()
                at += 2 + size
            else:
                at += _FIXED[kind]
    except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise NotUnderstood("A frame of the stream has broken headers") from error
    if at != len(data):
        raise NotUnderstood("A frame of the stream has broken headers")
    return found


def _header(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + bytes([_STRING]) + struct.pack(">H", len(value)) + value


def _built(headers: bytes, payload: bytes) -> bytes:
    lengths = struct.pack(">II", _LEAST + len(headers) + len(payload), len(headers))
    body = lengths + struct.pack(">I", crc32(lengths)) + headers + payload
    return body + struct.pack(">I", crc32(body))


def frames(events: Iterable[tuple[str, bytes]]) -> bytes:
    """A whole stream of named payloads."""
    stream = EventStream()
    return b"".join(stream.framed(data, name) for name, data in events)


_PRELUDE = struct.Struct(">III")
#: Prelude and closing checksum: the size of an empty frame.
_LEAST = 16
_BYTES, _STRING = 6, 7
#: Type of a header's value → its bytes: true, false, byte, short, integer, long, timestamp, uuid.
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
