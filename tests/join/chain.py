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
    """Every finding about an application on the internet that reaches a served model trained on labelled data."""
    graph, labelling = fresh.graph, fresh.labelling
    for finding in fresh.assessment.findings:
        subject = graph.assets[finding.subject]
        if subject.kind != "application" or subject.prop("exposure") != "internet":
            continue
        on_path = {step.asset for step in finding.path} | {finding.subject}
        for endpoint in on_path:
            for served in graph.out(endpoint, "serves"):
                if "pii" not in labelling.contains(served.target) or served.target not in on_path:
                    continue
                origin = labelling.proof(served.target, "pii")[0].asset
                if graph.assets[origin].kind == "dataset":
                    yield Chain(origin, served.target, endpoint, finding.subject, finding)
