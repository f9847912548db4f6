"""MCP over HTTP: ``/mcp/<server>`` in front of the operator's servers, in all revisions of the transport.

Streamable HTTP with sessions (2025-03-26 to 2025-11-25) and without (2026-07-28), and the older pair of a stream and an
address for messages (2024-11-05). Events keep their ids, so that a client can go on where a stream broke off.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from msgspec.structs import replace
from yarl import URL

from penstock.errors import NotReachable, NotUnderstood
from penstock.protect.doors.room import Refused, Room, bounded, served, server_named, while_there, whole
from penstock.protect.exchange import Part
from penstock.protect.framing.frame import Frame
from penstock.protect.framing.sse import ServerSentEvents
from penstock.protect.judging import judged
from penstock.protect.mcp import headers as mirrored
from penstock.protect.mcp import message as rpc
from penstock.protect.mcp import words
from penstock.protect.mcp.pins import Pins
from penstock.protect.mcp.relay import Passed, Relay, Server, ends
from penstock.protect.mcp.tools import Tools
from penstock.protect.policy import Policy, Record
from penstock.protect.requests import LARGEST, ClientGone, Receive, Scope, Send, TooLarge, read_body
from penstock.protect.snapshot import Upstream
from penstock.protect.snapshot_source import InForce
from penstock.protect.upstream import Answer
from penstock.protect.wire import Headers

#: What operators write as ``surfaces`` of an upstream that is an MCP server.
SURFACE = "mcp"
#: Bytes of one event: a result may hold a picture in base64.
LONGEST = 16 * 1024 * 1024
#: Conversations that are remembered; the one that was quiet longest is forgotten first.
CONVERSATIONS = 10_000
_JSON: Headers = [(b"content-type", b"application/json")]
_SESSION = b"mcp-session-id"


@dataclass
class Conversation:
    """What outlives a request: the relay, who it belongs to, and the open stream of a client of 2024-11-05."""

    relay: Relay
    application: str
    stream: Send | None = None
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send(self, send: Send, body: bytes, *, more: bool = True) -> None:
        async with self.writing:
            await send({"type": "http.response.body", "body": body, "more_body": more})


@dataclass
class _Visit:
    """One request on its way. ``lasting``: its conversation goes on after it."""

    scope: Scope
    send: Send
    in_force: InForce
    policy: Policy
    upstream: Upstream
    server: str
    headers: Mapping[bytes, bytes]
    session: str
    old: bool  # a message of 2024-11-05, whose answer comes on another stream
    query: bytes
    conversation: Conversation
    lasting: bool = False


class _Mismatch(NotUnderstood):
    """Headers and body contradict each other."""

    def __init__(self, why: str, id: object) -> None:
        super().__init__(why)
        self.id = id


class McpDoor:
    """All MCP servers of one gateway."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._tools = Tools(Pins.beside(room.source.folder))
        self._conversations: OrderedDict[tuple[str, str], Conversation] = OrderedDict()
        self._secret = os.urandom(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await served(self._room, scope, receive, send, self._serve, self._refuse)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = self._visit(scope, send)
        body = await read_body(visit.headers, receive) if scope["method"] == "POST" else b""
        if scope["method"] == "POST":
            passed = self._checked(visit, body)
            if passed.on is None:
                return await self._answer_ourselves(visit, passed.back)
            body = passed.on
        answer = await self._ask(visit, scope["method"], body)
        try:
            self._begin(visit, answer)
            if not await while_there(receive, self._hand_on(visit, answer)):
                raise ClientGone
        finally:
            self._room.upstreams().done(answer)
            if scope["method"] == "DELETE":
                self._forget(visit)
            elif not visit.lasting:
                visit.conversation.relay.close()

    # ── the request ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _visit(self, scope: Scope, send: Send) -> _Visit:
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        _check_origin(headers)
        in_force, policy = self._room.caller(scope)
        name, _, place = scope["path"].removeprefix("/mcp/").partition("/")
        upstream = server_named(in_force, name, SURFACE)
        if upstream is None:
            raise Refused(404, words.unknown_server(name[:80]), "unknown_server")
        if scope["method"] not in ("GET", "POST", "DELETE"):
            raise Refused(405, "MCP is spoken with GET, POST and DELETE", "method_not_allowed")
        query: bytes = scope.get("query_string", b"")
        session = place or headers.get(_SESSION, b"").decode("latin-1")[:256]
        server = Server(name, upstream.base_url, "mcp.http")
        known = self._conversations.get((name, session)) if session else None
        application = f"{policy.caller.application} {policy.caller.name}"
        if known is not None and known.application != application:
            raise Refused(404, "There is no such session", "unknown_session")
        label = sha256(f"{name}\0{session}".encode()).hexdigest()[:16] if session else ""

        def record_of() -> Record:
            return self._room.record(in_force, policy, label)

        conversation = known or Conversation(
            Relay(server, policy, self._tools, self._room.inspection, self._room.sink, session=label), application
        )
        conversation.relay.now_in_force(policy, in_force.snapshot.tools, record_of)
        visit = _Visit(
            scope, send, in_force, policy, upstream, name, headers, session, bool(place), query, conversation
        )  # fmt: skip
        if place:
            path, _, asked = self._opened(name, place).partition("?")
            visit.upstream = replace(upstream, base_url=str(URL(upstream.base_url).origin()) + path)
            visit.query = asked.encode("latin-1", "replace")
        if session:
            self._remember(visit, session)
        return visit

    def _checked(self, visit: _Visit, body: bytes) -> Passed:
        """The message of a POST, judged; its headers must say what it says."""
        messages, batch = rpc.read(body)
        relay = visit.conversation.relay
        for message in messages:
            called = message.method == "tools/call"
            standing = relay.tools.standing(visit.server, message.name, relay.approved) if called else None
            why = mirrored.mismatch(visit.headers, message, standing.mirrored if standing else {})
            if why is not None:
                raise _Mismatch(why, None if batch else message.id)
        return relay.from_client(body)

    async def _answer_ourselves(self, visit: _Visit, back: bytes | None) -> None:
        """Nothing goes on to the server."""
        self._room.counts["refused"] += 1
        conversation = visit.conversation
        if back is None or visit.old:
            if back is not None and conversation.stream is not None:
                await conversation.send(conversation.stream, ServerSentEvents().framed(back, "message"))
            return await whole(visit.send, 202, [], b"")
        return await whole(visit.send, 200, _JSON, back)

    async def _ask(self, visit: _Visit, method: str, body: bytes) -> Answer:
        base = visit.upstream.base_url
        return await self._room.upstreams().ask(
            visit.upstream,
            method,
            "/" if base.endswith("/") else "",
            visit.query,
            visit.scope["headers"],
            body,
            SURFACE,
        )

    # ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, visit: _Visit, answer: Answer) -> None:
        """A server that names a session begins one, which belongs to this caller."""
        given = dict(answer.headers).get(_SESSION, b"").decode("latin-1")[:256]
        if given and answer.status < 400:
            self._remember(visit, given)

    async def _hand_on(self, visit: _Visit, answer: Answer) -> None:
        if "text/event-stream" in answer.content_type.lower():
            await self._streamed(visit, answer)
            return
        body = await bounded(answer.body, LARGEST)
        clean = await self._judged(visit, body) if body.strip() else body
        await whole(visit.send, answer.status if clean is not None else 202, answer.headers, clean or b"")

    async def _judged(self, visit: _Visit, body: bytes) -> bytes | None:
        """What of an answer in one piece the client may have."""
        relay = visit.conversation.relay
        try:
            passed = relay.from_server(body)
        except NotUnderstood:
            text = body.decode(errors="replace")
            record = relay.record_of()
            clean, decision = judged(
                self._room.inspection, visit.policy, record, "out", body, [Part("", "other", text, 0, len(body), "raw")]
            )
            if ends(decision):
                raise Refused(502, "The MCP server's answer was stopped by policy", "stopped_by_policy") from None
            return clean
        await self._tell_server(visit, passed.back)
        return passed.on

    async def _streamed(self, visit: _Visit, answer: Answer) -> None:
        """Each event as soon as it is whole and judged."""
        conversation, events = visit.conversation, ServerSentEvents(LONGEST)
        await visit.send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        async for frame in _frames(answer.body, events):
            if frame.data is None or not frame.data.strip():
                ready: bytes | None = frame.raw
            elif _name(frame) == "endpoint":
                ready = events.changed(frame, self._endpoint(visit, frame.data))
            else:
                ready = await self._event(visit, events, frame)
            if ready:
                await conversation.send(visit.send, ready)
        await conversation.send(visit.send, b"", more=False)

    async def _event(self, visit: _Visit, events: ServerSentEvents, frame: Frame) -> bytes:
        data = frame.data or b""
        try:
            passed = visit.conversation.relay.from_server(data)
        except NotUnderstood:  # what cannot be read is not handed on where policy acts
            self._room.counts["uninspected"] += 1
            return b"" if visit.policy.enforces else frame.raw
        await self._tell_server(visit, passed.back)
        if passed.on is None:
            return b"".join(line + b"\n" for line in frame.raw.splitlines() if line.startswith(b"id:")) + b"\n"
        return frame.raw if passed.on is data else events.changed(frame, passed.on)

    async def _tell_server(self, visit: _Visit, back: bytes | None) -> None:
        """Answer a request of the server that is not handed on to the client."""
        if back is None:
            return
        answer = await self._ask(visit, "POST", back)
        self._room.upstreams().done(answer)

    # ── conversations ────────────────────────────────────────────────────────────────────────────────────────────────

    def _remember(self, visit: _Visit, session: str) -> None:
        visit.lasting = True
        self._conversations[visit.server, session] = visit.conversation
        self._conversations.move_to_end((visit.server, session))
        while len(self._conversations) > CONVERSATIONS:
            self._conversations.popitem(last=False)[1].relay.close()

    def _forget(self, visit: _Visit) -> None:
        self._conversations.pop((visit.server, visit.session), None)
        visit.conversation.relay.close()

    def _endpoint(self, visit: _Visit, place: bytes) -> bytes:
        """Where a client of 2024-11-05 shall send its messages: here, under a name for the server's own address."""
        base = URL(visit.upstream.base_url)
        url = base.join(URL(place.decode("latin-1").strip()))
        if url.origin() != base.origin():
            raise NotUnderstood("The MCP server wants messages sent to another host")
        named = urlsafe_b64encode(url.raw_path_qs.encode()).decode().rstrip("=")
        token = f"{named}.{self._signed(visit.server, named)}"
        visit.conversation.stream = visit.send
        self._remember(visit, token)
        return f"/mcp/{visit.server}/{token}".encode()

    def _opened(self, server: str, token: str) -> str:
        """Path and query of the server that a token stands for.

        Raises:
            Refused: the token is none of ours.
        """
        named, _, signature = token.partition(".")
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), self._signed(server, named).encode()):
            raise Refused(404, "There is no such session", "unknown_session")
        return urlsafe_b64decode(named + "=" * (-len(named) % 4)).decode()

    def _signed(self, server: str, named: str) -> str:
        return hmac.new(self._secret, f"{server}\0{named}".encode("utf-8", "replace"), sha256).hexdigest()[:32]

    # ── saying no ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _refuse(self, send: Send, error: Exception) -> None:
        """An error as JSON-RPC; its HTTP status says whose fault it is."""
        self._room.counts["refused"] += 1
        headers, code, number = [*_JSON], -32000, None
        if isinstance(error, Refused):
            status, message = error.status, error.message
        elif isinstance(error, _Mismatch):
            status, message, code, number = 400, error.message, mirrored.MISMATCH, error.id
        elif isinstance(error, TooLarge):
            status, message = 413, str(error)
        elif isinstance(error, NotUnderstood):
            status, message, code = 400, str(error), -32600
        else:
            self._room.counts["failed"] += 1
            status = 502
            message = str(error) if isinstance(error, NotReachable) else "The MCP server cannot be reached"
        if status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        await whole(send, status, [*headers, (b"connection", b"close")], rpc.error(number, code, message))


async def _frames(pieces: AsyncIterator[bytes], events: ServerSentEvents) -> AsyncIterator[Frame]:
    async for piece in pieces:
        for frame in events.feed(piece):
            yield frame
    if last := events.finish():
        yield last


def _name(frame: Frame) -> str:
    """The name of an event; ``message`` when it has none."""
    for line in frame.raw.splitlines():
        if line.startswith(b"event:"):
            return line[6:].strip().decode("latin-1")
    return "message"


def _check_origin(headers: Mapping[bytes, bytes]) -> None:
    """A page of another site is no client (DNS rebinding); programs send no Origin.

    Raises:
        Refused: another site sent this.
    """
    origin = headers.get(b"origin")
    if origin is not None and origin.partition(b"://")[2].lower() != headers.get(b"host", b"").lower():
        raise Refused(403, "Another site sent this", "foreign_origin")
