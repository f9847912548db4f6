"""``penstock comply``."""

from __future__ import annotations

import click

from penstock.cli.commands.data import _put as put
from penstock.cli.commands.threats import threats_of
from penstock.cli.listing import current
from penstock.cli.options import format_option, state_options


@click.command("comply")
@click.argument("framework", metavar="[FRAMEWORK]", required=False)
@click.argument("what", metavar="[ASSET]", required=False)
@format_option("table", "json", "html")
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write into this file.")
@state_options
def command(
    framework: str | None, what: str | None, format_: str, out: str | None, state: str | None, config: str | None
) -> None:
    """Show how far what was seen meets a framework: met, not met, unknown or not applicable, with evidence.

    FRAMEWORK is eu-ai-act, nist-ai-rmf, nist-600-1, iso-42001 or owasp-llm; without it: all of them at a glance. For
    the EU AI Act the role and the risk class of each system are proposed, with the questions that decide. No legal
    advice.
    """
    from penstock.assess.compliance import FRAMEWORKS, Compliance, framework_named
    from penstock.cli.find import asset_named
    from penstock.report import compliance as view

    with current(state, config) as (opened, report):
        editions = [framework_named(framework)] if framework else list(FRAMEWORKS)
        asset = asset_named(report.graph, what).id if what else ""
        compliance = Compliance(threats_of(opened, report), (*report.findings, *report.accepted))
        judged = {edition: compliance.of(edition, asset) for edition in editions}
        systems = compliance.systems if "eu-ai-act-2024" in editions else []
        proposed = [compliance.proposals(id) for id in systems if asset in ("", id)]
        if format_ == "json":
            import json

            put(json.dumps(view.document(report, judged, proposed), indent=2) + "\n", out)
        elif format_ == "html":
            put(view.html(report, judged, proposed), out)
        elif framework:
            put(view.table(report, editions[0], judged[editions[0]], proposed), out)
        else:
            put(view.overview_table(report, judged), out)
