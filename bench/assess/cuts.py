"""What the best cuts cost: ``python bench/assess/cuts.py [ASSETS] [JEWELS]`` over the organisation of ``scale.py``.

Prints CPU seconds for smaller organisations first, then for the asked one: the moves and dominators of all entries, the
ten changes that close most, the best cut of each of so many jewels, the shortest ways to each, and how many cuts a walk
without them confirms.
"""

from __future__ import annotations

import sys

from scale import ORGANISATION, generated, memory, timed

from penstock.assess.cuts import Cuts
from penstock.assess.facts import Facts
from penstock.graph.labels import propagate


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    for assets in sorted({10_000, 100_000, most}):
        measured(assets, wanted)


def measured(assets: int, wanted: int) -> None:
    graph = generated(assets, 5 * assets)
    facts = Facts(graph, propagate(graph), ORGANISATION)
    for field in ("contains", "touches", "guarded_in", "guarded_out", "revoked", "exposure", "criticality"):
        facts.column(field)  # what the rules read anyway
    print(f"{len(graph.assets):,} assets, {len(graph.relations):,} relations, {memory()}")
    made, cuts = timed(lambda: Cuts(facts))
    print(
        f"  moves, dominators     {made:8.2f} CPU s   {len(cuts.pairs):,} ways in to jewels, {len(cuts.unseen)} bounds"
    )
    seconds, best = timed(cuts.best)
    closed = sum(len(cut.closes) for cut in best)
    print(f"  the {len(best)} best changes   {seconds:8.2f} CPU s   they close {closed:,}")
    jewels = list(dict.fromkeys(jewel for _, jewel in cuts.pairs))[:wanted]
    each, found = timed(lambda: [cuts.of(jewel) for jewel in jewels])
    beside = sum(cut is not None and cut.at != jewel for cut, jewel in zip(found, jewels, strict=True))
    print(f"  cuts of {len(jewels):,} jewels {each:10.2f} CPU s   {beside:,} lie before the jewel   {memory()}")
    seconds, told = timed(
        lambda: [cuts.ways(entry, jewel) for entry, jewel in cuts.pairs if jewel in set(jewels[:200])]
    )
    bounded = sum(unseen is not None for _, unseen in told)
    print(f"  shortest ways, 200    {seconds:8.2f} CPU s   {sum(len(w) for w, _ in told):,} told, {bounded} bounded")
    seconds, left = timed(lambda: [cuts.without(cut) for cut in best])
    every = set(cuts.pairs)
    right = sum(set(cut.closes) <= every - stay for cut, stay in zip(best, left, strict=True))
    print(f"  walked without them   {seconds:8.2f} CPU s   {right} of {len(best)} changes close what they say")


if __name__ == "__main__":
    main()
