"""Threat models and the compliance view as pages: whole, harmless, the same each time, readable by everyone."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from report_world import ASSETS, AT, all_observations, report_of

from penstock.assess.compliance import FRAMEWORKS, Compliance
from penstock.assess.threats import ThreatModel, Threats
from penstock.graph.graph import Graph
from penstock.graph.labels import propagate
from penstock.graph.vocabulary import Asset
from penstock.report import compliance as view
from penstock.report import threat_model
from penstock.report.screen import Screen
from penstock.report.threat_model_page import html
from penstock.report.view import Report
from penstock.settings import Organisation

REPORT = report_of(all_observations())
EVIL = 'agent"><img src=x onerror=alert(1)>|`[x](javascript:y)\x1b[31m\n# head'


def threats(report: Report) -> Threats:
    return Threats(report.graph, report.labelling, Organisation(), report.findings)


def model(report: Report = REPORT, asset: str = "agent") -> ThreatModel:
    return threats(report).of(ASSETS[asset].id)


def judged(report: Report = REPORT) -> tuple[Compliance, dict]:
    compliance = Compliance(threats(report), report.findings)
    return compliance, {edition: compliance.of(edition) for edition in FRAMEWORKS}


def renamed() -> Report:
    """The same company with an agent that is called an attack."""
    graph = REPORT.graph
    assets = {id: replace(a, name=EVIL) if id == ASSETS["agent"].id else a for id, a in graph.assets.items()}
    return replace(REPORT, graph=replace(graph, assets=assets))


def test_the_page_holds_the_picture_every_threat_and_its_controls() -> None:
    page = html(REPORT, model())
    assert page.count("<article") == len(model().threats) > 3
    assert ("<svg" in page and "default-src &#x27;none&#x27;" in page) or "default-src 'none'" in page
    assert all(faced.threat.title in page for faced in model().threats)
    assert "<script" not in page


def test_markdown_and_json_tell_the_same_threats() -> None:
    told = threat_model.markdown(REPORT, model())
    document = threat_model.document(REPORT, [model()])
    titles = [threat["title"] for threat in document["systems"][0]["threats"]]
    assert titles == [faced.threat.title for faced in model().threats]
    assert all(f"## {n}. {title}" in told for n, title in enumerate(titles, 1))


def tags_of(page: str) -> set[str]:
    opened: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: opened.add(tag)  # type: ignore[method-assign]
    parser.feed(page)
    return opened


def test_names_of_a_scanned_tree_stay_text_everywhere() -> None:
    report = renamed()
    page, told = html(report, model(report)), threat_model.markdown(report, model(report))
    compliance, by_edition = judged(report)
    proposed = [compliance.proposals(id) for id in compliance.systems]
    for text in (page, view.html(report, by_edition, proposed)):
        assert not tags_of(text) & {"img", "script"} and "\x1b" not in text
    assert not re.search(r"(?<!\\)<img|(?<!\\)\]\(javascript|^# head", told, re.MULTILINE)
    plain = Screen(width=100)
    for text in (
        threat_model.table(report, model(report), screen=plain),
        view.table(report, "owasp-llm-2026", by_edition["owasp-llm-2026"], (), screen=plain),
    ):
        assert "\x1b" not in text


def test_every_view_survives_a_report_of_nothing() -> None:
    empty = Report(Graph(), propagate(Graph()), generated_at=AT)
    compliance, by_edition = judged(empty)
    assert compliance.systems == []
    assert "No system" in threat_model.overview_table(empty, [], screen=Screen())
    assert "EU AI Act" in view.overview_table(empty, by_edition, screen=Screen())
    assert view.html(empty, by_edition, [])
    alone = replace(empty, graph=replace(empty.graph, assets={"a": Asset("a", "workspace", "lab")}))
    assert html(alone, threats(alone).of("a"))


def test_the_same_facts_make_the_same_bytes() -> None:
    again = report_of(list(reversed(all_observations())))
    assert html(REPORT, model()) == html(again, model(again))
    assert threat_model.markdown(REPORT, model()) == threat_model.markdown(again, model(again))


def test_no_view_claims_certainty() -> None:
    compliance, by_edition = judged()
    proposed = [compliance.proposals(id) for id in compliance.systems]
    assert escape(view.NOT_LAW) in view.html(REPORT, by_edition, proposed)
    assert view.document(REPORT, by_edition, proposed)["note"] == view.NOT_LAW


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1300])
def test_the_pages_are_readable_by_everyone_and_ask_nobody(
    tmp_path: Path, scheme: str, width: int, chromium_browser: Browser
) -> None:
    compliance, by_edition = judged()
    proposed = [compliance.proposals(id) for id in compliance.systems]
    pages = {"threats": html(REPORT, model()), "comply": view.html(REPORT, by_edition, proposed)}
    for name, text in pages.items():
        file = tmp_path / f"{name}.html"
        file.write_text(text, encoding="utf-8")
        page = chromium_browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}).new_page()
        asked, said = [], []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("console", lambda message, said=said: said.append(message.text))
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert asked == [file.as_uri()] and said == []
