"""A secret's fingerprint: tells two findings of one value together, and nothing else about the value.

A plain hash would: whoever reads it could try passwords, card numbers or customer numbers until one fits. So it is
keyed, with a key that belongs to one installation and never leaves its state directory.
"""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from functools import cache
from hashlib import blake2b
from pathlib import Path

from penstock.errors import NotUnderstood

#: Bytes of a key, and hexadecimal characters of a fingerprint: 64 bits, so that two of a billion values may collide.
KEY_BYTES, CHARACTERS = 32, 16
#: Parts these hashes from any other that is made with the same key.
_PURPOSE = b"penstock.print"


def fingerprint(value: str, key: bytes | None = None) -> str:
    """16 hexadecimal characters: the same for the same value and key.

    key: of the installation (``installation_key``). Without one that of this process is used: a random one, with which
        fingerprints compare within the process only and can be given to anybody, or the one it was told to ``adopt``.
    """
    hashed = blake2b(value.encode("utf-8", "surrogatepass"), key=key or process_key(), person=_PURPOSE)
    return hashed.hexdigest()[:CHARACTERS]


def installation_key(state: Path) -> bytes:
    """The key kept in a state directory; made when there is none yet. Readable by its owner only.

    Raises:
        NotUnderstood: the file is no key, or others may read or write it.
        OSError: it can be neither read nor written.
    """
    path = state / "fingerprint.key"
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        _make(path)
        return installation_key(state)
    with os.fdopen(descriptor, "rb") as file:
        if os.name == "posix" and os.fstat(descriptor).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise NotUnderstood(
                "The key of fingerprints can be read by others", str(path), f"If nobody used it: chmod 600 {path}"
            )
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        hint = "Restore it from a backup; a new key makes all known secrets look new"
        raise NotUnderstood(f"The key of fingerprints has {len(key)} bytes, not {KEY_BYTES}", str(path), hint)
    return key


def _make(path: Path) -> None:
    """Write a new key; of several processes that try, one wins and all use its key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # readable by this user only
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()


def process_key() -> bytes:
    """The key that this process uses unless it is given one."""
    return _adopted[-1] if _adopted else _of_this_process()


def adopt(key: bytes) -> None:
    """Use a key from now on in this process: workers do, so that all of them make the same fingerprints."""
    _adopted[:] = [key]


_adopted: list[bytes] = []


@cache
def _of_this_process() -> bytes:
    return secrets.token_bytes(KEY_BYTES)
