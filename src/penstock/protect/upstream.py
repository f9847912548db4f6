"""The way to the provider: pooled connections, streamed answers, nothing of the caller's key."""

from __future__ import annotations

import os
import zlib
from collections.abc import AsyncIterator, Iterable

import msgspec
from yarl import URL

from penstock.errors import NotReachable, NotUnderstood
from penstock.protect.keys import is_signed, without_key
from penstock.protect.sigv4 import sign
from penstock.protect.snapshot import Upstream
from penstock.protect.wire import Broken, Connection, Headers, Pool

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


class Answer(msgspec.Struct, frozen=True):
    """Status, headers as the client may have them, and the body as it comes, decoded."""

    status: int
    headers: Headers
    content_type: str
    body: AsyncIterator[bytes]
    connection: Connection
    url: URL


class Upstreams:
    """The providers, over one pool of connections. Open it inside the event loop that uses it."""

    def __init__(self) -> None:
        self._pool = Pool()
        self._addresses: dict[tuple[str, str, bytes], URL] = {}

    async def ask(
        self,
        upstream: Upstream,
        method: str,
        path: str,
        query: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        family: str = "openai",
    ) -> Answer:
        """The head of the upstream's answer; ``done`` must follow.

        Raises:
            NotReachable: no connection, no answer in time, or a redirection (which is not followed).
        """
        url = self._address(upstream.base_url, path, without_key(query))
        own = [(b"accept-encoding", b"identity"), *credential(upstream.key_env, family, headers, method, url, body)]
        replaced = {name for name, _ in own}
        sent = [*(header for header in forwarded(headers) if header[0] not in replaced), *own]
        try:
            connection = await self._pool.ask(method, url, sent, body)
        except (Broken, TimeoutError, OSError, ValueError) as error:
            raise NotReachable(
                f"The provider {upstream.name!r} cannot be reached",
                f"{url.scheme}://{url.host}:{url.port}",
                f"{_reason(error)}; check the upstream in penstock.yaml and the network, then try again",
            ) from error
        if 300 <= connection.status < 400 and connection.status != 304:
            self._pool.give_back(url, connection)
            raise NotReachable(
                f"The provider {upstream.name!r} answered with a redirection, which is not followed",
                f"{url.scheme}://{url.host}:{url.port}",
                "Set its final address as base_url in penstock.yaml",
            )
        told = dict(connection.headers)
        coding = told.get(b"content-encoding", b"").strip().lower().decode("latin-1")
        return Answer(
            connection.status,
            [header for header in connection.headers if header[0] not in _NOT_RETURNED],
            told.get(b"content-type", b"").decode("latin-1"),
            connection.pieces() if coding in ("", "identity") else decoded(connection.pieces(), coding),
            connection,
            url,
        )

    def done(self, answer: Answer) -> None:
        """Nothing more of the answer is wanted. An answer that has not ended costs its connection, so that nobody pays
        for tokens that nobody reads."""
        self._pool.give_back(answer.url, answer.connection)

    async def close(self) -> None:
        await self._pool.close()

    def _address(self, base: str, path: str, query: bytes) -> URL:
        """``address``, remembered, because applications ask at few."""
        key = base, path, query
        url = self._addresses.get(key)
        if url is None:
            url = address(base, path, query)
            if len(self._addresses) < 256:
                self._addresses[key] = url
        return url


#: Family of surfaces → the header its providers take a key in; the others take a bearer token.
_KEY_HEADER = {"anthropic": b"x-api-key", "azure": b"api-key", "gemini": b"x-goog-api-key"}


def credential(
    key_env: str, family: str, given: Iterable[tuple[bytes, bytes]], method: str, url: URL, body: bytes
) -> Headers:
    """The gateway's own credential as the provider takes it; without one, the caller's signature if there is one."""
    headers = dict(given)
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
    if isinstance(error, Broken):
        return error.message
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(getattr(error, "strerror", "") or type(error).__name__)
