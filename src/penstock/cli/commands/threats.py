"""``penstock threats``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from penstock.cli.commands.data import _put as put
from penstock.cli.listing import current, print_json
from penstock.cli.options import State, format_option, state_options
from penstock.errors import WrongUse

if TYPE_CHECKING:
    from penstock.assess.threats import Threats
    from penstock.report.view import Report


@click.command("threats")
@click.argument("what", metavar="[ASSET]", required=False)
@format_option("table", "json", "md", "html")
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write into this file.")
@state_options
def command(what: str | None, format_: str, out: str | None, state: str | None, config: str | None) -> None:
    """Show what an attacker could do to a system, what stands against it, and what is left.

    ASSET is an application, an agent, an assistant, a pipeline, an endpoint or a workspace; without it: all of them.
    Only threats that the system's own assets make conceivable are listed. html is one file that asks nobody for
    anything.
    """
    from penstock.assess.systems import SYSTEM_KINDS
    from penstock.cli.find import asset_named
    from penstock.report import threat_model

    with current(state, config) as (opened, report):
        threats = threats_of(opened, report)
        if what is None:
            if format_ in ("md", "html"):
                raise WrongUse(f"--format {format_} needs a system", hint="penstock threats lists them")
            models = [threats.of(system) for system in threats.systems()]
            if format_ == "json":
                print_json(threat_model.document(report, models))
            else:
                put(threat_model.overview_table(report, models), out)
            return
        model = threats.of(asset_named(report.graph, what, SYSTEM_KINDS).id)
        if format_ == "json":
            import json

            put(json.dumps(threat_model.document(report, [model]), indent=2) + "\n", out)
        elif format_ == "html":
            from penstock.report.threat_model_page import html

            put(html(report, model), out)
        else:
            put((threat_model.markdown if format_ == "md" else threat_model.table)(report, model), out)


def threats_of(opened: State, report: Report) -> Threats:
    """The threats of what is in the state now."""
    from penstock.assess.threats import Threats

    return Threats(report.graph, report.labelling, opened.settings.organisation, (*report.findings, *report.accepted))
