"""A threat model as one HTML page with its data-flow picture; it asks nobody for anything, and its policy says so."""

from __future__ import annotations

from html import escape
from importlib import resources

from penstock.assess.controls import control_of
from penstock.assess.threats import Answering, Faced, ThreatModel
from penstock.errors import WrongUse
from penstock.report.clean import clean
from penstock.report.datamap.chart import chart
from penstock.report.datamap.picture import drawn, style
from penstock.report.threat_model import REST, STATES, by_control, day, places, said_rest, six, tags
from penstock.report.view import Report, words

#: Boxes of the picture beyond which assets are grouped: a page wide.
_BOXES = 60
_MARKS = {"there": "✓", "missing": "✗", "unknown": "?"}


def html(report: Report, model: ThreatModel) -> str:
    """The page: what the system is, its picture, its threats at a glance, then each with what stands against it."""
    name = clean(report.name(model.system), 120)
    title = f"Threat model of {name}"
    css = resources.files("penstock.report").joinpath("threat_model.css").read_text("utf-8")
    owner = report.owner(model.system) or "unknown"
    about = "".join(
        f"<div><dt>{escape(question)}</dt><dd>{escape(clean(said, 300))}</dd></div>"
        for question, said in (*six(report, model.system), ("Owner", owner))
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{style()}{css}</style>\n</head>\n<body>\n"
        f"<header><p class='kind'>{escape(words(report.kind(model.system)))} · "
        f"{day(report)} · Penstock {escape(report.version)}</p>"
        f"<h1>{escape(title)}</h1><dl>{about}</dl></header>\n"
        f"<main>{_picture(report, model)}{_glance(model)}"
        f"{''.join(_threat(report, faced, number) for number, faced in enumerate(model.threats, 1))}"
        f"{_questions(report, model)}</main>\n</body>\n</html>\n"
    )


def _picture(report: Report, model: ThreatModel) -> str:
    """Where its data comes from and goes; nothing where no flow is known."""
    try:
        flows = chart(report.graph, report.labelling, asset=model.system, most=_BOXES)
    except WrongUse:
        return ""
    if len(flows.boxes) < 2:
        return ""
    picture = drawn(report, flows, "Data flow", "", headed=False)
    return (
        '<section><h2>Data flow</h2><div class="map" role="region" aria-label="Picture of the data flow" tabindex="0">'
        f'{picture}</div><p class="quiet">Solid: it holds the data. Dashed: it may see it.</p></section>'
    )


def _glance(model: ThreatModel) -> str:
    if not model.threats:
        return (
            "<section><h2>Threats</h2><p>Nothing known of it makes a threat of the catalogue conceivable.</p></section>"
        )
    rows = "".join(
        f'<tr><td><span class="rest {faced.rest[1]}">{REST[faced.rest[1]]}</span></td>'
        f'<th scope="row"><a href="#{faced.threat.id}">{escape(faced.threat.title)}</a></th>'
        f"<td>{_left(faced)}</td><td>{STATES[faced.state]}</td><td>{_tally(faced)}</td></tr>"
        for faced in model.threats
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("At most left", "Threat", "Range", "State", "Controls"))
    return (
        f'<section><h2>Threats at a glance</h2><div class="scroll" role="region" aria-label="Threats at a glance" '
        f'tabindex="0"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def _left(faced: Faced) -> str:
    said = said_rest(faced.rest)
    return said if faced.inherent == faced.rest[1] else f"{said} (bare: {REST[faced.inherent]})"


def _tally(faced: Faced) -> str:
    """How many controls are there, missing, unknown."""
    said = []
    for state, mark in _MARKS.items():
        number = sum(any(one.standing.state == state for one in group) for group in by_control(faced).values())
        if number:
            said.append(f'<span class="{state}">{mark} {number} {state}</span>')
    return " ".join(said)


def _threat(report: Report, faced: Faced, number: int) -> str:
    stride = "".join(f"<li>{word.replace('_', ' ')}</li>" for word in faced.threat.stride)
    reasons = "".join(f"<li>{escape(clean(reason, 400))}</li>" for reason in faced.because)
    if faced.cases > len(faced.because):
        reasons += f"<li class='quiet'>and {faced.cases - len(faced.because)} more</li>"
    titles = {finding.id: finding.title for finding in report.findings}
    shown = "".join(f"<li>{escape(clean(titles.get(id, id)))} <code>{escape(id)}</code></li>" for id in faced.findings)
    refs = " · ".join(
        f'<a href="{escape(url)}" rel="noreferrer" title="{escape(why)}">{escape(name)} {escape(title)}</a>'
        for name, title, why, url in tags(faced)
    )
    return (
        f'<article id="{faced.threat.id}" class="{faced.rest[1]}"><header><h2><span class="number">{number}</span> '
        f'{escape(faced.threat.title)}</h2><p><span class="rest {faced.rest[1]}">left: {said_rest(faced.rest)}</span> '
        f'<span class="quiet">without controls {REST[faced.inherent]} · {STATES[faced.state]}</span></p>'
        f'<ul class="stride" aria-label="STRIDE">{stride}</ul></header>'
        f"<p>{escape(clean(faced.attack, 600))}</p><h3>Why it is conceivable here</h3><ul>{reasons}</ul>"
        + (f"<h3>Shown by</h3><ul>{shown}</ul>" if shown else "")
        + _controls(report, faced)
        + f'<p class="refs">{refs}</p></article>\n'
    )


def _controls(report: Report, faced: Faced) -> str:
    rows = "".join(
        f'<tr class="{one.standing.state}"><th scope="row">{escape(control_of(id).title)}'
        f"{' <em>stops it</em>' if one.stops else ''}</th><td>{escape(clean(report.name(one.standing.asset), 80))}</td>"
        f'<td><span class="state {one.standing.state}">{_MARKS[one.standing.state]} {one.standing.state}</span></td>'
        f"<td>{escape(_said(report, one))}</td></tr>"
        for id, group in by_control(faced).items()
        for one in group
    )
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{h}</th>' for h in ("What answers it", "At", "State", "Evidence or question"))
    return (
        f'<div class="scroll" role="region" aria-label="Controls against: {escape(faced.threat.title)}" '
        'tabindex="0"><table class="controls"><thead>'
        f"<tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _said(report: Report, one: Answering) -> str:
    if one.standing.evidence:
        return places(report, one.standing.evidence)
    return clean(one.standing.question.about) if one.standing.question else "what was seen of it tells"


def _questions(report: Report, model: ThreatModel) -> str:
    if not model.questions:
        return ""
    rows = "".join(
        f"<li>{escape(clean(question.about))} <span class='quiet'>"
        f"{escape(report.owner(question.asset) or 'owner unknown')}</span></li>"
        for question in model.questions
    )
    return f"<section><h2>Answers that would narrow it</h2><ol class='ask'>{rows}</ol></section>"
