"""LZ4 frames, as joblib writes them: a small decoder, since Python has none."""

from __future__ import annotations

from penstock.inspect.models.containers.unpack import Unpacked
from penstock.inspect.models.source import Budget, Source


def unpack(source: Source, most: int, budget: Budget) -> Unpacked:
    """The content of one frame, up to ``most`` bytes."""
    head = source.read(0, 32)
    if len(head) < 7 or head[:4] != b"\x04\x22\x4d\x18" or head[4] >> 6 != 1:
        return Unpacked(b"", "its header is not understood")
    flags = head[4]
    at = 6 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0) + 1
    out = bytearray()
    failed = ""
    while len(out) < most:
        size = int.from_bytes(source.read(at, 4), "little")
        at += 4
        if not size:
            return Unpacked(bytes(out), used=source.size)
        plain, size = size >> 31, size & 0x7FFFFFFF
        block = source.read(at, size)
        if len(block) < size:
            failed = "it ends too early"
            break
        at += size + (4 if flags & 16 else 0)
        before = len(out)
        if plain:
            out += block
        elif not _block(block, out, most, budget):
            failed = "a block is not understood"
            break
        budget.unpack(len(out) - before)
    return Unpacked(bytes(out[:most]), failed, cut=not failed, used=at)


def _block(block: bytes, out: bytearray, most: int, budget: Budget) -> bool:
    """Literals and copies of what came before, in turn."""
    at, end = 0, len(block)
    turns = 0
    while at < end and len(out) <= most:
        turns += 1
        if not turns & 0x3FFF:
            budget.check()
        token = block[at]
        at += 1
        count = token >> 4
        if count == 15:
            while at < end:
                more = block[at]
                at += 1
                count += more
                if more != 255:
                    break
        out += block[at : at + count]
        at += count
        if at >= end:
            return True
        back = int.from_bytes(block[at : at + 2], "little")
        at += 2
        if not back or back > len(out):
            return False
        count = (token & 15) + 4
        if token & 15 == 15:
            while at < end:
                more = block[at]
                at += 1
                count += more
                if more != 255:
                    break
        if count > most - len(out) + 64:
            count = most - len(out) + 64
        if back >= count:
            start = len(out) - back
            out += out[start : start + count]
        else:
            out += (bytes(out[-back:]) * (count // back + 1))[:count]
    return True
