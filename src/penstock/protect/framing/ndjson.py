"""One JSON document a line."""

from __future__ import annotations

from penstock.errors import NotUnderstood
from penstock.protect.framing.frame import LONGEST, Frame


class Lines:
    """Splits a byte stream at line ends; empty lines have no payload."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._held = 0

    def feed(self, piece: bytes) -> list[Frame]:
        head, end, tail = piece.rpartition(b"\n")
        if end:
            whole = b"".join([*self._pieces, head, end])
            self._pieces, self._held = [], 0
            frames = [_line(line) for line in whole.splitlines(keepends=True)]
        else:
            frames = []
        if tail:
            self._pieces.append(tail)
            self._held += len(tail)
        if self._held > LONGEST:
            raise NotUnderstood(f"A line of the stream is longer than {LONGEST} bytes", hint="The stream was cut")
        return frames

    def finish(self) -> Frame | None:
        rest = b"".join(self._pieces)
        self._pieces, self._held = [], 0
        return _line(rest) if rest else None

    def changed(self, frame: Frame, data: bytes) -> bytes:
        before, _, after = frame.raw.partition(frame.data or b"")
        return before + data.replace(b"\n", b" ") + after

    def framed(self, data: bytes, name: str = "") -> bytes:
        return data + b"\n"

    def end(self) -> bytes:
        return b""


def _line(raw: bytes) -> Frame:
    return Frame(raw, raw.strip() or None)
