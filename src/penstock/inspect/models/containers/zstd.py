"""zstandard, by the library that its authors' own code is in; bounded in window and output."""

from __future__ import annotations

import io

import zstandard

from penstock.inspect.models.containers.unpack import Unpacked
from penstock.inspect.models.source import Budget, Source

#: The largest window that is unpacked; `zstd --long` goes up to 128 MB without asking its reader.
_WINDOW = 128 << 20
_PART = 1 << 18


def unpack(source: Source, most: int, budget: Budget | None = None) -> Unpacked:
    """Frames one after another, up to ``most`` bytes.

    Raises:
        Exhausted: the budget is used up.
    """
    packed = _Reader(source)
    parts: list[bytes] = []
    total = 0
    failed = ""
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(
        io.BufferedReader(packed, _PART), read_size=_PART, read_across_frames=True
    )
    try:
        while total < most and (part := reader.read(min(_PART, most - total))):
            if budget is not None:
                budget.unpack(len(part))
            parts.append(part)
            total += len(part)
    except (zstandard.ZstdError, MemoryError) as error:
        failed = str(error)
    return Unpacked(b"".join(parts), failed, total >= most, packed.at)


class _Reader(io.RawIOBase):
    """A source as a file that is read from its start to its end."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._source.read(self.at, len(buffer))
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)
