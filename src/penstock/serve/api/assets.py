"""The inventory: assets with facets, filters, sorting and pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from penstock.graph.vocabulary import Asset
from penstock.serve.api.endpoint import Call, endpoint
from penstock.serve.api.shapes import Owner
from penstock.serve.api.shaping import owner
from penstock.serve.listing import FACETS, rank
from penstock.serve.world import World, by_weight


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
    world, listing = call.live.world, call.live.world.listing
    found = listing.find(query.q.casefold().split(), {name: getattr(query, name) for name in FACETS})
    rows = listing.sorted(found.rows, query.sort, backwards=query.order == "desc")
    page = rows[query.offset : query.offset + query.limit]
    facets = {name: _counted(world, name, counts) for name, counts in found.counts.items()}
    return AssetList(len(rows), facets, tuple(asset_row(world, row.asset) for row in page))


def _counted(world: World, facet: str, counts: Mapping[str, int]) -> tuple[FacetValue, ...]:
    """The values of a facet, the most frequent first; severities by how bad they are."""
    rows = (FacetValue(v, world.name(v) if facet == "owner" else v, n) for v, n in counts.items())
    if facet == "risk":
        return tuple(sorted(rows, key=lambda row: -rank(row.value)))
    return tuple(sorted(rows, key=lambda row: (-row.count, row.name.casefold())))


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
