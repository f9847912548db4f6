"""What rules may read of an asset beyond what was observed: reach, guards, labels, weight. Absent means unknown.

Every field is a column over all assets, worked out when first asked for. What hangs on an asset's users is swept over
the whole graph at once, so that a hub with many users costs no more than its relations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any

import numpy as np

from penstock.assess import lookups, removals, sight, weight
from penstock.assess.arrays import VERB_CODES, Arrays, Bits, IndexedGraph, Ints, kind_flags, verb_flags
from penstock.assess.columns import UNKNOWN, Column, Flags, Values, read
from penstock.assess.fields import DERIVED
from penstock.assess.guards import guarded
from penstock.graph.diff import Changes
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling
from penstock.graph.vocabulary import (
    ADDING_SCOPES,
    DATA_KINDS,
    LABELS,
    MARKS,
    PROPS,
    SENSITIVE,
    Asset,
    Evidence,
    Relation,
)
from penstock.settings import Organisation

USES = sight.USES
_USES, _POWER = verb_flags(sight.USES), verb_flags(sight.POWER)
#: Properties that no rule reads by its value: addresses, hashes and long texts.
_UNREAD = frozenset({"url", "command", "text_hash", "text_length", "email", "columns", "what", "date", "language"})
#: Derived where nobody said it.
_COMPLETED = ("sanction", "vendor", "approval")
_LABELS = (*LABELS, *sorted(MARKS))
_CHECKED = frozenset(
    "guarded_by uses_model sends_to invokes delegates_to uses_tool retrieves_from serves derived_from".split()
)
#: Derived fields that hang on a few others and on relations of some verbs alone: (fields, verbs).
_MADE_FROM: Mapping[str, tuple[tuple[str, ...], frozenset[str]]] = {
    "guarded_in": (("input_filter", "exposure"), _CHECKED),
    "guarded_out": (("output_filter", "exposure"), _CHECKED),
    "owned": (("home", "seen in"), frozenset({"owned_by", "produces", "exposes_tool", "defined_in"})),
    "holders": ((), frozenset({"holds", "runs_as"})),
    "served": ((), frozenset({"serves", "derived_from"})),
    "high_risk": (("purpose",), frozenset()),
    "revoked": (("scope", "what"), frozenset({"approved_by"})),
}
_ATTRIBUTES = ("id", "name", "kind", "status", "lifecycle")

#: Verbs that show that an application puts something before a model, or before what does.
_ANSWERS = ("instructed_by", "uses_tool", "retrieves_from", "invokes", "delegates_to", "sends_to", "remembers_in")
#: Kinds that somebody reaches, or does not.
_REACHABLE = frozenset(
    {
        "agent",
        "assistant",
        "endpoint",
        "workspace",
        "mcp_server",
        "infrastructure",
        "registry",
        "repository",
        *DATA_KINDS,
    }
)


class Facts:
    """Facts of one graph, worked out when first asked for and kept for the assessment."""

    def __init__(self, graph: Graph, labelling: Labelling, organisation: Organisation) -> None:
        self.graph = IndexedGraph.over(graph)
        self.arrays = self.graph.arrays
        self.labelling = labelling
        self.organisation = organisation
        self.columns: dict[str, Column] = {}
        self._kept: dict[str, Column] = {}
        self._touched = np.zeros(0, np.bool_)
        self._swept: dict[str, tuple[Bits, Bits]] = {}
        self._before: tuple[Facts, tuple[Relation, ...]] | None = None
        self.agencies: dict[str, float] = {}
        self.powers_of: dict[int, frozenset[int]] = {}
        self._of: dict[str, dict[str, Any]] = {}

    def changed(self, graph: Graph, labelling: Labelling, changes: Changes) -> tuple[Facts, Ints | None]:
        """The facts of the graph after some changes, and where each of its assets stood before (-1: nowhere).

        None: each asset stands where it stood.

        What was read of assets that did not change is taken over; what hangs on relations is swept anew.
        """
        arrays = self.arrays.changed(graph, changes)
        made = Facts(IndexedGraph.over(graph, arrays), labelling, self.organisation)
        before = None
        if arrays.ids is not self.arrays.ids:
            before = np.array([self.arrays.place.get(id, UNKNOWN) for id in arrays.ids], np.int32)
        new = [asset.id for asset in changes.added]
        own = [place for id in (*changes.changed, *new) if (place := arrays.place.get(id)) is not None]
        rows = {place: graph.assets[arrays.ids[place]] for place in own}
        made.__dict__["read"] = _reread(self.read, rows, before, len(arrays))
        made.__dict__["marks"] = self._marks_after(rows, before)
        if not changes.removed and not changes.relations_removed:
            seen: tuple[Any, ...] = (*changes.changed, *new, *(relation.key for relation in changes.relations_added))
            made.__dict__["scopes"] = self.scopes | _scopes(
                graph.evidence[key] for key in seen if key in graph.evidence
            )
        for name, read_one in (("home", lambda asset: asset.scope), ("seen in", lambda asset: made._seen_in(asset.id))):
            if name in self.columns:
                column = self.columns[name].moved(before)
                made.columns[name] = column.patched({place: read_one(asset) for place, asset in rows.items()})
        for name in _ATTRIBUTES:
            if name in self.columns:
                column = self.columns[name].moved(before)
                made.columns[name] = column.patched({place: getattr(asset, name) for place, asset in rows.items()})
        if before is None:
            made._before = self, _links(changes)
            verbs = {relation.verb for relation in _links(changes)}
            others = any("kind" in fields for fields in changes.changed.values())
            for name, (fields, over) in _MADE_FROM.items() if not others else ():
                if name in self.columns and not verbs & over and all(self._stays(made, field) for field in fields):
                    made.columns[name] = self.columns[name]
        if not any(asset.kind == "provider" for asset in rows.values()):
            made._kept = {name: self.columns[name].moved(before) for name in _COMPLETED if name in self.columns}
            made._touched = arrays.around(
                [
                    *own,
                    *(
                        arrays.place[end]
                        for r in _links(changes)
                        for end in (r.source, r.target)
                        if end in arrays.place
                    ),
                ]
            )
        return made, before

    def _stays(self, made: Facts, field: str) -> bool:
        then = self.columns.get(field) or self.read.get(field)
        now = made.columns.get(field) or made.read.get(field)
        return then is now or (then is not None and now is not None and now.is_as(then))

    def swept(self, name: str, bits: Bits, verbs: Flags, *, forward: bool) -> Bits:
        """``Arrays.sweep`` as deep as use is followed; after a change only where it can say something else."""
        arrays = self.arrays
        kept = self._before[0]._swept.get(name) if self._before else None
        if kept is None or self._before is None:
            found = arrays.sweep(bits, verbs, forward=forward, rounds=sight.DEPTH)
        else:
            then, said = kept
            ends = [
                arrays.place[r.target if forward else r.source]
                for r in self._before[1]
                if r.verb in VERB_CODES and verbs[VERB_CODES[r.verb]]
            ]
            places = np.union1d(np.flatnonzero(bits != then), np.array(ends, np.int32)).astype(np.int32)
            found = said
            if len(places):
                found = arrays.sweep_again(said, bits, places, verbs, forward=forward, rounds=sight.DEPTH)
        self._swept[name] = bits, found
        return found

    @cached_property
    def org(self) -> dict[str, Any]:
        organisation = self.organisation
        known = {"name": organisation.name, "sector": organisation.sector}
        return {name: value for name, value in known.items() if value} | {
            "regions": organisation.regions,
            "regimes": organisation.regimes,
        }

    def of(self, id: str) -> dict[str, Any]:
        """Every known field of the asset, observed and derived."""
        if id not in self._of:
            place, asset = self.arrays.place[id], self.graph.assets[id]
            fields = {name: value for name, value in asset.props.items() if value is not None}
            fields |= {name: getattr(asset, name) for name in _ATTRIBUTES}
            fields["sees"] = self.labelling.sees(id)
            more = ("contains", "touches", *DERIVED, *_COMPLETED)
            self._of[id] = fields | {name: value for name in more if (value := self.column(name)[place]) is not None}
        return self._of[id]

    def kind_is(self, *kinds: str) -> Flags:
        """Which assets are of one of some kinds."""
        return kind_flags(kinds)[self.arrays.kind]

    # ── columns ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def column(self, name: str) -> Column:
        """The field of all assets."""
        if name not in self.columns:
            make = self._makers.get(name)
            self.columns[name] = make() if make else self.observed(name)
        return self.columns[name]

    def observed(self, name: str) -> Column:
        """A field as it was observed."""
        if name in PROPS and name not in _UNREAD:
            return self.read.get(name) or Column.nowhere(len(self.arrays))
        if name in PROPS:
            return Column.of((asset.prop(name) for asset in self._assets), len(self.arrays))
        return Column.of((getattr(asset, name) for asset in self._assets), len(self.arrays))

    @cached_property
    def read(self) -> dict[str, Column]:
        """The properties that were seen, as columns."""
        return read((asset.props for asset in self._assets), len(self.arrays), _UNREAD)

    @property
    def _assets(self) -> Iterator[Asset]:
        assets = self.graph.assets
        return (assets[id] for id in self.arrays.ids)

    @cached_property
    def _makers(self) -> Mapping[str, Callable[[], Column]]:
        return {
            "contains": lambda: self._labels(self.labelling.holding),
            "touches": lambda: self._labels(self.labelling.touching),
            "sees": lambda: Column.of(map(self.labelling.sees, self.arrays.ids), len(self.arrays)),
            "reach": lambda: self.sight.reach(),
            "anonymous": lambda: self.sight.anonymous(self.column("reach")),
            "untrusted": lambda: _flag(sight.untrusted(self)),
            "guarded_in": lambda: guarded(self, "input_filter"),
            "guarded_out": lambda: guarded(self, "output_filter"),
            "owned": lambda: lookups.owned(self),
            "revoked": lambda: lookups.revoked(self),
            "cleared": lambda: removals.cleared(self),
            "high_risk": lambda: lookups.high_risk(self),
            "criticality": lambda: _first(self.sight.criticality(), self.observed("criticality")),
            "sanction": lambda: self._completed(
                "sanction", partial(lookups.sanction, self), "provider", "model", "endpoint", "hook"
            ),
            "vendor": lambda: self._completed("vendor", lookups.vendor, "model"),
            "approval": lambda: self._completed("approval", partial(lookups.approval, self), "tool", "mcp_server"),
            "served": lambda: lookups.served(self),
            "holders": lambda: lookups.holders(self),
            "home": lambda: Column.of((asset.scope for asset in self._assets), len(self.arrays)),
            "seen in": lambda: Column.of(map(self._seen_in, self.arrays.ids), len(self.arrays)),
        }

    @cached_property
    def marks(self) -> Bits:
        """A bit for each of an asset's own marks, in the order of the labels and marks."""
        bits = np.zeros(len(self.arrays), np.uint32)
        for number, asset in enumerate(self._assets):
            if asset.labels:
                bits[number] = _marks_of(asset)
        return bits

    def _marks_after(self, rows: Mapping[int, Asset], before: Ints | None) -> Bits:
        bits = self.marks.copy() if before is None else np.where(before < 0, 0, self.marks[before]).astype(np.uint32)
        for place, asset in rows.items():
            bits[place] = _marks_of(asset)
        return bits

    def _labels(self, holding: Callable[[str], Iterable[str]]) -> Column:
        """The labels and marks of every asset, told label by label, because few assets have any."""
        place, bits = self.arrays.place, self.marks.copy()
        for number, label in enumerate(_LABELS):
            bits[[place[id] for id in holding(label)]] |= 1 << number
        which = np.flatnonzero(bits)
        different, turn = np.unique(bits[which], return_inverse=True)
        known = Values.fixed(frozenset())
        table = [
            known.code(frozenset(label for number, label in enumerate(_LABELS) if one >> number & 1))
            for one in different.tolist()
        ]
        codes = np.zeros(len(bits), np.int16)
        codes[which] = np.array(table, np.int16)[turn]
        return Column(codes, known)

    @cached_property
    def scopes(self) -> frozenset[str]:
        """Every scope that something was seen in."""
        return _scopes(self.graph.evidence.values())

    def _completed(self, name: str, say: Callable[[Asset], Any], *kinds: str) -> Column:
        """A property as observed; of some kinds of asset, where nobody said it, as it is derived."""
        seen = self.observed(name)
        open_ones = self.kind_is(*kinds) & ~seen.given
        if name in self._kept:
            kept = self._kept[name]
            open_ones &= self._touched
            seen = Column(np.where(self._touched, UNKNOWN, kept.codes), kept.known).patched(
                {place: seen[place] for place in np.flatnonzero(self._touched & seen.given).tolist()}
            )
        assets, ids = self.graph.assets, self.arrays.ids
        return seen.patched({place: say(assets[ids[place]]) for place in np.flatnonzero(open_ones).tolist()})

    def _seen_in(self, id: str) -> frozenset[str]:
        return self.graph.scopes_of(id) - ADDING_SCOPES

    def knows_all(self, verb: str) -> Flags:
        """Of which assets every relation of a verb is known (``Graph.knows_all``)."""
        seen, complete = self.column("seen in"), self.graph.complete
        table = [bool(scopes) and all((scope, verb) in complete for scope in scopes) for scopes in seen.known.values]
        return np.array([*table, False], np.bool_)[seen.codes]

    # ── what hangs on the users ──────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def sight(self) -> sight.Sight:
        made = sight.Sight.of(self, sight.power_weight(self))
        self._before = None  # both sweeps are done: what was before may go
        return made

    @cached_property
    def doors(self) -> weight.Weights:
        """How wide each asset itself is open, 1-4; 0 where nothing is said."""
        return sight.doors(self)

    @cached_property
    def impacts(self) -> weight.Weights:
        return weight.impacts(self)

    @cached_property
    def weighed(self) -> tuple[list[int], list[int], list[int], list[int]]:
        """Impact, and lowest, likely and highest likelihood, by place: lists, which are read one by one faster."""
        doors = self.likelihoods
        return self.impacts.tolist(), doors.lowest.tolist(), doors.likely.tolist(), doors.highest.tolist()

    @cached_property
    def has_power(self) -> list[bool]:
        """Whether each asset has power over another, by place."""
        found = np.zeros(len(self.arrays), np.bool_)
        found[self.arrays.source[self.arrays.of_verbs(_POWER)]] = True
        said: list[bool] = found.tolist()
        return said

    @cached_property
    def likelihoods(self) -> weight.Likelihoods:
        return weight.Likelihoods(self)

    def users(self, id: str) -> Iterator[str]:
        """The asset and everything that makes use of it, nearest first."""
        return self._walk([id], _USES, forward=False)

    def powers(self, ids: Iterable[str]) -> Iterator[str]:
        """The assets and everything they have power over, nearest first."""
        return self._walk(ids, _POWER, forward=True)

    def _walk(self, ids: Iterable[str], verbs: Flags, *, forward: bool) -> Iterator[str]:
        arrays = self.arrays
        seen: set[int] = set()
        level: Iterable[int] = (arrays.place[id] for id in ids)
        for depth in range(sight.DEPTH + 1):
            here = []
            for place in level:
                if place not in seen:
                    seen.add(place)
                    here.append(place)
                    yield arrays.ids[place]
            if depth == sight.DEPTH or not here:
                return
            level = (end for place in here for end in _ends(arrays, place, verbs, forward))

    # ── what questions and reports ask ───────────────────────────────────────────────────────────────────────────────

    def answers(self, id: str) -> bool:
        """Whether it is something that somebody reaches: a service, or an application that does more than train."""
        asset, graph = self.graph.assets[id], self.graph
        if asset.kind != "application":
            return asset.kind in _REACHABLE
        used = [relation.target for relation in graph.out(id, "uses_model")]
        return any(graph.out(id, *_ANSWERS)) or any(not any(graph.into(model, "fine_tuned_from")) for model in used)

    def assistants_of(self, asset: Asset) -> list[Asset]:
        return lookups.assistants_of(self.graph, asset)

    def provider_of(self, asset: Asset) -> Asset | None:
        return lookups.provider_of(self.graph, asset)


def sensitive(labels: Iterable[str]) -> list[str]:
    """The labels worth protecting, heaviest first."""
    return sorted(set(labels) & SENSITIVE, key=lambda label: (-LABELS[label], label))


def _ends(arrays: Arrays, place: int, verbs: Flags, forward: bool) -> list[int]:
    ends: list[int] = (arrays.target if forward else arrays.source)[
        arrays.edges(place, verbs, forward=forward)
    ].tolist()
    return ends


def _flag(flags: Flags) -> Column:
    return Column.flags(flags, ~flags)


def _first(one: Column, other: Column) -> Column:
    """The one where it is known, else the other."""
    known = Values(list(one.known.values), dict(one.known.codes))
    table = np.array([*(known.code(value) for value in other.known.values), -1], np.int32)
    return Column(np.where(one.given, one.codes, table[other.codes]), known)


def _marks_of(asset: Asset) -> int:
    return sum(1 << _LABELS.index(mark) for mark in asset.labels & MARKS)


def _scopes(evidence: Iterable[tuple[Evidence, ...]]) -> frozenset[str]:
    return frozenset(one.scope for several in evidence for one in several if one.scope)


def _links(changes: Changes) -> tuple[Relation, ...]:
    return (*changes.relations_added, *changes.relations_removed)


def _reread(
    columns: Mapping[str, Column], rows: Mapping[int, Asset], before: Ints | None, count: int
) -> dict[str, Column]:
    """Columns of properties with those of some assets read again."""
    names = {*columns, *(name for asset in rows.values() for name in asset.props)} - _UNREAD
    made = {}
    for name in names:
        column = columns[name].moved(before) if name in columns else Column.nowhere(count)
        made[name] = column.patched({place: asset.prop(name) for place, asset in rows.items()})
    return made
