"""Empty and odd input still makes valid reports."""

import json
from pathlib import Path

import jsonschema
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from penstock.assess.assessment import Assessment
from penstock.graph import identity
from penstock.graph.labels import propagate
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Evidence, Finding, Observation, Step
from penstock.report import render
from penstock.report.json_report import schema
from penstock.report.places import place_of
from penstock.report.view import Report

SARIF = json.loads((Path(__file__).parent / "schemas" / "sarif-schema-2.1.0.json").read_text())


def valid(report):
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(render("cyclonedx", report)) is None
    jsonschema.Draft4Validator(SARIF).validate(json.loads(render("sarif", report)))
    jsonschema.Draft202012Validator(schema()).validate(json.loads(render("json", report)))


def world(*observations, findings=()):
    graph = merge(observations)
    return Report(graph, propagate(graph), Assessment(findings))


def test_empty_report_is_valid_in_every_format():
    valid(world())


ODD = [
    identity.asset("model", " ", scope="repo:x", props={"provider": "huggingface"}),
    identity.asset("model", "a/b", props={"provider": "huggingface", "version": "1"}),
    identity.asset("mcp_server", "x", scope="repo:x", props={"url": "http://[::1 not a url/ ?q={}"}),
    identity.asset("endpoint", "http://h/\u202e\x00", scope="repo:x", props={"url": "::::", "auth": "none"}),
    identity.asset("tool", "\ud800 \x1b[31m \x00 " + "z" * 10_000, scope="repo:x", props={"effects": ["exec"]}),
    identity.asset("hardware", "H200", scope="repo:x"),
    identity.asset("image", "ghcr.io/x:latest"),
    identity.asset("dataset", "s3://b/k", labels={"public", "phi"}),
]


@pytest.mark.parametrize("asset", ODD, ids=lambda a: a.kind)
def test_odd_assets_are_valid_in_every_format(asset):
    odd = ["a b/ü#%.py:3", "C:\\x\\y.py:7:2", "arn:aws:s3:::b", "", "/abs/x.py:0", "x:99999999999999999999"]
    seen = [Observation(asset, Evidence("c", where, "resolved", (), "repo:x")) for where in odd]
    finding = Finding("f", "no such rule", asset.id, asset.name, "low", "", "", (Step(asset.id), Step("gone", "reads")))
    valid(world(*seen, findings=(finding,)))


def test_finding_on_an_asset_that_is_gone_is_valid():
    valid(world(findings=(Finding("f", "r", "gone", "t", "info", "e", "x", fix_at="also gone"),)))


def test_model_trained_on_itself_is_valid():
    model = identity.asset("model", "m", scope="repo:x")
    loop = [identity.relation(model, verb, model) for verb in ("trained_on", "fine_tuned_from", "uses_model")]
    valid(world(*(Observation(x, Evidence("c", "a.py:1", scope="repo:x")) for x in (model, *loop))))


def test_places_are_read_from_evidence():
    def place(where, scope="repo:x"):
        return place_of(Evidence("c", where, scope=scope))

    assert place("src/a.py:12") == ("src/a.py", 12)
    assert place("src/a.py:12:4") == ("src/a.py", 12)
    assert place("src/a.py:12-14") == ("src/a.py", 12)
    assert place("src/a.py") == ("src/a.py", None)
    assert place("arn:aws:s3:::b", scope="cloud") is None
    assert place("") is None
