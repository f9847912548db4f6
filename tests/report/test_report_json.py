"""The JSON report keeps its own schema, and is the same bytes for the same input."""

import json
import random

import jsonschema
import report_world as world

from penstock.report import render
from penstock.report.json_report import schema


def test_report_keeps_the_schema_that_ships_with_it(report):
    validator = jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())
    validator.check_schema(schema())
    assert [error.message for error in validator.iter_errors(json.loads(render("json", report)))] == []


def test_same_input_in_any_order_makes_the_same_bytes(observations):
    shuffled = list(observations)
    random.Random(7).shuffle(shuffled)
    for format in ("json", "cyclonedx", "sarif", "table"):
        assert render(format, world.report_of(shuffled)) == render(format, world.report_of(observations))


def test_findings_are_worst_first_and_accepted_ones_marked(report):
    found = json.loads(render("json", report))["findings"]
    assert [(f["id"], f["accepted"]) for f in found] == [("f-0001", False), ("f-0002", False), ("f-0003", True)]
    assert found[0]["owner"] == "ml-platform"
    assert found[0]["words"].startswith("support-agent -invokes-> http://llm.shop.example:8000 -serves-> support-7b")


def test_labels_are_told_apart_by_how_they_got_there(report):
    by_id = {a["id"]: a for a in json.loads(render("json", report))["assets"]}
    assert by_id[world.id_of("data")]["labels"]["own"] == ["pii"]
    assert by_id[world.id_of("model")]["labels"] == {"own": [], "contains": ["pii"], "sees": []}
    assert by_id[world.id_of("agent")]["labels"]["sees"] == ["pii"]


def test_what_was_not_seen_is_told_apart_from_what_was_skipped(report):
    document = json.loads(render("json", report))
    assert document["summary"]["unseen"] == 2
    assert [u["where"] for u in document["coverage"]["skipped"]] == ["node_modules"]
