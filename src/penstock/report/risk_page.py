"""The risks as one HTML page: what to change first, then each risk with a picture of its path, its reason and its fix.

The page asks nobody for anything, and its policy says so.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from html import escape
from importlib import resources

from penstock.assess.assessment import Fix
from penstock.graph.vocabulary import Finding
from penstock.report.clean import clean
from penstock.report.path_picture import drawn
from penstock.report.view import Report

#: Risks told in full, and changes told; the rest is counted, and listed by ``penstock risks``.
_RISKS, _CHANGES = 40, 12
#: Risks named under a change.
_NAMED = 4


def html(report: Report) -> str:
    """The page of everything that is open."""
    css = "".join(
        resources.files("penstock.report").joinpath(name).read_text("utf-8")
        for name in ("threat_model.css", "risk_page.css")
    )
    day = datetime.datetime.fromtimestamp(report.generated_at, datetime.UTC).date()
    tally = "".join(
        f'<li class="rest {severity}"><b>{number:,}</b>{severity}</li>'
        for severity, number in report.by_severity.items()
        if number
    )
    shown = report.findings[:_RISKS]
    rest = len(report.findings) - len(shown)
    more = f'<p class="quiet">{rest:,} more: penstock risks lists them all.</p>' if rest else ""
    body = "".join(_risk(report, finding, number) for number, finding in enumerate(shown, 1)) or (
        "<section><p>Nothing to act on.</p></section>"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>Risks</title>\n<style>{css}</style>\n</head>\n<body>\n"
        f'<header><p class="kind">{day} · Penstock {escape(report.version)}</p><h1>Risks</h1>'
        f'<ul class="tally">{tally}</ul></header>\n'
        f"<main>{_changes(report, report.assessment.fixes[:_CHANGES])}{body}{more}</main>\n</body>\n</html>\n"
    )


def _changes(report: Report, fixes: Sequence[Fix]) -> str:
    told = [fix for fix in fixes if fix.findings]
    if not told:
        return ""
    by_id = {finding.id: number for number, finding in enumerate(report.findings, 1)}
    rows = "".join(
        f'<tr><td><span class="rest {fix.severity}">{fix.severity}</span></td>'
        f'<th scope="row">{escape(clean(fix.what, 400))}</th><td>{_closed(fix, by_id)}</td></tr>'
        for fix in told
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Worst", "Change", "Closes"))
    return (
        '<section><h2>What to change first</h2><div class="scroll" role="region" tabindex="0" '
        f'aria-label="What to change first"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        "</section>"
    )


def _closed(fix: Fix, by_id: dict[str, int]) -> str:
    known = sorted(by_id[id] for id in fix.findings if id in by_id)
    links = ", ".join(
        f'<a href="#risk-{number}">{number}</a>' if number <= _RISKS else str(number) for number in known[:_NAMED]
    )
    more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    ways = f", {len(fix.closes):,} ways in" if fix.closes else ""
    return f"risk {links}{more}{ways}" if known else f"{len(fix.findings):,} risks{ways}"


def _risk(report: Report, finding: Finding, number: int) -> str:
    place = report.fix_place(finding)
    do = finding.terms.get("do", {})
    when = f" · {escape(str(do.get('value', '')))}: {escape(clean(do.get('because', ''), 200))}" if do else ""
    return (
        f'<article class="{finding.severity}" id="risk-{number}"><header>'
        f'<h2><span class="number">{number}</span>{escape(clean(finding.title))}</h2>'
        f'<p><span class="rest {finding.severity}">{finding.severity}</span> '
        f'<span class="quiet">{finding.score:.0f} of 100 · {escape(clean(finding.rule))} · '
        f"{escape(report.owner_of(finding) or 'nobody owns it')}{when}</span></p></header>"
        f"{drawn(report, finding.path, finding.fix_at)}"
        f"<p>{escape(clean(finding.explanation, 1200))}</p>"
        f'<div class="fix"><strong>Fix</strong>{escape(clean(finding.fix, 800))}'
        f"{f' <code>{escape(clean(place, 300))}</code>' if place else ''}</div>"
        f"{_hops(report, finding)}</article>"
    )


def _hops(report: Report, finding: Finding) -> str:
    """Where each hop was seen."""
    rows, before = [], ""
    for step in finding.path:
        seen = report.hop_evidence(before, step) if before else report.graph.evidence.get(step.asset, ())
        where = report.where(seen[0]) if seen else "no evidence of its own"
        verb = f"{step.verb.replace('_', ' ')} " if step.verb else ""
        rows.append(
            f"<li>{escape(verb)}{escape(report.name(step.asset))} <code>{escape(clean(where, 300))}</code></li>"
        )
        before = step.asset
    if not rows:
        return ""
    return f"<details><summary>Where each hop was seen</summary><ol>{''.join(rows)}</ol></details>"
