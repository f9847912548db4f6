"""The moves of an attacker over a graph: where one comes in, how one gets on, what is worth taking.

An asset has two sides. *Acting*, the attacker does what the asset may do: call, ask, read, use its rights. *Arriving*,
the attacker's text or artefact lies in it and goes on to whoever takes it in; where that is something that follows
instructions or runs code, the attacker acts. Controls close moves: a login on a door, a check of what comes in or goes
out, a person who approves, an accepted declassification, a dead key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from penstock.assess import removals
from penstock.assess.arrays import Arrays, Flags, Ints, verb_flags
from penstock.assess.dominators import Wide, spread
from penstock.assess.facts import Facts
from penstock.assess.sight import touched_weight
from penstock.assess.weight import foreign
from penstock.graph.vocabulary import DATA_KINDS, LABELS, SENSITIVE, VERBS

ENTRIES = ("internet", "untrusted_content", "insider", "supply_chain")
#: Hops of a way that is still looked at; told attack paths have 4 to 7 assets.
LONGEST = 12

_CALLS = frozenset("invokes uses_tool uses_model delegates_to serves exposes_tool connects_to".split())
_READS = frozenset("retrieves_from reads".split())
_RIGHTS = frozenset("runs_as can_read can_write can_admin can_assume holds grants reaches deployed_on".split())
#: What an answer gives away of what it was made from.
_MADE_FROM = frozenset("trained_on fine_tuned_from derived_from indexes ingests loads consumes".split())
_ACTS = _CALLS | _READS | _RIGHTS | _MADE_FROM
#: Who gets at a store gets what lies in it.
_KEPT_IN = frozenset({"stored_in", "copied_to"})
#: Whoever acts so leaves something that others take in.
_LEAVES = frozenset("writes can_write can_admin produces remembers_in".split())
_ANSWERS = _READS | _MADE_FROM | {"uses_model", "serves"}
_PULLED = frozenset(v for v, word in VERBS.items() if word.to == "source") | {
    "stored_in", "connects_to", "exposes_tool", "instructed_by", "built_with", "embedded_by", "deployed_on",
}  # fmt: skip
_PUSHED = frozenset(v for v, word in VERBS.items() if word.to == "target")
#: Kinds that take no part in an attack: people, words about others, and others' services.
_APART = ("team", "person", "decision", "process", "provider", "guardrail", "framework")
#: Kinds that follow what they read, and kinds that run what they load.
_FOLLOW = ("agent", "assistant", "application")
_RUN = (*_FOLLOW, "pipeline", "workspace", "endpoint", "infrastructure", "mcp_server", "hook", "skill", "tool")
_DELIVERED = ("model", "mcp_server", "tool", "package", "image", "skill", "hook", "dataset", "registry")
#: Effects that are worth an attack by themselves, and what that weighs (as in ``weight``).
_EFFECTS: Mapping[str, int] = {"physical": 4, "money": 3, "deploy": 3, "exec": 3}
#: Effects by which data leaves: worth as much as what the tool's user can see.
_WAYS_OUT = frozenset({"email", "network"})
#: From this criticality on a process is worth an attack.
_CRITICAL = 3


@dataclass(frozen=True)
class Terrain:
    """The moves of one sort of attacker. Node 0 is outside; a node is an asset acting or arriving.

    ``weight``: of each node that is worth taking, 1 to 4, else 0. ``cut_off``: something worth taking lies beyond
    ``LONGEST`` hops.
    """

    entry: str
    arrays: Arrays
    place: Ints
    tail: Ints
    head: Ints
    relation: Ints
    starts: Ints
    weight: Ints
    cut_off: int

    def __len__(self) -> int:
        return len(self.place)

    def reached(self, *, without: int = -1, relation: int = -1) -> Flags:
        """Which nodes an attacker still comes to when an asset (by place) or a relation (by number) is taken away."""
        closed = self.place == without if without >= 0 else np.zeros(len(self), np.bool_)
        passable = ~closed[self.head] if relation < 0 else self.relation != relation
        starts = self.starts[~closed[self.starts]]
        return levels(self._begins, self.head[self._order], passable[self._order], starts, len(self)) >= 0

    @cached_property
    def _order(self) -> Wide:
        return np.argsort(self.tail, kind="stable")

    @cached_property
    def _begins(self) -> Wide:
        begins = np.zeros(len(self) + 1, np.int64)
        np.cumsum(np.bincount(self.tail, minlength=len(self)), out=begins[1:])
        return begins


class Ground:
    """What the terrains of all sorts of attackers have in common."""

    def __init__(self, facts: Facts) -> None:
        self.facts, self.arrays = facts, facts.arrays
        arrays = facts.arrays
        self._apart = facts.kind_is(*_APART)
        self._dead = facts.column("revoked").where(True) | self._apart
        #: What a person must approve stops whoever acts, as does an accepted removal of labels, whoever asks.
        self._asked = facts.column("approval").where("required")
        self._checked = facts.column("guarded_out").where(True)
        self._removed = removals.stopped(facts)
        self._moves = {
            "acts": self._edges(_ACTS, forward=True),
            "opens": self._edges(_KEPT_IN, forward=False),
            "leaves": self._edges(_LEAVES, forward=True),
            "pushed": self._edges(_PUSHED, forward=True),
            "pulled": self._edges(_PULLED, forward=False),
        }
        relied_on = facts.sight.criticality()
        critical = np.where(relied_on.codes + 1 >= _CRITICAL, relied_on.codes + 1, 0)
        self._acting_weight, self._ways_out = _acting_weight(facts), _ways_out(facts)
        #: A model that a vital process relies on, or what others load: worth swaying.
        swayed = np.where(facts.kind_is("model"), critical, np.where(facts.kind_is("registry"), _CRITICAL, 0))
        self._arriving_weight = np.where(self._acting_weight == 0, swayed, 0)
        self.count = len(arrays)

    def _edges(self, verbs: frozenset[str], *, forward: bool) -> tuple[Ints, Ints, Ints]:
        arrays = self.arrays
        edges = arrays.of_verbs(verb_flags(verbs))
        near, far = (arrays.source, arrays.target) if forward else (arrays.target, arrays.source)
        tail, head = near[edges], far[edges]
        open_ones = ~self._dead[tail] & ~self._dead[head]
        return tail[open_ones], head[open_ones], edges[open_ones]

    def terrain(self, entry: str) -> Terrain:
        """The moves of attackers who come in at one sort of entry, as far as they lead to something worth taking."""
        facts, count = self.facts, self.count
        # node = 1 + place, acting; 1 + count + place, arriving
        tails, heads, relations = [], [], []

        def add(move: str, tail_arrives: bool, head_arrives: bool, keep: Flags | None = None) -> None:
            tail, head, edges = self._moves[move]
            if keep is not None:
                tail, head, edges = tail[keep], head[keep], edges[keep]
            tails.append(tail + (1 + count * tail_arrives))
            heads.append(head + (1 + count * head_arrives))
            relations.append(edges)

        tail, head, edges = self._moves["acts"]
        answers = verb_flags(_ANSWERS)[self.arrays.verb[edges]]
        made_from = verb_flags(_MADE_FROM)[self.arrays.verb[edges]]
        stopped = self._asked[head] | (answers & self._checked[tail]) | (made_from & self._removed[edges])
        add("acts", False, False, ~stopped)
        add("opens", False, False)
        add("leaves", False, True)
        follows = self._follows(entry)
        for move in ("pushed", "pulled"):
            add(move, True, True)
            add(move, True, False, follows[self._moves[move][1]])
        starts = self._starts(entry, follows)
        weight = np.zeros(1 + 2 * count, np.int32)
        unheard = entry in ("untrusted_content", "supply_chain")
        weight[1 : 1 + count] = np.maximum(self._acting_weight, self._ways_out * unheard)
        if entry != "insider":
            weight[1 + count :] = self._arriving_weight
        return _narrowed(
            entry,
            facts.arrays,
            np.concatenate(tails).astype(np.int32),
            np.concatenate(heads).astype(np.int32),
            np.concatenate(relations).astype(np.int32),
            starts,
            weight,
        )

    def _follows(self, entry: str) -> Flags:
        """Where what arrives makes an attacker act."""
        facts = self.facts
        if entry == "supply_chain":
            return facts.kind_is(*_RUN)
        return facts.kind_is(*_FOLLOW) & ~facts.column("guarded_in").where(True)

    def _starts(self, entry: str, follows: Flags) -> Ints:
        facts, count = self.facts, self.count
        exposure, auth, audience = (facts.column(name) for name in ("exposure", "auth", "audience"))
        strangers = ~auth.where("oidc", "mtls", "token") | audience.where("public", "customers")
        acting = np.zeros(count, np.bool_)
        arriving = np.zeros(count, np.bool_)
        if entry == "internet":
            acting = (exposure.where("internet") & strangers) | facts.column("public_read").where(True)
        elif entry == "insider":
            acting = exposure.where("corporate", "partner") & ~facts.kind_is("repository")
        elif entry == "untrusted_content":
            arriving = facts.column("trust").where("untrusted") | facts.column("public_write").where(True)
        else:
            arriving = facts.kind_is(*_DELIVERED) & foreign(facts)
            acting = arriving & facts.kind_is("mcp_server", "tool", "hook", "skill")
            arriving |= facts.column("trust").where("untrusted") & facts.kind_is("content_source", "registry")
        acting, arriving = acting & ~self._dead, arriving & ~self._dead
        return np.concatenate([1 + np.flatnonzero(acting), 1 + count + np.flatnonzero(arriving)]).astype(np.int32)


def levels(begins: Wide, head: Ints, passable: Flags, starts: Ints, count: int, most: int = -1) -> Ints:
    """Steps from the nearest start to each node, -1 beyond reach; edges in compressed rows."""
    level = np.full(count, -1, np.int32)
    frontier = np.unique(starts)
    level[frontier] = depth = 0
    while len(frontier) and depth != most:
        depth += 1
        edges = spread(begins, frontier)
        ends = head[edges[passable[edges]]]
        frontier = np.unique(ends[level[ends] < 0])
        level[frontier] = depth
    return level


def _narrowed(
    entry: str, arrays: Arrays, tail: Ints, head: Ints, relation: Ints, starts: Ints, weight: Ints
) -> Terrain:
    """The part of the moves that lies on a way of at most ``LONGEST`` hops from a start to something worth taking."""
    count = len(weight)
    ahead = _walked(tail, head, starts, count)
    goals = np.flatnonzero((weight > 0) & (ahead >= 0)).astype(np.int32)
    beyond = np.flatnonzero(ahead[goals] > LONGEST)
    goals = goals[ahead[goals] <= LONGEST]
    back = _walked(head, tail, goals, count)
    inside = (ahead >= 0) & (back >= 0) & (ahead + back <= LONGEST)
    kept = inside[tail] & inside[head]
    number = np.zeros(count, np.int32)
    nodes = np.flatnonzero(inside)
    number[nodes] = 1 + np.arange(len(nodes))
    place = np.concatenate([[-1], (nodes - 1) % max(1, len(arrays))]).astype(np.int32)
    return Terrain(
        entry=entry,
        arrays=arrays,
        place=place,
        tail=number[tail[kept]],
        head=number[head[kept]],
        relation=relation[kept],
        starts=number[starts[inside[starts]]],
        weight=np.concatenate([[0], weight[nodes]]).astype(np.int32),
        cut_off=len(beyond),
    )


def _walked(tail: Ints, head: Ints, starts: Ints, count: int) -> Ints:
    order = np.argsort(tail, kind="stable")
    begins = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(tail, minlength=count), out=begins[1:])
    return levels(begins, head[order], np.ones(len(tail), np.bool_), starts, count)


def _acting_weight(facts: Facts) -> Ints:
    """What an attacker gains who acts as, or gets at, an asset: data it holds, and effects."""
    holding = facts.column("contains")
    table = [max((LABELS[label] for label in labels & SENSITIVE), default=0) for labels in holding.known.values]
    weight = np.array([*table, 0], np.int32)[holding.codes]
    weight[~facts.kind_is(*DATA_KINDS)] = 0
    effects = facts.column("effects")
    table = [max((_EFFECTS.get(word, 0) for word in words), default=0) for words in effects.known.values]
    grave = np.array([*table, 0], np.int32)[effects.codes]
    only_runs = np.array([*(not set(words) & (_EFFECTS.keys() - {"exec"}) for words in effects.known.values), False])[
        effects.codes
    ]
    confined = only_runs & facts.column("sandbox").where(True)
    grave[confined | facts.column("approval").where("required") | ~facts.kind_is("tool", "mcp_server")] = 0
    return np.maximum(weight, grave).astype(np.int32)


def _ways_out(facts: Facts) -> Ints:
    """Of a tool by which data can leave, the weight of what its users see: worth it to who hears no answer."""
    arrays, effects = facts.arrays, facts.column("effects")
    weight = np.zeros(len(arrays), np.int32)
    ways_out = np.array([*(bool(set(words) & _WAYS_OUT) for words in effects.known.values), False])[effects.codes]
    ways_out &= ~facts.column("approval").where("required")
    edges = arrays.of_verbs(verb_flags(["uses_tool", "connects_to"]))
    edges = edges[ways_out[arrays.target[edges]]]
    np.maximum.at(weight, arrays.target[edges], touched_weight(facts)[arrays.source[edges]].astype(np.int32))
    return weight
