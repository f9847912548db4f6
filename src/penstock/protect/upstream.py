"""The way to the provider: pooled connections, streamed answers, nothing of the caller's key."""

from __future__ import annotations

import os
import zlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from yarl import URL

from penstock.errors import NotReachable, NotUnderstood
from penstock.protect.keys import is_signed, without_key
from penstock.protect.sigv4 import sign
from penstock.protect.snapshot import Upstream

Headers = list[tuple[bytes, bytes]]

#: Seconds: to connect, and between two pieces of an answer (a reasoning model may think for minutes).
CONNECT, SILENCE = 10.0, 600.0
#: Of one hop only (RFC 9110 7.6.1), or set anew here.
_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer",
     b"transfer-encoding", b"upgrade", b"proxy-connection"}
)  # fmt: skip
_NOT_SENT = _HOP | {
    b"host", b"content-length", b"content-encoding", b"accept-encoding", b"expect", b"authorization", b"api-key",
    b"x-api-key", b"x-goog-api-key", b"cookie", b"forwarded", b"x-forwarded-for", b"x-forwarded-host",
    b"x-forwarded-proto", b"x-real-ip",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers as the client may have them, and the body as it comes, decoded."""

    status: int
    headers: Headers
    content_type: str
    body: AsyncIterator[bytes]


class Upstreams:
    """One pool of connections for all providers. Open it inside the event loop that uses it."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=2000, ttl_dns_cache=60, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT, sock_connect=CONNECT, sock_read=SILENCE),
            cookie_jar=aiohttp.DummyCookieJar(),  # cookies of one caller are not for the next
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
        )

    @asynccontextmanager
    async def call(
        self,
        upstream: Upstream,
        method: str,
        path: str,
        query: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        family: str = "openai",
    ) -> AsyncIterator[Answer]:
        """Ask the upstream. Leaving the block early closes the connection, so that nobody pays for unread tokens.

        Raises:
            NotReachable: no connection, no answer in time, or a redirection (which is not followed).
        """
        given = dict(headers)
        url = address(upstream.base_url, path, without_key(query))
        sent = forwarded(given.items())
        sent.append((b"accept-encoding", b"identity"))
        sent += credential(upstream.key_env, family, given, method, url, body)
        try:
            response = await self._session.request(
                method,
                url,
                headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent],
                data=body or None,
                allow_redirects=False,
            )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise NotReachable(
                f"The provider {upstream.name!r} cannot be reached",
                f"{url.scheme}://{url.host}:{url.port}",
                f"{_reason(error)}; check the upstream in penstock.yaml and the network, then try again",
            ) from error
        try:
            if 300 <= response.status < 400 and response.status != 304:
                raise NotReachable(
                    f"The provider {upstream.name!r} answered with a redirection, which is not followed",
                    f"{url.scheme}://{url.host}:{url.port}",
                    "Set its final address as base_url in penstock.yaml",
                )
            encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
            yield Answer(
                response.status,
                [(name.lower(), value) for name, value in response.raw_headers if name.lower() not in _NOT_RETURNED],
                response.headers.get("Content-Type", ""),
                decoded(response.content.iter_any(), encoding),
            )
        finally:
            if response.content.at_eof():
                response.release()
            else:
                response.close()

    async def close(self) -> None:
        await self._session.close()


#: Family of surfaces → the header its providers take a key in; the others take a bearer token.
_KEY_HEADER = {"anthropic": b"x-api-key", "azure": b"api-key", "gemini": b"x-goog-api-key"}


def credential(
    key_env: str, family: str, headers: Mapping[bytes, bytes], method: str, url: URL, body: bytes
) -> Headers:
    """The gateway's own credential as the provider takes it; without one, the caller's signature if there is one."""
    key = os.environ.get(key_env, "") if key_env else ""
    if key and key_env.endswith("ACCESS_KEY_ID"):
        return sign(
            method, url, body, headers, key_id=key,
            secret=os.environ.get(key_env.removesuffix("ACCESS_KEY_ID") + "SECRET_ACCESS_KEY", ""),
            token=os.environ.get(key_env.removesuffix("ACCESS_KEY_ID") + "SESSION_TOKEN", ""),
        )  # fmt: skip
    if key:
        name = _KEY_HEADER.get(family)
        value = key.encode("latin-1", "replace")
        return [(name, value)] if name else [(b"authorization", b"Bearer " + value)]
    if is_signed(headers):  # it covers the host, too: the caller must have signed for the provider's own
        return [(name, headers[name]) for name in (b"authorization", b"host") if name in headers]
    return []


#: The length is set anew where a body was changed; the encoding was undone.
_NOT_RETURNED = _HOP | {b"content-encoding", b"content-length"}


def forwarded(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The caller's headers as the provider may have them: no key, no hop, nothing meant for the gateway."""
    given = list(headers)
    named = {
        token.strip().lower() for name, value in given if name.lower() == b"connection" for token in value.split(b",")
    }
    return [
        (name, value)
        for name, value in given
        if name.lower() not in _NOT_SENT and name.lower() not in named and not name.lower().startswith(b"x-penstock-")
    ]


def address(base: str, path: str, query: bytes) -> URL:
    """Where a path of the gateway leads: ``/v1/x`` under a base that ends in a path of its own becomes ``<base>/x``."""
    base = base.rstrip("/")
    origin, _, own = base.partition("://")[2].partition("/")
    if own or not origin:
        path = path.removeprefix("/v1")
    return URL(base + path + ("?" + query.decode("latin-1") if query else ""), encoded=True)


async def decoded(pieces: AsyncIterator[bytes], encoding: str) -> AsyncIterator[bytes]:
    """The body without its content coding; gzip and deflate are undone in pieces of bounded size.

    Raises:
        NotUnderstood: another coding, or broken data.
    """
    if encoding in ("", "identity"):
        async for piece in pieces:
            yield piece
        return
    undo = decompressor(encoding)
    async for piece in pieces:
        while piece:
            try:
                plain = undo.decompress(piece, PIECE)
            except zlib.error as error:
                raise NotUnderstood("The provider's answer is broken", hint=str(error)) from error
            if plain:
                yield plain
            elif not undo.unconsumed_tail:
                break
            piece = undo.unconsumed_tail


#: Bytes that are decompressed at a time.
PIECE = 256 * 1024


def decompressor(encoding: str) -> zlib._Decompress:
    """For gzip or deflate.

    Raises:
        NotUnderstood: another coding.
    """
    if encoding in ("gzip", "x-gzip"):
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    if encoding == "deflate":
        return zlib.decompressobj()
    raise NotUnderstood(f"The content coding {encoding!r} is not supported", hint="Use gzip, deflate or identity")


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(getattr(error, "strerror", "") or type(error).__name__)
