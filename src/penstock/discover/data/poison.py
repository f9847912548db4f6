"""What the texts of a dataset try to do to a model that reads or learns them; rows are named, texts are not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.discover.data.passage import Passage
from penstock.discover.data.planted import planted
from penstock.inspect import hidden

__all__ = ["Passage", "Suspicion", "look"]

#: Rows that are named of each sort.
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Counts of rows, and where the first of them stand.

    hidden: ways in which text is hidden (``tags``, ``bidi``, ``invisible``, ``markup``); planted: rows that instruct a
    model; flooded: near-copies of one text, of the largest group; contradicted: rows whose class contradicts that of
    the same text elsewhere, or of all texts like it.
    """

    hidden: frozenset[str] = frozenset()
    planted: int = 0
    flooded: int = 0
    contradicted: int = 0
    rows: tuple[str, ...] = ()
    why: tuple[str, ...] = ()

    def props(self) -> dict[str, Any]:
        """As properties of the dataset; nothing where nothing was found."""
        counts = {"planted": self.planted, "flooded": self.flooded, "contradicted": self.contradicted}
        props: dict[str, Any] = {name: count for name, count in counts.items() if count}
        if self.hidden:
            props["hidden"] = sorted(self.hidden)
        if self.rows:
            props["suspect_rows"] = list(self.rows)
        return props

    def joined(self, part: Suspicion, path: str) -> Suspicion:
        """With what a part at a path adds."""
        return Suspicion(
            self.hidden | part.hidden,
            self.planted + part.planted,
            max(self.flooded, part.flooded),
            self.contradicted + part.contradicted,
            (*self.rows, *(f"{path} {row}" for row in part.rows))[: 4 * _NAMED],
            (*self.why, *part.why)[:20],
        )

    def packed(self) -> dict[str, Any]:
        """As what msgpack can hold."""
        return {
            "hidden": sorted(self.hidden), "planted": self.planted, "flooded": self.flooded,
            "contradicted": self.contradicted, "rows": list(self.rows), "why": list(self.why),
        }  # fmt: skip

    @classmethod
    def unpacked(cls, value: Mapping[str, Any]) -> Suspicion:
        """What ``packed`` gave."""
        return cls(
            frozenset(value["hidden"]), value["planted"], value["flooded"], value["contradicted"], tuple(value["rows"]),
            tuple(value["why"]),
        )  # fmt: skip


def look(passages: Sequence[Passage], concealed: Sequence[Passage] = ()) -> Suspicion:
    """Everything suspicious about the passages of one dataset.

    Args:
        concealed: text that the format keeps from a reader's eyes, such as white letters on a page. Pages hide much
            for good reasons, so it counts only where it instructs a model.
    """
    unseen: dict[str, str] = {}
    ways: set[str] = set()
    for passage in passages:
        if spans := hidden.find(passage.text):
            told = [span for span in spans if span.confidence >= _SURE or span.end - span.start > 3]
            ways |= {span.type.lower() for span in told}
            if told:
                unseen.setdefault(passage.place, f"hidden text: {told[0].reason}")
    instructions = planted(passages) | (behind := planted(concealed))
    if behind:
        ways.add("markup")
    copies, flipped = _together(passages)
    rows: list[str] = []
    why: list[str] = []
    for found in (unseen, instructions, copies, flipped):
        rows += [f"{place}: {reason}"[:200] for place, reason in list(found.items())[:_NAMED]]
        if found:
            place, reason = next(iter(found.items()))
            why.append(f"{len(found)} of {len(passages):,} texts: {reason} (first: {place})")
    return Suspicion(frozenset(ways), len(instructions), len(copies), len(flipped), tuple(rows), tuple(why))


def _together(passages: Sequence[Passage]) -> tuple[dict[str, str], dict[str, str]]:
    """What only many texts show: floods of copies, and classes that contradict their texts."""
    if len(passages) < _MANY:
        return {}, {}
    # numpy, which both need, takes 0.05 CPU s to load: a repository without data goes without
    from penstock.discover.data.flips import contradictions
    from penstock.discover.data.floods import flood

    return flood(passages), contradictions(passages)


#: Fewer texts are neither a flood nor classes.
_MANY = 20
#: One odd invisible character is a typist's or a tool's; below this a run of them counts only when it is long.
_SURE = 0.9
