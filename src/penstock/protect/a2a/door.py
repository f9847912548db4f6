"""A2A: ``/a2a/<agent>`` in front of agents of others, whole and streamed; their cards lead back to the gateway."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from yarl import URL

from penstock.errors import NotReachable, NotUnderstood
from penstock.protect import words
from penstock.protect.a2a.messages import MESSAGES, STOPPED, Events, led_back, said_of_itself
from penstock.protect.doors.examine import Noted
from penstock.protect.doors.room import Refused, Room, bounded, served, server_named, while_there, whole
from penstock.protect.exchange import Exchange
from penstock.protect.judging import judged
from penstock.protect.mcp import message as rpc
from penstock.protect.policy import Decision
from penstock.protect.requests import LARGEST, ClientGone, Receive, Scope, Send, TooLarge, read_body
from penstock.protect.snapshot import Upstream
from penstock.protect.stream_guard import StreamGuard
from penstock.protect.upstream import Answer
from penstock.protect.wire import Broken, Headers

#: What operators write as ``surfaces`` of an upstream that is an agent.
SURFACE = "a2a"
#: Where agents keep their cards: 1.0, and 0.2.
CARDS = frozenset({".well-known/agent-card.json", ".well-known/agent.json"})
#: Bytes of one event.
LONGEST = 16 * 1024 * 1024
_JSON: Headers = [(b"content-type", b"application/json")]


class A2aDoor:
    """All agents behind one gateway."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await served(self._room, scope, receive, send, self._serve, self._refuse)

    async def _refuse(self, send: Send, error: Exception) -> None:
        """An error as JSON-RPC; its HTTP status says whose fault it is."""
        self._room.counts["refused"] += 1
        status = error.status if isinstance(error, Refused) else 502
        if isinstance(error, NotUnderstood):
            status = 413 if isinstance(error, TooLarge) else 400
        message = error.message if isinstance(error, Refused | NotUnderstood | NotReachable) else "No answer"
        await whole(send, status, [*_JSON, (b"connection", b"close")], rpc.error(None, STOPPED, message))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        in_force, policy = self._room.caller(scope)
        name, _, rest = scope["path"].removeprefix("/a2a/").partition("/")
        upstream = server_named(in_force, name, SURFACE)
        if upstream is None:
            raise Refused(404, f"There is no agent {name[:80]!r}: name it in penstock.yaml, surfaces: [a2a]", "unknown")
        noted = Noted(SURFACE, policy, self._room.record(in_force, policy), props={"agent": name})
        if scope["method"] == "GET" and rest in CARDS:
            await self._card(scope, send, upstream, noted, f"/{rest}")
        elif scope["method"] == "POST" and not rest:
            await self._asked(scope, receive, send, upstream, noted)
        else:
            raise Refused(405, "A2A is spoken with POST; other bindings than JSON-RPC are not", "method_not_allowed")

    async def _asked(self, scope: Scope, receive: Receive, send: Send, upstream: Upstream, noted: Noted) -> None:
        body = await read_body(dict(scope["headers"]), receive)
        messages, batch = rpc.read(body)
        if batch:
            raise NotUnderstood("A2A knows no batches", hint="Send the messages one by one")
        noted.sent, noted.props["method"] = len(body), messages[0].method[:64]
        clean, decision = self._judged(noted, "in", body)
        if decision.ends:
            self._room.counts["refused"] += 1
            self._room.sink.emit(noted.event("stopped_by_policy"))
            said = words.refusal(noted.policy.caller, decision, "in", noted.id)
            said = said.replace("to the model", f"to the agent {upstream.name}")
            await whole(send, 200, _JSON, rpc.error(messages[0].id, STOPPED, said))
            return
        upstreams = self._room.upstreams()
        path = "/" if upstream.base_url.endswith("/") else ""
        answer = await upstreams.ask(upstream, "POST", path, b"", scope["headers"], clean, SURFACE)
        outcome = "hung_up"
        try:
            if not await while_there(receive, self._answered(send, answer, noted, messages[0].id)):
                raise ClientGone
            outcome = noted.props.pop("outcome", "answered")
        finally:
            upstreams.done(answer)
            self._room.sink.emit(noted.event(outcome))

    def _judged(self, noted: Noted, direction: str, body: bytes) -> tuple[bytes, Decision]:
        parts = MESSAGES.parts(body, sent=direction == "in")
        return judged(self._room.inspection, noted.policy, noted.record, direction, body, parts)

    async def _answered(self, send: Send, answer: Answer, noted: Noted, number: Any) -> None:
        if "text/event-stream" in answer.content_type.lower():
            await self._streamed(send, answer, noted, number)
            return
        body = await bounded(answer.body, LARGEST)
        noted.answered = len(body)
        if not body.strip():
            await whole(send, answer.status, answer.headers, body)
            return
        try:
            clean, decision = self._judged(noted, "out", body)
        except NotUnderstood as error:
            raise Refused(502, "The agent's answer is no JSON", "not_understood") from error
        if decision.ends:
            noted.props["outcome"] = "stopped_by_policy"
            clean = rpc.error(number, STOPPED, words.refusal(noted.policy.caller, decision, "out", noted.id))
        await whole(send, answer.status, answer.headers, clean)

    async def _streamed(self, send: Send, answer: Answer, noted: Noted, number: Any) -> None:
        events = Events(Exchange(SURFACE, "", True), number, LONGEST)
        guard = StreamGuard(
            noted.policy, self._room.inspection, noted.record, events,
            lambda decision: words.refusal(noted.policy.caller, decision, "out", noted.id),
        )  # fmt: skip
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        try:
            async for piece in answer.body:
                noted.answered += len(piece)
                if ready := guard.feed(piece):
                    await send({"type": "http.response.body", "body": ready, "more_body": True})
                if guard.stopped:
                    noted.props["outcome"] = "stopped_by_policy"
                    break
            rest = guard.finish()
        except (Broken, OSError, TimeoutError, NotUnderstood):
            rest = guard.broken("The agent's answer broke off", "stream_broken")
            noted.props["outcome"] = "cut"
        await send({"type": "http.response.body", "body": rest})

    async def _card(self, scope: Scope, send: Send, upstream: Upstream, noted: Noted, path: str) -> None:
        """An agent's card whose addresses lead back here, noted as what the agent says of itself."""
        base = replace(upstream, base_url=str(URL(upstream.base_url).origin()))
        upstreams = self._room.upstreams()
        answer = await upstreams.ask(base, "GET", path, b"", scope["headers"], b"", SURFACE)
        try:
            body = await bounded(answer.body, LARGEST)
        finally:
            upstreams.done(answer)
        noted.answered = len(body)
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        try:
            told = led_back(body, f"{scope.get('scheme', 'http')}://{host}/a2a/{upstream.name}")
            clean, decision = self._judged(noted, "out", told)
        except NotUnderstood as error:
            raise Refused(502, error.message, "not_understood") from error
        noted.props["card"] = said_of_itself(told)
        self._room.sink.emit(noted.event("stopped_by_policy" if decision.ends else "answered"))
        if decision.ends:
            raise Refused(403, words.refusal(noted.policy.caller, decision, "out", noted.id), "stopped_by_policy")
        await whole(send, answer.status, answer.headers, clean)
