"""A risk's path as one small SVG picture: boxes from left to right, what joins them written on the arrows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from penstock.graph.vocabulary import Step
from penstock.report.clean import clean
from penstock.report.view import Report, words

#: Size of a box, the room for an arrow and its word, and boxes in a row (a page is 1,130 units wide).
_WIDE, _HIGH, _BETWEEN, _BELOW, _IN_ROW = 190, 54, 122, 34, 4
#: Letters of a name and of a verb that fit.
_NAME, _VERB = 21, 18


def drawn(report: Report, path: Sequence[Step], cut: str = "") -> str:
    """The picture; empty of a path that leads nowhere. ``cut``: id of the asset to change, drawn with a mark."""
    if len(path) < 2:
        return ""
    rows = (len(path) - 1) // _IN_ROW + 1
    width = min(len(path), _IN_ROW) * (_WIDE + _BETWEEN) - _BETWEEN + 8
    height = rows * (_HIGH + _BELOW) - _BELOW + 26
    told = " ".join(
        f"{step.verb.replace('_', ' ')} {report.name(step.asset)}" if step.verb else report.name(step.asset)
        for step in path
    )
    parts = [
        f'<svg class="path" viewBox="0 0 {width} {height}" role="img" '
        f'style="max-width:{width}px" aria-label="{escape(clean(told, 400))}">'
    ]
    for number, step in enumerate(path):
        if number:
            parts.append(_arrow(number, step))
        parts.append(_box(report, number, step.asset, step.asset == cut, last=number == len(path) - 1))
    return "".join(parts) + "</svg>"


def _corner(number: int) -> tuple[int, int]:
    """Where a box begins; every other row runs back, so that each arrow is short."""
    row, turn = divmod(number, _IN_ROW)
    column = turn if row % 2 == 0 else _IN_ROW - 1 - turn
    return 4 + column * (_WIDE + _BETWEEN), 4 + row * (_HIGH + _BELOW)


def _box(report: Report, number: int, asset: str, cut: bool, *, last: bool) -> str:
    x, y = _corner(number)
    name, labels = report.name(asset), report.labels(asset)
    kind = words(report.kind(asset)) + (f" · {', '.join(labels[:2])}" if labels else "")
    style = "entry" if not number else "jewel" if last else "hop"
    mark = f'<text class="mark" x="{x + 4}" y="{y + _HIGH + 14}">✂ change this</text>'
    return (
        f'<g class="{style}{" cut" if cut else ""}"><title>{escape(name)}</title>'
        f'<rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="8"/>'
        f'<text class="name" x="{x + 12}" y="{y + 23}">{escape(_short(name.rpartition("/")[2] or name, _NAME))}</text>'
        f'<text class="sort" x="{x + 12}" y="{y + 41}">{escape(_short(kind, _NAME + 7))}</text>'
        f"{mark if cut else ''}</g>"
    )


def _arrow(number: int, step: Step) -> str:
    (x, y), (end, below) = _corner(number - 1), _corner(number)
    word = escape(_short(step.verb.replace("_", " "), _VERB))
    if below > y:  # into the next row, straight down
        middle = x + _WIDE // 2
        line = [(middle, y + _HIGH), (middle, below)]
        at = f'x="{middle + 8}" y="{y + _HIGH + 21}"'
    else:
        right = end > x
        line = [(x + _WIDE if right else x, y + _HIGH // 2), (end if right else end + _WIDE, y + _HIGH // 2)]
        at = f'x="{(line[0][0] + line[1][0]) // 2}" y="{y + _HIGH // 2 - 7}" text-anchor="middle"'
    (x1, y1), (x2, y2) = line if step.forward else line[::-1]
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>{_head(x1, y1, x2, y2)}<text class="verb" {at}>{word}</text>'
    )


def _head(x1: int, y1: int, x2: int, y2: int) -> str:
    """The point of an arrow, drawn by hand: a marker would need an id, and many pictures share a page."""
    if x1 == x2:
        back = -7 if y2 > y1 else 7
        return f'<path d="M{x2} {y2} l-4 {back} h8 z"/>'
    back = -7 if x2 > x1 else 7
    return f'<path d="M{x2} {y2} l{back} -4 v8 z"/>'


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
