"""What to change first, as Markdown for a ticket or a wiki: each change with the risks that it closes."""

from __future__ import annotations

from penstock.graph.vocabulary import Finding
from penstock.report.json_report import words_of
from penstock.report.threat_model import md
from penstock.report.view import Report

#: Changes told; a reader does the first few.
MOST = 50


def markdown(report: Report) -> str:
    """Open risks under the one change that closes most of them: the worst first, then what closes most."""
    known = {finding.id: finding for finding in report.findings}
    told = [
        (fix, found) for fix in report.assessment.fixes if (found := [known[i] for i in fix.findings if i in known])
    ]
    lines = ["# What to change first", "", f"{_count(len(told), 'change')} for {_count(len(known), 'open risk')}.", ""]
    for number, (fix, found) in enumerate(told[:MOST], 1):
        ways = f", {_count(len(fix.closes), 'way')} in" if fix.closes else ""
        lines += [
            f"## {number}. {md(fix.what)}", "",
            f"**{fix.severity}** · at {md(report.name(fix.at))} · closes {_count(len(found), 'risk')}{ways} · "
            f"owner {md(report.owner(fix.at) or 'unknown')}", "",
            *([f"Try it: `penstock whatif '{fix.change.replace('`', '')}'`", ""] if fix.change else []),
            *(_risk(report, finding) for finding in found), "",
        ]  # fmt: skip
    if len(told) > MOST:
        lines.append(f"… and {_count(len(told) - MOST, 'change')} more: `penstock risks --by fix`")
    return "\n".join(lines).rstrip() + "\n"


def _risk(report: Report, finding: Finding) -> str:
    way = f" Path: {md(words_of(report, finding.path))}." if len(finding.path) > 1 else ""
    return f"- {finding.severity}: {md(finding.title)} (`{finding.id[:8]}`). {md(finding.explanation)}.{way}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
