"""What the store costs: ``python bench/graph/store.py [ASSETS] [RELATIONS] [ADDRESS]`` (else a temporary SQLite file).

Every asset is claimed twice, every relation once. Prints wall and CPU seconds of this process.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from penstock.graph.identity import asset, relation
from penstock.graph.store import open_store
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Evidence, Observation

T = TypeVar("T")


def scan(assets: int, relations: int, at: float) -> Scan:
    chance = random.Random(1)
    scopes = [f"repo:{n}" for n in range(max(1, assets // 200))]
    things = [
        asset("agent" if n % 2 else "dataset", f"n{n}", scope=scopes[n % len(scopes)], props={"env": "prod"})
        for n in range(assets)
    ]
    seen = [
        Observation(
            thing, Evidence(collector, f"src/app/file{n}.py:{n}", chain=("a", "b"), scope=scopes[n % len(scopes)])
        )
        for n, thing in enumerate(things)
        for collector in ("code.models", "code.agents")
    ]
    for n in range(relations):
        place = Evidence("code.models", f"src/app/file{n}.py:{n}", scope=scopes[n % len(scopes)])
        seen.append(Observation(relation(chance.choice(things[1::2]), "reads", chance.choice(things[::2])), place))
    return Scan(tuple(seen), scopes=tuple(scopes), finished=tuple(scopes), at=at)


def timed(what: str, act: Callable[[], T]) -> T:
    wall, cpu = time.perf_counter(), time.process_time()
    result = act()
    print(f"{what:34} {time.perf_counter() - wall:7.2f} s {time.process_time() - cpu:7.2f} CPU s")
    return result


def main() -> None:
    assets = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    relations = int(sys.argv[2]) if len(sys.argv) > 2 else 30_000
    with tempfile.TemporaryDirectory() as folder:
        where = sys.argv[3] if len(sys.argv) > 3 else str(Path(folder) / "penstock.db")
        made = scan(assets, relations, 1.0)
        print(f"{assets:,} assets, {relations:,} relations, {len(made.observations):,} observations")
        store = timed("open a new store", lambda: open_store(where))
        timed("ingest", lambda: store.ingest(made))
        timed("ingest the same again", lambda: store.ingest(made))
        store.close()
        store = timed("open again", lambda: open_store(where))
        timed("graph", store.graph)
        timed("graph, nothing changed", store.graph)
        one = Observation(asset("tool", "new", scope="repo:0"), Evidence("code.tools", "a.py:1", scope="repo:new"))
        small = Scan((one,), scopes=("repo:new",), finished=("repo:new",), at=3.0)
        timed("ingest one new asset", lambda: store.ingest(small))
        timed("graph as it was", lambda: store.graph(at=1.5))
        store.close()


if __name__ == "__main__":
    main()
