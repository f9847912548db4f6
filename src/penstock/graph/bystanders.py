"""Applications that have nothing to do with AI: known from who owns or runs them, and no part of an AI inventory."""

from __future__ import annotations

from penstock.graph.graph import Graph
from penstock.graph.vocabulary import AI_KINDS

#: What makes an application one that uses AI when it is tied to it, or seen in its source.
_TELLING = (AI_KINDS - {"application"}) | {"vector_store", "knowledge_base", "memory"}


def bystanders(graph: Graph) -> frozenset[str]:
    """Ids of the applications without AI.

    An ownership file or a service catalogue names every application there is. One of them uses AI when it has a
    relation to something of AI or to an application that has, when something of AI was seen in its own source, or
    when a person declared it to be an AI system.
    """
    telling = {asset.id for asset in graph.assets.values() if asset.kind in _TELLING}
    sources = {scope for asset in telling for scope in graph.scopes_of(asset)}
    applications = {asset.id: asset for asset in graph.of_kind("application")}
    tied = {
        asset.id
        for asset in applications.values()
        if asset.scope in sources or not telling.isdisjoint(_others(graph, asset.id)) or _declared(graph, asset.id)
    }
    todo = list(tied)
    while todo:  # what works with an application that uses AI is part of how it is used
        for other in _others(graph, todo.pop()):
            if other in applications and other not in tied:
                tied.add(other)
                todo.append(other)
    return frozenset(applications.keys() - tied)


def _others(graph: Graph, asset: str) -> set[str]:
    return {r.target for r in graph.out(asset)} | {r.source for r in graph.into(asset)}


def _declared(graph: Graph, asset: str) -> bool:
    """Whether somebody said so: in ``ai-system.yaml``, or in the console."""
    return any(
        row.collector == "organisation.declaration" or row.collector.startswith("person:")
        for row in graph.evidence.get(asset, ())
    )
