"""Lines of a large file, taken from blocks that are spread evenly over it: the cost does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

#: 64 blocks of 64 KiB: rows that lie together resemble one another, so many places count for more than many rows.
BLOCK, BLOCKS = 64 * 1024, 64
#: Bytes read of one file in all, when its lines are longer than a block.
MOST = 16 * 1024 * 1024


def spread(content: BinaryIO, size: int, *, longest: int = 0) -> Iterator[tuple[int, bytes, int]]:
    """(offset, whole lines, bytes looked at) of each block, in order of place; one within a long line has no lines.

    Args:
        longest: length of the longest line known; blocks are made to hold a few of them.
    """
    block = min(max(BLOCK, 4 * longest), MOST // 4)
    count = max(2, min(BLOCKS, MOST // block))
    if size <= block * count:
        content.seek(0)
        data = content.read(size)
        yield 0, data, size
        return
    for number in range(count):
        at = number * (size - block) // (count - 1)
        content.seek(at)
        data = content.read(block)
        begin = data.find(b"\n") + 1 if at else 0
        end = len(data) if at + len(data) >= size else data.rfind(b"\n") + 1
        lines = data[begin:end] if begin or not at else b""
        yield at + begin, lines, len(lines) or len(data)
