"""What a door of the gateway is handed: the one engine, the policy in force, the way out, the events."""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from penstock.errors import NotReachable, NotUnderstood
from penstock.protect import words
from penstock.protect.inspection import Inspection
from penstock.protect.keys import certificate_of, key_of
from penstock.protect.permits import Permits, UsedGrants
from penstock.protect.policy import Policy, Record
from penstock.protect.requests import ClientGone, Message, Receive, Scope, Send
from penstock.protect.sink import Sink
from penstock.protect.snapshot import Upstream
from penstock.protect.snapshot_source import InForce, Source
from penstock.protect.upstream import Upstreams
from penstock.protect.wire import Headers


@dataclass(frozen=True, slots=True)
class Room:
    """Shared by all doors of one gateway. ``upstreams`` answers inside the event loop that serves."""

    source: Source
    sink: Sink
    inspection: Inspection
    upstreams: Callable[[], Upstreams]
    counts: MutableMapping[str, int]
    used: UsedGrants = field(default_factory=UsedGrants)

    def record(self, in_force: InForce, policy: Policy, session: str = "") -> Record:
        """Where what happens in one call is gathered, with what people granted the caller."""
        caller = policy.caller
        permits = Permits(caller.application, in_force.grants, self.used, session=session, requester=caller.name)
        return Record(permits=permits)

    def caller(self, scope: Scope) -> tuple[InForce, Policy]:
        """Who calls, by key.

        Raises:
            Refused: there is no policy yet (503), or the key is unknown (401).
        """
        in_force = self.source.current()
        if in_force is None:
            raise Refused(503, words.not_ready(self.source.problem), "no_policy")
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        policy = in_force.policy_of(key_of(headers, scope.get("query_string", b"")), certificate_of(scope))
        if policy is None:
            raise Refused(401, words.unknown_key(), "invalid_api_key")
        return in_force, policy


class Refused(Exception):
    """The call goes no further: an HTTP status, words for a person, a code for a program."""

    def __init__(self, status: int, message: str, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


class Door(Protocol):
    """Serves the requests of some paths as an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


async def served(
    room: Room,
    scope: Scope,
    receive: Receive,
    send: Send,
    serve: Callable[[Scope, Receive, Send], Awaitable[None]],
    refuse: Callable[[Send, Exception], Awaitable[None]],
) -> None:
    """Serve one request; what goes wrong is said by ``refuse``, or ends an answer that has begun."""
    room.counts["calls"] += 1
    started = False

    async def noting(message: Message) -> None:
        nonlocal started
        started = started or message["type"] == "http.response.start"
        await send(message)

    try:
        await serve(scope, receive, noting)
    except ClientGone:
        room.counts["hung_up"] += 1
    except (Refused, NotUnderstood, NotReachable, OSError, TimeoutError) as error:
        if started:
            room.counts["failed"] += 1
            await send({"type": "http.response.body", "body": b""})
        else:
            await refuse(send, error)


def server_named(in_force: InForce, name: str, surface: str) -> Upstream | None:
    """The upstream of this name, if the operator meant it for this kind of traffic (``surfaces: [mcp]``)."""
    return next((one for one in in_force.snapshot.upstreams if one.name == name and surface in one.surfaces), None)


def allows(patterns: tuple[str, ...], name: str) -> bool:
    """Whether a list of names with ``*`` and ``?`` holds the name; an empty list holds every name."""
    return not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


async def answer(send: Send, status: int, value: Any, headers: Headers | None = None) -> None:
    """A JSON answer in one piece."""
    await whole(send, status, [(b"content-type", b"application/json"), *(headers or ())], msgspec.json.encode(value))


async def whole(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """An answer in one piece."""
    sized = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": sized})
    await send({"type": "http.response.body", "body": body})


async def while_there(receive: Receive, work: Coroutine[Any, Any, None]) -> bool:
    """Do the work until the client hangs up; whether it was done. What was under way ends at once."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_hung_up(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
            return True
        return False
    finally:
        for one in (task, gone):
            one.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await asyncio.gather(task, gone, return_exceptions=True)


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def bounded(pieces: AsyncIterator[bytes], most: int) -> bytes:
    """All of an answer.

    Raises:
        Refused: it is larger than ``most`` bytes.
    """
    taken: list[bytes] = []
    size = 0
    async for piece in pieces:
        taken.append(piece)
        size += len(piece)
        if size > most:
            raise Refused(502, f"The server's answer is larger than {most >> 20} MiB", "answer_too_large")
    return b"".join(taken)
