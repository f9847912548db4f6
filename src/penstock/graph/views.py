"""The graph as arrays: who points at whom, in compressed rows, for walks of open depth over millions of relations.

A view is built once from a graph and then only read. Relations that came since can be laid over it (``with_edges``)
without building it again; an overlay is meant to stay small, and a view with a large one is built anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.graph.graph import Graph
from penstock.graph.vocabulary import Relation, Step

Ints = npt.NDArray[np.int64]

#: Below this frontier a loop over single rows beats whole-array work (measured: 8-100 µs of array calls a level
#: against about 1 µs a row).
_SMALL = 24


@dataclass(frozen=True, slots=True)
class Rows:
    """For each place, the edges that leave it: ``edges[starts[i]:starts[i + 1]]`` are numbers of edges."""

    starts: Ints
    edges: Ints

    @staticmethod
    def by(places: npt.NDArray[np.integer[Any]], count: int) -> Rows:
        """The rows of edges that leave each place, given the place that each edge leaves."""
        starts = np.zeros(count + 1, np.int64)
        np.cumsum(np.bincount(places, minlength=count), out=starts[1:])
        return Rows(starts, np.argsort(places, kind="stable").astype(np.int64))

    def of(self, places: Ints) -> Ints:
        """The edges that leave any of the places, in the order of the places."""
        if len(places) <= _SMALL:
            rows = [self.edges[self.starts[place] : self.starts[place + 1]] for place in places.tolist()]
            return np.concatenate(rows) if rows else np.empty(0, np.int64)
        first = self.starts[places]
        counts = self.starts[places + 1] - first
        total = int(counts.sum())
        skipped = np.repeat(np.cumsum(counts) - counts, counts)
        places_in_edges: Ints = np.arange(total) - skipped + np.repeat(first, counts)
        return np.take(self.edges, places_in_edges)


@dataclass(frozen=True, slots=True)
class View:
    """Relations of some verbs as arrays. Build it with ``View.of``; both directions can be walked."""

    ids: tuple[str, ...]
    place: Mapping[str, int]
    source: Ints
    target: Ints
    relations: tuple[Relation, ...]
    leaving: Rows
    entering: Rows
    fresh: Mapping[str, tuple[Relation, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph, verbs: Iterable[str] | None = None) -> View:
        """The view over all relations, or over those of the given verbs."""
        wanted = None if verbs is None else frozenset(verbs)
        relations = tuple(r for r in graph.relations if wanted is None or r.verb in wanted)
        ids = tuple(graph.assets)
        place = {id: number for number, id in enumerate(ids)}
        source = np.fromiter((place[r.source] for r in relations), np.int64, len(relations))
        target = np.fromiter((place[r.target] for r in relations), np.int64, len(relations))
        return cls(ids, place, source, target, relations, Rows.by(source, len(ids)), Rows.by(target, len(ids)))

    def with_edges(self, relations: Iterable[Relation]) -> View:
        """The same view with relations laid over it; ends that the view does not know are allowed."""
        fresh = {end: list(there) for end, there in self.fresh.items()}
        for relation in relations:
            for end in dict.fromkeys((relation.source, relation.target)):
                fresh.setdefault(end, []).append(relation)
        return replace(self, fresh={end: tuple(there) for end, there in fresh.items()})

    def steps(self, asset: str, *, backward: bool = False, both: bool = False) -> Iterator[tuple[Relation, Step]]:
        """The hops that lead away from an asset: along relations, against them (``backward``), or ``both``."""
        place = self.place.get(asset)
        if place is not None:
            if both or not backward:
                for edge in self.leaving.of(np.array([place])).tolist():
                    relation = self.relations[edge]
                    yield relation, Step(relation.target, relation.verb)
            if both or backward:
                for edge in self.entering.of(np.array([place])).tolist():
                    relation = self.relations[edge]
                    yield relation, Step(relation.source, relation.verb, forward=False)
        for relation in self.fresh.get(asset, ()):
            if relation.source == asset and (both or not backward):
                yield relation, Step(relation.target, relation.verb)
            if relation.target == asset and (both or backward):
                yield relation, Step(relation.source, relation.verb, forward=False)

    def reach(
        self, start: Iterable[str], *, backward: bool = False, both: bool = False, depth: int = -1
    ) -> frozenset[str]:
        """All that can be reached from any of the starts, the starts included, in at most ``depth`` hops (-1: any)."""
        return frozenset(self.distances(start, backward=backward, both=both, depth=depth))

    def distances(
        self, start: Iterable[str], *, backward: bool = False, both: bool = False, depth: int = -1
    ) -> dict[str, int]:
        """Hops from the nearest start, for everything in reach."""
        starts = dict.fromkeys(start)
        known = [id for id in starts if id in self.place]
        if self.fresh or len(known) < len(starts):
            return self._distances_one_by_one(starts, backward=backward, both=both, depth=depth)
        hops = np.full(len(self.ids), -1, np.int64)
        frontier = np.array(sorted(self.place[id] for id in known), np.int64)
        hops[frontier] = 0
        level = 0
        while len(frontier) and level != depth:
            level += 1
            found = []
            if both or not backward:
                found.append(self.target[self.leaving.of(frontier)])
            if both or backward:
                found.append(self.source[self.entering.of(frontier)])
            ends = np.concatenate(found)
            frontier = np.unique(ends[hops[ends] < 0])
            hops[frontier] = level
        reached = np.flatnonzero(hops >= 0)
        return {self.ids[number]: hop for number, hop in zip(reached.tolist(), hops[reached].tolist(), strict=True)}

    def _distances_one_by_one(self, starts: Iterable[str], *, backward: bool, both: bool, depth: int) -> dict[str, int]:
        hops = dict.fromkeys(starts, 0)
        frontier = list(hops)
        level = 0
        while frontier and level != depth:
            level += 1
            reached: dict[str, int] = {}
            for asset in frontier:
                for _, step in self.steps(asset, backward=backward, both=both):
                    if step.asset not in hops:
                        reached[step.asset] = level
            hops |= reached
            frontier = list(reached)
        return hops

    def shortest_paths(
        self,
        start: str,
        goal: str,
        *,
        backward: bool = False,
        both: bool = False,
        depth: int = -1,
        limit: int = 100,
    ) -> Sequence[tuple[Step, ...]]:
        """All shortest paths from start to goal, at most ``limit`` of them, in the order of their asset ids and verbs.

        Args:
            backward: walk relations against their direction; ``both``: either way at each hop.
            depth: give up beyond so many hops (-1: never).
        """
        if start == goal:
            return [(Step(start),)]
        # distances to the goal are found by walking the other way from it
        left = self.distances([goal], backward=not backward, both=both, depth=depth)
        if start not in left:
            return []
        paths: list[tuple[Step, ...]] = []
        unfinished: list[tuple[Step, ...]] = [(Step(start),)]
        while unfinished and len(paths) < limit:
            path = unfinished.pop()
            here = path[-1].asset
            if here == goal:
                paths.append(path)
                continue
            nearer = {
                step
                for _, step in self.steps(here, backward=backward, both=both)
                if left.get(step.asset) == left[here] - 1
            }
            for step in sorted(nearer, key=lambda step: (step.asset, step.verb, step.forward), reverse=True):
                unfinished.append((*path, step))
        return paths
