"""Sources that were erased: what was built from them still holds their data, so their labels must not vanish (R7).

A source counts as erased when labels were seen in it, whoever saw them sees it no more, and something that still stands
says that it was built from it. A detector that looks again and finds nothing has corrected itself: that erases nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime

from penstock.graph.graph import Graph
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import LABELS, VERBS, Asset, Complete, Evidence, Observation

#: Nobody scans this scope: it is written anew as a whole, and a source that is back or of no use any more leaves it.
SCOPE = "erased"
COLLECTOR = "erasure"


def erasures(before: Graph, after: Graph, *, at: float) -> Scan | None:
    """What is known to be erased after a scan, to be taken in like one; None when that is what the store holds.

    Args:
        before: the graph before the scan was taken in.
        after: the graph with it.
        at: time of the scan in seconds since the epoch.
    """
    known = {id for id in after.assets if _told(after, id)}
    kept = tuple(Observation(*_again(after, id)) for id in sorted(known) if _still(after, id))
    new = tuple(_erased(before, after, id, at) for id in sorted(before.assets.keys() & after.assets.keys() - known)
                if _gone(before, after, id))  # fmt: skip
    if not new and len(kept) == len(known):
        return None
    complete = tuple(
        Complete(SCOPE, verb, COLLECTOR) for verb in VERBS
    )  # it says all it knows, and puts nothing in doubt
    return Scan((*kept, *new), complete, scopes=(SCOPE,), finished=(SCOPE,), at=at)


def _gone(before: Graph, after: Graph, asset: str) -> bool:
    had = before.assets[asset].labels & LABELS.keys()
    return (
        bool(had)
        and not after.assets[asset].labels & LABELS.keys()
        and bool(_seers(before, asset) - _seers(after, asset))
        and _built_from(after, asset)
    )


def _erased(before: Graph, after: Graph, asset: str, at: float) -> Observation:
    was, now = before.assets[asset], after.assets[asset]
    lost = sorted(_seers(before, asset) - _seers(after, asset))
    props = {"deleted_on": datetime.fromtimestamp(at, UTC).date().isoformat()}
    source = Asset(asset, now.kind, now.name, now.scope, props, was.labels & LABELS.keys(), now.status)
    first = before.evidence[asset][0]
    return Observation(source, Evidence(COLLECTOR, first.where, "inferred", tuple(lost), SCOPE))


def _again(after: Graph, asset: str) -> tuple[Asset, Evidence]:
    """What was said of an erased source, said again."""
    now = after.assets[asset]
    (told,) = [e for e in after.evidence[asset] if e.collector == COLLECTOR][:1]
    props = {"deleted_on": now.props.get("deleted_on")}
    return Asset(asset, now.kind, now.name, now.scope, props, now.labels & LABELS.keys(), now.status), told


def _still(after: Graph, asset: str) -> bool:
    """Whether an erased source is still away, and still in use."""
    (told,) = [e for e in after.evidence[asset] if e.collector == COLLECTOR][:1]
    return not _seers(after, asset) & set(told.chain) and _built_from(after, asset)


def _told(graph: Graph, asset: str) -> bool:
    return any(e.collector == COLLECTOR for e in graph.evidence.get(asset, ()))


def _seers(graph: Graph, asset: str) -> set[str]:
    """The collectors that see an asset, people and this one aside."""
    seen = {e.collector for e in graph.evidence.get(asset, ())}
    return {name for name in seen if name != COLLECTOR and not name.startswith("person:")}


def _built_from(graph: Graph, asset: str) -> bool:
    """Whether something holds data because of the asset."""
    links = (*graph.into(asset), *graph.out(asset))
    return any(
        VERBS[link.verb].carries == "contains"
        and (link.target if VERBS[link.verb].to == "source" else link.source) == asset
        for link in links
    )
