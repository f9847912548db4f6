"""Calls that telemetry tells of, as the same events and observations that the gateway makes of calls it serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from penstock.discover.git import repository_name
from penstock.discover.telemetry.dialects import Call
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Event, Evidence, Observation
from penstock.inspect.span import Span

#: The scope of what traffic shows: it is added to and never looked through (``vocabulary.ADDING_SCOPES``).
SCOPE = "gateway"
#: Characters of one text, and of all texts of one export, in which sensitive data is looked for.
TEXT, ALL = 8 * 1024, 512 * 1024

Detect = Callable[[str], Iterable[Span]]


class Budget:
    """Characters of one export that may still be looked at; what goes beyond is said to be unread."""

    def __init__(self, characters: int = ALL) -> None:
        self.left = characters

    def take(self, text: str) -> str:
        piece = text[: min(TEXT, self.left)]
        self.left -= len(piece)
        return piece


def application_of(call: Call) -> Asset:
    """Whose telemetry it is: the repository's application when the resource names its repository, else the service."""
    service = call.said.service
    return _application(
        service.get("service.name", "unknown_service"),
        service.get("service.namespace", ""),
        service.get("vcs.repository.url.full", ""),
    )


@lru_cache(maxsize=1024)
def _application(name: str, namespace: str, repository: str) -> Asset:
    if repository := repository_name(repository):
        return identity.application(f"repo:{repository}")
    return identity.application(f"service:{f'{namespace}/' if namespace else ''}{name}", name)


def event_of(call: Call, application: str, detect: Detect, budget: Budget) -> Event:
    """Types, counts and names of a call; its texts are looked at here and kept nowhere."""
    seen: Counter[str] = Counter()
    unread = False
    for direction, _, text in call.texts:
        piece = budget.take(text)
        unread = unread or len(piece) < len(text)
        if piece:
            seen.update(f"{direction}.{span.category}" for span in detect(piece))
    props: dict[str, Any] = {
        "operation": call.operation,
        "outcome": "failed" if call.failed else "answered",
        "ms": round(1000 * call.said.seconds, 1),
        "source": "telemetry",
    }
    service = call.said.service
    about: dict[str, Any] = {
        "agent": call.agent, "tools": list(call.tools), "tool_calls": list(call.wanted), "tool": call.tool,
        "session": call.session, "store": call.store, "mcp_server": call.server, "unread": unread,
        "environment": service.get("deployment.environment.name") or service.get("deployment.environment", ""),
    }  # fmt: skip
    props |= {name: value for name, value in about.items() if value}
    if call.sent or call.answered:
        props["usage"] = {"in": call.sent, "out": call.answered}
    if call.address and not call.provider:
        props["upstream"] = call.address if "://" in call.address else f"http://{call.address}"
    return Event(
        id=f"ot-{call.said.id or '0'}-{int(call.said.at * 1e6):x}", at=call.said.at, kind="call",
        application=application, surface=f"otel.{call.dialect}", provider=call.provider, model=call.model,
        seen=dict(seen), props=props,
    )  # fmt: skip


def uses(call: Call, application: str) -> str:
    """What is one use: calls of one use say the same about the inventory."""
    return "\0".join(
        (application, call.provider, call.model, call.agent, call.tool, call.server, call.store, call.collection,
         *call.tools, *call.wanted)
    )  # fmt: skip


def observations_of(call: Call, application: Asset) -> Iterator[Observation]:
    """The application, its agent, and the model, tools, servers and stores that it was seen to use."""
    evidence = Evidence(
        "telemetry", f"span {call.said.id}", "resolved", (f"told in {call.dialect}",), SCOPE, call.said.at
    )

    def used(user: Asset, verb: str, asset: Asset) -> Iterator[Observation]:
        yield Observation(asset, evidence)
        yield Observation(identity.relation(user, verb, asset), evidence)

    yield Observation(application, evidence)
    actor = application
    if call.agent:
        actor = identity.asset("agent", call.agent, scope=application.scope, key=f"telemetry::{call.agent}")
        yield from used(application, "invokes", actor)
    if call.model and call.provider:
        yield from used(actor, "uses_model", identity.asset("model", call.model, props={"provider": call.provider}))
    elif call.model and call.address:
        url = call.address if "://" in call.address else f"http://{call.address}"
        yield from used(actor, "uses_model", identity.model_at(url, call.model, application.scope))
        yield from used(actor, "invokes", identity.endpoint(url, application.scope))
    elif call.provider and call.dialect == "http":
        url = call.address if "://" in call.address else f"https://{call.address}"
        place = identity.endpoint(url, application.scope)
        yield from used(actor, "invokes", place)
        yield from used(place, "provided_by", identity.asset("provider", call.provider))
    for name in sorted({*call.tools, *call.wanted, *([call.tool] if call.tool else ())}):
        tool = identity.asset("tool", name, scope=application.scope)
        yield from used(actor, "uses_tool", tool)
        if call.server and name == call.tool:
            server = identity.asset("mcp_server", call.server, scope=application.scope)
            yield from used(actor, "connects_to", server)
            yield Observation(identity.relation(server, "exposes_tool", tool), evidence)
    if call.store:
        name = call.collection or call.store
        yield from used(actor, "retrieves_from", identity.asset("vector_store", name, scope=application.scope))
