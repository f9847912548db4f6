"""The gateway: a call comes in, is read, judged, sent on, and its answer judged on the way back.

Raw ASGI, because this path is walked by every call. Bytes pass through as they came unless policy masks some of them.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from penstock.errors import NotReachable, NotUnderstood
from penstock.protect import words
from penstock.protect.call import NOBODY, Call
from penstock.protect.doors.registry import Doors
from penstock.protect.doors.room import Room
from penstock.protect.exchange import Asked, Attachment, Part
from penstock.protect.framing import aws
from penstock.protect.inspection import Inspection
from penstock.protect.judging import judged
from penstock.protect.keys import is_signed, key_of
from penstock.protect.policy import Decision
from penstock.protect.requests import LARGEST, ClientGone, Receive, Scope, Send, TooLarge, read_body
from penstock.protect.sink import Sink
from penstock.protect.snapshot_source import Source
from penstock.protect.stream_guard import StreamGuard
from penstock.protect.surfaces.registry import UNKNOWN, Registry
from penstock.protect.surfaces.surface import STOPPED, Streaming
from penstock.protect.upstream import Answer, Upstreams
from penstock.protect.wire import Broken, Headers

App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Lists of models hold no content; clients ask for them before anything else.
_ABOUT_MODELS = "/v1/models"
_JSON: Headers = [(b"content-type", b"application/json")]
_CUT = (OSError, TimeoutError, NotUnderstood, Broken)


def build(source: Source, sink: Sink) -> App:
    """The gateway as an ASGI application."""
    return Gateway(source, sink)


class Gateway:
    """Holds what outlives a call: connections, detectors, counters."""

    def __init__(self, source: Source, sink: Sink, inspection: Inspection | None = None) -> None:
        self._source = source
        self._sink = sink
        self._inspection = inspection or Inspection()
        self._surfaces = Registry()
        self._upstreams: Upstreams | None = None
        self.counts = dict.fromkeys(("calls", "refused", "uninspected", "failed", "hung_up"), 0)
        self._doors = Doors(Room(source, sink, self._inspection, self._connected, self.counts))

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
            await self._health(path, send)
            return
        call = Call(scope, send, UNKNOWN, {})
        if found := self._surfaces.find(call.method, path, call.headers):
            call.surface, call.fields = found
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
            await self._refuse(call, 413, str(error), "request_too_large")
        except NotUnderstood as error:
            await self._refuse(call, 400, str(error), "not_understood")
        except NotReachable as error:
            self.counts["failed"] += 1
            await self._refuse(call, 502, str(error), "upstream_unreachable")
        finally:
            if call.policy is not NOBODY:
                self._sink.emit(call.event())

    async def _guarded(self, call: Call, path: str, receive: Receive) -> None:
        in_force = self._source.current()
        if in_force is None:
            return await self._refuse(call, 503, words.not_ready(self._source.problem), "no_policy")
        policy = in_force.policy_of(key_of(call.headers, call.query))
        if policy is None:
            return await self._refuse(call, 401, words.unknown_key(), "invalid_api_key")
        call.policy = policy
        named = call.headers.get(b"x-penstock-upstream", b"").decode("latin-1")
        call.upstream = in_force.upstream(named, call.surface.family, call.surface.name)
        if call.upstream is None:
            return await self._refuse(call, 503, words.no_upstream(), "no_upstream")
        if call.surface is UNKNOWN and not self._may_pass(call, path):
            return await self._refuse(call, 404, words.unknown_path(path), "path_not_inspected")
        body = await read_body(call.headers, receive)
        call.sent = len(body)
        caller = policy.caller
        asked = Asked(
            call.method, path, call.headers, body, call.query, call.fields, caller.name, caller.application
        )  # fmt: skip
        exchange = call.exchange = call.surface.request(asked)
        call.carried("in", exchange.attachments)
        unnamed = not exchange.model and call.surface.carries_files  # no call of a model
        if caller.models and exchange.model not in caller.models and not unnamed:
            call.props["model_not_allowed"] = True
            if policy.enforces:
                call.record.severity = 3
                return await self._refuse(
                    call, 403, words.model_not_allowed(caller, exchange.model), "model_not_allowed"
                )
        clean, decision = self._judged(call, "in", body, exchange.parts)
        if decision.action == "stop":
            return await self._say_no(call, decision)
        if clean is not body and not call.upstream.key_env and is_signed(call.headers):
            return await self._refuse(call, 403, words.cannot_mask_signed(), "signed_by_caller")
        return await self._sent_on(call, clean, receive)

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

    async def _sent_on(self, call: Call, body: bytes, receive: Receive) -> None:
        """Ask the provider, and leave at once when the client does."""
        upstreams = self._connected()
        assert call.upstream is not None and call.exchange is not None  # noqa: S101
        call.work = asyncio.current_task()
        watch = asyncio.get_running_loop().call_later(_GLANCE, _watch, call, receive)
        answer = None
        try:
            answer = await upstreams.ask(
                call.upstream, call.method, call.path, call.query, call.scope["headers"], body, call.surface.family
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

    def _connected(self) -> Upstreams:
        """The way out, inside the event loop that serves."""
        if self._upstreams is None:  # served without lifespan events
            self._upstreams = Upstreams()
        return self._upstreams

    async def _streamed(self, call: Call, answer: Answer, streaming: Streaming) -> None:
        guard = StreamGuard(
            call.policy, self._inspection, call.record, streaming, lambda decision: call.refusal(decision, "out")
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
        try:
            body = await _bounded(answer)
        except (OSError, TimeoutError, Broken) as error:
            raise NotReachable("The provider's answer broke off", hint="Ask again") from error
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
        if decision.action == "stop":
            return await self._say_no(call, decision, body)
        return await call.whole(answer.status, answer.headers, clean)

    async def _passed(self, call: Call, answer: Answer) -> None:
        """An answer that holds no text: a picture, a sound."""
        await call.start(answer.status, answer.headers)
        try:
            async for piece in answer.body:
                call.answered += len(piece)
                await call.more(piece)
        except _CUT:
            call.outcome = "cut"
        call.carried("out", (Attachment(answer.content_type, call.answered),))
        await call.end(b"")

    def _judged(self, call: Call, direction: str, body: bytes, parts: Sequence[Part]) -> tuple[bytes, Decision]:
        return judged(self._inspection, call.policy, call.record, direction, body, parts)

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

    async def _refuse(self, call: Call, status: int, message: str, code: str) -> None:
        """An error in the shape the client's library reads; in a stream that has begun, the stream ends."""
        self.counts["refused"] += 1
        call.outcome = code
        if call.started:
            await call.end(b"")
            return
        call.status = status
        failure = call.surface.failure(status, message, code)
        await call.whole(status, [*failure.headers, (b"connection", b"close")], failure.body)

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
                gc.collect()
                gc.freeze()  # detectors and modules live as long as the process: collections need not walk them
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self._upstreams is not None:
                    await self._upstreams.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


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
