"""Everything that is known about the people around one asset, as one answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penstock.graph.labels import Labelling
from penstock.graph.vocabulary import said_labels
from penstock.respond.people import Claim, Ownership, People


@dataclass(frozen=True, slots=True)
class Who:
    """Who answers for an asset, who may approve, who must know, and who feels it.

    owner: empty with a reason where nobody is known. data: data it holds or may read → who owns that. criticality: 1
    low to 4 vital, None where nothing says it.
    """

    asset: str
    name: str
    kind: str
    owner: Ownership
    data: dict[str, Ownership]
    approver: str
    approver_why: str
    informed: tuple[str, ...]
    informed_why: str
    affected: tuple[str, ...]
    processes: dict[str, float | None]
    criticality: float | None

    @property
    def tier(self) -> int | None:
        """1 the gravest to 4."""
        return None if self.criticality is None else max(1, min(4, 5 - round(self.criticality)))


def who(people: People, labelling: Labelling, asset: str, requester: str = "") -> Who:
    """The answer for one asset, to somebody who asks (or, without a requester, its owner's own request aside)."""
    known = people.graph.assets[asset]
    labels = frozenset().union(
        *(labelling.touches(id) for id in people.names.things(asset) if id in people.graph.assets)
    )
    data = people.data_owners(asset)
    approver, why = people.approval(asset, requester, data=tuple(data))
    personal = said_labels(labels)
    return Who(
        asset=asset,
        name=known.name,
        kind=known.kind,
        owner=people.owner(asset),
        data=data,
        approver=approver,
        approver_why=why,
        informed=people.informed(asset, labels),
        informed_why=f"it touches {personal}" if personal else "no sensitive data is known in it",
        affected=people.affected(asset),
        processes=people.processes(asset),
        criticality=people.criticality(asset),
    )


def as_json(people: People, found: Who) -> dict[str, Any]:
    """The answer as plain values; names beside ids, null for what is unknown."""

    def named(id: str) -> dict[str, str]:
        known = people.graph.assets.get(id)
        return {"id": id, "name": people.name(id), "kind": known.kind if known else ""}

    def claims(some: tuple[Claim, ...]) -> list[dict[str, str]]:
        return [{"id": claim.asset, "name": claim.name, "why": claim.why} for claim in some]

    return {
        "asset": named(found.asset),
        "owner": named(found.owner.asset) if found.owner else None,
        "owner_why": found.owner.why,
        "conflicts": claims(found.owner.conflicts),
        "left": claims(found.owner.left),
        "data_owners": [
            {"data": named(data), "owner": named(owner.asset), "why": owner.why} for data, owner in found.data.items()
        ],
        "approver": named(found.approver) if found.approver else None,
        "approver_why": found.approver_why,
        "informed": [named(id) for id in found.informed],
        "informed_why": found.informed_why,
        "affected": [named(id) for id in found.affected],
        "processes": [{**named(id), "criticality": level} for id, level in found.processes.items()],
        "criticality": found.criticality,
        "tier": found.tier,
    }
