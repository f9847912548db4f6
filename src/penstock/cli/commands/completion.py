"""``penstock completion``."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for your shell.

    \b
    bash: penstock completion bash > ~/.local/share/bash-completion/completions/penstock
    zsh:  penstock completion zsh > ~/.zfunc/_penstock
    fish: penstock completion fish > ~/.config/fish/completions/penstock.fish
    """
    from click.shell_completion import get_completion_class

    from penstock.cli.app import cli

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"There is no completion for {shell}")
    click.echo(found(cli, {}, "penstock", "_PENSTOCK_COMPLETE").source())
