"""The closing screen: what there is, what matters most, what stayed unseen, and what to do next."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from penstock.graph.vocabulary import AI_KINDS, DATA_KINDS, LABEL_WORDS, SENSITIVE, Finding, Step, Unseen
from penstock.report.clean import clean
from penstock.report.screen import Screen
from penstock.report.view import Report, words

SEVERITY_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}
#: Risks on the closing screen: as many as a person keeps in mind.
RISKS = 3
#: Width of the labels on the left.
LABEL = 12
REASONS = 3


def render(report: Report, *, screen: Screen | None = None) -> str:
    """The report as a table: the closing screen alone. Without a screen it is plain, fit for a file."""
    return closing_screen(report, screen=screen or Screen())


def closing_screen(
    report: Report,
    *,
    screen: Screen | None = None,
    where: Mapping[str, str] | None = None,
    next_steps: Sequence[str | tuple[str, str]] = (),
) -> str:
    """The screen that ends ``scan`` and ``up``.

    Args:
        screen: standard output's by default: coloured only if that is a terminal.
        where: where to look: what → address, such as console → http://127.0.0.1:8420.
        next_steps: what to type, each a command or (command, what it shows).
    """
    screen = screen or Screen.of()
    room = screen.width - LABEL - 4
    parts: list[RenderableType] = [_headline(report), "", *_inventory(report, room), ""]
    parts += [*_risks(report), *_facts(report)]
    steps = [step if isinstance(step, tuple) else (step, "") for step in next_steps]
    if where or steps:
        parts += ["", _pairs("Look", tuple((where or {}).items()), room), _pairs("Next", steps, room, "bold")]
    return screen.draw("", Padding(Group(*parts), (0, 0, 0, 2)), "")


@dataclass(frozen=True, slots=True)
class Way:
    """A path: names joined by arrows that carry their verb and point the way the relation reads.

    Lines are broken before an arrow, never inside one.
    """

    pieces: tuple[Text, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        line = Text()
        for piece in self.pieces:
            if line and line.cell_len + 1 + piece.cell_len > options.max_width:
                yield line
                line = Text()
            line.append(" " if line else "").append_text(piece)
        yield line

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        sizes = [piece.cell_len for piece in self.pieces] or [0]
        most = options.max_width
        return Measurement(min(max(sizes), most), min(sum(sizes) + len(sizes) - 1, most))


def path_line(report: Report, path: Iterable[Step]) -> Way:
    """A path as a reader follows it."""
    pieces = []
    for number, step in enumerate(path):
        piece = Text()
        if number:
            verb = step.verb.replace("_", " ")
            piece.append(f"─{verb}→ " if step.forward else f"←{verb}─ ", "dim")
        pieces.append(piece.append(report.name(step.asset), "bold"))
    return Way(tuple(pieces))


def labelled(label: str, content: RenderableType, width: int = LABEL) -> Table:
    """A dim label and, beside it, what it says; wrapped lines stay in the second column."""
    grid = Table.grid(padding=0)
    grid.add_column(width=width, style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(label, content)
    return grid


def shortened(place: str, width: int) -> str:
    """A place that fits a width: what is left out of it is its middle, for the source and the line matter most."""
    if len(place) <= width:
        return place
    first, *rest = place.split("/")
    while len(rest) > 1:
        rest.pop(0)
        if len(shorter := "/".join((first, "…", *rest))) <= width:
            return shorter
    tail = f"…/{rest[-1]}" if rest else place
    return tail if len(tail) <= width else f"…{place[-(width - 1) :]}"


def when(at: float) -> str:
    """A time for a reader, in UTC so that two readers speak of the same."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _headline(report: Report) -> Text:
    line = Text("Penstock", "bold")
    sources = len(report.sources)
    if sources == 1:
        line.append(f" · {clean(report.sources[0])}", "dim")
    elif sources:
        line.append(f" · {sources} sources", "dim")
    if report.generated_at:
        line.append(f" · {when(report.generated_at)}", "dim")
    return line


def _inventory(report: Report, width: int) -> Iterator[RenderableType]:
    """Counts by kind: AI first, then the data it touches, then what it runs on."""
    if not report.counts:
        yield Text("No AI was found in what could be seen.")
        return
    for label, kinds in (
        ("AI", AI_KINDS),
        ("Data", DATA_KINDS),
        ("Around it", report.counts.keys() - AI_KINDS - DATA_KINDS),
    ):
        counted = [(number, words(kind, number)) for kind, number in report.counts.items() if kind in kinds]
        if counted:
            yield labelled(label, _flowing(counted, width))
        if label == "Data" and (held := _held(report)):
            yield labelled("", held)


def _held(report: Report) -> Text | None:
    """How far the kind of sensitive data that most assets hold has travelled; None when there is none."""
    holders = {label: set(report.labelling.holding(label)) for label in LABEL_WORDS if label in SENSITIVE}
    label = max(holders, key=lambda one: len(holders[one]))
    if not holders[label]:
        return None
    more = len(set(report.labelling.touching(label)) - holders[label])
    line = Text(f"{len(holders[label]):,}", "bold").append(f" hold {LABEL_WORDS[label]}", "not bold")
    if more:
        line.append(f", {more:,} more may see it", "not bold")
    return line.append(f"  penstock data where {label}", "not bold dim")


def _flowing(counted: Iterable[tuple[int, str]], width: int) -> Text:
    """Numbers with their words, a line never broken between the two."""
    lines, line = [Text()], 0
    for number, word in counted:
        size = len(f"{number:,} {word}")
        if line and line + 3 + size > width:
            lines.append(Text())
            line = 0
        if line:
            lines[-1].append(" · ", "dim")
            line += 3
        lines[-1].append(f"{number:,}", "bold").append(f" {word}")
        line += size
    return Text("\n").join(lines)


def _risks(report: Report) -> Iterator[RenderableType]:
    if not report.findings:
        yield Text("Nothing to act on.", "green")
        yield ""
        return
    chosen = report.top(RISKS)
    heading = Text("What matters most" if len(report.findings) > len(chosen) else "What matters", "bold")
    for severity, number in report.by_severity.items():
        heading.append("   ").append(f"{number:,} {severity}", SEVERITY_STYLES[severity])
    yield heading
    yield ""
    for finding in chosen:
        yield Padding(_risk(report, finding), (0, 0, 1, 0))


def _risk(report: Report, finding: Finding) -> RenderableType:
    """One risk: how bad, what, along which path, what to do and where, and whose it is."""
    style = SEVERITY_STYLES[finding.severity]
    title = Text().append(clean(finding.title), "bold").append(f"  {clean(finding.rule)}", "dim")
    lines = Table.grid(padding=0)
    lines.add_column(width=LABEL, no_wrap=True)
    lines.add_column(overflow="fold")
    lines.add_row(Text(finding.severity.upper(), style), title)
    path = path_line(report, finding.path) if len(finding.path) > 1 else Text(report.name(finding.subject), "bold")
    lines.add_row("", path)
    lines.add_row(Text("fix", "dim"), _fix(report, finding))
    owner = report.owner_of(finding)
    lines.add_row(Text("owner", "dim"), Text(owner) if owner else Text("nobody is named; say who", "yellow"))
    return lines


def _fix(report: Report, finding: Finding) -> Text:
    said = Text(clean(finding.fix))
    if at := report.fix_place(finding):
        said.append(f"  {at}", "dim")
    return said


def _facts(report: Report) -> Iterator[RenderableType]:
    """What limits the picture, and how it moved: unseen, skipped, questions, accepted, changes."""
    if report.failures:
        said = Text().append(f"{len(report.failures):,}", "bold yellow").append(f"  {reasons(report, report.failures)}")
        yield labelled("Not seen", said)
    else:
        yield labelled("Not seen", Text("nothing: all that was in reach was read", "green"))
    if report.skipped:
        yield labelled("Skipped", Text(f"{len(report.skipped):,}  {reasons(report, report.skipped)}", "dim"))
    if questions := len(report.assessment.questions):
        asked = Text(f"{questions:,}  that only a person can answer").append("  penstock risks --questions", "dim")
        yield labelled("Questions", asked)
    if report.accepted:
        yield labelled("Accepted", Text(f"{len(report.accepted):,}  that somebody decided to live with"))
    if report.changes is not None:
        yield labelled("Since last", changes_line(report))


def reasons(report: Report, unseen: Sequence[Unseen]) -> str:
    """Why things stayed unseen: the commonest reasons with their number and one place each."""
    groups: Counter[str] = Counter(clean(u.why, 80) for u in unseen)
    first = {clean(u.why, 80): u for u in reversed(unseen)}
    said = []
    for why, number in sorted(groups.items(), key=lambda item: (-item[1], item[0]))[:REASONS]:
        place = shortened(report.unseen_at(first[why]), 60)
        times = f"{number:,}× " if number > 1 and len(groups) > 1 else ""
        said.append(f"{times}{why} ({'as ' if number > 1 else ''}{place})")
    if left := len(groups) - len(said):
        said.append(f"{left:,} more reasons" if left > 1 else "1 more reason")
    return "; ".join(said)


def changes_line(report: Report) -> Text:
    changes = report.changes
    if not changes:
        return Text("nothing changed", "dim")
    line = Text()
    for number, what, style in (
        (len(changes.added), "new", "green"),
        (len(changes.changed), "changed", "yellow"),
        (len(changes.removed), "gone", "red"),
    ):
        if number:
            line.append(" · " if line else "", "dim").append(f"{number:,} {what}", style)
    moved = len(changes.relations_added) + len(changes.relations_removed)
    if moved:
        line.append(" · " if line else "", "dim").append(f"{moved:,} links" if moved > 1 else "1 link")
    return line


def _pairs(label: str, pairs: Sequence[tuple[str, str]], room: int, style: str = "") -> RenderableType:
    """What and its meaning side by side; one below the other where that does not fit, for a command must be whole."""
    if not pairs:
        return Group()
    beside = max(len(clean(left)) for left, _ in pairs) + 2 + max(len(clean(right)) for _, right in pairs) <= room
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=style, no_wrap=beside, overflow="fold")
    if beside:
        grid.add_column(style="dim" if style else "")
    for left, right in pairs:
        told = (Text(clean(left)), Text(clean(right), "not bold dim" if style and not beside else ""))
        for row in [told] if beside else [(one,) for one in told if one]:
            grid.add_row(*row)
    return labelled(label, grid)
