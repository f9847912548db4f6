"""The command tree. Each command is one file under ``commands``, imported only when it is asked for."""

from __future__ import annotations

import difflib
import importlib
import os
import signal
import sys
from collections.abc import Sequence

import click

from penstock import __version__
from penstock.cli.screen import show_error
from penstock.errors import NotAllowed, NotReachable, PenstockError

#: What each command is for, in the order of a first hour.
COMMANDS: dict[str, str] = {
    "up": "Discover, assess and serve: console, API and gateway in one go.",
    "scan": "Discover and assess the AI in a path or git repository.",
    "risks": "List findings, worst first.",
    "explain": "Explain a rule: what it finds, why it matters, what to do.",
    "assets": "List the AI inventory.",
    "show": "Show one asset: the six questions, its data, its relations.",
    "coverage": "Show what was seen, and what could not be.",
    "diff": "Show what changed between scans.",
    "accept": "Accept a finding until a date, with a reason.",
    "cases": "List cases, or show one with its history.",
    "declare": "Write an ai-system.yaml pre-filled from what was found.",
    "keys": "Manage the gateway's virtual keys.",
    "serve": "Run console and API alone.",
    "gateway": "Run the gateway alone.",
    "completion": "Print the completion script for your shell.",
}


class Commands(click.Group):
    """A group that imports a command when it is called, and offers the nearest name when there is none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"penstock.cli.commands.{name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}. {hint}All of them: penstock --help", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="penstock", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, envvar="PENSTOCK_DEBUG", help="Show the stack trace of an error.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Penstock: every AI project seen and safe, on one graph.

    Start with `penstock up PATH`, or `penstock scan PATH`.

    Exit codes: 0 nothing to act on, 1 a finding at or above --fail-on, 2 wrong use, 3 something could not be seen.
    """
    ctx.obj = {"debug": debug}


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `penstock … | head` ends quietly
    debug = "--debug" in (arguments if arguments is not None else sys.argv) or bool(os.environ.get("PENSTOCK_DEBUG"))
    try:
        result = cli.main(arguments and list(arguments), prog_name="penstock", standalone_mode=False)
        return int(result) if isinstance(result, int) else 0
    except PenstockError as error:
        if debug:
            raise
        show_error(error)
        return 3 if isinstance(error, NotReachable | NotAllowed) else 2
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        return 130
