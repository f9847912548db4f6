"""numpy's .npy: a header that is a Python literal, then numbers, or a pickle where the type is object."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from math import prod

from penstock.inspect.models.piece import Piece
from penstock.inspect.models.source import Part
from penstock.inspect.models.verdict import Reason, Verdict

#: Numbers as Python 2 wrote them (``10L``), which numpy reads too.
_LONG = re.compile(r"\b(\d+)L\b")


def look(piece: Piece) -> Iterator[Reason]:
    """Check the header; judge the pickle behind it."""
    head = piece.source.read(0, 12)
    if len(head) < 10:
        yield piece.say(Verdict.INCONCLUSIVE, "npy.short", "ends inside its header")
        return
    start, length = (
        (10, int.from_bytes(head[8:10], "little")) if head[6] == 1 else (12, int.from_bytes(head[8:12], "little"))
    )
    if length > 1 << 16 or start + length > piece.source.size:
        yield piece.say(Verdict.SUSPICIOUS, "npy.header", f"the header says it has {length} bytes", 8)
        return
    raw = piece.source.read(start, length)
    try:
        header = ast.literal_eval(_LONG.sub(r"\1", raw.decode("latin-1").strip()))
        kind, shape = header["descr"], header["shape"]
        count = prod(shape)
    except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError):
        yield piece.say(Verdict.SUSPICIOUS, "npy.header", "the header is no plain description of an array", start)
        return
    if _objects(kind):
        rest = Part(piece.source, start + length, piece.source.size)
        from penstock.inspect.models.pickle import streams

        inner = Piece(rest, piece.name, f"{piece.where}!array", piece.budget, piece.report, piece.look, piece.depth + 1)
        yield from streams.streams(inner, 0)
        return
    if any(side < 0 for side in shape) or count > 1 << 50:
        yield piece.say(Verdict.SUSPICIOUS, "npy.shape", f"the array says it has {count} values", start)
        return
    piece.report.facts.setdefault("dtype", str(kind)[:40])
    width = _width(kind)
    if width is not None and count * width > piece.source.size - start - length:
        missing = count * width - (piece.source.size - start - length)
        verdict = Verdict.SUSPICIOUS if missing > 1 << 40 else Verdict.INCONCLUSIVE
        yield piece.say(verdict, "npy.short", f"{missing} bytes of the array are missing", piece.source.size)


def _objects(kind: object) -> bool:
    """Whether an array's type holds Python objects, at any depth of a record."""
    if isinstance(kind, str):
        return "O" in kind
    return isinstance(kind, list | tuple) and any(_objects(part) for part in kind)


def _width(kind: object) -> int | None:
    if isinstance(kind, str) and kind[2:].isdigit():
        return int(kind[2:]) * (4 if kind[1:2] == "U" else 1)
    return None
