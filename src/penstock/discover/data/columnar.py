"""Tables by column: Parquet, Arrow and Feather. The footer tells names and rows, pyarrow (an extra) reads values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.footer import read_footer
from penstock.discover.data.json_rows import flat
from penstock.discover.data.rows import MOST_COLUMNS, Sample, needs_extra, of_sample, say, unread
from penstock.discover.data.whole import is_cut, opened, size_of

_SEES = "columns that hold personal, health, payment or secret data, and how many records; texts that speak to a model"
#: Row groups or batches that are opened, evenly spread, and rows read of each.
_GROUPS, _ROWS = 8, 256
#: A row group of more bytes (unpacked) is not opened: writers make them of 128 MB, a bomb of what it likes.
_LARGEST_GROUP = 1024 * 1024 * 1024
#: Bytes that the strings and lists of a footer may take.
_THRIFT = 64 * 1024 * 1024


@collector(
    "data.parquet",
    reads=("*.parquet", "*.parq"),
    sees=_SEES,
    unseen="values, without the extra that reads them",
    version=2,
)
def parquet(file: File) -> Iterator[Yielded]:
    """Columns of a Parquet file by name, and by the values of a few row groups where the library is there."""
    if is_cut(file):
        yield unread(file, "data.parquet", "only its first part was read, and what it holds is told at its end", "")
        return
    with opened(file) as content:
        try:
            footer = read_footer(content, size_of(file))
        except ValueError as error:
            yield unread(file, "data.parquet", f"it is no whole Parquet file: {error}")
            return
        sample = Sample(footer.columns)
        try:
            for row in _parquet_rows(content):
                sample.add(flat(row))
        except ImportError:
            yield needs_extra(file, "data.parquet", "the values of a Parquet file; its columns are told by name")
        except _broken() as error:
            yield unread(file, "data.parquet", f"its values do not read: {str(error)[:200]}")
    yield from say(file, "data.parquet", of_sample(sample, footer.rows if sample.seen or not footer.rows else None))


@collector(
    "data.arrow",
    reads=("*.arrow", "*.feather", "*.ipc"),
    sees=_SEES,
    unseen="values, without the extra that reads them",
)
def arrow(file: File) -> Iterator[Yielded]:
    """Columns of an Arrow file or stream, as libraries of data sets cache them."""
    sample = Sample()
    records: int | None = None
    with opened(file) as content:
        try:
            for row, count in _arrow_rows(content):
                records = count
                sample.add(flat(row))
        except ImportError:
            yield needs_extra(file, "data.arrow", "an Arrow file")
            return
        except _broken() as error:
            yield unread(file, "data.arrow", f"it is no whole Arrow file: {str(error)[:200]}")
    if sample.seen:
        yield from say(file, "data.arrow", of_sample(sample, records))


def _parquet_rows(content: BinaryIO) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    content.seek(0)
    table = pq.ParquetFile(content, memory_map=False, pre_buffer=False, thrift_string_size_limit=_THRIFT,
                           thrift_container_size_limit=_THRIFT)  # fmt: skip
    about = table.metadata
    fits = [n for n in range(about.num_row_groups) if about.row_group(n).total_byte_size <= _LARGEST_GROUP]
    names = [field.name for field in table.schema_arrow][:MOST_COLUMNS]
    for number in _spread(fits):
        for batch in table.iter_batches(_ROWS, row_groups=[number], columns=names, use_threads=False):
            yield from _records(batch)
            break


def _arrow_rows(content: BinaryIO) -> Iterator[tuple[dict[str, Any], int | None]]:
    """Rows with the number of rows in the file, where its format tells."""
    import pyarrow.ipc as ipc  # type: ignore[import-untyped]

    head = content.read(6)
    content.seek(0)
    if head == b"ARROW1":
        reader = ipc.open_file(content)
        for number in _spread(range(reader.num_record_batches)):
            batch = reader.get_batch(number)
            records = batch.num_rows * reader.num_record_batches
            for row in _records(batch.slice(0, _ROWS)):
                yield row, records
        return
    for number, batch in enumerate(ipc.open_stream(content)):
        for row in _records(batch.slice(0, _ROWS)):
            yield row, None
        if number + 1 >= _GROUPS:
            return


def _records(batch: Any) -> Iterator[dict[str, Any]]:
    """Rows of a batch; a column of a kind that has no Python value is left out."""
    columns: dict[str, list[Any]] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        with suppress(*_broken()):
            columns[name] = column.slice(0, _ROWS).to_pylist()
    for number in range(min(_ROWS, batch.num_rows)):
        yield {name: values[number] for name, values in columns.items()}


def _spread(numbers: Iterable[int]) -> list[int]:
    """At most _GROUPS of the numbers, evenly spread."""
    numbers = list(numbers)
    if len(numbers) <= _GROUPS:
        return numbers
    return [numbers[at * (len(numbers) - 1) // (_GROUPS - 1)] for at in range(_GROUPS)]


def _broken() -> tuple[type[Exception], ...]:
    """What the library raises on content that is not what it says."""
    try:
        from pyarrow import ArrowException
    except ImportError:
        return (OSError, ValueError)
    return (ArrowException, OSError, ValueError, OverflowError, KeyError, TypeError)
