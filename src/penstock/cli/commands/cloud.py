"""``penstock cloud``: accounts of clouds as they are, and the permissions that looking at them needs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from penstock.cli.options import open_state, state_options
from penstock.cli.screen import printable


@click.group("cloud", context_settings={"max_content_width": 100})
def command() -> None:
    """Discover AI in accounts of clouds, with permissions to list and describe alone.

    \b
    penstock cloud permissions aws > policy.json
    penstock cloud scan aws --region eu-west-1
    """


@command.group("scan")
def scan() -> None:
    """Look into an account."""


@scan.command("aws")
@click.option("--region", "regions", multiple=True, metavar="REGION", help="Only this; repeat for several.  [all]")
@click.option("--profile", metavar="NAME", default="", help="Profile of the AWS configuration.")
@state_options
def aws(regions: tuple[str, ...], profile: str, state: str | None, config: str | None) -> int:
    """Look into the AWS account of your credentials.

    Nothing is changed and no stored data is read: see penstock cloud permissions aws. A run that was stopped, or
    whose credentials ended, goes on where it was when it is started again within six hours. What may not be listed
    is told as a gap, and nothing there is taken for gone.
    """
    from penstock.cli.scanning import current_report
    from penstock.discover.cloud.aws.scan import scan as look
    from penstock.discover.cloud.aws.session import signed_in
    from penstock.graph.vocabulary import Asset

    account = signed_in(profile)
    with open_state(state, config, create=True) as opened:
        with _progress() as on_progress:
            found, journal = look(account, regions, state=opened.directory, now=opened.now, on_progress=on_progress)
        opened.store.ingest(found)
        ended = set(found.scopes) - set(found.finished)
        assets = {one.subject.id for one in found.observations if isinstance(one.subject, Asset)}
        click.echo(f"Seen: {len(assets)} things in the AWS account {account.id}")
        if journal.resumed:
            click.echo(f"Of an earlier run that was stopped: {journal.resumed} items")
        gaps = [gap for gap in found.unseen if not gap.skipped]
        for gap in gaps:
            hint = f" ({gap.hint})" if gap.hint else ""
            click.echo(printable(f"Not seen: {gap.what} of {gap.where}: {gap.why}{hint}"), err=True)
        if any("credentials" in gap.why for gap in gaps):
            journal.close()
        else:
            journal.done()
        current_report(opened)
    return 3 if ended else 0


@command.command("permissions")
@click.argument("cloud", type=click.Choice(["aws"]))
def permissions(cloud: str) -> None:
    """Print the policy that lets an identity look, and do no more: every call that a scan makes, and none besides."""
    from penstock.discover.cloud.aws.calls import policy

    click.echo(json.dumps(policy(), indent=2))


@contextmanager
def _progress() -> Iterator[Callable[[int, int, int, str], None] | None]:
    """How far it is, on standard error, on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("[bold]listing"), BarColumn(bar_width=32), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[found]}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("listing", total=None, found="")

        def on_progress(done: int, total: int, found: int, what: str) -> None:
            bar.update(task, completed=done, total=total, found=f"{found:,} found, {what}")

        yield on_progress
