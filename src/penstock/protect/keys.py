"""Who calls: a virtual key stands for one application. Only the key's SHA-256 is known here."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from penstock.protect.snapshot import PolicySnapshot


def key_of(headers: Mapping[bytes, bytes]) -> str:
    """The key a request carries (``Authorization: Bearer``, ``api-key``, ``x-api-key``); empty when it has none."""
    scheme, _, value = headers.get(b"authorization", b"").strip().partition(b" ")
    if scheme.lower() == b"bearer" and value.strip():
        return value.strip().decode("latin-1")
    return (headers.get(b"api-key") or headers.get(b"x-api-key") or b"").strip().decode("latin-1")


def caller_id(key: str, snapshot: PolicySnapshot) -> str:
    """The SHA-256 (hex) under which the snapshot holds the caller; empty when it does not.

    The table is searched by the hash, the hash compared in constant time: neither tells how much of a guess is right.
    """
    if not key:
        return ""
    digest = hashlib.sha256(key.encode("latin-1", "replace")).hexdigest()
    known = digest if digest in snapshot.callers else _NOBODY
    return digest if hmac.compare_digest(known, digest) else ""


_NOBODY = "0" * 64
