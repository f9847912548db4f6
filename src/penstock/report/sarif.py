"""Findings as SARIF 2.1.0: for code scanning pages, editors and review tools.

A result stands at the places where its subject and the things on its path were seen; the path itself is a code flow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from penstock.assess.assessment import Fix
from penstock.assess.rules import load_rules
from penstock.graph.vocabulary import SEVERITIES, Evidence, Finding, Unseen
from penstock.report.clean import clean, escaped_json
from penstock.report.json_report import moment, words_of
from penstock.report.places import place_of
from penstock.report.view import Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://github.com/penstock-ai/penstock"
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
#: Middle of each band of the scale that code-scanning pages read (over 9 critical, over 7 high, over 4 medium).
SECURITY_SEVERITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.5", "info": "0.0"}
#: Places given for one result: the tools that read SARIF show the first.
PLACES = 20


def render(report: Report) -> str:
    """A valid SARIF 2.1.0 log with one run; the same bytes for the same report."""
    return escaped_json(json.dumps(document(report), indent=2, ensure_ascii=False)) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The log as plain values."""
    findings = (*report.findings, *report.accepted)
    rules = sorted({finding.rule for finding in findings})
    by_rule = {rule: [f for f in findings if f.rule == rule] for rule in rules}
    pages = _pages() if rules else {}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "Penstock",
                "informationUri": HOME,
                **({"version": report.version} if report.version else {}),
                "rules": [_rule(rule, by_rule[rule], pages.get(rule, {})) for rule in rules],
            }
        },
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": [
            *(_result(report, finding, rules.index(finding.rule), accepted=False) for finding in report.findings),
            *(_result(report, finding, rules.index(finding.rule), accepted=True) for finding in report.accepted),
        ],
    }
    if bases := _bases(report):
        run["originalUriBaseIds"] = bases
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rule(rule: str, findings: list[Finding], page: Mapping[str, str]) -> dict[str, Any]:
    """A rule with its page; of a rule that is no longer loaded its findings tell."""
    worst = max(findings, key=lambda f: SEVERITIES.index(f.severity))
    title = page.get("title") or clean(worst.title)
    why, fix = page.get("why") or clean(worst.explanation), page.get("fix") or clean(worst.fix)
    tags = sorted(
        {f"{name}/{value}" for f in findings for tag in f.tags for name, value in tag.items() if name != "why"}
    )
    return {
        "id": rule,
        "name": "".join(word.capitalize() for word in title.split() if word.isalnum()) or rule,
        "shortDescription": {"text": title},
        "fullDescription": {"text": why or title},
        "help": {
            "text": f"{title}\n\n{why}\n\nWhat to do: {fix}",
            "markdown": f"# {title}\n\n{why}\n\n**What to do:** {fix}\n",
        },
        "defaultConfiguration": {"level": LEVELS[worst.severity]},
        "properties": {
            "security-severity": SECURITY_SEVERITY[worst.severity],
            "tags": ["security", "ai", *tags],
        },
    }


def _pages() -> Mapping[str, Mapping[str, str]]:
    """Rule id → its title, why and fix, with the names of what a finding fills in left as words."""
    rules = ((rule.row.id, rule.row) for rule in load_rules())
    return {id: {"title": _plain(row.title), "why": _plain(row.why), "fix": _plain(row.fix)} for id, row in rules}


def _plain(text: str) -> str:
    return re.sub(r"\{([^{}]*)\}", lambda match: match[1].replace("_", " ").replace(".", " "), text).strip()


# ── results ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _result(report: Report, finding: Finding, index: int, *, accepted: bool) -> dict[str, Any]:
    case = report.case_of.get(finding.id)
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "rank": round(min(100.0, max(0.0, finding.score)), 1),
        "message": {"text": _message(report, finding)},
        "locations": _locations(report, finding),
        "partialFingerprints": {"penstockFinding/v1": finding.id},
        "properties": {
            "severity": finding.severity,
            "score": finding.score,
            "subject": finding.subject,
            **({"owner": owner} if (owner := report.owner_of(finding)) else {}),
            **({"case": case.id} if case else {}),
            **({"change": _change(fix)} if (fix := report.fix_of.get(finding.id)) else {}),
        },
    }
    if len(finding.path) > 1:
        result["codeFlows"] = [_code_flow(report, finding)]
    related = [_logical(report, asset, number) for number, asset in enumerate(dict.fromkeys(finding.related), 1)]
    if related:
        result["relatedLocations"] = related
    if accepted:
        result["suppressions"] = [_suppression(report, finding)]
    return result


def _message(report: Report, finding: Finding) -> str:
    """The title, why, the way, and what to do: what a reader sees beside the line of code."""
    parts = [clean(finding.title).rstrip(".") + "."]
    if finding.explanation and finding.explanation != finding.title:
        parts.append(clean(finding.explanation).rstrip(".") + ".")
    if finding.path:
        parts.append(f"Path: {words_of(report, finding.path)}.")
    if finding.fix:
        at = report.fix_place(finding)
        parts.append(f"Fix: {clean(finding.fix)}" + (f" [{at}]" if at else ""))
    fix = report.fix_of.get(finding.id)
    if fix and len(fix.findings) > 1:
        others = len(fix.findings) - 1
        said = f"Closed together with {others} other{'s' if others > 1 else ''}"
        parts.append(f"{said} by one change: {clean(fix.what).rstrip('.')}." if fix.change else f"{said} by it.")
    return " ".join(parts)


def _change(fix: Fix) -> dict[str, Any]:
    """The change that closes most, as a program reads it; ``try`` is what ``penstock whatif`` takes."""
    return {
        "what": clean(fix.what),
        "at": fix.at,
        "closes": len(fix.findings),
        **({"try": fix.change} if fix.change else {}),
    }


def _locations(report: Report, finding: Finding) -> list[dict[str, Any]]:
    """Where the subject was seen, what is to be changed, and the rest of the path; a name where nothing has a place."""
    assets = dict.fromkeys((finding.subject, finding.fix_at, *(step.asset for step in finding.path)))
    found: dict[str, dict[str, Any]] = {}
    for asset in assets:
        for evidence in report.graph.evidence.get(asset, ())[:PLACES]:
            if place := _physical(report, evidence):
                found.setdefault(json.dumps(place, sort_keys=True), _at(report, asset, place))
                break
    return list(found.values())[:PLACES] or [_logical(report, finding.subject)]


def _code_flow(report: Report, finding: Finding) -> dict[str, Any]:
    steps = []
    before = ""
    for number, step in enumerate(finding.path, 1):
        verb = step.verb.replace("_", " ")
        evidence = (*(report.hop_evidence(before, step) if before else ()), *report.graph.evidence.get(step.asset, ()))
        place = next((found for e in evidence if (found := _physical(report, e))), None)
        name = report.name(step.asset)
        said = f"{name}" if not verb else (f"{verb} {name}" if step.forward else f"{name} {verb} {report.name(before)}")
        location = _at(report, step.asset, place) if place else _logical(report, step.asset)
        steps.append(
            {
                "location": {**location, "message": {"text": said}},
                "executionOrder": number,
                "importance": "essential",
            }
        )
        before = step.asset
    return {"message": {"text": words_of(report, finding.path)}, "threadFlows": [{"locations": steps}]}


def _at(report: Report, asset: str, place: dict[str, Any]) -> dict[str, Any]:
    return {"physicalLocation": place, "logicalLocations": [_name(report, asset)]}


def _logical(report: Report, asset: str, id: int | None = None) -> dict[str, Any]:
    return {**({"id": id} if id else {}), "logicalLocations": [_name(report, asset)]}


def _name(report: Report, asset: str) -> dict[str, Any]:
    return {
        "name": report.name(asset),
        "fullyQualifiedName": asset,
        "kind": report.kind(asset).replace("_", " ") or "asset",
    }


def _physical(report: Report, evidence: Evidence) -> dict[str, Any] | None:
    """A file and line; relative to its source, which is named when there is more than one."""
    found = place_of(evidence)
    if found is None:
        return None
    path, line = found
    location: dict[str, Any] = {"uri": quote(path.replace("\\", "/").lstrip("/"), safe="/@!$&'()*+,;=~")}
    if len(report.sources) > 1:
        location["uriBaseId"] = evidence.scope
    return {"artifactLocation": location, **({"region": {"startLine": line}} if line else {})}


def _bases(report: Report) -> dict[str, Any]:
    """The sources that places are relative to; where they lie on disk is for the reader to say."""
    if len(report.sources) <= 1:
        return {}
    scopes = {e.scope for found in report.graph.evidence.values() for e in found if e.scope.startswith("repo:")}
    return {
        scope: {"description": {"text": f"the source {clean(scope.partition(':')[2])}"}} for scope in sorted(scopes)
    }


def _suppression(report: Report, finding: Finding) -> dict[str, Any]:
    case = report.case_of.get(finding.id)
    said = [line for line in case.history if line.what.startswith("accepted: ")] if case else []
    suppression: dict[str, Any] = {"kind": "external", "status": "accepted"}
    if said:
        suppression["justification"] = clean(f"{said[-1].who}: {said[-1].what.removeprefix('accepted: ')}")
    return suppression


# ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _invocation(report: Report) -> dict[str, Any]:
    """What could not be seen is said by the run, so that a broken scan never looks like a clean one."""
    invocation: dict[str, Any] = {
        "executionSuccessful": not report.failures,
        "toolExecutionNotifications": list(_notifications(report, report.failures)),
    }
    if at := moment(report.generated_at):
        invocation["endTimeUtc"] = at
    return invocation


def _notifications(report: Report, unseen: Iterable[Unseen]) -> Iterator[dict[str, Any]]:
    for one in unseen:
        hint = f" ({clean(one.hint)})" if one.hint else ""
        yield {
            "level": "warning",
            "message": {"text": f"{clean(one.what)}: {clean(one.why)}{hint}: {clean(one.where)}"},
            "descriptor": {"id": one.collector or "unseen"},
        }
