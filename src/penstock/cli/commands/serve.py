"""``penstock serve``: the console and API as a process of their own."""

from __future__ import annotations

import os
import sys

import click


@click.command("serve", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Run console and API alone (penstock serve --help)."""
    os.execv(sys.executable, [sys.executable, "-m", "penstock.serve", *arguments])  # noqa: S606
