"""Watches every event on its way to the spool, and adds alerts: few, with context, one incident an application."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from penstock.graph.vocabulary import SENSITIVE, Event
from penstock.protect.behaviour.baseline import WINDOW, Baseline
from penstock.protect.behaviour.firsts import LEARNING, Firsts
from penstock.protect.behaviour.patterns import (
    PROBE_SECONDS,
    PROBES,
    STORM,
    STORM_SECONDS,
    Counter,
    Extraction,
    Loops,
    Signal,
)
from penstock.protect.sink import Sink, event_id
from penstock.protect.snapshot import Caller
from penstock.protect.snapshot_source import Source

#: Applications that are watched; the one that was quiet for longest is forgotten first. Each holds about 15 KB.
APPLICATIONS = 2_000
#: Seconds of quiet that end an incident; signals before that belong to it.
INCIDENT = 3_600.0
#: Signals that one incident names.
_NAMED = 20
#: US dollars in a quarter of an hour that are worth a look where nothing is usual yet.
WALLET = 50.0
#: Rules that say that an answer gave instructions away.
PROBED = frozenset({"answer-instructions", "answer-canary"})

#: What makes a signal worth a person's look, in words.
Context = Callable[[str], tuple[str, ...]]


class _Application:
    """What is known of one application."""

    __slots__ = ("attacks", "cost", "extraction", "firsts", "incident", "probes", "requests", "tokens", "walled")

    def __init__(self, at: float) -> None:
        self.requests, self.tokens, self.cost = Baseline(60), Baseline(100_000), Baseline(5.0)
        self.firsts = Firsts(at)
        self.attacks, self.probes = Counter(STORM, STORM_SECONDS), Counter(PROBES, PROBE_SECONDS)
        self.extraction = Extraction()
        self.incident: _Incident | None = None
        self.walled = -1  # the last window whose cost was told


class _Incident(msgspec.Struct):
    id: str
    last: float
    kinds: dict[str, str] = {}


class Watch:
    """A sink before another one."""

    def __init__(self, sink: Sink, context: Context) -> None:
        self._sink = sink
        self._context = context
        self._applications: OrderedDict[str, _Application] = OrderedDict()
        self._loops = Loops()
        self._since: float | None = None
        self._lock = threading.Lock()

    def emit(self, event: Event) -> None:
        """Hand the event on, and what follows from it."""
        self._sink.emit(event)
        if event.kind == "call" and event.application:
            with self._lock:
                alerts = list(self._alerts(event))
            for alert in alerts:
                self._sink.emit(alert)

    def _alerts(self, event: Event) -> Iterator[Event]:
        if self._since is None:
            self._since = event.at
        known = self._applications.get(event.application)
        if known is None:
            known = self._applications[event.application] = _Application(event.at)
            if len(self._applications) > APPLICATIONS:
                self._applications.popitem(last=False)
        else:
            self._applications.move_to_end(event.application)
        for signal in _signals(known, event, self._loops):
            why = self._context(event.application)
            if event.at - known.firsts.since < LEARNING <= event.at - self._since:
                why = (*why, "a caller that is new")
            if (why or signal.alone) and (alert := _told(known, signal, event, why)):
                yield alert


def _signals(known: _Application, event: Event, loops: Loops) -> Iterator[Signal]:
    props: Mapping[str, Any] = event.props
    window = int(event.at) // WINDOW
    usage = props.get("usage")
    asked, answered = (usage.get("in", 0), usage.get("out", 0)) if usage else (0, 0)
    if known.requests.add(1.0, window):
        yield Signal("requests", f"more calls than ever at this hour (usual: {known.requests.usual:.0f})")
    if known.tokens.add(asked + answered, window):
        yield Signal("tokens", f"more tokens than ever at this hour (usual: {known.tokens.usual:.0f})")
    cost = props.get("cost", 0.0)
    if known.cost.add(cost, window):
        known.walled = window
        yield Signal("cost", f"it costs far more than usual: {known.cost.total:.2f} $ in 15 minutes", "high", True)
    elif known.cost.total > WALLET > known.cost.usual and known.walled != window and cost:
        known.walled = window
        yield Signal("cost", f"it costs {known.cost.total:.2f} $ in 15 minutes", "high", True)
    seen = event.seen
    if seen:
        if "in.attack" in seen and known.attacks.full(event.at):
            yield Signal("storm", f"{STORM} attacks in ten minutes", "high", True)
        if not PROBED.isdisjoint(event.rules) and known.probes.full(event.at):
            yield Signal("probing", "its instructions are being talked out of it", "medium", True)
    for kind, names in (
        ("model", (event.model,)), ("tool", props.get("tool_calls", ())), ("address", (props.get("upstream", ""),))
    ):  # fmt: skip
        for name in names:
            if name and known.firsts.first(kind, name, event.at):
                yield Signal(f"first-{kind}", f"it uses the {kind} {name[:80]!r} for the first time in two weeks")
    session = props.get("session", "")
    if usage and known.extraction.seen(event.at, session, asked, answered):
        yield Signal("extraction", "many single calls ask little and are answered much: a model is being copied")
    if session and loops.seen(session, tuple(props.get("tool_calls", ())), event.at) and props.get("tool_calls"):
        yield Signal("loop", "an agent calls the same tools over and over", "medium", True)


def _told(known: _Application, signal: Signal, event: Event, why: tuple[str, ...]) -> Event | None:
    """The alert of a signal: the first of an incident, or of its kind in it; else nothing."""
    incident = known.incident
    if incident is None or event.at - incident.last > INCIDENT:
        incident = known.incident = _Incident(event_id(), event.at)
    incident.last = event.at
    if signal.kind in incident.kinds or len(incident.kinds) >= _NAMED:
        return None
    incident.kinds[signal.kind] = signal.title
    props = {
        "cause": "behaviour", "title": signal.title, "severity": signal.severity, "incident": incident.id,
        "signals": dict(incident.kinds), "context": list(why), "call": event.id,
    }  # fmt: skip
    return Event(
        id=event_id(), at=event.at, kind="alert", application=event.application, surface=event.surface,
        provider=event.provider, model=event.model, verdict="observe", rules=(f"behaviour-{signal.kind}",), props=props,
    )  # fmt: skip


def context_of(source: Source) -> Context:
    """The context of an application, from the policy in force."""
    made: dict[str, tuple[str, ...]] = {}
    version = -1

    def context(application: str) -> tuple[str, ...]:
        nonlocal version
        in_force = source.current()
        if in_force is None:
            return ()
        if in_force.snapshot.version != version:
            made.clear()
            made.update({one.application: _reasons(one) for one in in_force.snapshot.callers.values()})
            version = in_force.snapshot.version
        return made.get(application, ("an unknown caller",))

    return context


def _reasons(caller: Caller) -> tuple[str, ...]:
    labels = {label for tool in caller.known_tools for label in tool.labels}
    labels |= {category for rule in caller.rules if rule.findings for category in rule.categories}
    found = [f"it reaches {', '.join(sorted(labels & SENSITIVE)[:3])}"] if labels & SENSITIVE else []
    return (*found, *(() if caller.owner else ("nobody owns it",)))
