"""The data map as one SVG file that asks nobody for anything: fit for a wiki page, a mail, an auditor.

The colours follow the reader's light or dark palette; every box and every link tells what it is and why as its title.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape
from importlib import resources

from penstock.graph.vocabulary import LABEL_WORDS, said_labels
from penstock.report.clean import clean
from penstock.report.datamap.chart import Box, Chart, Link
from penstock.report.datamap.layout import EDGE, LABELLED, WIDE, layout
from penstock.report.view import Report

#: Label → the word on its chip: short, for a box is narrow.
CHIP = {
    "phi": "health", "special_category": "special", "minors": "children", "pci": "cards", "credentials": "secrets",
    "pii": "personal", "confidential": "confidential", "trade_secret": "trade secret",
    "unknown-origin": "unknown origin",
}  # fmt: skip
#: Characters of a name that fit a box, at the width of the widest font that the style names.
NAME, DETAIL = 21, 28
#: Pixels of a chip: its ends, and each character of its word.
CHIP_ENDS, CHIP_LETTER = 12.0, 5.6
#: Relations told as the reason of one link, and chips on one box.
REASONS, CHIPS = 6, 3
#: Height of the heading and of each line below it, and width of a letter there.
TITLE, LINE, LETTER = 51, 18, 7.2


def svg(report: Report, chart: Chart, title: str) -> str:
    """The picture alone, with its style."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{drawn(report, chart, title, style())}\n'


def summary(chart: Chart) -> str:
    """What is on the chart and what is not, in a sentence each."""
    said = f"{chart.shown:,} {'asset' if chart.shown == 1 else 'assets'}"
    if chart.groups:
        said += f" in {len(chart.boxes):,} boxes, {chart.groups:,} of them groups"
    told = [
        f"{LABEL_WORDS[label]}: {held:,} contain{'s' if held == 1 else ''} it, {seen:,} may see it"
        for label, (held, seen) in chart.labels.items()
    ]
    said += f". {'. '.join(one[0].upper() + one[1:] for one in told)}." if told else ", none with labelled data."
    if chart.apart:
        more = (
            "1 more has no known flow of data and is"
            if chart.apart == 1
            else (f"{chart.apart:,} more have no known flow of data and are")
        )
        said += f" {more} not shown."
    return said


# ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────────────


def style() -> str:
    """The style sheet of the picture, in both palettes."""
    return resources.files("penstock.report.datamap").joinpath("picture.css").read_text("utf-8")


def drawn(report: Report, chart: Chart, title: str, style: str, *, headed: bool = True) -> str:
    """The SVG element; without a style where the page around it has one, without a heading where that says it."""
    at = layout(chart)
    width = max(at.width, 560.0)
    told = textwrap.wrap(summary(chart), int((width - 2 * EDGE) / LETTER)) if headed else []
    above = TITLE + LINE * len(told) if headed else 0
    height = at.height + above
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="penstock" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" aria-label="{escape(title)}">',
        f"<style>{style}</style>" if style else "",
        "<defs>",
        *(
            f'<marker id="{name}" class="{name}" viewBox="0 0 8 8" refX="7.2" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto-start-reverse"><path d="M.5.8 7.500 4 .5 7.200z"/></marker>'
            for name in ("arrow", "arrow-data")
        ),
        "</defs>",
        f'<rect class="ground" width="{width:g}" height="{height:g}"/>',
    ]
    if headed:
        parts.append(f'<text class="title" x="{EDGE}" y="30">{escape(title)}</text>')
        parts += [
            f'<text class="summary" x="{EDGE}" y="{TITLE + LINE * number:g}">{escape(line)}</text>'
            for number, line in enumerate(told)
        ]
    parts.append(f'<g transform="translate(0 {above})">')
    for band in at.bands:
        room = 18
        parts.append(
            f'<rect class="band" x="{band.x - room:g}" y="8" width="{band.width + 2 * room:g}" '
            f'height="{at.height - 20:g}" rx="12"/>'
            f'<text class="stage" x="{band.x:g}" y="36">{escape(band.title)}</text>'
            f'<text class="count" x="{band.x + band.width:g}" y="36">{_count(chart, band.stage)}</text>'
        )
    order = sorted(range(len(chart.links)), key=lambda number: bool(chart.links[number].labels))
    parts += [_link(report, chart.links[number], at.links[number]) for number in order]
    parts += [_box(box, *at.boxes[box.id], at.heights[box.id]) for box in chart.boxes]
    parts.append("</g></svg>")
    return "".join(parts)


def _count(chart: Chart, stage: str) -> str:
    return f"{sum(len(box.assets) or 1 for box in chart.boxes if box.stage == stage):,}"


def _link(report: Report, link: Link, points: Sequence[tuple[float, float]]) -> str:
    kind = f"link{'' if link.holds else ' sight'}{' data' if link.labels else ''}"
    marker = "arrow-data" if link.labels else "arrow"
    return (
        f'<g class="{kind}" data-from="{escape(link.source)}" data-to="{escape(link.target)}" '
        f'data-labels="{" ".join(link.labels)}"><title>{escape(reason(report, link))}</title>'
        f'<path class="near" d="{_curve(points)}"/>'
        f'<path class="line" d="{_curve(points)}" marker-end="url(#{marker})"/></g>'
    )


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """Level out of a box and level into the next, straight through lanes."""
    (x, y), *rest = points
    drawn = [f"M{x:g} {y:g}"]
    for number, (to_x, to_y) in enumerate(rest):
        lane = 0 < number < len(rest) - 1 and to_y == y
        around = to_x == x
        bend = 46.0 if around else (to_x - x) / 2
        if lane or (y == to_y and not around):
            drawn.append(f"L{to_x:g} {to_y:g}")
        elif around:
            drawn.append(f"C{x + bend:g} {y:g} {to_x + bend:g} {to_y:g} {to_x:g} {to_y:g}")
        else:
            drawn.append(f"C{x + bend:g} {y:g} {to_x - bend:g} {to_y:g} {to_x:g} {to_y:g}")
        x, y = to_x, to_y
    return "".join(drawn)


def _box(box: Box, x: float, y: float, high: float) -> str:
    """What it is, small; its name; its labels."""
    kind = " ".join(
        (
            "box",
            box.stage,
            "group" if box.is_group else "one",
            "held" if box.contains else "seen" if box.sees else "bare",
        )
    )
    behind = f'<rect class="behind" x="5" y="-5" width="{WIDE}" height="{high:g}" rx="9"/>' if box.is_group else ""
    name_at = 34 if box.detail else high / 2 + 4
    return (
        f'<g class="{kind}" data-id="{escape(box.id)}" data-labels="{" ".join(box.labels)}" '
        f'transform="translate({x:g} {y:g})"><title>{escape(_said(box))}</title>{behind}'
        f'<rect class="body" width="{WIDE}" height="{high:g}" rx="9"/>'
        f'<text class="detail" x="12" y="17">{escape(_detail(box))}</text>'
        f'<text class="name" x="12" y="{name_at:g}">{escape(shortened(box.name, NAME))}</text>{_chips(box)}</g>'
    )


def _detail(box: Box) -> str:
    """What it is, and as much of where as there is room for: its end."""
    kind, dot, place = box.detail.partition(" · ")
    room = DETAIL - len(kind) - len(dot)
    return kind + dot + (place if len(place) <= room else f"…{place[-(room - 1) :]}")


def _chips(box: Box) -> str:
    """The labels of a box, gravest first, as many as there is room for; outlined when it may only see them."""
    chips, left, shown = "", 12.0, 0
    for label in box.labels[:CHIPS]:
        word = CHIP[label]
        if box.is_group:
            word += f" {box.contains.get(label, 0) + box.sees.get(label, 0)}"
        wide = CHIP_ENDS + CHIP_LETTER * len(word)
        if shown and left + wide > WIDE - 24:
            break
        chips += (
            f'<g class="chip{"" if label in box.contains else " only"} {label}" transform="translate({left:g} '
            f'{LABELLED - 22:g})"><rect width="{wide:g}" height="15" rx="7.500"/>'
            f'<text x="{wide / 2:g}" y="10.800">{escape(word)}</text></g>'
        )
        left, shown = left + wide + 4, shown + 1
    if left_out := len(box.labels) - shown:
        chips += f'<text class="more" x="{left:g}" y="{LABELLED - 11:g}">+{left_out}</text>'
    return chips


def _said(box: Box) -> str:
    """A box in words."""
    lines = [f"{box.name} ({box.detail})" if box.detail else box.name]
    for verb, counts in (("contains", box.contains), ("may see", box.sees)):
        if counts and box.is_group:
            told = (f"{LABEL_WORDS[label]} in {number:,} of {len(box.assets):,}" for label, number in counts.items())
            lines.append(f"{verb} {', '.join(told)}")
        elif counts:
            lines.append(f"{verb} {said_labels(counts)}")
    return "\n".join(lines)


def reason(report: Report, link: Link) -> str:
    """Why there is a link: each relation with the place it was read at, and what travels along it."""
    lines = []
    for relation in link.relations[:REASONS]:
        evidence = report.graph.evidence.get(relation.key, ())
        where = f" · {report.where(evidence[0])}, {evidence[0].confidence}" if evidence else ""
        said = relation.verb.replace("_", " ")
        lines.append(f"{report.name(relation.source)} {said} {report.name(relation.target)}{where}")
    if len(link.relations) > REASONS:
        lines.append(f"and {len(link.relations) - REASONS:,} more relations")
    if not link.relations:
        lines.append("who can reach it, by its declared audience or its network exposure")
    if link.labels:
        lines.append(f"{'carries' if link.holds else 'shows'} {said_labels(link.labels)}")
    return "\n".join(clean(line, 400) for line in lines)


def shortened(name: str, room: int) -> str:
    """A name that fits: of a path the end matters most, of anything else both ends."""
    if len(name) <= room:
        return name
    if "/" in name:
        tail = name.rpartition("/")[2]
        if len(tail) + 2 <= room:
            return f"…{name[-(room - 1) :]}"
    ahead = (room - 1) * 2 // 3
    return f"{name[:ahead]}…{name[-(room - 1 - ahead) :]}"
