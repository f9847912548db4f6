"""gzip, zlib, bzip2, xz, lzma, lz4 and zstandard around a pickle, a tar or anything else."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator

from penstock.inspect.models.containers.lz4 import unpack as unpack_lz4
from penstock.inspect.models.containers.unpack import Unpacked, inflate, stream
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.source import Memory
from penstock.inspect.models.verdict import Reason, Verdict

#: More than this many times its size, and this much, is a bomb; deflate reaches 1032 on nothing but repetition.
_RATIO, _BOMB = 200, 12 << 20


def look(piece: Piece) -> Iterator[Reason]:
    """Unpack and look inside."""
    head = piece.source.read(0, 6)
    kind = _kind(head)
    piece.report.facts.setdefault("compression", kind)
    body = _unpacked(piece, kind)
    if body.cut and len(body.data) > _RATIO * max(body.used, 1) and len(body.data) >= _BOMB:
        yield piece.say(
            Verdict.MALICIOUS, "archive.bomb", f"unpacks {body.used} bytes to more than {len(body.data) >> 20} MB"
        )
        return
    if not body.data:
        yield piece.say(Verdict.INCONCLUSIVE, "packed.broken", f"cannot be unpacked: {body.failed or 'it is empty'}")
        return
    name = piece.name.rpartition("/")[2]
    stem = name.rpartition(".")[0] if piece.ending in (".gz", ".bz2", ".xz", ".lzma", ".z", ".lz4", ".zst") else name
    for reason in piece.inner(Memory(body.data), stem, f"{piece.where}!{kind}"):
        if not (body.cut and reason.rule in ("pickle.broken", "tar.broken")):
            yield reason
    if body.cut:
        yield piece.say(Verdict.INCONCLUSIVE, "bounds", f"only the first {len(body.data) >> 20} MB were read")
    elif body.failed:
        yield piece.say(Verdict.INCONCLUSIVE, "packed.broken", f"cannot be unpacked whole: {body.failed}")
    elif body.used < piece.source.size:
        piece.report.notes.append(f"{piece.where}: {piece.source.size - body.used} bytes behind the packed part")


def _kind(head: bytes) -> str:
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    if head[:3] == b"BZh":
        return "bzip2"
    if head[:6] == b"\xfd7zXZ\x00":
        return "xz"
    if head[:4] == b"\x28\xb5\x2f\xfd":
        return "zstandard"
    if head[:4] == b"\x04\x22\x4d\x18":
        return "lz4"
    return "lzma" if head[:3] == b"\x5d\x00\x00" else "zlib"


def _unpacked(piece: Piece, kind: str) -> Unpacked:
    source, most, budget = piece.source, piece.budget.limits.held, piece.budget
    if kind == "lz4":
        return unpack_lz4(source, most, budget)
    if kind == "zstandard":
        from penstock.inspect.models.containers.zstd import unpack as unpack_zstd

        return unpack_zstd(source, most, budget)
    parts: list[bytes] = []
    at = total = 0
    failed = ""
    cut = False
    while at < source.size and total < most:
        left = source.size - at
        if kind in ("gzip", "zlib"):
            one = inflate(zlib.decompressobj(31 if kind == "gzip" else 15), source, at, left, most - total, budget)
        elif kind == "bzip2":
            one = stream(bz2.BZ2Decompressor(), source, at, left, most - total, budget)
        else:
            form = lzma.FORMAT_XZ if kind == "xz" else lzma.FORMAT_ALONE
            one = stream(lzma.LZMADecompressor(form, memlimit=96 << 20), source, at, left, most - total, budget)
        if parts and not one.data:
            break  # padding or other bytes behind the last member
        parts.append(one.data)
        total += len(one.data)
        at += one.used
        failed, cut = one.failed, one.cut
        if failed or cut or kind in ("zlib", "lzma") or not one.used or _kind(source.read(at, 6)) != kind:
            break
    return Unpacked(b"".join(parts), failed, cut, at)
