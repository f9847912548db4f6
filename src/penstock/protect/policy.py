"""Spans and rules in, a decision out. Policy never parses and never detects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec

from penstock.inspect.span import Span
from penstock.protect.asking import Ask, key_of_ask
from penstock.protect.exchange import UNSEEN
from penstock.protect.facts import Facts, Matcher
from penstock.protect.permits import Permits
from penstock.protect.snapshot import Caller, Rule

#: Mildest first, so that an index compares.
ACTIONS = ("allow", "observe", "tag", "throttle", "route", "tokenise", "redact", "ask", "stop")
SEVERITY = {action: number for number, action in enumerate(ACTIONS)}
#: Below this confidence a span is counted, never acted on. Low enough that an address at example.com (half of an
#: e-mail address's 0.95) is still masked.
ACTS_AT = 0.4
#: Actions that keep a text, or a part of it, from its receiver.
HOLDING = frozenset({"tokenise", "redact", "ask", "stop"})
#: Actions after which the call does not go on.
ENDING = frozenset({"ask", "stop"})
#: Said about a text, but no reason to protect it.
_MARK = "mark"
#: Category of a text that reads like an attack on a model's instructions.
ATTACK = "attack"
_REDACT, _TOKENISE, _OBSERVE = SEVERITY["redact"], SEVERITY["tokenise"], SEVERITY["observe"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done, by which rules, about what.

    action: one of ``ACTIONS``. ``redact`` holds the spans to mask and ``tokenise`` those that become tokens, whatever
    the action; ``meant`` is what would have been done in enforcing mode.
    """

    action: str = "allow"
    rules: tuple[Rule, ...] = ()
    redact: tuple[Span, ...] = ()
    meant: str = "allow"
    types: tuple[str, ...] = ()
    tokenise: tuple[Span, ...] = ()

    @property
    def ends(self) -> bool:
        """Whether the call does not go on."""
        return self.action in ENDING


ALLOW = Decision()


class Policy:
    """The rules of one caller, ready to decide; ``of_call`` leaves those that are about a call."""

    def __init__(self, caller: Caller, rules: Iterable[Rule] | None = None) -> None:
        self.caller = caller
        self.enforces = caller.mode == "enforce"
        self._matchers = [Matcher(rule, caller) for rule in caller.rules] if rules is None else []
        self._always = all(matcher.always for matcher in self._matchers)
        self._narrowed: dict[Facts, Policy] = {}
        chosen = tuple(caller.rules if rules is None else rules)
        self._of_texts = {
            direction: tuple(rule for rule in chosen if rule.direction == direction and rule.categories)
            for direction in ("in", "out")
        }
        self._of_calls = tuple(rule for rule in chosen if not rule.categories and rule.direction == "in")
        self._holds = {
            direction: self.enforces and any(rule.action in HOLDING for rule in rules)
            for direction, rules in self._of_texts.items()
        }
        #: Direction → channels in which attacks are looked for ("*": all).
        self.looks_for_attacks = {
            direction: frozenset(
                channel for rule in rules if ATTACK in rule.categories for channel in (rule.channels or ("*",))
            )
            for direction, rules in self._of_texts.items()
        }
        self.tokenises = self.enforces and any(rule.action == "tokenise" for rule in self._of_texts["in"])
        self.asks = any(rule.action == "ask" or rule.on_error == "ask" for rule in chosen)
        #: Whether a condition speaks of the conversation.
        self.about_sessions = any("call.session" in rule.when for rule in chosen)

    def of_call(self, facts: Facts) -> Policy:
        """The policy with only the rules that are about such a call."""
        if self._always:
            return self
        found = self._narrowed.get(facts)
        if found is None:
            found = Policy(self.caller, [matcher.rule for matcher in self._matchers if matcher.holds(facts)])
            if len(self._narrowed) < _KINDS_OF_CALLS:
                self._narrowed[facts] = found
        return found

    def same_rules(self, other: Policy) -> bool:
        """Whether the same rules are left."""
        return self is other or (self._of_texts == other._of_texts and self._of_calls == other._of_calls)

    def holds_back(self, direction: str) -> bool:
        """Whether text may have to be kept from its receiver, so that a stream must wait for its end to be known."""
        return self._holds[direction]

    def decide_call(self, permits: Permits, facts: Facts) -> Decision:
        """What rules say of the call as such, before any text is read."""
        if not self._of_calls:
            return ALLOW
        meant, fired = 0, {}
        subject = f"a call of {facts.model or 'a model'}" + (f" at {facts.provider}" if facts.provider else "")
        for rule in self._of_calls:
            action = rule.action
            if action == "ask" and self.enforces and permits.allows(self._ask(rule, subject, permits)):
                action = "observe"
            elif action in ("redact", "tokenise"):
                action = "observe"  # there is no text to mask
            fired[rule.id] = rule
            meant = max(meant, SEVERITY[action])
        return Decision(self._done(meant), tuple(fired.values()), (), ACTIONS[meant])

    def decide(
        self, direction: str, spans: Iterable[Span], channel: str = "", text: str = "", permits: Permits | None = None
    ) -> Decision:
        """The most severe action of all rules that match a span; in observing mode reduced to a note.

        Args:
            text: what the spans count in, where an ask should name the very text (an attack).
            permits: what people granted; without them nothing is granted.
        """
        rules = self._of_texts[direction]
        if not rules:
            return ALLOW
        meant, types = 0, []
        fired: dict[str, Rule] = {}
        masked: list[Span] = []
        hidden: list[Span] = []
        for span in spans:
            if span.confidence < ACTS_AT or span.category == _MARK:
                continue
            severity = 0
            veiled = 0
            for rule in rules:
                if rule.channels and channel not in rule.channels:
                    continue
                if span.category == UNSEEN:
                    action = _unjudged(rule)
                elif _matches(rule, span):
                    action = rule.action
                else:
                    continue
                if action == "ask" and self.enforces and permits is not None and self._granted(
                    rule, span, text, direction, permits
                ):  # fmt: skip
                    action = "observe"
                fired[rule.id] = rule
                number = SEVERITY[action]
                severity = max(severity, number)
                if number in (_REDACT, _TOKENISE):
                    veiled = max(veiled, number)
            if severity:
                types.append(span.type)
            if veiled == _REDACT or (veiled and direction == "out"):
                masked.append(span)
            elif veiled:
                hidden.append(span)
            meant = max(meant, severity)
        if not fired:
            return ALLOW
        acts = self.enforces
        return Decision(
            self._done(meant),
            tuple(fired.values()),
            tuple(masked) if acts else (),
            ACTIONS[meant],
            tuple(dict.fromkeys(types)),
            tuple(hidden) if acts else (),
        )

    def _done(self, meant: int) -> str:
        return ACTIONS[meant] if self.enforces else ACTIONS[min(meant, _OBSERVE)]

    def _granted(self, rule: Rule, span: Span, text: str, direction: str, permits: Permits) -> bool:
        what = span.type.lower().replace("_", " ")
        subject = f"{what} {'to the model' if direction == 'in' else 'in an answer'}"
        if span.category == ATTACK and text:  # a yes to one text is no yes to another
            digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
            subject = f"{subject}, text {digest}"
        return permits.allows(self._ask(rule, subject, permits))

    def _ask(self, rule: Rule, subject: str, permits: Permits) -> Ask:
        session = permits.session if rule.per_session else ""
        return Ask(
            key=key_of_ask(self.caller.application, rule.id, subject),
            rule=rule.id,
            subject=subject,
            why=rule.message or rule.why,
            session=session,
            requester=permits.requester,
            single=rule.single,
        )


#: Kinds of calls whose rules are remembered for one caller; applications make few.
_KINDS_OF_CALLS = 256


def _unjudged(rule: Rule) -> str:
    """What a rule does with a text that no detector could judge."""
    if rule.action not in HOLDING or rule.on_error == "allow":
        return "observe"
    return rule.on_error if rule.on_error in ENDING else "stop"


def _matches(rule: Rule, span: Span) -> bool:
    """Attacks are no data: a rule for all data is not about them."""
    if span.category == ATTACK:
        found = ATTACK in rule.categories
    else:
        found = "*" in rule.categories or span.category in rule.categories
    return found and (not rule.types or span.type in rule.types)


class Seen(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What was seen in one text: (category, type, confidence) of each span."""

    direction: str
    channel: str
    spans: tuple[tuple[str, str, float], ...]


@dataclass(slots=True)
class Record:
    """What happened in one call, gathered for its event: never texts, only counts, rules and the worst action."""

    severity: int = 0
    meant: int = 0
    rules: dict[str, Rule] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    permits: Permits = field(default_factory=Permits)
    #: What was seen in each text, where calls are recorded.
    texts: list[Seen] | None = None

    def note(self, direction: str, channel: str, spans: Iterable[Span]) -> None:
        """Keep what was seen in a text, where calls are recorded."""
        if self.texts is not None:
            kinds = tuple((span.category, span.type, span.confidence) for span in spans)
            self.texts.append(Seen(direction, channel, kinds))

    def add(self, direction: str, spans: Iterable[Span], decision: Decision) -> None:
        self.count(direction, Counter(span.category for span in spans), decision)

    def count(self, direction: str, categories: Mapping[str, int], decision: Decision) -> None:
        for category, number in categories.items():
            if number:
                self.seen[f"{direction}.{category}"] += number
        self.severity = max(self.severity, SEVERITY[decision.action])
        self.meant = max(self.meant, SEVERITY[decision.meant])
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
