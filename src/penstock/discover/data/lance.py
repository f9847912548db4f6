"""LanceDB tables: columns and rows as the latest manifest tells them. Values are packed in a format of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.discover.data.rows import Sample, Told, of_sample, unread
from penstock.discover.data.stores import folder_of, say_stores
from penstock.graph.vocabulary import Unseen

#: Fields and fragments of one manifest.
_MOST = 100_000


@collector(
    "data.lance",
    reads="**/*.lance/_versions/*.manifest",
    sees="tables of LanceDB: columns by name, how many rows",
    unseen="the values in them",
)
def manifest(file: File) -> Iterator[Yielded]:
    """One version of a table; the latest is told."""
    try:
        columns, rows = read_manifest(file.data)
    except (ValueError, IndexError) as error:
        yield unread(file, "data.lance", f"the manifest does not read: {error}")
        return
    yield Fact("data.lance", file.path, {"columns": columns, "rows": rows})


@joiner("data.lance.tables", sees="the latest version of each table of LanceDB")
def tables(source: Source) -> Iterator[Yielded]:
    """A vector store for each database."""
    latest: dict[str, Fact] = {}
    for fact in source.facts.get("data.lance", ()):
        table = folder_of(fact.path, 2)
        if table not in latest or _version(fact.path) > _version(latest[table].path):
            latest[table] = fact
    databases: dict[str, list[Fact]] = {}
    for table, fact in sorted(latest.items()):
        databases.setdefault(folder_of(table), []).append(fact)
        what, why = "the values of a LanceDB table; its columns are told by name", "this format is not read"
        hint = "Tell what it holds with declared_data in ai-system.yaml"
        yield Unseen(table, what, why, hint, "data.lance", source.scope, skipped=True)
    found = {folder: (facts[0].path, _together(facts)) for folder, facts in databases.items()}
    yield from say_stores(source, "data.lance", "lancedb", found)


def _together(facts: Sequence[Fact]) -> Told:
    """What the tables of one database hold."""
    columns = dict.fromkeys(name for fact in facts for name in fact.value["columns"])
    return of_sample(Sample(list(columns)), sum(fact.value["rows"] for fact in facts), role="embeddings")


def read_manifest(data: bytes) -> tuple[list[str], int]:
    """Names of the columns and number of rows. Raises ValueError."""
    if data[-4:] != b"LANC" or len(data) < 20:
        raise ValueError("its end is missing")
    start = int.from_bytes(data[-16:-8], "little")
    length = int.from_bytes(data[start : start + 4], "little")
    if start + 4 + length > len(data):
        raise ValueError("it is shorter than it says")
    columns: list[str] = []
    rows = 0
    for number, value in _fields(data[start + 4 : start + 4 + length]):
        if number == 1 and isinstance(value, bytes):
            name = next((v for n, v in _fields(value) if n == 2 and isinstance(v, bytes)), b"")
            columns.append(name.decode("utf-8", "replace"))
        elif number == 2 and isinstance(value, bytes):
            rows += next((v for n, v in _fields(value) if n == 4 and isinstance(v, int)), 0)
    return columns, rows


def _version(path: str) -> int:
    """The version in a manifest's name: counted up, or in later releases down from the greatest number."""
    stem = path.rpartition("/")[2].partition(".")[0]
    number = int(stem) if stem.isdecimal() else 0
    return (1 << 64) - 1 - number if number > 1 << 63 else number


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value) of the fields of a protocol-buffers message: whole numbers and bytes. Raises ValueError."""
    at = count = 0
    while at < len(data):
        key, at = _varint(data, at)
        count += 1
        match key & 7:
            case 0:
                value, at = _varint(data, at)
                yield key >> 3, value
            case 2:
                length, at = _varint(data, at)
                if at + length > len(data) or count > _MOST:
                    raise ValueError("a field is longer than the message")
                yield key >> 3, data[at : at + length]
                at += length
            case 1 | 5:
                at += 8 if key & 7 == 1 else 4
            case other:
                raise ValueError(f"there is no kind {other} of field")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
    raise ValueError("a number does not end")
