"""A small source in memory: files in, merged graph out, through the real collectors and joiner."""

from __future__ import annotations

import fnmatch

import pytest

from penstock.discover import registry
from penstock.discover.collector import COLLECTORS, JOINERS, Fact, File, Source
from penstock.graph.graph import Graph
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Complete, Observation, Unseen

SCOPE = "repo:team/app"
registry.load()


class Seen:
    """What was found in a source, as sentences can ask for it."""

    def __init__(self, files: dict[str, str | bytes], env: dict[str, str] | None = None) -> None:
        facts: dict[str, list[Fact]] = {}
        observations: list[Observation] = []
        complete: list[Complete] = []
        self.unseen: list[Unseen] = []
        for name, value in (env or {}).items():
            facts.setdefault("env", []).append(Fact("env", "compose.yaml", [name, value, "compose.yaml", 3]))
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            file = File(path, data, SCOPE)
            for collector in COLLECTORS.values():
                if collector.name.startswith("code.") and any(_fits(path, p) for p in collector.reads):
                    for found in collector.run(file):
                        if isinstance(found, Fact):
                            facts.setdefault(found.kind, []).append(found)
                        elif isinstance(found, Observation):
                            observations.append(found)
                        elif isinstance(found, Unseen):
                            self.unseen.append(found)
        source = Source(SCOPE, "team/app", tuple(files), {k: tuple(v) for k, v in facts.items()}, {})
        for found in JOINERS["code"].run(source):
            if isinstance(found, Observation):
                observations.append(found)
            elif isinstance(found, Complete):
                complete.append(found)
            elif isinstance(found, Unseen):
                self.unseen.append(found)
        self.observations = observations
        self.graph: Graph = merge(observations, complete=complete)

    def names(self, kind: str) -> set[str]:
        return {asset.name for asset in self.graph.of_kind(kind)}

    def one(self, kind: str, name: str):
        (asset,) = [a for a in self.graph.of_kind(kind) if a.name == name]
        return asset

    def where(self, kind: str, name: str) -> set[str]:
        return {e.where for e in self.graph.evidence[self.one(kind, name).id]}

    def chain(self, kind: str, name: str) -> str:
        return " | ".join(step for e in self.graph.evidence[self.one(kind, name).id] for step in e.chain)

    def links(self, *verbs: str) -> set[tuple[str, str, str]]:
        assets = self.graph.assets
        return {
            (assets[r.source].name, r.verb, assets[r.target].name)
            for r in self.graph.relations
            if not verbs or r.verb in verbs
        }

    @property
    def complete(self) -> set[str]:
        return {verb for _, verb in self.graph.complete}


def _fits(path: str, pattern: str) -> bool:
    name = path.rpartition("/")[2]
    return fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(path, pattern)


@pytest.fixture
def see():
    """Files (path → content) in, what was seen out."""
    return Seen


@pytest.fixture
def python_file():
    return lambda text: Seen({"app.py": text})


@pytest.fixture
def script():
    return lambda text: Seen({"app.ts": text})
