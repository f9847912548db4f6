"""What the gateway saw, newest first."""

from __future__ import annotations

from typing import Annotated

import msgspec

from penstock.graph.vocabulary import Event
from penstock.serve.api.endpoint import Call, endpoint
from penstock.serve.api.shapes import Ref
from penstock.serve.api.shaping import ref
from penstock.serve.world import World


class EventQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    since: float = 0.0
    application: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


class EventRow(msgspec.Struct, frozen=True):
    """``seen`` counts what was found by direction and category; no text is ever kept."""

    id: str
    at: float
    kind: str
    application: Ref | None
    surface: str
    provider: str
    model: str
    verdict: str
    rules: tuple[str, ...]
    seen: dict[str, int]
    findings: tuple[str, ...]


class EventList(msgspec.Struct, frozen=True):
    events: tuple[EventRow, ...]


@endpoint("GET", "/events")
def events(call: Call, query: EventQuery) -> EventList:
    """What happened at run time, newest first."""
    found = call.live.store.events(since=query.since, application=query.application or None, limit=query.limit)
    return EventList(tuple(event_row(call.live.world, event) for event in found))


def event_row(world: World, event: Event) -> EventRow:
    return EventRow(
        event.id,
        event.at,
        event.kind,
        ref(world, event.application) if event.application else None,
        event.surface,
        event.provider,
        event.model,
        event.verdict,
        tuple(event.rules),
        dict(event.seen),
        tuple(event.finding_ids),
    )
