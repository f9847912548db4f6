"""How long labels take to travel a generated graph: ``python bench/graph/propagation.py [RELATIONS] [ASSETS]``.

The graph has the shape of real ones: a few hubs that many things use, long tails, chains from data through training
and serving to applications, and a share of cycles. Prints CPU seconds of each stage, the best of three runs; for one
changed edge or label, the median and the worst of many, each checked against a labelling from nothing at the end.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from penstock.graph.diff import Changes
from penstock.graph.graph import Graph
from penstock.graph.identity import asset, relation
from penstock.graph.labels import Labelling, propagate
from penstock.graph.views import View
from penstock.graph.vocabulary import LABELS, Asset, Relation

T = TypeVar("T")

_LAYERS = ("dataset", "pipeline", "model", "endpoint", "application", "agent", "vector_store", "log_store")
_VERBS = [
    ("pipeline", "consumes", "dataset"), ("pipeline", "produces", "model"), ("model", "trained_on", "dataset"),
    ("model", "fine_tuned_from", "model"), ("endpoint", "serves", "model"), ("application", "invokes", "endpoint"),
    ("agent", "uses_model", "model"), ("application", "invokes", "agent"), ("agent", "retrieves_from", "vector_store"),
    ("vector_store", "indexes", "dataset"), ("agent", "logs_to", "log_store"), ("agent", "delegates_to", "agent"),
    ("dataset", "derived_from", "dataset"), ("dataset", "derived_from", "log_store"), ("agent", "runs_as", "agent"),
]  # fmt: skip


def generated(relations: int, assets: int, seed: int = 1) -> Graph:
    chance = random.Random(seed)
    labels = list(LABELS)
    by_kind: dict[str, list[Asset]] = {}
    for number in range(assets):
        kind = _LAYERS[number % len(_LAYERS)]
        sensitive = kind == "dataset" and chance.random() < 0.05
        held = chance.sample(labels, chance.randint(1, 3)) if sensitive else ()
        by_kind.setdefault(kind, []).append(asset(kind, f"{kind}-{number}", scope="repo:bench", labels=held))
    keyed: dict[tuple[str, str, str], Relation] = {}
    while len(keyed) < relations:
        source, verb, target = chance.choice(_VERBS)
        # squared: a few targets are used by many, as models and stores are
        there = by_kind[target][int(len(by_kind[target]) * chance.random() ** 2)]
        here = chance.choice(by_kind[source])
        link = relation(here, verb, there)
        keyed[link.key] = link
    return Graph(
        assets={one.id: one for some in by_kind.values() for one in some},
        relations=tuple(sorted(keyed.values(), key=lambda r: r.key)),
    )


def best_of_three(act: Callable[[], T]) -> tuple[float, T]:
    times = []
    for _ in range(3):
        start = time.process_time()
        result = act()
        times.append(time.process_time() - start)
    return min(times), result


def incremental(graph: Graph, labelling: Labelling, chance: random.Random, times: int) -> None:
    """Take single relations away and put them back, and the labels of single assets, evenly over the graph."""
    edges: list[float] = []
    for place in chance.sample(range(len(graph.relations)), times):
        link = graph.relations[place]
        without = replace(graph, relations=(*graph.relations[:place], *graph.relations[place + 1 :]))
        for after, changes in (
            (without, Changes(relations_removed=(link,))),
            (graph, Changes(relations_added=(link,))),
        ):
            start = time.process_time()
            labelling = propagate(after, after=labelling, changes=changes)
            edges.append(time.process_time() - start)
    told("one changed edge", edges)
    labels: list[float] = []
    held = [one for one in graph.assets.values() if one.labels]
    for one in chance.sample(held, min(times, len(held))):
        bare = replace(graph, assets={**graph.assets, one.id: replace(one, labels=frozenset())})
        changes = Changes(changed={one.id: {"labels": (sorted(one.labels), [])}})
        for after in (bare, graph):
            start = time.process_time()
            labelling = propagate(after, after=labelling, changes=changes)
            labels.append(time.process_time() - start)
    told("one changed label", labels)
    anew = propagate(graph)
    same = all(
        labelling.contains(id) == anew.contains(id) and labelling.sees(id) == anew.sees(id) for id in graph.assets
    )
    print(f"agrees with a labelling from nothing: {'yes' if same else 'NO'}")


def told(what: str, times: list[float]) -> None:
    times.sort()
    print(f"{what:20} {1000 * times[len(times) // 2]:8.1f} ms CPU median, {1000 * times[-1]:.1f} worst of {len(times)}")


def main() -> None:
    relations = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    assets = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    graph = generated(relations, assets)
    print(f"{assets:,} assets, {relations:,} relations")
    seconds, labelling = best_of_three(lambda: propagate(graph))
    touched = sum(bool(labelling.touches(id)) for id in graph.assets)
    print(f"propagate            {seconds:8.2f} CPU s   {touched:,} assets touch a label")
    some = [id for id in graph.assets if labelling.touches(id)][:1000]
    seconds, steps = best_of_three(lambda: sum(len(labelling.proof(i, x)) for i in some for x in labelling.touches(i)))
    print(f"proofs of 1,000      {seconds:8.2f} CPU s   {steps:,} steps")
    start = time.process_time()
    labelling.leakage(some[0], next(iter(labelling.touches(some[0]))))
    print(f"leakage of one label {time.process_time() - start:8.2f} CPU s")
    gc.freeze()  # a server that holds the graph does not look through it for garbage at every turn
    incremental(graph, labelling, random.Random(2), 100)
    seconds, view = best_of_three(lambda: View.of(graph))
    print(f"view, all verbs      {seconds:8.2f} CPU s")
    seconds, reached = best_of_three(lambda: view.reach([some[0]], both=True))
    print(f"reach, both ways     {seconds:8.2f} CPU s   {len(reached):,} assets")


if __name__ == "__main__":
    main()
