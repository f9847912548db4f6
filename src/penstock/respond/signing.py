"""Keys that sign what people decide: grants and links. The newest signs, older ones still verify until dropped."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec

from penstock.errors import NotReachable, NotUnderstood

#: The file in the state directory; several servers of one tenant share it by copy.
FILE = "signing-keys.json"
#: Keys kept: a grant lasts a year at most, and a key is made anew perhaps once a quarter.
MOST_KEYS = 8
#: Bytes of a key: as many as the hash puts out.
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys by their id, newest last; made once, then read."""

    keys: dict[str, bytes]

    def sign(self, purpose: str, message: bytes) -> str:
        """``<key id>.<HMAC-SHA256>`` of a message. A signature for one purpose is none for another."""
        kid = next(reversed(self.keys))
        return f"{kid}.{self._digest(kid, purpose, message)}"

    def verifies(self, signature: str, purpose: str, message: bytes) -> bool:
        """Whether one of the keys made this signature, for this purpose, over exactly this message."""
        kid, _, digest = signature.partition(".")
        if kid not in self.keys:
            return False
        return hmac.compare_digest(digest.encode(), self._digest(kid, purpose, message).encode())

    def _digest(self, kid: str, purpose: str, message: bytes) -> str:
        return hmac.new(self.keys[kid], purpose.encode() + b"\0" + message, hashlib.sha256).hexdigest()


def open_keyring(state: Path) -> Keyring:
    """The keys of a state directory; the first is made here, readable for its owner alone.

    Raises:
        NotReachable: the file cannot be read or made.
        NotUnderstood: it holds no keys; nothing is overwritten, for what it signed would be lost.
    """
    path = state / FILE
    try:
        if not path.exists():
            _make(path)
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        keys = {kid: bytes.fromhex(key) for kid, key in found.items()}
    except OSError as error:
        raise NotReachable(f"The signing keys cannot be had: {error.strerror}", str(path)) from error
    except (msgspec.DecodeError, ValueError) as error:
        raise NotUnderstood(
            "The signing keys are damaged", str(path), "Put the file back, or remove it: open requests are asked anew"
        ) from error
    if not keys or any(len(key) < KEY_BYTES for key in keys.values()):
        raise NotUnderstood("The signing keys are too short or none", str(path), "Remove the file: it is made anew")
    return Keyring(keys)


def rotate(state: Path) -> Keyring:
    """Sign with a new key from now on; the oldest beyond ``MOST_KEYS`` no longer verify."""
    known = open_keyring(state).keys
    kept = dict([*known.items(), *_new().items()][-MOST_KEYS:])
    draft = state / f".{FILE}.new"
    _write(draft, kept, os.O_TRUNC)
    draft.replace(state / FILE)
    return Keyring(kept)


def _make(path: Path) -> None:
    """The first key. Two processes that start at once end with the same: the link to the file is made only once."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(draft, _new(), os.O_EXCL)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _new() -> dict[str, bytes]:
    return {f"k{secrets.token_hex(4)}": secrets.token_bytes(KEY_BYTES)}


def _write(path: Path, keys: dict[str, bytes], flag: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode({kid: key.hex() for kid, key in keys.items()}))
