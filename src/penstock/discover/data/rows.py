"""A sample of rows, and the dataset that it tells about. No value leaves this module."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from penstock.discover.collector import Fact, File, Yielded
from penstock.discover.data.parts import part_of
from penstock.discover.data.poison import Passage, Suspicion, look
from penstock.graph.identity import file_dataset
from penstock.graph.vocabulary import LABELS, Asset, Observation, Unseen
from penstock.inspect.sensitive import detect
from penstock.inspect.sensitive.columns import classify_column

#: Rows looked at: with 500, a share of 60 % is told to within 4 points (95 %), and a wide table costs 0.2 CPU s.
SAMPLE_ROWS = 500
#: Cells looked at, at 7 CPU µs each; a wide table has fewer rows sampled, down to so many.
_CELLS, _FEWEST_ROWS = 100_000, 20
#: Columns and characters of a value looked at; real tables seldom have more, hostile ones may.
MOST_COLUMNS, LONGEST_VALUE = 10_000, 4096
#: A value this long is text that may hold many things, not one thing.
TEXT = 120
#: Texts of a column in which at least this share holds personal data make it a column of personal data.
_SHARE_OF_TEXTS = 0.2
#: Rows and characters kept for the look at what texts say to a model.
_PASSAGES, _PASSAGE_CHARACTERS = 20_000, 8_000_000
#: A cell this long may speak to a model.
_SPOKEN = 24
#: Headers of the column that says of which class a text is.
_CLASS = frozenset(
    ("label", "labels", "class", "target", "category", "sentiment", "intent", "verdict", "is_spam", "toxic")
)

_TEST_FOLDERS = frozenset(
    ("test", "tests", "testing", "testdata", "test_data", "__tests__", "fixtures", "spec", "specs")
)


class Sample:
    """A fair sample of rows of unknown number (reservoir), the same for the same input; and the texts in all rows."""

    def __init__(self, columns: Iterable[str] = ()) -> None:
        self.seen = 0
        self.rows: list[tuple[str, Mapping[str, str]]] = []
        self.passages: list[Passage] = []
        self.header = list(columns)
        self.left_out = 0
        self._characters = 0
        self._room = 0
        self._random = random.Random(0)  # noqa: S311 - a fair choice of rows, no secret

    def add(self, row: Mapping[str, str], place: str = "") -> None:
        """One row; ``place`` says where a reader finds it, such as ``line 17``."""
        if not self._room:
            width = max(1, len(self.header), len(row))
            self._room = max(_FEWEST_ROWS, min(SAMPLE_ROWS, _CELLS // width))
        self.seen += 1
        self._hear(row, place or f"row {self.seen}")
        if len(self.rows) < self._room:
            self.rows.append((place, row))
        elif (at := self._random.randrange(self.seen)) < self._room:
            self.rows[at] = (place, row)

    def columns(self) -> dict[str, list[str]]:
        """Sampled values by column, in the order of the header, then of first sight."""
        table: dict[str, list[str]] = {name: [] for name in self.header[:MOST_COLUMNS]}
        beyond = set(self.header[MOST_COLUMNS:])
        for _, row in self.rows:
            for name, value in row.items():
                if name in table or len(table) < MOST_COLUMNS:
                    table.setdefault(name, []).append(value[:LONGEST_VALUE])
                else:
                    beyond.add(name)
        self.left_out = len(beyond)
        return table

    def _hear(self, row: Mapping[str, str], place: str) -> None:
        """Keep what the row says in words, while there is room."""
        if len(self.passages) >= _PASSAGES or self._characters >= _PASSAGE_CHARACTERS:
            return
        said = [value[:LONGEST_VALUE] for value in row.values() if len(value) >= _SPOKEN and " " in value]
        if said:
            text = "\n".join(said)
            label = next((value for name, value in row.items() if name.lower() in _CLASS and len(value) < 64), "")
            self.passages.append(Passage(place, text, label))
            self._characters += len(text)


@dataclass(frozen=True, slots=True)
class Told:
    """What a sample says about its dataset: types and counts, no values.

    found: entity type → sampled values that are of it. records: None where nobody counted.
    """

    labels: frozenset[str] = frozenset()
    records: int | None = None
    estimated: bool = False
    columns: tuple[str, ...] = ()
    found: Mapping[str, int] = field(default_factory=dict)
    suspicion: Suspicion = field(default_factory=Suspicion)
    why: tuple[str, ...] = ()
    role: str = ""

    def props(self) -> dict[str, Any]:
        """As properties of the dataset."""
        props: dict[str, Any] = dict(self.suspicion.props())
        if self.records is not None:
            props |= {
                "records": rounded(self.records) if self.estimated else self.records,
                "volume": volume(self.records),
            }
        if self.columns:
            props["columns"] = list(self.columns)
        if self.found:
            props["entities"] = dict(self.found)
        if self.role:
            props["role"] = self.role
        return props


def of_sample(sample: Sample, records: int | None, *, estimated: bool = False, role: str = "") -> Told:
    """What the columns of a sample hold, and what its texts try."""
    labels: set[str] = set()
    named: list[str] = []
    why: list[str] = []
    found: Counter[str] = Counter()
    for header, values in sample.columns().items():
        verdict = classify_column(header.rpartition(".")[2], values)  # of a nested or qualified name, the last part
        inside = _in_texts(values)
        here = (verdict.labels | inside.keys()) & LABELS.keys()
        if here:
            labels |= here
            named.append(header[:100])
            reason = verdict.reason or "its texts hold such data"
            why.append(f"column {header[:100]!r}: {', '.join(sorted(here))} ({reason})")
            found.update({kind: count for kind, count in verdict.counts.items() if count})
    if estimated and records is not None:
        why.append(f"about {rounded(records):,} records by the size of those that were read")
    suspicion = look(sample.passages)
    return Told(
        frozenset(labels), records, estimated, tuple(named[:200]), dict(found), suspicion, tuple(why[:20]), role
    )


def say(file: File, collector: str, told: Told, line: int | None = None) -> Iterator[Yielded]:
    """The dataset that a file is; a part of a dataset waits for its other parts."""
    why = (*told.why, *told.suspicion.why)
    if root := part_of(file.path):
        value = {
            "root": root, "labels": sorted(told.labels), "records": told.records, "estimated": told.estimated,
            "columns": list(told.columns), "found": dict(told.found), "role": told.role,
            "suspicion": told.suspicion.packed(), "why": list(why), "collector": collector,
        }  # fmt: skip
        yield Fact("data.part", file.path, value)
        return
    asset = file_dataset(file.path, file.scope, labels=told.labels, props=told.props())
    yield Observation(as_test(asset, file.path), file.evidence(collector, line, chain=why))


def as_test(asset: Asset, path: str) -> Asset:
    """The asset; one under a folder of tests says so."""
    in_tests = _TEST_FOLDERS & {part.casefold() for part in path.split("/")[:-1]}
    return replace(asset, status="test") if in_tests else asset


def unread(file: File, collector: str, why: str, hint: str = "Repair the file, or remove it") -> Unseen:
    """The row for a data file, or a part of one, that does not read."""
    return Unseen(file.path, "rows of a data file", why, hint, collector, file.scope)


def needs_extra(file: File, collector: str, what: str) -> Unseen:
    """The note that a library which is no part of the base is needed to see more."""
    hint = "To read it: pip install 'penstock[data]'"
    return Unseen(
        file.path, what, "the library that reads it is not installed", hint, collector, file.scope, skipped=True
    )


def volume(records: int) -> str:
    """The band that a number of records falls into."""
    bands = ((100, "tens"), (1_000, "hundreds"), (1_000_000, "thousands"), (1_000_000_000, "millions"))
    return next((band for limit, band in bands if records < limit), "billions")


def rounded(number: int) -> int:
    """An estimate with the two figures that it is good for."""
    return round(number, 2 - len(str(number))) if number >= 100 else number


def _in_texts(values: list[str]) -> dict[str, int]:
    """Labels of what long values hold somewhere within, with the number of texts."""
    texts = [value for value in values if len(value) > TEXT]
    if len(texts) < 0.5 * len([value for value in values if value]) or not texts:
        return {}
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({span.category for span in detect(text)})
    return {category: count for category, count in counts.items() if count >= max(1, _SHARE_OF_TEXTS * len(texts))}


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
