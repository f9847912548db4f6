"""MessagePack as Flax writes it: maps, numbers and arrays; extension types beyond its own are unknown code paths."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

_SIZED = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_FIXED = {
    0xC0: 0,
    0xC2: 0,
    0xC3: 0,
    0xCA: 4,
    0xCB: 8,
    0xCC: 1,
    0xCD: 2,
    0xCE: 4,
    0xCF: 8,
    0xD0: 1,
    0xD1: 2,
    0xD2: 4,
    0xD3: 8,
}
_LISTS = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
_EXT = {0xC7: 1, 0xC8: 2, 0xC9: 4}
#: Flax: 1 array, 2 complex, 3 numpy scalar; -1 is a time.
_KNOWN = frozenset((1, 2, 3, -1))


def look(piece: Piece) -> Iterator[Reason]:
    """Walk every value, numbers stepped over."""
    source = piece.source
    at, turns = 0, 0
    open_lists = [1]
    unknown: set[int] = set()
    try:
        while open_lists and turns < 5_000_000:
            turns += 1
            if not turns & 4095:
                piece.budget.check()
            if not open_lists[-1]:
                open_lists.pop()
                continue
            open_lists[-1] -= 1
            head = source.read(at, 6)
            code = head[0]
            if code < 0x80 or code >= 0xE0 or code in _FIXED:
                at += 1 + _FIXED.get(code, 0)
            elif code < 0xA0:
                open_lists.append((code & 15) * (2 if code < 0x90 else 1))
                at += 1
            elif code < 0xC0:
                at += 1 + (code & 31)
            elif code in _SIZED:
                width = _SIZED[code]
                at += 1 + width + int.from_bytes(head[1 : 1 + width], "big")
            elif code in _LISTS:
                width, each = _LISTS[code]
                open_lists.append(int.from_bytes(head[1 : 1 + width], "big") * each)
                at += 1 + width
            elif code in _EXT or 0xD4 <= code <= 0xD8:
                width = _EXT.get(code, 0)
                size = int.from_bytes(head[1 : 1 + width], "big") if width else 1 << (code - 0xD4)
                kind = struct.unpack("b", source.read(at + 1 + width, 1))[0]
                if kind not in _KNOWN:
                    unknown.add(kind)
                at += 2 + width + size
            else:
                raise ValueError("a byte that is no MessagePack")
            if at > source.size:
                raise ValueError("a value that ends behind the file")
    except (IndexError, ValueError, struct.error) as error:
        yield piece.say(Verdict.INCONCLUSIVE, "msgpack.broken", f"is no whole MessagePack: {error}", at)
    for kind in sorted(unknown):
        yield piece.say(
            Verdict.SUSPICIOUS, "msgpack.extension", f"has values of extension type {kind}, whose reader is unknown"
        )
    if at < source.size and not unknown and turns > 1:
        piece.report.notes.append(f"{piece.where}: {source.size - at} bytes behind the last value")
