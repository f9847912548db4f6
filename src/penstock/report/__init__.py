"""What was found, for a reader: a screen, JSON, CycloneDX, SARIF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.report.view import Report

FORMATS = ("table", "json", "cyclonedx", "sarif")


def render(format: str, report: Report, **options: Any) -> str:
    """The report in a format, ending with a line end.

    ``options`` are for the table only: ``screen``, its width and colour; without it the table is plain.

    Raises:
        WrongUse: there is no such format.
    """
    if format == "table":
        from penstock.report.table import render as as_table

        return as_table(report, **options)
    if format == "json":
        from penstock.report.json_report import render as as_json

        return as_json(report)
    if format == "cyclonedx":
        from penstock.report.cyclonedx import render as as_cyclonedx

        return as_cyclonedx(report)
    if format == "sarif":
        from penstock.report.sarif import render as as_sarif

        return as_sarif(report)
    from penstock.errors import WrongUse

    raise WrongUse(f"There is no report format {format!r}", hint=f"Known: {', '.join(FORMATS)}")
