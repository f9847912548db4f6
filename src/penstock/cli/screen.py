"""What every command shares with the terminal: consoles, errors, progress."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import click

from penstock.errors import PenstockError

if TYPE_CHECKING:
    from penstock.discover.progress import Progress


def show_error(error: PenstockError) -> None:
    """What happened, where, what to do next; red only on a terminal (click drops colours elsewhere)."""
    click.echo(click.style("error: ", fg="red", bold=True) + printable(error.message), err=True)
    if error.where:
        click.echo(click.style("  --> ", fg="blue") + printable(error.where), err=True)
    if error.hint:
        click.echo(click.style("  help: ", fg="cyan") + printable(error.hint), err=True)


def printable(text: str) -> str:
    """The text without control characters: names from a scanned tree must not steer the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None] | None]:
    """A progress bar on standard error, on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("[dim]{task.fields[found]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("looking", total=None, rate="", found="")

        def on_progress(progress: Progress) -> None:
            speed = bar.tasks[0].speed
            bar.update(
                task,
                description=progress.phase,
                completed=progress.done,
                total=progress.total or None,
                rate=f"{speed:,.0f} files/s" if speed else "",
                found=f"{progress.found:,} found",
            )

        yield on_progress


@contextmanager
def bytes_bar(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar over bytes on standard error, on a terminal only; call what it yields with each part's bytes."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=32),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda count: bar.advance(task, count)


def as_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A plain table for standard output; cells are text, whatever they hold."""
    from rich.table import Table
    from rich.text import Text

    from penstock.report.clean import clean
    from penstock.report.screen import Screen

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for number, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", no_wrap=number + 1 < len(headings))
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    return Screen.of().draw(table)


def as_page(markdown: str) -> str:
    """Markdown for standard output: headings at the left, lines no longer than one reads with ease."""
    from dataclasses import replace

    from rich.markdown import Heading, Markdown
    from rich.text import Text

    from penstock.report.screen import Screen

    class Left(Heading):
        def __rich_console__(self, console: Any, options: Any) -> Iterator[Text]:
            self.text.justify = "left"
            yield self.text

    class Page(Markdown):
        elements: ClassVar[dict[str, Any]] = {**Markdown.elements, "heading_open": Left}

    screen = Screen.of()
    drawn = replace(screen, width=min(screen.width, 100)).draw(Page(markdown, code_theme="bw", hyperlinks=False))
    return re.sub(r"\n{3,}", "\n\n", drawn)
