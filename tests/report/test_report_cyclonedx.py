"""The bill of materials is valid against the official schema and says what only we can say in properties."""

import json

import report_world as world
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from penstock.report import render


def test_document_is_valid_cyclonedx_1_7(report):
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(render("cyclonedx", report)) is None


def test_every_kind_finds_its_place_in_the_standard(report):
    document = json.loads(render("cyclonedx", report))
    types = {c["bom-ref"]: c["type"] for c in document["components"]}
    assert types[world.id_of("model")] == "machine-learning-model"
    assert types[world.id_of("data")] == "data"
    assert types[world.id_of("agent")] == types[world.id_of("tool")] == "application"
    assert types[world.id_of("store")] == "platform"
    assert {s["bom-ref"] for s in document["services"]} == {world.id_of("endpoint"), world.id_of("remote")}


def test_unrelated_context_and_people_are_no_components(report):
    refs = {c["bom-ref"] for c in json.loads(render("cyclonedx", report))["components"]}
    assert world.id_of("bucket") not in refs
    assert world.id_of("team") not in refs


def test_agent_carries_its_kind_relations_and_place(report):
    agent = component(report, "agent")
    properties = [(p["name"], p["value"]) for p in agent["properties"]]
    assert ("penstock:kind", "agent") in properties
    assert ("penstock:rel:uses_tool", world.id_of("tool")) in properties
    assert ("penstock:sees", "pii") in properties
    assert [(o["location"], o["line"]) for o in agent["evidence"]["occurrences"]] == [("agent.py", 12)]


def test_model_card_names_its_data_and_pedigree_its_base(report):
    model = component(report, "model")
    assert model["modelCard"]["modelParameters"]["datasets"] == [{"ref": world.id_of("data")}]
    assert [a["name"] for a in model["pedigree"]["ancestors"]] == ["mistralai/Mistral-7B-v0.3"]
    assert "ml-platform" in {p["value"] for p in model["properties"] if p["name"] == "penstock:owner"}


def test_data_says_how_sensitive_it_is(report):
    assert component(report, "data")["data"][0]["sensitiveData"] == ["pii"]


def test_pipeline_is_a_workflow_from_data_to_model(report):
    (workflow,) = json.loads(render("cyclonedx", report))["formulation"][0]["workflows"]
    assert workflow["inputs"] == [{"resource": {"ref": world.id_of("data")}}]
    assert workflow["outputs"] == [{"type": "artifact", "resource": {"ref": world.id_of("model")}}]


def component(report, name):
    components = json.loads(render("cyclonedx", report))["components"]
    return next(c for c in components if c["bom-ref"] == world.id_of(name))
