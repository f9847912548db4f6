"""R's serialised objects: promises and calls. A promise runs when its value is first used (CVE-2024-27322)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from penstock.inspect.models.pickle.names import find_other
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

_MOST = 2_000_000
_DEEP = 400


class _Cut(Exception):
    pass


def look(piece: Piece) -> Iterator[Reason]:
    """Walk the objects."""
    head = piece.source.read(0, 8)
    start = 5 if head[:3] == b"RDX" else 0
    form = piece.source.read(start, 2)
    if form == b"A\n":
        yield from _ascii(piece)
        return
    reader = _Reader(piece, start + 2)
    try:
        reader.start()
        reader.item(0)
    except (_Cut, struct.error) as error:
        yield piece.say(Verdict.INCONCLUSIVE, "rds.broken", f"was not read to its end: {error}", reader.at)
    yield from reader.found


def _ascii(piece: Piece) -> Iterator[Reason]:
    """The text form: a word a line. Symbols that are called are enough to judge."""
    lines = piece.whole(4 << 20).decode("latin-1").splitlines()
    for number, line in enumerate(lines[:-1]):
        if line.isdigit() and int(line) & 255 == 5:
            yield piece.say(
                Verdict.SUSPICIOUS, "rds.promise", "holds what looks like a promise, run when its value is used", number
            )
            break
    for number, line in enumerate(lines):
        known = find_other("r", line)
        if known is not None and "6" in [each.strip() for each in lines[max(0, number - 5) : number]]:
            yield piece.say(known.verdict, known.rule, f"calls {line}, which {known.why}", number)


class _Reader:
    def __init__(self, piece: Piece, at: int) -> None:
        self.piece = piece
        self.at = at
        self.found: list[Reason] = []
        self.symbols: list[str] = []
        self.items = 0
        self.base, self.window = 0, b""

    def take(self, count: int) -> bytes:
        if count < 0 or count > self.piece.source.size - self.at:
            raise _Cut(f"asks for {count} bytes")
        offset = self.at - self.base
        if offset < 0 or offset + count > len(self.window):
            self.base, self.window = self.at, self.piece.source.read(self.at, max(count, 1 << 16))
            offset = 0
        self.at += count
        return self.window[offset : offset + count]

    def skip(self, count: int) -> None:
        if count < 0 or count > self.piece.source.size - self.at:
            raise _Cut(f"asks for {count} bytes")
        self.at += count

    def number(self) -> int:
        value: int = struct.unpack(">i", self.take(4))[0]
        return value

    def length(self) -> int:
        count = self.number()
        if count == -1:
            return (self.number() << 32) + self.number()
        return count

    def start(self) -> None:
        version = self.number()
        self.skip(8)
        if version == 3:
            self.skip(self.number())

    def item(self, depth: int) -> str:
        """One object; answers a symbol's or a text's content."""
        self.items += 1
        if not self.items & 4095:
            self.piece.budget.check()
        if self.items > _MOST or depth > _DEEP:
            raise _Cut("holds too much")
        flags = self.number()
        kind = flags & 255
        has_attributes, has_tag = flags & 0x200, flags & 0x400
        if kind in (2, 5, 6, 3, 239, 240, 4):  # pairlist, promise, call, closure and their like
            return self.pair(kind, bool(has_attributes or kind in (239, 240)), bool(has_tag), depth)
        if kind == 1:
            name = self.item(depth + 1)
            self.symbols.append(name)
            return name
        if kind == 255:
            index = flags >> 8 or self.number()
            return self.symbols[index - 1] if 0 < index <= len(self.symbols) else ""
        if kind == 9:
            size = self.number()
            return "" if size == -1 else self.take(size).decode("utf-8", "replace")
        if kind in (10, 13):
            self.skip(4 * self.length())
        elif kind == 14:
            self.skip(8 * self.length())
        elif kind == 15:
            self.skip(16 * self.length())
        elif kind == 24:
            self.skip(self.length())
        elif kind in (16, 19, 20):
            for _ in range(self.length()):
                self.item(depth + 1)
        elif kind in (7, 8):
            self.skip(self.number())
        elif kind == 22 or kind == 23:
            self.symbols.append("")
            if kind == 22:
                self.item(depth + 1)
                self.item(depth + 1)
        elif kind == 25:
            pass
        elif kind == 238:
            for _ in range(3):
                self.item(depth + 1)
            return ""
        elif kind in (249, 250, 247):
            self.symbols.append("")
            self.skip(4)
            for _ in range(self.number()):
                self.item(depth + 1)
            return ""
        elif kind == 21:
            self.number()
            self.bytecode(depth)
        elif kind not in (254, 253, 252, 251, 242, 241):
            raise _Cut(f"has an object of kind {kind}, which is not read here")
        if has_attributes and kind not in (254, 253, 252, 251, 242, 241):
            self.item(depth + 1)
        return ""

    def pair(self, kind: int, attributes: bool, tag: bool, depth: int) -> str:
        if kind == 4:
            self.symbols.append("")
            self.skip(4)
            for _ in range(4):
                self.item(depth + 1)
            return ""
        begin = self.at
        while True:
            if attributes:
                self.item(depth + 1)
            if tag:
                self.item(depth + 1)
            called = self.item(depth + 1)
            if kind == 5:
                self.found.append(
                    self.piece.say(
                        Verdict.MALICIOUS,
                        "rds.promise",
                        "holds a promise: code that runs when its value is first used",
                        begin,
                    )
                )
            elif kind in (6, 240) and (known := find_other("r", called)) is not None:
                self.found.append(
                    self.piece.say(known.verdict, known.rule, f"holds a call of {called}, which {known.why}", begin)
                )
            following = self.number()
            kind = following & 255
            if kind not in (2, 6, 5):
                self.at -= 4
                self.item(depth + 1)
                return ""
            attributes, tag = bool(following & 0x200), bool(following & 0x400)
            kind = 2 if kind == 6 else kind

    def bytecode(self, depth: int) -> None:
        """Compiled code: its constants are objects like others."""
        self.item(depth + 1)
        for _ in range(self.number()):
            kind = self.number()
            if kind == 21:
                self.bytecode(depth + 1)
            elif kind in (2, 6, 239, 240, 243, 244):
                raise _Cut("has compiled calls, which are not read here")
            else:
                self.item(depth + 1)
