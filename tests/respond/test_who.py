"""One answer about the people around an asset, and which names mean the same."""

from __future__ import annotations

from dataclasses import replace

from respond_world import APP, DATA, HELPDESK, PROCESS, World, person, shop, team

from penstock.discover.organisation.parties import service
from penstock.graph import identity
from penstock.graph.labels import propagate
from penstock.respond.people import People
from penstock.respond.who import as_json, who
from penstock.settings import Settings

DIRECTORY = "organisation:scim.json"
SETTINGS = Settings(security_team="security", data_protection_officer="dpo@shop.example")


def left(someone):
    return replace(someone, props={**someone.props, "left": True})


def asked(world, asset=APP, requester=""):
    graph = world.graph()
    people = People(graph, SETTINGS)
    return as_json(people, who(people, propagate(graph), asset.id, requester))


def test_everything_that_is_known_is_one_answer():
    told = asked(shop())
    assert told["owner"]["name"] == "support"
    assert [one["owner"]["name"] for one in told["data_owners"]] == ["customer-data"]
    assert [one["name"] for one in told["informed"]] == ["security", "dpo@shop.example"]
    assert [one["name"] for one in told["processes"]] == [PROCESS.name]
    assert told["tier"] == 2


def test_unknown_is_said():
    world = World()
    world.thing(APP)
    told = asked(world)
    assert told["owner"] is None
    assert told["tier"] is None
    assert told["owner_why"] == "nobody is named as its owner"


def test_who_left_answers_for_nothing_and_is_shown():
    world = World().owned(APP, left(person("bo@shop.example")), "organisation.backstage")
    assert asked(world)["owner"] is None
    world.owned(APP, team("a"), "organisation.codeowners")
    told = asked(world)
    assert told["owner"]["name"] == "a"
    assert [one["name"] for one in told["left"]] == ["bo@shop.example"]


def test_team_of_which_everybody_left_is_gone():
    world = World().owned(APP, team("a"), "organisation.backstage")
    world.link(left(person("bo@shop.example")), "member_of", team("a"), scope=DIRECTORY)
    assert asked(world)["owner"] is None


def test_renamed_team_answers_under_its_new_name():
    world = World().owned(APP, team("old"), "organisation.codeowners")
    world.link(team("old"), "same_as", team("new"), scope=DIRECTORY)
    assert asked(world)["owner"]["name"] == "new"


def test_catalogue_comes_before_code_owners_of_a_part():
    agent = identity.asset("agent", "helper", scope=HELPDESK, key="a.py::a")
    world = World().owned(APP, team("catalogued"), "organisation.backstage")
    world.owned(agent, team("coders"), "organisation.codeowners", "CODEOWNERS:1")
    told = asked(world, agent)
    assert told["owner"]["name"] == "catalogued"
    assert [one["name"] for one in told["conflicts"]] == ["coders"]


def test_own_word_of_a_source_comes_before_what_another_says_of_it():
    world = World().owned(APP, team("foreign"), "organisation.backstage", scope="repo:shop/catalogue")
    world.owned(APP, team("own"), "organisation.opslevel")
    assert asked(world)["owner"]["name"] == "own"


def test_requester_is_nobody_else_under_another_login():
    world = World().link(APP, "approved_by", person("bo@shop.example"))
    world.link(person("bwho"), "same_as", person("bo@shop.example"), scope=DIRECTORY)
    assert asked(world, requester="bwho")["approver"]["name"] == "security"


def test_team_that_is_the_requester_alone_does_not_approve():
    world = World().owned(APP, team("a"), "organisation.backstage")
    world.link(person("bo@shop.example"), "member_of", team("inner"), scope=DIRECTORY)
    world.link(team("inner"), "member_of", team("a"), scope=DIRECTORY)
    assert asked(world, requester="bo@shop.example")["approver"]["name"] == "security"


def test_scanned_tree_makes_nobody_an_approver_under_another_name():
    world = World().link(APP, "approved_by", person("bo@shop.example"))
    world.link(person("bo@shop.example"), "same_as", person("mallory"))
    people = People(world.graph(), SETTINGS)
    assert people.approver(APP.id) == person("bo@shop.example").id
    assert not people.speaks_for("mallory", person("bo@shop.example").id)


def test_scanned_tree_adds_nobody_to_a_team_that_a_directory_knows():
    world = World().link(person("ada"), "member_of", team("security"), scope=DIRECTORY)
    world.link(person("mallory"), "member_of", team("security"))
    people = People(world.graph(), SETTINGS)
    assert people.speaks_for("ada", team("security").id)
    assert not people.speaks_for("mallory", team("security").id)


def test_spoken_name_of_two_people_means_neither():
    world = World()
    world.owned(APP, person("Ada Ito"), "organisation.servicenow", scope=DIRECTORY)
    for mail in ("ada@shop.example", "ada.b@shop.example"):
        world.link(person("Ada Ito"), "same_as", person(mail), scope=DIRECTORY)
    world.observations = [
        replace(one, evidence=replace(one.evidence, confidence="inferred"))
        if getattr(one.subject, "verb", "") == "same_as"
        else one
        for one in world.observations
    ]
    assert asked(world)["owner"]["name"] == "Ada Ito"


def test_what_a_register_knows_by_name_is_the_thing_found_under_it():
    world = World().owned(service("helpdesk"), team("a"), "organisation.servicenow", scope="organisation:csdm.json")
    world.thing(APP)
    world.link(service("shop-front"), "connects_to", service("helpdesk"), scope="organisation:csdm.json")
    told = asked(world)
    assert told["owner"]["name"] == "a"
    assert "shop-front" in [one["name"] for one in told["affected"]]


def test_name_that_two_things_bear_means_neither():
    world = World().owned(service("helpdesk"), team("a"), "organisation.servicenow", scope="organisation:csdm.json")
    world.thing(APP)
    world.thing(identity.application("repo:fork/helpdesk"), scope="repo:fork/helpdesk")
    assert asked(world)["owner"] is None


def test_data_owner_is_told_for_data_itself():
    assert asked(shop(), DATA)["owner"]["name"] == "customer-data"
