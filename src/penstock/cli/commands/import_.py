"""``penstock import``: what other tools and clouds wrote down, taken into the graph."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.cli.options import open_state, state_options
from penstock.errors import NotUnderstood


@click.command("import")
@click.argument("paths", metavar="FILE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@state_options
def command(paths: tuple[Path, ...], state: str | None, config: str | None) -> int:
    """Take in exports of clouds and states of infrastructure tools.

    Known are Terraform states and plans (terraform show -json), Pulumi states (pulumi stack export), ARM templates,
    AWS Config snapshots, Azure Resource Graph results, Google Cloud Asset Inventory; events of OpenLineage, dbt
    artifacts and MLflow stores; directories (SCIM, LDIF); ServiceNow, PagerDuty and Opsgenie. Each is told by its
    content.

    The same account or state taken in again replaces what it said before. No scan forgets what was taken in.

    \b
    penstock import terraform.tfstate
    penstock import config-snapshot.json assets.jsonl
    """
    from penstock.cli.taking_in import take_in
    from penstock.discover.cloud import taken_in as clouds
    from penstock.discover.data.lineage import taken_in as lineage
    from penstock.discover.organisation import exports as organisation
    from penstock.discover.organisation import tags

    ended = 0
    with open_state(state, config, create=True) as opened:
        for path in paths:
            if clouds.is_export(path):
                found = tags.of_export(path, clouds.file(path, now=opened.now))
            elif organisation.is_export(path):
                found = organisation.file(path, now=opened.now)
            else:
                try:
                    found = lineage.files([str(path)], now=opened.now)
                except NotUnderstood as error:
                    known = f"{clouds.KNOWN}; {organisation.KNOWN}"
                    raise NotUnderstood("This is nothing that can be taken in", str(path), known) from error
            ended = max(ended, take_in(opened, found))
    return ended
