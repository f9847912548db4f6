"""CPU milliseconds of what the console asks for, over a tenant of 10,000 assets: ``python bench/console/pages.py``

The endpoints run in this process, JSON encoding included, HTTP not; the median of several calls, and the first one,
which may build an index. Target: at most 100 ms a page, and next to nothing for a turn in which nothing happened.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from penstock.graph import identity
from penstock.graph.store import open_store
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import VERBS, Asset, Complete, Event, Evidence, Observation
from penstock.serve import app  # noqa: F401 - registers the endpoints
from penstock.serve.api.endpoint import ENDPOINTS, Call
from penstock.serve.state import Live
from penstock.settings import Settings

TEAMS, PER_REPOSITORY, CALLS = 60, 40, 7


def repository(number: int) -> Scan:
    """A repository of 40 assets: agents with tools, an index over tables of which some hold personal data."""
    scope = f"repo:shop/service-{number}"
    made: list[Observation] = []

    def seen(asset: Asset, where: str) -> Asset:
        made.append(Observation(asset, Evidence("bench", where, "resolved", (f"read at {where}",), scope)))
        return asset

    def link(source: Asset, verb: str, target: Asset, where: str) -> None:
        made.append(Observation(identity.relation(source, verb, target), Evidence("bench", where, scope=scope)))

    owner = seen(identity.asset("team", f"team-{number % TEAMS}"), "CODEOWNERS:1")
    application = seen(identity.application(scope), "app.py:1")
    link(application, "owned_by", owner, "CODEOWNERS:1")
    model = seen(identity.asset("model", f"model-{number % 30}", props={"provider": "openai"}), "app.py:3")
    for n in range(4):
        exposure = ("internet", "corporate", "private", None)[(number + n) % 4]
        agent = seen(
            identity.asset("agent", f"agent-{number}-{n}", scope=scope, props={"exposure": exposure}), f"a{n}.py:1"
        )
        index = seen(identity.asset("vector_store", f"index-{n}", scope=scope), f"a{n}.py:9")
        link(application, "invokes", agent, f"a{n}.py:1")
        link(agent, "uses_model", model, f"a{n}.py:2")
        link(agent, "retrieves_from", index, f"a{n}.py:9")
        for m in range(3):
            labels = ("pii",) if (number + n + m) % 5 == 0 else ()
            table = seen(identity.file_dataset(f"data/{n}-{m}.csv", scope, labels=labels), f"data/{n}-{m}.csv:1")
            link(index, "indexes", table, f"a{n}.py:{20 + m}")
            tool = seen(identity.asset("tool", f"tool-{n}-{m}", scope=scope, props={"effects": ("write",)}), f"t{m}:1")
            link(agent, "uses_tool", tool, f"a{n}.py:{30 + m}")
            prompt = seen(identity.asset("prompt", f"prompt-{n}-{m}", scope=scope), f"p{m}.txt:1")
            link(agent, "instructed_by", prompt, f"a{n}.py:{40 + m}")
    complete = tuple(Complete(scope, verb, "bench") for verb in VERBS)
    return Scan(tuple(made), complete, scopes=(scope,), finished=(scope,))


def company(assets: int, at: float) -> Scan:
    scans = [repository(n) for n in range(assets // PER_REPOSITORY)]
    return Scan(
        tuple(o for scan in scans for o in scan.observations),
        tuple(c for scan in scans for c in scan.complete),
        scopes=tuple(s for scan in scans for s in scan.scopes),
        finished=tuple(s for scan in scans for s in scan.scopes),
        at=at,
    )


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """CPU milliseconds of the first call, and the median of the later ones."""
    taken = []
    for _ in range(CALLS):
        before = time.process_time()
        act()
        taken.append((time.process_time() - before) * 1000)
    return taken[0], statistics.median(taken[1:])


def pages(live: Live) -> Iterator[tuple[str, Callable[[], object]]]:
    by_path = {(e.method, e.path.removeprefix("/api/v1")): e for e in ENDPOINTS}
    world = live.world
    agent = next(a.id for a in world.inventory if a.kind == "agent" and world.worst(a.id))

    def get(path: str, query: dict[str, object] | None = None, **names: str) -> Callable[[], object]:
        end = by_path["GET", path]
        given = {"query": msgspec.convert(query or {}, end.query)} if end.query else {}
        return lambda: msgspec.json.encode(end.run(Call(live, "ana", names, time.time()), **given))

    yield "today", get("/today")
    yield "inventory", get("/assets")
    yield "inventory, words", get("/assets", {"q": "agent-1"})
    yield "inventory, filters", get("/assets", {"kind": ["agent"], "label": ["pii"], "exposure": ["internet"]})
    yield "inventory, by owner", get("/assets", {"sort": "owner", "limit": 100, "offset": 5000})
    yield "asset", get("/assets/{id}", id=agent)
    yield "risks", get("/findings")
    yield "risk", get("/findings/{id}", id=world.assessment.findings[0].id)
    yield "cases", get("/cases")
    yield "case", get("/cases/{id}", id=world.cases[0].id)
    yield "coverage", get("/coverage")
    yield "events", get("/events")


def spool(live: Live) -> None:
    """A thousand events as a gateway writes them; half of them land on cases."""
    folder, findings = live.state / "spool", live.world.assessment.findings
    folder.mkdir(exist_ok=True)
    callers = [a.id for a in live.world.inventory if a.kind == "application"]
    with (folder / "1.jsonl").open("ab") as file:
        start = file.tell()
        for n in range(1000):
            caught = (findings[n % len(findings)].id,) if n % 2 else ()
            event = Event(f"s{start}-{n}", time.time(), "call", callers[n % len(callers)], finding_ids=caught)
            file.write(msgspec.json.encode(event) + b"\n")


def main(arguments: list[str]) -> int:
    size, now = int(arguments[0]) if arguments else 10_000, time.time()
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        store = open_store(state / "penstock.db")
        store.ingest(company(size, now - 7200))
        live = Live(store, Settings(security_team="security"), state)
        before = time.process_time()
        live.refresh()
        world = live.world
        print(f"{len(world.graph.assets)} assets, {len(world.graph.relations)} relations, "
              f"{len(world.assessment.findings)} risks, {len(world.assessment.questions)} questions, "
              f"{len(world.cases)} cases; refresh {time.process_time() - before:.1f} s")  # fmt: skip
        store.add_events(Event(f"e{n}", now - n, "call", world.inventory[n % 500].id) for n in range(5000))
        store.put("visit:ana", {"since": now - 7000, "last": now})
        print(f"{'':24}{'first':>8}{'then':>8}  ms CPU")
        slow = 0
        for name, act in pages(live):
            first, then = timed(act)
            slow += then > 100
            print(f"{name:24}{first:8.1f}{then:8.1f}")
        live.turn()
        first, then = timed(live.turn)
        print(f"{'turn, nothing new':24}{first:8.1f}{then:8.1f}")
        first, then = timed(lambda: (spool(live), live.turn()))
        print(f"{'turn, 1,000 events':24}{first:8.1f}{then:8.1f}")
        store.close()
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
