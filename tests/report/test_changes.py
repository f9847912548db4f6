"""One change that closes several risks is said as such: in Markdown, and beside each result of a SARIF log."""

import json
from dataclasses import replace

from penstock.assess.assessment import Fix
from penstock.report import render
from penstock.report.changes import markdown


def closing(report, *findings):
    """The report with one change of the graph that closes some findings."""
    fix = Fix("a", "Take [the desk](http://evil) off the internet", "high", "set a exposure=private", None, findings)
    return replace(report, assessment=replace(report.assessment, fixes=(fix,)))


def test_markdown_tells_the_change_then_what_it_closes(report):
    ids = [finding.id for finding in report.findings]
    said = markdown(closing(report, *ids))
    assert said.index("Try it: `penstock whatif 'set a exposure=private'`") < said.index(ids[0][:8])
    assert all(id[:8] in said for id in ids)
    assert r"\[the desk\](http://evil)" in said  # no link opens


def test_sarif_names_the_change_that_closes_a_result_along_with_others(report):
    ids = [finding.id for finding in report.findings][:2]
    results = json.loads(render("sarif", closing(report, *ids)))["runs"][0]["results"]
    by_id = {result["partialFingerprints"]["penstockFinding/v1"]: result for result in results}
    first = by_id[ids[0]]
    assert first["properties"]["change"]["try"] == "set a exposure=private"
    assert first["properties"]["change"]["closes"] == len(ids)
    assert ("Closed together with" in first["message"]["text"]) == (len(ids) > 1)
    assert all("change" not in by_id[finding.id]["properties"] for finding in report.accepted)
