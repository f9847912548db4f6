"""What a container that serves models or holds vectors adds to the graph, wherever it was declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from penstock.discover.collector import Source
from penstock.discover.infra.environment import is_address
from penstock.discover.infra.images import ImageRow, Serving
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Evidence, Observation, Relation


def offers(
    row: ImageRow,
    servings: Iterable[Serving],
    place: Asset,
    urls: Iterable[str],
    scope: str,
    at: Evidence,
    *,
    gpu: Asset | None = None,
) -> Iterator[Observation]:
    """An endpoint, the models it serves, and each name under which a client at one of its addresses would know them.

    Args:
        place: the endpoint; its name is what the deployment calls it.
        urls: origins under which it is reached, the endpoint's own first.
    """
    # Who deploys it names it; code that calls it knows an address alone.
    yield Observation(place, replace(at, confidence="declared"))
    framework = identity.asset("framework", row.name)
    yield Observation(framework, at)
    yield Observation(identity.relation(place, "built_with", framework), at)
    if row.hub == "ollama":
        provider = identity.asset("provider", "ollama")
        yield Observation(provider, at)
        yield Observation(identity.relation(place, "provided_by", provider), at)
    if gpu is not None:
        yield Observation(gpu, at)
        yield Observation(identity.relation(place, "deployed_on", gpu), at)
    origins = [(url, identity.endpoint(url, scope)) for url in dict.fromkeys(urls)]
    for serving in servings:
        here = chained(at, serving.why)
        yield Observation(serving.model, here)
        yield Observation(Relation(place.id, "serves", serving.model.id), here)
        for url, origin in origins:
            if origin.id != place.id:
                yield Observation(origin, here)
                yield Observation(Relation(origin.id, "serves", serving.model.id), here)
            for alias in serving.aliases or (serving.model.name,):
                offered = replace(identity.model_at(url, alias, scope), status="declared")
                yield Observation(offered, chained(here, f"offered as {alias} at {origin.name}"))
                if offered.id == serving.model.id:
                    continue
                yield Observation(
                    Relation(offered.id, "derived_from", serving.model.id),
                    chained(here, f"{alias} at {origin.name} is {serving.model.name}"),
                )


def endpoint(name: str, url: str, scope: str, props: Mapping[str, Any] | None = None) -> Asset:
    """The endpoint at a URL under the name that its deployment gives it."""
    return replace(identity.endpoint(url, scope, props=props), name=name)


def store(
    row: ImageRow, name: str, url: str, scope: str, props: Mapping[str, Any] | None = None, *, alone: bool = True
) -> Asset:
    """The vector store that a deployment calls ``name``.

    At a full host it is one for the tenant; else a source has one store of a product, which is what code that only
    names the product (``QdrantClient(…)``) means, unless it runs several (``alone`` is False).
    """
    place = identity.endpoint(url, scope) if url else None
    told = {"vendor": row.name, **({"url": place.name} if place else {}), **(props or {})}
    if place is not None and place.scope == "":
        return identity.asset("vector_store", name, key=place.name, props=told)
    if alone:
        return identity.asset("vector_store", row.id, scope=scope, props=told)
    return identity.asset("vector_store", name, scope=scope, key=f"{row.id}:{name}", props=told)


def spoken(source: Source, origins: Iterable[str]) -> list[str]:
    """Those of the origins that a variable of the source names: other spellings of a place that somebody uses."""
    used = {
        identity.origin_of(str(fact.value["value"]))
        for fact in source.facts.get("env", ())
        if is_address(str(fact.value["value"]))
    }
    return [o for o in dict.fromkeys(origins) if is_address(o) and identity.origin_of(o) in used]


def chained(at: Evidence, step: str) -> Evidence:
    return replace(at, chain=(*at.chain, step))
