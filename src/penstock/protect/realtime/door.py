"""Realtime sessions over WebSocket: text and tool events judged both ways, sound passed by and counted."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec
from yarl import URL

from penstock.errors import NotReachable, NotUnderstood
from penstock.protect import words
from penstock.protect.doors.examine import Noted
from penstock.protect.doors.room import Refused, Room
from penstock.protect.exchange import Exchange
from penstock.protect.judging import judged
from penstock.protect.keys import without_key
from penstock.protect.policy import Policy
from penstock.protect.realtime import events
from penstock.protect.realtime.events import BETWEEN, EVENTS, LARGEST, Response
from penstock.protect.requests import Receive, Scope, Send
from penstock.protect.snapshot import Upstream
from penstock.protect.snapshot_source import InForce
from penstock.protect.stream_guard import StreamGuard
from penstock.protect.surfaces.json_surface import item, number_at, text_at
from penstock.protect.surfaces.surface import STOPPED
from penstock.protect.upstream import address, credential, forwarded

#: Responses that are followed at the same time; one that is older is judged as it stands.
RESPONSES = 16
#: How browsers send a key: as a subprotocol with this beginning.
_KEY = "openai-insecure-api-key."
#: Seconds to reach the provider.
CONNECT = 10.0


class RealtimeDoor:
    """Sessions of all callers of one gateway."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._room.counts["calls"] += 1
        await receive()  # websocket.connect
        try:
            in_force, policy = self._room.caller(_with_key(scope))
            upstream = in_force.upstream("", "openai", EVENTS.name)
            if upstream is None:
                raise Refused(503, words.no_upstream(), "no_upstream")
            await self._served(scope, receive, send, in_force, policy, upstream)
        except Refused as error:
            self._room.counts["refused"] += 1
            await send({"type": "websocket.close", "code": 1008, "reason": error.message[:120]})
        except NotReachable as error:
            self._room.counts["failed"] += 1
            await send({"type": "websocket.close", "code": 1011, "reason": error.message[:120]})

    async def _served(
        self, scope: Scope, receive: Receive, send: Send, in_force: InForce, policy: Policy, upstream: Upstream
    ) -> None:
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed, WebSocketException

        url = address(upstream.base_url, scope["path"], without_key(scope.get("query_string", b"")))
        headers = [header for header in scope["headers"] if not header[0].startswith(b"sec-websocket-")]
        own = credential(upstream.key_env, "openai", headers, "GET", url, b"")
        told = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in [*forwarded(headers), *own]]
        wanted = [name for name in scope.get("subprotocols", ()) if not name.startswith(_KEY)]
        place = url.with_scheme({"https": "wss", "http": "ws"}.get(url.scheme, url.scheme))
        try:
            socket = await connect(
                str(place), additional_headers=[(n, v) for n, v in told if n != "user-agent"],
                subprotocols=wanted or None, max_size=LARGEST, compression=None, open_timeout=CONNECT,
                user_agent_header=dict(told).get("user-agent"), proxy=None,
            )  # fmt: skip
        except (OSError, TimeoutError, WebSocketException) as error:
            raise NotReachable("The provider cannot be reached", str(place.origin()), type(error).__name__) from error
        await send({"type": "websocket.accept", "subprotocol": socket.subprotocol})
        session = Session(self._room, in_force, policy, upstream, URL(str(place)).query.get("model", ""))
        closing: dict[str, Any] = {"type": "websocket.close", "code": 1000}

        async def upwards() -> None:
            while (message := await receive())["type"] == "websocket.receive":
                given = message.get("text")
                data = given.encode("utf-8", "surrogatepass") if given is not None else message.get("bytes") or b""
                on, back = session.from_client(data)
                for one in back:
                    await send({"type": "websocket.send", "text": one.decode()})
                if on is not None:
                    await socket.send(on.decode("utf-8", "replace") if given is not None else on)

        async def downwards() -> None:
            with contextlib.suppress(ConnectionClosed):
                async for message in socket:
                    data = message.encode() if isinstance(message, str) else message
                    on, back = session.from_server(data)
                    for one in back:
                        await socket.send(one.decode())
                    for one in on:
                        await send({"type": "websocket.send", "text": one.decode("utf-8", "replace")})
            closing["code"], closing["reason"] = _code(socket.close_code), (socket.close_reason or "")[:120]

        tasks = [asyncio.ensure_future(upwards()), asyncio.ensure_future(downwards())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[1] in done:
                await send(closing)
            for task in done:
                if (failed := task.exception()) is not None and not isinstance(failed, ConnectionClosed | OSError):
                    raise failed
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await socket.close()
            session.close()


class Session:
    """The judging of one session, without sockets: an event in; what goes on, and what goes back to its sender."""

    def __init__(self, room: Room, in_force: InForce, policy: Policy, upstream: Upstream, model: str) -> None:
        self._room, self._in_force, self._policy, self._upstream = room, in_force, policy, upstream
        self._exchange = Exchange(EVENTS.name, model, True)
        self._following: OrderedDict[str, tuple[StreamGuard, Response]] = OrderedDict()
        self._stopped: OrderedDict[str, None] = OrderedDict()
        self._noted = self._fresh()

    def from_client(self, data: bytes) -> tuple[bytes | None, list[bytes]]:
        noted = self._noted
        noted.sent += len(data)
        try:
            tree = _tree(data)
            parts = EVENTS.parts(data, sent=True)
        except NotUnderstood as error:
            return None, [events.error(str(error), "not_understood")]
        if heard := events.sound(tree):
            noted.props["sound_in"] = noted.props.get("sound_in", 0) + heard
        clean, decision = judged(self._room.inspection, self._policy, noted.record, "in", data, parts)
        if not decision.ends:
            return clean, []
        self._room.counts["refused"] += 1
        message = words.refusal(self._policy.caller, decision, "in", noted.id)
        self._tell("stopped_by_policy")
        return None, [events.error(message, STOPPED, text_at(tree, "event_id"))]

    def from_server(self, data: bytes) -> tuple[list[bytes], list[bytes]]:
        noted = self._noted
        noted.answered += len(data)
        try:
            tree = _tree(data)
        except NotUnderstood:
            return ([] if self._policy.enforces else [data]), []
        if heard := events.sound(tree):
            noted.props["sound_out"] = noted.props.get("sound_out", 0) + heard
        home = events.home_of(tree)
        if home in self._stopped:  # what was stopped goes on upstream until the provider hears of it
            return [], []
        if home:
            return self._followed(home, tree, data)
        try:
            parts = EVENTS.parts(data, sent=False)
        except NotUnderstood:
            return ([] if self._policy.enforces else [data]), []
        clean, decision = judged(self._room.inspection, self._policy, noted.record, "out", data, parts)
        if decision.ends:
            return [events.error(words.refusal(self._policy.caller, decision, "out", noted.id), STOPPED)], []
        return [clean], []

    def _followed(self, home: str, tree: Mapping[str, Any], data: bytes) -> tuple[list[bytes], list[bytes]]:
        """An event of a response: its texts are judged together with those before and after it."""
        if home not in self._following:
            while len(self._following) >= RESPONSES:
                self._following.popitem(last=False)
            self._following[home] = self._guard(home)
        guard, response = self._following[home]
        ready, back = guard.feed(data), []
        if not ready.endswith(BETWEEN) and ready:
            ready += BETWEEN  # where policy holds nothing back the guard hands on what it was given
        last = events.ends_home(tree)
        if last and not guard.stopped:
            ready += guard.finish()
        if guard.stopped:
            self._room.counts["refused"] += 1
            self._stopped[home] = None
            if len(self._stopped) > 256:
                self._stopped.popitem(last=False)
            back = [msgspec.json.encode({"type": "response.cancel", "response_id": home})]
        if last or guard.stopped:
            del self._following[home]
            calls = sorted({call.name for call in response.tool_calls()})
            self._noted.props |= {"tool_calls": calls} if calls else {}
            usage = item(tree, "response", "usage")
            if usage:
                self._noted.props["usage"] = {
                    "in": number_at(usage, "input_tokens"), "out": number_at(usage, "output_tokens")
                }  # fmt: skip
            self._tell("stopped_by_policy" if guard.stopped else "answered")
        return [one for one in ready.split(BETWEEN) if one], back

    def close(self) -> None:
        """The session ends."""
        if self._noted.record.seen or self._noted.record.severity or self._noted.props:
            self._tell("answered")

    def _guard(self, home: str) -> tuple[StreamGuard, Response]:
        response, noted = Response(self._exchange, home), self._noted
        guard = StreamGuard(
            self._policy, self._room.inspection, noted.record, response,
            lambda decision: words.refusal(self._policy.caller, decision, "out", noted.id),
        )  # fmt: skip
        return guard, response

    def _fresh(self) -> Noted:
        record = self._room.record(self._in_force, self._policy)
        return Noted(EVENTS.name, self._policy, record, model=self._exchange.model)

    def _tell(self, outcome: str) -> None:
        """The event of one turn: what the client said since the last one, and the response to it."""
        self._noted.props["upstream"] = self._upstream.base_url
        self._room.sink.emit(self._noted.event(outcome))
        self._noted = self._fresh()


def _tree(data: bytes) -> dict[str, Any]:
    try:
        tree = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood("The event is not valid JSON", hint=str(error)) from error
    if not isinstance(tree, dict):
        raise NotUnderstood("The event is no JSON object")
    return tree


def _with_key(scope: Scope) -> Scope:
    """The request with the key where other clients send it."""
    for name in scope.get("subprotocols", ()):
        if name.startswith(_KEY):
            key = b"Bearer " + name.removeprefix(_KEY).encode("latin-1", "replace")
            return {**scope, "headers": [*scope["headers"], (b"authorization", key)]}
    return scope


def _code(code: int | None) -> int:
    """A close code that may be sent; 1005 and 1006 only say that there was none."""
    return code if code is not None and code not in (1005, 1006, 1015) else 1011 if code == 1006 else 1000
