"""A client's connection: as uvicorn serves it, but bounded in how long and how large the head of a request may be.

A body is bounded where it is read (``protect.requests``). With client certificates the subject of the caller's is told
in the scope as ASGI has it: ``extensions.tls.client_cert_name``.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Seconds from the first byte (or the opened connection) until the head of a request must be whole, and its bytes.
HEAD_SECONDS, HEAD_BYTES = 10.0, 64 * 1024
#: Header lines of a request.
HEAD_LINES = 200


class Connection(HttpToolsProtocol):
    """One connection. A head that is too slow or too large gets its answer, and the connection ends."""

    head_seconds = HEAD_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._awaited: asyncio.TimerHandle | None = None
        self._head = 0
        certificate: dict[str, Any] | None = transport.get_extra_info("peercert")
        self._subject = subject_of(certificate) if certificate else ""
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_whole()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._awaited is not None:
            self._head += len(data)
        super().data_received(data)
        # What is still awaited after this piece is a head that grows: a body that came with it has ended it.
        if self._awaited is not None and self._head > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(b"431 Request Header Fields Too Large", b"The head of the request is too large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._subject:
            self.scope["extensions"] = {"tls": {"client_cert_name": self._subject}}
        if self._awaited is None:
            self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > HEAD_LINES:
            raise ValueError("too many header lines")  # the parser ends the connection with 400

    def on_headers_complete(self) -> None:
        self._head_is_whole()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head = 0
        self._awaited = self.loop.call_later(self.head_seconds, self._too_slow)

    def _head_is_whole(self) -> None:
        if self._awaited is not None:
            self._awaited.cancel()
            self._awaited = None

    def _too_slow(self) -> None:
        self._awaited = None
        if self.transport.is_closing():
            return
        if self._head:
            self._refuse(b"408 Request Timeout", b"The request did not arrive in time")
        else:
            self.transport.close()  # opened, and never used

    def _refuse(self, status: bytes, why: bytes) -> None:
        self._head_is_whole()
        self.transport.write(
            b"HTTP/1.1 %b\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
            % (status, len(why), why)
        )
        self.transport.close()


def subject_of(certificate: dict[str, Any]) -> str:
    """The subject of a certificate that Python's TLS has verified, as RFC 4514 writes it: the most specific first."""
    pairs = [pair for rdn in reversed(certificate.get("subject", ())) for pair in rdn]
    return ",".join(f"{_SHORT.get(name, name)}={_escaped(value)}" for name, value in pairs)


#: Names of RFC 4514 for those that OpenSSL gives.
_SHORT = {
    "commonName": "CN", "localityName": "L", "stateOrProvinceName": "ST", "organizationName": "O",
    "organizationalUnitName": "OU", "countryName": "C", "streetAddress": "STREET", "domainComponent": "DC",
    "userId": "UID",
}  # fmt: skip


def _escaped(value: str) -> str:
    return "".join(f"\\{sign}" if sign in ',+"\\<>;=' else sign for sign in value)
