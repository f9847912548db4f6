"""The ways along which data labels travel: every relation that carries some, as arcs between states, in arrays.

Each asset has a state a plane: it *contains* a label, it *sees* it, or a *run* evaluated on it passes it to its logs.
A relation becomes one to three arcs from the giver's states to the receiver's. A flow is built once and then only
read; what changes since is laid over it (``changed``), so that one new edge among a million costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import repeat
from operator import attrgetter
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from penstock.graph.diff import Changes
from penstock.graph.graph import Graph
from penstock.graph.views import Rows
from penstock.graph.vocabulary import VERBS, Relation, Step

Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

CONTAINS, SEES, RUN = 0, 1, 2
PLANES = 3

#: What a giver only sees, the receiver of these verbs sees too: an endpoint that serves an agent, a program that loads
#: a tool. By every other verb that carries ``contains``, what is seen is handed on and held (R4) …
_HANDS_SIGHT_ON = frozenset({"serves", "loads"})
#: … but for these: keeping a thing somewhere keeps what it holds, not what it may read.
_KEEPS_SIGHT_BACK = frozenset({"stored_in"})


@dataclass(frozen=True, slots=True)
class Flow:
    """Arcs between states; arc numbers up to ``built`` are in the rows, those after it came since."""

    ids: tuple[str, ...]
    place: Mapping[str, int]
    relations: tuple[Relation, ...]
    fresh: tuple[Relation, ...]
    start: Numbers
    end: Numbers
    relation: Numbers  # number into ``relations``, then into ``fresh``
    verb: npt.NDArray[np.int8]
    leaving_rows: Rows
    entering_rows: Rows
    built: int
    dead: Flags | None = None  # arcs whose relation is gone

    @classmethod
    def of(cls, graph: Graph) -> Flow:
        """All arcs of a graph."""
        ids = tuple(sorted(graph.assets))
        place = {id: number for number, id in enumerate(ids)}
        start, end, relation, verb = _arcs(graph.relations, place)
        return cls(
            ids=ids,
            place=place,
            relations=graph.relations,
            fresh=(),
            start=start,
            end=end,
            relation=relation,
            verb=verb,
            leaving_rows=Rows.by(start, PLANES * len(ids)),
            entering_rows=Rows.by(end, PLANES * len(ids)),
            built=len(start),
        )

    @property
    def states(self) -> int:
        return PLANES * len(self.ids)

    def leaving(self, states: Places) -> Places:
        """The arcs that leave any of some states, each named once."""
        return self._alive(self.leaving_rows, self.start, states)

    def entering(self, states: Places) -> Places:
        """The arcs that enter any of some states, each named once."""
        return self._alive(self.entering_rows, self.end, states)

    def _alive(self, rows: Rows, ends: Numbers, states: Places) -> Places:
        known = len(rows.starts) - 1
        arcs = rows.of(states if known == self.states else states[states < known])
        if self.built < len(ends):
            late = np.flatnonzero(np.isin(ends[self.built :], states)) + self.built
            arcs = np.concatenate((arcs, late))
        return arcs if self.dead is None else arcs[~self.dead[arcs]]

    def walk(self, origins: Places, shut: Flags | None = None) -> Numbers:
        """Hops from the nearest origin for every state, -1 where none leads; arcs that are ``shut`` are not taken."""
        hops = np.full(self.states, -1, np.int32)
        hops[origins] = 0
        frontier, level = origins, 0
        while len(frontier):
            level += 1
            arcs = self.leaving(frontier)
            if shut is not None:
                arcs = arcs[~shut[arcs]]
            ends = self.end[arcs]
            ends = ends[hops[ends] < 0]
            hops[ends] = level
            frontier = np.flatnonzero(hops == level) if len(ends) > _MANY else np.unique(ends).astype(np.int64)
        return hops

    def relation_of(self, arc: int) -> Relation:
        number = int(self.relation[arc])
        return self.relations[number] if arc < self.built else self.fresh[number]

    def step(self, arc: int) -> Step:
        """The hop that an arc is, to the asset where it ends."""
        told = self.relation_of(arc)
        ahead = VERBS[told.verb].to == "target" and int(self.end[arc]) % PLANES != RUN
        return Step(self.ids[int(self.end[arc]) // PLANES], told.verb, ahead)

    def changed(self, changes: Changes, graph: Graph) -> tuple[Flow, Places, Places]:
        """The flow of ``graph``, which the changes lead to; with the arcs that went, and those that came."""
        added = [asset.id for asset in changes.added if asset.id not in self.place]
        gone = {asset.id for asset in changes.removed if asset.id in self.place} - graph.assets.keys()
        place = self.place
        if added or gone:
            place = {id: number for id, number in place.items() if id not in gone}
            place |= {id: len(self.ids) + number for number, id in enumerate(added)}
        went = [self.arcs_of(relation) for relation in changes.relations_removed]
        if gone:
            left = np.array(sorted(self.place[id] for id in gone), np.int64)
            states = (left[:, None] * PLANES + np.arange(PLANES)).ravel()
            went += [self.leaving(states), self.entering(states)]
        lost = np.unique(np.concatenate(went)).astype(np.int64) if went else _NONE
        dead = self.dead
        new = _arcs(changes.relations_added, place)
        count = len(self.start) + len(new[0])
        if len(lost) or (dead is not None and len(new[0])):
            before, dead = dead, np.zeros(count, np.bool_)
            dead[: len(self.start)] = False if before is None else before
            dead[lost] = True
        first = len(self.fresh)
        flow = replace(
            self,
            ids=(*self.ids, *added) if added else self.ids,
            place=place,
            fresh=(*self.fresh, *changes.relations_added),
            start=_joined(self.start, new[0]),
            end=_joined(self.end, new[1]),
            relation=_joined(self.relation, new[2] + np.int32(first)),
            verb=_joined(self.verb, new[3]),
            dead=dead,
        )
        return flow, lost, np.arange(len(self.start), count, dtype=np.int64)

    def arcs_of(self, relation: Relation) -> Places:
        """The arcs that a relation is; none when it is not of this flow."""
        start, end, _, verb = _arcs((relation,), self.place)
        if not len(start):
            return _NONE
        near = self.entering(np.unique(end).astype(np.int64))
        meant = [
            near[(self.start[near] == one) & (self.end[near] == other) & (self.verb[near] == verb[0])]
            for one, other in zip(start.tolist(), end.tolist(), strict=True)
        ]
        return np.concatenate(meant)


#: Ends beyond which looking through all states for a level costs less than sorting the ends (measured at 300,000
#: states: 0.1 ms against 40 ns an end).
_MANY = 2_000
_NONE: Places = np.empty(0, np.int64)


_Number = TypeVar("_Number", np.int8, np.int32)


def _joined(old: npt.NDArray[_Number], new: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    return np.concatenate((old, new)) if len(new) else old


def _how(verb: str) -> tuple[tuple[int, int], ...]:
    """From which planes of the giver to which of the receiver labels go. A run's labels go back to what made it."""
    if verb == "evaluated_on":
        return ((CONTAINS, RUN),)
    if VERBS[verb].carries == "sees":
        return ((CONTAINS, SEES), (SEES, SEES))
    if verb in _KEEPS_SIGHT_BACK:
        return ((CONTAINS, CONTAINS),)
    if verb in _HANDS_SIGHT_ON:
        return ((CONTAINS, CONTAINS), (SEES, SEES))
    if verb == "logs_to":
        return ((CONTAINS, CONTAINS), (SEES, CONTAINS), (RUN, CONTAINS))
    if verb == "produces":
        return ((CONTAINS, CONTAINS), (SEES, CONTAINS), (RUN, RUN))
    return ((CONTAINS, CONTAINS), (SEES, CONTAINS))


_HOW = {verb: _how(verb) for verb, word in VERBS.items() if word.carries or verb == "evaluated_on"}
#: Verbs that carry labels, and the number of each.
CARRYING: tuple[str, ...] = tuple(sorted(_HOW))
CODES: Mapping[str, int] = {verb: number for number, verb in enumerate(CARRYING)}
_AHEAD = np.array([VERBS[verb].to == "target" for verb in CARRYING])


def codes(verbs: Iterable[str]) -> npt.NDArray[np.int8]:
    """Numbers of verbs, for comparing with ``Flow.verb``."""
    return np.array([CODES[verb] for verb in verbs], np.int8)


def _arcs(
    relations: tuple[Relation, ...], place: Mapping[str, int]
) -> tuple[Numbers, Numbers, Numbers, npt.NDArray[np.int8]]:
    """Start, end, number of the relation, and verb of the arcs that some relations are."""
    count, none = len(relations), repeat(-1)
    verb = np.fromiter(map(CODES.get, map(attrgetter("verb"), relations), none), np.int8, count)
    source = np.fromiter(map(place.get, map(attrgetter("source"), relations), none), np.int32, count)
    target = np.fromiter(map(place.get, map(attrgetter("target"), relations), none), np.int32, count)
    joins = (verb >= 0) & (source >= 0) & (target >= 0)
    giver, receiver = np.where(_AHEAD[verb], source, target), np.where(_AHEAD[verb], target, source)
    start, end, of = [], [], []
    for word, planes in _HOW.items():
        here = np.flatnonzero(joins & (verb == CODES[word])).astype(np.int32)
        for before, after in planes:
            first, last = (receiver, giver) if (before, after) == (RUN, RUN) else (giver, receiver)
            start.append(first[here] * np.int32(PLANES) + np.int32(before))
            end.append(last[here] * np.int32(PLANES) + np.int32(after))
            of.append(here)
    relation = np.concatenate(of)
    return np.concatenate(start), np.concatenate(end), relation, verb[relation]
