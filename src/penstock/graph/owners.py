"""Who is said to own a thing: on its own account, else what makes it, its application, its repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from penstock.graph import identity
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import Asset, Relation

#: Relations that are told where a thing is made or run, not where it is used.
MAKING = (
    "serves", "deployed_on", "trained_on", "fine_tuned_from", "derived_from", "indexes", "ingests", "embedded_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where an owner may be named. ``how``: itself, made_by, application or repository."""

    asset: str
    how: str


def owners_of(graph: Graph, asset: str) -> tuple[Relation, ...]:
    """The ``owned_by`` relations at the nearest place that has any; empty when nobody is said to own the asset."""
    for place in places_of(graph, asset):
        if found := sorted(graph.out(place.asset, "owned_by"), key=lambda relation: relation.key):
            return tuple(found)
    return ()


def places_of(graph: Graph, asset: str) -> Iterator[Place]:
    """Where to look for an owner, nearest first: the asset, what makes it, its application, its repositories.

    What several sources use without making it belongs to none of them.
    """
    yield Place(asset, "itself")
    for relation in sorted(graph.into(asset, "produces", "exposes_tool"), key=lambda relation: relation.key):
        yield Place(relation.source, "made_by")
    homes = homes_of(graph, asset)
    if len(homes) != 1:
        yield from _repositories(graph, asset)
        return
    application = application_of(graph, homes[0])
    yield Place(application, "application")
    yield from _repositories(graph, asset, application)
    yield Place(identity.asset("repository", homes[0].partition(":")[2]).id, "repository")


def homes_of(graph: Graph, asset: str) -> tuple[str, ...]:
    """The sources that the asset belongs to: its own; of a tenant-wide one where it is made or run, else where seen.

    A model that one repository trains and ten use belongs to the one.
    """
    known = graph.assets.get(asset)
    if known is not None and known.scope:
        return (known.scope,) if known.scope.startswith("repo:") else ()
    made = [*graph.out(asset, *MAKING), *graph.into(asset, "produces")]
    at = {evidence.scope for relation in made for evidence in graph.evidence.get(relation.key, ())}
    return tuple(sorted(scope for scope in at or graph.scopes_of(asset) if scope.startswith("repo:")))


def application_of(graph: Graph, scope: str) -> str:
    """Id of the application that a source is, also when it is kept under an older id."""
    issued = identity.application(scope).id
    if issued in graph.assets:
        return issued
    found = graph.applications_in.get(scope, ())
    return found[0] if len(found) == 1 else issued


def home_of(graph: Graph, asset: Asset) -> str:
    """Id of the application whose part the asset is; the asset's own where it is a part of none that is known."""
    homes = homes_of(graph, asset.id)
    application = application_of(graph, homes[0]) if len(homes) == 1 else ""
    return application if application in graph.assets else asset.id


def _repositories(graph: Graph, *ends: str) -> Iterator[Place]:
    for end in ends:
        for target in sorted(relation.target for relation in graph.out(end, "defined_in")):
            yield Place(target, "repository")
