"""Who reaches an asset, and what hangs on it: facts that come from everything that makes use of it.

Each asset says a few things of itself in bits; one sweep along use gives every asset what its users say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from penstock.assess.arrays import Bits, Flags, verb_flags
from penstock.assess.columns import Column, Values
from penstock.assess.fields import EXPOSURES
from penstock.graph.vocabulary import LABELS, VERBS

if TYPE_CHECKING:
    from penstock.assess.facts import Facts

#: Verbs by which the source makes use of the target: who reaches the source reaches the target through it.
USES = frozenset(
    "invokes uses_tool uses_model delegates_to serves exposes_tool connects_to retrieves_from reads loads runs_as "
    "holds grants deployed_on".split()
)
#: Verbs that give the source power over the target.
POWER = frozenset("runs_as can_read can_write can_admin can_assume holds grants deployed_on".split())
#: Verbs over which a caller's words reach the called.
_TELLS = frozenset("invokes uses_tool delegates_to writes remembers_in".split())
#: How far use and power are followed; a chain of attack has 4-7 nodes.
DEPTH = 6

_EXPOSED = {word: np.uint32(1 << number) for number, word in enumerate(EXPOSURES)}
_OPEN_END, _ANONYMOUS, _LOGIN_UNKNOWN = (np.uint32(1 << number) for number in (4, 5, 6))
_DOOR = {value: np.uint32(1 << (6 + value)) for value in (1, 2, 3, 4)}
_WEIGHT = {value: np.uint32(1 << (10 + value)) for value in (1, 2, 3, 4)}
_CRITICAL = {value: np.uint32(1 << (14 + value)) for value in (1, 2, 3, 4)}


@dataclass(frozen=True)
class Sight:
    """What the users of each asset say, itself included (``swept``), and what it says of itself (``own``)."""

    own: Bits
    swept: Bits

    @classmethod
    def of(cls, facts: Facts, impact: npt.NDArray[np.int8]) -> Sight:
        """``impact``: the weight (1-4) of what each asset itself touches or has power over."""
        own = _doors(facts)
        for value, bit in _WEIGHT.items():
            own |= np.where(impact == value, bit, np.uint32(0))
        for value, bit in _CRITICAL.items():
            own |= np.where(_supported(facts) == value, bit, np.uint32(0))
        return cls(own, facts.swept("use", own, verb_flags(USES), forward=True))

    def reach(self) -> Column:
        """The widest exposure of the asset and its users; unknown when a user without users of its own says none."""
        codes = np.full(len(self.swept), -1, np.int8)
        for number, word in enumerate(EXPOSURES):
            codes[(self.swept & _EXPOSED[word]) > 0] = number
        open_end = ((self.swept & _OPEN_END) > 0) & ((self.own & _OPEN_END) == 0)
        codes[open_end & (codes != EXPOSURES.index("internet"))] = -1
        return Column(codes, Values.fixed(*EXPOSURES))

    def anonymous(self, reach: Column) -> Column:
        """Whether anyone on the internet reaches it without a login."""
        surely = (self.swept & _ANONYMOUS) > 0
        perhaps = ~reach.given | ((self.swept & _LOGIN_UNKNOWN) > 0)
        return Column.flags(surely, ~surely & ~perhaps)

    def criticality(self) -> Column:
        """The highest criticality of a process that relies on it or on a user of it."""
        codes = np.full(len(self.swept), -1, np.int8)
        for value, bit in _CRITICAL.items():
            codes[(self.swept & bit) > 0] = value - 1
        return Column(codes, Values.fixed(1.0, 2.0, 3.0, 4.0))

    def weight(self) -> npt.NDArray[np.int8]:
        """The highest impact at the asset and its users, 0 where none is known."""
        return _highest(self.swept, _WEIGHT)

    def door(self) -> tuple[npt.NDArray[np.int8], Flags]:
        """The widest door (1-4, 0 for none) of asset and users, and whether it may be wider, for want of a login."""
        return _highest(self.swept, _DOOR), (self.swept & _LOGIN_UNKNOWN) > 0


def _highest(bits: Bits, of: dict[int, np.uint32]) -> npt.NDArray[np.int8]:
    found = np.zeros(len(bits), np.int8)
    for value, bit in of.items():
        found[(bits & bit) > 0] = value
    return found


def doors(facts: Facts) -> npt.NDArray[np.int8]:
    """How wide each asset itself is open, 1-4, 0 where nothing is said; checks on both sides count one step."""
    exposure, auth = facts.column("exposure"), facts.column("auth")
    width = np.zeros(len(facts.arrays), np.int8)
    for value, word in enumerate(EXPOSURES[:3], start=1):
        width[exposure.where(word)] = value
    internet = exposure.where("internet")
    width[internet] = 3
    width[internet & auth.where("none")] = 4
    width[facts.column("public_read").where(True) | facts.column("public_write").where(True)] = 4
    checked = facts.column("guarded_in").where(True) & facts.column("guarded_out").where(True)
    width[(width > 2) & checked] -= 1
    return width


def _doors(facts: Facts) -> Bits:
    exposure, auth = facts.column("exposure"), facts.column("auth")
    bits = np.zeros(len(facts.arrays), np.uint32)
    for word, bit in _EXPOSED.items():
        bits[exposure.where(word)] |= bit
    used = np.zeros(len(bits), np.bool_)
    used[facts.arrays.target[facts.arrays.of_verbs(verb_flags(USES))]] = True
    bits[~exposure.given & ~used] |= _OPEN_END
    internet = exposure.where("internet")
    bits[internet & auth.where("none")] |= _ANONYMOUS
    bits[internet & ~auth.given] |= _LOGIN_UNKNOWN
    width = doors(facts)
    for value, bit in _DOOR.items():
        bits[width == value] |= bit
    return bits


def _supported(facts: Facts) -> npt.NDArray[np.int8]:
    """The criticality of the gravest process that an asset itself supports, 0 for none."""
    arrays, said = facts.arrays, facts.observed("criticality")
    table = np.array([min(4, max(1, int(value))) if value else 0 for value in said.known.values] + [0], np.int8)
    edges = arrays.of_verbs(verb_flags(["supports"]))
    found = np.zeros(len(arrays), np.int8)
    np.maximum.at(found, arrays.source[edges], table[said.codes[arrays.target[edges]]])
    return found


def untrusted(facts: Facts) -> Flags:
    """Assets that text reaches which strangers write. Weights are no text: a model passes none on."""
    exposure, auth, audience = (facts.column(name) for name in ("exposure", "auth", "audience"))
    talked_to = facts.kind_is("application", "agent", "endpoint") & exposure.where("internet")
    doors = facts.column("trust").where("untrusted") | (
        talked_to & (auth.where("none") | audience.where("public", "customers"))
    )
    ahead = verb_flags(v for v, word in VERBS.items() if v in _TELLS or word.to == "target")
    back = verb_flags(v for v, word in VERBS.items() if word.to == "source" and v not in _TELLS)
    return _flooded(facts, doors, ahead, back)


def content_reached(facts: Facts) -> Flags:
    """Assets that content of strangers reaches over data, models left out."""
    ahead = verb_flags(v for v, word in VERBS.items() if word.to == "target" or v == "uses_tool")
    back = verb_flags(v for v, word in VERBS.items() if word.to == "source")
    return _flooded(facts, facts.column("trust").where("untrusted"), ahead, back)


def _flooded(facts: Facts, start: Flags, ahead: Flags, back: Flags) -> Flags:
    arrays, models = facts.arrays, facts.kind_is("model")
    seen = start.copy()
    frontier = np.flatnonzero(start).astype(np.int32)
    while len(frontier):
        givers = frontier[~models[frontier]]
        ends = np.concatenate([arrays.step(givers, ahead, forward=True), arrays.step(givers, back, forward=False)])
        ends = ends[~seen[ends]]
        seen[ends] = True
        frontier = np.unique(ends)
    return seen


def touched_weight(facts: Facts) -> npt.NDArray[np.int8]:
    """The weight of the labels that each asset touches, 0 for none."""
    touches = facts.column("touches")
    table = [max((LABELS.get(label, 0) for label in labels), default=0) for labels in touches.known.values]
    return np.array([*table, 0], np.int8)[touches.codes]


def power_weight(facts: Facts) -> npt.NDArray[np.int8]:
    """The weight of the labels that each asset touches or has power over, 0 for none."""
    own = touched_weight(facts)
    bits = np.zeros(len(own), np.uint32)
    for value, bit in _WEIGHT.items():
        bits[own == value] |= bit
    return _highest(facts.swept("power", bits, verb_flags(POWER), forward=False), _WEIGHT)
