"""Where data goes, its labels go too: a model trained on personal data is treated as if it contained it.

Labels travel along the verb table. ``contains`` and ``sees`` are kept apart: what was built from data holds it (R1);
who may read it only sees it, and using a model taints no weights (R3). What somebody sees and then writes, logs,
remembers or sends on is held by whatever receives it (R4). An accepted declassification lowers (R5), a missing
provenance is a label of its own (R6), an erased source still taints and is flagged (R7), and every label has a shortest
way from its origin (R8). A leakage class says how readily the data can be got out again; it ranks, it never drops (R2).

Each asset has a state a plane: it *contains* a label, it *sees* it, or a *run* evaluated on it passes it to its logs.
Relations become arcs between states, and each label is one breadth-first walk over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from penstock.graph.graph import Graph
from penstock.graph.views import Ints, Rows
from penstock.graph.vocabulary import CONFIDENCE_ORDER, LABELS, VERBS, Asset, Relation, Step

Flags = npt.NDArray[np.bool_]

NoteKind = Literal["declassified", "unconfirmed", "stale", "unknown-origin"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know about an asset's labels. ``about`` is the erased source of a stale one, else empty."""

    kind: NoteKind
    text: str
    about: str = ""


def propagate(graph: Graph) -> Labelling:
    """The labels of every asset of the graph, by what it holds and what it may read."""
    return Labelling(graph)


class Labelling:
    """What every asset contains and sees. Made by ``propagate``; ids that the graph does not know have no labels."""

    def __init__(self, graph: Graph) -> None:
        self._flow = flow = _Flow.of(graph)
        self._walks: dict[str, _Walk] = {}
        self._leaks: dict[str, npt.NDArray[np.int8]] = {}
        self._notes = _notes(graph, flow)
        self._origins = _origins(graph, flow, self._notes)
        for label, origins in self._origins.items():
            self._walks[label] = flow.walk(origins, flow.blocked(label))

    def contains(self, asset: str) -> frozenset[str]:
        """Labels that the asset holds: its own and those of what it was built from or was given."""
        return self._in_plane(asset, _CONTAINS)

    def sees(self, asset: str) -> frozenset[str]:
        """Labels that the asset may read from elsewhere."""
        return self._in_plane(asset, _SEES)

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
        states = [self._flow.state(place, plane) for plane in (_CONTAINS, _SEES)]
        reached = [(int(walk.hops[state]), state) for state in states if walk.hops[state] >= 0]
        return self._flow.steps(min(reached)[1], walk) if reached else ()

    def leakage(self, asset: str, label: str) -> str | None:
        """How readily the label's data can be got out of the asset, by the worst way it came; None without the label.

        verbatim: it is there as it was. extractable: learned by a model, which can be made to say it.
        inferable: behind a method that bounds what can be learned, but that nobody has accepted yet.
        """
        place = self._flow.place.get(asset)
        if place is None or label not in self._walks:
            return None
        if label not in self._leaks:
            self._leaks[label] = self._flow.leaks(self._origins[label], self._flow.blocked(label))
        leaks = self._leaks[label]
        worst = max(int(leaks[self._flow.state(place, plane)]) for plane in (_CONTAINS, _SEES))
        return _LEAKAGE[worst] if worst >= 0 else None

    def notes(self, asset: str) -> tuple[Note, ...]:
        """What else is to be known: declassified, claimed but unconfirmed, built from an erased source, no origin."""
        return tuple(self._notes.get(asset, ()))

    def holding(self, label: str) -> Iterator[str]:
        """The assets that contain the label."""
        walk = self._walks.get(label)
        if walk is not None:
            count = len(self._flow.ids)
            yield from (self._flow.ids[place] for place in np.flatnonzero(walk.hops[:count] >= 0).tolist())

    def _in_plane(self, asset: str, plane: int) -> frozenset[str]:
        place = self._flow.place.get(asset)
        if place is None:
            return frozenset()
        state = self._flow.state(place, plane)
        return frozenset(label for label, walk in self._walks.items() if walk.hops[state] >= 0)


# ── arcs between states ──────────────────────────────────────────────────────────────────────────────────────────────

_CONTAINS, _SEES, _RUN = 0, 1, 2
_LEAKAGE = ("inferable", "extractable", "verbatim")

#: What a giver only sees, the receiver of these verbs sees too: an endpoint that serves an agent, a program that loads
#: a tool. By every other verb that carries ``contains``, what is seen is handed on and held (R4) …
_HANDS_SIGHT_ON = frozenset({"serves", "loads"})
#: … but for these: keeping a thing somewhere keeps what it holds, not what it may read.
_KEEPS_SIGHT_BACK = frozenset({"stored_in"})


@dataclass(frozen=True, slots=True)
class _Walk:
    """One label's way through the states: hops from the nearest origin (-1: never) and the arc it came by (-1: own)."""

    hops: npt.NDArray[np.int32]
    by: Ints


@dataclass(frozen=True, slots=True)
class _Flow:
    """The arcs along which labels travel, best evidenced first, so that of two arcs the smaller number wins a tie."""

    ids: tuple[str, ...]
    place: Mapping[str, int]
    relations: tuple[Relation, ...]
    frm: Ints
    to: Ints
    relation: Ints
    forward: Flags
    leak: npt.NDArray[np.int8]
    leaving: Rows
    accepted: Mapping[int, frozenset[str] | None]  # place → categories that an accepted declassification removes

    @classmethod
    def of(cls, graph: Graph) -> _Flow:
        ids = tuple(sorted(graph.assets))
        place = {id: number for number, id in enumerate(ids)}
        count = len(ids)
        relations, verb, source, target = _by_evidence(graph, place)
        ahead = np.array([_HOW[word][0] for word in _CARRYING], np.bool_)[verb]
        giver, receiver = np.where(ahead, source, target), np.where(ahead, target, source)
        leak = _leak_of_relations(graph, place, relations, giver, receiver)

        frm, to, of, forward = [], [], [], []
        for word, (is_ahead, states) in _HOW.items():
            here = np.flatnonzero(verb == _CARRYING.index(word))
            for plane_from, plane_to in states:
                frm.append(giver[here] + plane_from * count)
                to.append(receiver[here] + plane_to * count)
                of.append(here)
                forward.append(np.full(len(here), is_ahead))
            if word == "produces":  # a run's logs: from the evaluated model back to the run that made it
                frm.append(receiver[here] + _RUN * count)
                to.append(giver[here] + _RUN * count)
                of.append(here)
                forward.append(np.full(len(here), False))
        best_evidenced_first = np.argsort(np.concatenate(of), kind="stable")
        starts, ends, relation = (np.concatenate(parts)[best_evidenced_first] for parts in (frm, to, of))
        records = {id for id, asset in graph.assets.items() if asset.props.get("declassified")}
        return cls(
            ids=ids,
            place=place,
            relations=relations,
            frm=starts,
            to=ends,
            relation=relation,
            forward=np.concatenate(forward)[best_evidenced_first],
            leak=leak[relation],
            leaving=Rows.by(starts, 3 * count),
            accepted={place[id]: _categories(graph.assets[id]) for id in records if not _objection(graph, id)},
        )

    def state(self, place: int, plane: int) -> int:
        return place + plane * len(self.ids)

    def blocked(self, label: str) -> Flags | None:
        """States that receive nothing of the label, because an approver accepted how it was removed (R5)."""
        closed = [p for p, categories in self.accepted.items() if categories is None or label in categories]
        if not closed:
            return None
        flags = np.zeros(3 * len(self.ids), np.bool_)
        for plane in (_CONTAINS, _SEES, _RUN):
            flags[np.array(closed) + plane * len(self.ids)] = True
        return flags

    def walk(self, origins: Iterable[int], blocked: Flags | None, at_least: int = 0) -> _Walk:
        """Breadth first from the origins, over arcs that keep at least a leakage class."""
        hops = np.full(3 * len(self.ids), -1, np.int32)
        by = np.full(3 * len(self.ids), -1, np.int64)
        frontier: Ints = np.array(sorted(origins), np.int64)
        hops[frontier] = 0
        level = 0
        while len(frontier):
            level += 1
            arcs = self.leaving.of(frontier)
            if at_least:
                arcs = arcs[self.leak[arcs] >= at_least]
            ends = self.to[arcs]
            new = hops[ends] < 0
            if blocked is not None:
                new &= ~blocked[ends]
            arcs, ends = arcs[new], ends[new]
            # the smallest arc number last, because the last write to a place stays
            order = np.argsort(-arcs)
            by[ends[order]] = arcs[order]
            hops[ends] = level
            frontier = ends[by[ends] == arcs]
        return _Walk(hops, by)

    def leaks(self, origins: Iterable[int], blocked: Flags | None) -> npt.NDArray[np.int8]:
        """The worst leakage class by which the label reaches each state, -1 where it does not."""
        worst = np.full(3 * len(self.ids), -1, np.int8)
        origins = list(origins)
        for level in range(len(_LEAKAGE)):
            worst[self.walk(origins, blocked, level).hops >= 0] = level
        return worst

    def steps(self, state: int, walk: _Walk) -> tuple[Step, ...]:
        way: list[Step] = []
        while (arc := int(walk.by[state])) >= 0:
            verb = self.relations[int(self.relation[arc])].verb
            way.append(Step(self.ids[state % len(self.ids)], verb, bool(self.forward[arc])))
            state = int(self.frm[arc])
        way.append(Step(self.ids[state % len(self.ids)]))
        return tuple(reversed(way))


def _how(verb: str) -> tuple[bool, tuple[tuple[int, int], ...]]:
    """Whether labels go from source to target, and from which planes of the giver to which of the receiver."""
    if verb == "evaluated_on":
        return False, ((_CONTAINS, _RUN),)
    word = VERBS[verb]
    ahead = word.to == "target"
    if word.carries == "sees":
        return ahead, ((_CONTAINS, _SEES), (_SEES, _SEES))
    if verb in _KEEPS_SIGHT_BACK:
        return ahead, ((_CONTAINS, _CONTAINS),)
    if verb in _HANDS_SIGHT_ON:
        return ahead, ((_CONTAINS, _CONTAINS), (_SEES, _SEES))
    if verb == "logs_to":
        return ahead, ((_CONTAINS, _CONTAINS), (_SEES, _CONTAINS), (_RUN, _CONTAINS))
    return ahead, ((_CONTAINS, _CONTAINS), (_SEES, _CONTAINS))


_HOW = {verb: _how(verb) for verb, word in VERBS.items() if word.carries or verb == "evaluated_on"}
_CARRYING = sorted(_HOW)


def _by_evidence(graph: Graph, place: Mapping[str, int]) -> tuple[tuple[Relation, ...], Ints, Ints, Ints]:
    """The relations that carry labels, best evidenced first, then by ids; with their verb, source, target numbers."""
    carrying = [r for r in graph.relations if r.verb in _HOW and r.source in place and r.target in place]
    count = len(carrying)
    rank = {word: number for number, word in enumerate(CONFIDENCE_ORDER)}
    codes = {word: number for number, word in enumerate(_CARRYING)}
    evidence = graph.evidence
    found = (evidence.get((r.source, r.verb, r.target)) for r in carrying)
    sure = np.fromiter((rank[some[0].confidence] if some else len(rank) for some in found), np.int64, count)
    verb = np.fromiter((codes[r.verb] for r in carrying), np.int64, count)
    source = np.fromiter((place[r.source] for r in carrying), np.int64, count)
    target = np.fromiter((place[r.target] for r in carrying), np.int64, count)
    order = np.lexsort((target, verb, source, sure))
    return tuple(carrying[number] for number in order.tolist()), verb[order], source[order], target[order]


def _leak_of_relations(
    graph: Graph, place: Mapping[str, int], relations: tuple[Relation, ...], giver: Ints, receiver: Ints
) -> npt.NDArray[np.int8]:
    """The leakage class that each relation keeps at most, as a number into ``_LEAKAGE``."""
    model = np.zeros(len(place), np.bool_)
    model[[place[id] for id, asset in graph.assets.items() if asset.kind == "model"]] = True
    bounded = np.zeros(len(place), np.bool_)
    bounded[[place[id] for id, asset in graph.assets.items() if asset.props.get("declassified")]] = True
    leak = np.full(len(relations), _LEAKAGE.index("verbatim"), np.int8)
    leak[model[receiver] & ~model[giver]] = _LEAKAGE.index("extractable")
    leak[bounded[receiver]] = _LEAKAGE.index("inferable")
    for number, relation in enumerate(relations):
        if relation.props and (said := relation.props.get("leakage")) in _LEAKAGE:
            leak[number] = _LEAKAGE.index(said)
    return leak


# ── origins and notes ────────────────────────────────────────────────────────────────────────────────────────────────


def _origins(graph: Graph, flow: _Flow, notes: Mapping[str, list[Note]]) -> dict[str, list[int]]:
    """For each label, the assets that hold it by themselves."""
    origins: dict[str, list[int]] = {}
    for id, asset in graph.assets.items():
        for label in asset.labels:
            if label in LABELS:
                origins.setdefault(label, []).append(flow.place[id])
    for id, said in notes.items():
        if any(note.kind == "unknown-origin" for note in said) and "unknown-origin" not in graph.assets[id].labels:
            origins.setdefault("unknown-origin", []).append(flow.place[id])
    return {label: sorted(origins[label]) for label in LABELS if label in origins}


def _notes(graph: Graph, flow: _Flow) -> dict[str, list[Note]]:
    notes: dict[str, list[Note]] = {}
    for id, asset in graph.assets.items():
        if record := asset.props.get("declassified"):
            if objection := _objection(graph, id):
                notes.setdefault(id, []).append(Note("unconfirmed", objection))
            else:
                text = f"{record['method']}, accepted by {record['approved_by']} on {record['date']}"
                notes.setdefault(id, []).append(Note("declassified", text))
        if why := _unknown_origin(graph, asset):
            notes.setdefault(id, []).append(Note("unknown-origin", why))
    for id, asset in graph.assets.items():
        if date := asset.props.get("deleted_on"):
            text = f"{asset.name} was erased on {date}; what was built from it still holds its data"
            walk = flow.walk([flow.place[id]], flow.blocked(""))
            for place in np.flatnonzero(walk.hops[: len(flow.ids)] > 0).tolist():
                notes.setdefault(flow.ids[place], []).append(Note("stale", text, id))
    return notes


def _objection(graph: Graph, id: str) -> str:
    """Why a claimed declassification does not count; empty when it does (R5)."""
    record = graph.assets[id].props["declassified"]
    if missing := [part for part in ("method", "approved_by", "date") if not record.get(part)]:
        return f"its declassification names no {' and no '.join(part.replace('_', ' ') for part in missing)}"
    ends = record.get("until")
    if ends and graph.at and (end := _seconds(ends)) is not None and end <= graph.at:
        return f"its declassification ended on {ends}"
    claims = [evidence for value, evidence in graph.claims.get((id, "declassified"), ()) if value == record]
    if claims and all(e.scope.startswith("repo:") and not e.collector.startswith("person:") for e in claims):
        return "its declassification is claimed by the source itself, and no approver outside it has confirmed it"
    return ""


def _categories(asset: Asset) -> frozenset[str] | None:
    """The categories that a declassification removes, None for all: a verified removal drops what it verified."""
    named = asset.props["declassified"].get("categories")
    return frozenset(word.strip() for word in str(named).split(",")) if named else None


def _seconds(date: Any) -> float | None:
    if isinstance(date, int | float):
        return float(date)
    try:
        parsed = datetime.fromisoformat(str(date))
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _unknown_origin(graph: Graph, asset: Asset) -> str:
    """Why nobody can say what an asset was built from; empty when somebody can, or when nobody looked (R6).

    Only where it was built by the organisation (a hosted model is nobody's puzzle) and where the scan was complete for
    what could name a source: elsewhere the source may exist unseen, and that is a question, not a label.
    """
    if "unknown-origin" in asset.labels:
        return "its source was stated to be unknown"
    if asset.labels:
        return ""
    if asset.kind in ("vector_store", "knowledge_base"):
        fed = any(graph.out(asset.id, *_PULLS)) or any(graph.into(asset.id, *_PUSHES))
        if not fed and all(graph.knows_all(asset.id, verb) for verb in ("indexes", "ingests", "writes")):
            return "nothing that fills it was found, though all that could name it was read"
    if asset.kind == "model":
        makers = [relation.source for relation in graph.into(asset.id, "produces")]
        made_here = makers or any(graph.out(asset.id, "fine_tuned_from"))
        taught = any(graph.out(asset.id, "trained_on", "derived_from")) or any(
            any(graph.out(maker, "reads", *_PULLS)) for maker in makers
        )
        known = graph.knows_all(asset.id, "trained_on") and all(
            graph.knows_all(maker, verb) for maker in makers for verb in ("consumes", "loads")
        )
        if made_here and not taught and known:
            return "it was trained here, and what on was not found though all that could name it was read"
    return ""


_PULLS = ("trained_on", "derived_from", "indexes", "ingests", "loads", "consumes")
_PUSHES = ("produces", "writes", "copied_to", "sends_to", "stored_in")
