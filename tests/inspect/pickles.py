"""Pickles assembled opcode by opcode, for what no pickler writes. Nothing made here is ever unpickled."""

from __future__ import annotations

import io
import struct
import zipfile

COMMAND = "echo penstock-inert"


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def short(value: str) -> bytes:
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def raw(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


def name(module: str, attribute: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{attribute}\n".encode()


def stacked(module: str, attribute: str) -> bytes:
    """STACK_GLOBAL."""
    return short(module) + short(attribute) + b"\x93"


def group(*members: bytes) -> bytes:
    return b"(" + b"".join(members) + b"t"


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + group(*arguments) + b"R"


def stream(body: bytes, protocol: int = 4) -> bytes:
    return (b"\x80" + bytes([protocol]) if protocol > 1 else b"") + body + b"."


def system() -> bytes:
    """The call that every test of hiding hides."""
    return call(name("os", "system"), text(COMMAND))


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for path, content in members.items():
            archive.writestr(path, content)
    return made.getvalue()
