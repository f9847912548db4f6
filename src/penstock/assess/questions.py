"""Questions instead of guesses: only what could lead to a risk worth a person's time, each once, weightiest first.

A match of a rule that hangs on the unknown is *pending*. It is asked about when, with the most unfavourable answers,
the rule would fire at medium or above. Where it hangs on several unknowns, the one on which most rules hang is asked
first: its answer may make the others superfluous.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set
from dataclasses import dataclass

from penstock.assess.asking import answerable
from penstock.assess.facts import Facts
from penstock.assess.match import Match, Matcher, Missing
from penstock.assess.rules import Rule
from penstock.assess.score import BANDS, score, severity_of
from penstock.assess.words import told
from penstock.graph.questions import PROP_QUESTIONS, VERB_QUESTIONS
from penstock.graph.vocabulary import Question

#: From this severity on a risk is worth a person's answer.
WORTH_FROM = BANDS["medium"][0]
#: How much less a question counts for each further unknown that the same risk hangs on.
_PER_FURTHER = 0.8
#: Asked before all else when as much hangs on them.
_FIRST = ("exposure", "auth")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of an asset: a property, a relation (from its source or its target), or a rule's own matter."""

    asset: str
    prop: str = ""
    verb: str = ""
    of_source: bool = True
    matter: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """A match that may be one: the rule, what it hangs on, and how bad it would be."""

    rule: Rule
    subject: str
    asked: frozenset[Asked]
    worst: float
    text: str = ""
    #: The assets that the match was made of.
    of: tuple[str, ...] = ()


class Questions:
    """Collects what hangs on the unknown, then says what to ask."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher
        self.facts: Facts = matcher.facts
        self._matters: dict[str, bool] = {}
        self._pending: dict[tuple[str, str], dict[frozenset[Asked], Pending]] = {}
        #: Asset → what was found with it in it, or once was.
        self._told_of: dict[str, dict[tuple[str, str], None]] = {}

    def add(self, rule: Rule, match: Match) -> None:
        """Take in a match that hangs on the unknown, or any match of a rule that asks."""
        if not self._may_matter(rule):
            return
        if rule.asks:
            self._own(rule, match)
        elif asked := self._open(match.missing):
            self._keep(Pending(rule, match.bound[rule.subject], asked, self._worst(rule, match), of=_assets(match)))

    def _may_matter(self, rule: Rule) -> bool:
        """Whether the rule at its very worst is worth a person's answer."""
        if rule.id not in self._matters:
            most = severity_of(rule, 4, 4, sum(shift.by for _, shift in rule.raises))
            self._matters[rule.id] = BANDS[most][1] > WORTH_FROM
        return self._matters[rule.id]

    def _worst(self, rule: Rule, match: Match) -> float:
        return score(rule, match, self.matcher).high

    def ordered(self, known: Collection[tuple[str, str]] = ()) -> list[Question]:
        """One question for each asset and matter, those first on which most hangs.

        Args:
            known: (name of a rule, subject) of what is sure: an answer that would raise the same again changes nothing.
        """
        pendings = [
            one
            for subject in sorted(self._pending)
            for one in self._pending[subject].values()
            if (one.rule.name, one.subject) not in known
        ]
        rules_on: dict[Asked, set[str]] = {}
        for pending in pendings:
            for asked in pending.asked:
                rules_on.setdefault(asked, set()).add(pending.rule.id)
        chosen: dict[Asked, list[Pending]] = {}
        for pending in pendings:
            first = min(pending.asked, key=lambda asked: (-len(rules_on[asked]), _turn(asked), _key(asked)))
            chosen.setdefault(first, []).append(pending)
        ranked = sorted(
            (
                (-max(map(_weight, reasons)), -len(rules_on[asked]), _key(asked), asked)
                for asked, reasons in chosen.items()
            ),
            key=lambda row: row[:3],
        )
        return [self._question(asked, chosen[asked]) for *_, asked in ranked]

    def take_over(self, other: Questions) -> None:
        """Keep what hung on the unknown before."""
        self._pending, self._told_of = other._pending, other._told_of

    def forget(self, rule: Rule, subjects: Iterable[str]) -> None:
        """Drop what a rule would ask of some subjects, before they are judged again."""
        for subject in subjects:
            self._pending.pop((rule.id, subject), None)

    def about(self, assets: Set[str]) -> Iterator[tuple[str, str]]:
        """(rule id, subject) of what was found with any of some assets in it."""
        keys = {key for asset in assets & self._told_of.keys() for key in self._told_of[asset]}
        for key in sorted(keys & self._pending.keys()):
            there = self._pending[key]
            if any(asset in assets for one in there.values() for asset in _named_in(one)):
                yield key

    # ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _own(self, rule: Rule, match: Match) -> None:
        """A rule that asks: its own text, also where its absence is not sure. What else is unknown keeps it back."""
        if any(not missing.absence for missing in match.missing):
            return
        asset = match.bound[rule.subject]
        asked = self._of_whom(asset, rule.row.about) if rule.row.about else Asked(asset, matter=rule.name)
        if asked:
            text = told(rule.row.ask, match, self.facts) if asked.asset == asset else ""
            self._keep(Pending(rule, asset, frozenset({asked}), self._worst(rule, match), text, _assets(match)))

    def _open(self, missing: Iterable[Missing]) -> frozenset[Asked]:
        """What the unknowns come down to; empty when one of them is nobody's to answer."""
        found: set[Asked] = set()
        for one in missing:
            asked = (
                self._of_whom(one.asset, one.prop)
                if one.prop
                else Asked(one.asset, verb=one.verb, of_source=one.forward)
            )
            if asked is None:
                return frozenset()
            found.add(asked)
            if asked.prop == "auth" and not self.facts.graph.assets[asked.asset].prop("exposure"):
                # how bad a missing login is hangs on who can reach it
                found |= {door for door in [self._of_whom(asked.asset, "exposure")] if door}
        return frozenset(found)

    def _of_whom(self, id: str, field: str) -> Asked | None:
        """The asset that can answer for a field, and what to ask of it."""
        found = answerable(self.facts, id, field)
        if found is None:
            return None
        asset, about = found
        if about in PROP_QUESTIONS:
            return Asked(asset, prop=about)
        return Asked(asset, verb=about) if about in VERB_QUESTIONS else None

    def _keep(self, pending: Pending) -> None:
        if _weight(pending) < WORTH_FROM:
            return
        there = self._pending.setdefault((pending.rule.id, pending.subject), {})
        kept = there.get(pending.asked)
        if kept is None or (pending.worst, pending.text) > (kept.worst, kept.text):
            there[pending.asked] = pending
            for asset in _named_in(pending):
                self._told_of.setdefault(asset, {})[pending.rule.id, pending.subject] = None

    # ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _question(self, asked: Asked, reasons: list[Pending]) -> Question:
        ordered = sorted(reasons, key=lambda pending: (-_weight(pending), pending.rule.asks, pending.rule.id))
        own = next((pending.text for pending in ordered if pending.text), "")
        name = self.facts.graph.assets[asked.asset].name
        return Question(asked.asset, own or worded(asked, name), ordered[0].rule.id, prop=asked.prop, verb=asked.verb)


def worded(asked: Asked, name: str) -> str:
    """The question about a property or a relation, with the asset's name in it."""
    text = PROP_QUESTIONS[asked.prop] if asked.prop else VERB_QUESTIONS[asked.verb][0 if asked.of_source else 1]
    return text.replace("{asset}", name)


def _assets(match: Match) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*match.bound.values(), *(missing.asset for missing in match.missing)]))


def _named_in(pending: Pending) -> Iterator[str]:
    yield from pending.of
    yield from (asked.asset for asked in pending.asked)


def _weight(pending: Pending) -> float:
    return pending.worst * _PER_FURTHER ** (len(pending.asked) - 1)


def _turn(asked: Asked) -> int:
    """Which of two is asked first when as much hangs on either: who reaches it settles most of the rest."""
    return _FIRST.index(asked.prop) if asked.prop in _FIRST else len(_FIRST) + (not asked.prop)


def _key(asked: Asked) -> tuple[str, str, str, str]:
    return asked.asset, asked.prop, asked.verb, asked.matter
