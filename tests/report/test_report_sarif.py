"""The SARIF log is valid against the official schema and points at lines of code."""

import json
from pathlib import Path

import jsonschema
import pytest

from penstock.report import render

SCHEMA = Path(__file__).parent / "schemas" / "sarif-schema-2.1.0.json"


@pytest.fixture(scope="module")
def run(report):
    return json.loads(render("sarif", report))["runs"][0]


def test_log_is_valid_sarif_2_1_0(report):
    validator = jsonschema.Draft4Validator(json.loads(SCHEMA.read_text()), format_checker=jsonschema.FormatChecker())
    assert [e.message for e in validator.iter_errors(json.loads(render("sarif", report)))] == []


def test_result_stands_where_its_subject_was_seen(run):
    first = run["results"][0]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "agent.py", "uriBaseId": "repo:shop/helpdesk"}
    assert place["region"] == {"startLine": 12}
    assert first["level"] == "error"


def test_path_is_a_code_flow_hop_by_hop(run):
    steps = run["results"][0]["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [s["location"]["message"]["text"] for s in steps][-1] == "trained on data/customers.csv"
    places = [s["location"]["physicalLocation"]["artifactLocation"]["uri"] for s in steps]
    assert places == ["agent.py", "agent.py", "deploy.yaml", "train.py"]


def test_rule_carries_its_page_and_severity(run):
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert float(rules["x-leak"]["properties"]["security-severity"]) > 9
    assert "owasp-llm-2026/LLM02" in rules["x-leak"]["properties"]["tags"]
    assert "redact" in rules["x-leak"]["help"]["markdown"]


def test_accepted_finding_is_suppressed_with_its_reason(run):
    by_id = {r["partialFingerprints"]["penstockFinding/v1"]: r for r in run["results"]}
    assert by_id["f-0003"]["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "ada: a test model"}
    ]
    assert "suppressions" not in by_id["f-0001"]


def test_what_was_not_seen_fails_the_run_and_says_why(run):
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert len(invocation["toolExecutionNotifications"]) == 2
