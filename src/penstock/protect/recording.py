"""What was seen in a call, kept so that a changed policy can be tried on it: kinds of data and channels, never texts.

Policy decides on spans and facts alone, so this is all it takes to decide again. It is written only where the operator
asks for it (``gateway.record``), as events of the kind ``recording`` in a spool of their own, which is bounded as all
spools are.
"""

from __future__ import annotations

import msgspec

from penstock.graph.vocabulary import Event
from penstock.inspect.span import Span
from penstock.protect.facts import Facts
from penstock.protect.permits import Permits
from penstock.protect.policy import ALLOW, Decision, Policy, Record, Seen

#: Texts of one call that are recorded; the rest of it is left out, and the recording says so.
TEXTS = 500


class Recording(msgspec.Struct, frozen=True):
    """One call, as far as policy asks."""

    facts: Facts
    seen: tuple[Seen, ...]
    whole: bool = True


def recording(event: Event, facts: Facts, seen: list[Seen]) -> Event:
    """What is written of a call."""
    kept = Recording(facts, tuple(seen[:TEXTS]), len(seen) <= TEXTS)
    return Event(
        id=event.id,
        at=event.at,
        kind="recording",
        application=event.application,
        verdict=event.verdict,
        rules=event.rules,
        props={"recording": msgspec.to_builtins(kept)},
    )


def recorded(event: Event) -> Recording | None:
    """The recording that an event holds; None when it holds none."""
    if event.kind != "recording":
        return None
    try:
        return msgspec.convert(event.props.get("recording"), Recording)
    except msgspec.ValidationError:
        return None


def decided(policy: Policy, kept: Recording) -> tuple[str, tuple[str, ...]]:
    """What a policy says of a recorded call: the action, and the rules that led to it. Nothing is granted."""
    narrowed, record = policy.of_call(kept.facts), Record()
    permits = Permits()
    whole_call: Decision = narrowed.decide_call(permits, kept.facts)
    if whole_call is not ALLOW:
        record.add("in", (), whole_call)
    for one in kept.seen:
        spans = [Span(0, 0, kind, category, sure, "", "") for category, kind, sure in one.spans]
        record.add(one.direction, spans, narrowed.decide(one.direction, spans, one.channel, "", permits))
    return record.verdict, tuple(sorted(record.rules))
