"""The OTLP receiver: ``POST /v1/traces`` and ``/v1/logs``, in front of the console's guard, with a check of its own.

Whoever sends shows a virtual key (which says whose telemetry it is), or the console's token; on loopback without a
token every local program may, as it may use the console. What is sent becomes events in the spool and observations in
the store; its texts are looked at and kept nowhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penstock.discover.telemetry import observe, otlp
from penstock.discover.telemetry.dialects import Call, call_of
from penstock.errors import NotReachable, NotUnderstood, PenstockError
from penstock.graph.store.protocol import Store
from penstock.graph.vocabulary import Asset, Observation
from penstock.inspect.sensitive import detect
from penstock.protect.sink import Spool
from penstock.respond.traffic import as_scan
from penstock.serve.guard import Guard

PATHS: dict[str, otlp.Signal] = {"/v1/traces": "traces", "/v1/logs": "logs"}
#: Exports that are worked on at the same time; more wait. Exports that wait; more are told to come back.
AT_ONCE, WAITING = 2, 64
#: Seconds for which a use that was taken in is not taken in again, and uses that are remembered.
RECENT, REMEMBERED = 3600.0, 50_000
#: Seconds for which the keys in use are taken for current.
KEYS = 1.0


@dataclass(frozen=True, slots=True)
class Taken:
    """What one export held."""

    calls: int
    observations: int


class Intake:
    """Takes exports in; safe to use from threads."""

    def __init__(self, store: Store, spool: Path) -> None:
        self._store = store
        self._path = spool
        self._spool: Spool | None = None
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._assets: dict[str, Asset] = {}
        self._keys: dict[str, str] = {}
        self._keys_read = 0.0

    def take(self, body: bytes, content_type: str, coding: str, signal: otlp.Signal, application: str) -> Taken:
        """Read one export.

        Args:
            application: id of the asset whose key was shown; empty: the resource says whose it is.
        Raises:
            NotUnderstood, NotReachable: see ``otlp.read``.
        """
        now, budget, calls = time.time(), observe.Budget(), 0
        fresh: list[Observation] = []
        known = self._asset(application) if application else None
        for said in otlp.read(otlp.unpacked(body, coding), content_type, signal):
            call = call_of(said)
            if call is None:
                continue
            owner = known or observe.application_of(call)
            self._sink().emit(observe.event_of(call, owner.id, detect, budget))
            calls += 1
            if self._is_new(call, owner, now):
                fresh += observe.observations_of(call, owner)
        if known is not None:  # what is known of the key's own application is not told anew
            fresh = [seen for seen in fresh if seen.subject != known]
        if fresh:
            stamped = [replace(seen, evidence=replace(seen.evidence, seen_at=now)) for seen in fresh]
            self._store.ingest(as_scan(tuple(stamped), now))
        return Taken(calls, len(fresh))

    def application_of(self, key: str) -> str | None:
        """The application that a virtual key stands for; None when it is none that is in use."""
        now = time.monotonic()
        if now - self._keys_read > KEYS:
            made = self._store.keys()
            self._keys = {one.sha256: one.application for one in made if one.revoked_at is None}
            self._keys_read = now
        return self._keys.get(hashlib.sha256(key.encode()).hexdigest())

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()

    def _asset(self, application: str) -> Asset | None:
        """The asset that a key stands for; looked up once, for its id and scope never change."""
        if application not in self._assets:
            if (asset := self._store.graph().assets.get(application)) is None:
                return None
            self._assets[application] = asset
        return self._assets[application]

    def _sink(self) -> Spool:
        with self._lock:
            if self._spool is None:
                self._spool = Spool(self._path)
            return self._spool

    def _is_new(self, call: Call, owner: Asset, now: float) -> bool:
        use = observe.uses(call, owner.id)
        with self._lock:
            if now - self._seen.get(use, 0.0) < RECENT:
                return False
            self._seen[use] = now
            self._seen.move_to_end(use)
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return True


class Otlp:
    """The receiver's two paths; all others go to the application behind it."""

    def __init__(self, app: ASGIApp, intake: Intake, guard: Guard) -> None:
        self._app, self._intake, self._guard = app, intake, guard
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        signal = PATHS.get(scope.get("path", "")) if scope["type"] == "http" else None
        if signal is None:
            try:
                await self._app(scope, receive, send)
            finally:
                if scope["type"] == "lifespan":
                    self._intake.close()
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            status, problem = await self._taken(scope, headers, receive, signal)
        except NotUnderstood as error:
            status, problem = 400, str(error)
        except NotReachable as error:
            status, problem = 503, str(error)
        as_json = headers.get(b"content-type", b"").lower().startswith(b"application/json")
        await _answer(send, status, problem, as_json=as_json)

    async def _taken(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, signal: otlp.Signal
    ) -> tuple[int, str]:
        if scope["method"] != "POST":
            return 405, "Telemetry is sent with POST"
        if b"origin" in headers or not self._guard.answers_to(headers.get(b"host", b"").decode("latin-1")):
            return 403, "Telemetry is sent by programs, not by pages, and to a name of this server"
        application = await asyncio.to_thread(self._sender, headers)
        if application is None:
            return 401, "Send Authorization: Bearer with a virtual key (penstock keys add) or the server's token"
        if self._waiting >= WAITING:
            return 429, "Too much at once: send again later"
        self._waiting += 1
        try:
            body = await _body(headers, receive)
            if body is None:
                return 413, f"An export holds at most {otlp.SENT >> 20} MiB: send smaller batches"
            kind = headers.get(b"content-type", b"").decode("latin-1")
            coding = headers.get(b"content-encoding", b"").strip().lower().decode("latin-1")
            async with self._free:
                await asyncio.to_thread(self._intake.take, body, kind, coding, signal, application)
        finally:
            self._waiting -= 1
        return 200, ""

    def _sender(self, headers: dict[bytes, bytes]) -> str | None:
        """The application that sends; empty when the resource may say who it is, None when nobody may."""
        bearer = headers.get(b"authorization", b"").decode("latin-1")
        given = headers.get(b"x-api-key", b"").decode("latin-1")
        key = bearer[7:].strip() if bearer[:7].lower() == "bearer " else given
        if key and (application := self._intake.application_of(key)) is not None:
            return application
        if key.startswith("psk_"):  # a key that was revoked is no other credential
            return None
        try:
            return "" if self._guard.user_of({b"authorization": f"Bearer {key}".encode()} if key else {}) else None
        except PenstockError:
            return None


async def _body(headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
    """The whole body; None when it is too large."""
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > otlp.SENT:
        return None
    pieces: list[bytes] = []
    size = 0
    while True:
        message: Message = await receive()
        if message["type"] != "http.request":
            raise NotUnderstood("The export was broken off")
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > otlp.SENT:
            return None
        if not message.get("more_body"):
            return b"".join(pieces)


async def _answer(send: Send, status: int, problem: str, *, as_json: bool) -> None:
    """An empty export response, or why not: as JSON, or as google.rpc.Status whose second field is the message."""
    kind = b"application/json" if as_json else b"application/x-protobuf"
    said = problem.encode()[:1000]
    if as_json:
        body = b"{}" if status == 200 else msgspec.json.encode({"message": said.decode(errors="ignore")})
    else:
        body = b"" if status == 200 else b"\x12" + _varint(len(said)) + said
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if status in (429, 503):
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])
