"""What an accepted removal of labels closes. A proposal, or one that has ended, closes nothing (R5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from penstock.assess.columns import Column, Flags
from penstock.graph.declassify import PROP, Declassification, declassification
from penstock.graph.vocabulary import SENSITIVE

if TYPE_CHECKING:
    from penstock.assess.facts import Facts


def cleared(facts: Facts) -> Column:
    """Of what somebody claims a removal for: whether one in force takes away every label that comes in."""
    claimed = facts.observed(PROP).given
    found = np.zeros(len(claimed), np.bool_)
    for place, claim in _in_force(facts):
        sources = facts.labelling.arriving(claim.asset)
        found[place] = all(_removes_all(facts, claim, source, labels) for source, labels in sources.items())
    return Column.flags(found, ~found)


def stopped(facts: Facts) -> Flags:
    """The relations over which what was made gives away nothing of what it was made from."""
    arrays = facts.arrays
    found = np.zeros(len(arrays.target), np.bool_)
    for place, claim in _in_force(facts):
        for edge in arrays.edges(place).tolist():
            source = arrays.ids[arrays.target[edge]]
            found[edge] = _removes_all(facts, claim, source, facts.labelling.touches(source))
    return found


def _in_force(facts: Facts) -> Iterator[tuple[int, Declassification]]:
    for place in np.flatnonzero(facts.observed(PROP).given).tolist():
        claim = declassification(facts.graph, facts.arrays.ids[place])
        if claim is not None and claim.in_force:
            yield place, claim


def _removes_all(facts: Facts, claim: Declassification, source: str, labels: frozenset[str]) -> bool:
    covered = claim.covers(facts.graph.assets[source])
    return covered and all(claim.removes(label) for label in labels & SENSITIVE)
