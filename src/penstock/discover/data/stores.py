"""Vector stores that lie as files: what their texts hold, and which store of the source's code they are.

Code names its stores by their library. Where one store of a library lies in a source, that is the one; where several
do, each folder is a store by itself, and the library's name stands for any of them: it holds what they hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.discover.collector import File, Source, Yielded
from penstock.discover.data.poison import Suspicion
from penstock.discover.data.rows import Told, as_test
from penstock.graph.identity import asset, file_store, relation
from penstock.graph.vocabulary import Observation


def say_stores(
    source: Source, collector: str, library: str, found: Mapping[str, tuple[str, Told]]
) -> Iterator[Yielded]:
    """The vector stores of a library.

    Args:
        found: folder → a file that shows it, and what its texts hold.
    """
    whole = asset("vector_store", library, scope=source.scope)
    for folder, (path, told) in sorted(found.items()):
        file = File(path, b"", source.scope)
        at = file.evidence(collector, chain=(f"its files lie in {folder or '.'}", *told.why, *told.suspicion.why))
        if len(found) == 1:
            alone = asset("vector_store", library, scope=source.scope, labels=told.labels, props=told.props())
            yield Observation(as_test(alone, path), at)
            continue
        store = file_store(folder, source.scope, library, labels=told.labels, props=told.props())
        yield Observation(as_test(store, path), at)
        yield Observation(as_test(whole, path), at)
        yield Observation(relation(whole, "derived_from", store), at)


def packed(told: Told) -> dict[str, Any]:
    """What was told, as what msgpack can hold."""
    return {
        "labels": sorted(told.labels), "records": told.records, "columns": list(told.columns),
        "found": dict(told.found), "why": list(told.why), "suspicion": told.suspicion.packed(),
    }  # fmt: skip


def unpacked(value: Mapping[str, Any], records: int | None) -> Told:
    """What ``packed`` gave, with the number of entries that an index has."""
    return Told(
        labels=frozenset(value["labels"]), records=records, columns=tuple(value["columns"]), found=value["found"],
        suspicion=Suspicion.unpacked(value["suspicion"]), why=tuple(value["why"]), role="embeddings",
    )  # fmt: skip


def folder_of(path: str, above: int = 1) -> str:
    """The folder in which a file lies, or one further above."""
    return "/".join(path.split("/")[:-above])
