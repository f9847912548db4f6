"""Texts without a protocol, judged by the one engine: what doors share that are handed texts, not calls."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from penstock.graph.vocabulary import Event
from penstock.protect import words
from penstock.protect.exchange import Part
from penstock.protect.inspection import Inspection
from penstock.protect.judging import judged
from penstock.protect.policy import ACTIONS, ATTACK, Policy, Record
from penstock.protect.sink import event_id


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """One text to judge. ``channel``: one of ``exchange.CHANNELS``."""

    text: str
    role: str = ""
    channel: str = "content"


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a text: characters ``start`` to ``end`` of text number ``text``."""

    text: int
    start: int
    end: int
    type: str
    category: str
    confidence: float
    rule: str
    reason: str


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that had a say."""

    id: str
    action: str
    why: str


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """verdict: what is done. would: what would be done if policy were enforced. texts: as they may go on, in order.

    message: for the person whose text was stopped; empty when it goes on. reference: the id of the event.
    """

    verdict: str
    would: str
    stopped: bool
    texts: tuple[str, ...]
    spans: tuple[Seen, ...]
    rules: tuple[Fired, ...]
    message: str
    reference: str


def examine(
    inspection: Inspection, policy: Policy, record: Record, texts: Sequence[Text], direction: str, reference: str
) -> Examined:
    """Judge texts that belong together: each is masked by itself, the worst decision stands for all.

    Args:
        direction: ``in`` for what is sent to a model or a tool, ``out`` for what comes from one.
    """
    clean: list[str] = []
    spans: list[Seen] = []
    stopping = None
    for number, text in enumerate(texts):
        data = text.text.encode("utf-8", "surrogatepass")
        part = Part(text.role, text.channel, text.text, 0, len(data), "raw")
        out, decision = judged(inspection, policy, record, direction, data, [part])
        clean.append(text.text if out is data else out.decode("utf-8", "surrogatepass"))
        if decision.ends and stopping is None:
            stopping = decision
        spans += _seen(inspection, policy, direction, number, text)
    return Examined(
        verdict=record.verdict,
        would=ACTIONS[max(record.severity, record.meant)],
        stopped=stopping is not None,
        texts=() if stopping is not None else tuple(clean),
        spans=tuple(spans),
        rules=tuple(
            Fired(id=rule.id, action=rule.action, why=rule.message or rule.why) for rule in record.rules.values()
        ),
        message=words.refusal(policy.caller, stopping, direction, reference) if stopping is not None else "",
        reference=reference,
    )


def _seen(inspection: Inspection, policy: Policy, direction: str, number: int, text: Text) -> list[Seen]:
    found = inspection.spans(text.text)
    channels = policy.looks_for_attacks[direction]
    if "*" in channels or text.channel in channels:
        found = [*found, *inspection.attacks(text.text, "user" if text.channel == "user" else "content")]
    return [
        Seen(text=number, start=span.start, end=span.end, type=span.type, category=span.category,
             confidence=span.confidence, rule=span.rule, reason=span.reason if span.category == ATTACK else "")
        for span in found
    ]  # fmt: skip


class Noted(msgspec.Struct):
    """The event of one examined call, as it is gathered."""

    surface: str
    policy: Policy
    record: Record
    id: str = msgspec.field(default_factory=event_id)
    began: float = msgspec.field(default_factory=time.time)
    model: str = ""
    sent: int = 0
    answered: int = 0
    props: dict[str, Any] = {}

    def event(self, outcome: str) -> Event:
        """Types, counts and names; never a text."""
        caller, record = self.policy.caller, self.record
        props: dict[str, Any] = {
            "mode": caller.mode, "outcome": outcome, "ms": round(1000 * (time.time() - self.began), 1),
            "bytes_in": self.sent, "bytes_out": self.answered, **self.props,
        }  # fmt: skip
        if record.permits.asks:
            props["asks"] = [msgspec.to_builtins(ask) for ask in record.permits.asks.values()][:20]
        if record.meant > record.severity:
            props["would"] = ACTIONS[record.meant]
        return Event(
            id=self.id, at=self.began, kind="call", application=caller.application, surface=self.surface,
            model=self.model[:200], verdict=record.verdict, rules=tuple(record.rules), seen=record.counts,
            finding_ids=record.findings, props=props,
        )  # fmt: skip
