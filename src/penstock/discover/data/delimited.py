"""Delimited text: CSV, TSV and their kin."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.blocks import spread
from penstock.discover.data.rows import MOST_COLUMNS, Sample, decoded, of_sample, say, unread
from penstock.discover.data.whole import is_cut, opened, size_of
from penstock.discover.walk import LARGEST_FILE
from penstock.graph.vocabulary import Unseen

#: A longer field is no field (an unclosed quote swallows the rest of a file), nor a longer line a header.
_LONGEST_FIELD, _LONGEST_HEADER = 1_000_000, 4 * 1024 * 1024
#: A first row with one of these is a row: numbers but years, dates, addresses of mail and web.
_VALUE = re.compile(
    r"[-+]?\d[\d ,.:/-]*(?:[eE][-+]?\d+)?|[^@\s]+@[^@\s]+\.\w+|https?://\S+|"
    r"[A-Z]{2}\d{2}[A-Z\d ]{10,}|\d{4}-\d\d-\d\d.*"
)
_YEAR = re.compile(r"(?:19|20)\d\d")


@collector(
    "data.csv",
    reads=("*.csv", "*.tsv", "*.psv"),
    sees="columns that hold personal, health, payment or secret data, how many records; texts that speak to a model",
    unseen="rows between the sampled places of a large file",
    version=2,
)
def delimited(file: File) -> Iterator[Yielded]:
    """The columns of a table by header and sampled values; all rows of a small one are read for what they say."""
    csv.field_size_limit(_LONGEST_FIELD)
    with opened(file) as content:
        if size_of(file) > LARGEST_FILE:
            yield from _large(file, content)
            return
        text = decoded(content.read())
    if text is None:
        yield unread(file, "data.csv", "the content is binary, not text")
        return
    lines = text.splitlines(keepends=True)
    if is_cut(file):
        lines = lines[:-1]  # cut off within
    start = next((number for number, line in enumerate(lines) if line.strip()), None)
    if start is None:
        return
    mark = _mark(lines[start], file.path)
    reader = csv.reader(iter(lines[start:]), delimiter=mark)
    sample = Sample()
    broken = ""
    try:
        first = next(reader, [])
        header = names(first)
        sample = Sample(header)
        if not is_header(first):
            sample.add(dict(zip(header, first, strict=False)), f"line {start + 1}")
        for row in reader:
            if any(row):
                sample.add(dict(zip(header, row, strict=False)), f"line {start + reader.line_num}")
    except csv.Error as error:
        broken = f"from line {start + reader.line_num} on it does not read as a table: {error}"
    yield from _told(file, sample, None if is_cut(file) else sample.seen, broken=broken)


def _large(file: File, content: BinaryIO) -> Iterator[Yielded]:
    """Rows of blocks that are spread over the file."""
    head = content.read(_LONGEST_HEADER)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in head[:65536]:
        yield unread(file, "data.csv", "it is not UTF-8 text, and too large to convert", "Convert it to UTF-8")
        return
    first_end = head.find(b"\n") + 1
    if not first_end:
        why = f"its first line is longer than {_LONGEST_HEADER // 1024**2} MB, so it is no table"
        yield unread(file, "data.csv", why)
        return
    encoding = "utf-8" if _is_utf8(head) else "latin-1"
    first_line = head[:first_end].decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace")
    mark = _mark(first_line, file.path)
    try:
        first = next(csv.reader([first_line], delimiter=mark), [])
    except csv.Error as error:
        yield unread(file, "data.csv", f"its first line does not read as a table: {error}")
        return
    header = names(first)
    sample = Sample(header)
    read = gave = blocks = 0
    for at, block, looked in spread(content, size_of(file), longest=first_end):
        blocks += 1
        read += looked
        text = block.decode(encoding, "replace")
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
        before = sample.seen
        try:
            for number, row in enumerate(rows):
                if len(row) == len(header) and not (at == 0 and number == 0 and is_header(first)):
                    sample.add(dict(zip(header, row, strict=True)), f"near byte {at:,}")
        except csv.Error:  # a block that begins within quotes; others do not
            continue
        if sample.seen > before:
            gave += 1
    records = size_of(file) * sample.seen // read
    broken = "" if gave * 2 > blocks else f"{blocks - gave} of {blocks} places that were tried hold no rows"
    yield from _told(file, sample, records, estimated=True, broken=broken)


def _told(
    file: File, sample: Sample, records: int | None, *, estimated: bool = False, broken: str = ""
) -> Iterator[Yielded]:
    if broken:
        yield unread(file, "data.csv", broken)
    yield from say(file, "data.csv", of_sample(sample, records, estimated=estimated), 1)
    if sample.left_out:
        why = f"it has {sample.left_out + MOST_COLUMNS:,} columns; {MOST_COLUMNS:,} are looked at"
        yield Unseen(file.path, f"{sample.left_out:,} columns", why, "", "data.csv", file.scope)


def is_header(cells: list[str]) -> bool:
    """Whether a first row names columns: none of its cells is plainly a value."""
    return not any(_VALUE.fullmatch(cell.strip()) and not _YEAR.fullmatch(cell.strip()) for cell in cells)


def names(cells: list[str]) -> list[str]:
    """A name for each column, each once: the header's, or its number where the first row is a row."""
    if not is_header(cells):
        return [f"column {number}" for number in range(1, len(cells) + 1)]
    result: dict[str, None] = {}
    for number, cell in enumerate(cells, 1):
        name = cell.strip() or f"column {number}"
        result[name if name not in result else f"{name} {number}"] = None
    return list(result)


def _mark(first: str, path: str) -> str:
    if path.lower().endswith((".tsv", ".psv")):
        return "\t" if path.lower().endswith(".tsv") else "|"
    return max(",;\t|", key=lambda mark: (first.count(mark), mark == ","))


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 4
    return True
