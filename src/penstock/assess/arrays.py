"""A graph as arrays: who is joined to whom, so that millions of relations are walked and swept in one go.

Assets are numbered in the order of their ids and relations of an asset lie in the order of the other end's id, so that
nothing depends on the order in which a graph was put together. A change of a few assets or relations is worked into the
arrays (``changed``) without building them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from penstock.graph.diff import Changes
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import KINDS, VERBS, Relation

Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint32]

KIND_CODES: Mapping[str, int] = {kind: number for number, kind in enumerate(sorted(KINDS))}
VERB_CODES: Mapping[str, int] = {verb: number for number, verb in enumerate(sorted(VERBS))}
VERB_NAMES: Sequence[str] = sorted(VERBS)
#: Code of a relation that is not there any more.
_GONE = len(VERB_CODES)
#: Below this many places rows are gathered, above it whole arrays are swept (5-10 ms either way at 1 M assets).
_FEW = 50_000


@dataclass(frozen=True)
class Arrays:
    """Relations as numbers. ``leaving[out[p]:out[p + 1]]`` are the edges that leave place ``p``; likewise entering."""

    ids: list[str]
    place: dict[str, int]
    kind: npt.NDArray[np.int8]
    source: Ints
    target: Ints
    verb: npt.NDArray[np.int8]
    relations: list[Relation] = field(repr=False)
    leaving: Ints
    out: Ints
    entering: Ints
    into: Ints

    @classmethod
    def of(cls, graph: Graph) -> Arrays:
        ids = sorted(graph.assets)
        place = {id: number for number, id in enumerate(ids)}
        kind = np.fromiter((KIND_CODES[graph.assets[id].kind] for id in ids), np.int8, len(ids))
        relations = list(graph.relations)
        count = len(relations)
        source = np.fromiter((place.get(r.source, -1) for r in relations), np.int32, count)
        target = np.fromiter((place.get(r.target, -1) for r in relations), np.int32, count)
        verb = np.fromiter((VERB_CODES.get(r.verb, _GONE) for r in relations), np.int8, count)
        verb[(source < 0) | (target < 0)] = _GONE
        return cls(ids, place, kind, source, target, verb, relations, *_rows(source, target, verb, len(ids)))

    def __len__(self) -> int:
        return len(self.ids)

    # ── one asset ────────────────────────────────────────────────────────────────────────────────────────────────────

    def edges(self, place: int, verbs: Flags | None = None, *, forward: bool = True) -> Ints:
        """The edges that leave a place (or enter it), in the order of the other end's id, then of the verb."""
        order, starts = (self.leaving, self.out) if forward else (self.entering, self.into)
        found = order[starts[place] : starts[place + 1]]
        return found if verbs is None else found[verbs[self.verb[found]]]

    def neighbours(self, place: int, verbs: Flags, *, forward: bool) -> list[tuple[int, int]]:
        """(other end, verb) of the edges of some verbs, in order."""
        edges = self.edges(place, verbs, forward=forward)
        ends = (self.target if forward else self.source)[edges]
        return list(zip(ends.tolist(), self.verb[edges].tolist(), strict=True))

    # ── many assets ──────────────────────────────────────────────────────────────────────────────────────────────────

    def step(self, places: Ints, verbs: Flags, *, forward: bool) -> Ints:
        """The other ends of all edges of some verbs at some places; with repetitions."""
        if len(places) > _FEW:
            marked = np.zeros(len(self), np.bool_)
            marked[places] = True
            near, far = (self.source, self.target) if forward else (self.target, self.source)
            edges = self.of_verbs(verbs)
            return far[edges[marked[near[edges]]]]
        edges = self.edges_of(places, verbs, forward=forward)
        ends: Ints = (self.target if forward else self.source)[edges]
        return ends

    def edges_of(self, places: Ints, verbs: Flags, *, forward: bool) -> Ints:
        """The edges of some verbs that leave some places (or enter them), place by place, in order."""
        order, starts = (self.leaving, self.out) if forward else (self.entering, self.into)
        first = starts[places]
        counts = starts[places + 1] - first
        total = int(counts.sum())
        if not total:
            return np.empty(0, np.int32)
        at = np.arange(total, dtype=np.int32) + np.repeat((first - np.cumsum(counts) + counts).astype(np.int32), counts)
        edges = order[at]
        return edges[verbs[self.verb[edges]]]

    def near(self, places: Ints, verbs: Flags, *, forward: bool, least: int = 0, most: int = 1) -> Ints:
        """``reached`` as places in ascending order; of a few places it costs no look at all the others."""
        if len(places) > _FEW:
            return np.flatnonzero(self.reached(places, verbs, forward=forward, least=least, most=most)).astype(np.int32)
        found = places if least == 0 else np.empty(0, np.int32)
        seen = frontier = places
        for depth in range(1, most + 1):
            ends = np.unique(self.step(frontier, verbs, forward=forward))
            if depth >= least:
                found = ends if not len(found) else np.union1d(found, ends)
            frontier = without(ends, seen)
            if not len(frontier):
                break
            if depth < most:
                seen = np.union1d(seen, frontier)
        return found

    def reached(self, places: Ints, verbs: Flags, *, forward: bool, least: int = 0, most: int = 1) -> Flags:
        """Which places lie ``least`` to ``most`` steps from any of some places."""
        seen = np.zeros(len(self), np.bool_)
        seen[places] = True
        found = seen.copy() if least == 0 else np.zeros(len(self), np.bool_)
        frontier = places
        for depth in range(1, most + 1):
            ends = self.step(frontier, verbs, forward=forward)
            if depth >= least:
                found[ends] = True
            ends = ends[~seen[ends]]
            seen[ends] = True
            frontier = np.unique(ends)
            if not len(frontier):
                break
        return found

    def sweep(self, bits: Bits, verbs: Flags, *, forward: bool, rounds: int) -> Bits:
        """Every place's bits with those of all that lead to it within some steps (``forward``: source to target)."""
        order = self.entering if forward else self.leaving
        edges = order[verbs[self.verb[order]]]
        if not len(edges):
            return bits.copy()
        givers, receivers = (self.source, self.target) if forward else (self.target, self.source)
        giver, receiver = givers[edges], receivers[edges]
        first = np.flatnonzero(np.diff(receiver, prepend=-1))
        to = receiver[first]
        now = bits.copy()
        for _ in range(rounds):
            got = now[to] | np.bitwise_or.reduceat(now[giver], first)
            if np.array_equal(got, now[to]):
                break
            following = now.copy()
            following[to] = got
            now = following
        return now

    def sweep_again(self, swept: Bits, bits: Bits, places: Ints, verbs: Flags, *, forward: bool, rounds: int) -> Bits:
        """What ``sweep`` says of ``bits``, from what it said when the bits and relations of some places were others."""
        affected = self.near(places, verbs, forward=forward, most=rounds)
        givers = self.near(affected, verbs, forward=not forward, most=rounds)
        if len(givers) > len(self) // 4:
            return self.sweep(bits, verbs, forward=forward, rounds=rounds)
        edges = self.edges_of(givers, verbs, forward=not forward)
        near, far = (self.target, self.source) if forward else (self.source, self.target)
        receiver, giver = near[edges], far[edges]
        first = np.flatnonzero(np.diff(receiver, prepend=-1))
        now = bits.copy()
        for _ in range(rounds if len(edges) else 0):
            now[receiver[first]] |= np.bitwise_or.reduceat(now[giver], first)
        found = swept.copy()
        found[affected] = now[affected]
        return found

    def named(self, flags: Flags) -> frozenset[str]:
        """The ids of some assets."""
        return frozenset(self.ids[place] for place in np.flatnonzero(flags).tolist())

    def around(self, places: Iterable[int]) -> Flags:
        """Some places and everything that a relation joins to them."""
        start = np.unique(np.fromiter(places, np.int32))
        every = np.ones(_GONE + 1, np.bool_)
        return self.reached(start, every, forward=True) | self.reached(start, every, forward=False)

    def of_verbs(self, verbs: Flags) -> Ints:
        """All edges of some verbs."""
        parts = [self._by_verb[code] for code in np.flatnonzero(verbs[:_GONE]).tolist()]
        return np.concatenate(parts) if parts else np.empty(0, np.int32)

    @cached_property
    def _by_verb(self) -> list[Ints]:
        order = np.argsort(self.verb, kind="stable").astype(np.int32)
        bounds = np.searchsorted(self.verb[order], np.arange(_GONE + 1))
        return [order[bounds[code] : bounds[code + 1]] for code in range(_GONE)]

    # ── change ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def changed(self, graph: Graph, changes: Changes) -> Arrays:
        """The arrays of the graph after some changes; assets that went or came renumber the rest."""
        made = self._without_relations([r.key for r in changes.relations_removed])
        gone = {asset.id for asset in changes.removed if asset.id not in graph.assets}
        come = {asset.id for asset in changes.added if asset.id not in made.place}
        if gone or come:
            made = made._renumbered(graph, gone, come)
        known = [place for id in changes.changed if (place := made.place.get(id)) is not None]
        if any("kind" in fields for fields in changes.changed.values()):
            kind = made.kind.copy()
            kind[known] = [KIND_CODES[graph.assets[made.ids[place]].kind] for place in known]
            made = replace(made, kind=kind)
        return made._with_relations([r for r in changes.relations_added if {r.source, r.target} <= made.place.keys()])

    def _without_relations(self, keys: Sequence[tuple[str, str, str]]) -> Arrays:
        dead = [edge for key in keys if (edge := self.edge(key)) is not None]
        if not dead:
            return self
        verb = self.verb.copy()
        verb[dead] = _GONE
        gone = np.zeros(len(self.verb), np.bool_)
        gone[dead] = True
        leaving, entering = self.leaving[~gone[self.leaving]], self.entering[~gone[self.entering]]
        out, into = self.out.copy(), self.into.copy()
        for edge in dead:
            out[self.source[edge] + 1 :] -= 1
            into[self.target[edge] + 1 :] -= 1
        return replace(self, verb=verb, leaving=leaving, out=out, entering=entering, into=into)

    def edge(self, key: tuple[str, str, str]) -> int | None:
        """The number of a relation, None when it is not there."""
        source, target = self.place.get(key[0]), self.place.get(key[2])
        if source is None or target is None:
            return None
        edges = self.edges(source)
        found = edges[(self.target[edges] == target) & (self.verb[edges] == VERB_CODES[key[1]])]
        return int(found[0]) if len(found) else None

    def _with_relations(self, relations: Sequence[Relation]) -> Arrays:
        made = self
        for relation in relations:
            made = made._with_relation(relation)
        return made

    def _with_relation(self, relation: Relation) -> Arrays:
        source, target, verb = self.place[relation.source], self.place[relation.target], VERB_CODES[relation.verb]
        edge = len(self.verb)
        out, into = self.out.copy(), self.into.copy()
        at_out = int(out[source]) + _turn(self.target, self.verb, self.edges(source), target, verb)
        at_into = int(into[target]) + _turn(self.source, self.verb, self.edges(target, forward=False), source, verb)
        out[source + 1 :] += 1
        into[target + 1 :] += 1
        return replace(
            self,
            source=np.append(self.source, np.int32(source)),
            target=np.append(self.target, np.int32(target)),
            verb=np.append(self.verb, np.int8(verb)),
            relations=[*self.relations, relation],
            leaving=np.insert(self.leaving, at_out, edge),
            out=out,
            entering=np.insert(self.entering, at_into, edge),
            into=into,
        )

    def _renumbered(self, graph: Graph, gone: set[str], come: set[str]) -> Arrays:
        ids = sorted((set(self.ids) - gone) | come)
        place = {id: number for number, id in enumerate(ids)}
        kind = np.fromiter((KIND_CODES[graph.assets[id].kind] for id in ids), np.int8, len(ids))
        moved = np.fromiter((place.get(id, -1) for id in self.ids), np.int32, len(self.ids))
        source, target = moved[self.source], moved[self.target]
        verb = np.where((source < 0) | (target < 0), np.int8(_GONE), self.verb)
        return Arrays(ids, place, kind, source, target, verb, self.relations, *_rows(source, target, verb, len(ids)))


def common(one: Ints, two: Ints) -> Ints:
    """What is in both of two ascending rows."""
    few, many = (one, two) if len(one) < len(two) else (two, one)
    return few[_among(few, many)]


def without(one: Ints, two: Ints) -> Ints:
    """What is in the first of two ascending rows alone."""
    return one[~_among(one, two)]


def _among(places: Ints, row: Ints) -> Flags:
    if not len(row):
        return np.zeros(len(places), np.bool_)
    return np.asarray(row[np.minimum(np.searchsorted(row, places), len(row) - 1)] == places)


def verb_flags(verbs: Iterable[str]) -> Flags:
    """A table from a verb's code to whether it is one of the given."""
    flags = np.zeros(_GONE + 1, np.bool_)
    flags[[VERB_CODES[verb] for verb in verbs]] = True
    return flags


def kind_flags(kinds: Iterable[str]) -> Flags:
    """A table from a kind's code to whether it is one of the given."""
    flags = np.zeros(len(KIND_CODES), np.bool_)
    flags[[KIND_CODES[kind] for kind in kinds]] = True
    return flags


def _rows(source: Ints, target: Ints, verb: npt.NDArray[np.int8], count: int) -> tuple[Ints, Ints, Ints, Ints]:
    alive = np.flatnonzero(verb != _GONE).astype(np.int32)
    leaving, out = _row(source, target, verb, alive, count)
    entering, into = _row(target, source, verb, alive, count)
    return leaving, out, entering, into


def _row(near: Ints, far: Ints, verb: npt.NDArray[np.int8], alive: Ints, count: int) -> tuple[Ints, Ints]:
    key = (near[alive].astype(np.int64) * count + far[alive]) * (_GONE + 1) + verb[alive]
    order = alive[np.argsort(key)]
    starts = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(near[alive], minlength=count), out=starts[1:])
    return order, starts


def _turn(far: Ints, verb: npt.NDArray[np.int8], row: Ints, end: int, code: int) -> int:
    """Where in a row an edge to an end belongs."""
    key = far[row].astype(np.int64) * (_GONE + 1) + verb[row]
    return int(np.searchsorted(key, end * (_GONE + 1) + code))


class IndexedGraph(Graph):
    """The same graph, its relations walked over arrays; everything that reads a graph reads this one."""

    arrays: Arrays

    @staticmethod
    def over(graph: Graph, arrays: Arrays | None = None) -> IndexedGraph:
        if isinstance(graph, IndexedGraph):
            return graph
        made = IndexedGraph(
            graph.assets, graph.relations, graph.evidence, graph.claims, graph.complete, graph.unseen, graph.at
        )
        object.__setattr__(made, "arrays", arrays or Arrays.of(graph))
        return made

    def out(self, asset: str, *verbs: str) -> Iterator[Relation]:
        return self._at(asset, verbs, forward=True)

    def into(self, asset: str, *verbs: str) -> Iterator[Relation]:
        return self._at(asset, verbs, forward=False)

    def _at(self, asset: str, verbs: tuple[str, ...], *, forward: bool) -> Iterator[Relation]:
        place = self.arrays.place.get(asset)
        if place is None:
            return iter(())
        wanted = verb_flags(verb for verb in verbs if verb in VERB_CODES) if verbs else None
        relations = self.arrays.relations
        return (relations[edge] for edge in self.arrays.edges(place, wanted, forward=forward).tolist())
