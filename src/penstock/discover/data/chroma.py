"""Chroma's database: the texts beside the vectors, sampled like any other."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator

from penstock.discover.collector import Fact, File, Source, Yielded, joiner
from penstock.discover.data.rows import LONGEST_VALUE, SAMPLE_ROWS, Sample, of_sample
from penstock.discover.data.stores import folder_of, packed, say_stores, unpacked

_TABLES = {"collections", "embeddings", "embedding_metadata"}
#: Metadata of one text.
_KEYS = 50


def is_chroma(connection: sqlite3.Connection) -> bool:
    """Whether it is a database of Chroma, by its tables."""
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchmany(1_000)
    return {name for (name,) in names} >= _TABLES


def read(file: File, connection: sqlite3.Connection) -> Iterator[Yielded]:
    """What a sample of its entries holds, texts and metadata."""
    low, high, count = connection.execute("SELECT min(id), max(id), count(*) FROM embeddings").fetchone()
    sample = Sample()
    if count:
        draw = random.Random(0)  # noqa: S311 - a fair choice of entries, no secret
        numbers = range(low, high + 1)
        chosen = numbers if len(numbers) <= SAMPLE_ROWS else sorted(draw.sample(numbers, SAMPLE_ROWS))
        for number in chosen:
            query = "SELECT key, string_value FROM embedding_metadata WHERE id = ? AND string_value IS NOT NULL LIMIT ?"
            rows = connection.execute(query, (number, _KEYS)).fetchall()
            if rows:
                row = {str(key).removeprefix("chroma:"): str(text)[:LONGEST_VALUE] for key, text in rows}
                sample.add(row, f"entry {number}")
    told = of_sample(sample, count, role="embeddings")
    yield Fact("data.chroma", file.path, packed(told))


@joiner("data.chroma.folders", sees="which databases of Chroma lie in a source")
def folders(source: Source) -> Iterator[Yielded]:
    """A vector store for each folder."""
    found = {
        folder_of(fact.path): (fact.path, unpacked(fact.value, fact.value["records"]))
        for fact in source.facts.get("data.chroma", ())
    }
    yield from say_stores(source, "data.sqlite", "chroma", found)
