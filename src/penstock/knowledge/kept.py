"""What one process worked out and the next may use: compiled databases, read packs. A folder of this user alone."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path


def kept(kind: str, sources: Iterable[bytes]) -> bytes | None:
    """What was made from exactly these sources, None when nothing was or it cannot be trusted."""
    path = _place(kind, sources)
    if path is None:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read() if _ours(os.fstat(descriptor)) else None


def keep(kind: str, sources: Iterable[bytes], data: bytes) -> None:
    """Keep it so that a reader sees all or nothing; a cache that cannot be written is no error."""
    path = _place(kind, sources)
    if path is None:
        return
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # readable by this user only
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except OSError:
        pass


def _place(kind: str, sources: Iterable[bytes]) -> Path | None:
    """The file for these sources in this user's cache folder; None where the folder is not this user's alone."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(len(source).to_bytes(8, "big") + source)
    base = os.environ.get("PENSTOCK_CACHE") or os.environ.get("XDG_CACHE_HOME")
    try:
        folder = (Path(base) if base else Path.home() / ".cache") / "penstock"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _ours(folder.stat()):
            return None
    except (OSError, RuntimeError):
        return None
    return folder / f"{kind}-{sys.version_info.major}{sys.version_info.minor}-{digest.hexdigest()[:32]}"


def _ours(status: os.stat_result) -> bool:
    """Whether nobody but this user can have written it: what others can write is not loaded."""
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
