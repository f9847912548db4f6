"""Server-sent events, whichever line end they use; comments and unknown fields pass with their event."""

from __future__ import annotations

import re

from penstock.errors import NotUnderstood
from penstock.protect.framing.frame import LONGEST, Frame


class ServerSentEvents:
    """Splits a byte stream at empty lines. ``longest``: bytes of an event beyond which it is none."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rest = b""
        self._searched = 0

    def feed(self, piece: bytes) -> list[Frame]:
        data = self._rest + piece if self._rest else piece
        events: list[Frame] = []
        start, search = 0, max(0, self._searched - 3)
        while match := _END.search(data, search):
            if match.end() == len(data) and data.endswith(b"\r"):
                break  # the second half of CRLF may be on its way
            events.append(_event(data[start : match.end()]))
            start = search = match.end()
        self._rest = data[start:]
        self._searched = len(self._rest)
        if len(self._rest) > self._longest:
            raise NotUnderstood(
                f"An event of the stream is longer than {self._longest} bytes", hint="The stream was cut"
            )
        return events

    def finish(self) -> Frame | None:
        rest, self._rest = self._rest, b""
        return _event(rest) if rest else None

    def changed(self, frame: Frame, data: bytes) -> bytes:
        if frame.data is not None and frame.raw.count(frame.data) == 1:
            return frame.raw.replace(frame.data, data)
        data = data.replace(b"\n", b" ")  # only white space: a string holds no line end
        lines, done = [], False
        for line, end in _LINE.findall(frame.raw):
            if not _is_data(line):
                lines.append(line + end)
            elif not done:
                lines.append(b"data: " + data + end)
                done = True
        return b"".join(lines)

    def framed(self, data: bytes, name: str = "") -> bytes:
        return (b"event: " + name.encode() + b"\ndata: " if name else b"data: ") + data + b"\n\n"

    def end(self) -> bytes:
        return b""


def _event(raw: bytes) -> Frame:
    if usual := _USUAL.fullmatch(raw):
        return Frame(raw, usual[1])
    data = [_value(line) for line, _ in _LINE.findall(raw.removeprefix(_BOM)) if _is_data(line)]
    return Frame(raw, b"\n".join(data) if data else None)


def _is_data(line: bytes) -> bool:
    return line.removeprefix(_BOM).partition(b":")[0] == b"data"


def _value(line: bytes) -> bytes:
    return line.partition(b":")[2].removeprefix(b" ")


_BOM = b"\xef\xbb\xbf"
#: The shape nearly all events have: a name, perhaps, and one line of data.
_USUAL = re.compile(rb"(?:event:[^\r\n]*\r?\n)?data:(?: )?([^\r\n]*)\r?\n\r?\n")
_LINE_END = rb"(?:\r\n|\n|\r(?!\n))"
_END = re.compile(_LINE_END + _LINE_END)
_LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r|\Z)")
