"""One client and one server of MCP: every message of either is judged before the other gets it.

Knows nothing of HTTP, pipes or sessions: a message in, what goes on and what goes back out. What a result is, it tells
by its shape, not by the request it seems to answer, so that nothing passes for something else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from penstock.errors import NotUnderstood
from penstock.graph.vocabulary import Event
from penstock.protect.asking import Ask, key_of_ask
from penstock.protect.doors.room import allows
from penstock.protect.facts import Facts
from penstock.protect.inspection import Inspection
from penstock.protect.jsontext import replaced, texts
from penstock.protect.judging import judged, worse
from penstock.protect.mcp import message as rpc
from penstock.protect.mcp import words
from penstock.protect.mcp.message import Message
from penstock.protect.mcp.surface import MESSAGES
from penstock.protect.mcp.tools import MOST, Standing, Tools
from penstock.protect.policy import ACTIONS, Decision, Policy, Record
from penstock.protect.sink import Sink, event_id
from penstock.protect.snapshot import Caller, Rule, ToolPin

#: JSON-RPC code of a message that policy stopped (the range -32000 to -32019 is the implementation's own).
STOPPED = -32000
#: Requests of one conversation that wait for their answer; the oldest counts as unanswered when there are more.
WAITING = 1024
_STOP, _OBSERVE = ACTIONS.index("stop"), ACTIONS.index("observe")


@dataclass(frozen=True, slots=True)
class Server:
    """name: as the operator calls it. identity: its address or command. surface: how it is spoken to, for the event."""

    name: str
    identity: str
    surface: str = "mcp.http"


class Passed(msgspec.Struct, frozen=True):
    """What becomes of a message: ``on`` goes on to the other side, ``back`` to whoever sent it."""

    on: bytes | None = None
    back: bytes | None = None


class _Waiting(msgspec.Struct):
    """A request under way: what was seen in it, and when it came."""

    method: str
    name: str
    id: str
    began: float
    record: Record
    asks: dict[str, Ask]
    state: str = ""
    sent: int = 0


@dataclass
class Relay:
    """A conversation. ``policy`` and ``approved`` may be swapped at any time (``now_in_force``)."""

    server: Server
    policy: Policy
    tools: Tools
    inspection: Inspection
    sink: Sink
    approved: tuple[ToolPin, ...] = ()
    session: str = ""
    record_of: Callable[[], Record] = Record
    _waiting: dict[str, _Waiting] = field(default_factory=dict)

    def now_in_force(self, policy: Policy, approved: tuple[ToolPin, ...], record_of: Callable[[], Record]) -> None:
        self.policy, self.approved, self.record_of = policy, approved, record_of

    # ── from the client ──────────────────────────────────────────────────────────────────────────────────────────────

    def from_client(self, body: bytes) -> Passed:
        """Judge what the client sends.

        Raises:
            NotUnderstood: it is no JSON-RPC, or could be read in two ways.
        """
        messages, batch = rpc.read(body)
        outcomes = [self._sent(message) for message in messages]
        if not batch:
            return outcomes[0]
        if all(outcome.on is not None for outcome in outcomes):
            same = all(outcome.on is message.raw for outcome, message in zip(outcomes, messages, strict=True))
            return Passed(body if same else rpc.joined([outcome.on or b"" for outcome in outcomes], batch=True))
        answers = [
            outcome.back or rpc.error(message.id, STOPPED, words.batch_mate())
            for outcome, message in zip(outcomes, messages, strict=True)
            if message.kind == "request"
        ]
        for message in messages:
            self._waiting.pop(_key(message.id), None)
        return Passed(None, rpc.joined(answers, batch=True) if answers else None)

    def _sent(self, message: Message) -> Passed:
        waiting = _Waiting(
            message.method, message.name, event_id(), time.time(), self.record_of(), {}, sent=len(message.raw)
        )  # fmt: skip
        tool = message.name if message.method == "tools/call" else ""
        refusal = self._tool_refusal(message, waiting) if tool else ""
        clean, decision = self._judged(waiting.record, "in", message, tool)
        if not refusal and ends(decision):
            refusal = words.refusal(self.policy.caller, decision, "in", waiting.id, message.name)
        if refusal:
            self._tell(waiting, "stopped_by_policy")
            if message.kind == "request":
                return Passed(None, _denied(message, refusal))
            if message.kind == "notification":
                return Passed()
            return Passed(rpc.error(message.id, STOPPED, words.client_refused()))
        if message.kind == "request":
            if len(self._waiting) >= WAITING:
                self._tell(self._waiting.pop(next(iter(self._waiting))), "unanswered")
            self._waiting[_key(message.id)] = waiting
        elif waiting.record.seen:
            self._tell(waiting, "answered")
        return Passed(clean)

    def _tool_refusal(self, message: Message, waiting: _Waiting) -> str:
        """Why a tool may not be called; empty when it may."""
        standing = self.tools.standing(self.server.name, message.name, self.approved)
        waiting.state = standing.state
        return self._refused(standing, waiting.record, waiting.asks, waiting.id)

    def _refused(self, standing: Standing, record: Record, asks: dict[str, Ask], reference: str) -> str:
        """Why a tool is kept from this caller, noted in the record; empty when it is not."""
        caller = self.policy.caller
        named = f"{self.server.name}/{standing.name}"
        if not allows(caller.tools, named):
            rule = _rule("mcp-tool-not-allowed", f"{caller.name} may use {', '.join(caller.tools)}")
            said = words.not_allowed(caller, named, reference)
        elif standing.quarantined or standing.state == "same-name":
            rule = _rule(f"mcp-tool-{standing.state}", f"{named}: {standing.why}")
            ask = _ask(caller, rule, standing, self.session)
            if record.permits.allows(ask):
                return ""
            asks[ask.key] = ask
            if not standing.quarantined:
                _note(record, rule, _OBSERVE, _OBSERVE)
                return ""
            said = words.quarantined(caller, named, standing, reference)
        else:
            return ""
        _note(record, rule, _STOP if self.policy.enforces else _OBSERVE, _STOP)
        return said if self.policy.enforces else ""

    # ── from the server ──────────────────────────────────────────────────────────────────────────────────────────────

    def from_server(self, body: bytes) -> Passed:
        """Judge what the server sends.

        Raises:
            NotUnderstood: it is no JSON-RPC, or could be read in two ways.
        """
        messages, batch = rpc.read(body)
        outcomes = [self._answered(message) for message in messages]
        if not batch:
            return outcomes[0]
        back = [outcome.back for outcome in outcomes if outcome.back is not None]
        on = [outcome.on for outcome in outcomes if outcome.on is not None]
        same = len(on) == len(messages) and all(
            outcome.on is message.raw for outcome, message in zip(outcomes, messages, strict=True)
        )
        return Passed(
            body if same else rpc.joined(on, batch=True) if on else None, rpc.joined(back, batch=True) if back else None
        )

    def _answered(self, message: Message) -> Passed:
        waiting = self._waiting.pop(_key(message.id), None) if message.kind in ("result", "error") else None
        unasked = waiting is None
        if waiting is None:
            name = "" if message.kind in ("result", "error") else message.name
            waiting = _Waiting(message.method or "answer", name, event_id(), time.time(), self.record_of(), {})
        tool = waiting.name if waiting.method == "tools/call" else ""
        clean, decision = self._judged(waiting.record, "out", message, tool)
        if ends(decision):
            said = words.refusal(self.policy.caller, decision, "out", waiting.id, waiting.name)
            self._tell(waiting, "stopped_by_policy", len(message.raw))
            return _kept_back(message, said)
        listed: list[dict[str, Any]] = []
        if message.kind == "result" and isinstance(message.result.get("tools"), list):
            clean, listed = self._without_quarantined(message, clean, waiting)
        if not unasked or waiting.record.seen or waiting.record.severity or message.kind == "request":
            failed = message.kind == "error" or message.result.get("isError") is True
            self._tell(waiting, "tool_error" if failed else "answered", len(message.raw), listed)
        return Passed(clean)

    def _without_quarantined(
        self, message: Message, clean: bytes, waiting: _Waiting
    ) -> tuple[bytes, list[dict[str, Any]]]:
        """The list without tools that are kept from this caller, and what is worth telling of its tools."""
        given = [tool for tool in message.result["tools"] if isinstance(tool, dict)]
        standings = self.tools.listed(self.server.name, self.server.identity, given[:MOST], self.approved)
        kept: list[bool] = []
        told: list[dict[str, Any]] = []
        numbers = iter(standings)
        for tool in message.result["tools"]:
            standing = next(numbers, None) if isinstance(tool, dict) else None
            if standing is None:
                kept.append(False)  # no tool, or beyond what is looked at: offering it would be offering it unread
                continue
            kept.append(not self._refused(standing, waiting.record, waiting.asks, waiting.id))
            if standing.state not in ("known", "approved"):
                told.append({"name": standing.name[:128], "state": standing.state, "digest": standing.digest}
                            | ({"why": standing.why[:400]} if standing.why else {})
                            | ({"diff": list(standing.diff)} if standing.diff else {}))  # fmt: skip
        waiting.name = ""
        if all(kept):
            return clean, told[:100]
        return _dropped(clean, kept), told[:100]

    # ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _judged(self, record: Record, direction: str, message: Message, tool: str = "") -> tuple[bytes, Decision]:
        """The message by the rules that are about such a call: of this server, of this tool."""
        tools = (tool, f"{self.server.name}/{tool}") if tool else ()
        facts = Facts(self.server.surface, "", self.server.name, tools=tools)
        policy = self.policy.of_call(facts)
        parts = MESSAGES.parts(message.raw, sent=direction == "in")
        clean, decision = judged(self.inspection, policy, record, direction, message.raw, parts)
        if direction == "in" and tool:
            of_call = policy.decide_call(record.permits, facts)
            record.add("in", (), of_call)
            decision = worse(decision, of_call)
        return clean, decision

    def close(self) -> None:
        """The conversation ends: what was never answered is told of."""
        for waiting in self._waiting.values():
            self._tell(waiting, "unanswered")
        self._waiting.clear()

    def _tell(self, waiting: _Waiting, outcome: str, answered: int = 0, listed: Iterable[Any] = ()) -> None:
        """The event of one request: names, states and counts; never an argument or a result."""
        caller, record = self.policy.caller, waiting.record
        about: dict[str, Any] = {"server": self.server.name, "method": waiting.method[:64]}
        if waiting.method == "tools/call":
            about |= {"tool": waiting.name[:128], "state": waiting.state}
        if listed := list(listed):
            about["tools"] = listed
        if self.tools.pins.problem:
            about["problem"] = self.tools.pins.problem
        props: dict[str, Any] = {
            "mode": caller.mode,
            "outcome": outcome,
            "ms": round(1000 * (time.time() - waiting.began), 1),
            "bytes_in": waiting.sent,
            "bytes_out": answered,
            "mcp": about,
        }
        asks = {**record.permits.asks, **waiting.asks}
        if asks:
            props["asks"] = [msgspec.to_builtins(ask) for ask in asks.values()][:20]
        if waiting.method == "tools/call":
            props["tool_calls"] = [waiting.name[:128]]
        if self.session:
            props["session"] = self.session
        if record.meant > record.severity:
            props["would"] = ACTIONS[record.meant]
        self.sink.emit(
            Event(
                id=waiting.id,
                at=waiting.began,
                kind="call",
                application=caller.application,
                surface=self.server.surface,
                provider=self.server.name,
                verdict=record.verdict,
                rules=tuple(record.rules),
                seen=record.counts,
                finding_ids=record.findings,
                props=props,
            )
        )


def ends(decision: Decision) -> bool:
    """Whether the message does not go on."""
    return decision.action in ("ask", "stop")


def _denied(message: Message, why: str) -> bytes:
    """A request that is not sent on, answered so that the agent can go on."""
    if message.method != "tools/call":
        return rpc.error(message.id, STOPPED, why)
    value: dict[str, Any] = {"content": [{"type": "text", "text": why}], "isError": True}
    if message.version:
        value["resultType"] = "complete"
    return rpc.result(message.id, value)


def _kept_back(message: Message, why: str) -> Passed:
    """What the client gets in place of a message of the server, and the server in place of an answer."""
    if message.kind == "notification":
        return Passed()
    if message.kind == "request":
        return Passed(None, rpc.error(message.id, STOPPED, words.client_refused()))
    if message.kind == "result" and ("content" in message.result or "structuredContent" in message.result):
        value: dict[str, Any] = {"content": [{"type": "text", "text": why}], "isError": True}
        if "resultType" in message.result:
            value["resultType"] = "complete"
        return Passed(rpc.result(message.id, value))
    return Passed(rpc.error(message.id, STOPPED, why))


def _dropped(body: bytes, kept: list[bool]) -> bytes:
    """The list of tools without some; all other bytes as they were."""
    found = [text for text in texts(body, values=_is_entry) if text.is_value and _is_entry(text.path)]
    whole = [text for text in texts(body, values=lambda path: path == ("result", "tools")) if text.is_value]
    if len(found) != len(kept) or len(whole) != 1:
        raise NotUnderstood("The list of tools holds what is no tool")
    left = b",".join(body[text.start : text.end] for text, keep in zip(found, kept, strict=True) if keep)
    return replaced(body, [(whole[0].start, whole[0].end, b"[" + left + b"]")])


def _is_entry(path: tuple[str | int, ...]) -> bool:
    return len(path) == 3 and path[:2] == ("result", "tools")


def _key(number: Any) -> str:
    """1 and "1" are two ids."""
    return f"{type(number).__name__}:{number}"


def _rule(name: str, why: str) -> Rule:
    return Rule(id=name, direction="in", categories=(), action="stop", why=why)


def _ask(caller: Caller, rule: Rule, standing: Standing, session: str) -> Ask:
    """The wish to use a tool as it is defined now."""
    subject = f"{standing.server}/{standing.name} as defined now ({standing.digest[:12]})"
    return Ask(
        key=key_of_ask(caller.application, rule.id, subject),
        rule=rule.id,
        subject=subject,
        why="; ".join([standing.why, *standing.diff[:6]])[:1000],
        session="",
        requester=caller.name,
    )


def _note(record: Record, rule: Rule, severity: int, meant: int) -> None:
    record.rules[rule.id] = rule
    record.severity = max(record.severity, severity)
    record.meant = max(record.meant, meant)
