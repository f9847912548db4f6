"""The merged assets and relations with their history, brought up to the claims after every write."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from penstock.graph.diff import Changes, changes
from penstock.graph.graph import Graph
from penstock.graph.store import schema
from penstock.graph.store.claims import encode
from penstock.graph.store.database import chunks, narrowed, reader
from penstock.graph.store.standing import Claimed
from penstock.graph.vocabulary import Asset, Relation

#: Entries of the outbox that are kept for readers that lag behind.
OUTBOX_KEEPS = 10_000
#: Beyond so many touched assets it is cheaper to merge everything than to ask for their surroundings.
_MANY = 2_000


class Versions(Claimed):
    """Each version of an asset or relation is a row with the time from which and until which it stood."""

    def _settle(self, connection: sa.Connection, touched: set[str], at: float) -> Changes:
        """Bring the merged assets and relations up to the claims, and say what that changed."""
        kept = self._kept(connection)
        around = {kept.get(id, id) for id in touched} | touched
        difference = Changes()
        if around:
            about = around if len(around) <= _MANY else None
            after = self._merged(connection, self._standing(connection, about=about), at)
            wanted = _all if about is None else around.__contains__
            assets_now, relations_now = self._settled(connection, about)
            difference = changes(
                (asset for asset, _, _ in assets_now.values()),
                (relation for relation, _ in relations_now.values()),
                (asset for asset in after.assets.values() if wanted(asset.id)),
                (r for r in after.relations if wanted(r.source) or wanted(r.target)),
            )
            self._write_versions(connection, difference, after, assets_now, relations_now, at)
        told = {
            "added": [asset.id for asset in difference.added],
            "removed": [asset.id for asset in difference.removed],
            "changed": list(difference.changed),
            "relations": [r.key for r in (*difference.relations_added, *difference.relations_removed)],
        }
        (seq,) = self._insert(connection, schema.outbox, [{"at": at, "kind": "graph", "body": encode(told)}])
        connection.execute(
            sa.delete(schema.outbox).where(
                schema.outbox.c.tenant == self.tenant, schema.outbox.c.seq <= seq - OUTBOX_KEEPS
            )
        )
        return difference

    def _settled(
        self, connection: sa.Connection, about: Collection[str] | None
    ) -> tuple[dict[str, tuple[Asset, int, float]], dict[tuple[str, str, str], tuple[Relation, int]]]:
        """The current versions of assets and relations, all of them or those about some ids."""
        t, r = schema.assets.c, schema.relations.c
        assets = sa.select(t.body, t.seq, t.first_seen).where(t.tenant == self.tenant, t.valid_to.is_(None))
        links = sa.select(r.source, r.verb, r.target, r.props, r.seq).where(
            r.tenant == self.tenant, r.valid_to.is_(None)
        )
        read_asset, read_props = reader(Asset), reader(dict[str, Any])
        found: dict[str, tuple[Asset, int, float]] = {}
        joined: dict[tuple[str, str, str], tuple[Relation, int]] = {}
        for statement in narrowed(assets, [t.id], about):
            for body, seq, first in connection.execute(statement):
                asset = read_asset(body)
                found[asset.id] = (asset, seq, first)
        for statement in narrowed(links, [r.source, r.target], about):
            for source, verb, target, props, seq in connection.execute(statement):
                joined[source, verb, target] = (Relation(source, verb, target, read_props(props)), seq)
        return found, joined

    def _write_versions(
        self,
        connection: sa.Connection,
        difference: Changes,
        after: Graph,
        assets_now: Mapping[str, tuple[Asset, int, float]],
        relations_now: Mapping[tuple[str, str, str], tuple[Relation, int]],
        at: float,
    ) -> None:
        gone = [assets_now[id][1] for id in (*(a.id for a in difference.removed), *difference.changed)]
        self._close(connection, schema.assets, gone, at)
        self._close(connection, schema.relations, [relations_now[r.key][1] for r in difference.relations_removed], at)
        first = self._first_seen(connection, [asset.id for asset in difference.added])
        written = [*difference.added, *(after.assets[id] for id in difference.changed)]
        self._insert(
            connection,
            schema.assets,
            [
                {
                    "id": asset.id, "kind": asset.kind, "lifecycle": asset.lifecycle,
                    "body": encode(replace(asset, first_seen=0.0, last_seen=0.0)),
                    "first_seen": assets_now[asset.id][2] if asset.id in assets_now else first.get(asset.id, at),
                    "valid_from": at, "valid_to": None,
                }
                for asset in written
            ],
        )  # fmt: skip
        self._insert(
            connection,
            schema.relations,
            [
                {"source": r.source, "verb": r.verb, "target": r.target, "props": encode(r.props),
                 "valid_from": at, "valid_to": None}
                for r in difference.relations_added
            ],
        )  # fmt: skip

    def _close(self, connection: sa.Connection, table: sa.Table, numbers: Iterable[int], at: float) -> None:
        ended = sa.update(table).where(table.c.tenant == self.tenant, table.c.seq == sa.bindparam("number"))
        self._execute_many(connection, ended.values(valid_to=at), [{"number": number} for number in numbers])

    def _first_seen(self, connection: sa.Connection, ids: Sequence[str]) -> dict[str, float]:
        t = schema.assets.c
        return {
            id: first
            for chunk in chunks(ids)
            for id, first in connection.execute(
                sa.select(t.id, sa.func.min(t.first_seen))
                .where(t.tenant == self.tenant, t.id.in_(chunk))
                .group_by(t.id)
            )
        }


def _all(_: str) -> bool:
    return True
