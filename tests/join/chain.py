"""Look for the chain *data → training → model → endpoint → public agent* by its shape, never by a name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock.discover.scan import scan
from penstock.graph.store import open_store
from penstock.graph.store.protocol import Scan, Store
from penstock.graph.vocabulary import Finding
from penstock.respond.refresh import Refreshed, refresh
from penstock.settings import Settings


@dataclass
class Look:
    """One look at an estate: what was scanned and all that follows from it."""

    store: Store
    scan: Scan
    fresh: Refreshed


def look(estate: Path, state: Path, settings: Settings | None = None) -> Look:
    """Scan the estate into the state directory and derive everything."""
    settings, now = settings or Settings(), time.time()
    store = open_store(state / "penstock.db")
    found = scan([estate], settings=settings, cache=state / "cache", now=now)
    store.ingest(found)
    return Look(store, found, refresh(store, settings, state, now=now))


@dataclass
class Chain:
    """The ids along one chain, and the finding that shows it."""

    table: str
    model: str
    endpoint: str
    application: str
    finding: Finding


def chains(fresh: Refreshed) -> Iterator[Chain]:
    """Every finding whose path leads from an application on the internet to a served model trained on labelled data."""
    graph, labelling = fresh.graph, fresh.labelling
    for finding in fresh.assessment.findings:
        on_path = [finding.subject, *(step.asset for step in finding.path)]
        doors = [
            a
            for a in on_path
            if graph.assets[a].kind == "application" and graph.assets[a].prop("exposure") == "internet"
        ]
        served = [(r.source, r.target) for a in on_path for r in graph.out(a, "serves") if r.target in on_path]
        for endpoint, model in served if doors else ():
            if "pii" in labelling.contains(model):
                origin = labelling.proof(model, "pii")[0].asset
                if graph.assets[origin].kind == "dataset":
                    yield Chain(origin, model, endpoint, doors[0], finding)
