"""The gateway: a call comes in, is read, judged, sent on, and its answer judged on the way back.

Raw ASGI, because this path is walked by every call. Bytes pass through as they came unless policy masks some of them.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import partial
from math import ceil
from time import perf_counter
from typing import Any

import msgspec
from msgspec.structs import replace

from penstock.errors import NotReachable, NotUnderstood
from penstock.protect import words
from penstock.protect.behaviour.watch import Watch, context_of
from penstock.protect.breakers import BUSY, Breakers
from penstock.protect.call import NOBODY, Call
from penstock.protect.doors.registry import Doors
from penstock.protect.doors.room import Room, whole
from penstock.protect.exchange import Asked, Attachment, Exchange, Part
from penstock.protect.facts import Facts
from penstock.protect.facts import named as is_named
from penstock.protect.framing import aws
from penstock.protect.inspection import Inspection
from penstock.protect.jsontext import with_model
from penstock.protect.judging import judged, worse
from penstock.protect.keys import certificate_of, is_signed, key_of
from penstock.protect.limits import Exceeded, Meter
from penstock.protect.metrics import MEDIA_TYPE, Counted, Metrics, Told, single
from penstock.protect.permits import Permits, UsedGrants
from penstock.protect.policy import ALLOW, ENDING, SEVERITY, Decision, Policy
from penstock.protect.query import judged_query
from penstock.protect.recording import recording
from penstock.protect.requests import LARGEST, ClientGone, Receive, Scope, Send, TooLarge, read_body
from penstock.protect.sessions.guard import Sessions
from penstock.protect.sink import Sink
from penstock.protect.snapshot import Upstream
from penstock.protect.snapshot_source import InForce, Source, stranger
from penstock.protect.stream_guard import StreamGuard
from penstock.protect.surfaces.registry import UNKNOWN, Registry
from penstock.protect.surfaces.surface import STOPPED, Streaming
from penstock.protect.tokens import Returning, TokenAware
from penstock.protect.upstream import Answer, Upstreams
from penstock.protect.wire import Broken, Headers

App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Lists of models hold no content; clients ask for them before anything else.
_ABOUT_MODELS = "/v1/models"
_JSON: Headers = [(b"content-type", b"application/json")]
_CUT = (OSError, TimeoutError, NotUnderstood, Broken)


def build(
    source: Source,
    sink: Sink,
    *,
    token_key: bytes | None = None,
    recorder: Sink | None = None,
    used: UsedGrants | None = None,
) -> App:
    """The gateway as an ASGI application; what it takes is said at ``Gateway``."""
    return Gateway(source, sink, token_key=token_key, recorder=recorder, used=used)


class Gateway:
    """Holds what outlives a call: connections, detectors, counters."""

    def __init__(
        self,
        source: Source,
        sink: Sink,
        inspection: Inspection | None = None,
        *,
        token_key: bytes | None = None,
        recorder: Sink | None = None,
        used: UsedGrants | None = None,
    ) -> None:
        """
        Args:
            token_key: a secret of the installation for reversible tokens; without it tokens end with the process.
            recorder: takes recordings of calls, where the policy asks for them.
            used: single grants that are used up; without it they are forgotten with the process.
        """
        self._source = source
        self._spool = sink
        self.metrics = Metrics()
        self._sink = Watch(Counted(sink, self.metrics), context_of(source))
        self._inspection = inspection or Inspection()
        self._surfaces = Registry()
        self._upstreams: Upstreams | None = None
        self._sessions = Sessions()
        self._token_key = token_key or os.urandom(32)
        self._recorder = recorder
        self._used = used or UsedGrants()
        self._meter = Meter()
        self._breakers = Breakers()
        self._under_way = 0
        self.counts = dict.fromkeys(("calls", "refused", "uninspected", "failed", "hung_up"), 0)
        self._doors = Doors(Room(source, self._sink, self._inspection, self._connected, self.counts, self._used))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and (door := self._doors.of(scope)) is not None:
            await door(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "this surface is not inspected"})

    # ── one call ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path in ("/healthz", "/readyz"):
            return await self._health(path, send)
        if path == "/metrics" and scope["method"] == "GET":
            return await whole(send, 200, [(b"content-type", MEDIA_TYPE)], self.metrics.text(self._told()))
        call = Call(scope, send, UNKNOWN, {}, self._inspection, session_key=self._token_key)
        if found := self._surfaces.find(call.method, path, call.headers):
            call.surface, call.fields = found
        self.counts["calls"] += 1
        self._under_way += 1
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
            await self._refuse(call, 413, str(error), "request_too_large")
        except NotUnderstood as error:
            await self._refuse(call, 400, str(error), "not_understood")
        except NotReachable as error:
            self.counts["failed"] += 1
            await self._refuse(call, 502, str(error), "upstream_unreachable")
        finally:
            self._under_way -= 1
            if call.policy is not NOBODY:
                self._settle(call)
                event = call.event()
                self._sink.emit(event)
                if self._recorder is not None and call.record.texts is not None:
                    self._recorder.emit(recording(event, call.facts, call.record.texts))

    def _settle(self, call: Call) -> None:
        """Count what the call used; a grant of one that did not pass stays as it was."""
        caller = call.policy.caller
        if call.admitted:
            self._meter.done(caller)
        if call.record.verdict in ENDING or call.status >= 400 or not call.started:
            call.record.permits.not_used()
        if call.usage is not None and call.prices is not None:
            call.cost = call.prices.cost(call.exchange.model if call.exchange else "", call.usage)
            if caller.limits:
                self._meter.charge(caller, call.usage, call.cost)

    async def _guarded(self, call: Call, path: str, receive: Receive) -> None:
        in_force = self._source.current()
        if in_force is None:
            return await self._refuse(call, 503, words.not_ready(self._source.problem), "no_policy")
        key, certificate = key_of(call.headers, call.query), certificate_of(call.scope)
        policy = in_force.policy_of(key, certificate)
        if policy is None:
            return await self._refuse(call, 401, words.unknown_key(), "invalid_api_key")
        caller = policy.caller
        if not caller.application:
            call.props["caller"] = stranger(in_force, key, certificate)
        call.policy, call.prices = policy, in_force.prices
        if in_force.snapshot.records and self._recorder is not None:
            call.record.texts = []
        call.record.permits = Permits(caller.application, in_force.grants, self._used, requester=caller.name)
        named = call.headers.get(b"x-penstock-upstream", b"").decode("latin-1")
        call.upstream = in_force.upstream(named, call.surface.family, call.surface.name)
        if call.upstream is None:
            return await self._refuse(call, 503, words.no_upstream(), "no_upstream")
        if call.surface is UNKNOWN and not self._may_pass(call, path):
            return await self._refuse(call, 404, words.unknown_path(path), "path_not_inspected")
        if self._under_way > MOST_CALLS:
            return await self._refuse(call, 503, words.busy(), "gateway_busy", 1.0)
        if exceeded := self._meter.admit(caller):
            call.props["limit"] = exceeded.what
            return await self._refuse(call, 429, words.too_much(exceeded), "limit_reached", exceeded.after)
        call.admitted = True
        mark = perf_counter()
        body = call.body = await read_body(call.headers, receive)
        call.waited += perf_counter() - mark
        call.sent = len(body)
        if len(body) > LARGE:
            clean, decision = await asyncio.to_thread(self._considered, call, in_force, path)
        else:
            clean, decision = self._considered(call, in_force, path)
        if call.not_allowed:
            return await self._refuse(call, 403, *call.not_allowed)
        if decision.ends:
            return await self._say_no(call, decision)
        if exceeded := self._throttled(call):
            return await self._refuse(call, 429, words.too_much(exceeded), "limit_reached", exceeded.after)
        changed = clean is not body or call.sent_query != call.query
        if changed and not call.upstream.key_env and is_signed(call.headers):
            return await self._refuse(call, 403, words.cannot_mask_signed(), "signed_by_caller")
        return await self._sent_on(call, in_force, clean, receive)

    def _considered(self, call: Call, in_force: InForce, path: str) -> tuple[bytes, Decision]:
        """Read the request and judge it by the rules that are about such a call.

        A rule may send it elsewhere; there other rules may hold, so it is judged once more.
        """
        policy, body = call.policy, call.body
        caller = policy.caller
        asked = Asked(
            call.method, path, call.headers, body, call.query, call.fields, caller.name, caller.application
        )  # fmt: skip
        exchange = call.exchange = call.surface.request(asked)
        call.carried("in", exchange.attachments)
        if policy.asks:
            call.record.permits.session = call.session
        if policy.tokenises:
            call.inspection = TokenAware(self._inspection, Returning(self._token_key, call.session))
        routes = _ROUTES
        while True:
            assert call.upstream is not None  # noqa: S101
            if self._not_allowed(call, policy, exchange, call.upstream):
                return body, ALLOW
            facts = call.facts = Facts(
                exchange.surface, exchange.model, call.upstream.name, call.upstream.region, exchange.stream,
                exchange.tools, call.session if policy.about_sessions else "",
            )  # fmt: skip
            call.policy = policy.of_call(facts)
            clean, decision = self._judged(call, "in", body, exchange.parts)
            if call.query:
                call.sent_query, on_query = judged_query(call.inspection, call.policy, call.record, call.query)
                decision = worse(decision, on_query)
            whole_call = call.policy.decide_call(call.record.permits, facts)
            if whole_call is not ALLOW:
                call.record.add("in", (), whole_call)
                decision = worse(decision, whole_call)
            route = next((rule for rule in call.record.rules.values() if rule.action == "route"), None)
            if decision.ends or route is None or not policy.enforces or not routes:
                return clean, decision
            target = in_force.routed(route.to, call.surface.family)
            if target is None:
                call.not_allowed = words.no_route(route.to), "no_upstream"
                return body, ALLOW
            if route.model and route.model != exchange.model:
                body = call.body = with_model(body, route.model)
                exchange = call.exchange = call.surface.request(replace(asked, body=body))
            elif target == call.upstream:
                return clean, decision
            call.upstream, routes = target, routes - 1
            call.record.seen.clear()
            if call.record.texts is not None:
                call.record.texts.clear()

    def _not_allowed(self, call: Call, policy: Policy, exchange: Exchange, upstream: Upstream) -> bool:
        """Whether the caller may not use this model or this provider; noted where policy does not enforce."""
        caller = policy.caller
        unnamed = not exchange.model and call.surface.carries_files  # no call of a model
        if caller.models and not unnamed and not is_named(exchange.model, caller.models):
            call.props["model_not_allowed"] = True
            why = words.model_not_allowed(caller, exchange.model), "model_not_allowed"
        elif caller.providers and not is_named(upstream.name, caller.providers):
            call.props["provider_not_allowed"] = True
            why = words.provider_not_allowed(caller, upstream.name), "provider_not_allowed"
        else:
            return False
        if policy.enforces:
            call.record.severity = SEVERITY["stop"]
            call.not_allowed = why
        return policy.enforces

    def _throttled(self, call: Call) -> Exceeded | None:
        if not call.policy.enforces:
            return None
        for rule in call.record.rules.values():
            if rule.action == "throttle" and (exceeded := self._meter.throttle(call.policy.caller, rule)):
                call.props["limit"] = exceeded.what
                return exceeded
        return None

    def _may_pass(self, call: Call, path: str) -> bool:
        """Whether a path that no surface knows passes; it is counted, and judged as far as it is JSON or text."""
        caller = call.policy.caller
        about_models = call.method == "GET" and (path == _ABOUT_MODELS or path.startswith(_ABOUT_MODELS + "/"))
        listed = about_models or any(path.startswith(prefix) for prefix in caller.uninspected)
        if "/../" in f"{path}/" or not (listed or caller.unknown_paths == "pass"):
            return False
        self.counts["uninspected"] += 1
        call.props["uninspected"] = path[:128]
        return True

    async def _sent_on(self, call: Call, in_force: InForce, body: bytes, receive: Receive) -> None:
        """Ask the provider, and leave at once when the client does."""
        upstreams = self._connected()
        assert call.exchange is not None  # noqa: S101
        call.work = asyncio.current_task()
        watch = asyncio.get_running_loop().call_later(_GLANCE, _watch, call, receive)
        answer = None
        try:
            answer = await self._asked(call, in_force, upstreams, body)
            answer = await self._sessions.settled(
                call, body, answer, partial(self._asked, call, in_force, upstreams), upstreams.done
            )
            call.status = answer.status
            streaming = call.surface.streaming(call.exchange, answer.content_type)
            if streaming is not None:
                await self._streamed(call, answer, streaming)
            elif call.surface.carries_files and answer.content_type.lower().startswith(_NO_TEXT):
                await self._passed(call, answer)
            else:
                await self._whole(call, answer)
        finally:
            watch.cancel()
            if call.watcher is not None:
                call.watcher.cancel()
            if answer is not None:
                upstreams.done(answer)

    async def _asked(self, call: Call, in_force: InForce, upstreams: Upstreams, body: bytes) -> Answer:
        """The head of an answer: of the upstream, or of the first of its fallbacks that works.

        Raises:
            NotReachable: none of them does.
        """
        assert call.upstream is not None  # noqa: S101
        left = [call.upstream, *self._fallbacks(call, in_force)] if call.upstream.fallback else [call.upstream]
        mark = perf_counter()
        failed: NotReachable | None = None
        while left:
            upstream = left.pop(0)
            if not self._breakers.lets(upstream.name):
                wait = self._breakers.wait(upstream.name)
                failed = failed or NotReachable(words.resting(upstream.name, wait))
                continue
            try:
                answer = await upstreams.ask(
                    upstream, call.method, call.path, call.sent_query, call.scope["headers"], body, call.surface.family
                )
            except NotReachable as error:
                self._breakers.failed(upstream.name)
                failed = error
                continue
            except BaseException:
                self._breakers.left(upstream.name)
                raise
            if answer.status >= 500:
                self._breakers.failed(upstream.name)
            else:
                self._breakers.answered(upstream.name)
            if left and (answer.status >= 500 or answer.status == BUSY):
                upstreams.done(answer)
                call.props.setdefault("failed_over", []).append({"from": upstream.name, "status": answer.status})
                continue
            call.upstream = upstream
            call.waited += perf_counter() - mark
            return answer
        call.waited += perf_counter() - mark
        assert failed is not None  # noqa: S101
        raise failed

    def _fallbacks(self, call: Call, in_force: InForce) -> list[Upstream]:
        """Upstreams that may take over: those where the very same rules hold, and that the caller may use."""
        assert call.upstream is not None and call.exchange is not None  # noqa: S101
        caller, exchange = call.policy.caller, call.exchange
        policy = in_force.policy_of(key_of(call.headers, call.query), certificate_of(call.scope)) or call.policy
        return [
            one
            for one in in_force.fallbacks(call.upstream)
            if (not caller.providers or is_named(one.name, caller.providers))
            and policy.of_call(
                replace(call.facts, model=exchange.model, provider=one.name, region=one.region)
            ).same_rules(call.policy)
        ]

    def _connected(self) -> Upstreams:
        """The way out, inside the event loop that serves."""
        if self._upstreams is None:  # served without lifespan events
            self._upstreams = Upstreams()
        return self._upstreams

    async def _streamed(self, call: Call, answer: Answer, streaming: Streaming) -> None:
        guard = StreamGuard(
            call.policy,
            call.inspection,
            call.record,
            streaming,
            lambda decision: call.refusal(decision, "out"),
        )
        await call.start(answer.status, answer.headers)
        mark = perf_counter()
        try:
            async for piece in answer.body:
                call.waited += perf_counter() - mark
                call.answered += len(piece)
                ready = guard.feed(piece)
                mark = perf_counter()  # a client that reads slowly is waited for as a provider is
                if ready:
                    await call.more(ready)
                if guard.stopped:
                    break
            call.waited += perf_counter() - mark
            rest = guard.finish()
        except _CUT as error:
            call.outcome = "cut"
            self.counts["failed"] += 1
            rest = guard.broken(
                f"The provider's answer broke off ({type(error).__name__}). Ask again.", "stream_broken"
            )
        if guard.unread:
            call.props["unread"] = True
        call.told(streaming.usage, streaming.finish, streaming.tool_calls())
        await call.end(rest)

    async def _whole(self, call: Call, answer: Answer) -> None:
        mark = perf_counter()
        try:
            body = await _bounded(answer)
        except (OSError, TimeoutError, Broken) as error:
            raise NotReachable("The provider's answer broke off", hint="Ask again") from error
        call.waited += perf_counter() - mark
        call.answered = len(body)
        try:
            reply = call.surface.reply(body)
        except NotUnderstood:
            if streaming := _disguised(call, body):
                return await self._streamed(call, replace(answer, body=_once(body)), streaming)
            text = body.decode(errors="replace")
            clean, decision = self._judged(call, "out", body, (Part("", "other", text, 0, len(body), "raw"),))
        else:
            call.told(reply.usage, reply.finish, reply.tool_calls)
            call.carried("out", reply.attachments)
            clean, decision = self._judged(call, "out", body, reply.parts)
            if clean is not body:
                clean = call.surface.clean(clean)
        if decision.ends:
            return await self._say_no(call, decision, body)
        return await call.whole(answer.status, answer.headers, clean)

    async def _passed(self, call: Call, answer: Answer) -> None:
        """An answer that holds no text: a picture, a sound."""
        await call.start(answer.status, answer.headers)
        mark = perf_counter()
        try:
            async for piece in answer.body:
                call.answered += len(piece)
                await call.more(piece)
        except _CUT:
            call.outcome = "cut"
        call.waited += perf_counter() - mark
        call.carried("out", (Attachment(answer.content_type, call.answered),))
        await call.end(b"")

    def _judged(self, call: Call, direction: str, body: bytes, parts: Sequence[Part]) -> tuple[bytes, Decision]:
        return judged(call.inspection, call.policy, call.record, direction, body, parts)

    # ── saying no ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _say_no(self, call: Call, decision: Decision, reply: bytes = b"") -> None:
        """The refusal in the form the client asked for: an answer that says so, or the client's typed error."""
        assert call.exchange is not None  # noqa: S101
        message = call.refusal(decision, "out" if reply else "in")
        body = None
        if call.policy.caller.refusal != "error":
            body = call.surface.refusal(call.exchange, message, reply)
        if body is None:
            return await self._refuse(call, 403, message, STOPPED)
        self.counts["refused"] += 1
        call.status = 200
        as_stream = call.exchange.stream and not reply
        return await call.whole(200, [*call.surface.stream_headers] if as_stream else _JSON, body)

    async def _refuse(self, call: Call, status: int, message: str, code: str, after: float = 0.0) -> None:
        """An error in the shape the client's library reads; in a stream that has begun, the stream ends."""
        self.counts["refused"] += 1
        call.outcome = code
        if call.started:
            await call.end(b"")
            return
        call.status = status
        failure = call.surface.failure(status, message, code)
        headers = [*failure.headers, (b"connection", b"close")]
        if after:
            headers.append((b"retry-after", b"%d" % ceil(after)))
        await call.whole(status, headers, failure.body)

    # ── around the calls ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _health(self, path: str, send: Send) -> None:
        in_force = self._source.current()
        ready = path == "/healthz" or in_force is not None
        said: dict[str, Any] = {"status": "ok" if ready else "no policy", **self.counts}
        if resting := self._breakers.open:
            said["resting"] = resting
        if path == "/readyz":
            said |= {"policy": in_force.snapshot.version if in_force else None, "problem": self._source.problem}
            said |= {name: value for name in _OF_THE_SPOOL if (value := getattr(self._spool, name, None))}
        await whole(send, 200 if ready else 503, _JSON, msgspec.json.encode(said))

    def _told(self) -> Iterator[Told]:
        """What Prometheus is told beside the calls that are over."""
        in_force = self._source.current()
        for name, count in self.counts.items():
            yield single(f"penstock_requests_{name}_total", "counter", f"Requests: {name.replace('_', ' ')}.", count)
        yield single("penstock_calls_under_way", "gauge", "Calls that are being served.", self._under_way)
        upstreams = [one.name for one in in_force.snapshot.upstreams] if in_force else []
        open_now = self._breakers.open
        states = [((("upstream", name),), float(name in open_now)) for name in upstreams]
        yield "penstock_breaker_open", "gauge", "1 while an upstream that fails is left alone.", states
        for name in _OF_THE_SPOOL:
            told = f"Events of the spool: {name.replace('_', ' ')}."
            yield single(f"penstock_spool_{name}_total", "counter", told, getattr(self._spool, name, 0))
        version = in_force.snapshot.version if in_force else 0
        yield single("penstock_policy_version", "gauge", "Version of the policy in force.", version)
        yield single(
            "penstock_policy_stale", "gauge", "1 while the newest is not in force.", bool(self._source.problem)
        )

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._upstreams = Upstreams()
                self._inspection.warm()
                gc.collect()
                gc.freeze()  # detectors and modules live as long as the process: collections need not walk them
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self._upstreams is not None:
                    await self._upstreams.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


#: What the spool counts: events lost, events kept without detail, failed writes, files dropped.
_OF_THE_SPOOL = ("shed", "thinned", "failures", "dropped_files")
#: Calls at the same time beyond which new ones are sent away, so that those under way are served.
MOST_CALLS = 1000
#: Bytes of a body that is read and judged beside the event loop, so that other calls do not wait for it.
LARGE = 256 * 1024
#: How often rules may send a call elsewhere.
_ROUTES = 2
#: Seconds after which a call's client is watched; most calls are over before, and need no watcher.
_GLANCE = 0.05


def _watch(call: Call, receive: Receive) -> None:
    call.watcher = asyncio.get_running_loop().create_task(_watched(call, receive))


async def _watched(call: Call, receive: Receive) -> None:
    """Cancel the work when the client hangs up, so that the provider's connection closes at once."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            call.gone = True
            if call.work is not None:
                call.work.cancel()
            return


#: Content types that hold no text: they pass as they come.
_NO_TEXT = ("image/", "audio/", "video/", "application/octet-stream", "application/pdf", "application/zip")


async def _bounded(answer: Answer) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.body:
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST:
            raise NotReachable(f"The provider's answer is larger than {LARGEST >> 20} MiB", hint="Ask for less")
    return b"".join(pieces)


def _disguised(call: Call, body: bytes) -> Streaming | None:
    """The reader of a stream whose content type says that it is none."""
    start = body[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"data:", b"event:", b"id:", b":")):
        kind = "text/event-stream"
    elif aws.begins(body):
        kind = aws.MEDIA_TYPE
    elif start.startswith(b"{"):
        kind = "application/x-ndjson"
    else:
        return None
    return call.surface.streaming(call.exchange, kind) if call.exchange is not None else None


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
