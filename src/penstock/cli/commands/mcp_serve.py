"""``penstock mcp serve``: what the graph knows, for coding agents that speak MCP over standard input and output."""

from __future__ import annotations

import click

from penstock.cli.options import open_state, state_options


@click.command("serve")
@state_options
def command(state: str | None, config: str | None) -> None:
    """Let a coding agent ask: is this approved, who owns it, what may it see, what must I change. It only reads."""
    from penstock.respond.assistant_tools import serve

    with open_state(state, config) as opened:
        serve(opened.store, opened.settings)
