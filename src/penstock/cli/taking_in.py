"""What is handed over instead of scanned: kept, told how much it was, and judged with the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from penstock.cli.options import State
from penstock.cli.screen import printable

if TYPE_CHECKING:
    from penstock.graph.store.protocol import Scan


def take_in(opened: State, found: Scan) -> int:
    """Keep what was said, tell how much, and judge the whole anew; 3 when not all of it could be read."""
    from penstock.cli.scanning import current_report
    from penstock.graph.vocabulary import Asset

    opened.store.ingest(found)
    subjects = [one.subject for one in found.observations]
    assets = {subject.id for subject in subjects if isinstance(subject, Asset)}
    click.echo(f"Taken in: {len(assets)} things and {len(subjects)} statements about them, from {found.scopes[0]}")
    gaps = [gap for gap in found.unseen if not gap.skipped]
    for gap in gaps:
        click.echo(printable(f"Not seen: {gap.what} of {gap.where}: {gap.why}"), err=True)
    current_report(opened)
    return 3 if gaps else 0
