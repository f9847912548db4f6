"""Traffic rolled up to inventory: who was seen using which model, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from penstock.graph import identity
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import VERBS, Asset, Complete, Event, Evidence, Observation
from penstock.knowledge.providers import provider_of_host, provider_of_prefix

#: The scope of what traffic shows. It is added to and never looked through: what is not called today is not gone.
SCOPE = "gateway"


def roll_up(events: Iterable[Event]) -> tuple[Observation, ...]:
    """One observation of each application's use of each model, however often it called; the last call is the evidence.

    A hosted model is known by the provider behind the address that was called, one of our own by that address, so that
    traffic and code speak of the same asset. Calls that failed, or that do not tell whose model answered, say nothing
    about the inventory. Who called without being known becomes a shadow asset.
    """
    last: dict[str, Event] = {}
    for event in events:
        if is_use(event):
            known = last.get(use_of(event))
            if known is None or (known.at, known.id) < (event.at, event.id):
                last[use_of(event)] = event
    return tuple(seen for _, event in sorted(last.items()) for seen in _observations(event))


def is_use(event: Event) -> bool:
    """Whether the event shows an application that was answered by a model or a tool."""
    status = event.props.get("status")
    called = event.application or shadow_of(event)
    return bool(called and (event.model or _tool(event))) and not (isinstance(status, int) and status >= 400)


def use_of(event: Event) -> str:
    """What is one use: who, which model, answered where."""
    shadow = shadow_of(event)
    caller = shadow.id if shadow else event.application
    return f"{caller} {_address(event) or event.provider} {event.model}{_tool(event)}"


def shadow_of(event: Event) -> Asset | None:
    """The application that nobody knows behind a call that policy let pass; None when it is known.

    Who proved to be somebody (a token, a certificate) is an asset of its own. All others are one: what they send in
    place of a key is theirs to choose, and must not fill the inventory.
    """
    about = event.props.get("caller")
    if event.application or not isinstance(about, Mapping):
        return None
    proved = about.get("by") in ("token", "certificate")
    name = str(about.get("name")) if proved else "callers without a known key"
    key = f"{about.get('by')} {about.get('issuer', '')} {name}" if proved else name
    return identity.asset("application", name, scope=SCOPE, key=key, props={"sanction": "unknown"})


def as_scan(observations: tuple[Observation, ...], at: float) -> Scan:
    """The roll-up as something a store takes in.

    It looked at no scope, so it retires nothing, and what earlier roll-ups saw does not go stale. It vouches for every
    verb: all that traffic showed is in it, so that a model which code uses too is judged as if nobody had called it.
    """
    return Scan(observations, tuple(Complete(SCOPE, verb, "gateway") for verb in VERBS), at=at)


def _observations(event: Event) -> Iterator[Observation]:
    address = _address(event)
    provider = provider_of_host(address) if address else provider_of_prefix(event.provider)
    through = event.surface or "the gateway"
    evidence = Evidence("gateway", f"event {event.id}", "resolved", (f"called through {through}",), SCOPE, event.at)
    used: list[tuple[str, Asset]] = []
    shadow = shadow_of(event)
    if shadow is not None:
        yield Observation(shadow, evidence)
    if name := _tool(event):
        server = identity.asset("mcp_server", event.provider, scope=SCOPE)
        tool = identity.asset("tool", name, scope=SCOPE, key=f"{event.provider}/{name}")
        used += [("connects_to", server), ("uses_tool", tool)]
        yield Observation(identity.relation(server, "exposes_tool", tool), evidence)
        provider = address = ""
    if provider:
        used.append(("uses_model", identity.asset("model", event.model, props={"provider": provider})))
    elif address:
        model, place = identity.model_at(address, event.model, SCOPE), identity.endpoint(address, SCOPE)
        used += [("uses_model", model), ("invokes", place)]
        # It answered as that model, so it is no gateway of which nobody knows what stands behind it.
        yield Observation(identity.relation(place, "serves", model), evidence)
    for verb, asset in used:
        yield Observation(asset, evidence)
        yield Observation(identity.relation(shadow or event.application, verb, asset), evidence)


def _tool(event: Event) -> str:
    """The tool of an MCP server that was called and answered; empty when it is no such call."""
    about = event.props.get("mcp")
    if not isinstance(about, Mapping) or event.props.get("outcome") not in ("answered", "tool_error"):
        return ""
    return str(about.get("tool") or "")


def _address(event: Event) -> str:
    """The address that was called; missing from events that were thinned under load."""
    return str(event.props.get("upstream") or "")
