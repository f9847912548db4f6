"""The data map, what holds some data, and why: as a reader of a terminal sees them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box as boxes
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from penstock.graph.vocabulary import LABEL_WORDS, Asset
from penstock.report.clean import clean
from penstock.report.datamap.answers import Holder, Reason, notes
from penstock.report.datamap.chart import STAGES, Box, Chart
from penstock.report.datamap.picture import summary
from penstock.report.screen import Screen
from penstock.report.table import path_line, shortened
from penstock.report.view import Report, words

#: Names of givers shown of one box; the rest is counted.
GIVERS = 3
#: How readily data can be got out again, in a reader's words.
LEAKAGE = {
    "verbatim": "as it was",
    "extractable": "learned by a model, which can be made to say it",
    "inferable": "behind a method that bounds it, which nobody has accepted yet",
}


def chart_table(report: Report, chart: Chart, *, screen: Screen | None = None) -> str:
    """The map column by column: what there is, which data it holds or may see, and where that comes from."""
    screen = screen or Screen.of()
    if not chart.boxes:
        return screen.draw(Text("No flow of data is known."))
    names = {box.id: box.name for box in chart.boxes}
    table = _table(screen, ("What", 3), ("Data", 2), ("Comes from", 3))
    parts: list[RenderableType] = [Text(summary(chart)), ""]
    for stage, title in STAGES.items():
        there = [box for box in chart.boxes if box.stage == stage]
        if there:
            table.add_row(Text(title, "bold cyan"))
        for box in there:
            came = [names[link.source] for link in chart.links if link.target == box.id]
            table.add_row(Padding(_what(box, screen), (0, 0, 0, 2)), _data(box), _from(came))
    return screen.draw(*parts, table)


def holders_table(report: Report, label: str, found: Sequence[Holder], *, screen: Screen | None = None) -> str:
    """What contains a label and what may see it."""
    screen = screen or Screen.of()
    what = LABEL_WORDS[label]
    if not found:
        return screen.draw(Text(f"Nothing is known to touch {what}.", "green"))
    holding = sum(holder.how == "contains" for holder in found)
    parts: list[RenderableType] = [
        Text(f"{holding:,} {'asset' if holding == 1 else 'assets'} contain{'s' if holding == 1 else ''} {what}", "bold")
        .append(f", {len(found) - holding:,} more may see it", "bold"),
        "",
    ]  # fmt: skip
    table = _table(screen, ("", 0), ("What", 3), ("Can be got out", 0), ("Hops", 0), ("Comes from", 2))
    for holder in found:
        how = Text("contains", "magenta") if holder.how == "contains" else Text("sees", "dim")
        origin = Text("itself", "dim") if holder.origin == holder.asset.id else Text(report.name(holder.origin))
        table.add_row(how, _named(holder.asset), holder.leakage, str(holder.hops), origin)
    return screen.draw(*parts, table)


def reasons_page(report: Report, asset: Asset, found: Iterable[Reason], *, screen: Screen | None = None) -> str:
    """Why an asset carries its labels: the shortest way of each, with the place where every hop can be read."""
    screen = screen or Screen.of()
    parts: list[RenderableType] = [_named(asset), Text(asset.id, "dim")]
    for reason in found:
        verb = "contains" if reason.how == "contains" else "may see"
        parts += ["", Text(f"It {verb} {LABEL_WORDS[reason.label]}", "bold")]
        if reason.leakage:
            parts.append(Text(f"Can be got out {reason.leakage} ({LEAKAGE[reason.leakage]}), by its worst way", "dim"))
        parts.append(Padding(path_line(report, [hop.step for hop in reason.hops]), (0, 0, 0, 2)))
        for number, hop in enumerate(reason.hops, 1):
            name = report.name(hop.step.asset)
            said = Text(f"{number:>3}  ", "dim").append(name)
            for evidence in hop.evidence[:1]:
                where = shortened(report.where(evidence), max(20, screen.width - len(name) - 30))
                said.append(f"  {where}  {evidence.confidence}, {clean(evidence.collector)}", "dim")
            parts.append(said)
    if len(parts) == 2:
        parts += ["", Text("It is not known to touch any labelled data.", "green")]
    for note in notes(report, asset.id):
        parts += ["", Text(f"{note.kind}: ", "yellow").append(clean(note.text))]
    return screen.draw(*parts)


def _table(screen: Screen, *columns: tuple[str, int]) -> Table:
    table = Table(box=boxes.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim", border_style="dim")
    table.width = screen.width
    for name, ratio in columns:
        table.add_column(name, ratio=ratio or None, overflow="fold", no_wrap=not ratio)
    return table


def _what(box: Box, screen: Screen) -> Text:
    name = Text(shortened(box.name, max(20, screen.width // 3)), "bold")
    told = box.detail if box.is_group else words(box.kind) if box.assets else ""
    return name.append(f"  {told}", "dim") if told else name


def _data(box: Box) -> Text:
    said = Text()
    for counts, style in ((box.contains, "magenta"), (box.sees, "dim")):
        for label, number in counts.items():
            share = f" {number:,}/{len(box.assets):,}" if box.is_group else ""
            sees = "" if counts is box.contains else "sees "
            said.append(", " if said else "").append(f"{sees}{label.replace('_', ' ')}{share}", style)
    return said


def _from(names: Sequence[str]) -> Text:
    more = f" and {len(names) - GIVERS:,} more" if len(names) > GIVERS else ""
    return Text(", ".join(shortened(name, 40) for name in names[:GIVERS])).append(more, "dim")


def _named(asset: Asset) -> Text:
    return Text(clean(asset.name, 120), "bold").append(f"  {words(asset.kind)}", "dim")
