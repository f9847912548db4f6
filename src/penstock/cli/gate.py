"""The exit code of a scan: 1 gate reached (wins) · 3 something could not be seen · 0 nothing to act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.graph.vocabulary import SEVERITIES

if TYPE_CHECKING:
    from penstock.report.view import Report


def gate(report: Report, fail_on: str, *, failed: bool) -> int:
    if fail_on != "never":
        floor = SEVERITIES.index(fail_on)
        if any(SEVERITIES.index(finding.severity) >= floor for finding in report.assessment.findings):
            return 1
    return 3 if failed else 0
