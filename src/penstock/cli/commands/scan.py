"""``penstock scan``."""

from __future__ import annotations

from pathlib import Path

import click

from penstock.cli.options import open_state, state_options
from penstock.errors import NotReachable, WrongUse

NEXT = (("penstock risks", "all findings"), ("penstock up", "console and gateway"))
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
@state_options
def command(
    targets: tuple[str, ...],
    formats: tuple[str, ...],
    outs: tuple[str, ...],
    fail_on: str,
    state: str | None,
    config: str | None,
) -> int:
    """Discover the AI in folders, files or git repositories, and assess it.

    Nothing is sent anywhere, and nothing that is scanned is run.

    \b
    penstock scan .
    penstock scan . --format sarif --out penstock.sarif --fail-on critical
    penstock scan https://git.example.com/team/repo.git
    """
    from penstock.cli.gate import gate
    from penstock.cli.scanning import scan_into
    from penstock.report import render
    from penstock.report.table import closing_screen

    chosen = formats or ("table",)
    if len(outs) > len(chosen):
        raise WrongUse(f"{len(outs)} times --out for {len(chosen)} formats", hint="Name a --format for each --out")
    with open_state(state, config, create=True) as opened:
        outcome = scan_into(opened, targets)
        report = outcome.report.only(outcome.scan.scopes)
        for number, name in enumerate(chosen):
            out = outs[number] if number < len(outs) else "-"
            if name == "table" and out == "-":
                write(closing_screen(report, next_steps=NEXT if report.findings else ()), out)
            else:
                write(render(name, report), out)
        return gate(report, fail_on, failed=outcome.failed)


def write(text: str, out: str) -> None:
    """Write to a file or to standard output."""
    if out == "-":
        click.echo(text, nl=not text.endswith("\n"))
        return
    try:
        Path(out).write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotReachable(f"The report cannot be written: {error.strerror}", out, "Name another file") from error
