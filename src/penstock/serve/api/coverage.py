"""Coverage: what was looked at, when, how completely, and what could not be seen."""

from __future__ import annotations

from collections import Counter

import msgspec

from penstock.graph.vocabulary import ADDING_SCOPES
from penstock.serve.api.endpoint import Call, endpoint
from penstock.serve.api.shapes import Trouble

#: Rows sent; a broken mount can fail for every file.
MOST_UNSEEN = 1000


class SourceRow(msgspec.Struct, frozen=True):
    """``complete`` names the relations of which everything is known here: only there is a missing one an absence."""

    scope: str
    last_scan: float
    last_finished: float | None
    assets: int
    failed: int
    skipped: int
    complete: tuple[str, ...]


class UnseenRow(msgspec.Struct, frozen=True):
    where: str
    what: str
    why: str
    hint: str
    collector: str
    scope: str
    skipped: bool


class CoveragePage(msgspec.Struct, frozen=True):
    """``unseen_total`` counts all rows, of which the first are sent, failures before deliberate skips."""

    sources: tuple[SourceRow, ...]
    failed: int
    skipped: int
    unseen_total: int
    unseen: tuple[UnseenRow, ...]
    troubles: tuple[Trouble, ...]


class ScanRow(msgspec.Struct, frozen=True):
    at: float
    scopes: tuple[str, ...]
    finished: tuple[str, ...]


class ScanList(msgspec.Struct, frozen=True):
    scans: tuple[ScanRow, ...]


@endpoint("GET", "/coverage")
def coverage(call: Call) -> CoveragePage:
    """Sources with their last complete scan, and what could not be seen and why."""
    world = call.live.world
    graph = world.graph
    last: dict[str, float] = {}
    finished: dict[str, float] = {}
    for at, scopes, done in call.live.store.scans():
        for scope in set(scopes) - ADDING_SCOPES:
            last.setdefault(scope, at)
        for scope in done:
            finished.setdefault(scope, at)
    held: dict[str, int] = {}
    for asset in graph.assets:
        for scope in graph.scopes_of(asset):
            held[scope] = held.get(scope, 0) + 1
    complete: dict[str, list[str]] = {}
    for scope, verb in sorted(graph.complete):
        complete.setdefault(scope, []).append(verb)
    gaps = Counter((u.scope, u.skipped) for u in graph.unseen)
    skipped = sum(u.skipped for u in graph.unseen)
    return CoveragePage(
        tuple(
            SourceRow(
                scope,
                at,
                finished.get(scope),
                held.get(scope, 0),
                gaps[scope, False],
                gaps[scope, True],
                tuple(complete.get(scope, ())),
            )
            for scope, at in sorted(last.items())
        ),
        len(graph.unseen) - skipped,
        skipped,
        len(graph.unseen),
        tuple(
            UnseenRow(u.where, u.what, u.why, u.hint, u.collector, u.scope, u.skipped)
            for u in sorted(graph.unseen, key=lambda u: (u.skipped, u.scope, u.where))[:MOST_UNSEEN]
        ),
        tuple(Trouble(f.what, f.why, f.since, f.times) for f in call.live.failures.values()),
    )


@endpoint("GET", "/scans")
def scans(call: Call) -> ScanList:
    """Past scans, newest first."""
    rows = [ScanRow(at, tuple(scopes), tuple(done)) for at, scopes, done in call.live.store.scans()]
    return ScanList(tuple(rows[:200]))
