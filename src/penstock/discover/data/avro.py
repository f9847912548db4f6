"""Avro files: rows by name. The library is an extra."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.json_rows import flat
from penstock.discover.data.rows import Sample, needs_extra, of_sample, say, unread
from penstock.discover.data.whole import is_cut, opened, size_of

#: Rows read from the start, where a file is longer: blocks of Avro can only be read one after the other.
_ROWS = 20_000


@collector(
    "data.avro",
    reads="*.avro",
    sees="fields that hold personal, health, payment or secret data, and how many records",
    unseen=f"records behind the first {_ROWS:,}",
)
def avro(file: File) -> Iterator[Yielded]:
    """The fields of an Avro file by name and values."""
    sample = Sample()
    ended = True
    broken = ""
    with opened(file) as content:
        try:
            for row in _rows(content):
                sample.add(flat(row))
                if sample.seen >= _ROWS:
                    ended = content.tell() >= size_of(file)
                    break
        except ImportError:
            yield needs_extra(file, "data.avro", "an Avro file")
            return
        except (ValueError, KeyError, EOFError, OSError, TypeError, IndexError, StopIteration, AttributeError) as error:
            broken = f"{type(error).__name__}: {str(error)[:120]}"
        read = content.tell()
    if broken and not is_cut(file):
        yield unread(file, "data.avro", f"behind record {sample.seen:,} it does not read: {broken}")
    if sample.seen:
        records = sample.seen if ended and not broken else sample.seen * size_of(file) // max(1, read)
        yield from say(file, "data.avro", of_sample(sample, records, estimated=not ended or bool(broken)))


def _rows(content: BinaryIO) -> Iterator[Any]:
    import fastavro

    yield from fastavro.reader(content)
