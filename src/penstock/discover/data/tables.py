"""Tables in files: CSV and TSV, JSON lines, and JSON arrays of objects where data lies."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.folders import holds_data
from penstock.discover.data.rows import Sample, dataset, decoded, labelled
from penstock.discover.walk import SAMPLE
from penstock.graph.vocabulary import Observation, Unseen

_SEES = "columns that hold personal, health, payment or secret data, and how many records"
#: A longer field is no field (an unclosed quote swallows the rest of a file).
_LONGEST_FIELD = 1_000_000
#: How deep nested records are read: ``customer.address.city``.
_DEEPEST = 4


@collector("data.csv", reads=("*.csv", "*.tsv"), sees=_SEES, unseen="columns without header beyond what values prove")
def delimited(file: File) -> Iterator[Yielded]:
    """Delimited text: the columns by header and sampled values."""
    text = decoded(file.data)
    if text is None or not text.strip():
        if text is None:
            yield _unread(file, "data.csv", "the content is binary, not text")
        return
    sample = Sample()
    csv.field_size_limit(_LONGEST_FIELD)
    lines = text.splitlines(keepends=True)
    if len(file.data) == SAMPLE:
        lines = lines[:-1]  # cut off within
    reader = csv.reader(iter(lines), delimiter=_delimiter(lines[0], file.path))
    try:
        header = _header(next(reader, []))
        for row in reader:
            if any(row):
                sample.add(dict(zip(header, row, strict=False)))
    except csv.Error as error:
        yield _unread(file, "data.csv", f"from line {reader.line_num} on it does not read as a table: {error}")
    columns: dict[str, list[str]] = {name: [] for name in header}
    columns |= sample.columns()
    yield from _told(file, "data.csv", columns, sample)


@collector("data.jsonl", reads=("*.jsonl", "*.ndjson"), sees=_SEES, unseen=f"records nested deeper than {_DEEPEST}")
def json_lines(file: File) -> Iterator[Yielded]:
    """One JSON record a line."""
    lines = file.data.splitlines()
    if len(file.data) == SAMPLE:
        lines = lines[:-1]
    sample = Sample()
    broken = 0
    for line in lines:
        if line.strip():
            try:
                sample.add(_flat(msgspec.json.decode(line)))
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                broken += 1
    if broken:
        yield _unread(file, "data.jsonl", f"{broken:,} of {broken + sample.seen:,} lines are no JSON")
    if sample.seen:
        yield from _told(file, "data.jsonl", sample.columns(), sample)


@collector(
    "data.json", reads="*.json", sees=f"{_SEES}, of arrays of records in data folders", unseen="single documents"
)
def json_records(file: File) -> Iterator[Yielded]:
    """A JSON array of records, or an object with one, in a folder that holds data."""
    if not holds_data(file.path):
        return
    try:
        document = msgspec.json.decode(file.data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        yield _unread(file, "data.json", "it is no JSON")
        return
    rows = _records(document)
    if not rows:
        return
    sample = Sample()
    for row in rows:
        sample.add(_flat(row))
    yield from _told(file, "data.json", sample.columns(), sample)


@collector("data.parquet", reads="*.parquet", sees="that a dataset is there", unseen="its columns")
def parquet(file: File) -> Iterator[Yielded]:
    """A Parquet file is a dataset; its columns are not read yet, so nothing is claimed about them."""
    if file.data[:4] == b"PAR1":
        yield Observation(labelled(file, (), None, []), file.evidence("data.parquet"))
        yield Unseen(file.path, "the columns of a Parquet file", "this format is not read yet", scope=file.scope,
                     collector="data.parquet", skipped=True)  # fmt: skip


def _told(file: File, name: str, columns: Mapping[str, list[str]], sample: Sample) -> Iterator[Yielded]:
    records = None if len(file.data) == SAMPLE else sample.seen
    asset, why = dataset(file, columns, records)
    yield Observation(asset, file.evidence(name, 1, chain=why))


def _unread(file: File, name: str, why: str) -> Unseen:
    return Unseen(file.path, "rows of a data file", why, "Repair the file, or remove it", name, file.scope)


def _delimiter(first: str, path: str) -> str:
    if path.lower().endswith(".tsv"):
        return "\t"
    return max(",;\t|", key=lambda mark: (first.count(mark), mark == ","))


def _header(names: list[str]) -> list[str]:
    """Header names, each once; a file without header has its first row for names, which only values outvote."""
    result: list[str] = []
    for number, name in enumerate(names, 1):
        name = name.strip() or f"column {number}"
        result.append(name if name not in result else f"{name} {number}")
    return result


def _records(document: Any) -> list[Any]:
    if isinstance(document, dict):
        arrays = [value for value in document.values() if isinstance(value, list)]
        document = max(arrays, key=len, default=[])
    return [row for row in document if isinstance(row, dict)] if isinstance(document, list) else []


def _flat(record: Any) -> dict[str, str]:
    """A record as column → text; what is nested gets a dotted name, lists are read together."""
    out: dict[str, str] = {}
    waiting: list[tuple[str, Any, int]] = [("", record, 0)]
    while waiting and len(out) < 500:
        name, value, depth = waiting.pop()
        if isinstance(value, dict) and depth < _DEEPEST:
            waiting.extend((f"{name}.{key}" if name else str(key), part, depth + 1) for key, part in value.items())
        elif isinstance(value, list) and depth < _DEEPEST:
            waiting.extend((name, part, depth + 1) for part in value[:20])
        elif value is not None and not isinstance(value, dict | list):
            key = name or "value"
            out[key] = f"{out[key]}\n{value}" if key in out else str(value)
    return out
