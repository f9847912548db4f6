"""``penstock risks``."""

from __future__ import annotations

import click

from penstock.cli.commands.data import _put as put
from penstock.cli.listing import current, show
from penstock.cli.options import format_option, state_options
from penstock.errors import WrongUse


@click.command("risks")
@click.option("--accepted", is_flag=True, help="Those accepted for now instead.")
@click.option("--questions", is_flag=True, help="What only a person can answer instead.")
@click.option("--by", type=click.Choice(["fix"]), help="Under the one change that closes them.")
@format_option("table", "json", "html", "markdown")
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write into this file.")
@state_options
def command(
    accepted: bool, questions: bool, by: str | None, format_: str, out: str | None,
    state: str | None, config: str | None,
) -> None:  # fmt: skip
    """List findings, worst first. Details: penstock show FINDING; the rule: penstock explain RULE.

    html is one file with a picture of each risk's path and its fix; it asks nobody for anything. markdown has the
    changes that close most first, each with the risks that it closes.
    """
    from penstock.report import lists

    if accepted + questions + bool(by) > 1:
        raise WrongUse("--accepted, --questions and --by exclude each other", hint="Leave all but one out")
    with current(state, config) as (_, report):
        if format_ == "html":
            from penstock.report.risk_page import html

            put(html(report), out)
        elif format_ == "markdown":
            from penstock.report.changes import markdown

            put(markdown(report), out)
        elif questions:
            show(report, format_, lists.questions, ["questions"])
        elif by:
            show(report, format_, lists.by_fix, ["fixes"])
        else:
            show(report, format_, lambda r: lists.findings(r, accepted=accepted), ["findings", "questions"])
