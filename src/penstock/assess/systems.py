"""What counts as a system of its own: something in use that is no mere part of another one beside it."""

from __future__ import annotations

from penstock.graph.bystanders import bystanders
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import Asset

#: Kinds that threat models, requirements and roll-ups are about, in the order of telling.
SYSTEM_KINDS = ("application", "agent", "assistant", "pipeline", "endpoint", "workspace")
#: Kinds that an application beside them may be made of.
_PARTS = frozenset({"agent", "endpoint"})
_NOT_IN_USE = frozenset({"catalogue", "test", "example", "commented"})


def in_use(asset: Asset) -> bool:
    """Whether somebody uses it, as far as is known."""
    return asset.lifecycle != "retired" and asset.status not in _NOT_IN_USE


def systems(graph: Graph) -> list[str]:
    """Ids of the systems, by kind and name. What an application of the same source calls is told with it."""
    idle = bystanders(graph)
    found = [
        asset
        for asset in graph.of_kind(*SYSTEM_KINDS)
        if in_use(asset) and asset.id not in idle and not (asset.kind in _PARTS and _is_part(graph, asset))
    ]
    return [a.id for a in sorted(found, key=lambda a: (SYSTEM_KINDS.index(a.kind), a.name, a.id))]


def _is_part(graph: Graph, asset: Asset) -> bool:
    callers = (graph.assets[r.source] for r in graph.into(asset.id, "invokes", "delegates_to"))
    return any(caller.scope == asset.scope for caller in callers)
