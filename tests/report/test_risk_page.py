"""Risks as a page: a picture of each path, a fix, nothing that a hostile name can break; and under their fixes."""

from __future__ import annotations

from dataclasses import replace

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from report_world import all_observations, report_of

from penstock.assess.assessment import Fix
from penstock.report import lists, pages
from penstock.report.path_picture import drawn
from penstock.report.risk_page import html

REPORT = report_of(all_observations())
EVIL = '"><img src=x onerror=alert(1)>\x1b[31m'


def test_every_risk_with_a_path_has_a_picture_and_a_fix() -> None:
    page = html(REPORT)
    told = [finding for finding in REPORT.findings if len(finding.path) > 1]
    assert told
    assert page.count('<svg class="path"') == len(told)
    assert page.count('<div class="fix">') == len(REPORT.findings)
    assert html(REPORT) == page


def test_a_hostile_name_stays_a_name() -> None:
    assets = {id: replace(asset, name=f"{asset.name}{EVIL}") for id, asset in REPORT.graph.assets.items()}
    page = html(replace(REPORT, graph=replace(REPORT.graph, assets=assets)))
    assert "<img" not in page
    assert "\x1b" not in page


def test_the_page_is_readable_by_everyone(chromium_browser: Browser) -> None:
    page = chromium_browser.new_page()
    page.set_content(html(REPORT))
    assert Axe().run(page).response["violations"] == []
    assert page.locator("svg.path").first.bounding_box()["width"] > 300
    page.close()


def test_a_path_of_one_asset_needs_no_picture() -> None:
    finding = REPORT.findings[0]
    assert drawn(REPORT, finding.path[:1]) == ""
    assert drawn(REPORT, finding.path * 4).count("<rect") == len(finding.path) * 4


def test_findings_stand_under_the_change_that_closes_them() -> None:
    first, second = REPORT.findings[:2]
    fix = Fix(first.subject, "Close the door", "high", "guard x", None, (first.id, second.id), (("a", "b"),))
    report = replace(REPORT, assessment=replace(REPORT.assessment, fixes=(fix,)))
    shown = " ".join(lists.by_fix(report).split())
    for said in ("Close the door", "2 risks, 1 ways in", first.title[:25], "penstock whatif 'guard x'"):
        assert said in shown
    assert "Close the door" in html(report)


def test_the_six_questions_are_answered_for_all_together() -> None:
    page = pages.group(REPORT, "all")
    for _, question in pages.QUESTIONS:
        assert question in page
