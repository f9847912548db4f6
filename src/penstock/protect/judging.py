"""A body in one piece, judged: what policy masks is masked, and all of its parts together get one decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from penstock.inspect.span import Span
from penstock.protect.exchange import Part
from penstock.protect.inspection import Inspection
from penstock.protect.jsontext import places, replaced
from penstock.protect.masks import Mask, apart, masked, masks
from penstock.protect.policy import ACTIONS, ALLOW, Decision, Policy, Record


def judged(
    inspection: Inspection, policy: Policy, record: Record, direction: str, body: bytes, parts: Sequence[Part]
) -> tuple[bytes, Decision]:
    """The body (the very same object when nothing is masked) and the most severe decision on its parts."""
    wanted: dict[int, list[Mask]] = {}
    worst = ALLOW
    for number, part in enumerate(parts):
        if spans := inspection.spans(part.text, is_json=part.is_json):
            decision = policy.decide(direction, spans)
            record.add(direction, spans, decision)
            worst = _worse(worst, decision)
            if decision.redact:
                wanted[number] = masks(part.text, decision.redact, is_json=part.is_json)
    for first, last in _runs(parts):
        texts = [part.text for part in parts[first:last]]
        if spans := across(inspection.spans("".join(texts)), texts):
            decision = policy.decide(direction, spans)
            record.add(direction, spans, decision)
            worst = _worse(worst, decision)
            for number, more in spread(masks("", decision.redact), texts):
                wanted[first + number] = apart([*wanted.get(first + number, ()), more])
    changed = [
        (parts[number], masked(parts[number].text, found))
        for number, found in wanted.items()
        if found and not parts[number].fixed
    ]
    if worst.action == "stop" or not changed:
        return body, worst
    return rewritten(body, changed), worst


def _runs(parts: Sequence[Part]) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) of parts that are read as one text, where they are more than one."""
    first = 0
    for number in range(1, len(parts) + 1):
        if number == len(parts) or parts[number].run != parts[first].run or not parts[first].run:
            if number - first > 1:
                yield first, number
            first = number


def across(spans: Iterable[Span], texts: Sequence[str]) -> list[Span]:
    """The spans of the joined texts that belong to no text alone."""
    borders = list(accumulate(map(len, texts)))[:-1]
    return [span for span in spans if any(span.start < border < span.end for border in borders)]


def spread(wanted: Iterable[Mask], texts: Sequence[str]) -> Iterator[tuple[int, Mask]]:
    """Masks of the joined texts, as masks of each: the word where the value begins, nothing where it goes on."""
    for start, end, word in wanted:
        at = 0
        for number, text in enumerate(texts):
            left, right = max(start - at, 0), min(end - at, len(text))
            if left < right:
                yield number, (left, right, word if start >= at else "")
            at += len(text)


def rewritten(body: bytes, changed: Sequence[tuple[Part, str]]) -> bytes:
    """The body with other texts in some of its parts, and every other byte as it was."""
    where = places(body, [part.place for part, _ in changed])
    return replaced(body, [(*at, part.encoded(text)) for at, (part, text) in zip(where, changed, strict=True)])


def _worse(one: Decision, other: Decision) -> Decision:
    if one.action == other.action == "stop":
        rules = {rule.id: rule for rule in (*one.rules, *other.rules)}
        return Decision("stop", tuple(rules.values()), (), "stop", tuple(dict.fromkeys((*one.types, *other.types))))
    return one if ACTIONS.index(one.action) >= ACTIONS.index(other.action) else other
