"""``penstock show``."""

from __future__ import annotations

import click

from penstock.cli.listing import current
from penstock.cli.options import state_options


@click.command("show")
@click.argument("what", metavar="ASSET|FINDING|CASE|all")
@state_options
def command(what: str, state: str | None, config: str | None) -> None:
    """Show one asset (the six questions, its data, its relations), one finding or one case.

    WHAT is an id, the first letters of one, or an asset's name. Of a team, a person or a repository, and of all, the
    six questions are answered for their systems together.
    """
    from penstock.assess.rollup import ALL, GROUPS
    from penstock.cli.find import asset_named
    from penstock.report import pages

    with current(state, config) as (_, report):
        for finding in (*report.findings, *report.accepted):
            if finding.id == what or (len(what) >= 6 and finding.id.startswith(what)):
                click.echo(pages.finding(report, finding), nl=False)
                return
        for case in report.cases:
            if case.id == what or (len(what) >= 6 and case.id.startswith(what)):
                click.echo(pages.case(report, case), nl=False)
                return
        if what == ALL:
            click.echo(pages.group(report, ALL), nl=False)
            return
        found = asset_named(report.graph, what)
        page = pages.group(report, found.id) if found.kind in GROUPS else pages.asset(report, found)
        click.echo(page, nl=False)
