"""Who calls: a virtual key stands for one application. Only the key's SHA-256 is known here."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from penstock.protect.snapshot import PolicySnapshot

#: Headers in which clients of the providers send their key.
KEY_HEADERS = (b"api-key", b"x-api-key", b"x-goog-api-key")
#: How Google's older clients send it: in the query.
_IN_QUERY = re.compile(rb"(?:^|(?<=&))key=([^&]*)&?")
_SIGNED_BY = re.compile(rb"Credential=([^/,\s]+)/")


def key_of(headers: Mapping[bytes, bytes], query: bytes = b"") -> str:
    """The key a request carries, in any of the headers that clients use; empty when it has none.

    A request that is signed for AWS carries its access key id, which stands for the caller as a key does.
    """
    scheme, _, value = headers.get(b"authorization", b"").strip().partition(b" ")
    if scheme.lower() == b"bearer" and value.strip():
        return value.strip().decode("latin-1")
    for name in KEY_HEADERS:
        if key := headers.get(name, b"").strip():
            return key.decode("latin-1")
    if is_signed(headers) and (signed := _SIGNED_BY.search(value)):
        return signed[1].decode("latin-1")
    match = _IN_QUERY.search(query) if b"key=" in query else None
    return unquote(match[1].decode("latin-1")) if match else ""


def certificate_of(scope: Mapping[str, Any]) -> str:
    """The subject of the caller's certificate, as TLS has verified it; empty when there is none."""
    tls = (scope.get("extensions") or {}).get("tls") or {}
    return str(tls.get("client_cert_name") or "")


def is_signed(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the caller has signed the request for AWS, so that its bytes cannot change."""
    return headers.get(b"authorization", b"").startswith(b"AWS4-HMAC-SHA256")


def without_key(query: bytes) -> bytes:
    """The query without the caller's key."""
    return _IN_QUERY.sub(b"", query).removesuffix(b"&") if b"key=" in query else query


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
