"""``penstock mcp``: guard MCP servers that run as commands; see and approve the tools that servers offer."""

from __future__ import annotations

import json
import os
import sys

import click

from penstock.cli.commands.mcp_serve import command as serve
from penstock.cli.options import open_state, state_options, you
from penstock.cli.screen import as_table, printable


@click.group("mcp")
def command() -> None:
    """Guard MCP servers, see what their tools are, and answer coding agents that ask."""


command.add_command(serve)


@command.command("wrap", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def wrap(arguments: tuple[str, ...]) -> None:
    """Run an MCP server's command with every message judged (penstock mcp wrap --help)."""
    os.execv(sys.executable, [sys.executable, "-m", "penstock.protect.mcp", *arguments])  # noqa: S606


@command.command("tools")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option("--state", help="State directory (default: $PENSTOCK_STATE, or the user's).")
def tools(as_json: bool, state: str | None) -> None:
    """List the tools that MCP servers offer, and how each stands."""
    from penstock.protect.mcp.pins import Pins
    from penstock.settings import state_directory

    rows = [
        (server, name, pin.standing, pin.by, pin.why)
        for server, pins in sorted(Pins.beside(state_directory(state)).all().items())
        for name, pin in sorted(pins.items())
    ]
    columns = ("server", "tool", "state", "approved by", "why")
    if as_json:
        click.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows]))
    elif rows:
        click.echo(as_table(columns, rows), nl=False)
    else:
        click.echo("No tools were seen yet. They are pinned when a server lists them through the gateway.")


@command.command("approve")
@click.argument("server")
@click.argument("tool")
@state_options
def approve(server: str, tool: str, state: str | None, config: str | None) -> None:
    """Let a tool's definition, as it was listed last, count from now on."""
    from penstock.protect.mcp.pins import FILE
    from penstock.protect.mcp.pins import approve as approved
    from penstock.protect.snapshot import ToolPin
    from penstock.respond.in_force import put_in_force
    from penstock.respond.tools import approve_tool

    with open_state(state, config, create=True) as opened:
        pin = approved(opened.directory / FILE, server, tool, by=you(), now=opened.now)
        named = ToolPin(server=server, tool=tool, digest=pin.digest, approved_by=you())
        approve_tool(opened.store, named, now=opened.now)
        put_in_force(opened.store, opened.directory, now=opened.now)
    click.echo(printable(f"Approved {server}/{tool} as it is defined now ({pin.digest[:12]})."))
