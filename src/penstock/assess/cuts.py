"""Where to cut: for everything worth taking, the one asset or relation that every way to it passes.

What closes a jewel alone is what dominates it from all doors of an entry; so the subtree below an asset, or below the
only relation into it, counts the jewels that closing it would put out of reach. ``without`` walks the moves again with
the cut made, which is what "n paths vanish" is held against.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from penstock.assess.arrays import Flags, Ints, verb_flags
from penstock.assess.dominators import Dominators, Wide, meeting
from penstock.assess.facts import Facts
from penstock.assess.terrain import ENTRIES, LONGEST, Ground, Terrain
from penstock.graph.vocabulary import DATA_KINDS, Step, Unseen

#: Shortest ways that are told from an entry to a jewel, and moves looked at for them.
_TOLD, _LOOKED_AT = 20, 5_000
#: Relations that a change takes away: rights, and what is read, used, handed on or loaded. A call or a model behind a
#: service is what the service is.
_SEVERED = verb_flags(
    "runs_as can_read can_write can_admin can_assume holds grants reaches reads retrieves_from uses_tool connects_to "
    "writes delegates_to remembers_in ingests loads consumes stored_in copied_to deployed_on".split()
)
#: An entry and the id of what it leads to.
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Cut:
    """One change: an asset closed, or a relation taken away. ``closes`` are the pairs that no way joins any more."""

    at: str
    relation: tuple[str, str, str] | None
    closes: tuple[Pair, ...]


class Cuts:
    """The ways of all sorts of attackers to everything worth taking, and what would close them."""

    def __init__(self, facts: Facts, entries: Iterable[str] = ENTRIES) -> None:
        self.facts, self._arrays = facts, facts.arrays
        ground = Ground(facts)
        self._views = {entry: _View(ground.terrain(entry)) for entry in entries}
        self._kept = _kept_as_they_are(facts)

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Every entry and jewel that some way joins, the heaviest jewels first."""
        ids = self._arrays.ids
        found = [
            (-view.terrain.weight.item(node), entry, ids[view.terrain.place[node]])
            for entry, view in self._views.items()
            for node in view.goals.tolist()
        ]
        return tuple(dict.fromkeys((entry, id) for _, entry, id in sorted(found)))

    @property
    def unseen(self) -> tuple[Unseen, ...]:
        """What lies beyond the bound on the length of a way."""
        return tuple(
            Unseen(entry, f"{view.terrain.cut_off} jewels", f"every way from {entry} to them has over {LONGEST} hops")
            for entry, view in self._views.items()
            if view.terrain.cut_off
        )

    def best(self, limit: int = 10) -> list[Cut]:
        """The changes that close most pairs, each counted over what the better ones leave open."""
        left = set(self.pairs)
        found: list[Cut] = []
        for _, asset, relation in self._ranked:
            if len(found) == limit or not left:
                break
            closes = [pair for pair in self._closed(asset, relation) if pair in left]
            if closes and not self._is_but_the_store(asset, relation, closes):
                found.append(self._cut(asset, relation, closes))
                left.difference_update(closes)
        return found

    def of(self, jewel: str, entries: Iterable[str] = ENTRIES) -> Cut | None:
        """The change that closes a jewel for every one of some entries, and most others beside it.

        The jewel itself where its ways have nothing else in common; None where no way leads to it.
        """
        place = self._arrays.place[jewel]
        views = [self._views[entry] for entry in entries if entry in self._views]
        reached = [view for view in views if place in view.goal_places]
        if not reached:
            return None
        common: set[tuple[int, int]] | None = None
        for view in reached:
            passed = set(view.passed(view.goal_places[place]))
            common = passed if common is None else common & passed
        best = min(
            (one for one in common or () if self._changeable(*one) and one != (place, -1)),
            key=lambda one: (-self._worth(*one), one[1] < 0, one),
            default=(place, -1),
        )
        return self._cut(*best, self._closed(*best))

    def ways(self, entry: str, jewel: str, limit: int = _TOLD) -> tuple[list[tuple[Step, ...]], Unseen | None]:
        """All shortest ways from an entry to a jewel in the order of their ids, and what a bound left out."""
        view, place = self._views[entry], self._arrays.place[jewel]
        node = view.goal_places.get(place)
        return ([], None) if node is None else view.ways(node, limit)

    def without(self, cut: Cut) -> frozenset[Pair]:
        """The pairs that a way still joins when the cut is made: the moves walked again, nothing counted."""
        place = self._arrays.place[cut.at] if cut.relation is None else -1
        found = self._arrays.edge(cut.relation) if cut.relation else None
        edge = -1 if found is None else found
        ids, left = self._arrays.ids, set()
        for entry, view in self._views.items():
            reached = view.terrain.reached(without=place, relation=edge)
            left |= {(entry, ids[view.terrain.place[node]]) for node in view.goals[reached[view.goals]].tolist()}
        return frozenset(left)

    # ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _counts(self) -> tuple[Wide, dict[int, int]]:
        """Pairs closed by each asset, by place, and by each relation, by its number."""
        by_place = np.zeros(len(self._arrays), np.int64)
        by_relation: dict[int, int] = {}
        for view in self._views.values():
            by_place += view.by_place(len(self._arrays))
            for relation, count in view.by_relation.items():
                by_relation[relation] = by_relation.get(relation, 0) + count
        return by_place, by_relation

    def _is_but_the_store(self, asset: int, relation: int, closes: Sequence[Pair]) -> bool:
        """Whether a change would only do away with the very data that the ways lead to; closing it to all is one."""
        facts = self.facts
        if relation >= 0 or facts.column("public_read")[asset] or not facts.kind_is(*DATA_KINDS)[asset]:
            return False
        return all(jewel == self._arrays.ids[asset] for _, jewel in closes)

    def _changeable(self, asset: int, relation: int) -> bool:
        return bool(_SEVERED[self._arrays.verb[relation]] if relation >= 0 else not self._kept[asset])

    def _worth(self, asset: int, relation: int) -> int:
        by_place, by_relation = self._counts
        return by_relation.get(relation, 0) if relation >= 0 else int(by_place[asset])

    @property
    def _ranked(self) -> list[tuple[int, int, int]]:
        """(pairs closed, place, relation or -1), most first; a relation before an asset that closes as much."""
        by_place, by_relation = self._counts
        source = self._arrays.source
        relations = [(count, source.item(relation), relation) for relation, count in by_relation.items()]
        relations = [one for one in relations if self._changeable(*one[1:])]
        changeable = np.flatnonzero((by_place > 0) & ~self._kept).tolist()
        assets = [(by_place.item(place), place, -1) for place in changeable]
        return sorted([*relations, *assets], key=lambda one: (-one[0], one[2] < 0, one[1], one[2]))

    def _closed(self, asset: int, relation: int) -> list[Pair]:
        ids = self._arrays.ids
        return [(entry, ids[place]) for entry, view in self._views.items() for place in view.closed(asset, relation)]

    def _cut(self, asset: int, relation: int, closes: Sequence[Pair]) -> Cut:
        arrays = self._arrays
        if relation < 0:
            return Cut(arrays.ids[asset], None, tuple(closes))
        said = arrays.relations[relation]
        return Cut(said.source, said.key, tuple(closes))


class _View:
    """The dominators of one terrain and what lies below them."""

    def __init__(self, terrain: Terrain) -> None:
        self.terrain = terrain
        self.goals: Ints = np.flatnonzero(terrain.weight > 0).astype(np.int32)
        self.goal_places = {terrain.place.item(node): node for node in self.goals.tolist()}
        self._tree = Dominators.of(terrain.tail, terrain.head, terrain.starts, len(terrain))
        self._below = self._tree.below((terrain.weight > 0).astype(np.int64))

    @cached_property
    def _only(self) -> Ints:
        """Node → the relation over which every way to it comes, -1 where there is none."""
        terrain = self.terrain
        edge = self._tree.only_edge(terrain.tail, terrain.head, terrain.starts)
        return np.where(edge >= 0, terrain.relation[edge], -1) if len(terrain.tail) else edge

    def by_place(self, count: int) -> Wide:
        """Jewels that lie behind each asset; of its two sides what lies behind both counts once."""
        place, found = self.terrain.place, np.zeros(count, np.int64)
        nodes = np.flatnonzero(self._tree.level > 0).astype(np.int32)
        np.add.at(found, place[nodes], self._below[nodes])
        order = nodes[np.argsort(place[nodes], kind="stable")]
        twice = np.flatnonzero(place[order][1:] == place[order][:-1])
        one, other = order[twice], order[twice + 1]
        met = meeting(self._tree.parent, self._tree.level, one, other)
        inner = np.where(met == one, other, np.where(met == other, one, -1))
        nested = inner >= 0
        found[place[one[nested]]] -= self._below[inner[nested]]
        return found

    @cached_property
    def by_relation(self) -> dict[int, int]:
        """Jewels that lie behind each relation that is the only way somewhere."""
        nodes = np.flatnonzero((self._only >= 0) & (self._below > 0))
        found: dict[int, list[int]] = {}
        for node, relation in zip(nodes.tolist(), self._only[nodes].tolist(), strict=True):
            found.setdefault(relation, []).append(node)
        return {
            relation: sum(self._below.item(node) for node in self._outermost(heads))
            for relation, heads in found.items()
        }

    def _outermost(self, nodes: Sequence[int]) -> list[int]:
        return [node for node in nodes if not set(self._tree.chain(node)) & set(nodes)]

    def passed(self, node: int) -> list[tuple[int, int]]:
        """(place, relation or -1) of everything that every way to a node passes, the node included."""
        found = []
        for one in (node, *self._tree.chain(node)):
            place = self.terrain.place.item(one)
            found.append((place, -1))
            if (relation := self._only.item(one)) >= 0:
                found.append((place, relation))
        return [(self._source(relation) if relation >= 0 else place, relation) for place, relation in found]

    def _source(self, relation: int) -> int:
        return self.terrain.arrays.source.item(relation)

    def closed(self, asset: int, relation: int) -> list[int]:
        """The places of the jewels behind an asset, or behind a relation."""
        heads = self._heads_of.get(relation, ()) if relation >= 0 else self._nodes_of.get(asset, ())
        found: set[int] = set()
        frontier = list(heads)
        while frontier:
            node = frontier.pop()
            if self.terrain.weight[node]:
                found.add(self.terrain.place.item(node))
            frontier += self._children.get(node, ())
        return sorted(found)

    @cached_property
    def _children(self) -> dict[int, list[int]]:
        """The tree downwards, as far as jewels lie below."""
        found: dict[int, list[int]] = {}
        nodes = np.flatnonzero((self._below > 0) & (self._tree.level > 0))
        for node, parent in zip(nodes.tolist(), self._tree.parent[nodes].tolist(), strict=True):
            found.setdefault(parent, []).append(node)
        return found

    @cached_property
    def _nodes_of(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        nodes = np.flatnonzero((self._below > 0) & (self._tree.level > 0))
        for node, place in zip(nodes.tolist(), self.terrain.place[nodes].tolist(), strict=True):
            found.setdefault(place, []).append(node)
        return found

    @cached_property
    def _heads_of(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        nodes = np.flatnonzero((self._only >= 0) & (self._below > 0))
        for node, relation in zip(nodes.tolist(), self._only[nodes].tolist(), strict=True):
            found.setdefault(relation, []).append(node)
        return found

    # ── ways ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _entering(self) -> tuple[Wide, Wide]:
        head = self.terrain.head
        begins = np.zeros(len(self.terrain) + 1, np.int64)
        np.cumsum(np.bincount(head, minlength=len(self.terrain)), out=begins[1:])
        return begins, np.argsort(head, kind="stable")

    def ways(self, node: int, limit: int) -> tuple[list[tuple[Step, ...]], Unseen | None]:
        """All shortest ways to a node, traced back along falling levels."""
        level, terrain = self._tree.level, self.terrain
        ids, relations = terrain.arrays.ids, terrain.arrays.relations
        told: dict[tuple[Step, ...], None] = {}
        unfinished: list[tuple[int, tuple[tuple[int, int], ...]]] = [(node, ())]
        looked, full = 0, False
        while unfinished and not full:
            here, after = unfinished.pop()
            if level[here] == 1:
                steps = [Step(ids[terrain.place[here]])]
                at = here
                for edge, following in after:
                    forward = relations[edge].source == ids[terrain.place[at]]
                    steps.append(Step(ids[terrain.place[following]], relations[edge].verb, forward))
                    at = following
                told[tuple(steps)] = None
                full = len(told) >= limit
                continue
            coming = self._coming(here)
            looked += len(coming)
            full = full or looked > _LOOKED_AT
            unfinished += [(tail, ((edge, here), *after)) for tail, edge in coming]
        ordered = sorted(told, key=lambda way: [(step.asset, step.verb) for step in way])
        if not (full and unfinished):
            return ordered, None
        jewel = ids[terrain.place[node]]
        return ordered, Unseen(
            jewel, "ways to it", f"only {len(ordered)} of its shortest ways from {terrain.entry} are told"
        )

    def _coming(self, node: int) -> list[tuple[int, int]]:
        """(node before, relation) one level nearer to a start, last id first."""
        begins, order = self._entering
        terrain = self.terrain
        edges = order[begins[node] : begins[node + 1]]
        edges = edges[self._tree.level[terrain.tail[edges]] == self._tree.level[node] - 1]
        return sorted(
            zip(terrain.tail[edges].tolist(), terrain.relation[edges].tolist(), strict=True),
            key=lambda one: (terrain.place[one[0]], one),
            reverse=True,
        )


def _kept_as_they_are(facts: Facts) -> Flags:
    """What no change closes: open by intent (a public service, where strangers write), or the work itself."""
    public = facts.column("audience").where("public", "customers", "partners")
    strange = facts.column("trust").where("untrusted") & facts.kind_is("content_source")
    return public | strange | facts.kind_is("agent", "model")
