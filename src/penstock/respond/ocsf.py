"""Cases as OCSF 1.8.0 Incident Findings (class 2005), for the tools that take events in the open schema.

https://schema.ocsf.io/1.8.0/classes/incident_finding. No text of a prompt or an answer is in them, for none is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock import __version__
from penstock.graph.vocabulary import Case, Finding
from penstock.respond.people import People

VERSION = "1.8.0"
CATEGORY, CLASS = 2, 2005
#: Ours → OCSF severity_id (1 Informational … 5 Critical); impact_id is 1 Low … 4 Critical.
SEVERITY = {"info": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
SAID = {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}
IMPACT = {"info": 1, "low": 1, "medium": 2, "high": 3, "critical": 4}
#: Ours → OCSF status_id: New, In Progress, On Hold, Resolved, Closed.
STATUS = {"open": (1, "New"), "snoozed": (3, "On Hold"), "accepted": (5, "Closed"), "resolved": (4, "Resolved")}


def incident(case: Case, findings: Mapping[str, Finding], people: People, *, address: str = "") -> dict[str, Any]:
    """One case as an event: created while it is new, closed when it is, else updated.

    Args:
        findings: the current ones, by id.
        address: of the console, so that the event leads back to its case.
    """
    status_id, status = STATUS.get(case.state, (1, "New"))
    activity = 3 if status_id in (4, 5) else 1 if case.changed_at <= case.opened_at else 2
    severity = SEVERITY[case.severity]
    found = [findings[id] for id in case.findings if id in findings]
    event: dict[str, Any] = {
        "activity_id": activity,
        "activity_name": ("Create", "Update", "Close")[activity - 1],
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Incident Finding",
        "type_uid": CLASS * 100 + activity,
        "time": _milliseconds(case.changed_at),
        "start_time": _milliseconds(case.opened_at),
        "severity_id": severity,
        "severity": SAID[severity],
        "status_id": status_id,
        "status": status,
        "impact_id": IMPACT[case.severity],
        "priority_id": IMPACT[case.severity],
        "message": case.title,
        "desc": found[0].explanation if found else case.title,
        "metadata": {
            "version": VERSION,
            "uid": case.id,
            "profiles": ["incident"],
            "product": {"name": "Penstock", "vendor_name": "Penstock", "version": __version__},
        },
        "finding_info_list": [_finding(one, case) for one in found] or [_of_case(case)],
        "count": max(1, case.event_count),
    }
    if case.owner:
        known = people.graph.assets.get(case.owner)
        who = {"uid": case.owner, "name": people.name(case.owner)}
        event["assignee" if known is not None and known.kind == "person" else "assignee_group"] = who
    if case.state in ("accepted", "resolved") and case.history:
        event["comment"] = case.history[-1].what
    if address:
        event["src_url"] = f"{address.rstrip('/')}/cases/{case.id}"
    return event


def _finding(finding: Finding, case: Case) -> dict[str, Any]:
    return {
        "uid": finding.id,
        "title": finding.title,
        "desc": finding.explanation,
        "types": [finding.rule],
        "created_time": _milliseconds(case.opened_at),
    }


def _of_case(case: Case) -> dict[str, Any]:
    return {"uid": case.id, "title": case.title, "created_time": _milliseconds(case.opened_at)}


def _milliseconds(at: float) -> int:
    return int(at * 1000)
