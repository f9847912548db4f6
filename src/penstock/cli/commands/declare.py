"""``penstock declare``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from penstock.cli.options import state_options
from penstock.cli.screen import printable
from penstock.errors import NotReachable, WrongUse
from penstock.settings import Settings, load_settings, state_directory

HINT = "Print a new one without --write and compare"


@click.command("declare")
@click.argument("path", type=click.Path(exists=True, file_okay=False), default=".")
@click.option("--write", is_flag=True, help="Write ai-system.yaml into PATH instead of printing it.")
@state_options
def command(path: str, write: bool, state: str | None, config: str | None) -> None:
    """Write an ai-system.yaml for the repository at PATH, pre-filled from what is found there.

    What only a person knows is left as a comment. An existing file is never overwritten, and the state not touched.
    """

    target = Path(path) / "ai-system.yaml"
    if write and target.exists():
        raise WrongUse("There is an ai-system.yaml already", str(target), HINT)
    text = escaped(declaration(path, load_settings(state_directory(state), config)))
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


def declaration(path: str, settings: Settings) -> str:
    """What is found at the path, as a declaration. Looked at apart: it is asked about, not taken in.

    Raises:
        WrongUse: the path holds several repositories.
    """
    from penstock.cli.screen import progress_bar
    from penstock.discover.organisation.declare import declare
    from penstock.discover.scan import scan
    from penstock.graph.merge import merge

    now = time.time()
    with progress_bar() as on_progress:
        found = scan([path], settings=settings, cache=None, progress=on_progress, now=now)
    if len(found.scopes) != 1:
        named = ", ".join(scope.removeprefix("repo:").partition("/")[2] or scope for scope in found.scopes[1:6])
        raise WrongUse(f"This folder holds {len(found.scopes) - 1} repositories", path, f"Name one of them: {named}")
    graph = merge(found.observations, complete=found.complete, unseen=found.unseen, at=now)
    return declare(graph, found.scopes[0])


def escaped(text: str) -> str:
    """The YAML with characters that could steer a terminal as escapes; all of them stand in double quotes."""
    return "".join(c if c.isprintable() or c == "\n" else escape(ord(c)) for c in text)


def escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
