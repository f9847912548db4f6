"""Packed office files: zip archives of XML, unpacked within bounds, whatever their headers say."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

#: Bytes of one archive when unpacked, and entries of it. The largest real workbooks and manuals have a tenth of it.
MOST, ENTRIES = 256 * 1024 * 1024, 10_000
_CHUNK = 1024 * 1024


class Bomb(Exception):
    """The archive unpacks to more than is looked at."""


def measure(content: BinaryIO) -> int:
    """Bytes of all entries when unpacked, counted and not believed.

    Raises:
        Bomb: it is more than MOST.
        ValueError: it is no archive, or locked.
    """
    total = 0
    for _, data in unpacked(content, lambda _: True):
        total += len(data)
    return total


def unpacked(content: BinaryIO, wanted: Callable[[str], bool], most: int = MOST) -> Iterator[tuple[str, bytes]]:
    """(entry, next piece of it) of the entries whose name is wanted, never more than ``most`` bytes in all.

    Args:
        wanted: a function of an entry's name.
    Raises:
        Bomb, ValueError: as `measure`.
    """
    left = most
    try:
        with zipfile.ZipFile(content) as archive:
            if len(archive.infolist()) > ENTRIES:
                raise Bomb(f"it holds {len(archive.infolist()):,} entries, more than {ENTRIES:,}")
            for entry in archive.infolist():
                if entry.flag_bits & 1:
                    raise ValueError("it is locked with a password")
                if entry.is_dir() or not wanted(entry.filename):
                    continue
                with archive.open(entry) as stream:
                    while piece := stream.read(_CHUNK):
                        left -= len(piece)
                        if left < 0:
                            raise Bomb(f"it unpacks to more than {most // 1024**2} MB")
                        yield entry.filename, piece
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ValueError(f"it is no whole archive: {str(error)[:120]}") from error
