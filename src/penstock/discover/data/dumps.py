"""SQL dumps: the rows that INSERT and COPY statements carry. Statements are read, never run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.rows import Sample, decoded, of_sample, say
from penstock.discover.data.whole import is_cut

_NAME = r'[\w."`\[\]]{1,128}'
_INSERT = re.compile(rf"\binsert\s+into\s+({_NAME})\s*\(([^()]{{1,4000}})\)\s*values\s*", re.IGNORECASE)
_COPY = re.compile(rf"^copy\s+({_NAME})\s*\(([^()]{{1,4000}})\)\s+from\s+stdin;\s*$", re.IGNORECASE)
_VALUE = re.compile(r"\s*(?:'((?:[^'\\]|''|\\.)*)'|([^,()']{0,200}))\s*")
#: Rows of one file that are parsed; more would tell nothing new.
_MOST_ROWS = 5_000
#: Fewer rows are seeds and examples in code, not data.
_FEWEST_ROWS = 5


@collector(
    "data.sql",
    reads="*.sql",
    sees="columns of dumped rows that hold sensitive data",
    unseen="schemas without rows",
    version=2,
)
def dump(file: File) -> Iterator[Yielded]:
    """A file with rows in it is a dataset."""
    text = decoded(file.data)
    if not text:
        return
    sample = Sample()
    for row in _rows(text):
        sample.add(row)
        if sample.seen >= _MOST_ROWS:
            break
    if sample.seen < _FEWEST_ROWS:
        return
    records = None if sample.seen >= _MOST_ROWS or is_cut(file) else sample.seen
    yield from say(file, "data.sql", of_sample(sample, records))


def _rows(text: str) -> Iterator[dict[str, str]]:
    for match in _INSERT.finditer(text):
        columns = _columns(match[1], match[2])
        at = match.end()
        while at < len(text) and text[at] == "(":
            values, at = _tuple(text, at)
            yield dict(zip(columns, values, strict=False))
            at = _after_comma(text, at)
    columns = []
    for line in text.splitlines():
        if found := _COPY.match(line):
            columns = _columns(found[1], found[2])
        elif line == "\\.":
            columns = []
        elif columns:
            yield {
                name: "" if value == "\\N" else value for name, value in zip(columns, line.split("\t"), strict=False)
            }


def _tuple(text: str, at: int) -> tuple[list[str], int]:
    """The values of ``(…, …)`` that starts at ``at``, and where it ends."""
    values: list[str] = []
    at += 1
    while len(values) < 500:
        match = _VALUE.match(text, at)
        if match is None:
            break
        values.append(match[1].replace("''", "'") if match[1] is not None else match[2].strip())
        at = match.end()
        if text[at : at + 1] != ",":
            break
        at += 1
    end = text.find(")", at)
    return values, (end + 1 if end >= 0 else len(text))


def _after_comma(text: str, at: int) -> int:
    while at < len(text) and text[at] in ", \t\r\n":
        at += 1
    return at


def _columns(table: str, names: str) -> list[str]:
    """Column names with their table, so that two tables of one dump stay apart."""
    table = table.rpartition(".")[2].strip('"`[]')
    return [f"{table}.{name.strip(chr(34) + '`[] ')}" for name in names.split(",")]
