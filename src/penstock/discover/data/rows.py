"""What the columns of a sample of rows hold, as the dataset that a file is. No value leaves this module."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

from penstock.discover.collector import File
from penstock.graph.identity import file_dataset
from penstock.graph.vocabulary import LABELS, Asset
from penstock.inspect.sensitive import detect
from penstock.inspect.sensitive.columns import classify_column

#: Rows looked at: with 500, a share of 60 % is told to within 4 points (95 %), and a wide table costs 0.2 CPU s.
SAMPLE_ROWS = 500
#: Columns and characters of a value looked at; real tables seldom have more, hostile ones may.
MOST_COLUMNS, LONGEST_VALUE = 200, 4096
#: A value this long is text that may hold many things, not one thing.
_TEXT = 120
#: Texts of a column in which at least this share holds personal data make it a column of personal data.
_SHARE_OF_TEXTS = 0.2

_TEST_FOLDERS = frozenset(
    ("test", "tests", "testing", "testdata", "test_data", "__tests__", "fixtures", "spec", "specs")
)


class Sample:
    """A fair sample of rows of unknown number (reservoir), the same for the same input."""

    def __init__(self) -> None:
        self.seen = 0
        self.rows: list[Mapping[str, str]] = []
        self._random = random.Random(0)  # noqa: S311 - a fair choice of rows, no secret

    def add(self, row: Mapping[str, str]) -> None:
        self.seen += 1
        if len(self.rows) < SAMPLE_ROWS:
            self.rows.append(row)
        elif (place := self._random.randrange(self.seen)) < SAMPLE_ROWS:
            self.rows[place] = row

    def columns(self) -> dict[str, list[str]]:
        """Sampled values by column, in the order of first sight."""
        table: dict[str, list[str]] = {}
        for row in self.rows:
            for name, value in row.items():
                if name in table or len(table) < MOST_COLUMNS:
                    table.setdefault(name, []).append(value[:LONGEST_VALUE])
        return table


def dataset(file: File, columns: Mapping[str, list[str]], records: int | None) -> tuple[Asset, list[str]]:
    """The dataset of a file with the labels of its columns, and why, in words that hold no value."""
    labels: set[str] = set()
    named: list[str] = []
    why: list[str] = []
    for header, values in columns.items():
        verdict = classify_column(header.rpartition(".")[2], values)  # of a nested or qualified name, the last part
        found = (verdict.labels | _in_texts(values)) & LABELS.keys()
        if found:
            labels |= found
            named.append(header[:100])
            reason = verdict.reason or "its texts hold such data"
            why.append(f"column {header[:100]!r}: {', '.join(sorted(found))} ({reason})")
    return labelled(file, labels, records, named), why[:20]


def labelled(file: File, labels: Iterable[str], records: int | None, columns: list[str]) -> Asset:
    """The dataset of a file; one under a folder of tests says so."""
    props: dict[str, object] = {}
    if records is not None:
        props["records"] = records
    if columns:
        props["columns"] = columns
    asset = file_dataset(file.path, file.scope, labels=labels, props=props)
    in_tests = _TEST_FOLDERS & {part.casefold() for part in file.path.split("/")[:-1]}
    return replace(asset, status="test") if in_tests else asset


def _in_texts(values: list[str]) -> set[str]:
    """Labels of what long values hold somewhere within."""
    texts = [value for value in values if len(value) > _TEXT]
    if len(texts) < 0.5 * len([value for value in values if value]) or not texts:
        return set()
    counts: dict[str, int] = {}
    for text in texts:
        for category in {span.category for span in detect(text)}:
            counts[category] = counts.get(category, 0) + 1
    return {category for category, count in counts.items() if count >= max(1, _SHARE_OF_TEXTS * len(texts))}


def decoded(data: bytes) -> str | None:
    """Text of a data file: UTF-16 by its mark, else UTF-8, else Latin-1; None for what is no text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:65536]:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 4:  # a sampled file may end within a character
            return data.decode("utf-8-sig", "ignore")
        return data.decode("latin-1")
