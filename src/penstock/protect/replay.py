"""A changed policy, tried on what was recorded: which calls would be decided otherwise, and by which rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from penstock.graph.vocabulary import Event
from penstock.protect.policy import Policy
from penstock.protect.recording import decided, recorded
from penstock.protect.snapshot import PolicySnapshot


@dataclass(frozen=True, slots=True)
class Change:
    """Recorded calls of one application that are decided otherwise alike, with the id of one of them."""

    application: str
    before: str
    after: str
    rules: tuple[str, ...]
    calls: int
    example: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """calls: how many were tried; unknown: how many have no caller in the changed policy any more."""

    calls: int
    unknown: int
    changes: tuple[Change, ...]


def replay(events: Iterable[Event], before: PolicySnapshot, after: PolicySnapshot) -> Replayed:
    """What would change for the recorded calls, most frequent first."""
    old, new = _by_application(before), _by_application(after)
    calls = unknown = 0
    found: Counter[tuple[str, str, str, tuple[str, ...]]] = Counter()
    examples: dict[tuple[str, str, str, tuple[str, ...]], str] = {}
    for event in events:
        kept = recorded(event)
        if kept is None:
            continue
        calls += 1
        if event.application not in old or event.application not in new:
            unknown += 1
            continue
        was, had = decided(old[event.application], kept)
        would, has = decided(new[event.application], kept)
        if was != would:
            rules = tuple(sorted(set(has) ^ set(had))) or has
            key = (new[event.application].caller.name, was, would, rules)
            found[key] += 1
            examples.setdefault(key, event.id)
    changes = tuple(Change(*key, number, examples[key]) for key, number in found.most_common())
    return Replayed(calls, unknown, changes)


def recordings(folder: Path) -> Iterator[Event]:
    """All that was recorded, oldest first; torn lines are left out."""
    decoder = msgspec.json.Decoder(Event)
    for path in sorted(folder.glob("*.jsonl")):
        with path.open("rb") as lines:
            for line in lines:
                try:
                    yield decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue


def _by_application(snapshot: PolicySnapshot) -> Mapping[str, Policy]:
    return {caller.application: Policy(caller) for caller in snapshot.callers.values()}
