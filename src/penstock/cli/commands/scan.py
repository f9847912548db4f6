"""``penstock scan``."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import click

from penstock.cli.options import open_state, state_options, typed_here
from penstock.errors import NotReachable, WrongUse

NEXT = (("penstock risks", "all findings, worst first"), ("penstock up", "console and gateway"))
FORMATS = ("table", "json", "cyclonedx", "sarif")


@click.command("scan")
@click.argument("targets", nargs=-1, required=True, metavar="PATH…")
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(FORMATS), help="Output format; repeat for several."
)
@click.option(
    "--out",
    "outs",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Write to a file, one per --format in the same order; - is standard output.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["low", "medium", "high", "critical", "never"]),
    default="high",
    show_default=True,
    help="Exit with 1 when a finding is at least this severe.",
)
@click.option(
    "--since", metavar="REV", help="Tell only of what came since a revision, such as origin/main: for a pull request."
)
@state_options
def command(
    targets: tuple[str, ...],
    formats: tuple[str, ...],
    outs: tuple[str, ...],
    fail_on: str,
    since: str | None,
    state: str | None,
    config: str | None,
) -> int:
    """Discover the AI in folders, files or git repositories, and assess it.

    Nothing is sent anywhere, and nothing that is scanned is run.

    \b
    penstock scan .
    penstock scan . --format sarif --out penstock.sarif --fail-on critical
    penstock scan . --since origin/main --fail-on high
    penstock scan https://git.example.com/team/repo.git
    """
    from penstock.cli.scanning import ended, only_added, scan_into
    from penstock.report import render
    from penstock.report.table import closing_screen

    chosen = formats or ("table",)
    if len(outs) > len(chosen):
        raise WrongUse(f"{len(outs)} times --out for {len(chosen)} formats", hint="Name a --format for each --out")
    for out in outs:
        check_out(out)
    with open_state(state, config, create=True) as opened:
        outcome = scan_into(opened, targets)
        told = outcome.report
        if since:
            told, closed = only_added(opened, outcome, targets, since)
            click.echo(f"Since {since}: {len(told.findings)} added, {closed} resolved", err=True)
        report = ended(told.only(outcome.scan.scopes), fail_on, failed=outcome.failed)
        for number, name in enumerate(chosen):
            out = outs[number] if number < len(outs) else "-"
            if name == "table" and out == "-":
                write(closing_screen(report, next_steps=typed_here(opened, NEXT) if report.findings else ()), out)
            else:
                write(render(name, report), out)
        return report.gate.exit_code if report.gate else 0


def check_out(out: str) -> None:
    """Say before the scan, not after it, that a report has nowhere to go.

    Raises:
        WrongUse: the folder does not exist, or a folder is named.
    """
    if out != "-" and (Path(out).is_dir() or not Path(out).parent.is_dir()):
        what = "This is a folder" if Path(out).is_dir() else "There is no such folder"
        raise WrongUse(what, f"--out {out}", "Name a file in a folder that exists")


def write(text: str, out: str) -> None:
    """Write to a file, whole or not at all, or to standard output; reports for machines are UTF-8 everywhere.

    Raises:
        NotReachable: the file cannot be written.
    """
    if out == "-":
        click.echo(text.encode() if text.startswith("{") else text, nl=not text.endswith("\n"))
        return
    place = Path(out)
    beside = place.with_name(f".{place.name}.{os.getpid()}") if not place.exists() or place.is_file() else place
    try:
        beside.write_text(text, encoding="utf-8")
        if beside != place:
            beside.replace(place)
    except OSError as error:
        if beside != place:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
        raise NotReachable(
            f"The report cannot be written: {error.strerror}", out, "Name another file; what was found is kept"
        ) from error
