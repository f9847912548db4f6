"""Where labels begin and where they are stopped: what single assets bring to the walks of ``Labelling``.

Labels begin at what assets hold by themselves, and at what nobody can say the origin of (R6).

Missing provenance is a label of its own. It is given only to what the organisation built (a hosted model is nobody's
puzzle) and only where the scan was complete for what could name a source: elsewhere the source may exist unseen, and
that is a question, not a label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penstock.graph.declassify import PROP, Declassification, declassification
from penstock.graph.diff import Changes
from penstock.graph.flow import CONTAINS, PLANES, SEES, Flags, Flow, Places, codes
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import LABELS, Asset

#: Name of the walk from all erased sources; no label is named so.
ERASED = ""
UNKNOWN = "unknown-origin"
_INDEXES = frozenset({"vector_store", "knowledge_base"})
_PULLS = ("trained_on", "derived_from", "indexes", "ingests", "loads", "consumes")
_PUSHES = ("produces", "writes", "copied_to", "sends_to", "stored_in")
_FEEDS, _LEARNS = codes((*_PULLS, *_PUSHES)), codes(("reads", *_PULLS))
_MADE, _TAUGHT = codes(("produces", "fine_tuned_from")), codes(("trained_on", "derived_from"))
_PRODUCES = codes(("produces",))
_NOT_SEARCHED = "nothing that fills it was found, though all that could name it was read"
_NOT_TAUGHT = "it was trained here, and what on was not found though all that could name it was read"


@dataclass(frozen=True, slots=True)
class Own:
    """What single assets bring to the walks."""

    holders: Mapping[str, frozenset[str]]  # label → the assets that have it by themselves; ``ERASED`` → erased ones
    claims: Mapping[str, Declassification]
    puzzles: frozenset[str]  # what may be of unknown origin …
    unknown: Mapping[str, str]  # … and what is, with the reason

    @classmethod
    def of(cls, graph: Graph, flow: Flow) -> Own:
        return cls._judged(
            graph,
            flow,
            _holders(graph, graph.assets),
            {id for id, asset in graph.assets.items() if asset.props.get(PROP)},
            puzzles(graph, flow, graph.assets),
        )

    def updated(self, graph: Graph, flow: Flow, changes: Changes, arcs: Places) -> Own:
        """The same for the graph as it is now; ``arcs`` are those that went or came."""
        near = np.unique(np.concatenate((flow.start[arcs], flow.end[arcs])) // PLANES).astype(np.int64)
        again = {asset.id for asset in (*changes.added, *changes.removed)} | set(changes.changed)
        again |= {flow.ids[place] for place in near.tolist()} | set(made_by(flow, near))
        here = again & graph.assets.keys()
        fresh, holders = _holders(graph, here), dict(self.holders)
        if self.unknown:
            holders[UNKNOWN] -= self.unknown.keys()
        for label in {*holders, *fresh}:
            was, now = holders.get(label, frozenset()), fresh.get(label, frozenset())
            if was & again != now:  # left as it is otherwise: who reads it may know it by identity
                holders[label] = (was - again) | now
        return self._judged(
            graph,
            flow,
            {label: ids for label, ids in holders.items() if ids},
            {id for id in (*self.claims, *here) if id in graph.assets and graph.assets[id].props.get(PROP)},
            (self.puzzles - again) | puzzles(graph, flow, here),
        )

    @classmethod
    def _judged(
        cls,
        graph: Graph,
        flow: Flow,
        holders: dict[str, frozenset[str]],
        claimed: Iterable[str],
        puzzling: frozenset[str],
    ) -> Own:
        """With what time, evidence and completeness decide, which no change of an asset tells."""
        claims = {id: claim for id in sorted(claimed) if (claim := declassification(graph, id))}
        unknown = {id: why for id in sorted(puzzling) if graph.complete and (why := why_unknown(graph, flow, id))}
        if unknown:
            holders = {**holders, UNKNOWN: holders.get(UNKNOWN, frozenset()) | unknown.keys()}
        return cls(holders, claims, puzzling, unknown)

    def closed(self, graph: Graph, flow: Flow, label: str) -> Places:
        """The arcs along which an accepted declassification lets nothing of the label through (R5)."""
        stopped = [np.empty(0, np.int64)]
        for id, claim in self.claims.items():
            if claim.removes(label):
                arcs = flow.entering(flow.place[id] * PLANES + np.arange(PLANES))
                if claim.sources is not None:
                    givers = (flow.start[arcs] // PLANES).tolist()
                    arcs = arcs[[claim.covers(graph.assets[flow.ids[giver]]) for giver in givers]]
                stopped.append(arcs)
        return np.unique(np.concatenate(stopped)).astype(np.int64)


def _holders(graph: Graph, ids: Iterable[str]) -> dict[str, frozenset[str]]:
    holders: dict[str, set[str]] = {}
    for id in ids:
        asset = graph.assets[id]
        for label in asset.labels:
            if label in LABELS:
                holders.setdefault(label, set()).add(id)
        if asset.props.get("deleted_on"):
            holders.setdefault(ERASED, set()).add(id)
    return {label: frozenset(some) for label, some in holders.items()}


def puzzles(graph: Graph, flow: Flow, ids: Iterable[str]) -> frozenset[str]:
    """Of some assets, those that nothing is known to have filled or taught: they may be of unknown origin."""
    known = [
        asset
        for id in ids
        if (asset := graph.assets.get(id)) and (asset.kind == "model" or asset.kind in _INDEXES) and not asset.labels
    ]
    places = np.array([flow.place[asset.id] for asset in known], np.int64)
    fed, made, taught = (_receives(flow, places, verbs) for verbs in (_FEEDS, _MADE, _TAUGHT))
    return frozenset(
        asset.id
        for number, asset in enumerate(known)
        if (made[number] and not taught[number] if asset.kind == "model" else not fed[number])
    )


def why_unknown(graph: Graph, flow: Flow, puzzle: str) -> str:
    """Why nobody can say what an asset was built from; empty when somebody may, or when nobody looked."""
    if graph.assets[puzzle].kind in _INDEXES:
        looked = all(graph.knows_all(puzzle, verb) for verb in ("indexes", "ingests", "writes"))
        return _NOT_SEARCHED if looked else ""
    if not graph.knows_all(puzzle, "trained_on"):
        return ""
    makers = makers_of(flow, puzzle)
    looked = all(graph.knows_all(maker, verb) for maker in makers for verb in ("consumes", "loads"))
    places = np.array([flow.place[maker] for maker in makers], np.int64)
    return _NOT_TAUGHT if looked and not _receives(flow, places, _LEARNS).any() else ""


def stated_unknown(asset: Asset) -> str:
    return "its source was stated to be unknown" if UNKNOWN in asset.labels else ""


def makers_of(flow: Flow, asset: str) -> list[str]:
    """What produces an asset."""
    arcs = flow.entering(np.array([flow.place[asset] * PLANES + CONTAINS], np.int64))
    arcs = arcs[np.isin(flow.verb[arcs], _PRODUCES)]
    return [flow.ids[place] for place in np.unique(flow.start[arcs] // PLANES).tolist()]


def made_by(flow: Flow, places: Places) -> list[str]:
    """What any of some assets, given by place, produces."""
    arcs = flow.leaving(places * PLANES + CONTAINS)
    arcs = arcs[np.isin(flow.verb[arcs], _PRODUCES)]
    return [flow.ids[place] for place in np.unique(flow.end[arcs] // PLANES).tolist()]


def _receives(flow: Flow, places: Places, verbs: npt.NDArray[np.int8]) -> Flags:
    """Whether each place is given something by a relation of one of the verbs."""
    arcs = flow.entering(np.concatenate((places * PLANES + CONTAINS, places * PLANES + SEES)))
    receivers = flow.end[arcs[np.isin(flow.verb[arcs], verbs)]] // PLANES
    return np.isin(places, receivers)
