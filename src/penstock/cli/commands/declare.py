"""``penstock declare``."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.cli.options import open_state, state_options
from penstock.errors import NotReachable, WrongUse


@click.command("declare")
@click.argument("path", type=click.Path(exists=True, file_okay=False), default=".")
@click.option("--write", is_flag=True, help="Write ai-system.yaml into PATH instead of printing it.")
@state_options
def command(path: str, write: bool, state: str | None, config: str | None) -> None:
    """Write an ai-system.yaml for the repository at PATH, pre-filled from what is found there.

    What only a person knows is left as a comment. An existing file is never overwritten.
    """
    from penstock.cli.scanning import scan_into
    from penstock.discover.organisation.declare import declare

    target = Path(path) / "ai-system.yaml"
    if write and target.exists():
        raise WrongUse("There is an ai-system.yaml already", str(target), "Print a new one without --write and compare")
    with open_state(state, config, create=True) as opened:
        outcome = scan_into(opened, [path])
        scopes = outcome.scan.scopes
        if len(scopes) != 1:
            raise WrongUse(
                f"{path} holds {len(scopes)} repositories", hint="Name one: " + ", ".join(s for s in scopes[:5])
            )
        text = declare(outcome.report.graph, scopes[0])
    if not write:
        click.echo(text, nl=False)
        return
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotReachable(f"It cannot be written: {error.strerror}", str(target)) from error
    click.echo(f"Wrote {target}. Fill in the comments, then commit it.", err=True)
