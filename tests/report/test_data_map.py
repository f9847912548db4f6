"""The data map: what is on it, how it is grouped and laid out, and the files that are made of it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import jsonschema
import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from penstock.errors import WrongUse
from penstock.graph import identity
from penstock.graph.graph import Graph
from penstock.graph.labels import propagate
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Asset, Evidence, Observation, Relation
from penstock.report.datamap import documents, layout
from penstock.report.datamap.answers import holders, known_label, reasons
from penstock.report.datamap.chart import STAGE_OF, Chart, chart
from penstock.report.datamap.page import html
from penstock.report.datamap.picture import svg
from penstock.report.datamap.tables import chart_table, holders_table, reasons_page
from penstock.report.view import Report
from tests.report.report_world import AT, all_observations, id_of, report_of

REPORT = report_of(all_observations())
EMPTY = Report(Graph(), propagate(Graph()))
SVG = "{http://www.w3.org/2000/svg}"


def drawn(report: Report = REPORT, **how: object) -> Chart:
    return chart(report.graph, report.labelling, **how)  # type: ignore[arg-type]


def named(made: Chart) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for box in made.boxes:
        columns.setdefault(box.stage, []).append(box.name)
    return columns


def test_data_goes_from_sources_over_models_to_who_can_reach_it():
    columns = named(drawn())
    assert columns["source"] == ["data/customers.csv"]
    assert columns["model"] == ["support-7b", "mistralai/Mistral-7B-v0.3"]
    assert "support-agent" in columns["endpoint"] and columns["audience"] == ["Nobody said who", "The internet"]


def test_links_point_the_way_data_flows_and_carry_what_travels():
    links = {(link.source, link.target): link for link in drawn().links}
    taught = links[id_of("data"), id_of("model")]
    assert taught.verbs == ("trained_on",) and taught.holds and taught.labels == ("pii",)
    called = links[id_of("endpoint"), id_of("agent")]
    assert not called.holds and called.labels == ("pii",)
    assert links[id_of("base"), id_of("model")].labels == ()
    assert links[id_of("agent"), "reach:internet"].labels == ("pii",)


def test_one_label_leaves_what_it_reaches_and_an_asset_what_leads_to_it_and_on():
    label = drawn(label="pii")
    assert all(box.labels or box.stage == "audience" for box in label.boxes) and label.labels == {"pii": (4, 2)}
    around = {box.id for box in drawn(asset=id_of("pipeline")).boxes}
    assert {id_of("data"), id_of("pipeline"), id_of("model"), id_of("agent")} <= around
    assert id_of("base") not in around and id_of("tool") not in around


def test_a_box_that_says_nothing_of_its_audience_reaches_nobody_we_know():
    scope = "repo:x"
    table, app = identity.asset("dataset", "d", scope=scope, labels=["pii"]), identity.application(scope)
    place = Evidence("code", "a:1", scope=scope)
    graph = merge([Observation(one, place) for one in (table, app, identity.relation(app, "reads", table))])
    assert named(drawn(Report(graph, propagate(graph))))["audience"] == ["Nobody said who"]


def test_what_has_no_place_or_no_name_is_refused():
    with pytest.raises(WrongUse, match="holds no data"):
        drawn(asset=id_of("prompt"))
    with pytest.raises(WrongUse, match="no label"):
        drawn(label="secret-sauce")


def estate(count: int) -> Report:
    place = Evidence("code", "a:1")
    seen: list[Observation] = []
    for n in range(count):
        scope = f"repo:shop/{n % 40}"
        table = identity.file_dataset(f"data/{n}.csv", scope, labels=("pii",) if n % 4 == 0 else ())
        agent = identity.asset("agent", f"agent {n}", scope=scope)
        things: tuple[Asset | Relation, ...] = (table, agent, identity.relation(agent, "reads", table))
        seen += [Observation(thing, replace(place, scope=scope)) for thing in things]
    graph = merge(seen)
    return Report(graph, propagate(graph), generated_at=AT)


@pytest.mark.parametrize("most", [10, 60, 200, 5000])
def test_groups_count_every_asset_once(most):
    report = estate(400)
    made = drawn(report, most=most)
    listed = [asset for box in made.boxes for asset in box.assets]
    assert len(listed) == len(set(listed)) == made.shown == 800
    assert sum(box.contains.get("pii", 0) for box in made.boxes) == 100
    assert sum(box.sees.get("pii", 0) for box in made.boxes) == 100
    assert len([box for box in made.boxes if box.assets]) <= max(most, len(STAGE_OF))
    assert made.groups == (0 if most == 5000 else made.groups) and (most == 5000 or made.groups > 0)


def test_an_asset_that_is_asked_for_is_never_in_a_group():
    report = estate(400)
    agent = next(asset.id for asset in report.graph.of_kind("agent"))
    (box,) = [box for box in drawn(report, asset=agent, most=10).boxes if agent in box.assets]
    assert box.assets == (agent,)


_kinds = st.sampled_from(["dataset", "vector_store", "model", "agent", "log_store", "pipeline"])
_things = st.builds(lambda kind, n: identity.asset(kind, f"{kind}{n}", scope="repo:x", labels=["pii"] if n < 2 else []),
                    _kinds, st.integers(0, 6))  # fmt: skip
_links = st.builds(
    lambda a, verb, b: identity.relation(a, verb, b),
    _things, st.sampled_from(["derived_from", "reads", "writes", "produces", "uses_model", "logs_to"]), _things,
)  # fmt: skip


@given(st.lists(_things, max_size=20), st.lists(_links, max_size=40))
def test_every_box_has_its_own_place_and_every_link_joins_its_boxes(things, links):
    place = Evidence("code", "a:1", scope="repo:x")
    known = {thing.id: thing for thing in things}
    kept = [link for link in links if {link.source, link.target} <= known.keys()]
    graph = merge(Observation(one, place) for one in (*known.values(), *kept))
    made = drawn(Report(graph, propagate(graph)))
    at = layout.layout(made)
    assert set(at.boxes) == {box.id for box in made.boxes}
    for one, other in combinations(made.boxes, 2):
        (x, y), (other_x, other_y) = at.boxes[one.id], at.boxes[other.id]
        assert x != other_x or y + at.heights[one.id] <= other_y + 0.2 or other_y + at.heights[other.id] <= y + 0.2
    for link, points in zip(made.links, at.links, strict=True):
        for end, (x, y) in ((link.source, points[0]), (link.target, points[-1])):
            left, top = at.boxes[end]
            assert x in (left, left + layout.WIDE) and abs(y - top - at.heights[end] / 2) < 0.2
    assert all(0 <= x <= at.width and 0 <= y <= at.height for points in at.links for x, y in points if made.boxes)


def test_what_holds_a_label_is_listed_the_readiest_to_give_it_away_first():
    found = holders(REPORT, "pii")
    assert [(h.asset.name, h.how, h.leakage, h.hops) for h in found[:2]] == [
        ("train.py", "contains", "verbatim", 1), ("data/customers.csv", "contains", "verbatim", 0),
    ]  # fmt: skip
    assert [h.how for h in found] == sorted(h.how for h in found)
    assert all(holder.origin == id_of("data") for holder in found)
    assert {holder.asset.kind for holder in holders(REPORT, "pii", ["model"])} == {"model"}


def test_a_reason_leads_from_where_the_data_was_seen_with_evidence_at_each_hop():
    (reason,) = reasons(REPORT, id_of("agent"))
    assert [hop.step.asset for hop in reason.hops] == [id_of(name) for name in ("data", "model", "endpoint", "agent")]
    assert [hop.evidence[0].where for hop in reason.hops] == [
        "data/customers.csv", "train.py:21", "deploy.yaml:4", "agent.py:14",
    ]  # fmt: skip
    assert reasons(REPORT, id_of("tool")) == () and reasons(REPORT, id_of("agent"), "phi") == ()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("pii", "pii"), ("Personal data", "pii"), ("health", "phi"), ("trade-secret", "trade_secret"),
     ("secrets", "credentials")],
)  # fmt: skip
def test_a_label_may_be_said_in_words(typed, meant):
    assert known_label(typed) == meant


@pytest.mark.parametrize(
    ("typed", "help"), [("piii", "Did you mean pii"), ("public", "does not travel"), ("x", "There are")]
)
def test_an_unknown_label_is_told_with_what_there_is(typed, help):
    with pytest.raises(WrongUse) as error:
        known_label(typed)
    assert help in (error.value.hint or "")


@pytest.mark.parametrize("report", [REPORT, EMPTY, estate(30)], ids=["small", "empty", "more"])
def test_every_document_keeps_its_schema(report):
    check = jsonschema.Draft202012Validator(documents.schema())
    check.validate(documents.chart_document(report, drawn(report)))
    check.validate(documents.holders_document(report, "pii", holders(report, "pii")))
    for asset in report.graph.assets.values():
        check.validate(documents.reasons_document(report, asset, reasons(report, asset.id)))


def test_tables_say_it_in_words():
    assert "support-7b  model" in chart_table(REPORT, drawn())
    told = holders_table(REPORT, "pii", holders(REPORT, "pii"))
    assert "4 assets contain personal data, 2 more may see it" in told
    asset = REPORT.graph.assets[id_of("agent")]
    told = reasons_page(REPORT, asset, reasons(REPORT, asset.id))
    assert "It may see personal data" in told and "train.py:21" in told
    clean = REPORT.graph.assets[id_of("tool")]
    assert "not known to touch" in reasons_page(REPORT, clean, ())
    assert "No flow of data" in chart_table(EMPTY, drawn(EMPTY))
    assert "Nothing is known" in holders_table(EMPTY, "pii", ())


def test_the_picture_is_a_file_by_itself_that_says_why():
    root = ET.fromstring(svg(REPORT, drawn(), "Data map"))
    assert root.tag == f"{SVG}svg"
    told = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert any("support-7b trained on data/customers.csv · helpdesk/train.py:21, resolved" in title for title in told)
    assert not re.search(r"(?:href|src)=|url\((?!#)|@import", svg(REPORT, drawn(), "Data map"))


def test_a_hostile_name_stays_text_in_picture_and_page():
    evil = "<img src=x onerror=alert(1)>\"'&]]>\x1b[31m</script>"
    scope = "repo:x"
    table, agent = (
        identity.asset("dataset", evil, scope=scope, labels=["pii"]),
        identity.asset("agent", evil, scope=scope),
    )
    place = Evidence("code", evil, scope=scope)
    graph = merge([Observation(one, place) for one in (table, agent, identity.relation(agent, "reads", table))])
    report = Report(graph, propagate(graph))
    ET.fromstring(svg(report, drawn(report), evil.replace("\x1b", "")))
    page = html(report, drawn(report), "Data map")
    assert "<img" not in page and "\x1b" not in page and page.count("<script>") == page.count("</script>") == 1


def test_the_same_facts_make_the_same_bytes():
    again = report_of(list(reversed(all_observations())))
    assert html(REPORT, drawn(), "Data map") == html(again, drawn(again), "Data map")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_traces_by_mouse_and_keyboard_and_asks_nobody(tmp_path: Path, scheme: str, chromium_browser: Browser):
    file = tmp_path / "map.html"
    file.write_text(html(REPORT, drawn(), "Data map"), encoding="utf-8")
    page = chromium_browser.new_context(color_scheme=scheme).new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri())
    page.get_by_role("group", name="Trace one label").get_by_role("button").click()
    assert page.locator(".box.on").count() == 8
    page.keyboard.press("Escape")
    page.locator(".box").first.focus()
    page.keyboard.press("Enter")
    assert "data/customers.csv" in page.locator("#told").inner_text()
    page.get_by_text("The same as a table").click()
    assert page.locator("table").get_by_text("train.py:21").first.is_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert asked == [file.as_uri()] and said == []
