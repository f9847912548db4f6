"""A secret of the installation, made once and kept in a file that only its owner reads."""

from __future__ import annotations

import os
from pathlib import Path

#: Bytes of a secret.
SIZE = 32


def secret(path: Path) -> bytes:
    """The secret in the file; it is made when there is none, by whichever process is first.

    Raises:
        OSError: it can be neither read nor made.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(handle, "wb") as file:
        made = os.urandom(SIZE)
        file.write(made)
    return made


def _read(path: Path) -> bytes:
    found = path.read_bytes()
    if len(found) < SIZE:
        raise OSError(0, "it is cut short; remove it, and a new one is made", str(path))
    return found
