"""Receives events of OpenLineage where its clients send them by default: ``POST /api/v1/lineage``.

What they say is taken in at once, under a scope that no scan looks at, and shows after the next turn of the loop.
"""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.discover.data.lineage.taken_in import events
from penstock.graph.vocabulary import Asset
from penstock.serve.api.endpoint import Call, endpoint


class LineageEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A RunEvent, JobEvent or DatasetEvent of the specification; what else it holds is not read."""

    producer: str
    eventTime: str = ""
    schemaURL: str = ""
    eventType: str = ""
    run: dict[str, Any] = {}
    job: dict[str, Any] = {}
    dataset: dict[str, Any] = {}
    inputs: list[dict[str, Any]] = []
    outputs: list[dict[str, Any]] = []


class Received(msgspec.Struct, frozen=True):
    """How many things the event told of, and how many statements it made about them."""

    things: int
    statements: int


@endpoint("POST", "/lineage")
def receive_lineage(call: Call, body: LineageEvent) -> Received:
    """Take in one event of OpenLineage."""
    found = events([msgspec.to_builtins(body)], now=call.now)
    call.live.store.ingest(found)
    subjects = [observation.subject for observation in found.observations]
    return Received(len({subject.id for subject in subjects if isinstance(subject, Asset)}), len(subjects))
