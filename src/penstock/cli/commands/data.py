"""``penstock data``: the data map, what holds some data, and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from penstock.cli.commands.accept import end_of
from penstock.cli.listing import current, print_json
from penstock.cli.options import State, format_option, open_state, state_options, you
from penstock.cli.screen import printable
from penstock.errors import NotReachable, WrongUse

if TYPE_CHECKING:
    from penstock.graph.graph import Graph
    from penstock.report.datamap.chart import Chart
    from penstock.report.view import Report


@click.group("data", context_settings={"max_content_width": 100})
def command() -> None:
    """Show which data flows where: from its sources over pipelines and models to who can get at it.

    What something is built from, it contains; what it may read, it sees. Labels: phi, special_category, minors, pci,
    credentials, pii, confidential, trade_secret, unknown-origin.
    """


@command.command("map")
@click.argument("what", metavar="[ASSET]", required=False)
@click.option("--label", metavar="LABEL", help="Only the ways that this label goes, such as pii.")
@click.option(
    "--most",
    type=click.IntRange(10, 5000),
    default=300,
    show_default=True,
    help="Boxes beyond which assets are grouped.",
)
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write into this file.")
@format_option("table", "json", "svg", "html")
@state_options
def map_(
    what: str | None, label: str | None, most: int, out: str | None, format_: str, state: str | None, config: str | None
) -> None:
    """Draw the data map, or what leads to ASSET and on from it.

    ASSET is an id, the first letters of one, or a name. svg and html are single files that ask nobody for anything.
    """
    from penstock.cli.find import asset_named
    from penstock.report.datamap.answers import known_label
    from penstock.report.datamap.chart import chart

    with current(state, config) as (_, report):
        meant = asset_named(report.graph, what) if what else None
        traced = known_label(label) if label else ""
        drawn = chart(report.graph, report.labelling, label=traced, asset=meant.id if meant else "", most=most)
        title = _title(report.name(meant.id) if meant else "", traced)
        _put(_as(format_, report, drawn, title, to_file=out is not None), out)


@command.command("where")
@click.argument("label", metavar="LABEL")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only this kind; repeat for several.")
@format_option("table", "json")
@state_options
def where(label: str, kinds: tuple[str, ...], format_: str, state: str | None, config: str | None) -> None:
    """List what contains some data and what may see it, such as: penstock data where pii.

    Each with how readily it can be got out, and how many hops it is from where the data was seen.
    """
    from penstock.cli.commands.assets import known
    from penstock.report.datamap.answers import holders, known_label
    from penstock.report.datamap.documents import holders_document
    from penstock.report.datamap.tables import holders_table

    with current(state, config) as (_, report):
        meant = known_label(label)
        found = holders(report, meant, known(kinds))
        if format_ == "json":
            print_json(holders_document(report, meant, found))
        else:
            click.echo(holders_table(report, meant, found), nl=False)


@command.command("why")
@click.argument("what", metavar="ASSET")
@click.argument("label", metavar="[LABEL]", required=False)
@format_option("table", "json")
@state_options
def why(what: str, label: str | None, format_: str, state: str | None, config: str | None) -> None:
    """Prove why ASSET carries its labels, or one LABEL: the shortest way of each, and where every hop can be read."""
    from penstock.cli.find import asset_named
    from penstock.report.datamap.answers import known_label, reasons
    from penstock.report.datamap.documents import reasons_document
    from penstock.report.datamap.tables import reasons_page

    with current(state, config) as (_, report):
        asset = asset_named(report.graph, what)
        found = reasons(report, asset.id, known_label(label) if label else "")
        if format_ == "json":
            print_json(reasons_document(report, asset, found))
        else:
            click.echo(reasons_page(report, asset, found), nl=False)


@command.command("confirm")
@click.argument("what", metavar="[ASSET]", required=False)
@click.option("--why", default="", help="The reason you believe it: what you read, what was measured.")
@click.option("--until", metavar="YYYY-MM-DD", help="The last day; default and most a year, 90 days for a downgrade.")
@click.option("--by", default=you, show_default="you", help="The person who answers for it.")
@state_options
def confirm(what: str | None, why: str, until: str | None, by: str, state: str | None, config: str | None) -> None:
    """Confirm that labels are removed on the way into ASSET, as somebody described; without ASSET: list what waits.

    Only this takes a label away, and only the labels and sources there are now: what comes later opens it again.
    """
    from penstock.cli.find import asset_named
    from penstock.cli.scanning import current_report

    with open_state(state, config) as opened:
        graph = opened.store.graph()
        if what is None:
            _list_proposals(graph)
            return
        asset = asset_named(graph, what)
        told = _confirm(opened, graph, asset.id, who=by, why=why, until=end_of(until))
        click.echo(printable(f"Confirmed for {asset.name}: {told}"))
        current_report(opened)


@command.command("import")
@click.argument("what", metavar="FILE…", nargs=-1, required=True)
@state_options
def import_(what: tuple[str, ...], state: str | None, config: str | None) -> int:
    """Take in lineage that was exported: events of OpenLineage, dbt's manifest and catalog, MLflow stores.

    \b
    penstock data import lineage-events.jsonl
    penstock data import target/manifest.json target/catalog.json

    \b
    penstock data import mlflow https://mlflow.example.com

    asks a tracking server that you name, and follows no redirect. Its token comes from MLFLOW_TRACKING_TOKEN.
    The same files or server taken in again replace what they said before. No scan forgets what was taken in.
    """
    import os

    from penstock.cli.taking_in import take_in
    from penstock.discover.data.lineage import taken_in

    with open_state(state, config, create=True) as opened:
        if what[0] == "mlflow" and not Path("mlflow").is_file():
            if len(what) != 2:
                raise WrongUse("Name one server", hint="penstock data import mlflow https://mlflow.example.com")
            found = taken_in.server(what[1], token=os.environ.get("MLFLOW_TRACKING_TOKEN", ""), now=opened.now)
        else:
            found = taken_in.files(what, now=opened.now)
        return take_in(opened, found)


def _list_proposals(graph: Graph) -> None:
    """What is described and counts for nothing until somebody confirms it."""
    from penstock.cli.screen import as_table
    from penstock.graph.declassify import proposals

    waiting = [
        (graph.assets[claim.asset].name, str(claim.record.get("method", "")), claim.objection)
        for claim in proposals(graph)
    ]
    if not waiting:
        click.echo("Nothing waits to be confirmed.")
        return
    click.echo(as_table(("asset", "what is done", "why it does not count"), waiting), nl=False)


def _confirm(opened: State, graph: Graph, asset: str, *, who: str, why: str, until: float | None) -> str:
    """Take down an approver's word; what is in force then, in words."""
    from penstock.graph.declassify import confirmation, declassification
    from penstock.graph.labels import propagate
    from penstock.respond.words import as_scan

    arriving = propagate(graph).arriving(asset)
    word = confirmation(graph, asset, arriving, who=who, why=why, until=until, now=opened.now)
    opened.store.ingest(as_scan((word,), opened.now))
    claim = declassification(opened.store.graph(), asset)
    told = claim.told if claim else ""
    opened.store.audit(who, f"confirmed that labels are removed: {told}: {why}", asset, opened.now)
    return told


def _as(format_: str, report: Report, drawn: Chart, title: str, *, to_file: bool) -> str:
    """The map in a format."""
    if format_ == "json":
        import json

        from penstock.report.datamap.documents import chart_document

        return json.dumps(chart_document(report, drawn), indent=2) + "\n"
    if format_ == "table":
        from penstock.report.datamap.tables import chart_table
        from penstock.report.screen import Screen

        return chart_table(report, drawn, screen=Screen() if to_file else None)
    from penstock.report.datamap.page import html
    from penstock.report.datamap.picture import svg

    draw: Callable[[Report, Chart, str], str] = svg if format_ == "svg" else html
    return draw(report, drawn, title)


def _put(text: str, out: str | None) -> None:
    """Print it, or write it into a file.

    Raises:
        NotReachable: the file cannot be written.
        WrongUse: it is there already and no file of ours to replace.
    """
    if out is None:
        click.echo(text, nl=False)
        return
    place = Path(out)
    if place.is_symlink():
        raise WrongUse("The file is a link to another place", out, "Name the file itself")
    try:
        place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotReachable(f"It cannot be written: {error.strerror}", out, "Name another file with --out") from error
    click.echo(printable(f"Wrote {out}"), err=True)


def _title(asset: str, label: str) -> str:
    from penstock.graph.vocabulary import LABEL_WORDS

    data = LABEL_WORDS[label] if label else "data"
    told = f"Where {data} goes" if not asset else f"Where the {data} of {asset} comes from and goes"
    return told if label or asset else "Data map"
