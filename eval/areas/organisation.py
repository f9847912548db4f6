"""Who answers in made-up organisations: ``python -m eval.areas.organisation [--seeds 1 2 3] [--show]``.

Each seed writes an estate of over 150 things in twelve formats (``eval.estates.organisation``), scans it and takes it
in as the commands do, and asks for every thing who owns it, who approves for each of several requesters, and who is
affected.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from eval.estates import organisation as estate
from penstock.discover.cloud import taken_in as clouds
from penstock.discover.organisation import exports, tags
from penstock.discover.organisation.parties import slug
from penstock.discover.scan import scan
from penstock.graph.graph import Graph
from penstock.graph.store import open_store
from penstock.graph.vocabulary import Asset
from penstock.respond.people import People
from penstock.settings import Settings, load_settings

TARGETS = {"owner_right": 0.95, "affected_exact": 0.95, "approver_not_requester": 1.0, "unknown_said": 0.95}
#: Kinds that a thing of the estate may be found as.
_FOUND_AS = {"repository": ("application",), "service": ("application",), "resource": ("data_store",),
             "bucket": ("data_store",), "workload": ("endpoint",)}  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--show", action="store_true", help="print what is wrong")
    given = parser.parse_args(argv)
    missed = False
    for seed in given.seeds:
        started = time.process_time()
        figures, wrong = measured(seed)
        told = "  ".join(f"{name} {value:.3f}" for name, value in figures.items())
        print(f"seed {seed}: {told}  ({time.process_time() - started:.0f} CPU s)")
        for line in wrong if given.show else ():
            print(f"  {line}")
        missed |= any(figures[name] < target for name, target in TARGETS.items())
    return 1 if missed else 0


def measured(seed: int) -> tuple[dict[str, float], list[str]]:
    """The figures of one seed (shares 0-1, and how many things), and what is wrong in words."""
    world = estate.world(seed)
    with tempfile.TemporaryDirectory() as folder:
        people = _people(world, Path(folder))
    right, wrong = Counter[str](), []
    total = Counter[str]()
    for name, want in estate.expected(world).items():
        asset = _asset(people.graph, world.things[name])
        got = _answer(world, people, asset)
        total["things"] += 1
        checks = {
            "owner_right": got["owner"] == want["owner"],
            "affected_exact": got["affected"] == _slugs(want["affected"]),
            "conflict_shown": got["conflict"] == want["conflict"],
        }
        if not want["owner"]:
            checks["unknown_said"] = got["owner"] == ""
        for requester in _requesters(world, name):
            checks[f"approver {requester}"] = _approved_by_another(world, people, asset, requester)
        for check, passed in checks.items():
            key = "approver_not_requester" if check.startswith("approver") else check
            total[key] += 1
            right[key] += passed
            if not passed:
                wrong.append(
                    f"{name} ({world.things[name].sort}) {check}: {got} but {want} {world.things[name].claims}"
                )
    figures = {key: right[key] / total[key] for key in total if key != "things"}
    return {"things": float(total["things"]), **figures}, wrong


def _people(world: estate.World, folder: Path) -> People:
    handed_over = estate.write(world, folder)
    store = open_store(folder / "penstock.db")
    settings: Settings = load_settings(folder)
    try:
        repositories = sorted(path for path in (folder / "repos").iterdir())
        store.ingest(scan([str(path) for path in repositories], settings=settings, cache=None, now=1_000.0))
        for number, path in enumerate(handed_over):
            now = 1_001.0 + number
            cloud = clouds.is_export(path)
            found = tags.of_export(path, clouds.file(path, now=now)) if cloud else exports.file(path, now=now)
            store.ingest(found)
        return People(store.graph(), settings)
    finally:
        store.close()


def _asset(graph: Graph, thing: estate.Thing) -> str:
    """What was found of a thing; of several the one with a place of its own."""
    found: list[Asset] = [a for a in graph.of_kind(*_FOUND_AS[thing.sort]) if slug(a.name) == slug(thing.name)]
    found.sort(key=lambda asset: (not asset.scope, asset.scope.startswith("repo:forks/"), asset.id))
    return found[0].id if found else ""


def _answer(world: estate.World, people: People, asset: str) -> dict[str, Any]:
    """Owner, affected and whether sources contradict; a person counts under each of their names."""
    owner = people.owner(asset)
    names = {name: p.email for p in world.people.values() for name in (p.login, p.handle, p.email)}
    return {
        "owner": names.get(owner.name, owner.name),
        "affected": _slugs(people.name(id) for id in people.affected(asset)),
        "conflict": bool(owner.conflicts),
    }


def _slugs(names: Any) -> list[str]:
    return sorted({slug(str(name)) for name in names})


def _requesters(world: estate.World, name: str) -> list[str]:
    """Who might ask: everybody that a source names, under login, address and name, and their teams' members."""
    named = [world.people[who] for who in world.things[name].claims.values() if who in world.people]
    inside = [
        person
        for who in world.things[name].claims.values()
        if who.startswith("team:")
        for person in world.teams[who.removeprefix("team:")].members[:2]
    ]
    return [word for person in (*named, *inside) for word in (person.login, person.email, person.handle, person.guid)]


def _approved_by_another(world: estate.World, people: People, asset: str, requester: str) -> bool:
    """Whether the approver is neither the requester, under any name, nor a leaver, nor a team of theirs alone."""
    asks = next(p for p in world.people.values() if requester in (p.login, p.email, p.handle, p.guid))
    name = people.name(people.approver(asset, requester))
    if name in (asks.login, asks.email, asks.handle, asks.guid):
        return False
    if any(p.left and name in (p.login, p.email, p.handle) for p in world.people.values()):
        return False
    team = world.teams.get(name)
    here = [p for p in estate.everybody_in(world, name) if not p.left] if team else []
    return not (team and here and all(p is asks for p in here))


if __name__ == "__main__":
    sys.exit(main())
