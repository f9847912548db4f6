"""The data map: what the API tells, and how a reader walks it in a real browser."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

import penstock.serve.api.data  # noqa: F401 - registers the endpoints
from penstock.graph import identity
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Evidence, Observation
from penstock.serve.state import Live
from tests.serve.conftest import HOSTILE, Api, serving
from tests.serve.test_console import Watched, tab_to, watched


def test_the_map_has_columns_boxes_and_links_with_reasons(api: Api) -> None:
    drawn = api.get("/data/map").json()
    assert [column["id"] for column in drawn["columns"]][:1] == ["source"]
    boxes = {box["id"]: box for box in drawn["boxes"]}
    tickets = next(box for box in boxes.values() if box["name"] == "data/tickets.jsonl")
    assert {"label": "pii", "contains": 1, "sees": 0} in tickets["labels"]
    out = [link for link in drawn["links"] if link["source"] == tickets["id"]]
    assert out and all("pii" in link["labels"] for link in out)
    reason = out[0]["reasons"][0]
    assert reason["verb"] and reason["evidence"][0]["where"] and "pii" in reason["labels"]
    left, right = out[0]["points"][0], out[0]["points"][-1]
    assert left[0] == tickets["x"] + drawn["box_width"]
    assert right[0] == boxes[out[0]["target"]]["x"] or right[0] == boxes[out[0]["target"]]["x"] + drawn["box_width"]


def test_boxes_do_not_lie_on_each_other(api: Api) -> None:
    drawn = api.get("/data/map").json()
    for one in drawn["boxes"]:
        for other in drawn["boxes"]:
            if one["id"] < other["id"] and one["x"] == other["x"]:
                assert one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]


def test_one_label_leaves_only_what_it_reaches(api: Api) -> None:
    drawn = api.get("/data/map?label=pii").json()
    assert drawn["boxes"] and all(link["labels"] == ["pii"] for link in drawn["links"])
    assert {label["label"] for label in drawn["labels"]} == {"pii"}
    assert len(drawn["boxes"]) < len(api.get("/data/map").json()["boxes"])


def test_around_an_asset_is_what_leads_to_it_and_on(api: Api) -> None:
    agent = api.asset("support-agent")["id"]
    drawn = api.get(f"/data/map?asset={agent}").json()
    assert any(box["count"] == 1 and box["assets"][0]["id"] == agent for box in drawn["boxes"])


def test_what_holds_some_data_is_told_with_leakage_and_hops(api: Api) -> None:
    told = api.get("/data/where?label=pii").json()
    assert told["total"] == len(told["holders"])
    first = told["holders"][0]
    assert first["how"] == "contains" and first["leakage"] == "verbatim"
    assert [row["how"] for row in told["holders"]] == sorted(row["how"] for row in told["holders"])


def test_why_shows_the_proof_with_evidence_for_each_hop(api: Api) -> None:
    why = api.get(f"/data/why/{api.asset('support-agent')['id']}?label=pii").json()
    (reason,) = why["labels"]
    assert reason["proof"][0]["asset"]["name"] == "data/tickets.jsonl"
    assert all(hop["evidence"] for hop in reason["proof"])


@pytest.mark.parametrize(
    ("path", "status"),
    [("/data/map?label=nonsense", 400), ("/data/map?asset=nobody", 404), ("/data/why/nobody", 404),
     ("/data/where?label=", 400), ("/data/map?boxes=3", 400)],
)  # fmt: skip
def test_what_cannot_be_answered_is_said_in_three_parts(api: Api, path: str, status: int) -> None:
    said = api.get(path)
    assert said.status == status and said.json()["message"]


def many(count: int, now: float) -> Scan:
    """More than a page holds: repositories of a table, an index over it and an agent that reads it."""
    made: list[Observation] = []
    scopes = tuple(f"repo:shop/service-{n}" for n in range(count))
    for n, scope in enumerate(scopes):
        told = Evidence("code.data", "app.py:3", "resolved", ("read here",), scope)
        table = identity.file_dataset("data/orders.csv", scope, labels=("pii",) if n % 3 == 0 else ())
        index = identity.asset("vector_store", "orders", scope=scope)
        agent = identity.asset("agent", f"agent {n}", scope=scope)
        links = (identity.relation(index, "indexes", table), identity.relation(agent, "retrieves_from", index))
        made += [Observation(thing, told) for thing in (table, index, agent, *links)]
    return Scan(tuple(made), scopes=scopes, finished=scopes, at=now)


def test_a_large_estate_is_grouped_with_honest_counts(tmp_path: Path) -> None:
    with serving(tmp_path, scan=many(300, time.time())) as (base, _):
        drawn = Api(base).get("/data/map").json()
        assert drawn["shown"] == 900 and drawn["groups"] > 0 and len(drawn["boxes"]) <= 200
        assert sum(box["count"] for box in drawn["boxes"]) == 900
        counted = {label["label"]: label for label in drawn["labels"]}
        assert (counted["pii"]["contains"], counted["pii"]["sees"]) == (200, 100)


@pytest.mark.slow
def test_a_reader_traces_one_label_to_the_place_where_it_was_read(
    chromium_browser: Browser, served: tuple[str, Live]
) -> None:
    for console in watched(chromium_browser, served[0]):
        page = console.page
        console.go("/")
        page.get_by_role("link", name="Data map").click()
        expect(page.get_by_role("heading", name="Data map", level=1)).to_be_visible()
        page.get_by_role("group", name="Trace one label").get_by_role("button", name="personal data").click()
        expect(page).to_have_url(re.compile(r"label=pii"))
        expect(page.get_by_text("Personal data:")).to_be_visible()
        page.locator(".map-box", has_text="support-agent").first.click()
        side = page.get_by_role("complementary", name=re.compile("support-agent"))
        expect(side.get_by_role("heading", name=re.compile("personal data"))).to_be_visible()
        side.get_by_role("button", name=re.compile("^Why")).first.click()
        expect(side.get_by_text("data/tickets.jsonl").first).to_be_visible()
        expect(side.locator("code").first).to_be_visible()
        page.reload()
        expect(side).to_be_visible()
        page.get_by_label("Hide the rest").check()
        expect(page).to_have_url(re.compile(r"only=true"))
        page.get_by_role("button", name="Table").click()
        expect(page.get_by_role("region", name="Table of the data map")).to_contain_text("data/tickets.jsonl")
        console.check()


@pytest.mark.slow
def test_the_map_needs_no_mouse(chromium_browser: Browser, served: tuple[str, Live]) -> None:
    for console in watched(chromium_browser, served[0]):
        page = console.page
        console.go("/data")
        first = page.locator(".map-box", has_text="data/tickets.jsonl")
        tab_to(page, first)
        page.keyboard.press("ArrowRight")
        reached = page.evaluate("document.activeElement.dataset.box")
        drawn = Api(served[0]).get("/data/map").json()
        tickets = next(box["id"] for box in drawn["boxes"] if box["name"] == "data/tickets.jsonl")
        assert reached in {link["target"] for link in drawn["links"] if link["source"] == tickets}
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
        side = page.get_by_role("complementary")
        reason = side.get_by_role("button", expanded=False).last
        tab_to(page, reason)
        page.keyboard.press("Enter")
        expect(side.locator(".map-reasons code").first).to_be_visible()
        console.check()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_map_is_accessible_and_fits_in_both_palettes(
    chromium_browser: Browser, served: tuple[str, Live], scheme: str
) -> None:
    for console in watched(chromium_browser, served[0], color_scheme=scheme, reduced_motion="reduce"):
        for width in (1440, 900, 420):
            console.page.set_viewport_size({"width": width, "height": 900})
            for path in ("/data", "/data?label=pii&fit=true", "/data?view=table"):
                console.go(path)
                _fits_and_is_accessible(console, f"{path} at {width}")
            console.go("/data?label=pii")
            console.page.locator(".map-on.map-box").first.click()
            expect(console.page.get_by_role("complementary")).to_be_visible()
            console.page.wait_for_load_state("networkidle")
            _fits_and_is_accessible(console, f"a chosen box at {width}")
        console.check()


def _fits_and_is_accessible(console: Watched, where: str) -> None:
    wide = console.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{where} is {wide} px too wide"
    found = Axe().run(console.page)
    assert found.violations_count == 0, f"{where}:\n{found.generate_report()}"


@pytest.mark.slow
def test_a_hostile_name_is_only_text_on_the_map(chromium_browser: Browser, tmp_path: Path) -> None:
    scope = "repo:shop/evil"
    told = Evidence("code.data", HOSTILE, "resolved", (HOSTILE,), scope)
    table = identity.asset("dataset", HOSTILE, scope=scope, labels=("pii",))
    agent = identity.asset("agent", HOSTILE, scope=scope)
    scan = Scan(
        tuple(Observation(thing, told) for thing in (table, agent, identity.relation(agent, "reads", table))),
        scopes=(scope,), finished=(scope,), at=time.time(),
    )  # fmt: skip
    with serving(tmp_path, scan=scan) as (base, _):
        for console in watched(chromium_browser, base):
            console.go("/data?label=pii")
            console.page.locator(".map-box").first.click()
            expect(console.page.get_by_role("complementary")).to_contain_text(HOSTILE)
            assert console.page.locator("main img").count() == 0
            console.check()
