"""Where data goes, its labels go too: a model trained on personal data is treated as if it contained it.

Labels travel along the verb table. ``contains`` and ``sees`` are kept apart: what was built from data holds it (R1);
who may read it only sees it, and using a model taints no weights (R3). What somebody sees and then writes, logs,
remembers or sends on is held by whatever receives it (R4). An accepted declassification lowers (R5), a missing
provenance is a label of its own (R6), an erased source still taints and is flagged (R7), and every label has a shortest
way from its origin (R8). A leakage class says how readily the data can be got out again; it ranks, it never drops (R2).

Each label is one walk over the arcs of the ``Flow``. After a change, ``propagate`` takes the labelling from before and
walks anew only what the change can reach; proofs, leakage and notes on erased sources are made when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from penstock.graph import hops as distances
from penstock.graph.diff import Changes, diff
from penstock.graph.flow import CONTAINS, PLANES, RUN, SEES, Flags, Flow, Numbers, Places
from penstock.graph.graph import Graph
from penstock.graph.leakage import LEAKAGE, leakiest, of_arcs
from penstock.graph.origins import ERASED, Own, stated_unknown
from penstock.graph.vocabulary import CONFIDENCE_ORDER, LABELS, Step

NoteKind = Literal["declassified", "unconfirmed", "stale", "unknown-origin"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know about an asset's labels. ``about`` is the erased source of a stale one, else empty."""

    kind: NoteKind
    text: str
    about: str = ""


def propagate(graph: Graph, *, after: Labelling | None = None, changes: Changes | None = None) -> Labelling:
    """The labels of every asset of the graph, by what it holds and what it may read.

    Args:
        after: the labelling of an earlier state of the graph. Only what differs is computed anew; what comes out is
            the same as without it.
        changes: ``diff`` of that state and this one, from whoever knows it already.
    """
    if after is None:
        return Labelling.of(graph)
    return after.updated(graph, changes if changes is not None else diff(after.graph, graph))


@dataclass(frozen=True, slots=True)
class Labelling:
    """What every asset contains and sees. Made by ``propagate``; ids that the graph does not know have no labels."""

    graph: Graph
    _flow: Flow
    _walks: Mapping[str, _Walk]  # by label, and one from every erased source
    _own: Own
    _held: npt.NDArray[np.uint16]  # a bit a label for each state
    _sets: dict[int, frozenset[str]]
    _leaks: dict[str, npt.NDArray[np.int8]]

    @classmethod
    def of(cls, graph: Graph) -> Labelling:
        """The labelling of a graph, from nothing."""
        flow = Flow.of(graph)
        own = Own.of(graph, flow)
        walks = {
            label: _Walk.of(flow, _states(flow, ids), own.closed(graph, flow, label))
            for label, ids in own.holders.items()
        }
        return cls(graph, flow, walks, own, _bits(flow, walks), {}, {})

    def updated(self, graph: Graph, changes: Changes) -> Labelling:
        """The labelling of the graph that the changes lead to."""
        links = len(changes.relations_added) + len(changes.relations_removed)
        if links + len(self._flow.fresh) > max(_FEW, len(self._flow.relations) // _SHARE):
            return Labelling.of(graph)
        flow, lost, new = self._flow.changed(changes, graph)
        own = self._own.updated(graph, flow, changes, np.concatenate((lost, new)))
        walks = {}
        for label, ids in own.holders.items():
            walk = self._walks.get(label, _NEVER)
            same = ids is self._own.holders.get(label)
            origins = walk.origins if same else _states(flow, ids)
            walks[label] = walk.updated(flow, origins, own.closed(graph, flow, label), lost, new)
        return Labelling(graph, flow, walks, own, _bits(flow, walks), {}, {})

    def contains(self, asset: str) -> frozenset[str]:
        """Labels that the asset holds: its own and those of what it was built from or was given."""
        return self._in_plane(asset, CONTAINS)

    def sees(self, asset: str) -> frozenset[str]:
        """Labels that the asset may read from elsewhere."""
        return self._in_plane(asset, SEES)

    def touches(self, asset: str) -> frozenset[str]:
        """Labels that the asset contains or sees."""
        return self.contains(asset) | self.sees(asset)

    def proof(self, asset: str, label: str) -> tuple[Step, ...]:
        """The shortest way by which the label came, from its origin to the asset; empty when it does not carry it.

        Of equally short ways the better evidenced last hop wins, then the smaller ids. What is contained is proved
        before what is only seen.
        """
        place, walk = self._flow.place.get(asset), self._walks.get(label)
        if place is None or walk is None:
            return ()
        reached = [(int(walk.hops[s]), s) for s in (place * PLANES + CONTAINS, place * PLANES + SEES)]
        reached = [found for found in reached if found[0] >= 0]
        return self._way(min(reached)[1], walk) if reached else ()

    def leakage(self, asset: str, label: str) -> str | None:
        """How readily the label's data can be got out of the asset, by the worst way it came; None without the label.

        verbatim: it is there as it was. extractable: learned by a model, which can be made to say it.
        inferable: behind a method that bounds what can be learned, but that nobody has accepted yet.
        """
        place = self._flow.place.get(asset)
        if place is None or label not in self._walks:
            return None
        if label not in self._leaks:
            walk, arcs = self._walks[label], self._leaks.get(_ARCS)
            if arcs is None:
                arcs = self._leaks[_ARCS] = of_arcs(self.graph, self._flow)
            self._leaks[label] = leakiest(self._flow, arcs, walk.origins, walk.hops, _shut(self._flow, walk.closed))
        worst = int(self._leaks[label][place * PLANES + CONTAINS : place * PLANES + RUN].max())
        return LEAKAGE[worst] if worst >= 0 else None

    def notes(self, asset: str) -> tuple[Note, ...]:
        """What else is to be known: declassified, claimed but unconfirmed, built from an erased source, no origin."""
        if asset not in self._flow.place:
            return ()
        notes = []
        if claim := self._own.claims.get(asset):
            notes.append(Note("declassified" if claim.in_force else "unconfirmed", claim.told))
        if why := self._own.unknown.get(asset) or stated_unknown(self.graph.assets[asset]):
            notes.append(Note("unknown-origin", why))
        for source in self._erased_sources(asset):
            named = self.graph.assets[source]
            text = (
                f"{named.name} was erased on {named.props['deleted_on']}; what was built from it still holds its data"
            )
            notes.append(Note("stale", text, source))
        return tuple(notes)

    def holding(self, label: str) -> Iterator[str]:
        """The assets that contain the label, by id."""
        walk = self._walks.get(label)
        if walk is not None:
            places = np.flatnonzero(walk.hops[CONTAINS::PLANES] >= 0).tolist()
            yield from sorted(self._flow.ids[place] for place in places)

    def touching(self, label: str) -> Iterator[str]:
        """The assets that contain or see the label, by id."""
        walk = self._walks.get(label)
        if walk is not None:
            touched = (walk.hops[CONTAINS::PLANES] >= 0) | (walk.hops[SEES::PLANES] >= 0)
            yield from sorted(self._flow.ids[place] for place in np.flatnonzero(touched).tolist())

    def travelling(self) -> dict[tuple[str, str, str], frozenset[str]]:
        """Relation key → the labels that travel along it, for the relations that carry any."""
        flow = self._flow
        bits = np.zeros(len(flow.relations) + len(flow.fresh), np.uint16)
        numbers = flow.relation.astype(np.int64)
        numbers[flow.built :] += len(flow.relations)
        for number, label in enumerate(LABELS):
            if walk := self._walks.get(label):
                carried = walk.hops[flow.start] >= 0
                carried[walk.closed] = False
                if flow.dead is not None:
                    carried &= ~flow.dead
                bits[numbers[carried]] |= np.uint16(1 << number)
        told = {}
        for number in np.flatnonzero(bits).tolist():
            known = number < len(flow.relations)
            relation = flow.relations[number] if known else flow.fresh[number - len(flow.relations)]
            told[relation.key] = self._labels(int(bits[number]))
        return told

    def arriving(self, asset: str) -> dict[str, frozenset[str]]:
        """Id of each direct source of an asset → the labels it has to give, whether a declassification stops them."""
        place = self._flow.place.get(asset)
        if place is None:
            return {}
        found: dict[str, set[str]] = {}
        for arc in self._flow.entering(place * PLANES + np.arange(PLANES)).tolist():
            start = int(self._flow.start[arc])
            given = {label for label, walk in self._walks.items() if label != ERASED and walk.hops[start] >= 0}
            if start // PLANES != place:
                found.setdefault(self._flow.ids[start // PLANES], set()).update(given)
        return {source: frozenset(labels) for source, labels in sorted(found.items()) if labels}

    def _in_plane(self, asset: str, plane: int) -> frozenset[str]:
        place = self._flow.place.get(asset)
        return self._labels(int(self._held[place * PLANES + plane]) if place is not None else 0)

    def _labels(self, bits: int) -> frozenset[str]:
        if bits not in self._sets:
            self._sets[bits] = frozenset(label for number, label in enumerate(LABELS) if bits >> number & 1)
        return self._sets[bits]

    def _way(self, state: int, walk: _Walk) -> tuple[Step, ...]:
        """Backwards along the best arc of each level."""
        flow, way = self._flow, list[Step]()
        for level in range(int(walk.hops[state]) - 1, -1, -1):
            arcs = walk.open(flow.entering(np.array([state])))
            arc = min(arcs[walk.hops[flow.start[arcs]] == level].tolist(), key=self._evidenced)
            way.append(flow.step(arc))
            state = int(flow.start[arc])
        way.append(Step(flow.ids[state // PLANES]))
        return tuple(reversed(way))

    def _evidenced(self, arc: int) -> tuple[int, str, str, str, int]:
        """The better evidenced first, then by ids."""
        told = self._flow.relation_of(arc)
        evidence = self.graph.evidence.get(told.key)
        sure = CONFIDENCE_ORDER.index(evidence[0].confidence) if evidence else len(CONFIDENCE_ORDER)
        return sure, *told.key, int(self._flow.start[arc]) % PLANES

    def _erased_sources(self, asset: str) -> list[str]:
        """Every erased source that the asset was built from, found by going back along what still stands."""
        walk = self._walks.get(ERASED)
        state = self._flow.place[asset] * PLANES + CONTAINS
        if walk is None or walk.hops[state] < 0:
            return []
        seen = frontier = np.array([state], np.int64)
        while len(frontier):
            arcs = walk.open(self._flow.entering(frontier))
            before = np.unique(self._flow.start[arcs]).astype(np.int64)
            frontier = np.setdiff1d(before[walk.hops[before] >= 0], seen)
            seen = np.concatenate((seen, frontier))
        sources = np.intersect1d(seen, walk.origins) // PLANES
        return sorted(id for place in sources.tolist() if (id := self._flow.ids[place]) != asset)


# ── one label ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Walk:
    """One label's way: the states it starts from, the arcs closed to it, and every state's hops from an origin."""

    origins: Places
    closed: Places
    hops: Numbers

    @classmethod
    def of(cls, flow: Flow, origins: Places, closed: Places) -> _Walk:
        return cls(origins, closed, flow.walk(origins, _shut(flow, closed)))

    def open(self, arcs: Places) -> Places:
        """Of some arcs, those that let the label through."""
        return arcs[~np.isin(arcs, self.closed)] if len(self.closed) else arcs

    def updated(self, flow: Flow, origins: Places, closed: Places, lost: Places, new: Places) -> _Walk:
        """The walk in a flow that lost some arcs and has some new ones."""
        shut = _shut(flow, closed)
        lost = np.concatenate((lost, np.setdiff1d(closed, self.closed)))
        reopened = np.setdiff1d(self.closed, closed)
        new = np.concatenate((new, reopened if flow.dead is None else reopened[~flow.dead[reopened]]))
        hops = distances.updated(self.hops, flow, origins, shut, lost=lost, new=new, former=self.origins)
        return _Walk(origins, closed, hops)


_NONE: Places = np.empty(0, np.int64)
#: The classes of leakage of single arcs, beside those of labels.
_ARCS = "arcs"
_NEVER = _Walk(_NONE, _NONE, np.empty(0, np.int32))
#: Changes are laid over the flow up to so many relations, or this share of all; beyond, everything is built anew.
_FEW, _SHARE = 1_000, 50


def _states(flow: Flow, ids: Iterable[str]) -> Places:
    """The states of what holds something by itself."""
    return np.array(sorted(flow.place[id] for id in ids), np.int64) * PLANES + CONTAINS


def _shut(flow: Flow, closed: Places) -> Flags | None:
    if not len(closed):
        return None
    flags = np.zeros(len(flow.start), np.bool_)
    flags[closed] = True
    return flags


def _bits(flow: Flow, walks: Mapping[str, _Walk]) -> npt.NDArray[np.uint16]:
    bits = np.zeros(flow.states, np.uint16)
    for number, label in enumerate(LABELS):
        if label in walks:
            bits |= np.left_shift(walks[label].hops >= 0, number, dtype=np.uint16)
    return bits
