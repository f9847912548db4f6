"""Live: what goes through the gateway, conversation by conversation, and what is done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec

from penstock.graph.vocabulary import Event
from penstock.serve.api.endpoint import Call, NoSuchThing, endpoint
from penstock.serve.api.shapes import Ref
from penstock.serve.api.shaping import ref
from penstock.serve.world import World

#: Calls looked through for one page; what is older is found by narrowing the filter.
LOOKED_AT = 5000
HOUR = 3600.0


class TrafficQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``seen``: a data category found in the call. ``hours``: how far back."""

    application: str = ""
    verdict: tuple[str, ...] = ()
    model: str = ""
    seen: str = ""
    session: str = ""
    hours: Annotated[float, msgspec.Meta(gt=0, le=24 * 90)] = 24
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0


class TrafficRow(msgspec.Struct, frozen=True):
    """A call. ``seen`` counts what was found by direction and category; ``would`` is what enforcing would have done."""

    id: str
    at: float
    application: Ref | None
    model: str
    provider: str
    surface: str
    verdict: str
    would: str
    seen: dict[str, int]
    rules: tuple[str, ...]
    session: str
    milliseconds: float | None
    added_milliseconds: float | None
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None
    tools: tuple[str, ...]
    status: int | None


class Usage(msgspec.Struct, frozen=True):
    """What an application used in the time looked at."""

    application: Ref
    calls: int
    tokens: int
    cost: float
    held_back: int


class TrafficList(msgspec.Struct, frozen=True):
    """Newest first. ``total`` passes the filter; the counts and times are of what passes it, too.

    ``cut``: there was more in that time than is looked through. Added milliseconds are what the gateway itself took.
    """

    total: int
    cut: bool
    calls: tuple[TrafficRow, ...]
    verdicts: dict[str, int]
    categories: dict[str, int]
    added_p50: float | None
    added_p99: float | None
    usage: tuple[Usage, ...]


class TrafficCall(msgspec.Struct, frozen=True):
    """One call, the one before and after it inside the filter, and the rest of its conversation, oldest first."""

    call: TrafficRow
    newer: str
    older: str
    conversation: tuple[TrafficRow, ...]
    cases: tuple[Ref, ...]
    approvals: tuple[str, ...]
    facts: dict[str, str]


@endpoint("GET", "/traffic")
def traffic(call: Call, query: TrafficQuery) -> TrafficList:
    """Calls through the gateway, newest first, with what was found and done."""
    looked = _looked_at(call, query)
    found = [event for event in looked if _passes(event, query)]
    added = sorted(took for event in found if (took := _number(event, "added_ms")) is not None)
    seen: Counter[str] = Counter()
    for event in found:
        seen.update({name.partition(".")[2] for name, count in event.seen.items() if count})
    page = found[query.offset : query.offset + query.limit]
    return TrafficList(
        len(found),
        len(looked) == LOOKED_AT,
        tuple(_row(call.live.world, event) for event in page),
        dict(Counter(event.verdict for event in found)),
        dict(seen.most_common()),
        _at(added, 0.5),
        _at(added, 0.99),
        _usage(call.live.world, found),
    )


@endpoint("GET", "/traffic/{id}")
def traffic_call(call: Call, query: TrafficQuery) -> TrafficCall:
    """One call with its neighbours inside the filter, its conversation, cases and requests."""
    world = call.live.world
    looked = _looked_at(call, query)
    place = next((n for n, event in enumerate(looked) if event.id == call.path["id"]), None)
    if place is None:
        raise NoSuchThing("There is no such call in this time", call.path["id"], "Look further back")
    event = looked[place]
    newer = next((e.id for e in reversed(looked[:place]) if _passes(e, query)), "")
    older = next((e.id for e in looked[place + 1 :] if _passes(e, query)), "")
    session = _text(event, "session")
    told = [e for e in reversed(looked) if session and _text(e, "session") == session]
    on_it = [c for c in world.cases if event.id in c.events or not set(c.findings).isdisjoint(event.finding_ids)]
    asked = [a.id for a in call.live.store.approvals(limit=2000) if event.id in a.events]
    return TrafficCall(
        _row(world, event),
        newer,
        older,
        tuple(_row(world, e) for e in told[-200:]),
        tuple(Ref(case.id, "", case.title) for case in on_it[:10]),
        tuple(asked),
        {name: str(value)[:300] for name, value in sorted(event.props.items()) if name in _SHOWN},
    )


#: What is said of a call beside the columns; never a text, for none is kept.
_SHOWN = frozenset(
    {"mode", "outcome", "upstream", "stream", "bytes_in", "bytes_out", "finish", "tool_calls", "tags", "would"}
)


def _looked_at(call: Call, query: TrafficQuery) -> Sequence[Event]:
    since = call.now - query.hours * HOUR
    found = call.live.store.events(since=since, application=query.application or None, limit=LOOKED_AT)
    return [event for event in found if event.kind == "call"]


def _passes(event: Event, query: TrafficQuery) -> bool:
    return (
        (not query.verdict or event.verdict in query.verdict)
        and (not query.model or event.model == query.model)
        and (not query.seen or any(n and name.endswith(f".{query.seen}") for name, n in event.seen.items()))
        and (not query.session or _text(event, "session") == query.session)
    )


def _row(world: World, event: Event) -> TrafficRow:
    usage = event.props.get("usage")
    used: dict[str, Any] = usage if isinstance(usage, dict) else {}
    tools = event.props.get("tool_calls")
    status = event.props.get("status")
    return TrafficRow(
        event.id,
        event.at,
        ref(world, event.application) if event.application else None,
        event.model,
        event.provider,
        event.surface,
        event.verdict,
        _text(event, "would"),
        dict(event.seen),
        tuple(event.rules),
        _text(event, "session"),
        _number(event, "ms"),
        _number(event, "added_ms"),
        _whole(used.get("in")),
        _whole(used.get("out")),
        _number(event, "cost"),
        tuple(str(name) for name in tools[:20]) if isinstance(tools, list | tuple) else (),
        status if isinstance(status, int) else None,
    )


def _usage(world: World, events: Iterable[Event]) -> tuple[Usage, ...]:
    by: dict[str, list[TrafficRow]] = {}
    for event in events:
        if event.application:
            by.setdefault(event.application, []).append(_row(world, event))
    used = [
        Usage(
            ref(world, application),
            len(rows),
            sum((row.tokens_in or 0) + (row.tokens_out or 0) for row in rows),
            sum(row.cost or 0.0 for row in rows),
            sum(row.verdict in ("stop", "ask") for row in rows),
        )
        for application, rows in by.items()
    ]
    return tuple(sorted(used, key=lambda one: (-one.cost, -one.tokens, -one.calls, one.application.id))[:20])


def _at(ordered: Sequence[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def _text(event: Event, name: str) -> str:
    value = event.props.get(name)
    return value[:200] if isinstance(value, str) else ""


def _number(event: Event, name: str) -> float | None:
    value = event.props.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None
