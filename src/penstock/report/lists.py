"""Lists for a terminal: inventory, findings, questions, coverage, changes, cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from penstock.graph.diff import Changes
from penstock.graph.vocabulary import LABELS, Asset, Case, Finding, Question, Unseen
from penstock.report.clean import clean
from penstock.report.screen import Screen
from penstock.report.table import SEVERITY_STYLES, path_line, shortened, when
from penstock.report.view import PEOPLE_KINDS, Report, by_weight, words

STATE_STYLES = {"open": "red", "snoozed": "cyan", "accepted": "yellow", "resolved": "green"}
#: Places shown for one reason why something was not seen, and assets for one question.
PLACES = 5
#: Columns below which a place stands under its asset, for beside it there is no room to say which repository.
NARROW = 100
#: What is no source of its own, as a reader calls it.
NO_SOURCE = {"words": "people's words", "gateway": "calls through the gateway"}


def inventory(report: Report, *, screen: Screen | None = None, kinds: Iterable[str] = ()) -> str:
    """Every asset of the inventory under its kind: name, data it touches, owner, and where it was seen first."""
    screen, wanted = screen or Screen.of(), frozenset(kinds)
    narrow = screen.width < NARROW
    columns = [("", 1), ("Data", 0), ("Owner", 0), *([] if narrow else [("Seen at", 1)])]
    table = _table(*columns, screen=screen)
    for kind, number in report.counts.items():
        if wanted and kind not in wanted:
            continue
        if table.row_count:
            table.add_row()
        word = words(kind, 2)
        table.add_row(Text(word[0].upper() + word[1:], "bold cyan").append(f" {number:,}", "dim"))
        for asset in report.inventory:
            if asset.kind == kind:
                owner = Text(_short(report.owner(asset.id)), "dim")
                cells = [_asset(asset), labels(report.labels(asset.id)), owner]
                if narrow:
                    table.add_row(Group(cells[0], Padding(place(report, asset), (0, 0, 0, 2))), *cells[1:])
                else:
                    table.add_row(*cells, place(report, asset))
    return screen.draw(table if table.row_count else Text("No AI was found in what could be seen."))


def findings(report: Report, *, screen: Screen | None = None, accepted: bool = False) -> str:
    """Open findings, worst first, with path and owner; with ``accepted`` those that somebody lives with instead."""
    screen = screen or Screen.of()
    found = report.accepted if accepted else report.findings
    if not found:
        return screen.draw(Text("Nothing is accepted." if accepted else "Nothing to act on.", "green"))
    table = _table(("", 0), ("Risk", 1), ("Owner", 0), ("Id", 0), screen=screen)
    for finding in found:
        named = report.owner_of(finding)
        owner = Text(_short(named)) if named else Text("nobody", "yellow")
        table.add_row(severity(finding.severity), _risk(report, finding), owner, finding.id[:8])
        if accepted and (decided := report.acceptance_of(finding)):
            until = f"until {when(decided.until)[:10]}, {clean(decided.who)}: {clean(decided.why)}"
            table.add_row("", Text(until, "yellow"))
    return screen.draw(table)


def by_fix(report: Report, *, screen: Screen | None = None) -> str:
    """Open findings under the one change that closes them: the worst first, then what closes most."""
    screen = screen or Screen.of()
    known = {finding.id: finding for finding in report.findings}
    table = _table(("", 0), ("Change", 1), ("Closes", 0), screen=screen)
    for fix in report.assessment.fixes:
        closed = [known[id] for id in fix.findings if id in known]
        if not closed:
            continue
        told = [Text(clean(fix.what), "bold")]
        for title, times in Counter(clean(finding.title) for finding in closed).most_common(PLACES):
            told.append(Text(f"  {title}{f' ×{times}' if times > 1 else ''}", "dim"))
        if fix.change:
            told.append(Text(f"  try it: penstock whatif '{clean(fix.change)}'", "cyan"))
        ways = f", {len(fix.closes):,} ways in" if fix.closes else ""
        number = f"{len(closed):,} risk{'s' if len(closed) > 1 else ''}{ways}"
        table.add_row(severity(fix.severity), Group(*told), number)
    return screen.draw(table if table.row_count else Text("Nothing to act on.", "green"))


def questions(report: Report, *, screen: Screen | None = None) -> str:
    """What only a person can say, the same question about several assets once; the commonest first."""
    screen = screen or Screen.of()
    groups: dict[str, list[Question]] = {}
    for question in report.assessment.questions:
        name = f"{report.name(question.asset)}: "
        asked = clean(question.about)
        groups.setdefault(asked.removeprefix(name), []).append(question)
    if not groups:
        return screen.draw(Text("There is nothing to ask.", "green"))
    parts: list[RenderableType] = []
    for asked, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        rules = sorted({question.rule for question in group} - {""})
        parts.append(Text(asked[0].upper() + asked[1:], "bold").append(f"  {' '.join(map(clean, rules))}", "dim"))
        names = sorted({_asked_about(report, question) for question in group}, key=str.casefold)
        more = f", and {len(names) - PLACES:,} more" if len(names) > PLACES else ""
        parts.append(Padding(Text(", ".join(names[:PLACES])).append(more, "dim"), (0, 0, 0, 2)))
    answer = (
        "Answer them: penstock ask --write answers.yaml makes a sheet of all, with who likely knows; "
        "penstock ask --answers answers.yaml reads it back. Or in the ai-system.yaml of the repository."
    )
    return screen.draw(*parts, "", Text(answer, "dim"))


def _asked_about(report: Report, question: Question) -> str:
    """The asset of a question, and who may know."""
    owner = report.owner(question.asset)
    return f"{report.name(question.asset)} ({words(report.kind(question.asset))}{f' of {owner}' if owner else ''})"


def coverage(report: Report, *, screen: Screen | None = None) -> str:
    """What was looked at and by whom, and what was not seen, by reason; skips apart."""
    screen = screen or Screen.of()
    assets: Counter[str] = Counter()
    by_collector: Counter[str] = Counter()
    for asset in report.graph.assets.values():
        evidence = report.graph.evidence.get(asset.id, ())
        assets.update({e.scope for e in evidence if e.scope})
        by_collector.update({e.collector for e in evidence})
    complete: dict[str, list[str]] = {}
    for scope, verb in sorted(report.graph.complete):
        complete.setdefault(scope, []).append(verb.replace("_", " "))
    failed = Counter(unseen.scope for unseen in report.failures)
    sources = _table(("Source", 1), ("Assets", 0), ("All seen of", 0), ("Not seen", 0), screen=screen)
    for scope in sorted({*assets, *report.sources, *failed} - {""}):
        known = complete.get(scope, []) if scope not in NO_SOURCE else []
        whole = ", ".join(known[:2]) + (f" +{len(known) - 2}" if len(known) > 2 else "") or "–"
        missed = Text(f"{failed[scope]:,}", "yellow") if failed[scope] else Text("0", "dim")
        name = NO_SOURCE.get(scope, clean(scope.removeprefix("repo:")))
        sources.add_row(name, f"{assets[scope]:,}", Text(whole, "dim"), missed)
    collectors = _table(("Collector", 1), ("Assets seen", 0), screen=screen)
    for name, number in sorted(by_collector.items(), key=lambda item: (-item[1], item[0])):
        collectors.add_row(clean(name), f"{number:,}")
    parts: list[RenderableType] = [_heading("Sources"), sources, "", _heading("Seen by"), collectors, ""]
    parts += _unseen(report, "Not seen", report.failures, "yellow")
    parts += _unseen(report, "Skipped on purpose", report.skipped, "dim")
    if not report.failures:
        parts.append(Text("Everything in reach was read.", "green"))
    return screen.draw(*parts)


def changes(report: Report, changed: Changes | None = None, *, screen: Screen | None = None) -> str:
    """What is new, changed and gone, and which links appeared or went; of the report unless given."""
    screen = screen or Screen.of()
    changed = changed if changed is not None else report.changes
    if not changed:
        return screen.draw(Text("Nothing changed."))
    known = {asset.id: clean(asset.name) for asset in (*changed.added, *changed.removed)}
    parts: list[RenderableType] = []
    for sign, style, listed in (("+", "green", changed.added), ("-", "red", changed.removed)):
        for asset in sorted(listed, key=_by_kind):
            parts.append(Text(f"{sign} {words(asset.kind)} ", style).append(clean(asset.name), "bold"))
    for id, fields in sorted(changed.changed.items()):
        parts.append(Text(f"~ {words(report.kind(id))} ", "yellow").append(known.get(id) or report.name(id), "bold"))
        for name, (before, after) in sorted(fields.items()):
            parts.append(
                Text(f"    {name.removeprefix('props.')}: ", "dim")
                .append(_value(before))
                .append(" → ", "dim")
                .append(_value(after))
            )
    for sign, style, relations in (
        ("+", "green", changed.relations_added),
        ("-", "red", changed.relations_removed),
    ):
        for r in sorted(relations, key=lambda r: r.key):
            source, target = (known.get(end) or report.name(end) for end in (r.source, r.target))
            parts.append(Text(f"{sign} ", style).append(f"{source} ─{r.verb.replace('_', ' ')}→ {target}"))
    return screen.draw(*parts)


def cases(report: Report, *, screen: Screen | None = None, closed: bool = False) -> str:
    """Cases, open ones first: what, whose, since when, how often it happened; resolved ones only with ``closed``."""
    screen = screen or Screen.of()
    shown = [case for case in report.cases if closed or case.state != "resolved"]
    if not shown:
        return screen.draw(Text("There is no open case.", "green"))
    table = _table(("", 0), ("Case", 1), ("Owner", 0), ("State", 0), ("Seen", 0), ("Id", 0), screen=screen)
    for case in shown:
        owner = Text(_short(report.name(case.owner))) if case.owner else Text("nobody", "yellow")
        table.add_row(severity(case.severity), clean(case.title), owner, state(case), happened(case), case.id)
    return screen.draw(table)


# ── cells, also for pages ────────────────────────────────────────────────────────────────────────────────────────────


def severity(word: str) -> Text:
    return Text(word, SEVERITY_STYLES.get(word, ""))


def state(case: Case) -> Text:
    until = f" to {when(case.until)[:10]}" if case.until else ""
    return Text(case.state, STATE_STYLES.get(case.state, "")).append(until, "dim")


def happened(case: Case) -> str:
    """How often a case happened at run time."""
    return f"{case.event_count:,}×" if case.event_count else "–"


def labels(found: Iterable[str]) -> Text:
    """Data categories; those that call for protection stand out."""
    text = Text()
    for label in by_weight(found):
        text.append(" " if text else "").append(label.replace("_", " "), "magenta" if label in LABELS else "dim")
    return text


@dataclass(frozen=True, slots=True)
class Place:
    """A place on one line, however narrow the column, and how many more there are."""

    where: str
    more: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        yield Text(shortened(self.where, max(8, options.max_width - len(self.more))) + self.more, "dim")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        most = min(len(self.where) + len(self.more), options.max_width)
        return Measurement(min(16, most), most)


def place(report: Report, asset: Asset) -> Place:
    evidence = report.graph.evidence.get(asset.id, ())
    return Place(report.place(asset.id), f" +{len(evidence) - 1}" if len(evidence) > 1 else "")


def _asset(asset: Asset) -> Text:
    text = Text(clean(asset.name, 120), "bold")
    if asset.status != "used":
        text.append(f" {asset.status}", "dim")
    if asset.lifecycle != "current":
        text.append(f" {asset.lifecycle}", "yellow")
    return text


def _risk(report: Report, finding: Finding) -> RenderableType:
    title = Text().append(clean(finding.title), "bold").append(f"  {clean(finding.rule)}", "dim")
    if len(finding.path) > 1:
        return Group(title, path_line(report, finding.path))
    return Group(title, Text(report.name(finding.subject)))


def _unseen(report: Report, title: str, unseen: Sequence[Unseen], style: str) -> list[RenderableType]:
    """Reasons with some of their places, the commonest first."""
    if not unseen:
        return []
    groups: dict[str, list[Unseen]] = {}
    for one in unseen:
        groups.setdefault(f"{clean(one.what, 80)}: {clean(one.why, 200)}", []).append(one)
    parts: list[RenderableType] = [_heading(f"{title} {len(unseen):,}")]
    for why, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        times = f"{len(group):,}× " if len(group) > 1 else ""
        parts.append(Padding(Text(f"{times}{why}", style), (0, 0, 0, 2)))
        for one in group[:PLACES]:
            parts.append(Padding(Text(report.unseen_at(one)), (0, 0, 0, 6)))
        if len(group) > PLACES:
            parts.append(Padding(Text(f"and {len(group) - PLACES:,} more", "dim"), (0, 0, 0, 6)))
        if hint := next((one.hint for one in group if one.hint), ""):
            parts.append(Padding(Text(f"help: {clean(hint)}", "cyan"), (0, 0, 0, 6)))
    return [*parts, ""]


def _heading(text: str) -> Text:
    return Text(text, "bold")


def _table(*columns: tuple[str, int], screen: Screen) -> Table:
    """A table with one line, under its head. Columns share the width by their ratio; 0 takes what its words need."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim", border_style="dim")
    table.width = screen.width
    for name, ratio in columns:
        table.add_column(name, ratio=ratio or None, overflow="fold", no_wrap=not ratio)
    return table


def _short(name: str) -> str:
    """A name as a narrow column shows it."""
    return clean(name, 24)


def _by_kind(asset: Asset) -> tuple[bool, str, str, str]:
    return asset.kind in PEOPLE_KINDS, asset.kind, asset.name.casefold(), asset.id


def _value(value: object) -> str:
    if value is None or value == "":
        return "unknown"
    if isinstance(value, set | frozenset | tuple | list):
        return ", ".join(sorted(clean(v) for v in value)) or "none"
    return clean(value, 200)
