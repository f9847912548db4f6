"""OpsLevel, Cortex, a deeper catalogue, and what tags and labels say."""

from __future__ import annotations

import pytest

from penstock.discover.organisation.parties import system_of
from penstock.discover.organisation.tags import meanings


def test_opslevel_says_owner_tier_system_and_what_it_relies_on(look):
    text = (
        "version: 1\nservice:\n  name: shop\n  owner: web\n  tier: tier_1\n  system: sales\n"
        "  dependencies: [{alias: stock}]\n---\nteam: {name: web, aliases: [old-web], members: ["
        "{email: a@x.example}]}\n"
    )
    seen = look({"opslevel.yml": text}, only=["organisation.opslevel"])
    assert seen.links() == {
        ("shop", "owned_by", "web"), ("shop", "supports", "Sales"), ("shop", "connects_to", "stock"),
        ("old-web", "same_as", "web"), ("a@x.example", "member_of", "web"),
    }  # fmt: skip
    assert seen.one("application", "shop").prop("criticality") == 4


def test_cortex_says_owners_dependencies_and_domain(look):
    text = (
        "openapi: 3.0.1\ninfo:\n  title: Shop\n  x-cortex-tag: shop\n  x-cortex-groups: [tier-2]\n"
        "  x-cortex-owners: [{type: group, name: web}, {type: email, email: a@x.example}]\n"
        "  x-cortex-dependency: [{tag: stock}]\n  x-cortex-parents: [{tag: sales}]\n"
    )
    seen = look({"cortex.yaml": text}, only=["organisation.cortex"])
    assert seen.links() == {
        ("shop", "owned_by", "web"), ("shop", "owned_by", "a@x.example"), ("shop", "connects_to", "stock"),
        ("shop", "supports", "Sales"),
    }  # fmt: skip
    assert seen.one("application", "shop").prop("criticality") == 3


def test_a_component_that_names_another_repository_speaks_of_that_one(look):
    text = (
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: pay\n"
        "  annotations: {github.com/project-slug: acme/pay}\nspec: {owner: money, providesApis: [pay-api]}\n---\n"
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: till}\nspec: {consumesApis: [pay-api]}\n"
    )
    seen = look({"all/catalog-info.yaml": text}, only=["organisation.backstage"])
    assert seen.one("application", "pay").scope == "repo:acme/pay"
    assert {("till", "connects_to", "pay-api"), ("pay-api", "connects_to", "pay")} <= seen.links()


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("acme/shop", "repo:acme/shop"),
        ("https://github.com/acme/shop.git", "repo:acme/shop"),
        ("git@gitlab.com:a/b/c.git", "repo:a/b/c"),
        ("github.com/acme/shop", "repo:acme/shop"),
        ("url:https://github.com/acme/shop/tree/main/", "repo:acme/shop"),
        ("shop", None),
        ("", None),
        ("../../etc/passwd x", None),
    ],
)
def test_a_repository_is_told_by_its_address(address, scope):
    found = system_of(address)
    assert (found.scope if found else None) == scope


def test_labels_of_a_workload_name_its_team(look):
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: llm\n  labels: {corp.example/owning-team: Care}\n"
    assert look({"a.yaml": text}, only=["organisation.tags"]).links() == {("llm", "owned_by", "care")}


def test_tags_of_terraform_name_an_owner(look):
    text = 'resource "aws_s3_bucket" "b" {\n  bucket = "b"\n  tags = { Owner = "data", cost-centre = "4711" }\n}\n'
    seen = look({"main.tf": text}, only=["organisation.tags", "infra.terraform"])
    assert ("b", "owned_by", "data") in seen.links()


@pytest.mark.parametrize("value", ["", "unknown", "N/A", "TBD", "x" * 500])
def test_a_tag_that_names_nobody_owns_nothing(value):
    assert not list(meanings({"owner": value}))


def test_a_cost_centre_is_no_owner():
    assert [meaning.means for meaning in meanings({"cost-centre": "4711"})] == ["cost"]
