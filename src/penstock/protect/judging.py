"""A body in one piece, judged: what policy masks is masked, and all of its parts together get one decision."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.protect.exchange import Part
from penstock.protect.inspection import Inspection
from penstock.protect.jsontext import place, replaced
from penstock.protect.masks import masked, masks
from penstock.protect.policy import ACTIONS, ALLOW, Decision, Policy, Record


def judged(
    inspection: Inspection, policy: Policy, record: Record, direction: str, body: bytes, parts: Iterable[Part]
) -> tuple[bytes, Decision]:
    """The body (the very same object when nothing is masked) and the most severe decision on its parts."""
    edits: list[tuple[int, int, bytes]] = []
    worst = ALLOW
    for part in parts:
        spans = inspection.spans(part.text, is_json=part.is_json)
        if not spans:
            continue
        decision = policy.decide(direction, spans)
        record.add(direction, spans, decision)
        worst = _worse(worst, decision)
        if decision.redact and not part.fixed:
            text = masked(part.text, masks(part.text, decision.redact, is_json=part.is_json))
            edits.append((*place(body, part.start, part.end), part.encoded(text)))
    if worst.action == "stop" or not edits:
        return body, worst
    return replaced(body, edits), worst


def _worse(one: Decision, other: Decision) -> Decision:
    if one.action == other.action == "stop":
        rules = {rule.id: rule for rule in (*one.rules, *other.rules)}
        return Decision("stop", tuple(rules.values()), (), "stop", tuple(dict.fromkeys((*one.types, *other.types))))
    return one if ACTIONS.index(one.action) >= ACTIONS.index(other.action) else other
