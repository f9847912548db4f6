"""HTTP/1.1 to a provider: pooled connections, answers as they come, never read faster than the client takes them.

Smaller than a general client on purpose: one request in flight on each connection, no redirections, cookies, proxies or
decoding. What does not look like one clean answer (lengths that contradict each other, bytes after the end, a switch of
protocol) ends the connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator

import httptools
from yarl import URL

from penstock.errors import NotReachable, NotUnderstood

Headers = list[tuple[bytes, bytes]]

#: Seconds: to connect, between two pieces of an answer (a reasoning model may think for minutes), and idle.
CONNECT, SILENCE, IDLE = 10.0, 600.0, 60.0
#: Connections at the same time, and idle ones kept to one provider.
OPEN, KEPT = 2000, 200
#: Bytes of an answer that wait for the client before the provider has to.
WAITING = 256 * 1024
#: Bytes of an answer's headers, and interim answers (100, 103) before the real one.
HEAD, INTERIM = 64 * 1024, 20


class Broken(NotReachable):
    """The connection ended, or what came over it is no answer: ask again."""


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._closed = False
        self.used = 0
        self.since = self._loop.time()
        self._begin("")

    def _begin(self, method: str) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._method = method
        self.status = 0
        self.headers: Headers = []
        self._head = self._interim = 0
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._answered = self._ended = self._to_the_end = False
        self._any = False
        self._problem: str | None = None

    @property
    def reusable(self) -> bool:
        return self._ended and not self._closed and self._problem is None and not self._to_the_end and self._keep

    @property
    def untouched(self) -> bool:
        """Not a byte has come for the request under way."""
        return not self._any

    async def ask(self, method: str, head: bytes, body: bytes) -> None:
        """Send a request and wait for the head of its answer: ``status`` and ``headers``.

        Raises:
            Broken: the connection ended first, or no HTTP came.
        """
        self._begin(method)
        self._keep = True
        self.used += 1
        self.since = self._loop.time()
        if self._closed or self._transport is None:
            raise Broken("The provider closed the connection", hint="Ask again")
        if body:
            self._transport.writelines((head, body))
        else:
            self._transport.write(head)
        while not self._answered:
            await self._wait()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes.

        Raises:
            Broken: it breaks off.
        """
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._waiting -= len(piece)
                if self._paused and self._waiting < WAITING // 2:
                    self._paused = False
                    if self._transport is not None:
                        self._transport.resume_reading()
                yield piece
            if self._ended:
                return
            await self._wait()

    def close(self) -> None:
        """End the connection at once, whatever is under way."""
        self._closed = True
        if self._transport is not None:
            self._transport.abort()

    def silent_too_long(self, now: float) -> bool:
        return not self._ended and not self._paused and now - self.since > SILENCE

    async def _wait(self) -> None:
        if self._problem is not None:
            raise Broken(self._problem, hint="Ask again")
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def fail(self, problem: str) -> None:
        """Nothing more of this answer can be believed."""
        if not self._ended and self._problem is None:
            self._problem = problem
        self.close()
        self._wake()

    # ── asyncio's side ───────────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.since = self._loop.time()
        self._any = True
        if self._ended or self._method == "":
            self._keep = False  # bytes that nobody asked for: the next answer on this connection cannot be trusted
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.fail("The provider switched to another protocol")
        except httptools.HttpParserError:
            self.fail("The provider's answer is no clean HTTP")
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._closed = True
        if self._to_the_end and error is None and self._problem is None:
            self._ended = True
        if not self._ended:
            self._problem = self._problem or "The provider closed the connection before its answer was whole"
        self._wake()

    # ── the parser's side ────────────────────────────────────────────────────────────────────────────────────────────

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value)
        if self._head > HEAD:
            raise ValueError("too many headers")
        if not self._answered:  # trailers are not passed on
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self._answered:
            raise ValueError("a second answer")
        status = self._parser.get_status_code()
        if status < 200:
            self._interim += 1
            if status == 101 or self._interim > INTERIM:
                raise ValueError("no answer but interim ones")
            self.headers = []
            return
        names = [name for name, _ in self.headers]
        sized = names.count(b"content-length")
        if sized > 1 or (sized and b"transfer-encoding" in names):
            raise ValueError("lengths that contradict each other")
        self.status = status
        self._keep = self._parser.should_keep_alive()
        self._answered = True
        self._to_the_end = not sized and b"transfer-encoding" not in names and status not in (204, 304)
        if self._method == "HEAD":
            self._ended, self._keep = True, False

    def on_body(self, data: bytes) -> None:
        if self._ended:
            return
        self._pieces.append(data)
        self._waiting += len(data)
        if self._waiting > WAITING and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if self._answered and not self._to_the_end:
            self._ended = True
            if self._paused and self._transport is not None:
                self._transport.resume_reading()
                self._paused = False


class Pool:
    """Connections to all providers. Open it inside the event loop that uses it."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, str, int], list[Connection]] = {}
        self._busy: set[Connection] = set()
        self._free = asyncio.Semaphore(OPEN)
        self._secure: ssl.SSLContext | None = None
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep())

    async def ask(self, method: str, url: URL, headers: Headers, body: bytes) -> Connection:
        """A connection with the head of its answer. It must be given back, read to its end or not.

        Raises:
            Broken, OSError, TimeoutError: no connection, or no answer.
            NotUnderstood: a header or the address cannot be sent as it is.
        """
        head = _head(method, url, headers, len(body))
        await self._free.acquire()
        try:
            return await self._answering(method, url, head, body)
        except BaseException:
            self._free.release()
            raise

    def give_back(self, url: URL, connection: Connection) -> None:
        """Keep the connection for the next request, or close it at once when its answer was not read to the end."""
        self._free.release()
        self._busy.discard(connection)
        idle = self._idle.setdefault(_where(url), [])
        if connection.reusable and len(idle) < KEPT:
            connection.since = asyncio.get_running_loop().time()
            idle.append(connection)
        else:
            connection.close()

    async def _answering(self, method: str, url: URL, head: bytes, body: bytes) -> Connection:
        """A connection that answers. One that was kept may have ended meanwhile; then a new one is asked, once."""
        while True:
            connection = self._kept(url) or await self._opened(url)
            self._busy.add(connection)
            try:
                await connection.ask(method, head, body)
            except Broken:
                self._drop(connection)
                if connection.used < 2 or not connection.untouched:
                    raise
            except BaseException:
                self._drop(connection)
                raise
            else:
                return connection

    async def close(self) -> None:
        self._sweeper.cancel()
        for connection in [*self._busy, *(one for idle in self._idle.values() for one in idle)]:
            connection.close()
        self._idle.clear()

    def _drop(self, connection: Connection) -> None:
        self._busy.discard(connection)
        connection.close()

    def _kept(self, url: URL) -> Connection | None:
        idle = self._idle.get(_where(url))
        while idle:
            connection = idle.pop()
            if connection.reusable:
                return connection
            connection.close()
        return None

    async def _opened(self, url: URL) -> Connection:
        scheme, host, port = _where(url)
        secure = None
        if scheme == "https":
            secure = self._secure = self._secure or ssl.create_default_context()
        async with asyncio.timeout(CONNECT):
            _, connection = await asyncio.get_running_loop().create_connection(
                Connection, host, port, ssl=secure, server_hostname=host if secure else None
            )
        return connection

    async def _sweep(self) -> None:
        """Close what was idle or silent for too long."""
        while True:
            await asyncio.sleep(5)
            now = asyncio.get_running_loop().time()
            for connection in [one for one in self._busy if one.silent_too_long(now)]:
                connection.fail("The provider said nothing for too long")
            for idle in self._idle.values():
                for connection in [one for one in idle if now - one.since > IDLE or not one.reusable]:
                    idle.remove(connection)
                    connection.close()


def _where(url: URL) -> tuple[str, str, int]:
    return url.scheme, url.host or "", url.port or (443 if url.scheme == "https" else 80)


def _head(method: str, url: URL, headers: Headers, length: int) -> bytes:
    """The request's head. Nothing in it may end a line before its time."""
    target = url.raw_path_qs.encode("latin-1", "replace")
    lines = [method.encode() + b" " + target + b" HTTP/1.1"]
    names = {name for name, _ in headers}
    if b"host" not in names:
        lines.append(b"host: " + (url.host_port_subcomponent or "").encode("latin-1"))
    lines += [name + b": " + value for name, value in headers]
    if length or method in ("POST", "PUT", "PATCH"):
        lines.append(b"content-length: %d" % length)
    head = b"\r\n".join(lines)
    if head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1 or b" " in target or b"\0" in head:
        raise NotUnderstood("A header or the path holds a line end", hint="Send it without")
    return head + b"\r\n\r\n"
