"""Whoever owns an application owns what it is made of; what many use belongs to nobody in particular."""

from __future__ import annotations

from penstock.graph import identity
from penstock.graph.merge import merge
from penstock.graph.owners import home_of, owners_of
from penstock.graph.vocabulary import Asset, Evidence, Observation, Relation

SHOP, CARE = "repo:acme/shop", "repo:acme/care"
TEAM, OTHERS = identity.asset("team", "shop team"), identity.asset("team", "others")
MODEL = identity.asset("model", "acme/reranker", props={"provider": "huggingface"})


def graph_of(*seen: tuple[str, Asset | Relation]):
    everybody = [("org", TEAM), ("org", OTHERS)]
    return merge([Observation(s, Evidence("test", "t", "declared", scope=scope)) for scope, s in [*everybody, *seen]])


def owned(graph, asset: Asset) -> list[str]:
    return [graph.assets[relation.target].name for relation in owners_of(graph, asset.id)]


def test_a_part_is_owned_with_its_application() -> None:
    app, agent = identity.application(SHOP), identity.asset("agent", "helper", scope=SHOP)
    graph = graph_of((SHOP, app), (SHOP, agent), (SHOP, identity.relation(app, "owned_by", TEAM)))
    assert owned(graph, agent) == ["shop team"]
    assert home_of(graph, agent) == app.id


def test_its_own_owner_comes_first() -> None:
    app, agent = identity.application(SHOP), identity.asset("agent", "helper", scope=SHOP)
    owners = [(SHOP, identity.relation(app, "owned_by", TEAM)), (SHOP, identity.relation(agent, "owned_by", OTHERS))]
    graph = graph_of((SHOP, app), (SHOP, agent), *owners)
    assert owned(graph, agent) == ["others"]


def test_the_repository_answers_where_the_application_does_not() -> None:
    agent = identity.asset("agent", "helper", scope=SHOP)
    repository = identity.asset("repository", "acme/shop")
    graph = graph_of((SHOP, agent), (SHOP, repository), (SHOP, identity.relation(repository, "owned_by", TEAM)))
    assert owned(graph, agent) == ["shop team"]


def test_a_model_belongs_to_whoever_trains_it_and_not_to_its_users() -> None:
    shop, care = identity.application(SHOP), identity.application(CARE)
    table = identity.file_dataset("data.csv", SHOP)
    seen = [(SHOP, shop), (CARE, care), (SHOP, table), (SHOP, MODEL), (CARE, MODEL)]
    owners = [(SHOP, identity.relation(shop, "owned_by", TEAM)), (CARE, identity.relation(care, "owned_by", OTHERS))]
    used = graph_of(*seen, *owners, (CARE, identity.relation(care, "uses_model", MODEL)))
    assert owned(used, MODEL) == []
    trained = graph_of(*seen, *owners, (SHOP, identity.relation(MODEL, "trained_on", table)))
    assert owned(trained, MODEL) == ["shop team"]


def test_what_a_pipeline_makes_is_its_owners() -> None:
    pipeline = identity.asset("pipeline", "train.py", scope=SHOP)
    graph = graph_of(
        (SHOP, pipeline), (CARE, MODEL),
        (SHOP, identity.relation(pipeline, "owned_by", TEAM)), (CARE, identity.relation(pipeline, "produces", MODEL)),
    )  # fmt: skip
    assert owned(graph, MODEL) == ["shop team"]
