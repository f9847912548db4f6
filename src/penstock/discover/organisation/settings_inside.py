"""Configuration of Penstock that lies inside a scanned tree: it is not read, and that is said."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.discover.collector import File, Yielded, collector
from penstock.graph.vocabulary import Unseen

NAME = "organisation.settings-inside"


@collector(NAME, reads=["penstock.yaml", "penstock.yml"], sees="that a tree tries to configure its own scan")
def settings_inside(file: File) -> Iterator[Yielded]:
    """A note that the file steers nothing."""
    yield Unseen(
        file.path,
        "penstock.yaml",
        "configuration inside a scanned tree is not read: what is scanned may inform, but never steer",
        "Move it to the state directory, or pass it with --config",
        collector=NAME,
        scope=file.scope,
        skipped=True,
    )
