"""``penstock audit``."""

from __future__ import annotations

import time

import click

from penstock.cli.options import open_state, state_options
from penstock.cli.screen import as_table
from penstock.errors import NotUnderstood


@click.command("audit")
@click.option("--verify", is_flag=True, help="Only say whether the trail is whole; fails when it is not.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="Newest entries shown.")
@state_options
def command(verify: bool, limit: int, state: str | None, config: str | None) -> None:
    """Show who did what, newest first; each entry is chained to the one before by hash."""
    with open_state(state, config) as opened:
        whole = opened.store.verify_audit_trail()
        entries = opened.store.audit_trail(limit=1 if verify else limit)
    if not whole:
        raise NotUnderstood(
            "The audit trail was changed", "an entry does not fit the one before", "Compare with a copy kept elsewhere"
        )
    if verify:
        last = entries[0][4][:16] if entries else "no entry"
        click.echo(f"The audit trail is whole (last hash {last}; keep a copy of it elsewhere).")
        return
    rows = [
        (time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at)), who, what, about) for at, who, what, about, _ in entries
    ]
    click.echo(as_table(("when (UTC)", "who", "what", "about"), rows), nl=False)
