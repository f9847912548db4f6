"""The data map: columns from source to audience, laid out here, with the reason of every link; what holds some data."""

from __future__ import annotations

from threading import Lock
from typing import Annotated, Literal

import msgspec

from penstock.errors import WrongUse
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import LABELS, Relation
from penstock.report.datamap.answers import Holder, holders, reasons
from penstock.report.datamap.chart import Box, Chart, Link, chart
from penstock.report.datamap.layout import WIDE, Layout, layout
from penstock.report.datamap.picture import NAME, shortened
from penstock.report.view import Report
from penstock.serve.api.asset import LabelShape
from penstock.serve.api.endpoint import Call, NoSuchThing, endpoint
from penstock.serve.api.shapes import EvidenceShape, Ref
from penstock.serve.api.shaping import evidence, hops, ref
from penstock.serve.world import World, by_weight

#: Boxes that a window holds: more are grouped.
BOXES = 200
#: Relations told as the reason of one link, and assets named of one group; all are counted.
REASONS, NAMED = 3, 12
#: Maps kept for one state of the graph: as many as people look at.
KEPT = 64

Label = Literal[
    "", "phi", "special_category", "minors", "pci", "credentials", "pii", "confidential", "trade_secret",
    "unknown-origin",
]  # fmt: skip


class MapQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``label`` leaves only what that label reaches, ``asset`` only what leads to it and on from it."""

    label: Label = ""
    asset: str = ""
    boxes: Annotated[int, msgspec.Meta(ge=10, le=400)] = BOXES


class MapColumn(msgspec.Struct, frozen=True):
    """``count``: assets and audiences in it."""

    id: str
    title: str
    x: float
    width: float
    count: int


class LabelCount(msgspec.Struct, frozen=True):
    """Of how many assets a label is contained or seen."""

    label: str
    contains: int
    sees: int


class MapBox(msgspec.Struct, frozen=True):
    """An asset, a group (``count`` above 1, the first of them named in ``assets``) or an audience (``count`` 0).

    ``short`` is as much of its name as fits the box.
    """

    id: str
    column: str
    kind: str
    name: str
    short: str
    detail: str
    count: int
    assets: tuple[Ref, ...]
    labels: tuple[LabelCount, ...]
    x: float
    y: float
    height: float


class MapReason(msgspec.Struct, frozen=True):
    """One relation of a link, read aloud *source verb target*, with its strongest evidence."""

    source: Ref
    verb: str
    target: Ref
    labels: tuple[str, ...]
    evidence: tuple[EvidenceShape, ...]


class MapLink(msgspec.Struct, frozen=True):
    """Data flows from one box to another. ``points`` lead from giver to receiver; ``count`` relations are behind it."""

    source: str
    target: str
    how: Literal["contains", "sees"]
    labels: tuple[str, ...]
    verbs: tuple[str, ...]
    count: int
    reasons: tuple[MapReason, ...]
    points: tuple[tuple[float, ...], ...]


class DataMap(msgspec.Struct, frozen=True):
    """``shown`` assets stand behind the boxes; ``apart`` more have no known flow of data and are not on the map."""

    columns: tuple[MapColumn, ...]
    boxes: tuple[MapBox, ...]
    links: tuple[MapLink, ...]
    labels: tuple[LabelCount, ...]
    shown: int
    apart: int
    groups: int
    width: float
    height: float
    box_width: float


class WhereQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What contains or may see this label."""

    label: Label = "pii"
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0


class HolderRow(msgspec.Struct, frozen=True):
    """``hops`` from ``origin``, where the data was seen; ``leakage`` says how readily it can be got out."""

    asset: Ref
    how: str
    leakage: str
    hops: int
    origin: Ref


class HolderList(msgspec.Struct, frozen=True):
    label: str
    total: int
    holders: tuple[HolderRow, ...]


class WhyQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an asset carries its labels, or one of them."""

    label: Label = ""


class WhyPage(msgspec.Struct, frozen=True):
    """Each label with its shortest proof; ``notes`` on what was removed, erased, or is of unknown origin."""

    asset: Ref
    labels: tuple[LabelShape, ...]
    notes: tuple[str, ...]


@endpoint("GET", "/data/map")
def data_map(call: Call, query: MapQuery) -> DataMap:
    """The data map of the tenant, of one label, or around one asset."""
    world = call.live.world
    if query.asset and query.asset not in world.graph.assets:
        raise NoSuchThing("There is no such asset", query.asset, "Search the inventory by name")
    return _KEPT.get(world, query)


@endpoint("GET", "/data/where")
def data_where(call: Call, query: WhereQuery) -> HolderList:
    """What contains some data and what may see it, the readiest to give it away first."""
    if not query.label:
        raise WrongUse("No label is asked for", "label", f"There are: {', '.join(LABELS)}")
    found = holders(_report(call.live.world), query.label)
    page = found[query.offset : query.offset + query.limit]
    return HolderList(query.label, len(found), tuple(_holder(call.live.world, holder) for holder in page))


@endpoint("GET", "/data/why/{id}")
def data_why(call: Call, query: WhyQuery) -> WhyPage:
    """Why an asset carries its labels: the shortest proof of each, with evidence for every hop."""
    world, asset = call.live.world, call.path["id"]
    if asset not in world.graph.assets:
        raise NoSuchThing("There is no such asset", asset, "Search the inventory by name")
    found = reasons(_report(world), asset, query.label)
    return WhyPage(
        ref(world, asset),
        tuple(LabelShape(r.label, r.how, False, r.leakage, hops(world, [hop.step for hop in r.hops])) for r in found),
        tuple(note.text for note in world.labelling.notes(asset)),
    )


class _Maps:
    """Maps already laid out, as long as their graph is the current one."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._made: dict[MapQuery, DataMap] = {}
        self._lock = Lock()

    def get(self, world: World, query: MapQuery) -> DataMap:
        with self._lock:
            if self._graph is not world.graph:
                self._graph, self._made = world.graph, {}
            if (known := self._made.get(query)) is not None:
                return known
        made = _drawn(
            world, chart(world.graph, world.labelling, label=query.label, asset=query.asset, most=query.boxes)
        )
        with self._lock:
            if self._graph is world.graph:
                while len(self._made) >= KEPT:
                    del self._made[next(iter(self._made))]
                self._made[query] = made
        return made


_KEPT = _Maps()


def _report(world: World) -> Report:
    return Report(world.graph, world.labelling)


def _drawn(world: World, made: Chart) -> DataMap:
    at, travelling = layout(made), world.labelling.travelling()
    return DataMap(
        tuple(
            MapColumn(
                band.stage,
                band.title,
                band.x,
                band.width,
                sum(len(box.assets) or 1 for box in made.boxes if box.stage == band.stage),
            )
            for band in at.bands
        ),
        tuple(_box(world, box, at) for box in made.boxes),
        tuple(_link(world, link, points, travelling) for link, points in zip(made.links, at.links, strict=True)),
        tuple(LabelCount(label, held, seen) for label, (held, seen) in made.labels.items()),
        made.shown,
        made.apart,
        made.groups,
        at.width,
        at.height,
        WIDE,
    )


def _box(world: World, box: Box, at: Layout) -> MapBox:
    x, y = at.boxes[box.id]
    return MapBox(
        box.id,
        box.stage,
        box.kind,
        box.name,
        shortened(box.name, NAME),
        box.detail,
        len(box.assets),
        tuple(ref(world, asset) for asset in box.assets[:NAMED]),
        tuple(LabelCount(label, box.contains.get(label, 0), box.sees.get(label, 0)) for label in box.labels),
        x,
        y,
        at.heights[box.id],
    )


def _link(
    world: World,
    link: Link,
    points: tuple[tuple[float, float], ...],
    travelling: dict[tuple[str, str, str], frozenset[str]],
) -> MapLink:
    return MapLink(
        link.source,
        link.target,
        "contains" if link.holds else "sees",
        link.labels,
        link.verbs,
        len(link.relations),
        tuple(_reason(world, relation, travelling) for relation in link.relations[:REASONS]),
        points,
    )


def _reason(world: World, relation: Relation, travelling: dict[tuple[str, str, str], frozenset[str]]) -> MapReason:
    return MapReason(
        ref(world, relation.source),
        relation.verb,
        ref(world, relation.target),
        by_weight(travelling.get(relation.key, ())),
        evidence(world.graph.evidence.get(relation.key, ())[:1]),
    )


def _holder(world: World, holder: Holder) -> HolderRow:
    return HolderRow(ref(world, holder.asset.id), holder.how, holder.leakage, holder.hops, ref(world, holder.origin))
