"""The wire format of protocol buffers, walked field by field; what is not asked for is stepped over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from penstock.inspect.models.source import Source


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its number, its wire kind (0 varint, 1 fixed64, 2 bytes, 5 fixed32), where its content lies."""

    number: int
    kind: int
    at: int
    size: int
    value: int = 0


class Malformed(Exception):
    """The bytes are no message."""


def fields(source: Source, start: int = 0, end: int | None = None, most: int = 2_000_000) -> Iterator[Field]:
    """The fields of a message.

    Raises:
        Malformed: where the bytes stop being one.
    """
    end = source.size if end is None else end
    at = start
    window, base = b"", 0
    for _ in range(most):
        if at >= end:
            return
        if not base <= at <= base + len(window) - 24 or not window:
            base, window = at, source.read(at, min(4096, end - at))
        tag, at = _varint(window, at, base)
        number, kind = tag >> 3, tag & 7
        if not number or number > 1 << 29:
            raise Malformed(f"field {number} at {at}")
        if kind == 0:
            value, after = _varint(window, at, base)
            yield Field(number, 0, at, after - at, value)
            at = after
        elif kind == 2:
            size, at = _varint(window, at, base)
            if size > end - at:
                raise Malformed(f"field {number} at {at} says it has {size} bytes")
            yield Field(number, 2, at, size)
            at += size
        elif kind in (1, 5):
            width = 8 if kind == 1 else 4
            if at + width > end:
                raise Malformed(f"field {number} at {at} is cut")
            yield Field(number, kind, at, width)
            at += width
        else:
            raise Malformed(f"wire kind {kind} at {at}")


def _varint(window: bytes, at: int, base: int) -> tuple[int, int]:
    value = shift = 0
    offset = at - base
    while True:
        if offset >= len(window) or shift > 63:
            raise Malformed(f"a number at {at}")
        byte = window[offset]
        offset += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, base + offset
        shift += 7


def text(source: Source, field: Field, most: int = 65536) -> str:
    """The content of a field as text."""
    return source.read(field.at, min(field.size, most)).decode("utf-8", "replace")


def shape(source: Source, ending: str, name: str) -> str:
    """Which format a message is, by its first fields; empty when it is none of ours."""
    seen: dict[int, Field] = {}
    order: list[int] = []
    try:
        for field in fields(source, most=64):
            seen.setdefault(field.number, field)
            order.append(field.number)
    except Malformed:
        if ending not in (".onnx", ".pb", ".mlmodel", ".pdmodel"):
            return ""
    if not seen or max(seen) > 10_000:
        return ""
    if ending == ".onnx" or (
        7 in seen and 8 in seen and seen[7].kind == 2 and seen[8].kind == 2 and 1 in seen and seen[1].kind == 0
    ):
        return "onnx"
    if name.rpartition("/")[2] in ("saved_model.pb", "fingerprint.pb"):
        return "tensorflow" if name.endswith("saved_model.pb") else ""
    if order[:2] == [1, 2] and seen[1].kind == 0 and seen[2].kind == 2:
        if any(300 <= number <= 3000 for number in seen) or ending == ".mlmodel":
            return "coreml"
        return "tensorflow"
    if order and set(order) <= {1, 2, 3, 4, 5} and seen.get(1, seen[order[0]]).kind == 2:
        if ending == ".pb" or (1 in seen and _node(source, seen[1])):
            return "tensorflow"
        if ending == ".pdmodel":
            return "paddle"
    return ""


def _node(source: Source, field: Field) -> bool:
    """Whether a field is a node of a TensorFlow graph: a name, an operator."""
    try:
        inside = [inner.number for inner in fields(source, field.at, field.at + field.size, most=8)]
    except Malformed:
        return False
    return inside[:2] == [1, 2] and field.size > 4
