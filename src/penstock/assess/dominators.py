"""What every way must pass: the dominator tree of a directed graph of millions of edges, in whole-array steps.

A node dominates another when each way from the starts to the other leads through it. Its tree is found from the tree of
the first breadth-first search, whose root paths hold at least the dominators: an edge whose tail does not lie below the
parent of its head shows a way around that parent, and lifts the head to where both ways part. Once no edge lifts
anything, only what cannot be walked around is left. Levels of the search fall along every root path, so that two nodes
meet by climbing from the deeper one, as in Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Wide = npt.NDArray[np.int64]
#: Parent of what a start reaches without passing anything, and of what no start reaches.
ROOT, NOWHERE = 0, -1


@dataclass(frozen=True)
class Dominators:
    """``parent[node]`` is the nearest node that every way to it passes. Node 0 is the root, before the starts."""

    parent: Ints
    level: Ints

    @staticmethod
    def of(tail: Ints, head: Ints, starts: Ints, count: int) -> Dominators:
        """The tree over nodes 1 to ``count - 1``.

        Args:
            tail, head: the ends of each edge.
            starts: nodes at which a way may begin.
        """
        first = np.concatenate([np.zeros(len(starts), np.int32), tail]).astype(np.int32)
        then = np.concatenate([starts, head]).astype(np.int32)
        parent, level = _searched(first, then, count)
        alive = (level[first] >= 0) & (then != ROOT)
        order = np.flatnonzero(alive)[np.argsort(then[alive], kind="stable")]
        first, then = first[order], then[order]
        open_edges = np.arange(len(first))
        while len(open_edges):
            over = then[open_edges]
            met = meeting(parent, level, first[open_edges], parent[over])
            lifted = np.flatnonzero(met != parent[over])
            if not len(lifted):
                break
            # all meeting points of one head lie on one root path: the lowest level is where all its ways part
            heads, points = over[lifted], met[lifted]
            begins = np.flatnonzero(np.diff(heads, prepend=-1))
            key: Wide = level[points].astype(np.int64) * count + points
            parent[heads[begins]] = (np.minimum.reduceat(key, begins) % count).astype(np.int32)
            open_edges = np.arange(len(first))
        return Dominators(parent, level)

    def below(self, weight: Wide) -> Wide:
        """For every node the weight of all that it dominates, itself included."""
        total = weight.copy()
        total[self.level < 0] = 0
        for level in range(int(self.level.max(initial=0)), 0, -1):
            nodes = np.flatnonzero(self.level == level)
            np.add.at(total, self.parent[nodes], total[nodes])
        return total

    def chain(self, node: int) -> list[int]:
        """What every way to a node passes, the nearest to it first; without the node and the root."""
        found = []
        at = int(self.parent[node])
        while at > ROOT:
            found.append(at)
            at = int(self.parent[at])
        return found

    def only_edge(self, tail: Ints, head: Ints, starts: Ints) -> Ints:
        """For every node the number of the one edge that all ways to it end with; -1 where there are several."""
        counts = np.zeros(len(self.parent), np.int32)
        only = np.full(len(self.parent), -1, np.int32)
        coming: Ints = np.flatnonzero((self.level[tail] >= 0) & (self.level[head] > 0)).astype(np.int32)
        # an edge from below its own head only comes back to it
        back = meeting(self.parent, self.level, tail[coming], head[coming]) == head[coming]
        coming = coming[~back]
        counts += np.bincount(head[coming], minlength=len(counts)).astype(np.int32)
        counts[starts] += 1
        only[head[coming]] = coming
        only[counts != 1] = -1
        only[starts] = -1
        return only


def _searched(first: Ints, then: Ints, count: int) -> tuple[Ints, Ints]:
    """Parent and level of each node in a breadth-first search from the root."""
    order = np.argsort(first, kind="stable").astype(np.int32)
    begins = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(first, minlength=count), out=begins[1:])
    parent, level = np.full(count, NOWHERE, np.int32), np.full(count, -1, np.int32)
    level[ROOT] = 0
    frontier = np.zeros(1, np.int32)
    depth = 0
    while len(frontier):
        depth += 1
        edges = order[spread(begins, frontier)]
        ends = then[edges]
        fresh = level[ends] < 0
        ends, where = np.unique(ends[fresh], return_index=True)
        parent[ends] = first[edges[fresh][where]]
        level[ends] = depth
        frontier = ends.astype(np.int32)
    return parent, level


def spread(begins: Wide, places: Ints) -> Wide:
    """The positions of all rows of some places in compressed rows."""
    start = begins[places]
    counts = begins[places.astype(np.int64) + 1] - start
    positions: Wide = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    return positions + np.repeat(start, counts)


def meeting(parent: Ints, level: Ints, one: Ints, other: Ints) -> Ints:
    """Where the root paths of pairs of nodes meet."""
    one, other = one.copy(), other.copy()
    apart = np.flatnonzero(one != other)
    while len(apart):
        a, b = one[apart], other[apart]
        deep_a, deep_b = level[a] >= level[b], level[b] >= level[a]
        one[apart] = a = np.where(deep_a, parent[a], a)
        other[apart] = b = np.where(deep_b, parent[b], b)
        apart = apart[a != b]
    return one
