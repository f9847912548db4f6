"""The data map as one HTML page: the picture, its labels to choose from, and the table of the same facts.

A label or a box traces its ways, by mouse or keyboard, and every link tells its reason. The page asks nobody for
anything, and its content policy says so.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from importlib import resources

from penstock.graph.vocabulary import LABEL_WORDS
from penstock.report.datamap.chart import STAGES, Chart, Link
from penstock.report.datamap.picture import drawn, reason, style, summary
from penstock.report.view import Report, words


def html(report: Report, chart: Chart, title: str) -> str:
    """A page with the picture, its labels to choose from, and the table of the same facts."""
    script = _file("page.js")
    allowed = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_digest(script)}'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{allowed}">\n'
        f"<title>{escape(title)}</title>\n<style>{style()}{_file('page.css')}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(title)}</h1><p>{escape(summary(chart))}</p>{_choice(chart)}</header>\n"
        '<p class="tools"><button type="button" id="fit" aria-pressed="false">Fit to window</button></p>'
        f'<main><div class="map" role="region" aria-label="Picture of the data map" tabindex="0">'
        f"{drawn(report, chart, title, '', headed=False)}</div>\n"
        f'<p id="told" role="status"></p>\n{_table(report, chart)}</main>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _choice(chart: Chart) -> str:
    buttons = "".join(
        f'<button type="button" class="{label}" data-label="{label}" aria-pressed="false">'
        f"{escape(LABEL_WORDS[label])} <b>{held + seen:,}</b></button>"
        for label, (held, seen) in chart.labels.items()
    )
    return f'<div class="labels" role="group" aria-label="Trace one label">{buttons}</div>' if buttons else ""


def _table(report: Report, chart: Chart) -> str:
    into: dict[str, list[Link]] = {}
    names = {box.id: box.name for box in chart.boxes}
    for link in chart.links:
        into.setdefault(link.target, []).append(link)
    rows = []
    for box in chart.boxes:
        came = "".join(
            f"<li>{escape(names[link.source])} <small>{_lines(reason(report, link))}</small></li>"
            for link in into.get(box.id, ())
        )
        rows.append(
            f'<tr><th scope="row">{escape(box.name)}<small>{escape(box.detail)}</small></th>'
            f"<td>{escape(STAGES[box.stage])}</td><td>{_words(box.contains)}</td><td>{_words(box.sees)}</td>"
            f"<td><ul>{came}</ul></td></tr>"
        )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("What", "Column", "Contains", "May see", "Comes from"))
    return (
        f"<details><summary>The same as a table ({len(rows):,} {words('row', len(rows))})</summary>"
        '<div class="scroll" role="region" aria-label="Table of the data map" tabindex="0"><table><thead>'
        f"<tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></details>"
    )


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _words(labels: Iterable[str]) -> str:
    return escape(", ".join(LABEL_WORDS[label] for label in labels))


def _file(name: str) -> str:
    return resources.files("penstock.report.datamap").joinpath(name).read_text("utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
