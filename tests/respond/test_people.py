"""Who owns, approves, must know and is affected."""

import pytest
from respond_world import AGENT, APP, AT, DATA, ENDPOINT, HELPDESK, MODEL, PROCESS, World, person, shop, team

from penstock.graph import identity
from penstock.respond.people import People
from penstock.settings import Settings

ORDER = [
    ("person:ada", "the operator's colleague"),
    ("organisation.declaration", "ai-system.yaml:2"),
    ("organisation.backstage", "catalog-info.yaml:8"),
    ("organisation.codeowners", "CODEOWNERS:12"),
    ("cloud.tags", "arn:aws:s3:::b"),
    ("organisation.committers", "git log"),
]


@pytest.mark.parametrize("strongest", range(len(ORDER)))
def test_stronger_source_wins_whatever_the_order_they_came_in(strongest):
    world = World()
    for number, (source, where) in reversed(list(enumerate(ORDER[strongest:], strongest))):
        world.owned(APP, team(f"team-{number}"), source, where)
    found = People(world.graph(), Settings()).owner(APP.id)
    assert found.name == f"team-{strongest}"
    assert ORDER[strongest][1] in found.why


def test_operator_overrules_everybody_and_the_contradiction_shows():
    world = World().owned(APP, team("a"), "organisation.declaration", "ai-system.yaml:2")
    found = People(world.graph(), Settings(owners={"helpdesk": "@shop/b"})).owner(APP.id)
    assert found.asset == team("b").id
    assert [(c.name, "ai-system.yaml:2" in c.why) for c in found.conflicts] == [("a", True)]


def test_sources_that_agree_do_not_contradict():
    world = World().owned(APP, team("a"), "organisation.declaration").owned(APP, team("a"), "organisation.codeowners")
    assert People(world.graph(), Settings()).owner(APP.id).conflicts == ()


def test_guess_from_commits_contradicts_nobody():
    world = World().owned(APP, team("a"), "organisation.codeowners")
    world.owned(APP, person("bo@shop.example"), "organisation.committers", "git log")
    assert People(world.graph(), Settings()).owner(APP.id).conflicts == ()


def test_owners_on_one_line_share():
    world = World()
    for name in ("a", "b"):
        world.owned(APP, team(name), "organisation.codeowners", "CODEOWNERS:1")
    assert People(world.graph(), Settings()).owner(APP.id).conflicts == ()


def test_a_persons_word_ends_when_it_was_said_to_end():
    world = World().owned(APP, team("late"), "person:ada", until=AT - 1)
    world.owned(APP, team("a"), "organisation.codeowners")
    assert People(world.graph(at=AT), Settings()).owner(APP.id).name == "a"


def test_newer_word_of_a_person_counts():
    world = World().owned(APP, team("old"), "person:ada", at=AT - 100).owned(APP, team("new"), "person:bo", at=AT)
    assert People(world.graph(), Settings()).owner(APP.id).name == "new"


def test_agent_without_owner_is_its_applications():
    found = People(shop().graph(), Settings()).owner(AGENT.id)
    assert found.name == "support"
    assert "helpdesk" in found.why


def test_application_without_owner_is_its_repositorys():
    world = World()
    world.thing(APP)
    world.owned(identity.asset("repository", "shop/helpdesk"), team("keepers"), "organisation.backstage")
    assert People(world.graph(), Settings()).owner(APP.id).name == "keepers"


def test_model_is_owned_by_who_makes_it():
    world = shop()
    pipeline = identity.asset("pipeline", "train.py", scope="repo:shop/elsewhere")
    world.link(pipeline, "produces", MODEL, scope="repo:shop/elsewhere")
    world.owned(pipeline, team("makers"), "organisation.declaration", scope="repo:shop/elsewhere")
    assert People(world.graph(), Settings()).owner(MODEL.id).name == "makers"


def test_model_that_many_use_belongs_to_none_of_them():
    world = World()
    hosted = identity.asset("model", "gpt-4o", props={"provider": "openai"})
    for scope in ("repo:a/a", "repo:b/b"):
        world.link(identity.application(scope), "uses_model", hosted, scope=scope)
        world.owned(identity.application(scope), team(scope), "organisation.codeowners", scope=scope)
    found = People(world.graph(), Settings()).owner(hosted.id)
    assert not found
    assert found.why == "nobody is named as its owner"


def test_model_that_one_trains_and_many_use_belongs_to_the_one():
    world = World()
    shared = identity.asset("model", "acme/support", props={"provider": "huggingface"})
    for scope in ("repo:a/a", "repo:b/b"):
        world.link(identity.application(scope), "uses_model", shared, scope=scope)
    world.link(shared, "trained_on", DATA, scope="repo:c/c")
    world.owned(identity.application("repo:c/c"), team("makers"), "organisation.codeowners", scope="repo:c/c")
    assert People(world.graph(), Settings()).owner(shared.id).name == "makers"


def test_named_approver_comes_first():
    world = shop().link(APP, "approved_by", person("cto@shop.example"))
    assert People(world.graph(), Settings()).approver(APP.id) == person("cto@shop.example").id


def test_without_one_the_owner_of_the_data_approves():
    people = People(shop().graph(), Settings())
    assert people.approver(AGENT.id, people.owner(AGENT.id).asset, data=[DATA.id]) == team("customer-data").id
    assert people.approver(DATA.id) == team("customer-data").id


def test_requester_never_approves():
    settings = Settings(security_team="security")
    people = People(shop().graph(), settings)
    owner = people.owner(DATA.id).asset
    for asset in (DATA.id, AGENT.id, APP.id, MODEL.id):
        for requester in (owner, team("support").id, team("security").id, "nobody"):
            assert people.approver(asset, requester, data=[DATA.id]) != requester
    assert people.approver(DATA.id, owner) == people.known_as("security")
    assert People(shop().graph(), Settings()).approver(DATA.id, owner) == ""


def test_owner_who_is_a_person_asks_their_team():
    world = World().owned(APP, person("bo@shop.example"), "organisation.committers")
    world.link(person("bo@shop.example"), "member_of", team("platform"))
    people = People(world.graph(), Settings())
    assert people.approver(APP.id, people.owner(APP.id).asset) == team("platform").id


def test_who_must_know_depends_on_the_data():
    settings = Settings(security_team="security", data_protection_officer="dpo@shop.example", legal="Legal")
    people = People(shop().graph(), settings)
    names = {labels: [people.name(i) for i in people.informed(APP.id, labels)] for labels in
             [(), ("pci",), ("pii",), ("special_category",)]}  # fmt: skip
    assert names == {
        (): ["security"], ("pci",): ["security"], ("pii",): ["security", "dpo@shop.example"],
        ("special_category",): ["security", "dpo@shop.example", "Legal"],
    }  # fmt: skip


def test_affected_are_processes_then_what_customers_face():
    people = People(shop().graph(), Settings())
    assert people.affected(DATA.id) == (PROCESS.id, AGENT.id, ENDPOINT.id, APP.id)
    assert people.affected(PROCESS.id) == ()


def test_affected_ends_in_a_cycle_and_is_bounded():
    world = World()
    agents = [identity.asset("agent", f"a{n}", scope=HELPDESK) for n in range(400)]
    for one, other in zip(agents, [*agents[1:], agents[0]], strict=True):
        world.link(one, "delegates_to", other)
    assert len(People(world.graph(), Settings()).affected(agents[0].id)) == People.NAMED


def test_settings_name_teams_as_anybody_would_write_them():
    people = People(World().owned(APP, team("ml-platform"), "x").graph(), Settings())
    for name in ("ml-platform", "@shop/ml-platform", "group:default/ml-platform", "ML Platform"):
        assert people.known_as(name) == team("ml-platform").id
