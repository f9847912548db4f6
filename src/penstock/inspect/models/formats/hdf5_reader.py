"""A bounded reader of HDF5's groups and attributes."""

from __future__ import annotations

import struct

from penstock.inspect.models.source import Budget, Source

_MARK = b"\x89HDF\r\n\x1a\n"
_OBJECTS, _TEXT = 200_000, 8 << 20
_NOWHERE = (1 << 64) - 1


class NotRead(Exception):
    """The structure is not what the format says, or is one this reader does not know."""


class Tree:
    """Attributes by path, links to other files, data kept in other files."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self.source = source
        self.budget = budget
        self.attributes: dict[str, bytes] = {}
        self.links: list[tuple[str, str]] = []
        self.external: list[tuple[str, str]] = []
        self.unseen: list[str] = []
        self._seen: set[int] = set()
        self._base = 0
        self._heaps: dict[int, dict[int, bytes]] = {}

    def walk(self) -> None:
        """Read everything from the root.

        Raises:
            NotRead: where the file stops making sense.
        """
        try:
            waiting = [("", self._root())]
            while waiting:
                name, at = waiting.pop()
                if at in self._seen or at == _NOWHERE:
                    continue
                self._seen.add(at)
                if len(self._seen) > _OBJECTS:
                    raise NotRead("it holds too many objects")
                self.budget.check()
                waiting += self._object(name, at)
        except (struct.error, IndexError) as error:
            raise NotRead("a structure is cut") from error

    # -- places --------------------------------------------------------------------------------------------------

    def _read(self, at: int, count: int) -> bytes:
        data = self.source.read(self._base + at, count)
        if len(data) < count:
            raise NotRead(f"{count} bytes at {at} are missing")
        return data

    def _root(self) -> int:
        at = 0
        while self.source.read(at, 8) != _MARK:
            at = at * 2 or 512
            if at > self.source.size:
                raise NotRead("there is no superblock")
        self._base = at
        version = self._read(8, 1)[0]
        if version in (0, 1):
            if self._read(13, 1)[0] != 8:
                raise NotRead("its offsets are not of 8 bytes")
            entry = 24 + (4 if version else 0) + 32
            header: int = struct.unpack("<Q", self._read(entry + 8, 8))[0]
            return header
        if version in (2, 3):
            root: int = struct.unpack("<Q", self._read(36, 8))[0]
            return root
        raise NotRead(f"superblock {version} is not known")

    # -- objects -------------------------------------------------------------------------------------------------

    def _object(self, name: str, at: int) -> list[tuple[str, int]]:
        children: list[tuple[str, int]] = []
        for kind, body in self._messages(at):
            if kind == 0x11:  # symbol table
                tree, heap = struct.unpack("<QQ", body[:16])
                children += self._group(name, tree, heap)
            elif kind == 0x06:
                children += self._link(name, body)
            elif kind == 0x02:
                if self._dense(body, 2 + (8 if body[1] & 1 else 0)):
                    self.unseen.append(f"the group {name or '/'} keeps its links densely, which is not read here")
            elif kind == 0x15:
                if self._dense(body, 2 + (2 if body[1] & 1 else 0)):
                    self.unseen.append(f"{name or '/'} keeps its attributes densely, which is not read here")
            elif kind == 0x0C:
                self._attribute(name, body)
            elif kind == 0x07:
                self._external(name, body)
        return children

    @staticmethod
    def _dense(body: bytes, at: int) -> bool:
        heap: int = struct.unpack("<Q", body[at : at + 8])[0]
        return heap != _NOWHERE

    def _messages(self, at: int) -> list[tuple[int, bytes]]:
        if self._read(at, 4) == b"OHDR":
            return self._messages2(at)
        version, _, count, _, size = struct.unpack("<BBHII", self._read(at, 12))
        if version != 1:
            raise NotRead(f"object header {version} at {at} is not known")
        found: list[tuple[int, bytes]] = []
        blocks = [(at + 16, size)]
        while blocks and len(found) < min(count, 20_000):
            place, left = blocks.pop(0)
            while left >= 8 and len(found) < count:
                kind, length = struct.unpack("<HH", self._read(place, 4))
                if length + 8 > left:
                    break
                body = self._read(place + 8, length)
                if kind == 0x10:
                    blocks.append(struct.unpack("<QQ", body[:16]))
                found.append((kind, body))
                place += 8 + length
                left -= 8 + length
        return found

    def _messages2(self, at: int) -> list[tuple[int, bytes]]:
        flags = self._read(at + 5, 1)[0]
        place = at + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        size = int.from_bytes(self._read(place, width), "little")
        extra = 2 if flags & 4 else 0
        found: list[tuple[int, bytes]] = []
        blocks = [(place + width, size)]
        while blocks and len(found) < 20_000:
            place, left = blocks.pop(0)
            while left >= 4 + extra:
                kind, length = struct.unpack("<BH", self._read(place, 3))
                if length + 4 + extra > left:
                    break
                body = self._read(place + 4 + extra, length)
                if kind == 0x10:
                    offset, span = struct.unpack("<QQ", body[:16])
                    blocks.append((offset + 4, span - 8))  # OCHK … checksum
                found.append((kind, body))
                place += 4 + extra + length
                left -= 4 + extra + length
        return found

    # -- groups --------------------------------------------------------------------------------------------------

    def _group(self, name: str, tree: int, heap: int) -> list[tuple[str, int]]:
        if tree == _NOWHERE:
            return []
        names_at: int = struct.unpack("<Q", self._read(heap + 24, 8))[0]
        names_size: int = struct.unpack("<Q", self._read(heap + 8, 8))[0]
        names = self.source.read(self._base + names_at, min(names_size, _TEXT))
        children: list[tuple[str, int]] = []
        waiting = [tree]
        seen: set[int] = set()
        while waiting:
            at = waiting.pop()
            if at in seen or len(seen) > 50_000:
                continue
            seen.add(at)
            head = self._read(at, 24)
            if head[:4] == b"SNOD":
                count = struct.unpack("<H", head[6:8])[0]
                for index in range(count):
                    offset, header, cache = struct.unpack("<QQI", self._read(at + 8 + 40 * index, 20))
                    child = f"{name}/{_text(names, offset)}"
                    if cache == 2:
                        continue  # a soft link, inside this file
                    children.append((child, header))
            elif head[:4] == b"TREE" and head[4] == 0:
                count = struct.unpack("<H", head[6:8])[0]
                raw = self._read(at + 24, 8 + 16 * count)
                waiting += [struct.unpack("<Q", raw[8 + 16 * k : 16 + 16 * k])[0] for k in range(count)]
            else:
                raise NotRead(f"a group's index at {at} is not understood")
        return children

    def _link(self, name: str, body: bytes) -> list[tuple[str, int]]:
        flags = body[1]
        at = 2
        kind = 0
        if flags & 8:
            kind = body[at]
            at += 1
        at += (8 if flags & 4 else 0) + (1 if flags & 16 else 0)
        width = 1 << (flags & 3)
        length = int.from_bytes(body[at : at + width], "little")
        at += width
        child = f"{name}/{body[at : at + length].decode('utf-8', 'replace')}"
        at += length
        if kind == 0:
            return [(child, struct.unpack("<Q", body[at : at + 8])[0])]
        if kind == 64:
            size = struct.unpack("<H", body[at : at + 2])[0]
            self.links.append((child, body[at + 3 : at + 2 + size].split(b"\0")[0].decode("utf-8", "replace")))
        return []

    def _external(self, name: str, body: bytes) -> None:
        count, heap = struct.unpack("<HQ", body[6:16])
        names_at: int = struct.unpack("<Q", self._read(heap + 24, 8))[0]
        names = self.source.read(self._base + names_at, 65536)
        for index in range(min(count, 100)):
            offset: int = struct.unpack("<Q", body[16 + 24 * index : 24 + 24 * index])[0]
            self.external.append((name, _text(names, offset)))

    # -- attributes ----------------------------------------------------------------------------------------------

    def _attribute(self, name: str, body: bytes) -> None:
        version = body[0]
        name_size, type_size, space_size = struct.unpack("<HHH", body[2:8])
        at = 9 if version == 3 else 8
        step = 8 if version == 1 else 1
        title = body[at : at + name_size].split(b"\0")[0].decode("utf-8", "replace")
        at += -(-name_size // step) * step
        kind = body[at : at + type_size]
        at += -(-type_size // step) * step
        space = body[at : at + space_size]
        at += -(-space_size // step) * step
        if len(kind) < 8 or body[1] & 3:  # shared types: numbers in practice
            return
        data = body[at:]
        key = f"{name}/{title}"
        if kind[0] & 15 == 3:  # text of fixed length
            self.attributes[key] = data.rstrip(b"\0 ")[:_TEXT]
        elif kind[0] & 15 == 9 and kind[1] & 15 == 1:  # text of any length
            count = _count(space)
            parts = []
            for index in range(min(count, 10_000)):
                piece = data[16 * index : 16 * index + 16]
                if len(piece) == 16:
                    size, heap, number = struct.unpack("<IQI", piece)
                    parts.append(self._global(heap, number)[:size])
            self.attributes[key] = b"\n".join(parts)[:_TEXT]

    def _global(self, at: int, number: int) -> bytes:
        if at in (0, _NOWHERE):
            return b""
        if at not in self._heaps:
            head = self._read(at, 16)
            if head[:4] != b"GCOL":
                raise NotRead(f"a heap at {at} is not understood")
            size = struct.unpack("<Q", head[8:16])[0]
            raw = self.source.read(self._base + at, min(size, _TEXT + 65536))
            objects: dict[int, bytes] = {}
            place = 16
            while place + 16 <= len(raw):
                index, _, _, length = struct.unpack("<HHIQ", raw[place : place + 16])
                if not index:
                    break
                objects[index] = raw[place + 16 : place + 16 + length]
                place += 16 + ((length + 7) & ~7)
            if len(self._heaps) > 64:
                self._heaps.clear()
            self._heaps[at] = objects
        return self._heaps[at].get(number, b"")


def _count(space: bytes) -> int:
    rank = space[1] if len(space) > 1 else 0
    at = 8 if space[:1] == b"\1" else 4
    count = 1
    for index in range(min(rank, 32)):
        count *= int.from_bytes(space[at + 8 * index : at + 8 * index + 8], "little")
    return count


def _text(names: bytes, at: int) -> str:
    return names[at : at + 1024].split(b"\0")[0].decode("utf-8", "replace")
