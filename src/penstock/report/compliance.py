"""The compliance view: tables for the terminal, JSON, and one HTML page. It never claims legal certainty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from importlib import resources
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from penstock.assess.compliance import FRAMEWORKS, MAY_NOT_APPLY, STATES, Judged, Proposed, Since, Told, dates, since
from penstock.graph.vocabulary import Evidence
from penstock.report.clean import clean
from penstock.report.json_report import moment
from penstock.report.screen import Screen
from penstock.report.view import Report

#: Raised when a reader of the last version could be misled.
SCHEMA = "penstock.compliance/1"
NOT_LAW = (
    "A reading of what was seen, by the framework's own ids. It proposes; it is no legal advice and certifies nothing."
)
COLOURS = {"met": "green", "not met": "red", "unknown": "yellow", "not applicable": "dim"}
MARKS = {"met": "✓", "not met": "✗", "unknown": "?", "not applicable": "–"}
#: Lines told of one requirement on a terminal.
_LINES = 3
_NAMES = 4


def counts(judged: Iterable[Judged]) -> Counter[str]:
    """How many requirements are in each state."""
    return Counter(one.state for one in judged)


def overview_table(report: Report, by_edition: dict[str, list[Judged]], *, screen: Screen | None = None) -> str:
    """Every framework with how many of its requirements are met."""
    screen = screen or Screen.of()
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Framework")
    for state in STATES:
        table.add_column(state.capitalize(), justify="right")
    table.add_column("")
    for edition, judged in by_edition.items():
        number = counts(judged)
        name, title, _ = FRAMEWORKS[edition]
        cells = [Text(str(number[state] or "-"), COLOURS[state] if number[state] else "dim") for state in STATES]
        table.add_row(Text(title, "bold"), *cells, Text(f"penstock comply {name}", "dim"))
    return screen.draw(table, "", Text(NOT_LAW, "dim"))


def table(
    report: Report,
    edition: str,
    judged: Sequence[Judged],
    proposed: Sequence[Proposed],
    *,
    screen: Screen | None = None,
) -> str:
    """One framework's requirements; of the EU AI Act first what it may call each system, and from when."""
    screen = screen or Screen.of()
    _, title, url = FRAMEWORKS[edition]
    parts: list[RenderableType] = [Text(title, "bold").append(f"  {url}", "dim"), Text(NOT_LAW, "dim"), ""]
    if proposed:
        parts += [*_proposed(report, proposed), ""]
    for one in judged:
        head = Text(f"{MARKS[one.state]} {one.state.upper():14} ", COLOURS[one.state])
        name = "" if one.requirement.title == one.requirement.number else f" {one.requirement.title}"
        head.append(f"{one.requirement.number}{name}", "bold")
        if when := since(one.requirement):
            head.append(f"  {_when(report, when)}", "dim")
        parts.append(head)
        parts.append(Padding(Text(one.requirement.asks, "dim"), (0, 0, 0, 17)))
        lines = _lines(report, one)
        parts += [Padding(Text(line), (0, 0, 0, 17)) for line in lines[:_LINES]]
        if len(lines) > _LINES:
            parts.append(Padding(Text(f"and {len(lines) - _LINES} more", "dim"), (0, 0, 0, 17)))
    number = counts(judged)
    parts += ["", Text(", ".join(f"{number[state]} {state}" for state in STATES if number[state]), "bold")]
    return screen.draw(*parts)


def _proposed(report: Report, proposed: Sequence[Proposed]) -> list[RenderableType]:
    shown = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("System", "Proposed class", "Because", "Proposed role"):
        shown.add_column(heading)
    for one in proposed:
        of_class = one.risk_class
        shown.add_row(
            Text(clean(report.name(one.asset), 40), "bold"),
            Text(
                of_class.name if of_class else "unknown", "red" if of_class and of_class.id == "class-high-risk" else ""
            ),
            Text(
                of_class.because if of_class else "; ".join(q.about for q in one.questions[1:2]) or "nothing decides it"
            ),
            Text(", ".join(role.name for role in one.roles) or "unknown"),
        )
    return [shown]


def _class(one: Proposed) -> str:
    return one.risk_class.name if one.risk_class else "unknown"


def _lines(report: Report, one: Judged) -> list[str]:
    """The answers that decide, a line each; what may not even apply is told together, for it asks for the same."""
    told = [each for each in one.told if each.state == one.state != "not applicable"]
    lines = [_line(report, each) for each in told if each.because != (MAY_NOT_APPLY,)]
    perhaps = [clean(report.name(each.asset), 40) for each in told if each.because == (MAY_NOT_APPLY,)]
    if perhaps:
        asked = next((q.about for each in told for q in each.questions if each.because == (MAY_NOT_APPLY,)), "")
        first = f"{', '.join(perhaps[:_NAMES])}{f' and {len(perhaps) - _NAMES} more' if len(perhaps) > _NAMES else ''}"
        lines.append(f"{MAY_NOT_APPLY}: {first}{f'. {clean(asked)}' if asked else ''}")
    return lines


def _line(report: Report, told: Told) -> str:
    """One asset's answer in a line: why, and where it can be read or what to ask."""
    name = f"{clean(report.name(told.asset), 60)}: " if told.asset else ""
    said = "; ".join(clean(one) for one in told.because)
    if told.state == "unknown":
        asked = [clean(question.about) for question in told.questions]
        more = f" (and {len(asked) - 1} more)" if len(asked) > 1 else ""
        return f"{name}{f'{said}. ' if said else ''}{asked[0] if asked else 'nobody can tell from here'}{more}"
    places = _places(report, told.evidence)
    return f"{name}{said}{' · ' if said and places else ''}{places}" if said or places else name.rstrip(": ")


def _places(report: Report, evidence: Iterable[Evidence]) -> str:
    return ", ".join(dict.fromkeys(clean(report.where(one) or one.collector, 120) for one in evidence))


def _when(report: Report, when: Since) -> str:
    applies = when.applies(datetime.fromtimestamp(report.generated_at, UTC).date())
    return f"applies {'since' if applies else 'from'} {when.day}{' (reported)' if when.read == 'reported' else ''}"


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def document(report: Report, by_edition: dict[str, list[Judged]], proposed: Sequence[Proposed]) -> dict[str, Any]:
    """The compliance view as JSON."""
    return {
        "schema": SCHEMA,
        "generator": {"name": "penstock", "version": report.version},
        "generated_at": moment(report.generated_at),
        "note": NOT_LAW,
        "frameworks": [
            {
                "id": edition,
                "title": FRAMEWORKS[edition][1],
                "url": FRAMEWORKS[edition][2],
                "requirements": [_requirement(report, one) for one in judged],
            }
            for edition, judged in by_edition.items()
        ],
        "proposed": [
            {
                "asset": one.asset,
                "name": report.name(one.asset),
                "class": one.risk_class.name if one.risk_class else None,
                "because": one.risk_class.because if one.risk_class else None,
                "article": one.risk_class.article if one.risk_class else None,
                "roles": [{"name": r.name, "because": r.because, "article": r.article} for r in one.roles],
                "questions": [question.about for question in one.questions],
            }
            for one in proposed
        ],
        "dates": [
            {"from": d.day, "what": d.what, "source": d.source, "url": d.url, "read": d.read, "note": d.note}
            for d in (dates() if "eu-ai-act-2024" in by_edition else ())
        ],
    }


def _requirement(report: Report, one: Judged) -> dict[str, Any]:
    when = since(one.requirement)
    return {
        "id": one.requirement.number,
        "title": one.requirement.title,
        "asks": one.requirement.asks,
        "state": one.state,
        "from": when.day if when else None,
        "assets": [
            {
                "asset": told.asset or None,
                "name": report.name(told.asset) if told.asset else None,
                "state": told.state,
                "because": list(told.because),
                "evidence": [{"where": report.where(e), "collector": e.collector} for e in told.evidence],
                "findings": list(told.findings),
                "questions": [
                    {"asset": q.asset, "about": q.prop or q.verb, "question": q.about} for q in told.questions
                ],
            }
            for told in one.told
        ],
    }


# ── HTML ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def html(report: Report, by_edition: dict[str, list[Judged]], proposed: Sequence[Proposed]) -> str:
    """One page that asks nobody for anything."""
    css = resources.files("penstock.report").joinpath("threat_model.css").read_text("utf-8")
    body = "".join(_framework(report, edition, judged, proposed) for edition, judged in by_edition.items())
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>Compliance view</title>\n<style>{css}</style>\n</head>\n<body>\n"
        f"<header><p class='kind'>{(moment(report.generated_at) or '')[:10]} · Penstock {escape(report.version)}</p>"
        f"<h1>Compliance view</h1><p>{escape(NOT_LAW)}</p></header>\n<main>{body}</main>\n</body>\n</html>\n"
    )


def _framework(report: Report, edition: str, judged: Sequence[Judged], proposed: Sequence[Proposed]) -> str:
    _, title, url = FRAMEWORKS[edition]
    number = counts(judged)
    tally = " ".join(_state(state, f"{number[state]} {state}") for state in STATES if number[state])
    rows = "".join(
        f'<tr><td>{_state(one.state, one.state)}</td><th scope="row">{escape(one.requirement.number)} '
        f"{escape('' if one.requirement.title == one.requirement.number else one.requirement.title)}</th>"
        f"<td>{escape(one.requirement.asks)}{_since(report, one)}</td><td>{_assets(report, one)}</td></tr>"
        for one in judged
    )
    heads = "".join(
        f'<th scope="col">{head}</th>' for head in ("State", "Requirement", "What it asks", "What shows it")
    )
    act = _act(report, proposed) if edition == "eu-ai-act-2024" else ""
    return (
        f'<section><h2>{escape(title)}</h2><p>{tally} · <a href="{escape(url)}" rel="noreferrer">the text</a></p>{act}'
        f'<div class="scroll" role="region" aria-label="{escape(title)}" tabindex="0"><table><thead><tr>{heads}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div></section>"
    )


def _state(state: str, text: str) -> str:
    kind = {"met": "there", "not met": "missing", "unknown": "unknown", "not applicable": "quiet"}[state]
    return f'<span class="state {kind}">{MARKS[state]} {escape(text)}</span>'


def _since(report: Report, one: Judged) -> str:
    when = since(one.requirement)
    return f'<br><em title="{escape(when.source)}">{escape(_when(report, when))}</em>' if when else ""


def _assets(report: Report, one: Judged) -> str:
    told = [each for each in one.told if each.state != "not applicable"]
    if not told:
        return '<span class="quiet">nothing that it applies to</span>'
    rows = "".join(f"<li>{_state(each.state, '')}{escape(_line(report, each))}</li>" for each in told)
    return f"<ul class='plain'>{rows}</ul>" if len(told) < 5 else (
        f"<details><summary>{len(told)} assets</summary><ul class='plain'>{rows}</ul></details>"
    )  # fmt: skip


def _why(one: Proposed) -> str:
    return f"{one.risk_class.because}, {one.risk_class.article}" if one.risk_class else "nothing decides it yet"


def _act(report: Report, proposed: Sequence[Proposed]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(clean(report.name(one.asset), 80))}</th>'
        f"<td>{escape(_class(one))}<br><em>{escape(_why(one))}</em></td>"
        f"<td>{escape(', '.join(role.name for role in one.roles) or 'unknown')}</td>"
        f"<td><ul class='plain'>{''.join(f'<li>{escape(clean(q.about))}</li>' for q in one.questions)}</ul></td></tr>"
        for one in proposed
    )
    when = "".join(
        f'<tr><th scope="row">{escape(day.day)}</th><td>{escape(day.what)}</td>'
        f"<td>{'read in the Regulation' if day.read == 'law' else 'reported'}: {escape(day.source)}"
        f"{f'<br><em>{escape(day.note)}</em>' if day.note else ''}</td></tr>"
        for day in dates()
    )
    heads = "".join(f'<th scope="col">{h}</th>' for h in ("System", "Proposed class", "Proposed role", "What decides"))
    return (
        '<h3>Proposed role and class of each system</h3><div class="scroll" role="region" tabindex="0" '
        f'aria-label="Proposals"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        '<h3>From when it applies</h3><div class="scroll" role="region" tabindex="0" aria-label="Dates"><table><tbody>'
        f"{when}</tbody></table></div><h3>Requirements</h3>"
    )
