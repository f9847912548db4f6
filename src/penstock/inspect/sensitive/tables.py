"""Tables within text: a line of column names, then lines of cells, parted by ``,`` ``;`` tab or ``|``.

A table ends behind the first line that has another number of cells. Of its lines only the first two can be its header
(a sentence with as many commas may stand before it). Everything is decided from left to right, so that a text that is
still arriving is read as the whole will be.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

#: A longer line is no header; a longer row ends a table.
HEADER = 1000
ROW = 4096
#: Marks that part cells; a header has one kind of them.
_MARKS = "\t|;,"
#: Column names: short, no figures alone, none of the signs of a sentence or of code.
_NAME = re.compile(r"""\s*["'`]?[^\W\d][\w .()/#%+&'-]{0,39}["'`]?\s*""")
_HEADER_LIKE = re.compile(r"[^\x00-\x08\x0a-\x1f:=<>{}?!@$*\\~^]{3,1000}(?=\r?\n)")


@dataclass(frozen=True, slots=True)
class Header:
    """start, end: of the line, without its end; starts: where each column's name begins."""

    start: int
    end: int
    mark: str
    starts: tuple[int, ...]

    def column_of(self, at: int) -> int:
        """Which column's name stands at a place of the line."""
        return bisect_right(self.starts, at) - 1


def header_at(text: str, start: int) -> Header | None:
    """The header that begins at ``start`` and ends with its line; None for any other line."""
    if (found := _HEADER_LIKE.match(text, start)) is None:
        return None
    line, stop = found.group(), found.end()
    marks = [mark for mark in _MARKS if mark in line]
    if len(marks) != 1:
        return None
    mark = marks[0]
    cells = line.split(mark)
    edged = mark == "|" and not cells[0].strip()
    named = [cell for cell in cells if cell.strip()] if edged else cells
    if len(named) < 2 or not all(map(_NAME.fullmatch, named)):
        return None
    starts, at = [], start
    for cell in cells:
        starts.append(at)
        at += len(cell) + 1
    return Header(start, stop, mark, tuple(starts))


def cells(text: str, header: Header, columns: Container[int]) -> Iterator[tuple[int, int, int, bool]]:
    """(column, start, end, open) of the filled cells in these columns, without quotes and spaces about them.

    open: the text ends within the cell.
    """
    at = text.find("\n", header.start) + 1
    count = len(header.starts)
    while at < len(text):
        end = text.find("\n", at)
        last = end < 0
        end = len(text) if last else end
        if end == at or end - at > ROW:
            return
        seen = _split(text, at, end, header.mark)
        for column, (start, stop) in enumerate(seen[:count]):
            if column in columns and stop > start:
                yield column, start, stop, last and column == len(seen) - 1
        if len(seen) != count:
            return
        at = end + 1


def headers(text: str, starts: Iterable[int]) -> dict[int, Header]:
    """Headers of tables among the lines that begin at these places, which ascend."""
    found: dict[int, Header] = {}
    walk = _Walk()
    at = 0
    for start in starts:
        if (blank := text.rfind("\n\n", at, start)) >= 0:  # ends any table, so nothing before it matters
            at, walk = blank + 2, _Walk()
        while at <= start and (end := text.find("\n", at)) >= 0:
            header = walk.line(text, at, end)
            if header is not None and at == start:
                found[start] = header
            at = end + 1
    return found


def open_at(text: str, line: int) -> tuple[int, int] | None:
    """Start and end of the first two lines of the table to which a line that begins at ``line`` may belong."""
    run: tuple[int, int] | None = None
    walk = _Walk()
    blank = text.rfind("\n\n", 0, line)
    at = blank + 2 if blank >= 0 else 0
    while (end := text.find("\n", at, line)) >= 0:
        walk.line(text, at, end)
        if walk.number == 0:
            run = None
        elif walk.number <= 2:
            run = (at if walk.number == 1 or run is None else run[0], end + 1)
        at = end + 1
    return run


class _Walk:
    """Reads whole lines one by one; ``number`` says which line of its table the last one was (0: of none)."""

    __slots__ = ("_first", "number")

    def __init__(self) -> None:
        self._first: Header | None = None
        self.number = 0

    def line(self, text: str, at: int, end: int) -> Header | None:
        """Take in the line from ``at`` to ``end``; the header that it is."""
        first = self._first
        if first is not None and (
            end == at or end - at > ROW or _count(text, at, end, first.mark) != len(first.starts)
        ):
            self._first = first = None
        if first is None:
            self._first = header = header_at(text, at)
            self.number = 1 if header else 0
            return header
        self.number += 1
        return header_at(text, at) if self.number == 2 else None


def _count(text: str, at: int, end: int, mark: str) -> int:
    """How many cells a line has."""
    if text.find('"', at, end) < 0:
        return text.count(mark, at, end) + 1
    return len(_split(text, at, end, mark))


def _split(text: str, at: int, end: int, mark: str) -> list[tuple[int, int]]:
    """Where the cells of a line stand, stripped; a quoted cell may hold the mark."""
    if end > at and text[end - 1] == "\r":
        end -= 1
    cells: list[tuple[int, int]] = []
    if text.find('"', at, end) < 0:
        for cell in text[at:end].split(mark):
            further = at + len(cell)
            if cell[:1] == " " or cell[-1:] == " ":
                start = further - len(cell.lstrip(" "))
                cells.append((start, start + len(cell.strip(" "))))
            else:
                cells.append((at, further))
            at = further + 1
        return cells
    while True:
        start = at
        while start < end and text[start] == " ":
            start += 1
        if start < end and text[start] == '"':
            stop = start + 1
            while (stop := text.find('"', stop, end)) >= 0 and text[stop + 1 : stop + 2] == '"' and stop + 1 < end:
                stop += 2
            stop = end if stop < 0 else stop
            cells.append((start + 1, stop))
            at = text.find(mark, stop, end)
        else:
            at = text.find(mark, start, end)
            stop = end if at < 0 else at
            while stop > start and text[stop - 1] == " ":
                stop -= 1
            cells.append((start, stop))
        if at < 0:
            return cells
        at += 1
