"""Decompression that stops: at a size, at the budget, at the first error."""

from __future__ import annotations

import bz2
import lzma
import zlib
from dataclasses import dataclass
from typing import Any

from penstock.inspect.models.source import Budget, Part, Source

_PART = 1 << 16


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came out. ``failed`` says why it ended early; ``cut`` that there was more; ``used`` packed bytes read."""

    data: bytes
    failed: str = ""
    cut: bool = False
    used: int = 0


def unpacked(source: Source, at: int, packed: int, method: int, most: int) -> Unpacked:
    """A zip member by its compression method."""
    if method == 0:
        return Unpacked(source.read(at, min(packed, most)), cut=packed > most)
    if method == 8:
        return deflated(source, at, packed, most)
    if method == 12:
        return stream(bz2.BZ2Decompressor(), source, at, packed, most)
    if method == 14:
        head = source.read(at, 9)
        if len(head) < 9:
            return Unpacked(b"", "its header is cut")
        try:
            filters = [lzma._decode_filter_properties(lzma.FILTER_LZMA1, head[4:9])]  # type: ignore[attr-defined]
            return stream(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters), source, at + 9, packed - 9, most)
        except lzma.LZMAError as error:
            return Unpacked(b"", str(error))
    if method == 93:
        from penstock.inspect.models.containers import zstd

        return zstd.unpack(Part(source, at, packed), most)
    return Unpacked(b"", f"compression {method} is not known")


def deflated(source: Source, at: int, packed: int, most: int, budget: Budget | None = None) -> Unpacked:
    return inflate(zlib.decompressobj(-15), source, at, packed, most, budget)


def inflate(engine: Any, source: Source, at: int, packed: int, most: int, budget: Budget | None = None) -> Unpacked:
    """Through one of zlib's decompressors."""
    parts: list[bytes] = []
    total = used = 0
    failed = ""
    try:
        while total < most and not engine.eof:
            chunk = engine.unconsumed_tail
            if not chunk:
                chunk = source.read(at + used, min(_PART, packed - used))
                used += len(chunk)
                if not chunk:
                    failed = "it ends too early"
                    break
            out = engine.decompress(chunk, min(most - total, 1 << 20))
            if budget is not None:
                budget.unpack(len(out))
            total += len(out)
            parts.append(out)
    except zlib.error as error:
        failed = str(error)
    used -= len(engine.unused_data)
    return Unpacked(b"".join(parts), failed, cut=total >= most and not engine.eof, used=used)


def stream(engine: Any, source: Source, at: int, packed: int, most: int, budget: Budget | None = None) -> Unpacked:
    """Through bz2's or lzma's decompressors."""
    parts: list[bytes] = []
    total = used = 0
    failed = ""
    try:
        while total < most and not engine.eof:
            chunk = b""
            if engine.needs_input:
                chunk = source.read(at + used, min(_PART, packed - used))
                used += len(chunk)
                if not chunk:
                    failed = "it ends too early"
                    break
            out = engine.decompress(chunk, min(most - total, 1 << 20))
            if budget is not None:
                budget.unpack(len(out))
            total += len(out)
            parts.append(out)
    except (OSError, lzma.LZMAError, ValueError, EOFError) as error:
        failed = str(error)
    except MemoryError:
        failed = "it asks for too large a dictionary"
    used -= len(engine.unused_data) if engine.eof else 0
    return Unpacked(b"".join(parts), failed, cut=total >= most and not engine.eof, used=used)
