"""What each place of a rule may be, worked out over arrays before anything is looked at one by one.

The kind, the properties, what a condition says of one asset alone, and whether the rest of the chain can be reached
from there: over the whole graph, or outward from a few subjects when only these are judged again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from penstock.assess.arrays import Arrays, Flags, Ints, common, kind_flags, verb_flags
from penstock.assess.asked import FALSE, OPEN, TRUE, Asked
from penstock.assess.asking import PLACE_FIELDS, answerable
from penstock.assess.chains import Chain, Segment, Spot
from penstock.assess.facts import Facts
from penstock.assess.rules import Rule
from penstock.conditions import Condition

if TYPE_CHECKING:
    from collections.abc import Callable

#: Variable → the assets it may stand for, ascending.
May = dict[str, Ints]


class Narrowing:
    """Narrows rules down over one graph. ``asked`` gives the answers of a condition, kept by whoever lends it."""

    def __init__(self, facts: Facts, asked: Callable[[Condition], Asked]) -> None:
        self.facts = facts
        self.arrays = facts.arrays
        self._asked = asked
        self._unsaid: dict[str, npt.NDArray[np.int8]] = {}

    def everywhere(self, rule: Rule) -> May:
        """What the rule's variables may be in the whole graph; nothing as soon as one of them may be nothing."""
        may: May = {}
        for variable, kinds in _kinds(rule).items():
            may[variable] = self.alone(rule, variable, np.flatnonzero(kinds[self.arrays.kind]).astype(np.int32))
            if not len(may[variable]):
                return {}
        return self._together(rule, may)

    def around(self, rule: Rule, subjects: Ints) -> May:
        """What the rule's variables may be where the subject is one of a few."""
        may = {rule.subject: self.alone(rule, rule.subject, subjects)}
        for here, segment, there in outward(rule, rule.subject):
            if not len(may[here]):
                return {}
            may[there] = self.alone(rule, there, near(self.arrays, may[here], segment))
        for variable, kinds in _kinds(rule).items():
            if variable not in may:  # of a chain that hangs on no other: joined by conditions alone
                every: Ints = np.flatnonzero(kinds[self.arrays.kind]).astype(np.int32)
                may[variable] = self.alone(rule, variable, every)
        return self._together(rule, may) if all(map(len, may.values())) else {}

    def alone(self, rule: Rule, variable: str, places: Ints) -> Ints:
        """Those of some places that one look at each lets the variable be.

        What hangs on something that nobody can say is left out; and where a rule asks for one asset only, what hangs
        on the unknown altogether, for there would be as much reason to ask as everywhere else.
        """
        places = places[_kinds(rule)[variable][self.arrays.kind[places]]]
        for spot in _spots(rule, variable):
            for name, wanted in spot.props:
                places = places[self._may_fit(name, wanted, places)]
        if variable == rule.chains[0].spots[0].variable:
            places = places[~self.facts.column("lifecycle").at(places, "retired")]
        only_one = len({v for part in rule.when for v in self._asked(part).variables}) == 1
        evident = np.zeros(len(places), np.bool_) if only_one else None
        for part in rule.when:
            asked = self._asked(part)
            if asked.variables != [variable] or "path" in part.uses:
                evident = None
                continue
            said = asked.over(places)
            out = said == FALSE
            is_open = np.flatnonzero(said == OPEN)
            if rule.asks:
                out[is_open] = True
            for field in asked.condition.reads[variable]:
                out[is_open] |= self._nobody_says(field, places[is_open])
            places = places[~out]
            if evident is not None:
                evident = (evident | (said == TRUE))[~out]
        return places if evident is None else places[evident]

    def _may_fit(self, name: str, wanted: Any, places: Ints) -> Flags:
        column = self.facts.column(name)
        table = [equal(value, wanted) for value in column.known.values]
        found: Flags = np.array([*table, name != "contains"], np.bool_)[column.codes[places]]
        return found

    def _nobody_says(self, field: str, places: Ints) -> Flags:
        """Where a field is not known and nobody can be asked for it."""
        if field not in PLACE_FIELDS or not len(places):
            return np.zeros(len(places), np.bool_)
        if field not in self._unsaid:
            self._unsaid[field] = np.where(self.facts.column(field).given, 0, -1).astype(np.int8)
        known, ids = self._unsaid[field], self.arrays.ids
        for place in places[known[places] < 0].tolist():
            known[place] = answerable(self.facts, ids[place], field) is None
        return np.asarray(known[places] == 1)

    # ── together ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _together(self, rule: Rule, may: May) -> May:
        """What is left when conditions about two variables and the chains between them are looked at."""
        wanted = frozenset({TRUE}) if rule.asks else frozenset({TRUE, OPEN})
        for part in rule.when:
            asked = self._asked(part)
            if len(asked.variables) != 2 or "path" in part.uses:
                continue
            one, two = asked.variables
            if found := asked.pairs(may[one], may[two], wanted):
                may[one], may[two] = may[one][found[0]], may[two][found[1]]
        for chain in rule.chains[::-1]:
            for oriented in (chain.reversed(), chain):
                if not self._connected(oriented, may):
                    return {}
        return may

    def _connected(self, chain: Chain, may: May) -> bool:
        """Keep at each spot what the spots before it lead to; False when nothing is left somewhere."""
        for (one, two), segment in zip(zip(chain.spots, chain.spots[1:], strict=False), chain.segments, strict=True):
            may[two.variable] = common(may[two.variable], near(self.arrays, may[one.variable], segment))
            if not len(may[two.variable]):
                return False
        return True


# ── along the chains ─────────────────────────────────────────────────────────────────────────────────────────────────


def near(arrays: Arrays, places: Ints, segment: Segment) -> Ints:
    """What the segment leads to from any of some places."""
    verbs = verb_flags(segment.verbs)
    return arrays.near(places, verbs, forward=segment.forward, least=segment.least, most=segment.most)


def outward(rule: Rule, start: str) -> Iterator[tuple[str, Segment, str]]:
    """(variable, segment, further variable), each variable once, nearest to the start first."""
    met, level = {start}, [start]
    while level:
        following = []
        for here in level:
            for one, segment, there in _joints(rule):
                if one == here and there not in met:
                    met.add(there)
                    following.append(there)
                    yield here, segment, there
        level = following


def _joints(rule: Rule) -> Iterator[tuple[str, Segment, str]]:
    for chain in rule.chains:
        for one in (chain, chain.reversed()):
            for here, segment, there in zip(one.spots, one.segments, one.spots[1:], strict=False):
                yield here.variable, segment, there.variable


def _spots(rule: Rule, variable: str) -> list[Spot]:
    return [spot for chain in rule.chains for spot in chain.spots if spot.variable == variable]


def _kinds(rule: Rule) -> dict[str, Flags]:
    """Variable → a table from a kind's code to whether the variable may be of it."""
    found: dict[str, Flags] = {}
    for chain in rule.chains:
        for spot in chain.spots:
            flags = kind_flags(spot.kinds)
            found[spot.variable] = found[spot.variable] & flags if spot.variable in found else flags
    return found


def equal(value: Any, wanted: Any) -> bool:
    """Whether a property is as brackets ask for it; of a list, whether all asked for is in it."""
    if isinstance(wanted, list | tuple):
        return set(wanted) <= set(value if isinstance(value, list | tuple | set | frozenset) else [value])
    return bool(value == wanted)
