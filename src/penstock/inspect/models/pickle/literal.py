"""What a constant says, read again from the opcode that pushed it; and calls that only make a constant."""

from __future__ import annotations

import codecs
import struct
from typing import Any

from penstock.inspect.models.pickle.values import FALSE, NONE, TRUE, Global, Items, Result, Value
from penstock.inspect.models.source import Source

#: Content that is worth reading: names, arguments to be shown. Streams within bytes are looked at where they lie.
LONGEST = 1 << 16
#: Stands for a constant whose content is not known, or not worth reading.
_UNKNOWN = object()


def constant(source: Source, value: Value) -> Any:
    """The content of a constant; the value itself where it is none, or is longer than `LONGEST`."""
    if type(value) is int:
        if value < 0:
            return {NONE: None, TRUE: True, FALSE: False}.get(value, _UNKNOWN)
        return _read(source, value)
    if type(value) is Result:
        made = encoded(source, value)
        if made is not None:
            return made
    return value


def stretch(source: Source, value: Value) -> tuple[int, int] | None:
    """Where the content of a bytes or string constant lies: (start, length)."""
    if type(value) is not int or value < 0:
        return None
    op = source.read(value, 1)
    if op in b"CU\x8c" and op:
        return value + 2, source.read(value + 1, 1)[0]
    if op in b"BXT" and op:
        return value + 5, struct.unpack("<I", source.read(value + 1, 4))[0]
    if op in b"\x8d\x8e\x96" and op:
        return value + 9, struct.unpack("<Q", source.read(value + 1, 8))[0]
    return None


def encoded(source: Source, result: Result) -> bytes | None:
    """The bytes that ``_codecs.encode(text, 'latin1')`` gives: how protocols below 3 write bytes."""
    function = result.function
    if type(function) is not Global or function.full not in ("_codecs.encode", "codecs.encode"):
        return None
    arguments = result.arguments
    if type(arguments) is not tuple or not arguments:
        return None
    text = constant(source, arguments[0])
    how = constant(source, arguments[1]) if len(arguments) > 1 else "utf-8"
    if isinstance(text, str) and isinstance(how, str) and how.lower() in ("latin1", "latin-1", "utf-8", "utf8"):
        return text.encode(how, "replace")
    return None


def _read(source: Source, at: int) -> Any:
    op = source.read(at, 1)
    try:
        if span := stretch(source, at):
            start, count = span
            if count > LONGEST:
                return _UNKNOWN
            raw = source.read(start, count)
            if op in b"X\x8c\x8d":
                return raw.decode("utf-8", "surrogatepass")
            return raw.decode("latin-1") if op in b"UT" else raw
        if op == b"K":
            return source.read(at + 1, 1)[0]
        if op == b"M":
            return struct.unpack("<H", source.read(at + 1, 2))[0]
        if op == b"J":
            return struct.unpack("<i", source.read(at + 1, 4))[0]
        if op == b"G":
            return struct.unpack(">d", source.read(at + 1, 8))[0]
        if op in (b"\x8a", b"\x8b"):
            return _long(source, at, op)
        return _line(source.read(at + 1, LONGEST).partition(b"\n")[0], op)
    except (struct.error, IndexError, ValueError):
        return _UNKNOWN


def _long(source: Source, at: int, op: bytes) -> Any:
    head = 1 if op == b"\x8a" else 4
    count = int.from_bytes(source.read(at + 1, head), "little")
    return _UNKNOWN if count > 64 else int.from_bytes(source.read(at + 1 + head, count), "little", signed=True)


def _line(text: bytes, op: bytes) -> Any:
    if op == b"I":
        return {b"00": False, b"01": True}.get(text, _UNKNOWN) if text in (b"00", b"01") else int(text[:400])
    if op == b"L":
        return int(text.rstrip(b"L")[:400])
    if op == b"F":
        return float(text[:64])
    if op == b"V":
        return text.decode("raw-unicode-escape")
    if op == b"S":
        inner = text.strip()
        if len(inner) >= 2 and inner[:1] == inner[-1:] and inner[:1] in b"'\"":
            inner = inner[1:-1]
        return codecs.escape_decode(inner)[0].decode("latin-1")
    return _UNKNOWN


#: How much of a chain is shown: characters of a text, members of a container, calls within calls.
_TEXT, _MEMBERS, _DEEP = 80, 4, 6


def shown(source: Source, value: Value, depth: int = 0) -> str:
    """A value as Python would write it, cut to what a person reads."""
    if depth > _DEEP:
        return "…"
    if type(value) is int:
        content = constant(source, value)
        if content is _UNKNOWN:
            return "…"
        text = repr(content)
        return text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…{text[0]}"
    if type(value) is Global:
        return value.full
    if type(value) is Result:
        arguments = value.arguments
        inner = shown(source, arguments, depth + 1)
        inner = inner if type(arguments) is tuple else f"(*{inner})"
        name = shown(source, value.function, depth + 1)
        return f"{name}.__new__{inner}" if value.role == "new" else f"{name}{inner}"
    if isinstance(value, tuple | Items):
        members = value.kept if isinstance(value, Items) else list(value)
        listed = ", ".join(shown(source, member, depth + 1) for member in members[:_MEMBERS])
        listed += ", …" if len(members) > _MEMBERS else ""
        kind = value.kind if isinstance(value, Items) else "tuple"
        return f"({listed})" if kind == "tuple" else f"[{listed}]" if kind == "list" else f"{{{listed}}}"
    return "…"
