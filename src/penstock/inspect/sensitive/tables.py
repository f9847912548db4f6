"""Tables within text: a line of column names, then lines of cells, parted by ``,`` ``;`` tab or ``|``.

A table ends behind the first line that has another number of cells. Of its lines only the first two can be its header
(a sentence with as many commas may stand before it). Everything is decided from left to right, so that a text that is
still arriving is read as the whole will be.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterator
from dataclasses import dataclass

#: A longer line is no header; a longer row ends a table.
HEADER = 1000
ROW = 4096
#: Marks that part cells; a header has one kind of them.
_MARKS = "\t|;,"
#: Column names: short, no figures alone, none of the signs of a sentence or of code.
_NAME = re.compile(r"""\s*["'`]?[^\W\d][\w .()/#%+&'-]{0,39}["'`]?\s*""")
_HEADER_LIKE = re.compile(r"[^\x00-\x08\x0a-\x1f:=<>{}?!@$*\\~^]{3,1000}")


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
    end = text.find("\n", start, start + HEADER + 2)
    if end < 0 or end == start:
        return None
    stop = end - 1 if text[end - 1] == "\r" else end
    if _HEADER_LIKE.fullmatch(text, start, stop) is None:
        return None
    line = text[start:stop]
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
        seen = list(_split(text, at, end, header.mark))
        for column, (start, stop) in enumerate(seen[:count]):
            if column in columns and stop > start:
                yield column, start, stop, last and column == len(seen) - 1
        if len(seen) != count:
            return
        at = end + 1


def headers(text: str) -> dict[int, Header]:
    """All headers of tables, by the start of their line."""
    found: dict[int, Header] = {}
    for _, _, header in _lines(text, len(text)):
        if header is not None:
            found[header.start] = header
    return found


def open_at(text: str, line: int) -> tuple[int, int] | None:
    """Start and end of the first two lines of the table to which a line that begins at ``line`` may belong."""
    run: tuple[int, int] | None = None
    for start, number, _ in _lines(text, line):
        if number == 0:
            run = None
        elif number <= 2:
            run = (start if number == 1 or run is None else run[0], text.find("\n", start) + 1)
    return run


def _lines(text: str, limit: int) -> Iterator[tuple[int, int, Header | None]]:
    """Start of each whole line that ends before ``limit``, its number in its table (0: in none), the header it is."""
    at, number = 0, 0
    first: Header | None = None
    while (end := text.find("\n", at, limit)) >= 0:
        if first is not None and (
            end == at or end - at > ROW or sum(1 for _ in _split(text, at, end, first.mark)) != len(first.starts)
        ):
            first, number = None, 0
        header = None
        if first is None:
            first = header = header_at(text, at)
            number = 1 if header else 0
        else:
            number += 1
            if number == 2:
                header = header_at(text, at)
        yield at, number, header
        at = end + 1


def _split(text: str, at: int, end: int, mark: str) -> Iterator[tuple[int, int]]:
    """Where the cells of a line stand, stripped; a quoted cell may hold the mark."""
    if end > at and text[end - 1] == "\r":
        end -= 1
    while True:
        start = at
        while start < end and text[start] == " ":
            start += 1
        if start < end and text[start] == '"':
            stop = start + 1
            while (stop := text.find('"', stop, end)) >= 0 and text[stop + 1 : stop + 2] == '"' and stop + 1 < end:
                stop += 2
            stop = end if stop < 0 else stop
            yield start + 1, stop
            at = text.find(mark, stop, end)
        else:
            at = text.find(mark, start, end)
            stop = end if at < 0 else at
            while stop > start and text[stop - 1] == " ":
                stop -= 1
            yield start, stop
        if at < 0:
            return
        at += 1
