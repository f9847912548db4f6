"""The gateway: a call comes in, is read, judged, sent on, and its answer judged on the way back.

Raw ASGI, because this path is walked by every call. Bytes pass through as they came unless policy masks some of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from penstock.errors import NotReachable, NotUnderstood
from penstock.graph.vocabulary import Event
from penstock.inspect.sensitive.redact import redact
from penstock.inspect.span import Span
from penstock.protect import words
from penstock.protect.exchange import Exchange, Part
from penstock.protect.inspection import Inspection
from penstock.protect.jsontext import quoted, replaced
from penstock.protect.keys import key_of
from penstock.protect.policy import ALLOW, Decision, Policy, Record
from penstock.protect.requests import LARGEST, ClientGone, Receive, Scope, Send, TooLarge, read_body
from penstock.protect.sink import Sink, event_id
from penstock.protect.snapshot import Caller, Upstream
from penstock.protect.snapshot_source import Source
from penstock.protect.stream_guard import StreamGuard
from penstock.protect.surfaces import openai_chat
from penstock.protect.upstream import Answer, Headers, Upstreams

App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Lists of models hold no content; clients ask for them before anything else.
_ABOUT_MODELS = "/v1/models"
_JSON: Headers = [(b"content-type", b"application/json")]
_STREAM: Headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]


def build(source: Source, sink: Sink) -> App:
    """The gateway as an ASGI application."""
    return Gateway(source, sink)


#: Who calls before the key was looked up.
NOBODY = Policy(Caller(application="", name=""))


class Gateway:
    """Holds what outlives a call: connections, detectors, counters."""

    def __init__(self, source: Source, sink: Sink, inspection: Inspection | None = None) -> None:
        self._source = source
        self._sink = sink
        self._inspection = inspection or Inspection()
        self._upstreams: Upstreams | None = None
        self.counts = dict.fromkeys(("calls", "refused", "uninspected", "failed", "hung_up"), 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "this surface is not inspected"})

    # ── one call ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path in ("/healthz", "/readyz"):
            await self._health(path, send)
            return
        call = _Call(scope, send)
        self.counts["calls"] += 1
        try:
            await self._guarded(call, path, receive)
        except ClientGone:
            self.counts["hung_up"] += 1
            call.outcome = "hung_up"
        except asyncio.CancelledError:
            if not call.gone or call.work is None:
                raise
            call.work.uncancel()
            self.counts["hung_up"] += 1
            call.outcome = "hung_up"
        except TooLarge as error:
            await self._refuse(call, 413, str(error), "invalid_request_error", "request_too_large")
        except NotUnderstood as error:
            await self._refuse(call, 400, str(error), "invalid_request_error", "not_understood")
        except NotReachable as error:
            self.counts["failed"] += 1
            await self._refuse(call, 502, str(error), "upstream_error", "upstream_unreachable")
        finally:
            if call.policy is not NOBODY:
                self._sink.emit(call.event())

    async def _guarded(self, call: _Call, path: str, receive: Receive) -> None:
        in_force = self._source.current()
        if in_force is None:
            return await self._refuse(call, 503, words.not_ready(self._source.problem), "server_error", "no_policy")
        policy = in_force.policy_of(key_of(call.headers))
        if policy is None:
            return await self._refuse(call, 401, words.unknown_key(), "invalid_request_error", "invalid_api_key")
        call.policy = policy
        upstream = in_force.upstream(call.headers.get(b"x-penstock-upstream", b"").decode("latin-1"))
        if upstream is None:
            problem = (
                "No provider is configured under this name. Where: upstreams in penstock.yaml. What to do: add it."
            )
            return await self._refuse(call, 503, problem, "server_error", "no_upstream")
        call.upstream = upstream
        if path != openai_chat.PATH or call.method != "POST":
            return await self._unread(call, path, upstream, receive)
        body = await read_body(call.headers, receive)
        call.sent = len(body)
        exchange = openai_chat.read_request(body)
        call.exchange = exchange
        if policy.caller.models and exchange.model not in policy.caller.models:
            call.props["model_not_allowed"] = True
            if policy.enforces:
                call.record.severity = 3
                message = words.model_not_allowed(policy.caller, exchange.model)
                return await self._refuse(call, 403, message, "invalid_request_error", "model_not_allowed")
        body, decision = self._judged(call, "in", body, exchange.parts)
        if decision.action == "stop":
            return await self._say_no(call, decision)
        return await self._sent_on(call, path, upstream, body, receive)

    async def _sent_on(self, call: _Call, path: str, upstream: Upstream, body: bytes, receive: Receive) -> None:
        """Ask the provider, and leave at once when the client does."""
        if self._upstreams is None:  # served without lifespan events
            self._upstreams = Upstreams()
        call.work = asyncio.current_task()
        watcher = asyncio.create_task(_watch(call, receive))
        try:
            query: bytes = call.scope.get("query_string", b"")
            async with self._upstreams.call(upstream, call.method, path, query, call.scope["headers"], body) as answer:
                call.status = answer.status
                if call.exchange is None:
                    await self._passed(call, answer)
                elif "text/event-stream" in answer.content_type:
                    await self._streamed(call, answer)
                else:
                    await self._whole(call, answer)
        finally:
            watcher.cancel()

    async def _streamed(self, call: _Call, answer: Answer) -> None:
        guard = StreamGuard(
            call.policy, self._inspection, call.record, call.model, lambda decision: call.refusal(decision, "out")
        )
        await call.start(answer.status, answer.headers)
        try:
            async for piece in answer.body:
                call.answered += len(piece)
                if ready := guard.feed(piece):
                    await call.more(ready)
                if guard.stopped:
                    break
            rest = guard.finish()
        except (OSError, TimeoutError, NotUnderstood, _client_error()) as error:
            call.outcome = "cut"
            self.counts["failed"] += 1
            rest = guard.finish() + openai_chat.error_chunk(
                f"The provider's answer broke off ({type(error).__name__}). Ask again.", "stream_broken"
            )
        if guard.unread:
            call.props["unread"] = True
        await call.end(rest)

    async def _whole(self, call: _Call, answer: Answer) -> None:
        try:
            body = await _bounded(answer)
        except (OSError, TimeoutError, _client_error()) as error:
            raise NotReachable("The provider's answer broke off", hint="Ask again") from error
        call.answered = len(body)
        try:
            reply = openai_chat.read_reply(body)
        except NotUnderstood:
            body, decision = self._judged_text(call, body)
        else:
            clean = body
            body, decision = self._judged(call, "out", body, reply.parts)
            if body is not clean and reply.probabilities:
                body = openai_chat.without_logprobs(body)
        if decision.action == "stop":
            return await self._say_no(call, decision, body)
        await call.start(answer.status, [*answer.headers, (b"content-length", b"%d" % len(body))])
        return await call.end(body)

    async def _unread(self, call: _Call, path: str, upstream: Upstream, receive: Receive) -> None:
        """A path that no adapter reads: it passes where policy says so, and is counted as not inspected."""
        allowed = call.policy.caller.uninspected
        about_models = call.method == "GET" and (path == _ABOUT_MODELS or path.startswith(_ABOUT_MODELS + "/"))
        if not (about_models or any(path.startswith(prefix) for prefix in allowed)) or "/../" in f"{path}/":
            return await self._refuse(
                call, 404, words.unknown_path(path), "invalid_request_error", "path_not_inspected"
            )
        self.counts["uninspected"] += 1
        call.props["uninspected"] = path[:128]
        body = await read_body(call.headers, receive)
        raw = call.scope.get("raw_path") or path.encode()
        return await self._sent_on(call, raw.decode("latin-1"), upstream, body, receive)

    async def _passed(self, call: _Call, answer: Answer) -> None:
        await call.start(answer.status, answer.headers)
        try:
            async for piece in answer.body:
                call.answered += len(piece)
                await call.more(piece)
        except (OSError, TimeoutError, NotUnderstood, _client_error()):
            call.outcome = "cut"
        await call.end(b"")

    # ── judging ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _judged(self, call: _Call, direction: str, body: bytes, parts: tuple[Part, ...]) -> tuple[bytes, Decision]:
        """The body with what policy masks masked, and the decision on all of its parts together."""
        edits: list[tuple[int, int, bytes]] = []
        worst = ALLOW
        for part in parts:
            spans = self._inspection.spans(part.text, part.channel)
            if not spans:
                continue
            decision = call.policy.decide(direction, spans)
            call.record.add(direction, spans, decision)
            worst = _worse(worst, decision)
            if decision.redact:
                edits.append((part.start, part.end, quoted(redact(part.text, decision.redact))))
        if worst.action == "stop" or not edits:
            return body, worst
        return replaced(body, edits), worst

    def _judged_text(self, call: _Call, body: bytes) -> tuple[bytes, Decision]:
        """A reply that is no JSON is judged as the text it is."""
        text = body.decode(errors="replace")
        spans: list[Span] = self._inspection.spans(text)
        decision = call.policy.decide("out", spans)
        call.record.add("out", spans, decision)
        return (redact(text, decision.redact).encode() if decision.redact else body), decision

    # ── saying no ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _say_no(self, call: _Call, decision: Decision, reply: bytes = b"") -> None:
        """The refusal in the form the client asked for: a completion, or a stream of one."""
        self.counts["refused"] += 1
        message = call.refusal(decision, "out" if reply else "in")
        like = _tree(reply)
        if call.exchange is not None and call.exchange.stream and not reply:
            await call.start(200, _STREAM)
            await call.end(openai_chat.refusal_chunks(None, call.model, (0,), message))
        else:
            body = openai_chat.refusal_reply(like, call.model, message)
            await call.start(200, [*_JSON, (b"content-length", b"%d" % len(body))])
            await call.end(body)

    async def _refuse(self, call: _Call, status: int, message: str, kind: str, code: str) -> None:
        """An error in the shape the client's library reads; in a stream that has begun, an event."""
        self.counts["refused"] += 1
        call.outcome = code
        if call.started:
            await call.end(openai_chat.error_chunk(message, code))
            return
        call.status = status
        body = openai_chat.error_body(message, kind, code)
        await call.start(status, [*_JSON, (b"content-length", b"%d" % len(body)), (b"connection", b"close")])
        await call.end(body)

    # ── around the calls ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _health(self, path: str, send: Send) -> None:
        in_force = self._source.current()
        ready = path == "/healthz" or in_force is not None
        said: dict[str, Any] = {"status": "ok" if ready else "no policy", **self.counts}
        if path == "/readyz":
            said |= {"policy": in_force.snapshot.version if in_force else None, "problem": self._source.problem}
            said |= {
                name: value
                for name in ("shed", "thinned", "failures", "dropped_files")
                if (value := getattr(self._sink, name, None))
            }
        body = msgspec.json.encode(said)
        headers = [*_JSON, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200 if ready else 503, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._upstreams = Upstreams()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self._upstreams is not None:
                    await self._upstreams.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


@dataclass(slots=True)
class _Call:
    """One call on its way: what is known of it, and how its answer goes out."""

    scope: Scope
    send: Send
    id: str = field(default_factory=event_id)
    began: float = field(default_factory=time.time)
    record: Record = field(default_factory=Record)
    props: dict[str, Any] = field(default_factory=dict)
    headers: Mapping[bytes, bytes] = field(init=False)
    policy: Policy = NOBODY
    upstream: Upstream | None = None
    exchange: Exchange | None = None
    status: int = 0
    sent: int = 0
    answered: int = 0
    outcome: str = "answered"
    started: bool = False
    gone: bool = False
    work: asyncio.Task[Any] | None = None

    def __post_init__(self) -> None:
        self.headers = dict(self.scope["headers"])

    @property
    def method(self) -> str:
        method: str = self.scope["method"]
        return method

    @property
    def model(self) -> str:
        return self.exchange.model if self.exchange else ""

    def refusal(self, decision: Decision, direction: str) -> str:
        return words.refusal(self.policy.caller, decision, direction, self.id)

    async def start(self, status: int, headers: Headers) -> None:
        self.started = True
        decision = (b"x-penstock-decision", self.record.verdict.encode())
        await self.send({"type": "http.response.start", "status": status, "headers": [*headers, decision]})

    async def more(self, body: bytes) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self, body: bytes) -> None:
        await self.send({"type": "http.response.body", "body": body})

    def event(self) -> Event:
        """What is kept of the call: types, counts and names; never a text."""
        caller = self.policy.caller
        props: dict[str, Any] = {
            "mode": caller.mode,
            "status": self.status,
            "outcome": self.outcome,
            "ms": round(1000 * (time.time() - self.began), 1),
            "bytes_in": self.sent,
            "bytes_out": self.answered,
        }
        if self.upstream is not None:
            props["upstream"] = self.upstream.base_url
        if self.exchange is not None:
            props["stream"] = self.exchange.stream
            if self.exchange.tools:
                props["tools"] = list(self.exchange.tools)
        if self.record.meant > self.record.severity:
            props["would"] = ("allow", "observe", "redact", "stop")[self.record.meant]
        return Event(
            id=self.id,
            at=self.began,
            kind="call",
            application=caller.application,
            surface=self.exchange.surface if self.exchange else "",
            provider=self.upstream.name if self.upstream else "",
            model=self.model[:200],
            verdict=self.record.verdict,
            rules=tuple(self.record.rules),
            seen=self.record.counts,
            finding_ids=self.record.findings,
            props=props | self.props,
        )


async def _watch(call: _Call, receive: Receive) -> None:
    """Cancel the work when the client hangs up, so that the provider's connection closes at once."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            call.gone = True
            if call.work is not None:
                call.work.cancel()
            return


async def _bounded(answer: Answer) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.body:
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST:
            raise NotReachable(f"The provider's answer is larger than {LARGEST >> 20} MiB", hint="Ask for less")
    return b"".join(pieces)


def _worse(one: Decision, other: Decision) -> Decision:
    order = ("allow", "observe", "redact", "stop")
    worse, milder = (one, other) if order.index(one.action) >= order.index(other.action) else (other, one)
    if worse.action == milder.action == "stop":
        return Decision(
            "stop",
            tuple({rule.id: rule for rule in (*one.rules, *other.rules)}.values()),
            (),
            "stop",
            tuple(dict.fromkeys((*one.types, *other.types))),
        )
    return worse


def _tree(reply: bytes) -> Mapping[str, Any] | None:
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        tree = msgspec.json.decode(reply)
        if isinstance(tree, dict) and isinstance(tree.get("choices"), list):
            return tree
    return None


def _client_error() -> type[Exception]:
    import aiohttp

    return aiohttp.ClientError
