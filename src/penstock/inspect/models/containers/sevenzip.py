"""7z archives: the header by its own rules, members through Python's lzma, bz2 and zlib. Encrypted ones stay unseen."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from penstock.inspect.models.containers.names import escapes
from penstock.inspect.models.containers.unpack import Unpacked, inflate, stream
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.source import Budget, Memory, Source
from penstock.inspect.models.verdict import Reason, Verdict

_HEADER, _PACK, _UNPACK, _SUBSTREAMS, _FILES = 1, 6, 7, 8, 5
_END, _SIZES, _CRC, _FOLDER, _CODERS_SIZES, _COUNTS = 0, 9, 10, 11, 12, 13
_NAMES, _EMPTY_STREAM, _ENCODED = 17, 14, 23
_LONGEST_HEADER = 4 << 20
_COPY, _LZMA2, _LZMA, _DELTA, _BZIP2, _DEFLATE = (
    b"\0",
    b"\x21",
    b"\x03\x01\x01",
    b"\x03",
    b"\x04\x02\x02",
    b"\x04\x01\x08",
)
_BRANCHES = {b"\x03\x03\x01\x03": lzma.FILTER_X86, b"\x04": lzma.FILTER_X86, b"\x03\x03\x05\x01": lzma.FILTER_ARM}


class _Broken(Exception):
    pass


@dataclass(slots=True)
class _Folder:
    """Coders in order, and the sizes of what they give; ``parts`` are the sizes of the files in it."""

    coders: list[tuple[bytes, bytes]]
    packed: int = 0
    sizes: list[int] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)


def look(piece: Piece) -> Iterator[Reason]:
    """Judge members."""
    try:
        folders, places, files = _directory(piece.source, piece.budget)
    except (_Broken, struct.error, IndexError) as error:
        yield piece.say(Verdict.INCONCLUSIVE, "7z.broken", f"its directory cannot be read: {error}")
        return
    names = iter([name for name, has_content in files if has_content])
    for name, _ in files:
        piece.budget.member()
        if why := escapes(name):
            yield piece.say(Verdict.MALICIOUS, "archive.escape", f"the member {name!r} {why}")
    for folder, at in zip(folders, places, strict=False):
        most = min(piece.budget.limits.held, sum(folder.parts))
        body = _unpacked(piece.source, at, folder, most, piece.budget)
        if body.failed and not body.data:
            yield piece.say(Verdict.INCONCLUSIVE, "7z.packed", f"cannot be unpacked: {body.failed}")
            continue
        start = 0
        for size in folder.parts:
            name = next(names, "member")
            data = body.data[start : start + size]
            start += size
            if data:
                yield from piece.inner(Memory(data), name)
            if len(data) < size:
                yield Reason(Verdict.INCONCLUSIVE, "bounds", "was not unpacked whole", f"{piece.where}!{name}")


def _directory(source: Source, budget: Budget) -> tuple[list[_Folder], list[int], list[tuple[str, bool]]]:
    head = source.read(0, 32)
    offset, size = struct.unpack("<QQ", head[12:28])
    if size > _LONGEST_HEADER or 32 + offset + size > source.size:
        raise _Broken("it lies outside the file")
    raw = source.read(32 + offset, size)
    for _ in range(4):
        reader = _Reader(raw)
        kind = reader.byte()
        if kind == _HEADER:
            return _header(reader)
        if kind != _ENCODED:
            raise _Broken(f"it starts with {kind}")
        folders, places = _streams(reader)
        if not folders:
            raise _Broken("its packed directory is empty")
        body = _unpacked(source, places[0], folders[0], _LONGEST_HEADER, budget)
        raw = body.data
        if body.failed:
            raise _Broken(body.failed)
    raise _Broken("it is packed too often")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise _Broken("it is cut")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        """7z's numbers: the first byte says how many follow."""
        first = self.byte()
        value, mask = 0, 0x80
        for index in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << (8 * index)
            value |= self.byte() << (8 * index)
            mask >>= 1
        return value

    def count(self) -> int:
        value = self.number()
        if value > 100_000:
            raise _Broken("it says it has too many entries")
        return value

    def bits(self, count: int) -> list[bool]:
        raw = self.take((count + 7) // 8)
        return [bool(raw[index >> 3] & 0x80 >> (index & 7)) for index in range(count)]

    def defined(self, count: int) -> list[bool]:
        return [True] * count if self.byte() else self.bits(count)


def _header(reader: _Reader) -> tuple[list[_Folder], list[int], list[tuple[str, bool]]]:
    folders: list[_Folder] = []
    places: list[int] = []
    files: list[tuple[str, bool]] = []
    while (kind := reader.byte()) != _END:
        if kind == 4:
            folders, places = _streams(reader)
        elif kind == _FILES:
            files = _files(reader)
        elif kind == 2:
            while reader.byte():
                reader.take(reader.number())
        else:
            raise _Broken(f"it has a part {kind}")
    return folders, places, files


def _streams(reader: _Reader) -> tuple[list[_Folder], list[int]]:
    at, sizes = 32, []
    folders: list[_Folder] = []
    while (kind := reader.byte()) != _END:
        if kind == _PACK:
            at = 32 + reader.number()
            count = reader.count()
            while (part := reader.byte()) != _END:
                if part == _SIZES:
                    sizes = [reader.number() for _ in range(count)]
                elif part == _CRC:
                    reader.take(4 * sum(reader.defined(count)))
        elif kind == _UNPACK:
            folders = _folders(reader)
        elif kind == _SUBSTREAMS:
            _parts(reader, folders)
        else:
            raise _Broken(f"it has a part {kind}")
    places = []
    for folder, size in zip(folders, sizes, strict=False):
        folder.packed = size
        places.append(at)
        at += size
        folder.parts = folder.parts or folder.sizes[-1:]
    return folders, places


def _folders(reader: _Reader) -> list[_Folder]:
    if reader.byte() != _FOLDER:
        raise _Broken("it has no coders")
    folders = []
    count = reader.count()
    if reader.byte():
        raise _Broken("its coders lie elsewhere")
    for _ in range(count):
        coders = []
        outs = reader.count()
        for _ in range(outs):
            flags = reader.byte()
            method = reader.take(flags & 15)
            if flags & 16 and (reader.count() != 1 or reader.count() != 1):
                raise _Broken("a coder has several streams")
            coders.append((method, reader.take(reader.count()) if flags & 32 else b""))
        for _ in range(outs - 1):
            reader.number()
            reader.number()
        folders.append(_Folder(coders))
    while (kind := reader.byte()) != _END:
        if kind == _CODERS_SIZES:
            for folder in folders:
                folder.sizes = [reader.number() for _ in folder.coders]
        elif kind == _CRC:
            reader.take(4 * sum(reader.defined(count)))
    return folders


def _parts(reader: _Reader, folders: list[_Folder]) -> None:
    counts = [1] * len(folders)
    kind = reader.byte()
    if kind == _COUNTS:
        counts = [reader.count() for _ in folders]
        kind = reader.byte()
    for folder, count in zip(folders, counts, strict=True):
        whole = max(folder.sizes, default=0)
        sizes = [reader.number() for _ in range(count - 1)] if kind == _SIZES and count else []
        folder.parts = [*sizes, whole - sum(sizes)] if count else []
    if kind == _SIZES:
        kind = reader.byte()
    while kind != _END:
        if kind == _CRC:
            reader.take(4 * sum(reader.defined(sum(counts))))
        kind = reader.byte()


def _files(reader: _Reader) -> list[tuple[str, bool]]:
    count = reader.count()
    names = [""] * count
    empty = [False] * count
    while (kind := reader.byte()) != _END:
        inner = _Reader(reader.take(reader.number()))
        if kind == _NAMES and not inner.byte():
            listed = inner.data[1:].decode("utf-16-le", "replace").split("\0")
            names = (listed + names)[:count]
        elif kind == _EMPTY_STREAM:
            empty = inner.bits(count)
    return [(name, not none) for name, none in zip(names, empty, strict=True)]


def _unpacked(source: Source, at: int, folder: _Folder, most: int, budget: Budget) -> Unpacked:
    """What a chain of coders gives; those that lzma knows are chained there."""
    filters: list[dict[str, Any]] = []
    for method, settings in folder.coders:
        if method in (_LZMA, _LZMA2):
            kind = lzma.FILTER_LZMA1 if method == _LZMA else lzma.FILTER_LZMA2
            try:
                made = lzma._decode_filter_properties(kind, settings)  # type: ignore[attr-defined]
            except (lzma.LZMAError, ValueError, EOFError) as error:
                return Unpacked(b"", str(error))
            if made.get("dict_size", 0) > 96 << 20:
                return Unpacked(b"", "it asks for too large a dictionary")
            filters.append(made)
        elif method == _DELTA and len(settings) == 1:
            filters.insert(0, {"id": lzma.FILTER_DELTA, "dist": settings[0] + 1})
        elif method in _BRANCHES:
            filters.insert(0, {"id": _BRANCHES[method]})
        elif method == _COPY:
            data = source.read(at, min(folder.packed, most))
            budget.unpack(len(data))
            return Unpacked(data, cut=folder.packed > most)
        elif method == _BZIP2:
            return stream(bz2.BZ2Decompressor(), source, at, folder.packed, most, budget)
        elif method == _DEFLATE:
            return inflate(zlib.decompressobj(-15), source, at, folder.packed, most, budget)
        else:
            return Unpacked(
                b"", "it is encrypted" if method[:2] == b"\x06\xf1" else f"coder {method.hex()} is not known"
            )
    if not filters:
        return Unpacked(b"", "it has no coders")
    try:
        engine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    except (lzma.LZMAError, ValueError) as error:
        return Unpacked(b"", str(error))
    body = stream(engine, source, at, folder.packed, most, budget)
    # LZMA without an end mark stops when its input does: that is whole when it gave what was said.
    whole = len(body.data) >= min(most, folder.sizes[-1] if folder.sizes else most)
    return Unpacked(body.data, "" if whole else body.failed, body.cut, body.used)
