"""The report as JSON: everything, in a stable order, under a versioned schema that ships beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from penstock.assess.assessment import Fix
from penstock.graph.vocabulary import ADDING_SCOPES, Asset, Evidence, Finding, Relation, Step, Unseen
from penstock.report.clean import escaped_json
from penstock.report.view import Report, by_weight

#: Raised when a reader of the last version could be misled; a field that is only added does not raise it.
SCHEMA = "penstock.report/1"


def render(report: Report) -> str:
    """The same bytes for the same report, whatever the order its parts came in."""
    return escaped_json(json.dumps(document(report), indent=2, ensure_ascii=False)) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema that every report keeps."""
    text = resources.files("penstock.report").joinpath("schemas/penstock-report-1.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def document(report: Report) -> dict[str, Any]:
    """The report as plain values."""
    graph = report.graph
    assets = sorted(graph.assets.values(), key=lambda a: a.id)
    return {
        "schema": SCHEMA,
        "generator": {"name": "penstock", "version": report.version},
        "generated_at": moment(report.generated_at),
        "sources": sorted(report.sources),
        "summary": _summary(report),
        "gate": _gate(report),
        "assets": [_asset(report, asset) for asset in assets],
        "relations": [_relation(report, r) for r in sorted(graph.relations, key=lambda r: r.key)],
        "findings": [
            *(_finding(report, finding, accepted=False) for finding in report.findings),
            *(_finding(report, finding, accepted=True) for finding in report.accepted),
        ],
        "fixes": [_fix(fix) for fix in report.assessment.fixes],  # in the order in which to change
        "questions": [plain(q) for q in report.assessment.questions],  # in the order in which to ask
        "attack_paths": [
            {**plain(path), "hops": _steps(report, path.hops), "words": words_of(report, path.hops)}
            for path in report.assessment.paths
        ],
        "answers": {asset: plain(answers) for asset, answers in sorted(report.assessment.answers.items())},
        "cases": [plain(case) for case in sorted(report.cases, key=lambda c: c.id)],
        "changes": _changes(report),
        "coverage": {
            "complete": [
                {"scope": scope, "verb": verb} for scope, verb in sorted(graph.complete) if scope not in ADDING_SCOPES
            ],
            "unseen": [_unseen(u) for u in report.failures],
            "skipped": [_unseen(u) for u in report.skipped],
        },
    }


def _fix(fix: Fix) -> dict[str, Any]:
    """One change and the findings that it closes; ``ways`` are the pairs of entry and jewel that it parts."""
    return {
        "at": fix.at, "what": fix.what, "severity": fix.severity, "change": fix.change,
        "findings": list(fix.findings), "ways": len(fix.closes),
    }  # fmt: skip


def plain(value: Any) -> Any:
    """A value of ours as JSON can hold it: sets sorted, mappings by key, dataclasses by field."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(k): plain(v) for k, v in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, set | frozenset):
        return sorted(map(plain, value), key=_order)
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None  # JSON has no such numbers
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def moment(at: float) -> str | None:
    """A time as RFC 3339 in UTC; None for the beginning of time, which stands for unknown."""
    if not at:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def words_of(report: Report, path: Iterable[Step]) -> str:
    """A path as a person would read it aloud."""
    said = ""
    for number, step in enumerate(path):
        verb = step.verb.replace("_", " ")
        if number:
            said += f" -{verb}-> " if step.forward else f" <-{verb}- "
        said += report.name(step.asset)
    return said


def _summary(report: Report) -> dict[str, Any]:
    return {
        "assets": dict(report.counts),
        "findings": dict(report.by_severity),
        "accepted": len(report.accepted),
        "questions": len(report.assessment.questions),
        "cases": len(report.cases),
        "unseen": len(report.failures),
        "skipped": len(report.skipped),
    }


def _gate(report: Report) -> dict[str, Any] | None:
    """Both ways in which a scan can call for a person, whichever of them the exit code tells."""
    gate = report.gate
    if gate is None:
        return None
    return {"fail_on": gate.fail_on, "reached": gate.reached, "unseen": gate.failed, "exit_code": gate.exit_code}


def _asset(report: Report, asset: Asset) -> dict[str, Any]:
    labelling = report.labelling
    return {
        "id": asset.id,
        "kind": asset.kind,
        "name": asset.name,
        "scope": asset.scope,
        "status": asset.status,
        "lifecycle": asset.lifecycle,
        "props": plain(asset.props),
        "labels": {
            "own": list(by_weight(asset.labels)),
            "contains": list(by_weight(labelling.contains(asset.id))),
            "sees": list(by_weight(labelling.sees(asset.id))),
        },
        "first_seen": moment(asset.first_seen),
        "last_seen": moment(asset.last_seen),
        "evidence": [_evidence(e) for e in report.graph.evidence.get(asset.id, ())],
    }


def _relation(report: Report, relation: Relation) -> dict[str, Any]:
    return {
        "source": relation.source,
        "verb": relation.verb,
        "target": relation.target,
        "props": plain(relation.props),
        "evidence": [_evidence(e) for e in report.graph.evidence.get(relation.key, ())],
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "collector": evidence.collector,
        "where": evidence.where,
        "scope": evidence.scope,
        "confidence": evidence.confidence,
        "chain": list(evidence.chain),
        "until": moment(evidence.until or 0),
    }


def _finding(report: Report, finding: Finding, *, accepted: bool) -> dict[str, Any]:
    case = report.case_of.get(finding.id)
    return {
        **plain(finding),
        "path": _steps(report, finding.path),
        "words": words_of(report, finding.path),
        "subject_name": report.name(finding.subject),
        "owner": report.owner_of(finding),
        "case": case.id if case else None,
        "accepted": accepted,
        "acceptance": _acceptance(report, finding) if accepted else None,
    }


def _acceptance(report: Report, finding: Finding) -> dict[str, Any] | None:
    decided = report.acceptance_of(finding)
    if decided is None:
        return None
    return {"who": decided.who, "why": decided.why, "until": moment(decided.until), "at": moment(decided.at)}


def _steps(report: Report, path: Iterable[Step]) -> list[dict[str, Any]]:
    return [{"asset": s.asset, "name": report.name(s.asset), "verb": s.verb, "forward": s.forward} for s in path]


def _changes(report: Report) -> dict[str, Any] | None:
    changes = report.changes
    if changes is None:
        return None
    return {
        "added": sorted(asset.id for asset in changes.added),
        "removed": sorted(asset.id for asset in changes.removed),
        "changed": {
            asset: {name: {"before": plain(old), "after": plain(new)} for name, (old, new) in sorted(what.items())}
            for asset, what in sorted(changes.changed.items())
        },
        "relations_added": [list(key) for key in sorted(r.key for r in changes.relations_added)],
        "relations_removed": [list(key) for key in sorted(r.key for r in changes.relations_removed)],
    }


def _unseen(unseen: Unseen) -> dict[str, Any]:
    shown: dict[str, Any] = plain(unseen)
    return shown


def _order(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
