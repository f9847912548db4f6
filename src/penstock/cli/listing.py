"""What the listing commands share: the current report, printed as a table or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from penstock.cli.options import State, open_state

if TYPE_CHECKING:
    from penstock.report.view import Report


@contextmanager
def current(state: str | None, config: str | None) -> Iterator[tuple[State, Report]]:
    """The opened state and the report on what is in it now."""
    from penstock.cli.scanning import current_report

    with open_state(state, config) as opened:
        yield opened, current_report(opened)


def show(report: Report, format_: str, table: Callable[[Report], str], keys: Sequence[str]) -> None:
    """Print the table, or the named parts of the JSON report."""
    if format_ == "table":
        click.echo(table(report), nl=False)
        return
    from penstock.report.json_report import document

    whole: dict[str, Any] = document(report)
    print_json({"schema": whole["schema"], **{key: whole[key] for key in keys}})


def print_json(value: object) -> None:
    """Print JSON in ASCII: it can neither fail on, nor steer, whatever it is printed to."""
    import json

    click.echo(json.dumps(value, indent=2))
