"""The hops of one segment between what its two ends may be: gathered at once, then looked up place by place."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np

from penstock.assess.arrays import Arrays, Ints, common, verb_flags
from penstock.assess.chains import Segment
from penstock.assess.narrowing import near

#: The hops of a walk: (place, code of the verb).
Hops = tuple[tuple[int, int], ...]


class Links:
    """Shortest ways over a segment from each of some places to others. What leads to none of these is left out."""

    def __init__(self, arrays: Arrays, segment: Segment, starts: Ints, ends: Ints, most: int) -> None:
        """``most``: assets visited from one place; beyond it the walk stops."""
        self._segment, self._most = segment, most
        self._ends = frozenset(ends.tolist()) if segment.most > 1 or segment.least == 0 else frozenset()
        self._found: dict[int, dict[int, Hops]] = {}
        if segment.most > 1:
            onward = Segment(segment.verbs, 0, segment.most, segment.forward)
            starts = ends = common(near(arrays, starts, onward), near(arrays, ends, onward.reversed()))
        self._next = _joined(arrays, segment, starts, ends)

    def of(self, place: int, stopped: Callable[[], None]) -> dict[int, Hops]:
        """End → hops from the place; nearest first, in the order of the graph. ``stopped``: called at the bound."""
        found = self._found.get(place)
        if found is None:
            found = self._found[place] = (self._walked if self._segment.most > 1 else self._stepped)(place, stopped)
        return found

    def _stepped(self, place: int, stopped: Callable[[], None]) -> dict[int, Hops]:
        found: dict[int, Hops] = {place: ()} if place in self._ends else {}
        row = self._next.get(place, ())
        for hop in islice(row, self._most):
            if hop[0] != place:
                found.setdefault(hop[0], (hop,))
        if len(row) > self._most:
            stopped()
        return found

    def _walked(self, start: int, stopped: Callable[[], None]) -> dict[int, Hops]:
        segment, ends = self._segment, self._ends
        found: dict[int, Hops] = {start: ()} if segment.least == 0 and start in ends else {}
        seen: dict[int, Hops] = {start: ()}
        level = [start]
        for depth in range(1, segment.most + 1):
            following: list[int] = []
            for place in level:
                for hop in self._next.get(place, ()):
                    end = hop[0]
                    if end in seen:
                        continue
                    if len(seen) > self._most:
                        stopped()
                        return found
                    seen[end] = (*seen[place], hop)
                    following.append(end)
                    if depth >= segment.least and end in ends:
                        found[end] = seen[end]
            level = following
        return found


def _joined(arrays: Arrays, segment: Segment, starts: Ints, ends: Ints) -> dict[int, list[tuple[int, int]]]:
    """Start → (end, verb) of the segment's single relations from some places to some others, in order."""
    edges = arrays.edges_of(starts, verb_flags(segment.verbs), forward=segment.forward)
    one, two = (arrays.source, arrays.target) if segment.forward else (arrays.target, arrays.source)
    wanted = np.zeros(len(arrays), np.bool_)
    wanted[ends] = True
    edges = edges[wanted[two[edges]]]
    found: dict[int, list[tuple[int, int]]] = {}
    for start, end, verb in zip(one[edges].tolist(), two[edges].tolist(), arrays.verb[edges].tolist(), strict=True):
        found.setdefault(start, []).append((end, verb))
    return found
