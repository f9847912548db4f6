"""What all framings share."""

from __future__ import annotations

from typing import Protocol

import msgspec

#: A frame that is longer is no part of an answer; it bounds what is held for one.
LONGEST = 2 * 1024 * 1024


class Frame(msgspec.Struct, frozen=True, gc=False):
    """raw: the frame as it came. data: its payload, None when it has none. name: the event's name, if frames have one.

    whole: it must not be changed or continued by the reader (an exception frame).
    """

    raw: bytes
    data: bytes | None
    name: str = ""


class Framing(Protocol):
    """Bytes in any pieces to frames, and payloads back to bytes."""

    def feed(self, piece: bytes) -> list[Frame]:
        """The frames that are complete now.

        Raises:
            NotUnderstood: a frame is longer than ``LONGEST``, or is none.
        """

    def finish(self) -> Frame | None:
        """What was left when the bytes ended."""

    def changed(self, frame: Frame, data: bytes) -> bytes:
        """The frame with another payload, all else as it was."""

    def framed(self, data: bytes, name: str = "") -> bytes:
        """A new frame around a payload."""

    def end(self) -> bytes:
        """What must follow the last frame when the reader ends the stream early."""
