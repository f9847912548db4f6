"""Cases leave as OCSF 1.8.0, held against the official schema (tests/fixtures/ocsf names its source)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from respond_world import AT, LEAK, event, shop

from penstock.respond.cases import update
from penstock.respond.ocsf import incident
from penstock.respond.people import People
from penstock.settings import Settings

SCHEMA = json.loads((Path(__file__).parents[1] / "fixtures" / "ocsf" / "incident_finding-1.8.0.json").read_text())
TYPES = {"integer_t": int, "long_t": int, "timestamp_t": int, "boolean_t": bool, "float_t": float}


def complaints(value, rules, at="event"):
    """What the schema has against a value: attributes it does not know, misses, or of another type or range."""
    found = [f"{at}.{name} is not in the schema" for name in value if name not in rules]
    found += [
        f"{at}.{n} is missing" for n, rule in rules.items() if rule["requirement"] == "required" and n not in value
    ]
    for name, given in value.items():
        rule = rules.get(name, {"type": "string_t"})
        if rule.get("array") and not isinstance(given, list):
            found.append(f"{at}.{name} is no list")
        for one in given if isinstance(given, list) else [given]:
            if rule["type"] in SCHEMA["objects"]:
                found += complaints(one, SCHEMA["objects"][rule["type"]], f"{at}.{name}")
            elif not isinstance(one, TYPES.get(rule["type"], str)):
                found.append(f"{at}.{name} is no {rule['type']}: {one!r}")
            elif "enum" in rule and one not in rule["enum"]:
                found.append(f"{at}.{name} may not be {one}")
    return found


def case_of(findings=(LEAK,), events=()):
    graph = shop().graph()
    people = People(graph, Settings(security_team="security"))
    (case,) = update((), findings, events, people, graph, now=AT)
    return case, people


@pytest.mark.parametrize("state", ["open", "snoozed", "accepted", "resolved"])
@pytest.mark.parametrize("severity", ["info", "low", "medium", "high", "critical"])
def test_every_state_and_severity_is_as_the_official_schema_says(state, severity):
    case, people = case_of()
    made = incident(replace(case, state=state, severity=severity, changed_at=AT + 5), {LEAK.id: LEAK}, people,
                    address="https://penstock.example")  # fmt: skip
    assert complaints(made, SCHEMA["class"]["incident_finding"]) == []
    assert made["class_uid"] == 2005 and made["type_uid"] == 200500 + made["activity_id"]


def test_a_case_of_events_alone_is_one_too_and_the_check_is_no_formality():
    case, people = case_of((), [event(1, finding_ids=())])
    made = incident(case, {}, people)
    assert complaints(made, SCHEMA["class"]["incident_finding"]) == []
    broken = made | {"status_id": 77, "prompt": "text"}
    del broken["finding_info_list"]
    assert len(complaints(broken, SCHEMA["class"]["incident_finding"])) == 3
