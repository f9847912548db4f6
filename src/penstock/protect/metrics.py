"""What the gateway tells Prometheus: counts and times, with labels of few values, and never a name out of a text.

Every event that leaves the gateway is counted on its way to the spool, whichever door it came through.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from penstock.graph.vocabulary import Event
from penstock.protect.sink import Sink

#: Upper bounds in seconds: of what the gateway adds, and of whole calls, which wait for a model.
ADDED = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)
WHOLE = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
#: Series of one metric at most; what comes after is counted together. Ours have a few dozen.
SERIES = 500
MEDIA_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]
#: Name, what it is, its values: one metric as it is told.
Told = tuple[str, str, str, Iterable[tuple[Labels, float]]]


class Histogram:
    """How many were at most so long, and how long all took together."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def lines(self, name: str, what: str) -> Iterator[str]:
        yield f"# HELP {name} {what}"
        yield f"# TYPE {name} histogram"
        total = 0
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self._sum:.6f}"
        yield f"{name}_count {total}"


class Metrics:
    """Counters of one process. Kept by the thread that serves; read by it, too."""

    def __init__(self) -> None:
        self._calls: dict[Labels, float] = defaultdict(float)
        self._seen: dict[Labels, float] = defaultdict(float)
        self._bytes: dict[Labels, float] = defaultdict(float)
        self._tokens: dict[Labels, float] = defaultdict(float)
        self._added = Histogram(ADDED)
        self._whole = Histogram(WHOLE)

    def count(self, event: Event) -> None:
        """One call that is over."""
        props = event.props
        outcome = str(props.get("outcome", "answered"))
        _add(self._calls, (("surface", event.surface), ("verdict", event.verdict), ("outcome", outcome)))
        for kind, number in event.seen.items():
            direction, _, category = kind.partition(".")
            _add(self._seen, (("direction", direction), ("category", category)), number)
        for direction in ("in", "out"):
            _add(self._bytes, (("direction", direction),), props.get(f"bytes_{direction}", 0))
        if isinstance(usage := props.get("usage"), Mapping):
            for direction in ("in", "out"):
                _add(self._tokens, (("direction", direction),), usage.get(direction, 0))
        if (added := props.get("added_ms")) is not None:
            self._added.add(added / 1000)
        if (whole := props.get("ms")) is not None:
            self._whole.add(whole / 1000)

    def text(self, more: Iterable[Told]) -> bytes:
        """All of it as Prometheus reads it; ``more`` is what others count."""
        own: list[Told] = [
            ("penstock_calls_total", "counter", "Calls that are over.", self._calls.items()),
            ("penstock_seen_total", "counter", "Things seen in texts, by kind of data.", self._seen.items()),
            ("penstock_bytes_total", "counter", "Bytes of requests and answers.", self._bytes.items()),
            ("penstock_tokens_total", "counter", "Tokens that providers counted.", self._tokens.items()),
        ]
        lines: list[str] = []
        for name, kind, what, values in (*own, *more):
            lines += (f"# HELP {name} {what}", f"# TYPE {name} {kind}")
            lines += (f"{name}{_labels(labels)} {value:g}" for labels, value in values)
        lines += self._added.lines("penstock_added_seconds", "Time that the gateway added to a call.")
        lines += self._whole.lines("penstock_call_seconds", "Time from a request to the end of its answer.")
        return "\n".join([*lines, ""]).encode()


class Counted:
    """A sink that counts what it hands on."""

    def __init__(self, sink: Sink, metrics: Metrics) -> None:
        self._sink = sink
        self._metrics = metrics

    def emit(self, event: Event) -> None:
        self._metrics.count(event)
        self._sink.emit(event)


def single(name: str, kind: str, what: str, value: float) -> Told:
    """A metric without labels."""
    return name, kind, what, [((), value)]


def _add(values: dict[Labels, float], labels: Labels, number: Any = 1) -> None:
    if len(values) >= SERIES and labels not in values:
        labels = tuple((name, "other") for name, _ in labels)
    values[labels] += number


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    said = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return "{" + said + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
