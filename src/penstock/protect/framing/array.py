"""One JSON array that arrives element by element."""

from __future__ import annotations

import re

from penstock.errors import NotUnderstood
from penstock.protect.framing.frame import LONGEST, Frame


class Elements:
    """Cuts a JSON array behind each of its elements; brackets and commas stay with the bytes around them."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._read = 0
        self._depth = 0
        self._begun = -1  # where the element under way begins, when one is
        self._in_string = self._escaped = False
        #: The reader has got an element of the array.
        self.given = False

    def feed(self, piece: bytes) -> list[Frame]:
        self._rest += piece
        frames: list[Frame] = []
        while (at := self._next()) is not None:
            if (frame := self._step(at)) is not None:
                frames.append(frame)
        if len(self._rest) > LONGEST:
            raise NotUnderstood(f"An element of the stream is longer than {LONGEST} bytes", hint="The stream was cut")
        return frames

    def finish(self) -> Frame | None:
        rest = bytes(self._rest)
        self._rest.clear()
        return Frame(rest, rest if self._begun >= 0 or rest.strip(b" \t\r\n,[]") else None) if rest else None

    def changed(self, frame: Frame, data: bytes) -> bytes:
        before, _, after = frame.raw.partition(frame.data or b"")
        return before + data + after

    def framed(self, data: bytes, name: str = "") -> bytes:
        before, self.given = (b",\r\n" if self.given else b"["), True
        return before + data

    def end(self) -> bytes:
        return b"]" if self.given else b"[]"

    def _next(self) -> int | None:
        """Where the next byte stands that changes anything."""
        if self._escaped:
            if self._read >= len(self._rest):
                return None
            self._escaped = False
            self._read += 1
        match = (_IN_STRING if self._in_string else _OUTSIDE).search(self._rest, self._read)
        self._read = match.end() if match else len(self._rest)
        return match.start() if match else None

    def _step(self, at: int) -> Frame | None:
        sign = self._rest[at]
        if sign == _BACKSLASH:
            self._escaped = True
        elif sign == _QUOTE:
            self._in_string = not self._in_string
        elif sign in _OPENING:
            self._depth += 1
            if self._depth > 1 or sign == _BRACE:  # an object by itself is an element, too
                self._begun = at if self._begun < 0 else self._begun
                self._depth = max(self._depth, 2)
        else:
            self._depth -= 1
            if self._depth == 1 and self._begun >= 0:
                return self._cut(at + 1)
            self._depth = max(self._depth, 0)
        return None

    def _cut(self, end: int) -> Frame:
        raw = bytes(self._rest[:end])
        data = raw[self._begun :]
        del self._rest[:end]
        self._read, self._begun = 0, -1
        return Frame(raw, data)


_BACKSLASH, _QUOTE, _BRACE = b'\\"{'
_OPENING = b"{["
_OUTSIDE = re.compile(rb'["{}\[\]]')
_IN_STRING = re.compile(rb'["\\]')
