"""Vector stores that lie as files: what their texts hold, and which store of the source's code they are."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.discover.collector import File, Yielded
from penstock.discover.data.rows import Told, as_test
from penstock.graph.identity import asset
from penstock.graph.vocabulary import Observation


def say_store(file: File, collector: str, library: str, folder: str, told: Told) -> Iterator[Yielded]:
    """The vector store of a library. Code names its stores by their library too, so both are one asset."""
    store = asset("vector_store", library, scope=file.scope, labels=told.labels, props=told.props())
    why = (f"its files lie in {folder or '.'}", *told.why, *told.suspicion.why)
    yield Observation(as_test(store, file.path), file.evidence(collector, chain=why))


def folder_of(path: str, above: int = 1) -> str:
    """The folder in which a file lies, or one further above."""
    return "/".join(path.split("/")[:-above])
