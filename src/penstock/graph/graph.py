"""The graph as one immutable value: what rules judge, reports print and views are built from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from penstock.graph.vocabulary import ADDING_SCOPES, Asset, Evidence, Relation, Unseen


@dataclass(frozen=True)
class Graph:
    """Merged assets and relations of one tenant at one time.

    evidence: asset id or relation key → evidence, strongest first.
    claims: (asset id, property) → the evidence for the value that won, then for the values that lost
        (a conflict has more than one value; ``conflicts`` lists them).
    complete: (scope, verb) pairs for which every relation is known.
    """

    assets: Mapping[str, Asset] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()
    evidence: Mapping[str | tuple[str, str, str], tuple[Evidence, ...]] = field(default_factory=dict)
    claims: Mapping[tuple[str, str], tuple[tuple[object, Evidence], ...]] = field(default_factory=dict)
    complete: frozenset[tuple[str, str]] = frozenset()
    unseen: tuple[Unseen, ...] = ()
    at: float = 0.0

    @cached_property
    def _out(self) -> dict[str, list[Relation]]:
        index: dict[str, list[Relation]] = {}
        for relation in self.relations:
            index.setdefault(relation.source, []).append(relation)
        return index

    @cached_property
    def _into(self) -> dict[str, list[Relation]]:
        index: dict[str, list[Relation]] = {}
        for relation in self.relations:
            index.setdefault(relation.target, []).append(relation)
        return index

    @cached_property
    def applications_in(self) -> dict[str, list[str]]:
        """Scope → the applications in it."""
        index: dict[str, list[str]] = {}
        for asset in self.of_kind("application"):
            index.setdefault(asset.scope, []).append(asset.id)
        return index

    def out(self, asset: str, *verbs: str) -> Iterator[Relation]:
        """Relations that start at the asset, of the given verbs or of all."""
        return (r for r in self._out.get(asset, ()) if not verbs or r.verb in verbs)

    def into(self, asset: str, *verbs: str) -> Iterator[Relation]:
        """Relations that end at the asset, of the given verbs or of all."""
        return (r for r in self._into.get(asset, ()) if not verbs or r.verb in verbs)

    def of_kind(self, *kinds: str) -> Iterator[Asset]:
        return (asset for asset in self.assets.values() if asset.kind in kinds)

    def scopes_of(self, asset: str) -> frozenset[str]:
        """The scan scopes in which the asset was seen."""
        return frozenset(e.scope for e in self.evidence.get(asset, ()) if e.scope)

    def knows_all(self, asset: str, verb: str) -> bool:
        """Whether every ``verb`` relation of the asset is known: only then is a missing one an absence.

        What only traffic or a person told of was never searched, so nothing about it is known to be missing.
        """
        scopes = self.scopes_of(asset) - ADDING_SCOPES
        return bool(scopes) and all((scope, verb) in self.complete for scope in scopes)

    def conflicts(self, asset: str, prop: str) -> tuple[tuple[object, Evidence], ...]:
        """Differing values claimed for a property, the winner first; empty when all agree."""
        claims = self.claims.get((asset, prop), ())
        return claims if len({repr(value) for value, _ in claims}) > 1 else ()
