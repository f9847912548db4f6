"""The data map as values: boxes in five columns from source to audience, and the links along which data flows.

Links point the way data flows, not the way a relation reads: *model trained_on dataset* is a link from the dataset to
the model. What nobody can put on one page is grouped, and a group says how many assets it stands for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from penstock.errors import WrongUse
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling
from penstock.graph.vocabulary import LABELS, VERBS, Asset, Relation
from penstock.report.clean import clean
from penstock.report.view import by_weight, words

T = TypeVar("T")
K = TypeVar("K")

#: Columns, from where data comes to who gets it: name and heading.
STAGES: Mapping[str, str] = {
    "source": "Sources",
    "pipeline": "Pipelines and stores",
    "model": "Models",
    "endpoint": "Agents and endpoints",
    "audience": "Audience and records",
}
#: Kind → its column. Kinds that are absent hold and pass on no data of their own.
STAGE_OF: Mapping[str, str] = {
    **dict.fromkeys(("dataset", "data_store", "content_source"), "source"),
    **dict.fromkeys(("pipeline", "vector_store", "knowledge_base", "tool", "mcp_server"), "pipeline"),
    "model": "model",
    **dict.fromkeys(("endpoint", "agent", "application", "assistant", "workspace", "skill"), "endpoint"),
    **dict.fromkeys(("log_store", "memory", "provider"), "audience"),
}
#: Boxes that one page holds so that a reader finds their way (the picture stays readable at 10 to 300).
MOST = 300
#: Who can be reached by something, by its ``audience``, else by its ``exposure``.
_AUDIENCES = {"public": "The public", "customers": "Customers", "partners": "Partners", "employees": "Employees",
              "machine": "Other systems"}  # fmt: skip
_REACH = {"internet": "The internet", "partner": "Partner networks", "corporate": "Company network",
          "private": "Private network"}  # fmt: skip
NOBODY_SAID = "audience:unknown"


@dataclass(frozen=True, slots=True)
class Box:
    """One asset, or a group of them, or an audience. Label → in how many of its assets."""

    id: str
    stage: str
    kind: str
    name: str
    detail: str
    assets: tuple[str, ...]
    contains: Mapping[str, int] = field(default_factory=dict)
    sees: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_group(self) -> bool:
        return len(self.assets) > 1

    @property
    def labels(self) -> tuple[str, ...]:
        """What is held or seen, gravest first."""
        return by_weight({*self.contains, *self.sees})


@dataclass(frozen=True, slots=True)
class Link:
    """Data flows from one box to another, by some relations; ``holds``: the receiver keeps it, else it may see it.

    ``labels`` travel along it. An audience is reached without a relation: its link has none.
    """

    source: str
    target: str
    relations: tuple[Relation, ...]
    holds: bool
    labels: tuple[str, ...]

    @property
    def verbs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(relation.verb for relation in self.relations))


@dataclass(frozen=True, slots=True)
class Chart:
    """Boxes by column and name, links by their ends.

    Args:
        labels: label → how many of the assets on the chart contain it and how many may only see it, gravest first.
        shown: assets that the boxes stand for.
        apart: assets of the same kinds that no known flow touches; they are not on the chart.
    """

    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    labels: Mapping[str, tuple[int, int]]
    shown: int
    apart: int

    @property
    def groups(self) -> int:
        return sum(box.is_group for box in self.boxes)


def chart(graph: Graph, labelling: Labelling, *, label: str = "", asset: str = "", most: int = MOST) -> Chart:
    """The map of a graph, of what one label touches, or of what leads to and from one asset.

    Args:
        label: only the ways that this label goes.
        asset: only what its data comes from and goes to.
        most: boxes beyond which assets are grouped.
    Raises:
        WrongUse: there is no such label, or the asset has no place on a data map.
    """
    if label and label not in LABELS:
        raise WrongUse(f"There is no label {label!r}", hint=f"There are: {', '.join(LABELS)}")
    carried = labelling.travelling()
    flows = [flow for flow in _flows(graph) if not label or label in carried.get(flow.relation.key, ())]
    everyone = {id for id, one in graph.assets.items() if one.kind in STAGE_OF and one.lifecycle != "retired"}
    on = {end for flow in flows for end in (flow.giver, flow.receiver)}
    on |= {id for id in everyone if label in labelling.touches(id)} if label else _labelled(labelling, everyone)
    if asset:
        on, flows = _around(graph, asset, flows)
    parts = [graph.assets[id] for id in sorted(on)]
    box_of = _grouped(parts, labelling, {asset}, most)
    boxes = dict[str, Box]()
    for key, members in _by(parts, lambda one: box_of[one.id]).items():
        boxes[key] = _box(key, members, labelling, label)
    links = _links(flows, box_of, carried, label)
    reached = _audiences(graph, parts, flows, labelling, label)
    ends = {end for here in reached.values() for end in here}
    for end in ends:
        boxes[end] = Box(end, "audience", "audience", _audience_name(end), "", ())
    links += [Link(box, end, (), False, labels) for (box, end), labels in _merged(reached, box_of).items()]
    held = Counter(one for id in on for one in labelling.contains(id))
    touched = Counter(one for id in on for one in labelling.touches(id) if label in ("", one))
    return Chart(
        boxes=tuple(sorted(boxes.values(), key=_reading_order)),
        links=tuple(sorted(links, key=lambda link: (link.source, link.target))),
        labels={one: (held[one], touched[one] - held[one]) for one in by_weight(touched)},
        shown=len(on),
        apart=len(everyone) - len(on) if not label and not asset else 0,
    )


# ── what flows ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Flow:
    """A relation as data takes it."""

    giver: str
    receiver: str
    relation: Relation


def _flows(graph: Graph) -> Iterator[_Flow]:
    """The relations that carry data between assets that have a place on the map."""
    for relation in graph.relations:
        verb = VERBS[relation.verb]
        ends = [graph.assets.get(id) for id in (relation.source, relation.target)]
        if not verb.carries or not all(end is not None and end.kind in STAGE_OF for end in ends):
            continue
        ahead = verb.to == "target"
        yield _Flow(*((relation.source, relation.target) if ahead else (relation.target, relation.source)), relation)


def _labelled(labelling: Labelling, ids: Iterable[str]) -> set[str]:
    return {id for id in ids if labelling.touches(id)}


def _around(graph: Graph, asset: str, flows: list[_Flow]) -> tuple[set[str], list[_Flow]]:
    """What leads to an asset and what leads on from it, with the flows on those ways."""
    if (known := graph.assets.get(asset)) is None or known.kind not in STAGE_OF:
        what = words(known.kind) if known else "unknown asset"
        raise WrongUse(f"A {what} holds no data of its own", asset, "Name a dataset, a model, an agent or an endpoint")
    into, out = _by(flows, lambda flow: flow.receiver), _by(flows, lambda flow: flow.giver)
    before = _reach(asset, lambda here: (flow.giver for flow in into.get(here, ())))
    after = _reach(asset, lambda here: (flow.receiver for flow in out.get(here, ())))
    kept = [f for f in flows if {f.giver, f.receiver} <= before or {f.giver, f.receiver} <= after]
    return before | after, kept


def _reach(start: str, beyond: Callable[[str], Iterable[str]]) -> set[str]:
    seen, todo = {start}, [start]
    while todo:
        new = set(beyond(todo.pop())) - seen
        seen |= new
        todo += new
    return seen


def _audiences(
    graph: Graph, parts: Iterable[Asset], flows: Iterable[_Flow], labelling: Labelling, label: str
) -> dict[str, dict[str, frozenset[str]]]:
    """Asset → whom it reaches, with the labels it may show them.

    What says neither its audience nor its exposure reaches nobody by itself when something else uses it; the last one
    of a chain reaches somebody, and nobody said whom.
    """
    used = {flow.giver for flow in flows if graph.assets[flow.receiver].kind in STAGE_OF}
    reached: dict[str, dict[str, frozenset[str]]] = {}
    for asset in parts:
        if STAGE_OF[asset.kind] != "endpoint":
            continue
        audience, exposure = asset.prop("audience"), asset.prop("exposure")
        end = f"audience:{audience}" if audience in _AUDIENCES else f"reach:{exposure}" if exposure in _REACH else ""
        labels = labelling.touches(asset.id)
        if not end and asset.id not in used and labels:
            end = NOBODY_SAID
        if end:
            reached[asset.id] = {end: labels & {label} if label else labels}
    return reached


def _audience_name(end: str) -> str:
    kind, _, word = end.partition(":")
    return (_AUDIENCES if kind == "audience" else _REACH).get(word, "Nobody said who")


def _links(
    flows: Iterable[_Flow],
    box_of: Mapping[str, str],
    carried: Mapping[tuple[str, str, str], frozenset[str]],
    label: str,
) -> list[Link]:
    between: dict[tuple[str, str], list[Relation]] = {}
    for flow in flows:
        ends = box_of[flow.giver], box_of[flow.receiver]
        if ends[0] != ends[1]:
            between.setdefault(ends, []).append(flow.relation)
    return [
        Link(
            source,
            target,
            tuple(relations),
            any(VERBS[relation.verb].carries == "contains" for relation in relations),
            (label,) if label else by_weight({one for r in relations for one in carried.get(r.key, ())}),
        )
        for (source, target), relations in between.items()
    ]


def _merged(
    reached: Mapping[str, Mapping[str, frozenset[str]]], box_of: Mapping[str, str]
) -> dict[tuple[str, str], tuple[str, ...]]:
    labels: dict[tuple[str, str], set[str]] = {}
    for asset, ends in reached.items():
        for end, shown in ends.items():
            labels.setdefault((box_of[asset], end), set()).update(shown)
    return {ends: by_weight(shown) for ends, shown in labels.items()}


# ── boxes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _box(key: str, members: list[Asset], labelling: Labelling, label: str) -> Box:
    first = members[0]
    contains = Counter(one for asset in members for one in labelling.contains(asset.id) if label in ("", one))
    sees = Counter(
        one
        for asset in members
        for one in labelling.sees(asset.id) - labelling.contains(asset.id)
        if label in ("", one)
    )
    scopes = {asset.scope for asset in members}
    place = clean(first.scope.removeprefix("repo:"), 80) if len(scopes) == 1 else f"{len(scopes)} sources"
    if len(members) == 1:
        name, detail = clean(first.name, 200), f"{words(first.kind)}{f' · {place}' if place else ''}"
    else:
        name, detail = f"{len(members):,} {words(first.kind, len(members))}", place
    ids = tuple(asset.id for asset in members)
    return Box(
        key, STAGE_OF[first.kind], first.kind, name, detail, ids,
        {one: contains[one] for one in by_weight(contains)}, {one: sees[one] for one in by_weight(sees)},
    )  # fmt: skip


def _grouped(parts: list[Asset], labelling: Labelling, alone: Collection[str], most: int) -> dict[str, str]:
    """Asset → the box it goes into: as little together as makes the page fit, what carries no label first."""

    def held(asset: Asset) -> str:
        return "+".join(by_weight(labelling.touches(asset.id)))

    keys: tuple[Callable[[Asset], tuple[str, ...]], ...] = (
        lambda asset: (asset.id,),
        lambda asset: (asset.id,) if held(asset) else (asset.kind, asset.scope),
        lambda asset: (asset.kind, asset.scope, held(asset)),
        lambda asset: (asset.kind, asset.scope, held(asset)) if held(asset) else (asset.kind,),
        lambda asset: (asset.kind, held(asset)),
        lambda asset: (asset.kind,),
    )
    for key in keys:
        groups = _by([asset for asset in parts if asset.id not in alone], key)
        if len(groups) <= most or key is keys[-1]:
            break
    box_of = {asset.id: asset.id for asset in parts}
    for group in groups.values():
        if len(group) > 1:
            box_of |= {asset.id: f"group:{group[0].id}" for asset in group}
    return box_of


def _by(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _reading_order(box: Box) -> tuple[int, bool, str, str]:
    """By column; what carries labels first, then by name."""
    return list(STAGES).index(box.stage), not box.labels, box.name.casefold(), box.id
