"""Who calls without a key of ours: by a token that an issuer has signed, or by a certificate.

The operator says which issuers are trusted, and which subject stands for which application; both come with the
snapshot. A token is verified once and remembered until it ends, so that a call pays for a hash alone.
"""

from __future__ import annotations

import json
import logging
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from penstock.errors import NotUnderstood
from penstock.protect.snapshot import Identity, Issuer

if TYPE_CHECKING:
    from jwt import PyJWK

_log = logging.getLogger("penstock.protect")
#: Seconds after which an issuer's keys are asked for again; after a token with an unknown key, at the soonest.
REFRESH, SOONEST = 300.0, 15.0
#: Bytes of a key set, seconds to fetch it, characters of a token, seconds that clocks may differ.
LARGEST_SET, PATIENCE, LONGEST_TOKEN, LEEWAY = 256 * 1024, 10.0, 16 * 1024, 30
#: Tokens that are remembered, good or bad.
REMEMBERED = 10_000
#: Signatures that only the issuer can make: a public key is never used as a shared secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class Subject(msgspec.Struct, frozen=True):
    """Who somebody proved to be. ``name`` is what is noted of a caller that no identity knows."""

    by: str  # token | certificate
    name: str
    issuer: str = ""
    claims: Mapping[str, Any] = {}


def matches(identity: Identity, subject: Subject) -> bool:
    """Whether an identity is about this subject; globs are compared with regard to case."""
    if subject.by == "certificate":
        return bool(identity.certificate) and fnmatchcase(subject.name, identity.certificate)
    if identity.certificate or identity.issuer != subject.issuer:
        return False
    if identity.subject and not fnmatchcase(subject.name, identity.subject):
        return False
    return all(_holds(subject.claims.get(name), wanted) for name, wanted in identity.claims.items())


def _holds(claim: Any, wanted: str) -> bool:
    said = claim if isinstance(claim, list) else [claim]
    return any(isinstance(one, str | int) and fnmatchcase(str(one), wanted) for one in said)


def is_token(key: str) -> bool:
    """Whether what a caller sent is shaped like a signed token, and no key of ours."""
    return key.count(".") == 2 and key.startswith("ey") and len(key) <= LONGEST_TOKEN


@dataclass
class _Known:
    """An issuer and its keys. ``due``: when they are to be fetched; ``asked`` when they last were."""

    issuer: Issuer
    keys: dict[str, PyJWK] = field(default_factory=dict)
    due: float = 0.0
    asked: float = float("-inf")


class Tokens:
    """Verifies tokens of the issuers in force. Keys are fetched by a thread of its own, never by a call."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._verified: dict[bytes, tuple[float, Subject | None]] = {}
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._ended = False

    def trust(self, issuers: Iterable[Issuer]) -> None:
        """Trust these, and nobody else. Keys that lie in files are there at once.

        Raises:
            NotUnderstood: tokens cannot be verified, because the extra for it is not installed.
        """
        fresh = {one.issuer: one for one in issuers}
        if {name: known.issuer for name, known in self._known.items()} == fresh:
            return
        try:
            import jwt  # noqa: F401
        except ImportError as error:
            raise NotUnderstood(
                "Tokens of issuers need the extra 'oidc'", hint="pip install 'penstock[oidc]'"
            ) from error
        known = {name: _Known(one) for name, one in fresh.items()}
        for one in known.values():
            if not one.issuer.jwks.startswith("http"):
                self._fetch(one)
        self._known, self._verified = known, {}
        if self._thread is None and known:
            self._thread = threading.Thread(target=self._follow, name="token keys", daemon=True)
            self._thread.start()
        self._wake.set()

    def close(self) -> None:
        self._ended = True
        self._wake.set()

    def subject(self, token: str) -> Subject | None:
        """Who the token was issued to; None when it is not valid here and now."""
        if not self._known:
            return None
        digest = sha256(token.encode("latin-1", "replace")).digest()
        now = time.time()
        until, subject = self._verified.get(digest, (0.0, None))
        if until > now:
            return subject
        until, subject = self._read(token, now)
        if len(self._verified) >= REMEMBERED:
            self._verified.clear()
        self._verified[digest] = until, subject
        return subject

    def _read(self, token: str, now: float) -> tuple[float, Subject | None]:
        """Whom a token names, and until when that holds. What is refused is looked at again a little later."""
        import jwt

        refused = now + 1.0, None
        try:
            head = jwt.get_unverified_header(token)
            said = jwt.decode(token, options={"verify_signature": False})
            known = self._known.get(str(said.get("iss")))
            if known is None:
                return refused
            key = known.keys.get(str(head.get("kid", "")))
            if key is None and len(known.keys) == 1 and "kid" not in head:
                key = next(iter(known.keys.values()))
            if key is None:
                known.due = min(known.due, known.asked + SOONEST)
                self._wake.set()
                return refused
            claims = jwt.decode(
                token, key, algorithms=list(known.issuer.algorithms), audience=known.issuer.audience,
                issuer=known.issuer.issuer, leeway=LEEWAY, options={"require": ["exp", "iss", "aud", "sub"]},
            )  # fmt: skip
        except (jwt.PyJWTError, ValueError, RecursionError):
            return refused
        return float(claims["exp"]) + LEEWAY, Subject("token", str(claims["sub"]), known.issuer.issuer, claims)

    def _follow(self) -> None:
        while not self._ended:
            soonest = min((known.due for known in self._known.values()), default=time.monotonic() + REFRESH)
            self._wake.wait(max(0.0, soonest - time.monotonic()))
            self._wake.clear()
            for known in self._known.values():
                if known.due <= time.monotonic() and not self._ended:
                    self._fetch(known)

    def _fetch(self, known: _Known) -> None:
        """Keys that cannot be fetched leave the old ones in force, and are asked for again soon."""
        from jwt import PyJWKSet, PyJWTError

        known.asked = time.monotonic()
        try:
            found = PyJWKSet.from_dict(json.loads(_loaded(known.issuer)))
            known.keys = {str(key.key_id or ""): key for key in found.keys}
            known.due = known.asked + REFRESH
            self._verified = {}  # a key that is gone vouches for nothing any more
        except (OSError, ValueError, TypeError, AttributeError, PyJWTError, RecursionError) as error:
            known.due = known.asked + SOONEST
            said = {"issuer": known.issuer.issuer, "why": type(error).__name__}
            _log.error("the keys of an issuer cannot be had", extra=said)


def _loaded(issuer: Issuer) -> bytes:
    if not issuer.jwks.startswith("http"):
        return Path(issuer.jwks).read_bytes()[:LARGEST_SET]
    trusted = ssl.create_default_context(cafile=issuer.ca_file or None)
    asked = urllib.request.Request(issuer.jwks)  # noqa: S310 - its scheme is checked with the configuration
    if issuer.token_file:
        asked.add_header("Authorization", f"Bearer {Path(issuer.token_file).read_text().strip()}")
    opener = urllib.request.build_opener(_Straight, urllib.request.HTTPSHandler(context=trusted))
    with opener.open(asked, timeout=PATIENCE) as answer:
        read: bytes = answer.read(LARGEST_SET)
    return read


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: it could lead off TLS, and take the token along."""

    def redirect_request(self, *_: Any) -> None:
        return None
