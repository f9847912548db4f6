"""What one document says, as observations: each claim once, both ends of a relation described, and a bound on all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from penstock.discover.code.places import status_of
from penstock.discover.data.lineage.words import labels_of_columns
from penstock.discover.organisation.parties import party
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Evidence, Observation, Relation, Unseen

#: Claims of one document: a dbt project of 10,000 models makes about 60,000. They cost 50 CPU µs each.
MOST_CLAIMS = 60_000
#: Pairs of what goes in and what comes out that are said one by one; with more, the pipeline between them says it.
MOST_PAIRS = 2_000
#: Names of columns kept beside the labels they gave.
MOST_COLUMNS = 200


class Saying:
    """The claims of one document, in the order they were made.

    Args:
        path: the document; places are written behind it (``path:line``, ``path#/json/pointer``).
        scope: the source the document lies in, empty for one that came over the network.
    """

    def __init__(
        self, collector: str, scope: str, path: str, confidence: str = "declared", most: int = MOST_CLAIMS
    ) -> None:
        self.collector, self.scope, self.path, self.confidence = collector, scope, path, confidence
        where = status_of(path)
        #: a document under tests or examples describes no real training
        self.status = "used" if where == "used" else where
        self._claims: dict[tuple[Any, ...], Observation] = {}
        self._most, self._left_out = most, False

    def __iter__(self) -> Iterator[Observation | Unseen]:
        yield from self._claims.values()
        if self._left_out:
            what = f"claims after the first {self._most:,}"
            yield Unseen(self.path, what, "the document makes more", collector=self.collector, scope=self.scope)

    @property
    def full(self) -> bool:
        """Whether no more claims are taken, so that a loop over pairs may stop."""
        return self._left_out

    def at(self, place: str | int = "", *chain: str, confidence: str = "", path: str = "") -> Evidence:
        """The evidence for a claim made at a line or a JSON pointer of the document."""
        where = (path or self.path) + (f":{place}" if isinstance(place, int) else place)
        return Evidence(self.collector, where, confidence or self.confidence, tuple(chain), self.scope)

    def asset(self, asset: Asset, at: Evidence) -> Asset:
        """Say that a thing is there; returns it."""
        if asset.status == "used" and self.status != "used":
            asset = Asset(
                asset.id, asset.kind, asset.name, asset.scope, asset.props, asset.labels, self.status, asset.formerly
            )
        self._add((asset.id, at.where, repr(asset.props), asset.labels), asset, at)
        return asset

    def link(
        self, source: Asset, verb: str, target: Asset, at: Evidence, props: Mapping[str, Any] | None = None
    ) -> None:
        """Say that two things are related; a thing is not derived from itself."""
        if source.id != target.id:
            self.asset(source, at)
            self.asset(target, at)
            self._add((source.id, verb, target.id, at.where), identity.relation(source, verb, target, props), at)

    def same(self, one: Asset, other: Asset, at: Evidence) -> None:
        """Say that two names stand for the same data: what one holds, the other holds."""
        self.link(one, "derived_from", other, at)
        self.link(other, "derived_from", one, at)

    def owned(self, asset: Asset, owner: str, at: Evidence) -> None:
        """Say who answers for a thing, if the text names a team or a person."""
        if (who := party(owner)) is not None:
            self.link(asset, "owned_by", who, at)

    def columns(self, asset: Asset, names: Iterable[str], place: str | int = "", *, path: str = "") -> None:
        """Say what the names of a table's columns mean, by the headers alone: nobody looked at the values."""
        labels, named, why = labels_of_columns(names)
        if labels:
            at = self.at(place, *why[:20], confidence="inferred", path=path)
            props = {"columns": named[:MOST_COLUMNS]}
            self.asset(Asset(asset.id, asset.kind, asset.name, asset.scope, props, labels), at)

    def _add(self, key: tuple[Any, ...], subject: Asset | Relation, at: Evidence) -> None:
        if key in self._claims:
            return
        if len(self._claims) >= self._most:
            self._left_out = True
            return
        self._claims[key] = Observation(subject, at)
