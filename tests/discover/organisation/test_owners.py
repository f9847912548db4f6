"""Who owns what, as CODEOWNERS, catalogues and commits say it."""

from __future__ import annotations

import pytest

from penstock.discover.collector import Fact
from penstock.discover.organisation.codeowners import Rule, matches, owning, read_rules
from penstock.discover.organisation.parties import party
from penstock.graph import identity

SCOPE = "repo:acme/shop"


@pytest.mark.parametrize(
    "spelling", ["@acme/team-x", "group:default/team-x", "group:team-x", "team-x", "Team X", "team:team-x"]
)
def test_every_spelling_of_a_team_is_one_team(spelling):
    assert party(spelling) == party("team-x")


@pytest.mark.parametrize("spelling", ["@alice", "user:default/alice", "person:alice", "user:Alice"])
def test_every_spelling_of_a_person_is_one_person(spelling):
    assert party(spelling).id == party("@alice").id


def test_a_hidden_address_is_the_person_behind_it():
    assert party("123+alice@users.noreply.github.com").id == party("@alice").id


@pytest.mark.parametrize("nobody", ["", "  ", "@", "group:", "x" * 500, "a\x00b", "---"])
def test_what_names_nobody_is_nobody(nobody):
    assert party(nobody) is None


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("*", "a/b.py", True),
        ("*.py", "a/b.py", True),
        ("*.py", "a/b.pyc", False),
        ("/docs/", "docs/a/b.md", True),
        ("/docs/", "x/docs/b.md", False),
        ("docs/", "x/docs/b.md", True),
        ("docs/*", "docs/a.md", True),
        ("docs/*", "docs/a/b.md", False),
        ("/apps", "apps/a/b", True),
        ("apps/x", "apps/xy", False),
        ("**/logs", "a/b/logs/c", True),
        ("/a/**/b", "a/x/y/b", True),
        ("/a/**/b", "a/b", True),
        ("a\\ b.txt", "a b.txt", True),
        ("file[1].txt", "file[1].txt", True),
    ],
)
def test_patterns_cover_paths_as_the_platforms_say(pattern, path, covered):
    rule = next(item for item in read_rules(f"{pattern} @a") if isinstance(item, Rule))
    assert matches(rule.pattern, path) is covered


def test_a_pattern_made_to_backtrack_ends():
    assert not matches("/" + "*a" * 12 + "b", "a" * 60)


def test_the_last_line_that_matches_wins(look):
    seen = look({"CODEOWNERS": "* @acme/all\n* @acme/web @bob\n"}, only=["organisation.codeowners"])
    assert seen.links("owned_by") == {("shop", "owned_by", "web"), ("shop", "owned_by", "bob")}


def test_a_line_without_owners_means_nobody():
    rules = [item for item in read_rules("* @acme/all\n/free/\n") if isinstance(item, Rule)]
    assert owning(rules, "free/x.py") == []
    assert [rule.owners for rule in owning(rules, "x.py")] == [("@acme/all",)]


def test_sections_of_gitlab_add_up_and_lend_their_owners():
    text = "* @g/all\n[Docs][2] @g/writers\ndocs/\n^[Models]\nmodels/ @g/ml\nmodels/x @g/x\n"
    rules = [item for item in read_rules(text) if isinstance(item, Rule)]
    assert {rule.owners for rule in owning(rules, "docs/a.md")} == {("@g/all",), ("@g/writers",)}
    assert {rule.owners for rule in owning(rules, "models/x")} == {("@g/all",), ("@g/x",)}


def test_groups_of_bitbucket_are_their_members():
    rules = [item for item in read_rules("@@@Web @alice @bob\n* @@web\n") if isinstance(item, Rule)]
    assert rules[0].owners == ("@alice", "@bob")


def test_what_lies_in_a_file_belongs_to_the_owner_of_the_file(look):
    agent = identity.asset("agent", "Helper", scope=SCOPE, key="app/agent.py::helper")
    seen = look(
        {"CODEOWNERS": "* @acme/web\n/app/ @acme/care\n"},
        only=["organisation.codeowners"],
        extra=[Fact("defined", "app/agent.py", {"id": agent.id, "line": 3})],
    )
    owners = [
        item.subject for item in seen.yielded if getattr(getattr(item, "subject", None), "source", "") == agent.id
    ]
    assert [relation.target for relation in owners] == [party("care").id]


def test_broken_lines_are_named_and_the_others_kept(look):
    text = b"* @acme/web\n!x @a\n@only-owners\n/a bob\n\xff\xfe @a\n/b @@nobody\n"
    seen = look({"CODEOWNERS": text}, only=["organisation.codeowners"])
    assert ("shop", "owned_by", "web") in seen.links()
    assert sorted(note.where for note in seen.notes) == [f"CODEOWNERS:{line}" for line in (2, 3, 4, 5, 6)]


def test_a_file_where_no_platform_reads_it_owns_nothing(look):
    seen = look({"sub/CODEOWNERS": "* @acme/web\n"}, only=["organisation.codeowners"])
    assert not seen.links()
    assert seen.notes[0].skipped


COMPONENT = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: shop, description: Sells things}
spec:
  lifecycle: production
  owner: group:default/web
  system: order-fulfilment
  dependsOn: ["resource:default/orders-db", "component:default/other"]
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: order-fulfilment}
spec: {owner: web, domain: customers}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: web}
spec: {type: team, profile: {email: web@acme.example}, parent: engineering, members: [alice]}
"""


def test_a_catalogue_says_owner_process_and_team(look):
    seen = look({"catalog-info.yaml": COMPONENT}, only=["organisation.backstage"])
    assert seen.links() == {
        ("shop", "owned_by", "web"),
        ("shop", "supports", "Order fulfilment"),
        ("Order fulfilment", "owned_by", "web"),
        ("Order fulfilment", "supports", "Customers"),
        ("shop", "connects_to", "orders-db"),
        ("shop", "connects_to", "other"),
        ("web", "member_of", "engineering"),
        ("alice", "member_of", "web"),
    }
    shop = seen.one("application", "shop")
    assert shop.id == identity.application(SCOPE).id
    assert (shop.prop("env"), shop.prop("purpose")) == ("prod", "Sells things")
    assert seen.one("team", "web").prop("email") == "web@acme.example"


def test_a_catalogue_of_many_components_keeps_them_apart(look):
    text = "\n---\n".join(
        f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\nspec: {{owner: {name}-team}}"
        for name in ("one", "two")
    )
    seen = look({"catalog-info.yaml": text}, only=["organisation.backstage"])
    assert seen.links("owned_by") == {("one", "owned_by", "one-team"), ("two", "owned_by", "two-team")}
    assert identity.application(SCOPE).id not in seen.graph.assets


@pytest.mark.parametrize(
    "text", ["kind: Component\nmetadata: {name: x}\n", "apiVersion: v1\nkind: Component\nspec: {owner: a}\n", "[1, 2]"]
)
def test_other_yaml_is_no_catalogue(look, text):
    assert look({"catalog-info.yaml": text}, only=["organisation.backstage"]).yielded == ()


def test_a_catalogue_that_breaks_off_keeps_what_came_before(look):
    seen = look({"catalog-info.yaml": COMPONENT + "---\na: [\n"}, only=["organisation.backstage"])
    assert ("shop", "owned_by", "web") in seen.links()
    assert seen.notes[0].where.startswith("catalog-info.yaml:")
    assert not seen.notes[0].skipped


@pytest.mark.parametrize(
    "spec",
    ["[]", "7", "{owner: [a]}", "{owner: {x: y}}", "{dependsOn: 7, system: []}", "{dependsOn: [{}, 'resource:']}"],
)
def test_wrong_shapes_claim_no_owner(look, spec):
    text = f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: shop}}\nspec: {spec}\n"
    assert not look({"catalog-info.yaml": text}, only=["organisation.backstage"]).links()


def test_who_commits_most_is_a_guess_and_robots_are_nobody(look):
    people = [
        ("Dependabot[bot]", "bot@x.example", 900),
        ("Alice", "alice@acme.example", 60),
        ("Bob", "b@acme.example", 5),
    ]
    seen = look({}, only=["organisation.committers"], about={"committers": people})
    assert seen.links() == {("shop", "owned_by", "alice@acme.example")}
    relation = next(iter(seen.graph.relations))
    assert seen.graph.evidence[relation.key][0].confidence == "guessed"
