"""A body in one piece, judged: what policy masks is masked, and all of its parts together get one decision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from penstock.inspect.span import Span
from penstock.protect.exchange import Part
from penstock.protect.inspection import Inspection
from penstock.protect.jsontext import places, replaced
from penstock.protect.masks import Mask, apart, masked, masks
from penstock.protect.policy import ALLOW, SEVERITY, Decision, Policy, Record
from penstock.protect.tokens import Returning, is_token

#: What becomes of a value that is to be hidden by a token.
Tokenise = Callable[[Span, str], str]


def judged(
    inspection: Inspection, policy: Policy, record: Record, direction: str, body: bytes, parts: Sequence[Part]
) -> tuple[bytes, Decision]:
    """The body (the very same object when nothing is masked) and the most severe decision on its parts."""
    wanted: dict[int, list[Mask]] = {}
    worst = ALLOW
    runs = list(_runs(parts))
    for number, part in enumerate(parts):
        if spans := inspection.spans(part.text, is_json=part.is_json):
            decision, found = ruled(inspection, policy, record, direction, part, part.text, spans)
            worst = worse(worst, decision)
            if found:
                wanted[number] = found
    for first, last in runs:
        texts = [part.text for part in parts[first:last]]
        joined = "".join(texts)
        if spans := across(inspection.spans(joined), texts):
            decision, found = ruled(inspection, policy, record, direction, parts[first], joined, spans)
            worst = worse(worst, decision)
            for number, more in spread(found, texts):
                wanted[first + number] = apart([*wanted.get(first + number, ()), more])
    if policy.looks_for_attacks[direction]:
        worst = worse(worst, _attacks(inspection, policy, record, direction, parts, runs))
    changed = [
        (parts[number], masked(parts[number].text, found))
        for number, found in wanted.items()
        if found and not parts[number].fixed
    ]
    if worst.ends or not changed:
        return body, worst
    return rewritten(body, changed), worst


def ruled(
    inspection: Inspection, policy: Policy, record: Record, direction: str, part: Part, text: str, spans: list[Span]
) -> tuple[Decision, list[Mask]]:
    """What policy says of the spans of a text, and what stands in their places; both directions, whole or streamed.

    Tokens are nobody's data: in an answer they become what they stand for.
    """
    tokens = inspection.tokens
    returned: list[Span] = []
    if tokens is not None:
        returned = [span for span in spans if is_token(span)]
        spans = [span for span in spans if not is_token(span)]
    decision = policy.decide(direction, spans, part.channel, text, record.permits)
    record.add(direction, spans, decision)
    record.note(direction, part.channel, spans)
    found = masks(text, decision.redact, is_json=part.is_json) if decision.redact else []
    if tokens is not None and (decision.tokenise or (returned and direction == "out")):
        hidden = masks(text, decision.tokenise, is_json=part.is_json, instead=tokens.token)
        back = masks(text, returned, is_json=part.is_json, instead=_restored(tokens)) if direction == "out" else []
        found = apart([*found, *hidden, *back])
    return decision, found


def _restored(tokens: Returning) -> Tokenise:
    return lambda _, word: tokens.restore(word)


#: Channels whose text comes from the person who asks; all others that are looked at come from elsewhere.
_OF_THE_USER = frozenset({"user"})
#: Channels in which attacks are never looked for: what the operator and the model say.
_TRUSTED = frozenset({"system", "assistant", "tool_call"})


def _attacks(
    inspection: Inspection,
    policy: Policy,
    record: Record,
    direction: str,
    parts: Sequence[Part],
    runs: Iterable[tuple[int, int]],
) -> Decision:
    """Judge as attacks what a model reads from outside; parts that are one text are read as one."""
    wanted = policy.looks_for_attacks[direction]
    ends = dict(runs)
    worst, skip = ALLOW, 0
    task = next((part.text for part in reversed(parts) if part.channel == "user"), "")
    for number, part in enumerate(parts):
        if number < skip or (direction == "in" and part.channel in _TRUSTED):
            continue
        if "*" not in wanted and part.channel not in wanted:
            continue
        skip = ends.get(number, 0)
        text = "".join(one.text for one in parts[number:skip]) if skip else part.text
        if part.channel in _OF_THE_USER:
            spans = inspection.attacks(text, "user")
        else:
            spans = inspection.attacks(text, "content", task)
        if spans:
            decision = policy.decide(direction, spans, part.channel, text, record.permits)
            record.add(direction, spans, decision)
            record.note(direction, part.channel, spans)
            worst = worse(worst, decision)
    return worst


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


def worse(one: Decision, other: Decision) -> Decision:
    """The more severe of two; two that end the call name the rules of both."""
    if one.action == other.action and one.ends:
        rules = {rule.id: rule for rule in (*one.rules, *other.rules)}
        types = tuple(dict.fromkeys((*one.types, *other.types)))
        return Decision(one.action, tuple(rules.values()), (), one.action, types)
    return one if SEVERITY[one.action] >= SEVERITY[other.action] else other
