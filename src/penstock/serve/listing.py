"""The inventory laid out for filtering: what each asset counts as in each facet, made once for a world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.graph.vocabulary import SEVERITIES, Asset

if TYPE_CHECKING:
    from penstock.serve.world import World

#: How a facet names what is not known; absent is unknown, never false.
UNKNOWN = "unknown"
FACETS = ("kind", "risk", "label", "exposure", "owner", "status", "lifecycle")


@dataclass(frozen=True, slots=True)
class Row:
    """An asset, the text that words are looked for in, and its values in each of ``FACETS``."""

    asset: Asset
    text: str
    values: tuple[tuple[str, ...], ...]

    def value(self, facet: str) -> str:
        """Its only value in a facet that has but one."""
        return self.values[FACETS.index(facet)][0]


@dataclass(frozen=True, slots=True)
class Found:
    """Rows that pass every filter, and for each facet how often a value occurs among those that pass the others."""

    rows: list[Row]
    counts: dict[str, Counter[str]]


class Listing:
    """The rows of a world's inventory, in the order of their names."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.rows = [_row(world, asset) for asset in world.inventory]

    def find(self, words: Sequence[str], chosen: Mapping[str, Iterable[str]]) -> Found:
        """Rows that hold all words and have one of the chosen values in each facet that any were chosen for."""
        rows = [row for row in self.rows if all(word in row.text for word in words)] if words else self.rows
        wanted = [(place, frozenset(chosen[name])) for place, name in enumerate(FACETS) if chosen.get(name)]
        passed: list[Row] = []
        but_one: dict[int, list[Row]] = {place: [] for place, _ in wanted}
        for row in rows:
            missed = [place for place, values in wanted if values.isdisjoint(row.values[place])]
            if not missed:
                passed.append(row)
            elif len(missed) == 1:
                but_one[missed[0]].append(row)
        counts = {
            name: Counter(value for row in (*passed, *but_one.get(place, ())) for value in row.values[place])
            for place, name in enumerate(FACETS)
        }
        return Found(passed, counts)

    def sorted(self, rows: list[Row], by: str, *, backwards: bool) -> list[Row]:
        """In the order of a column: worst and newest come first when not turned round, as a reader wants them."""
        return sorted(rows, key=self._key(by), reverse=backwards)

    def _key(self, by: str) -> Callable[[Row], Any]:
        world = self._world
        on = world.findings_on
        keys: dict[str, Callable[[Row], Any]] = {  # the rows come by name, and sorting keeps that among equals
            "name": lambda row: row.asset.name.casefold(),
            "kind": lambda row: row.asset.kind,
            "risk": lambda row: (-rank(row.value("risk")), -len(on.get(row.asset.id, ()))),
            "last_seen": lambda row: -row.asset.last_seen,
            "exposure": lambda row: _EXPOSED.get(row.value("exposure"), len(_EXPOSED)),
            "owner": lambda row: (row.value("owner") == UNKNOWN, world.name(row.value("owner")).casefold()),
        }
        return keys[by]


def rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1


_EXPOSED = {word: place for place, word in enumerate(("internet", "partner", "corporate", "private"))}


def _row(world: World, asset: Asset) -> Row:
    labelling = world.labelling
    return Row(
        asset,
        f"{asset.name} {asset.kind} {asset.scope} {asset.id} {asset.prop('purpose') or ''}".casefold(),
        (
            (asset.kind,),
            (world.worst(asset.id) or "none",),
            tuple(sorted(labelling.contains(asset.id) | labelling.sees(asset.id))) or ("none",),
            (str(asset.prop("exposure") or UNKNOWN),),
            (world.owner_of(asset.id).asset or UNKNOWN,),
            (asset.status,),
            (asset.lifecycle,),
        ),
    )
