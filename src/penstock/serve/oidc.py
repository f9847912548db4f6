"""Bearer tokens of an OpenID Connect provider: issuer, audience, time and signature are all checked."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from penstock.errors import NotAllowed, NotReachable, WrongUse
from penstock.serve.roles import User
from penstock.settings import ROLES, RolesSetting

if TYPE_CHECKING:
    from jwt import PyJWKClient

#: Asymmetric only: a provider's public key must never be usable as a shared secret.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


class Oidc:
    """Verifies access tokens against one issuer; its keys are fetched when first needed and cached.

    Raises:
        WrongUse: the issuer is not https (http only on loopback), the audience is missing, or the extra is.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        jwks: str = "",
        *,
        roles: RolesSetting | None = None,
        tenant: str = "default",
    ) -> None:
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
        self._roles = roles or RolesSetting()
        self._tenant = tenant
        for address in filter(None, (issuer, jwks)):
            _demand_https(address)
        self._keys: PyJWKClient | None = None

    def user_of(self, token: str) -> User:
        """The person the token was issued to, and what their groups let them do.

        Raises:
            NotAllowed: the token is not valid here and now, is for another tenant, or gives no role.
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
        name = str(claims.get("email") or claims.get("preferred_username") or claims["sub"])[:200]
        claim = self._roles.tenant_claim
        if claim and claims.get(claim) != self._tenant:
            raise NotAllowed("The bearer token is for another tenant", self._issuer, f"Its claim {claim} says so")
        return User(name, self._role_of(claims, name))

    def _role_of(self, claims: dict[str, Any], name: str) -> str:
        """The highest role of any of the person's groups."""
        said = claims.get(self._roles.groups_claim)
        groups = said.split() if isinstance(said, str) else said if isinstance(said, list) else []
        found = [self._roles.groups[group] for group in map(str, groups) if group in self._roles.groups]
        role = max(found, key=ROLES.index, default=self._roles.otherwise)
        if not role:
            raise NotAllowed(f"{name} is in no group that may enter", self._issuer, "Ask who keeps roles.groups")
        return role

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
