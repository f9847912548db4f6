"""``penstock coverage``."""

from __future__ import annotations

import click

from penstock.cli.listing import current, show
from penstock.cli.options import format_option, state_options


@click.command("coverage")
@format_option("table", "json")
@state_options
def command(format_: str, state: str | None, config: str | None) -> None:
    """Show what was looked at, and what could not be seen."""
    from penstock.report import lists

    with current(state, config) as (_, report):
        show(report, format_, lists.coverage, ["sources", "coverage"])
