"""``penstock diff``."""

from __future__ import annotations

import click

from penstock.cli.listing import current
from penstock.cli.options import state_options
from penstock.errors import WrongUse


@click.command("diff")
@click.argument("back", type=click.IntRange(1), default=1, metavar="[SCANS]")
@state_options
def command(back: int, state: str | None, config: str | None) -> None:
    """Show what changed since the scan before the last one, or since SCANS scans ago."""
    from penstock.graph.diff import diff
    from penstock.report import lists

    with current(state, config) as (opened, report):
        scans = opened.store.scans()
        if len(scans) <= back:
            raise WrongUse(f"There were only {len(scans)} scans", hint="Scan again after a change, then: penstock diff")
        click.echo(lists.changes(report, diff(opened.store.graph(at=scans[back][0]), report.graph)), nl=False)
