"""``penstock cases``."""

from __future__ import annotations

import dataclasses

import click

from penstock.cli.listing import current, show
from penstock.cli.options import format_option, state_options
from penstock.errors import WrongUse


@click.command("cases")
@click.argument("case", required=False)
@click.option("--all", "closed", is_flag=True, help="Resolved ones too.")
@format_option("table", "json")
@state_options
def command(case: str | None, closed: bool, format_: str, state: str | None, config: str | None) -> None:
    """List cases: what, whose, since when. With CASE (an id or its first letters): the case and its history."""
    from penstock.report import lists, pages

    with current(state, config) as (_, report):
        if case is None:
            show(report, format_, lambda r: lists.cases(r, closed=closed), ["cases"])
            return
        meant = [known for known in report.cases if known.id.startswith((case, f"case-{case}"))]
        if len(meant) != 1:
            raise WrongUse(f"{len(meant) or 'No'} cases begin with {case!r}", hint="penstock cases --all")
        only = dataclasses.replace(report, cases=(meant[0],))
        show(only, format_, lambda r: pages.case(r, meant[0]), ["cases"])
