"""``penstock diff``."""

from __future__ import annotations

import dataclasses

import click

from penstock.cli.listing import current, show
from penstock.cli.options import format_option, state_options
from penstock.errors import WrongUse


@click.command("diff")
@click.argument("back", type=click.IntRange(1), default=1, metavar="[SCANS]")
@format_option("table", "json")
@state_options
def command(back: int, format_: str, state: str | None, config: str | None) -> None:
    """Show what changed since the scan before the last one, or since SCANS scans ago."""
    from penstock.graph.diff import diff
    from penstock.report import lists

    with current(state, config) as (opened, report):
        # What people said and what the gateway saw is taken in like a scan, but is none that a person ran.
        scans = [at for at, scopes, _ in opened.store.scans() if any(scope.startswith("repo:") for scope in scopes)]
        if len(scans) <= back:
            made = "one scan" if len(scans) == 1 else f"{len(scans)} scans"
            raise WrongUse(f"There was only {made}", hint="Scan again after a change, then: penstock diff")
        changed = diff(opened.store.graph(at=scans[back]), report.graph)
        show(dataclasses.replace(report, changes=changed), format_, lists.changes, ["changes"])
