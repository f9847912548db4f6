"""One call on its way through the gateway: what is known of it, and how its answer goes out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec

from penstock.graph.vocabulary import Event
from penstock.protect import words
from penstock.protect.exchange import Attachment, Exchange, ToolCall, Usage
from penstock.protect.facts import Facts
from penstock.protect.inspection import Inspection
from penstock.protect.policy import ACTIONS, Decision, Policy, Record
from penstock.protect.prices import Prices
from penstock.protect.requests import Scope, Send
from penstock.protect.sink import event_id
from penstock.protect.snapshot import Caller, Upstream
from penstock.protect.surfaces.surface import Surface
from penstock.protect.tokens import conversation_of
from penstock.protect.wire import Headers

#: Who calls before the key was looked up.
NOBODY = Policy(Caller(application="", name=""))


@dataclass(slots=True)
class Call:
    """What is gathered while a call is served; its event is made from it."""

    scope: Scope
    send: Send
    surface: Surface
    fields: Mapping[str, str]
    inspection: Inspection
    id: str = field(default_factory=event_id)
    began: float = field(default_factory=time.time)
    #: When it began by the clock that only goes forward, and how many seconds of it were waited for others: for the
    #: client's body, for the provider, for a client that reads slowly.
    clock: float = field(default_factory=time.perf_counter)
    waited: float = 0.0
    record: Record = field(default_factory=Record)
    props: dict[str, Any] = field(default_factory=dict)
    headers: Mapping[bytes, bytes] = field(init=False)
    method: str = field(init=False)
    policy: Policy = NOBODY
    upstream: Upstream | None = None
    exchange: Exchange | None = None
    facts: Facts = field(default_factory=Facts)
    status: int = 0
    body: bytes = b""
    sent_query: bytes = b""  # what of the query is sent on
    sent: int = 0
    answered: int = 0
    outcome: str = "answered"
    admitted: bool = False
    started: bool = False
    #: Message and code of the refusal when the caller may not use this model, provider or route.
    not_allowed: tuple[str, str] | None = None
    prices: Prices | None = None
    cost: float = 0.0
    usage: Usage | None = None
    gone: bool = False
    work: asyncio.Task[Any] | None = None
    watcher: asyncio.Task[None] | None = None
    session_key: bytes = b""
    _session: str | None = None

    def __post_init__(self) -> None:
        self.headers = dict(self.scope["headers"])
        self.method = self.scope["method"]

    @property
    def path(self) -> str:
        """The path as it came, escapes and all: what is sent on."""
        raw: bytes = self.scope.get("raw_path") or self.scope["path"].encode()
        return raw.decode("latin-1")

    @property
    def query(self) -> bytes:
        query: bytes = self.scope.get("query_string", b"")
        return query

    @property
    def session(self) -> str:
        """The conversation: as the caller names it in ``x-penstock-session``, else known by how it began."""
        if self._session is None:
            named = self.headers.get(b"x-penstock-session", b"").decode("latin-1")[:128]
            if self.exchange is None:
                return named
            self._session = conversation_of(self.exchange, named)
        return self._session

    def refusal(self, decision: Decision, direction: str) -> str:
        return words.refusal(self.policy.caller, decision, direction, self.id)

    async def start(self, status: int, headers: Headers) -> None:
        self.started = True
        said = [*headers, (b"x-penstock-decision", self.record.verdict.encode())]
        if self.policy.caller.mode == "warn" and self.record.meant > self.record.severity:
            said.append((b"x-penstock-warning", words.warning(self.record).encode("latin-1", "replace")))
        await self.send({"type": "http.response.start", "status": status, "headers": said})

    async def more(self, body: bytes) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self, body: bytes) -> None:
        await self.send({"type": "http.response.body", "body": body})

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """An answer in one piece."""
        await self.start(status, [*headers, (b"content-length", b"%d" % len(body))])
        await self.end(body)

    def _told_session(self) -> str:
        """The conversation as its events name it: alike for alike, and saying nothing of how it began."""
        return blake2b(self.session.encode("utf-8", "surrogatepass"), digest_size=8, key=self.session_key).hexdigest()

    # ── what is kept ─────────────────────────────────────────────────────────────────────────────────────────────────

    def told(self, usage: Usage | None, finish: str, tool_calls: tuple[ToolCall, ...]) -> None:
        """What the answer says of itself."""
        if usage is not None:
            self.usage = usage
            self.props["usage"] = {"in": usage.sent, "out": usage.answered}
        if finish:
            self.props["finish"] = finish[:64]
        if tool_calls:
            self.props["tool_calls"] = sorted({call.name for call in tool_calls})

    def carried(self, direction: str, attachments: tuple[Attachment, ...]) -> None:
        """Files that went by unread."""
        if attachments:
            self.props[f"unread_files_{direction}"] = [
                {"type": file.media_type[:64], "bytes": file.size} for file in attachments[:20]
            ]

    def event(self) -> Event:
        """What is kept of the call: types, counts and names; never a text."""
        caller = self.policy.caller
        took = time.perf_counter() - self.clock
        props: dict[str, Any] = {
            "mode": caller.mode,
            "status": self.status,
            "outcome": self.outcome,
            "ms": round(1000 * took, 1),
            "added_ms": round(1000 * max(0.0, took - self.waited), 2),
            "bytes_in": self.sent,
            "bytes_out": self.answered,
        }
        if self.upstream is not None:
            props["upstream"] = self.upstream.base_url
        if self.exchange is not None:
            props["stream"] = self.exchange.stream
            props["session"] = self._told_session()
            if self.exchange.tools:
                props["tools"] = list(self.exchange.tools)
            if self.exchange.unread:
                props["unread_in"] = self.exchange.unread
        if self.record.meant > self.record.severity:
            props["would"] = ACTIONS[self.record.meant]
        if self.cost:
            props["cost"] = round(self.cost, 8)
        permits = self.record.permits
        if permits.asks and self.record.verdict == "ask":
            props["asks"] = [msgspec.to_builtins(ask) for ask in permits.asks.values()]
        if permits.granted:
            props["grants"] = sorted({grant.id for grant in permits.granted.values()})
        if tags := sorted({rule.tag or rule.id for rule in self.record.rules.values() if rule.action == "tag"}):
            props["tags"] = tags
        if (tokens := self.inspection.tokens) is not None and tokens.made:
            props["tokens"] = {"made": tokens.made, "returned": tokens.returned}
        return Event(
            id=self.id,
            at=self.began,
            kind="call",
            application=caller.application,
            surface=self.exchange.surface if self.exchange else "",
            provider=self.upstream.name if self.upstream else "",
            model=self.exchange.model[:200] if self.exchange else "",
            verdict=self.record.verdict,
            rules=tuple(self.record.rules),
            seen=self.record.counts,
            finding_ids=self.record.findings,
            props=props | self.props,
        )
