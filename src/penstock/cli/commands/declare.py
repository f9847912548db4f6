"""``penstock declare``."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.cli.options import open_state, state_options
from penstock.cli.screen import printable
from penstock.errors import NotReachable, WrongUse

HINT = "Print a new one without --write and compare"


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
        raise WrongUse("There is an ai-system.yaml already", str(target), HINT)
    with open_state(state, config, create=True) as opened:
        outcome = scan_into(opened, [path])
        scopes = outcome.scan.scopes
        if len(scopes) != 1:
            raise WrongUse(
                f"{path} holds {len(scopes)} repositories", hint="Name one: " + ", ".join(s for s in scopes[:5])
            )
        text = escaped(declare(outcome.report.graph, scopes[0]))
    if not write:
        click.echo(text, nl=False)
        return
    try:
        with target.open("x", encoding="utf-8") as file:  # never over a file, never through a link
            file.write(text)
    except FileExistsError as error:
        raise WrongUse("There is an ai-system.yaml already", str(target), HINT) from error
    except OSError as error:
        raise NotReachable(
            f"It cannot be written: {error.strerror}", str(target), "Print it without --write and put it there"
        ) from error
    click.echo(printable(f"Wrote {target}. Fill in the comments, then commit it."), err=True)


def escaped(text: str) -> str:
    """The YAML with characters that could steer a terminal as escapes; all of them stand in double quotes."""
    return "".join(c if c.isprintable() or c == "\n" else escape(ord(c)) for c in text)


def escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
