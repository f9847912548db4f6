"""Who is in the inventory, and who only stands beside it."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.graph import identity
from penstock.graph.bystanders import bystanders
from penstock.graph.graph import Graph
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Asset, Evidence, Observation, Relation

SHOP = "repo:shop/web"
APPLICATION = identity.application(SHOP)
MODEL = identity.asset("model", "gpt-4o", props={"provider": "openai"})


def seen(*subjects: Asset | Relation, collector: str = "organisation.codeowners", scope: str = SHOP) -> Graph:
    return merge(observations(subjects, collector, scope))


def observations(subjects: Iterable[Asset | Relation], collector: str, scope: str) -> list[Observation]:
    return [Observation(subject, Evidence(collector, "CODEOWNERS:1", "declared", (), scope)) for subject in subjects]


def test_an_application_that_only_has_an_owner_is_a_bystander() -> None:
    team = identity.asset("team", "web")
    graph = seen(APPLICATION, team, identity.relation(APPLICATION, "owned_by", team))
    assert bystanders(graph) == {APPLICATION.id}


def test_an_application_that_uses_a_model_is_none() -> None:
    assert not bystanders(seen(APPLICATION, MODEL, identity.relation(APPLICATION, "uses_model", MODEL)))


def test_an_application_whose_source_holds_something_of_ai_is_none() -> None:
    prompt = identity.asset("prompt", "system", scope=SHOP)
    assert not bystanders(seen(APPLICATION, prompt))


def test_ai_in_another_source_makes_no_difference() -> None:
    other = observations([MODEL], "code", "repo:shop/other")
    graph = merge([*observations([APPLICATION], "organisation.codeowners", SHOP), *other])
    assert bystanders(graph) == {APPLICATION.id}


def test_what_works_with_an_application_that_uses_ai_is_none() -> None:
    other = identity.application("repo:shop/api")
    graph = seen(
        APPLICATION, other, MODEL, identity.relation(APPLICATION, "invokes", other),
        identity.relation(other, "uses_model", MODEL), scope="gateway",
    )  # fmt: skip
    assert not bystanders(graph)


def test_what_a_person_declared_is_none() -> None:
    assert not bystanders(seen(APPLICATION, collector="organisation.declaration"))
    assert not bystanders(seen(APPLICATION, collector="person:ada"))
