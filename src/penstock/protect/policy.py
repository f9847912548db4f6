"""Spans and rules in, a decision out. Policy never parses and never detects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from penstock.inspect.span import Span
from penstock.protect.exchange import UNSEEN
from penstock.protect.snapshot import Caller, Rule

#: Mildest first, so that an index compares.
ACTIONS = ("allow", "observe", "redact", "stop")
#: Below this confidence a span is counted, never acted on. Low enough that an address at example.com (half of an
#: e-mail address's 0.95) is still masked.
ACTS_AT = 0.4
#: Actions that keep a text from its receiver.
_ACTING = frozenset({"redact", "stop"})
#: Said about a text, but no reason to protect it.
_MARK = "mark"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done, by which rules, about what.

    action: allow | observe | redact | stop. ``redact`` holds the spans to mask; ``meant`` is what would have been done
    in enforcing mode.
    """

    action: str = "allow"
    rules: tuple[Rule, ...] = ()
    redact: tuple[Span, ...] = ()
    meant: str = "allow"
    types: tuple[str, ...] = ()


ALLOW = Decision()


class Policy:
    """The rules of one caller, ready to decide."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.enforces = caller.mode == "enforce"
        self._rules = {
            direction: tuple(rule for rule in caller.rules if rule.direction == direction)
            for direction in ("in", "out")
        }

    def holds_back(self, direction: str) -> bool:
        """Whether text may have to be kept from its receiver, so that a stream must wait for its end to be known."""
        return self.enforces and any(rule.action in _ACTING for rule in self._rules[direction])

    def decide(self, direction: str, spans: Iterable[Span]) -> Decision:
        """The most severe action of all rules that match a span; in observing mode reduced to a note."""
        rules = self._rules[direction]
        if not rules:
            return ALLOW
        meant, fired, masked, types = 0, {}, [], []
        for span in spans:
            if span.confidence < ACTS_AT or span.category == _MARK:
                continue
            severity = 0
            for rule in rules:
                if span.category == UNSEEN:
                    action = "stop" if rule.action in _ACTING and rule.on_error != "allow" else "observe"
                elif _matches(rule, span):
                    action = rule.action
                else:
                    continue
                fired[rule.id] = rule
                severity = max(severity, ACTIONS.index(action))
            if severity:
                types.append(span.type)
            if severity == 2:
                masked.append(span)
            meant = max(meant, severity)
        if not fired:
            return ALLOW
        action = ACTIONS[meant] if self.enforces else "observe"
        return Decision(
            action,
            tuple(fired.values()),
            tuple(masked) if action == "redact" else (),
            ACTIONS[meant],
            tuple(dict.fromkeys(types)),
        )


def _matches(rule: Rule, span: Span) -> bool:
    return ("*" in rule.categories or span.category in rule.categories) and (not rule.types or span.type in rule.types)


@dataclass(slots=True)
class Record:
    """What happened in one call, gathered for its event: never texts, only counts, rules and the worst action."""

    severity: int = 0
    meant: int = 0
    rules: dict[str, Rule] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    def add(self, direction: str, spans: Iterable[Span], decision: Decision) -> None:
        self.count(direction, Counter(span.category for span in spans), decision)

    def count(self, direction: str, categories: Mapping[str, int], decision: Decision) -> None:
        for category, number in categories.items():
            if number:
                self.seen[f"{direction}.{category}"] += number
        self.severity = max(self.severity, ACTIONS.index(decision.action))
        self.meant = max(self.meant, ACTIONS.index(decision.meant))
        for rule in decision.rules:
            self.rules[rule.id] = rule

    @property
    def verdict(self) -> str:
        return ACTIONS[self.severity]

    @property
    def findings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(finding for rule in self.rules.values() for finding in rule.findings))

    @property
    def counts(self) -> Mapping[str, int]:
        return dict(self.seen)
