"""How bad, in words and as a number that orders: impact × likelihood move a rule's severity, every term with reason.

The severity of a combination belongs to the rule (a row says where it starts); what is at stake and how readily it is
reached move it by one step. The number lies inside the severity's band, so that order never contradicts severity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Any

from penstock.assess.agency import agency_of, factors_of
from penstock.assess.decide import decided
from penstock.assess.facts import Facts
from penstock.assess.match import Match, Matcher
from penstock.assess.rules import Rule
from penstock.assess.weight import why_impact
from penstock.graph.vocabulary import SEVERITIES

#: Severity → the part of 0-100 that its findings lie in.
BANDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"info": (0, 10), "low": (10, 35), "medium": (35, 60), "high": (60, 85), "critical": (85, 100)}
)
#: impact + likelihood from which on a finding is one step worse than its rule says, and up to which one step milder
#: (set on the eight development scenarios, November 2026: 4 and 4; at most 4 together).
WORSE_FROM, MILDER_TO = 8, 4
#: Weights inside a band; they add up to 1. Combinations stand before the settings they are built on.
_IMPACT, _LIKELIHOOD, _COMBINED, _SPREAD, _AGENCY = 0.35, 0.30, 0.25, 0.07, 0.03
#: Assets touched from which on more make no difference to the order.
_WIDE = 12


@dataclass(frozen=True, slots=True)
class Score:
    """``low`` to ``high`` is the range that the unknown leaves; ``worst`` is the severity at its upper end."""

    severity: str
    value: float
    low: float
    high: float
    worst: str
    impact: int
    likelihood: int
    likelihood_range: tuple[int, int]
    steps: int
    reasons: tuple[str, ...]
    spread: float
    agency: float


def score(rule: Rule, match: Match, matcher: Matcher) -> Score:
    """The score of one match."""
    facts = matcher.facts
    places = [facts.arrays.place[id] for id in match.bound.values()]
    impact, lowest, likely, highest = (max([by_place[place] for place in places]) for by_place in facts.weighed)
    steps, least, most, reasons = _shifts(rule, match, matcher)
    spread = min(_WIDE, len(frozenset().union(*(_powers(facts, place) for place in places)))) / _WIDE
    agency = max(agency_of(facts, id) for id in match.bound.values())

    def at(likelihood: int, steps: int) -> tuple[str, float]:
        severity = severity_of(rule, impact, likelihood, steps)
        low, high = BANDS[severity]
        inside = _IMPACT * (impact - 1) / 3 + _LIKELIHOOD * (likelihood - 1) / 3 + _COMBINED * rule.combination
        inside += _SPREAD * spread + _AGENCY * agency
        return severity, round(low + (high - low) * 0.99 * inside, 3)

    severity, value = at(likely, steps)
    worst, high = at(highest, most) if (highest, most) != (likely, steps) else (severity, value)
    low = at(lowest, least)[1] if (lowest, least) != (likely, steps) else value
    return Score(
        severity=severity,
        value=value,
        low=min(value, low),
        high=max(value, high),
        worst=worst,
        impact=impact,
        likelihood=likely,
        likelihood_range=(lowest, highest),
        steps=steps,
        reasons=tuple(reasons),
        spread=round(spread, 2),
        agency=round(agency, 3),
    )


def _powers(facts: Facts, place: int) -> frozenset[int]:
    """The asset and what it has power over; of more than make a difference, so many."""
    if not facts.has_power[place]:
        return frozenset((place,))
    if place not in facts.powers_of:
        ids, number = facts.arrays.ids, facts.arrays.place
        facts.powers_of[place] = frozenset(number[id] for id in islice(facts.powers([ids[place]]), _WIDE))
    return facts.powers_of[place]


def terms(found: Score, rule: Rule, match: Match, facts: Facts, ways: int) -> dict[str, Any]:
    """Every term of a score with its reason and the assets that show it."""
    place = facts.arrays.place
    weighty = next(id for id in match.bound.values() if facts.impacts[place[id]] == found.impact)
    open_one = next(id for id in match.bound.values() if facts.likelihoods.likely[place[id]] == found.likelihood)
    said: dict[str, Any] = {
        "starts at": {"value": rule.starts_at, "because": rule.row.title},
        "impact": {"value": found.impact, "because": why_impact(facts, weighty, found.impact), "at": weighty},
        "likelihood": {
            "value": found.likelihood,
            "because": facts.likelihoods.why(facts, open_one),
            "range": list(found.likelihood_range),
            "at": open_one,
        },
        "steps": {"value": found.steps, "because": list(found.reasons)},
        "spread": {"value": found.spread, "because": "assets that the matched ones have power over"},
        "matches": {"value": ways, "because": "ways in which the rule applies to the subject"},
    }
    row = decided(found.severity, found.likelihood, found.impact)
    said["do"] = {"value": row.decision, "because": f"{row.why}: within {row.days} days", "days": row.days}
    actors = {id: factors for id in match.bound.values() if (factors := factors_of(facts, id))}
    if actors:
        id, factors = max(actors.items(), key=lambda pair: (sum(worth for worth, _ in pair[1].values()), pair[0]))
        said["agency"] = {
            "value": found.agency,
            "because": "; ".join(why for _, why in factors.values()),
            "factors": {name: worth for name, (worth, _) in factors.items()},
            "at": id,
        }
    return said


def severity_of(rule: Rule, impact: int, likelihood: int, steps: int = 0) -> str:
    """The rule's severity in a context of 1-4 impact and 1-4 likelihood, ``steps`` up or down by its own reasons."""
    start = SEVERITIES.index(rule.starts_at)
    if rule.row.fixed:
        moved = start + steps
    else:
        together = impact + likelihood
        moved = start + steps + (together >= WORSE_FROM) - (together <= MILDER_TO)
    least, most = SEVERITIES.index(rule.row.at_least), SEVERITIES.index(rule.at_most)
    return SEVERITIES[max(min(moved, most), min(least, start))]


def _shifts(rule: Rule, match: Match, matcher: Matcher) -> tuple[int, int, int, list[str]]:
    """(sure, least, most) steps by the rule's own reasons, and the sure reasons: what is unknown may still count."""
    sure, perhaps, reasons = 0, [0, 0], []
    for sign, shifts in ((1, rule.raises), (-1, rule.lowers)):
        for condition, shift in shifts:
            holds = matcher.holds(condition, match.bound, max(0, len(match.path) - 1))
            if holds is True:
                sure += sign * shift.by
                reasons.append(shift.why)
            elif holds is not False:
                perhaps[sign < 0] += shift.by
    raised, lowered = perhaps
    return sure, sure - lowered, sure + raised, reasons
