"""The whole content of a file, wherever it lies: in memory, or for a large file on disk, read at bounded places."""

from __future__ import annotations

import io
import os
import stat
from dataclasses import dataclass
from typing import BinaryIO

from penstock.discover.collector import File
from penstock.discover.walk import SAMPLE


@dataclass(frozen=True, slots=True)
class LargeFile(File):
    """A file of which ``data`` holds the first part only: the whole, ``size`` bytes, lies at ``place`` on disk."""

    place: str
    size: int


def opened(file: File) -> BinaryIO:
    """The content, to be read from any position.

    Raises:
        OSError: it cannot be read, or is no regular file any more.
    """
    if not isinstance(file, LargeFile):
        return io.BytesIO(file.data)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(file.place, flags | getattr(os, "O_CLOEXEC", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("it is no regular file any more")
    return os.fdopen(handle, "rb")


def size_of(file: File) -> int:
    """Bytes of the whole content."""
    return file.size if isinstance(file, LargeFile) else len(file.data)


def is_cut(file: File) -> bool:
    """Whether only the first part of the content is at hand."""
    return not isinstance(file, LargeFile) and len(file.data) == SAMPLE
