"""What changed between two graphs, in the order a person would ask: gone, new, changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.graph.graph import Graph
from penstock.graph.vocabulary import Asset, Relation


@dataclass(frozen=True, slots=True)
class Changes:
    """``changed`` maps an asset id to the fields that differ: name → (before, after)."""

    added: tuple[Asset, ...] = ()
    removed: tuple[Asset, ...] = ()
    changed: Mapping[str, Mapping[str, tuple[Any, Any]]] = field(default_factory=dict)
    relations_added: tuple[Relation, ...] = ()
    relations_removed: tuple[Relation, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.relations_added or self.relations_removed)


def diff(before: Graph, after: Graph) -> Changes:
    """What a reader of ``before`` has to learn to know ``after``; empty for equal graphs. Retired counts as gone."""
    raise NotImplementedError
