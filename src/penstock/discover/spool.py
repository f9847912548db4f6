"""The facts of a source on their way to its joiners: bytes, beyond a bound on disk, decoded when they are asked for.

A source whose every file is about AI gives 35 MB of facts for 10,000 files, and as Python values 20 times that.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, overload

import msgspec

from penstock.discover.collector import Fact

#: What is held in memory; beyond, all of it goes to a file.
_IN_MEMORY = 4_000_000
#: Facts of a kind with together no more bytes than this are decoded once and held.
_DECODED_AT_ONCE = 500_000
#: Bytes read from the file at a time: facts are mostly asked for in the order in which they stand.
_BLOCK = 1 << 18


class _Sealed(msgspec.Struct):
    """A fact whose value is not looked at."""

    kind: str
    path: str
    value: msgspec.Raw


_sealed = msgspec.msgpack.Decoder(list[_Sealed])


@dataclass(slots=True)
class _Places:
    """Where the facts of one kind stand."""

    paths: list[str] = field(default_factory=list)
    starts: array[int] = field(default_factory=lambda: array("Q"))
    sizes: array[int] = field(default_factory=lambda: array("Q"))


class Spool:
    """Takes the facts of one source as they come."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Places] = {}
        self._memory = bytearray()
        self._file: BinaryIO | None = None
        self._place = ""
        self._size = 0

    def add(self, facts: bytes) -> None:
        """Take the encoded facts of a file.

        Raises:
            msgspec.DecodeError (ValueError): the bytes are no facts.
            OSError: the disk is full.
        """
        for fact in _sealed.decode(facts):
            places = self._kinds.setdefault(fact.kind, _Places())
            places.paths.append(fact.path)
            places.starts.append(self._size + len(self._memory))
            places.sizes.append(len(bytes(fact.value)))
            self._memory += bytes(fact.value)
        if len(self._memory) > (_BLOCK if self._file else _IN_MEMORY):
            self._flush()

    def _flush(self) -> None:
        if self._file is None:
            handle, self._place = tempfile.mkstemp(prefix="penstock-", suffix=".facts")
            self._file = os.fdopen(handle, "wb")
        self._file.write(self._memory)
        self._size += len(self._memory)
        self._memory = bytearray()

    def kept(self) -> Kept:
        """What was taken, to be read by another process while this one holds on."""
        if self._file is not None:
            self._flush()
            self._file.flush()
        return Kept(self._kinds, bytes(self._memory), self._place)

    def close(self) -> None:
        """Let go of the file."""
        self._kinds = {}
        self._memory = bytearray()
        if self._file is not None:
            self._file.close()
            Path(self._place).unlink(missing_ok=True)
            self._file, self._place = None, ""


@dataclass(frozen=True, slots=True)
class Kept:
    """Facts by kind, in memory or in a file."""

    kinds: dict[str, _Places]
    memory: bytes
    place: str

    def facts(self) -> dict[str, Sequence[Fact]]:
        """The facts of each kind by path; those of kinds that are much are decoded when asked for."""
        reader = _Reader(self)
        found: dict[str, Sequence[Fact]] = {}
        for kind, places in sorted(self.kinds.items()):
            order = sorted(enumerate(places.paths), key=itemgetter(1))
            facts = Facts(kind, [path for _, path in order], [number for number, _ in order], places, reader)
            found[kind] = facts if sum(places.sizes) > _DECODED_AT_ONCE else tuple(facts)
        return found


class _Reader:
    """Reads pieces of what is kept."""

    def __init__(self, kept: Kept) -> None:
        self._block, self._start = kept.memory, 0
        self._file = Path(kept.place).open("rb", buffering=0) if kept.place else None  # noqa: SIM115 - for this life

    def bytes(self, start: int, size: int) -> bytes:
        offset = start - self._start
        if self._file is not None and not 0 <= offset <= len(self._block) - size:
            self._file.seek(start)
            self._block, self._start, offset = self._file.read(max(size, _BLOCK)), start, 0
        return self._block[offset : offset + size]


class Facts(Sequence[Fact]):
    """The facts of one kind by path, each decoded whenever it is asked for."""

    def __init__(self, kind: str, paths: list[str], order: Iterable[int], places: _Places, reader: _Reader) -> None:
        self.kind = kind
        self.paths = paths
        self._order = array("Q", order)
        self._places = places
        self._reader = reader

    def data(self, number: int) -> bytes:
        """What a fact says, encoded."""
        at = self._order[number]
        return self._reader.bytes(self._places.starts[at], self._places.sizes[at])

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, number: int) -> Fact: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Fact]: ...
    def __getitem__(self, number: int | slice) -> Fact | Sequence[Fact]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        return Fact(self.kind, self.paths[number], msgspec.msgpack.decode(self.data(number)))

    def __iter__(self) -> Iterator[Fact]:
        for number in range(len(self)):
            yield self[number]
