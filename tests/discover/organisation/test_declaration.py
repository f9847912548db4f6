"""A team's own word: it informs and raises, never lowers, never steers."""

from __future__ import annotations

import pytest

from penstock.discover.organisation.declare import declare
from penstock.graph import identity
from penstock.graph.graph import Graph
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Evidence, Observation

SCOPE = "repo:acme/shop"
ONLY = ["organisation.declaration", "organisation.settings"]
WHOLE = """
system:
  name: Help chat
  purpose: Answers customers
  audience: customers
  owner: care
  approver: user:bob
  processes:
    - {name: Customer support, criticality: high}
    - Order fulfilment
  data:
    - {path: ./data/tickets.csv, labels: [pii, phi]}
    - {uri: "postgresql://me:pw@db.example/shop/orders"}
    - Old letters
  models:
    - {name: gpt-4o, provider: openai}
    - {name: own, endpoint: "http://llm.ml.svc.cluster.local:8000"}
  human_review: false
"""


def test_all_that_a_team_may_say_is_heard(look):
    seen = look({"ai-system.yaml": WHOLE}, only=ONLY)
    app = seen.one("application")
    assert app.id == identity.application(SCOPE).id
    assert (app.name, app.prop("audience"), app.prop("human_review")) == ("Help chat", "customers", False)
    assert seen.links() == {
        ("Help chat", "owned_by", "care"),
        ("Help chat", "approved_by", "bob"),
        ("Help chat", "supports", "Customer support"),
        ("Help chat", "supports", "Order fulfilment"),
        ("Help chat", "reads", "data/tickets.csv"),
        ("Help chat", "reads", "postgresql://db.example/shop/orders"),
        ("Help chat", "reads", "Old letters"),
        ("Help chat", "uses_model", "gpt-4o"),
        ("Help chat", "uses_model", "own"),
    }
    tickets = seen.one("dataset", "data/tickets.csv")
    assert tickets.id == identity.file_dataset("data/tickets.csv", SCOPE).id
    assert tickets.labels == {"pii", "phi"}
    assert seen.one("process", "Customer support").prop("criticality") == 3
    assert seen.notes == []


def test_a_declared_process_is_the_one_in_the_catalogue(look):
    system = "apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {name: customer-support}\nspec: {}\n"
    seen = look({"ai-system.yaml": WHOLE, "s.yaml": system}, only=[*ONLY, "organisation.backstage"])
    assert seen.names("process").count("Customer support") == 1


@pytest.mark.parametrize(
    ("text", "ignored"),
    [
        ("system: {name: x, exclude: [data]}", "exclude"),
        ("system: {name: x}\nexclude: [data]", "exclude"),
        ("system: {name: x}\nwebhooks: [{url: 'http://evil.invalid'}]", "webhooks"),
        ("system: {name: x, accept: [PS101]}", "accept"),
        ("system: {data: [{path: d.csv, labels: [public]}]}", "labels: public"),
        ("system: {data: [{path: d.csv, labels: [harmless]}]}", "labels: harmless"),
        ("system: {data: [{path: ../../etc/passwd}]}", "data"),
        ("system: {human_review: true}", "human_review: true"),
        ("system: {disclosure: yes}", "disclosure: true"),
        ("system: {audience: everyone}", "audience"),
        ("system: {owner: [a, b]}", "owner"),
        ("system: {models: [gpt-4o]}", "the model gpt-4o"),
        ("system: {processes: [{name: p, criticality: 9}]}", "criticality"),
        ("system: {sanction: sanctioned}", "sanction"),
    ],
)
def test_what_would_steer_or_soothe_is_ignored_and_said(look, text, ignored):
    seen = look({"ai-system.yaml": text}, only=ONLY)
    assert [note.what for note in seen.notes if note.skipped] == [f"ignored: {ignored}"]
    assert "public" not in {label for asset in seen.graph.assets.values() for label in asset.labels}
    assert not {"sanction", "disclosure"} & {prop for asset in seen.graph.assets.values() for prop in asset.props}


@pytest.mark.parametrize("text", ["", "7", "[]", "system: 3", "name: x", "system: {"])
def test_a_declaration_without_a_system_is_named(look, text):
    seen = look({"ai-system.yaml": text}, only=ONLY)
    assert not list(seen.graph.assets) or text == "system: {"
    assert seen.notes or text == ""


def test_a_hostile_declaration_costs_little(look):
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    seen = look({"ai-system.yaml": bomb + "system: {data: *i}\n"}, only=ONLY)
    assert "200,000 values" in seen.notes[0].why


def test_configuration_inside_a_tree_is_not_read(look):
    seen = look({"penstock.yaml": "exclude: ['*']\n", "sub/penstock.yml": "owners: {}\n"}, only=ONLY)
    assert [note.skipped for note in seen.notes] == [True, True]
    assert not seen.graph.assets


def test_a_declaration_deeper_down_speaks_of_an_application_of_its_own(look):
    seen = look({"apps/hr/ai-system.yaml": "system: {name: hr, owner: people}"}, only=ONLY)
    assert seen.one("application").id != identity.application(SCOPE).id


def found_graph() -> Graph:
    at = Evidence("python", "app.py:1", scope=SCOPE)
    app = identity.application(SCOPE)
    agent = identity.asset("agent", "Helper", scope=SCOPE, key="app.py::helper")
    data = identity.file_dataset("data/yes: no.csv", SCOPE, labels=["pii"])
    place = identity.endpoint("http://llm.ml.svc.cluster.local:8000", SCOPE)
    own = identity.model_at("http://llm.ml.svc.cluster.local:8000", "own", SCOPE)
    hosted = identity.asset("model", "gpt-4o", props={"provider": "openai"})
    team = identity.asset("team", "care")
    return merge(
        [
            *(Observation(asset, at) for asset in (app, agent, data, place, own, hosted, team)),
            Observation(identity.relation(app, "invokes", agent), at),
            Observation(identity.relation(app, "owned_by", team), at),
            Observation(identity.relation(agent, "invokes", place), at),
            Observation(identity.relation(agent, "uses_model", own), at),
            Observation(identity.relation(app, "uses_model", hosted), at),
            Observation(identity.relation(agent, "reads", data), at),
        ]
    )


def test_a_declaration_to_start_from_reads_back_as_what_was_found(look):
    text = declare(found_graph(), SCOPE)
    seen = look({"ai-system.yaml": text}, only=ONLY)
    assert seen.notes == []
    assert seen.links() == {
        ("shop", "owned_by", "care"),
        ("shop", "uses_model", "gpt-4o"),
        ("shop", "uses_model", "own"),
        ("shop", "reads", "data/yes: no.csv"),
    }
    assert seen.one("dataset").labels == {"pii"}
    assert seen.one("dataset").id in found_graph().assets
    assert {asset.id for asset in seen.graph.of_kind("model")} == {a.id for a in found_graph().of_kind("model")}
    assert "# purpose:" in text


def test_a_source_nobody_knows_gets_a_form_to_fill_in(look):
    text = declare(Graph(), SCOPE)
    assert look({"ai-system.yaml": text}, only=ONLY).notes == []
    for word in ("purpose", "audience", "owner", "approver", "processes", "data", "models"):
        assert f"# {word}:" in text


def test_an_owner_of_the_system_says_nothing_of_who_owns_its_parts(look):
    assert not look({"ai-system.yaml": WHOLE}, only=ONLY).graph.complete
