"""The API over a real store and a real server."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from penstock.graph.vocabulary import Event
from penstock.serve.api.endpoint import ENDPOINTS
from penstock.serve.openapi import document
from penstock.serve.state import Live
from penstock.serve.typescript import typescript
from tests.serve.conftest import Api


def test_today_counts_what_there_is_and_what_cannot_be_seen(api: Api) -> None:
    today = api.get("/today").json()
    assert today["kinds"]["agent"] == 1
    assert today["blind"] == {"failed": 1, "skipped": 1}
    assert today["changes"]["since"] is None
    assert today["troubles"] == []


def test_the_inventory_leaves_people_and_processes_out(api: Api) -> None:
    kinds = {row["kind"] for row in api.get("/assets").json()["assets"]}
    assert {"agent", "model", "dataset", "vector_store"} <= kinds
    assert not kinds & {"team", "person", "process"}


def test_filters_of_one_facet_widen_and_facets_narrow_each_other(api: Api) -> None:
    wide = api.get("/assets", [("kind", "agent"), ("kind", "model")]).json()
    narrow = api.get("/assets", [("kind", "agent"), ("kind", "model"), ("exposure", "internet")]).json()
    assert wide["total"] == 2
    assert [row["name"] for row in narrow["assets"]] == ["support-agent"]


def test_a_facet_counts_as_if_its_own_filter_were_not_set(api: Api) -> None:
    everything = api.get("/assets").json()["facets"]["kind"]
    filtered = api.get("/assets", {"kind": "agent"}).json()["facets"]["kind"]
    assert everything == filtered


def test_pages_of_a_list_do_not_overlap(api: Api) -> None:
    first = api.get("/assets", {"sort": "name", "limit": 3}).json()
    second = api.get("/assets", {"sort": "name", "limit": 3, "offset": 3}).json()
    assert first["total"] == second["total"]
    assert not {row["id"] for row in first["assets"]} & {row["id"] for row in second["assets"]}


@pytest.mark.parametrize("query", ["limit=0", "limit=9999", "sort=colour", "nosuch=1", "offset=-1", "limit=x"])
def test_a_query_that_is_not_understood_is_refused_with_what_and_where(api: Api, query: str) -> None:
    answer = api.get(f"/assets?{query}")
    assert answer.status == 400
    assert answer.json()["message"] == "The request is not as described"
    assert answer.json()["hint"]


def test_an_asset_answers_the_six_questions_with_evidence(api: Api) -> None:
    page = api.get(f"/assets/{api.asset('support-agent')['id']}").json()
    assert [answer["key"] for answer in page["answers"]] == [
        "impact", "threats", "sensitive_data", "audience", "used_for", "processes",
    ]  # fmt: skip
    answers = {answer["key"]: answer for answer in page["answers"]}
    assert answers["used_for"]["value"] == "Answers customers"
    assert answers["sensitive_data"]["value"] == ["pii"]
    assert any(answer["evidence"] for answer in page["answers"])


def test_questions_come_by_asset_and_say_what_answers_them(api: Api) -> None:
    page = api.get("/questions").json()
    asked = [question for group in page["groups"] for question in group["questions"]]
    assert (page["assets"], page["total"]) == (len(page["groups"]), len(asked))
    assert len({group["asset"]["id"] for group in page["groups"]}) == len(page["groups"])
    correctable = {row["about"] for row in api.get("/correctable").json()["correctable"]}
    assert {question["answers"] for question in asked} - {""} <= correctable
    assert api.get("/questions", {"limit": 1, "offset": 1}).json()["groups"] == page["groups"][1:2]
    today = api.get("/today").json()
    assert today["questions"] == page["groups"][: len(today["questions"])]


def test_risks_are_gathered_by_what_to_change(api: Api) -> None:
    page, each = api.get("/fixes").json(), api.get("/findings").json()
    assert page["risks"] == sum(group["closes"] for group in page["groups"]) == each["total"]
    assert page["severities"] == each["severities"]
    for group in page["groups"]:
        assert group["what"]
        assert group["change"] or {risk["fix_at"]["id"] for risk in group["risks"]} == {group["at"]["id"]}
        assert group["severity"] == group["risks"][0]["severity"]
    narrowed = api.get("/fixes", {"severity": "high"}).json()
    assert {risk["severity"] for group in narrowed["groups"] for risk in group["risks"]} == {"high"}


def test_a_label_comes_with_its_proof_and_the_evidence_of_each_step(api: Api) -> None:
    page = api.get(f"/assets/{api.asset('support-agent')['id']}").json()
    label = next(row for row in page["labels"] if row["label"] == "pii")
    names = [hop["asset"]["name"] for hop in label["proof"]]
    assert (names[0], names[-1]) == ("data/tickets.jsonl", "support-agent")
    assert all(hop["evidence"] for hop in label["proof"])


def test_relations_are_told_from_both_ends(api: Api) -> None:
    page = api.get(f"/assets/{api.asset('tickets-index')['id']}").json()
    told = {(row["verb"], row["outward"], row["asset"]["name"]) for row in page["neighbours"]}
    assert ("indexes", True, "data/tickets.jsonl") in told
    assert ("retrieves_from", False, "support-agent") in told


def test_a_risk_has_a_path_evidence_a_fix_and_its_rule(api: Api) -> None:
    risks = api.get("/findings").json()["findings"]
    assert risks, "a public agent without login that reads personal data is a risk"
    page = api.get(f"/findings/{risks[0]['id']}").json()
    assert page["risk"]["path"]
    assert all(hop["evidence"] for hop in page["risk"]["path"])
    assert page["risk"]["fix"]
    assert page["rule"]["match"]
    assert page["terms"]


def test_coverage_names_what_could_not_be_read_before_what_was_left_out(api: Api) -> None:
    page = api.get("/coverage").json()
    assert [row["where"] for row in page["unseen"]] == ["data/huge.csv", "node_modules"]
    assert page["sources"][0]["last_finished"] is not None


@pytest.mark.parametrize("path", ["/assets/none", "/findings/none", "/cases/none", "/nothing/here"])
def test_what_does_not_exist_is_said_in_words(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.status == 404
    assert answer.json()["message"]
    assert answer.json()["hint"]


def test_a_correction_counts_at_once_and_carries_the_person_and_the_reason(fresh: tuple[str, Live]) -> None:
    client = Api(fresh[0])
    found = client.asset("support-agent")
    said = {"about": "exposure", "value": "private", "why": "It moved behind the VPN", "days": 30}
    answer = client.post(f"/assets/{found['id']}/correct", said)
    assert answer.status == 200, answer.text
    page = client.get(f"/assets/{found['id']}").json()
    exposure = next(row for row in page["properties"] if row["name"] == "exposure")
    assert exposure["value"] == "private"
    assert exposure["claims"][0]["evidence"]["collector"].startswith("person:")
    assert exposure["claims"][0]["evidence"]["chain"] == ["It moved behind the VPN"]
    assert exposure["claims"][0]["evidence"]["until"] > time.time()
    assert fresh[1].store.verify_audit_trail()


def test_an_owner_and_a_process_may_be_said_by_name(fresh: tuple[str, Live]) -> None:
    client = Api(fresh[0])
    index = client.asset("tickets-index")
    for about, value in (("owner", "Search team"), ("process", "Order handling")):
        said = {"about": about, "value": value, "why": "I run it"}
        assert client.post(f"/assets/{index['id']}/correct", said).status == 200
    page = client.get(f"/assets/{index['id']}").json()
    assert page["asset"]["owner"]["name"] == "Search team"
    assert ("supports", "Order handling") in {(n["verb"], n["asset"]["name"]) for n in page["neighbours"]}


@pytest.mark.parametrize(
    ("about", "value"),
    [
        ("exposure", "everywhere"),
        ("exposure", 3),
        ("records", "many"),
        ("sandbox", "yes"),
        ("declassified", {"method": "k"}),
        ("nosuch", "x"),
        ("owner", "  "),
        ("effects", ["fly"]),
    ],
)
def test_a_correction_that_says_nothing_we_know_is_refused(api: Api, about: str, value: Any) -> None:
    found = api.asset("support-agent")
    said = {"about": about, "value": value, "why": "because"}
    answer = api.post(f"/assets/{found['id']}/correct", said)
    assert answer.status == 400
    assert answer.json()["hint"]


def test_a_case_can_be_accepted_with_reason_and_end_and_its_risks_leave_the_list(fresh: tuple[str, Live]) -> None:
    client = Api(fresh[0])
    case = client.get("/cases").json()["cases"][0]
    before = client.get("/findings").json()["total"]
    answer = client.post(f"/cases/{case['id']}", {"action": "accept", "why": "Pilot until spring", "days": 30})
    assert answer.status == 200, answer.text
    page = client.get(f"/cases/{case['id']}").json()
    after = client.get("/findings").json()["total"]
    accepted = client.get("/findings", {"state": "accepted"}).json()["total"]
    assert page["case"]["state"] == "accepted"
    assert page["history"][-1]["what"].endswith("Pilot until spring")
    assert accepted == before - after == case["findings"]


def test_a_case_can_be_snoozed_and_reopened(fresh: tuple[str, Live]) -> None:
    client = Api(fresh[0])
    case = client.get("/cases").json()["cases"][0]["id"]
    assert client.post(f"/cases/{case}", {"action": "snooze", "why": "After the fair"}).status == 200
    assert client.get(f"/cases/{case}").json()["case"]["state"] == "snoozed"
    assert client.post(f"/cases/{case}", {"action": "reopen", "why": "It is over"}).status == 200
    assert client.get(f"/cases/{case}").json()["case"]["state"] == "open"
    assert client.post(f"/cases/{case}", {"action": "snooze", "why": "x" * 9, "days": 200}).status == 400
    assert client.post(f"/cases/{case}", {"action": "accept", "why": ""}).status == 400


def test_an_accepted_case_can_be_reopened_before_its_time(fresh: tuple[str, Live]) -> None:
    client = Api(fresh[0])
    row = next(c for c in client.get("/cases").json()["cases"] if c["findings"])
    open_before = client.get("/findings").json()["total"]
    assert client.post(f"/cases/{row['id']}", {"action": "accept", "why": "Pilot until spring"}).status == 200
    assert client.get("/findings").json()["total"] < open_before
    assert client.post(f"/cases/{row['id']}", {"action": "reopen", "why": "Customers use it"}).status == 200
    page = client.get(f"/cases/{row['id']}").json()
    assert (page["case"]["state"], page["case"]["until"]) == ("open", None)
    assert page["history"][-1]["what"] == "re-opened: Customers use it"
    assert client.get("/findings").json()["total"] == open_before
    assert client.post(f"/cases/{row['id']}", {"action": "reopen", "why": "Once more"}).status == 400


def test_a_word_that_is_only_spaces_decides_nothing(fresh: tuple[str, Live]) -> None:
    client = Api(fresh[0])
    case = client.get("/cases").json()["cases"][0]["id"]
    for action in ("accept", "snooze", "resolve"):
        assert client.post(f"/cases/{case}", {"action": action, "why": "     "}).status == 400


def test_traffic_shows_on_the_asset_it_came_from(fresh: tuple[str, Live]) -> None:
    client = Api(fresh[0])
    found = client.asset("support-agent")
    event = Event(
        "e1",
        time.time(),
        "call",
        found["id"],
        provider="openai",
        model="gpt-4o",
        verdict="redact",
        seen={"out.pii": 2},
    )
    fresh[1].store.add_events([event])
    row = client.get(f"/assets/{found['id']}").json()["traffic"][0]
    listed = client.get("/events").json()["events"]
    assert (row["verdict"], row["seen"]) == ("redact", {"out.pii": 2})
    assert [e["id"] for e in listed] == ["e1"]


def test_changes_count_from_the_visit_before_this_one(fresh: tuple[str, Live]) -> None:
    base, live = fresh
    client = Api(base)
    client.get("/today")
    user = client.get("/health").json()["user"]
    live.store.put(f"visit:{user}", {"since": None, "last": time.time() - 2 * 3600})
    changes = client.get("/today").json()["changes"]
    assert changes["since"] is not None
    assert changes["added"] > 0
    assert client.post("/today/seen", {}).status == 200
    assert client.get("/today").json()["changes"]["added"] == 0


def test_a_loop_that_cannot_work_says_so_on_today(fresh: tuple[str, Live]) -> None:
    base, live = fresh
    live.stop()
    (live.state / "snapshot.json").unlink()
    (live.state / "snapshot.json").mkdir()
    live.store.put("refreshed", "something changed")
    live._attempt("take in what is new", live.turn)
    health = Api(base).get("/health").json()
    shown = Api(base).get("/today").json()["troubles"]
    assert health["status"] == "degraded"
    assert shown[0]["what"] == "take in what is new"
    assert shown[0]["why"]


def test_every_reply_is_as_the_openapi_document_says(api: Api) -> None:
    described = document(ENDPOINTS)
    found, risk, case = api.asset("support-agent"), api.get("/findings").json(), api.get("/cases").json()
    ids = {
        "/api/v1/assets/{id}": found["id"],
        "/api/v1/data/why/{id}": found["id"],
        "/api/v1/findings/{id}": risk["findings"][0]["id"] if risk["findings"] else None,
        "/api/v1/cases/{id}": case["cases"][0]["id"] if case["cases"] else None,
        "/api/v1/approvals/{id}": None,
        "/api/v1/traffic/{id}": None,
    }
    checked = 0
    for path, operations in described["paths"].items():
        if "get" not in operations or ids.get(path, "") is None:
            continue
        answer = api.get(path.removeprefix("/api/v1").replace("{id}", ids.get(path, "")))
        schema = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator({**schema, "components": described["components"]}).validate(answer.json())
        checked += 1
    assert checked >= 10


def test_the_openapi_document_is_the_same_every_time() -> None:
    first, second = (msgspec.json.encode(document(ENDPOINTS)) for _ in range(2))
    assert first == second


def test_the_console_is_compiled_against_this_api() -> None:
    kept = Path(__file__).parents[2] / "console" / "src" / "api" / "shapes.ts"
    assert kept.read_text(encoding="utf-8") == typescript(document(ENDPOINTS)), (
        "run: python -m penstock.serve.typescript > console/src/api/shapes.ts"
    )
