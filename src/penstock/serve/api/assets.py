"""The inventory: assets with facets, filters, sorting and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

import msgspec

from penstock.graph.vocabulary import SEVERITIES, Asset
from penstock.serve.api.endpoint import Call, endpoint
from penstock.serve.api.shapes import Owner
from penstock.serve.api.shaping import owner
from penstock.serve.world import World, by_weight

#: How a facet names what is not known; absent is unknown, never false.
UNKNOWN = "unknown"


class AssetQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values of one filter are alternatives, filters narrow each other; ``q`` finds words in name, id and scope."""

    q: str = ""
    kind: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    exposure: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    risk: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    lifecycle: tuple[str, ...] = ("current", "stale")
    sort: Literal["name", "kind", "risk", "last_seen", "exposure", "owner"] = "risk"
    order: Literal["asc", "desc"] = "asc"
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0


class AssetRow(msgspec.Struct, frozen=True):
    """``contains`` are the data it holds, ``sees`` what it may read beyond that. ``risk`` "" means none known."""

    id: str
    kind: str
    name: str
    scope: str
    status: str
    lifecycle: str
    used_for: str
    exposure: str
    contains: tuple[str, ...]
    sees: tuple[str, ...]
    owner: Owner
    risk: str
    findings: int
    last_seen: float


class FacetValue(msgspec.Struct, frozen=True):
    value: str
    name: str
    count: int


class AssetList(msgspec.Struct, frozen=True):
    """Counts of a facet ignore that facet's own filter, so that each is what choosing it would show."""

    total: int
    facets: dict[str, tuple[FacetValue, ...]]
    assets: tuple[AssetRow, ...]


@endpoint("GET", "/assets")
def assets(call: Call, query: AssetQuery) -> AssetList:
    """The inventory."""
    world = call.live.world
    known = _facet_values(world)
    words = query.q.casefold().split()
    pool = [a for a in world.inventory if _has(a, words)]
    chosen = {name: set(getattr(query, name)) for name in known}
    facets = {
        name: _counts(world, name, values, [a for a in pool if _passes(a, known, chosen, but=name)])
        for name, values in known.items()
    }
    found = [a for a in pool if _passes(a, known, chosen)]
    found = sorted(found, key=_sorter(world, query.sort), reverse=query.order == "desc")
    page = found[query.offset : query.offset + query.limit]
    return AssetList(len(found), facets, tuple(asset_row(world, asset) for asset in page))


def _facet_values(world: World) -> dict[str, Callable[[Asset], tuple[str, ...]]]:
    """Facet → the values an asset has in it."""
    return {
        "kind": lambda a: (a.kind,),
        "risk": lambda a: (world.worst(a.id) or "none",),
        "label": lambda a: by_weight(world.labelling.contains(a.id) | world.labelling.sees(a.id)) or ("none",),
        "exposure": lambda a: (str(a.prop("exposure") or UNKNOWN),),
        "owner": lambda a: (world.owner_of(a.id).asset or UNKNOWN,),
        "status": lambda a: (a.status,),
        "lifecycle": lambda a: (a.lifecycle,),
    }


def _passes(
    asset: Asset,
    known: dict[str, Callable[[Asset], tuple[str, ...]]],
    chosen: dict[str, set[str]],
    *,
    but: str = "",
) -> bool:
    return all(
        not wanted or name == but or not wanted.isdisjoint(known[name](asset)) for name, wanted in chosen.items()
    )


def _counts(
    world: World, facet: str, values: Callable[[Asset], tuple[str, ...]], pool: Iterable[Asset]
) -> tuple[FacetValue, ...]:
    counts: dict[str, int] = {}
    for asset in pool:
        for value in values(asset):
            counts[value] = counts.get(value, 0) + 1
    rows = (FacetValue(v, world.name(v) if facet == "owner" else v, n) for v, n in counts.items())
    if facet == "risk":
        return tuple(sorted(rows, key=lambda row: -_rank(row.value)))
    return tuple(sorted(rows, key=lambda row: (-row.count, row.name.casefold())))


def _has(asset: Asset, words: list[str]) -> bool:
    text = f"{asset.name} {asset.kind} {asset.scope} {asset.id} {asset.prop('purpose') or ''}".casefold()
    return all(word in text for word in words)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1


def _sorter(world: World, by: str) -> Callable[[Asset], Any]:
    """Worst and newest first in ascending order: that is what a reader wants of them."""
    keys: dict[str, Callable[[Asset], Any]] = {
        "name": lambda a: a.name.casefold(),
        "kind": lambda a: (a.kind, a.name.casefold()),
        "risk": lambda a: (-_rank(world.worst(a.id)), -len(world.findings_on.get(a.id, ())), a.name.casefold()),
        "last_seen": lambda a: (-a.last_seen, a.name.casefold()),
        "exposure": lambda a: (
            {"internet": 0, "partner": 1, "corporate": 2, "private": 3}.get(str(a.prop("exposure")), 4),
            a.name.casefold(),
        ),
        "owner": lambda a: (not world.owner_of(a.id).asset, world.name(world.owner_of(a.id).asset).casefold()),
    }
    return keys[by]


def asset_row(world: World, asset: Asset) -> AssetRow:
    contains = world.labelling.contains(asset.id)
    answers = world.assessment.answers.get(asset.id)
    purpose = asset.prop("purpose") or (answers.used_for.value if answers else "") or ""
    return AssetRow(
        asset.id,
        asset.kind,
        asset.name,
        asset.scope,
        asset.status,
        asset.lifecycle,
        purpose if isinstance(purpose, str) else ", ".join(map(str, purpose)),
        str(asset.prop("exposure") or ""),
        by_weight(contains),
        by_weight(world.labelling.sees(asset.id) - contains),
        owner(world, asset.id),
        world.worst(asset.id),
        len(world.findings_on.get(asset.id, ())),
        asset.last_seen,
    )
