"""What changed since a person last looked, worked out once for each look and state of the graph."""

from __future__ import annotations

from threading import Lock

from penstock.graph.diff import Changes
from penstock.graph.graph import Graph
from penstock.graph.store.protocol import Store

#: Answers kept: as many people as look at one state of the graph.
MOST = 64


class Looks:
    """Answers what changed between a time and the graph of now."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._graph: Graph | None = None
        self._known: dict[float, Changes] = {}
        self._lock = Lock()

    def since(self, at: float, graph: Graph) -> Changes:
        """The changes that led from the graph as it was at a time to this one."""
        with self._lock:
            if self._graph is not graph:
                self._graph, self._known = graph, {}
            if at not in self._known:
                while len(self._known) >= MOST:
                    del self._known[next(iter(self._known))]
                self._known[at] = self._store.changed_since(at)
            return self._known[at]
