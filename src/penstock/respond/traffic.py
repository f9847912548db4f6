"""Traffic rolled up to inventory: who was seen using which model."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.graph import identity
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Event, Evidence, Observation

#: The scope of what traffic shows. It is never finished: what is not called today is not gone.
SCOPE = "gateway"


def roll_up(events: Iterable[Event]) -> tuple[Observation, ...]:
    """One observation of each application's use of each model, however often it called; the last call is the evidence.

    Calls of unknown callers, or that name no model, say nothing about the inventory.
    """
    last: dict[tuple[str, str, str], Event] = {}
    for event in events:
        if event.application and event.model:
            use = (event.application, event.provider, event.model)
            if use not in last or (last[use].at, last[use].id) < (event.at, event.id):
                last[use] = event
    seen: list[Observation] = []
    for (application, provider, name), event in sorted(last.items()):
        evidence = Evidence(
            "gateway", f"event {event.id}", "resolved", (f"called through {event.surface or 'the gateway'}",), SCOPE
        )
        model = identity.asset("model", name, props={"provider": provider} if provider else {})
        seen.append(Observation(model, evidence))
        seen.append(Observation(identity.relation(application, "uses_model", model), evidence))
    return tuple(seen)


def as_scan(observations: tuple[Observation, ...], at: float) -> Scan:
    """The roll-up as something a store takes in; it retires nothing."""
    return Scan(observations, scopes=(SCOPE,), at=at)
