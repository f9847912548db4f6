"""What a collector is: an item in, observations out. No I/O, no store, no clock.

Two sorts, both plain decorated generators that register themselves:

- ``@collector`` reads one file at a time, in worker processes, and is cached by the file's content. What it yields may
  include ``Fact`` values: small msgpack-able records that only make sense together with other files.
  A collector behind a ``Gate`` reads only the files that the gate chooses, from a glance at all of them.
- ``@joiner`` runs once per source, after all files, over the facts of that source: cross-file resolution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.graph.vocabulary import Complete, Evidence, Observation, Unseen


@dataclass(frozen=True, slots=True)
class File:
    """One item of a source. ``path`` is relative to the source's root, with forward slashes.

    ``data`` is the whole content (bounded by the source), ``scope`` names the source (``repo:<name>``).
    """

    path: str
    data: bytes
    scope: str

    @property
    def text(self) -> str:
        """The content as text: UTF-8, with a byte-order mark dropped and broken bytes replaced."""
        return self.data.decode("utf-8-sig", errors="replace")

    def at(self, line: int | None = None) -> str:
        """A place that a reader can open."""
        return f"{self.path}:{line}" if line else self.path

    def evidence(
        self, collector: str, line: int | None = None, *, confidence: str = "resolved", chain: Iterable[str] = ()
    ) -> Evidence:
        return Evidence(collector, self.at(line), confidence, tuple(chain), self.scope)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something about one file that is resolved only with the others. ``value`` holds only what msgpack can hold."""

    kind: str
    path: str
    value: Any


@dataclass(frozen=True, slots=True)
class Source:
    """A scanned source as its joiners see it: name, every path in it, and the facts by kind.

    ``about`` holds what the source itself knows: ``remote``, ``branch``, ``commit``, ``committers``
    (list of (name, email, commits), most first; empty without git).
    """

    scope: str
    name: str
    paths: tuple[str, ...]
    facts: Mapping[str, Sequence[Fact]]
    about: Mapping[str, Any]

    def evidence(
        self, collector: str, where: str, *, confidence: str = "resolved", chain: Iterable[str] = ()
    ) -> Evidence:
        return Evidence(collector, where, confidence, tuple(chain), self.scope)


Yielded = Observation | Unseen | Complete | Fact


@dataclass(frozen=True, slots=True)
class Gate:
    """Which files of a source are worth reading closely, from a glance at each. Without it a large source without
    anything to find would cost as much as one that is full of it.

    glance: what the choice needs to know of a file, from its path and bytes; cheap, and made for any bytes.
    choose: the paths to read, from the glances at all files of a source that collectors behind the gate could read.
    aside: the kind of ``Fact`` under which joiners are given the paths that were not chosen (its value: a list).
    """

    glance: Callable[[str, bytes], bytes]
    choose: Callable[[Mapping[str, bytes]], frozenset[str]]
    aside: str


@dataclass(frozen=True, slots=True)
class Collector:
    """A registered file collector; ``reads`` are glob patterns over the path (``*.py``, ``**/CODEOWNERS``)."""

    name: str
    reads: tuple[str, ...]
    sees: str
    unseen: str
    run: Callable[[File], Iterator[Yielded]]
    version: int
    gate: Gate | None = None


@dataclass(frozen=True, slots=True)
class Joiner:
    """A registered cross-file collector, run once per source in registration order."""

    name: str
    sees: str
    unseen: str
    run: Callable[[Source], Iterator[Yielded]]


COLLECTORS: dict[str, Collector] = {}
JOINERS: dict[str, Joiner] = {}


def collector(
    name: str,
    *,
    reads: str | Iterable[str],
    sees: str,
    unseen: str = "",
    version: int = 1,
    gate: Gate | None = None,
) -> Callable[[Callable[[File], Iterator[Yielded]]], Callable[[File], Iterator[Yielded]]]:
    """Register a file collector. Raise ``version`` when its output changes, so that cached results are dropped."""

    def register(run: Callable[[File], Iterator[Yielded]]) -> Callable[[File], Iterator[Yielded]]:
        patterns = (reads,) if isinstance(reads, str) else tuple(reads)
        COLLECTORS[name] = Collector(name, patterns, sees, unseen, run, version, gate)
        return run

    return register


def joiner(
    name: str, *, sees: str, unseen: str = ""
) -> Callable[[Callable[[Source], Iterator[Yielded]]], Callable[[Source], Iterator[Yielded]]]:
    """Register a cross-file collector."""

    def register(run: Callable[[Source], Iterator[Yielded]]) -> Callable[[Source], Iterator[Yielded]]:
        JOINERS[name] = Joiner(name, sees, unseen, run)
        return run

    return register
