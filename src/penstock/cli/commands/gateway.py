"""``penstock gateway``: the gateway as a process of their own."""

from __future__ import annotations

import os
import sys

import click


@click.command("gateway", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Run the gateway alone (penstock gateway --help)."""
    os.execv(sys.executable, [sys.executable, "-m", "penstock.protect", *arguments])  # noqa: S606
