"""The claims that stand, now or at a time, and the graph they add up to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from penstock.graph.graph import Graph
from penstock.graph.merge import merge
from penstock.graph.store import schema
from penstock.graph.store.claims import decode, observations
from penstock.graph.store.database import Database, chunks, narrowed, stands
from penstock.graph.vocabulary import Asset, Complete, Observation, Relation, Unseen


class Claimed(Database):
    """What anybody claimed is kept as long as it stands; the graph is merged from it."""

    def _standing(
        self, connection: sa.Connection, at: float | None = None, *, about: Collection[str] | None = None
    ) -> Standing:
        """The claims that stand now, or stood at a time; all of them or those about some ids and their neighbours."""
        t = schema.observations.c
        kept = self._kept(connection)
        standing = Standing(kept)
        wanted = sa.select(t.what, t.body, t.last_seen, t.stale_since, t.person, t.seq).where(
            t.tenant == self.tenant, stands(t, at)
        )
        if about is None:
            standing.add(connection.execute(wanted).all())
        else:
            for statement in narrowed(wanted, [t.subject, t.object], self._issued(connection, about)):
                standing.add(connection.execute(statement).all())
            ends = self._issued(connection, standing.neighbours() - set(about))
            for statement in narrowed(wanted.where(t.what == "asset"), [t.subject], ends):
                standing.add(connection.execute(statement).all())
        standing.forget(self._once_seen(connection, standing.only_said()))
        return standing

    def _once_seen(self, connection: sa.Connection, ids: Collection[str]) -> set[str]:
        """Of assets that stand by a person's word alone, those that a collector once saw: they are retired."""
        t = schema.observations.c
        issued = self._issued(connection, ids)
        kept = self._kept(connection) if issued else {}
        return {
            kept.get(id, id)
            for chunk in chunks(issued)
            for id in connection.scalars(
                sa.select(t.subject)
                .where(t.tenant == self.tenant, t.subject.in_(chunk), t.what == "asset", sa.not_(t.person))
                .distinct()
            )
        }

    def _merged(self, connection: sa.Connection, standing: Standing, now: float, *, then: bool = False) -> Graph:
        """The graph of some claims, with the lifecycle and the first sight that only the store knows.

        Args:
            now: the time at which persons' words must still stand; with ``then`` also the time of the coverage.
        """
        c, u, t = schema.completeness.c, schema.unseen.c, schema.assets.c
        complete = connection.execute(
            sa.select(c.scope, c.verb, c.collector).where(c.tenant == self.tenant, stands(c, now if then else None))
        ).all()
        gaps = connection.scalars(
            sa.select(u.body).where(u.tenant == self.tenant, stands(u, now if then else None))
        ).all()
        merged = merge(
            standing.observations(),
            complete=[Complete(*row) for row in complete],
            unseen=[decode(body, Unseen) for body in gaps],
            kept=standing.kept,
            at=now,
            checked=True,
        )
        first: dict[str, float] = dict(
            connection.execute(
                sa.select(t.id, sa.func.min(t.first_seen)).where(t.tenant == self.tenant).group_by(t.id)
            ).all()
        )
        stale = standing.stale()
        return replace(
            merged,
            assets={
                id: replace(
                    asset,
                    first_seen=first.get(id, asset.first_seen),
                    lifecycle="stale" if id in stale else "current",
                )
                for id, asset in merged.assets.items()
            },
        )

    def _kept(self, connection: sa.Connection) -> dict[str, str]:
        t = schema.identities.c
        found = connection.execute(sa.select(t.issued, t.kept).where(t.tenant == self.tenant))
        return {row.issued: row.kept for row in found}

    def _issued(self, connection: sa.Connection, kept: Collection[str]) -> list[str]:
        """All ids under which claims about some kept ids may have been made."""
        names = set(kept)
        return sorted(names | {issued for issued, to in self._kept(connection).items() if to in names}) if names else []


class Standing:
    """Claims that stand, with what the store knows beside them."""

    def __init__(self, kept: Mapping[str, str]) -> None:
        self.kept = kept
        self._claims: dict[int, Observation] = {}
        self._fresh: set[str] = set()
        self._old: set[str] = set()
        self._said: set[str] = set()
        self._forgotten: set[str] = set()

    def add(self, rows: Sequence[Any]) -> None:
        """Take in rows of ``_standing``; one that comes twice counts once."""
        for what in ("asset", "relation"):
            new = [row for row in rows if row.what == what and row.seq not in self._claims]
            made = observations(what, [row.body for row in new], [row.last_seen for row in new])
            for row, claim in zip(new, made, strict=True):
                self._claims[row.seq] = claim
                if isinstance(claim.subject, Asset):
                    id = self.kept.get(claim.subject.id, claim.subject.id)
                    (self._said if row.person else self._fresh if row.stale_since is None else self._old).add(id)

    def neighbours(self) -> set[str]:
        """Both ends of every relation."""
        ends = (
            id
            for claim in self._claims.values()
            if isinstance(claim.subject, Relation)
            for id in (claim.subject.source, claim.subject.target)
        )
        return {self.kept.get(id, id) for id in ends}

    def only_said(self) -> set[str]:
        """Assets that no collector sees now, only persons speak of."""
        return self._said - self._fresh - self._old

    def forget(self, retired: set[str]) -> None:
        """Leave out what persons say about assets that are retired; it counts again when they return."""
        self._forgotten = retired

    def observations(self) -> Iterator[Observation]:
        for claim in self._claims.values():
            if self._forgotten and claim.evidence.collector.startswith("person:"):
                subject = claim.subject
                ends = (subject.id,) if isinstance(subject, Asset) else (subject.source, subject.target)
                if any(self.kept.get(id, id) in self._forgotten for id in ends):
                    continue
            yield claim

    def stale(self) -> set[str]:
        return self._old - self._fresh

    def next_end(self, now: float) -> float | None:
        """When the next person's word ends."""
        ends = (claim.evidence.until for claim in self._claims.values())
        return min((end for end in ends if end is not None and end > now), default=None)
