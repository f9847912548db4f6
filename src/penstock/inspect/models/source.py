"""Bytes to look into: random access, bounded, counted. Nothing here follows a link or writes."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from typing import Protocol

from penstock.errors import NotReachable


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost.

    seconds: CPU time. held: bytes of unpacked content in memory at once. unpacked: bytes that come out of all
    compressed parts together. entries: values in a pickle's memo. members: entries of an archive.
    depth: archives in archives, streams in streams.
    """

    seconds: float = 1.6
    held: int = 16 << 20
    unpacked: int = 192 << 20
    entries: int = 2_500_000
    members: int = 20_000
    depth: int = 8


class Exhausted(Exception):
    """A bound was reached; the words say which."""


class Budget:
    """What is left of the limits for one file and everything in it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.until = time.process_time() + limits.seconds
        self.unpacked = 0
        self.members = 0

    def check(self) -> None:
        """Raises:
        Exhausted: the CPU time is used up.
        """
        if time.process_time() > self.until:
            raise Exhausted(f"it takes more than {self.limits.seconds:g} CPU seconds to read")

    def unpack(self, size: int) -> None:
        """Count bytes that came out of a compressed part."""
        self.unpacked += size
        if self.unpacked > self.limits.unpacked:
            raise Exhausted(f"it unpacks to more than {self.limits.unpacked >> 20} MB")
        self.check()

    def member(self) -> None:
        """Count one entry of an archive."""
        self.members += 1
        if self.members > self.limits.members:
            raise Exhausted(f"it holds more than {self.limits.members} members")
        if not self.members & 255:
            self.check()


class Source(Protocol):
    """Bytes by position. ``read`` answers fewer bytes at the end."""

    size: int

    def read(self, at: int, count: int) -> bytes: ...


class Memory:
    """Bytes that are there already."""

    __slots__ = ("data", "size")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read(self, at: int, count: int) -> bytes:
        return self.data[at : at + count]


class OpenFile:
    """A regular file, read where asked; never through a link.

    Raises:
        NotReachable: it cannot be opened or is no regular file.
    """

    __slots__ = ("_handle", "bytes_read", "path", "size")

    def __init__(self, path: str, *, follow: bool = False) -> None:
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        if not follow:
            flags |= getattr(os, "O_NOFOLLOW", 0)
        try:
            self._handle = os.open(path, flags)
        except OSError as error:
            raise NotReachable(
                f"The file cannot be read: {(error.strerror or str(error)).lower()}", path, "Let this user read it"
            ) from error
        about = os.fstat(self._handle)
        if not stat.S_ISREG(about.st_mode):
            os.close(self._handle)
            raise NotReachable("It is no regular file", path, "Name a file or a folder")
        self.path = path
        self.size = about.st_size
        self.bytes_read = 0

    def read(self, at: int, count: int) -> bytes:
        if at < 0 or at >= self.size:
            return b""
        if hasattr(os, "pread"):
            data = os.pread(self._handle, min(count, self.size - at), at)
        else:  # Windows
            os.lseek(self._handle, at, os.SEEK_SET)
            data = os.read(self._handle, min(count, self.size - at))
        self.bytes_read += len(data)
        return data

    def close(self) -> None:
        os.close(self._handle)


class Part:
    """A stretch of another source: a stored member of an archive, an array in a stream."""

    __slots__ = ("_of", "_start", "size")

    def __init__(self, of: Source, start: int, size: int) -> None:
        self._of = of
        self._start = start
        self.size = max(0, min(size, of.size - start))

    def read(self, at: int, count: int) -> bytes:
        if at < 0 or at >= self.size:
            return b""
        return self._of.read(self._start + at, min(count, self.size - at))
