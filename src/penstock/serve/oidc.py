"""Bearer tokens of an OpenID Connect provider: issuer, audience, time and signature are all checked."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from penstock.errors import NotAllowed, NotReachable, WrongUse

if TYPE_CHECKING:
    from jwt import PyJWKClient

#: Asymmetric only: a provider's public key must never be usable as a shared secret.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


class Oidc:
    """Verifies access tokens against one issuer; its keys are fetched when first needed and cached.

    Raises:
        WrongUse: the issuer is not https (http only on loopback), the audience is missing, or the extra is.
    """

    def __init__(self, issuer: str, audience: str, jwks: str = "") -> None:
        try:
            import jwt
        except ImportError as error:
            raise WrongUse(
                "Checking OIDC tokens needs the extra 'oidc'", "--oidc-issuer", "pip install 'penstock[oidc]'"
            ) from error
        if not audience:
            raise WrongUse("An OIDC issuer needs an audience", "--oidc-audience", "Name the client id tokens are for")
        self._jwt = jwt
        self._issuer = issuer
        self._audience = audience
        self._jwks = jwks
        for address in filter(None, (issuer, jwks)):
            _demand_https(address)
        self._keys: PyJWKClient | None = None

    def user_of(self, token: str) -> str:
        """The person the token was issued to.

        Raises:
            NotAllowed: the token is not valid here and now.
            NotReachable: the provider's keys cannot be fetched.
        """
        jwt = self._jwt
        try:
            key = self._key_client().get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise NotReachable("The OIDC provider's keys cannot be fetched", self._issuer, str(error)) from error
        except jwt.PyJWTError as error:
            raise NotAllowed("The bearer token is not valid here", self._issuer, str(error)) from error
        return str(claims.get("email") or claims.get("preferred_username") or claims["sub"])[:200]

    def _key_client(self) -> PyJWKClient:
        if self._keys is None:
            self._keys = self._jwt.PyJWKClient(self._jwks or self._discover(), timeout=10)
        return self._keys

    def _discover(self) -> str:
        address = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - scheme checked at the door
                document = json.loads(answer.read(256 * 1024))
            jwks = str(document["jwks_uri"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotReachable(
                "The OIDC provider does not describe itself", address, "Give its keys: --oidc-jwks URL"
            ) from error
        _demand_https(jwks)
        return jwks


def _demand_https(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}):
        return
    raise WrongUse("An OIDC address must be https", address, "Keys fetched over http could be anybody's")
