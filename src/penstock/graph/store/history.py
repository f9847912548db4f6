"""Questions about the past: what changed since a time, how an asset was, which scans there were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from penstock.graph.diff import Changes, changes
from penstock.graph.store import schema
from penstock.graph.store.claims import decode
from penstock.graph.store.database import reader
from penstock.graph.store.protocol import Version
from penstock.graph.store.standing import Claimed
from penstock.graph.vocabulary import Asset, Relation


class History(Claimed):
    """One statement a question."""

    def changed_since(self, at: float) -> Changes:
        t, r = schema.assets.c, schema.relations.c
        read_asset, read_props = reader(Asset), reader(dict[str, Any])
        assets: dict[bool, list[Asset]] = {True: [], False: []}
        links: dict[bool, list[Relation]] = {True: [], False: []}
        with self._read() as connection:
            for body, now in connection.execute(
                sa.select(t.body, t.valid_to.is_(None)).where(t.tenant == self.tenant, _differs(t, at))
            ):
                assets[bool(now)].append(read_asset(body))
            for source, verb, target, props, now in connection.execute(
                sa.select(r.source, r.verb, r.target, r.props, r.valid_to.is_(None)).where(
                    r.tenant == self.tenant, _differs(r, at)
                )
            ):
                links[bool(now)].append(Relation(source, verb, target, read_props(props)))
        return changes(assets[False], links[False], assets[True], links[True])

    def asset_history(self, asset: str) -> Sequence[Version]:
        """Oldest first."""
        t, o = schema.assets.c, schema.observations.c
        with self._read() as connection:
            issued = self._issued(connection, {asset})
            last = connection.scalar(
                sa.select(sa.func.max(o.last_seen)).where(
                    o.tenant == self.tenant, o.subject.in_(issued), o.what == "asset"
                )
            )
            found = connection.execute(
                sa.select(t.body, t.first_seen, t.valid_from, t.valid_to)
                .where(t.tenant == self.tenant, t.id == asset)
                .order_by(t.seq)
            ).all()
        return [
            Version(
                replace(decode(body, Asset), first_seen=first, last_seen=(last or first) if ended is None else ended),
                since,
                ended,
            )
            for body, first, since, ended in found
            if ended is None or ended > since
        ]

    def scans(self) -> Sequence[tuple[float, tuple[str, ...], tuple[str, ...]]]:
        t = schema.scans.c
        with self._read() as connection:
            found = connection.execute(
                sa.select(t.at, t.scopes, t.finished).where(t.tenant == self.tenant).order_by(t.seq.desc())
            ).all()
        return [(at, decode(scopes, tuple[str, ...]), decode(done, tuple[str, ...])) for at, scopes, done in found]

    def changes_since(self, seq: int) -> Sequence[tuple[int, float, Mapping[str, Any]]]:
        """Entries of the outbox after a number, oldest first: number, time, and the ids that changed."""
        t = schema.outbox.c
        with self._read() as connection:
            found = connection.execute(
                sa.select(t.seq, t.at, t.body).where(t.tenant == self.tenant, t.seq > seq).order_by(t.seq)
            ).all()
        return [(number, at, decode(body, dict[str, Any])) for number, at, body in found]


def _differs(columns: Any, at: float) -> sa.ColumnElement[bool]:
    """Whether a row stood at a time and no longer does, or stands now and did not then."""
    began = sa.and_(columns.valid_from > at, columns.valid_to.is_(None))
    return sa.or_(began, sa.and_(columns.valid_from <= at, columns.valid_to > at))
