"""Server-sent events from bytes that arrive in any pieces; each event keeps its bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from penstock.errors import NotUnderstood

#: An event that is longer is no chat chunk; it bounds what is held for one.
LONGEST = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Event:
    """``raw``: the event as it came, with the empty line that ends it. ``data``: its payload, None when it has none."""

    raw: bytes
    data: bytes | None


class Parser:
    """Splits a byte stream at empty lines, whichever line ends it uses."""

    def __init__(self) -> None:
        self._rest = b""
        self._searched = 0

    def feed(self, piece: bytes) -> list[Event]:
        """The events that are complete now.

        Raises:
            NotUnderstood: an event is longer than ``LONGEST``.
        """
        data = self._rest + piece if self._rest else piece
        events: list[Event] = []
        start, search = 0, max(0, self._searched - 3)
        while match := _END.search(data, search):
            if match.end() == len(data) and data.endswith(b"\r"):
                break  # the second half of CRLF may be on its way
            events.append(_event(data[start : match.end()]))
            start = search = match.end()
        self._rest = data[start:]
        self._searched = len(self._rest)
        if len(self._rest) > LONGEST:
            raise NotUnderstood(f"An event of the stream is longer than {LONGEST} bytes", hint="The stream was cut")
        return events

    def finish(self) -> Event | None:
        """What was left when the stream ended without an empty line."""
        rest, self._rest = self._rest, b""
        return _event(rest) if rest else None


def with_data(event: Event, data: bytes) -> bytes:
    """The event with another payload, every other line as it was."""
    if event.data is not None and event.raw.count(event.data) == 1:
        return event.raw.replace(event.data, data)
    data = data.replace(b"\n", b" ")  # only white space: a string holds no line end
    lines, done = [], False
    for line, end in _LINE.findall(event.raw):
        if not _is_data(line):
            lines.append(line + end)
        elif not done:
            lines.append(b"data: " + data + end)
            done = True
    return b"".join(lines)


def _event(raw: bytes) -> Event:
    body = raw.removeprefix(b"\xef\xbb\xbf")
    if body.startswith(b"data:") and body.count(b"\n") == 2 and b"\r" not in body:
        return Event(raw, body[6:-2] if body[5:6] == b" " else body[5:-2])  # the shape nearly all events have
    data = [_value(line) for line, _ in _LINE.findall(body) if _is_data(line)]
    return Event(raw, b"\n".join(data) if data else None)


def _is_data(line: bytes) -> bool:
    return line.removeprefix(b"\xef\xbb\xbf").partition(b":")[0] == b"data"


def _value(line: bytes) -> bytes:
    return line.partition(b":")[2].removeprefix(b" ")


_LINE_END = rb"(?:\r\n|\n|\r(?!\n))"
_END = re.compile(_LINE_END + _LINE_END)
_LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r|\Z)")
