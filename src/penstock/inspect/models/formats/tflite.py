"""TFLite: operator codes of a flatbuffer. Custom operators and those of full TensorFlow reach outside."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from penstock.inspect.models.pickle.names import find_other
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.source import Source
from penstock.inspect.models.verdict import Reason, Verdict


def look(piece: Piece) -> Iterator[Reason]:
    """Judge custom operators."""
    try:
        names = _custom(piece.source)
    except (struct.error, ValueError) as error:
        yield piece.say(Verdict.INCONCLUSIVE, "tflite.broken", f"is not a whole model: {error}")
        return
    for name in names:
        known = find_other("tensorflow", name.removeprefix("Flex"))
        if known is not None and known.verdict is not Verdict.CLEAN:
            yield piece.say(known.verdict, known.rule, f"has the operator {name}, which {known.why}")
        elif find_other("tflite", name) is None and not name.startswith("Flex"):
            yield piece.say(
                Verdict.REVIEW, "tflite.custom", f"needs the custom operator {name[:60]!r}, code that must come with it"
            )


def _custom(source: Source) -> list[str]:
    """Names of custom operators: field 1 of the root, each with its name in field 1."""
    root = _u32(source, 0)
    codes = _field(source, root, 1)
    if codes is None:
        return []
    vector = codes + _u32(source, codes)
    count = _u32(source, vector)
    if count > 100_000:
        raise ValueError(f"{count} operators")
    names = []
    for index in range(count):
        slot = vector + 4 + 4 * index
        table = slot + _u32(source, slot)
        place = _field(source, table, 1)
        if place is not None:
            text = place + _u32(source, place)
            length = _u32(source, text)
            if length > 10_000:
                raise ValueError("a name of absurd length")
            names.append(source.read(text + 4, length).decode("utf-8", "replace"))
    return names


def _field(source: Source, table: int, number: int) -> int | None:
    """Where a table's field lies; None when it is not there."""
    vtable = table - struct.unpack("<i", source.read(table, 4))[0]
    size = struct.unpack("<H", source.read(vtable, 2))[0]
    if 4 + 2 * number + 2 > size:
        return None
    offset = struct.unpack("<H", source.read(vtable + 4 + 2 * number, 2))[0]
    return table + offset if offset else None


def _u32(source: Source, at: int) -> int:
    value: int = struct.unpack("<I", source.read(at, 4))[0]
    return value
