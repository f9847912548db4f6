"""``penstock cases``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from penstock.cli.listing import current, show
from penstock.cli.options import format_option, state_options
from penstock.errors import WrongUse

if TYPE_CHECKING:
    from penstock.cli.options import State
    from penstock.report.view import Report


@click.command("cases")
@click.argument("case", required=False)
@click.option("--all", "closed", is_flag=True, help="Resolved ones too.")
@format_option("table", "json", "ocsf")
@state_options
def command(case: str | None, closed: bool, format_: str, state: str | None, config: str | None) -> None:
    """List cases: what, whose, since when. With CASE (an id or its first letters): the case and its history.

    --format ocsf prints them as OCSF 1.8.0 incident findings, one line each.
    """
    from penstock.report import lists, pages

    with current(state, config) as (opened, report):
        if format_ == "ocsf":
            _ocsf(opened, report, case, closed)
            return
        if case is None:
            show(report, format_, lambda r: lists.cases(r, closed=closed), ["cases"])
            return
        meant = [known for known in report.cases if known.id.startswith((case, f"case-{case}"))]
        if len(meant) != 1:
            raise WrongUse(f"{len(meant) or 'No'} cases begin with {case!r}", hint="penstock cases --all")
        only = dataclasses.replace(report, cases=(meant[0],))
        show(only, format_, lambda r: pages.case(r, meant[0]), ["cases"])


def _ocsf(opened: State, report: Report, case: str | None, closed: bool) -> None:
    """Print cases as OCSF 1.8.0 incident findings, one line each."""
    import json

    from penstock.respond.ocsf import incident
    from penstock.respond.people import People

    people = People(report.graph, opened.settings)
    findings = {f.id: f for f in (*report.assessment.findings, *report.assessment.accepted)}
    for known in report.cases:
        wanted = known.id.startswith((case, f"case-{case}")) if case else closed or known.state == "open"
        if wanted:
            address = opened.settings.approvals.link_base
            click.echo(json.dumps(incident(known, findings, people, address=address)))
