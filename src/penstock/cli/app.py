"""The command tree. Each command is one file under ``commands``, imported only when it is asked for."""

from __future__ import annotations

import contextlib
import difflib
import errno
import importlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from keyword import iskeyword

import click

from penstock import __version__
from penstock.cli.screen import show_error
from penstock.errors import NotAllowed, NotReachable, PenstockError, WrongUse

#: What each command is for, in the order of a first hour.
COMMANDS: dict[str, str] = {
    "up": "Discover, assess and serve: console, API and gateway in one go.",
    "scan": "Discover and assess the AI in a path or git repository.",
    "cloud": "Discover the AI in accounts of clouds, as it is.",
    "import": "Take in exports of clouds, states of infrastructure tools, lineage.",
    "risks": "List findings, worst first.",
    "explain": "Explain a rule: what it finds, why it matters, what to do.",
    "data": "Show which data flows where, and why.",
    "model": "Say what model files would do when loaded, without loading them.",
    "assets": "List the AI inventory.",
    "show": "Show one asset: the six questions, its data, its relations.",
    "who": "Show who answers for an asset, who may approve, must know, is affected.",
    "coverage": "Show what was seen, and what could not be.",
    "whatif": "Show what a change would close, before it is made.",
    "threats": "Show what an attacker could do to a system, and what stands against it.",
    "comply": "Show how far what was seen meets a framework; no legal advice.",
    "ask": "List what only a person knows; write a sheet, read the answers back.",
    "redteam": "Try a bounded set of attacks on an endpoint that you own.",
    "guard": "Judge texts for prompt attacks, or train what judges them.",
    "rules": "List the rules, or try out your own.",
    "diff": "Show what changed between scans.",
    "accept": "Accept a finding until a date, with a reason.",
    "cases": "List cases, or show one with its history.",
    "approvals": "List what waits for a person's yes, and answer it.",
    "act": "Set a model, a tool or an application aside, and take that back.",
    "audit": "Show who did what, and whether the trail is whole.",
    "declare": "Write an ai-system.yaml pre-filled from what was found.",
    "keys": "Manage the gateway's virtual keys.",
    "policy": "Check the gateway's rules, and try a change on recorded calls.",
    "events": "Hand the gateway's events on: OCSF, OpenTelemetry spans, Parquet, JSON lines.",
    "serve": "Run console and API alone.",
    "gateway": "Run the gateway alone.",
    "mcp": "Guard MCP servers, and see what their tools are.",
    "completion": "Print the completion script for your shell.",
}


class Commands(click.Group):
    """A group that imports a command when it is called, and offers the nearest name when there is none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        file = f"{name}_" if iskeyword(name) else name
        module = importlib.import_module(f"penstock.cli.commands.{file}")
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
            hint = f"Did you mean {near[0]}? " if near else ""
            raise WrongUse(f"There is no command {args[0]!r}", hint=f"{hint}All of them: penstock --help")
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="penstock", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the stack trace of an error; may stand anywhere.")
def cli(debug: bool) -> None:
    """Penstock: every AI project seen and safe, on one graph.

    Start with `penstock up PATH`, or `penstock scan PATH`.

    Exit codes: 0 nothing to act on, 1 a finding at or above --fail-on, 2 wrong use, 3 something could not be seen.
    """


def main() -> int:
    """Run the command that the process was started for."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `penstock … | head` ends quietly
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot show is no reason to fail
    return run()


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    An error that nobody foresaw is 3 (something was not seen), never 1, which would say that the gate was reached.
    """
    given, debug = _debug(list(sys.argv[1:] if arguments is None else arguments))
    try:
        result = cli.main(given, prog_name="penstock", standalone_mode=False)
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        return 130
    except Exception as error:
        if debug:
            traceback.print_exc()
        told = _told(error)
        show_error(told)
        _drop_output()
        return 3 if isinstance(told, NotReachable | NotAllowed) else 2


def _debug(arguments: list[str]) -> tuple[list[str], bool]:
    """The arguments without ``--debug``, which may stand anywhere, and whether it did."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [word for number, word in enumerate(arguments) if word != "--debug" or number > end]
    return kept, len(kept) < len(arguments) or bool(os.environ.get("PENSTOCK_DEBUG"))


def _told(error: Exception) -> PenstockError:
    """Any error in three parts: what happened, where, what to do next."""
    if isinstance(error, PenstockError):
        return error
    if isinstance(error, click.ClickException):
        said = error.format_message().strip().removesuffix(".")
        ctx = error.ctx if isinstance(error, click.UsageError) else None
        path = ctx.command_path if ctx else "penstock"
        return WrongUse(said, path, _near(error) or f"{path} --help")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return NotReachable("The disk is full", error.filename, "Free space and try again; what was stored is kept")
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return NotReachable(
        f"Penstock failed: {type(error).__name__}: {error}",
        f"{frame.filename}:{frame.lineno}",
        "This is a defect. Run it again with --debug and report what it prints; nothing stored is lost",
    )


def _near(error: click.ClickException) -> str:
    """The nearest choices for a value that is none of them."""
    if not isinstance(error, click.BadParameter) or not isinstance(getattr(error.param, "type", None), click.Choice):
        return ""
    choices = [str(choice) for choice in error.param.type.choices]  # type: ignore[union-attr]
    typed = str(error.message).partition("'")[2].partition("'")[0]
    near = difflib.get_close_matches(typed.lower(), choices, 1, 0.5)
    return f"Did you mean {near[0]}?" if near else ""


def _drop_output() -> None:
    """Do not try again at exit to write what could not be written: Python would end with a code of its own."""
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
