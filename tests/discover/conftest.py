"""A small tree, looked at by the collectors under test: what they yield, without an engine around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from penstock.discover.collector import COLLECTORS, JOINERS, Fact, File, Source, Yielded
from penstock.discover.registry import Matcher, load
from penstock.graph.graph import Graph
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Complete, Observation, Unseen

SCOPE = "repo:acme/shop"


@dataclass(frozen=True)
class Seen:
    """What was yielded, and the graph it makes."""

    yielded: tuple[Yielded, ...]
    graph: Graph

    @property
    def facts(self) -> list[Fact]:
        return [item for item in self.yielded if isinstance(item, Fact)]

    @property
    def notes(self) -> list[Unseen]:
        return [item for item in self.yielded if isinstance(item, Unseen)]

    def env(self) -> dict[str, str]:
        return {fact.value["name"]: fact.value["value"] for fact in self.facts if fact.kind == "env"}

    def names(self, kind: str) -> list[str]:
        return [asset.name for asset in self.graph.of_kind(kind)]

    def one(self, kind: str, name: str = "") -> Any:
        found = [asset for asset in self.graph.of_kind(kind) if not name or asset.name == name]
        assert len(found) == 1, f"{len(found)} of {kind} {name}"
        return found[0]

    def links(self, *verbs: str) -> set[tuple[str, str, str]]:
        """(source, verb, target) by names."""
        assets = self.graph.assets
        return {
            (assets[r.source].name, r.verb, assets[r.target].name)
            for r in self.graph.relations
            if not verbs or r.verb in verbs
        }


@pytest.fixture
def look() -> Callable[..., Seen]:
    def looked(
        files: Mapping[str, str | bytes],
        *,
        only: Iterable[str],
        scope: str = SCOPE,
        about: Mapping[str, Any] | None = None,
        extra: Iterable[Fact] = (),
    ) -> Seen:
        """Run the collectors and joiners whose names start with one of ``only``."""
        assert not load()
        prefixes = tuple(only)
        collectors = {name: c for name, c in COLLECTORS.items() if name.startswith(prefixes)}
        matcher = Matcher({name: c.reads for name, c in collectors.items()})
        yielded: list[Yielded] = []
        for path, text in files.items():
            data = text.encode() if isinstance(text, str) else text
            for name in matcher.names(path):
                yielded += collectors[name].run(File(path, data, scope))
        facts: dict[str, tuple[Fact, ...]] = {}
        for fact in [*(item for item in yielded if isinstance(item, Fact)), *extra]:
            facts[fact.kind] = (*facts.get(fact.kind, ()), fact)
        source = Source(scope, scope.rpartition("/")[2], tuple(files), facts, about or {})
        for name, joiner in JOINERS.items():
            if name.startswith(prefixes):
                yielded += joiner.run(source)
        graph = merge(
            [item for item in yielded if isinstance(item, Observation)],
            complete=[item for item in yielded if isinstance(item, Complete)],
            unseen=[item for item in yielded if isinstance(item, Unseen)],
        )
        return Seen(tuple(yielded), graph)

    return looked
