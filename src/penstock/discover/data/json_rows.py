"""Records as JSON: one a line, or an array of them where data lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.blocks import spread
from penstock.discover.data.folders import holds_data
from penstock.discover.data.rows import Sample, of_sample, say, unread
from penstock.discover.data.whole import is_cut, opened, size_of
from penstock.discover.walk import LARGEST_FILE

_SEES = "columns that hold personal, health, payment or secret data, and how many records; texts that speak to a model"
#: How deep nested records are read: ``customer.address.city``.
_DEEPEST = 4


@collector(
    "data.jsonl", reads=("*.jsonl", "*.ndjson"), sees=_SEES, unseen=f"records nested deeper than {_DEEPEST}", version=2
)
def json_lines(file: File) -> Iterator[Yielded]:
    """One JSON record a line; of a large file, the lines of places spread over it."""
    large = size_of(file) > LARGEST_FILE
    sample = Sample()
    broken = read = 0
    roles: set[str] = set()
    with opened(file) as content:
        for at, block, looked in spread(content, size_of(file)) if large else [(0, content.read(), 0)]:
            lines = block.splitlines()
            read += looked
            for number, line in enumerate(lines[:-1] if is_cut(file) else lines, 1):
                if not line.strip():
                    continue
                try:
                    record = msgspec.json.decode(line)
                except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                    broken += 1
                    continue
                roles.add(role_of(record))
                sample.add(flat(record), f"near byte {at:,}" if large else f"line {number}")
    if broken:
        yield unread(file, "data.jsonl", f"{broken:,} of {broken + sample.seen:,} lines are no JSON")
    elif large and not sample.seen:
        yield unread(file, "data.jsonl", "no whole record was found at the places that were tried")
    if sample.seen:
        records = size_of(file) * sample.seen // read if large else None if is_cut(file) else sample.seen
        role = roles.pop() if len(roles) == 1 else ""
        yield from say(file, "data.jsonl", of_sample(sample, records, estimated=large, role=role), 1)


@collector(
    "data.json",
    reads="*.json",
    sees=f"{_SEES}, of arrays of records in data folders",
    unseen="single documents",
    version=2,
)
def json_records(file: File) -> Iterator[Yielded]:
    """A JSON array of records, or an object with one, in a folder that holds data."""
    if not holds_data(file.path):
        return
    try:
        document = msgspec.json.decode(file.data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        yield unread(file, "data.json", "it is no JSON")
        return
    rows = records_in(document)
    if not rows:
        return
    sample = Sample()
    for row in rows:
        sample.add(flat(row))
    yield from say(file, "data.json", of_sample(sample, sample.seen, role=role_of(rows[0])), 1)


def role_of(record: Any) -> str:
    """``fine-tuning`` for a record as fine-tuning takes it: messages, prompt and completion, preferences."""
    if not isinstance(record, dict):
        return ""
    keys = record.keys()
    turns = record.get("messages", record.get("conversations"))
    if isinstance(turns, list) and turns and isinstance(turns[0], dict) and turns[0].keys() & {"role", "from"}:
        return "fine-tuning"
    shapes = ({"prompt", "completion"}, {"instruction", "output"}, {"chosen", "rejected"}, {"prompt", "response"})
    return "fine-tuning" if any(shape <= keys for shape in shapes) else ""


def records_in(document: Any) -> list[Any]:
    """The records of a document: its array, or the longest array that it holds."""
    if isinstance(document, dict):
        arrays = [value for value in document.values() if isinstance(value, list)]
        document = max(arrays, key=len, default=[])
    return [row for row in document if isinstance(row, dict)] if isinstance(document, list) else []


def flat(record: Any) -> dict[str, str]:
    """A record as column → text; what is nested gets a dotted name, lists are read together."""
    out: dict[str, str] = {}
    waiting: list[tuple[str, Any, int]] = [("", record, 0)]
    while waiting and len(out) < 500:
        name, value, depth = waiting.pop()
        if isinstance(value, dict) and depth < _DEEPEST:
            below = [(f"{name}.{key}" if name else str(key), part, depth + 1) for key, part in value.items()]
            waiting.extend(reversed(below))
        elif isinstance(value, list | tuple) and depth < _DEEPEST:
            waiting.extend((name, part, depth + 1) for part in reversed(value[:20]))
        elif value is not None and not isinstance(value, dict | list | tuple | bytes):
            key = name or "value"
            out[key] = f"{out[key]}\n{value}" if key in out else str(value)
    return out
