"""``penstock risks``."""

from __future__ import annotations

import click

from penstock.cli.listing import current, show
from penstock.cli.options import format_option, state_options


@click.command("risks")
@click.option("--accepted", is_flag=True, help="Those accepted for now instead.")
@click.option("--questions", is_flag=True, help="What only a person can answer instead.")
@format_option("table", "json")
@state_options
def command(accepted: bool, questions: bool, format_: str, state: str | None, config: str | None) -> None:
    """List findings, worst first. Details: penstock show FINDING; the rule: penstock explain RULE."""
    from penstock.report import lists

    with current(state, config) as (_, report):
        if questions:
            show(report, format_, lists.questions, ["questions"])
        else:
            show(report, format_, lambda r: lists.findings(r, accepted=accepted), ["findings", "questions"])
