"""What people are asked, and their answers: one row a wish, changed by one writer at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from penstock.graph.store import schema
from penstock.graph.store.claims import decode, encode, key_text
from penstock.graph.store.database import Database, chunks, decode_all
from penstock.graph.store.protocol import Approval, ChangeApprovals


class Asked(Database):
    """Two people who answer at once are handed the same row one after the other: the second sees the first's answer."""

    def approvals(self, *, states: Collection[str] = (), limit: int = 1000) -> Sequence[Approval]:
        t = schema.approvals.c
        wanted = sa.select(t.body).where(t.tenant == self.tenant)
        if states:
            wanted = wanted.where(t.state.in_(sorted(states)))
        with self._read() as connection:
            bodies = connection.scalars(wanted.order_by(t.asked_at.desc(), t.id).limit(limit)).all()
        return decode_all(bodies, Approval)

    def approval(self, id: str) -> Approval | None:
        t = schema.approvals.c
        with self._read() as connection:
            body = connection.scalar(sa.select(t.body).where(t.tenant == self.tenant, t.id == id))
        return None if body is None else decode(body, Approval)

    def change_approvals(
        self, change: ChangeApprovals, *, ids: Collection[str] = (), keys: Collection[str] = ()
    ) -> Sequence[Approval]:
        with self._write() as connection:
            known = {found.id: found for found in self._named(connection, ids, keys)}
            changed = [made for made in change(tuple(known.values())) if known.get(made.id) != made]
            self._put_rows(connection, schema.approvals, _rows(changed))
        return changed

    def _named(self, connection: sa.Connection, ids: Collection[str], keys: Collection[str]) -> list[Approval]:
        t = schema.approvals.c
        bodies: dict[str, str] = {}
        for column, wanted in ((t.id, sorted(ids)), (t.key, sorted(map(key_text, keys)))):
            for chunk in chunks(wanted):
                found = sa.select(t.id, t.body).where(t.tenant == self.tenant, column.in_(chunk))
                bodies.update((row.id, row.body) for row in connection.execute(found))
        return sorted(decode_all(list(bodies.values()), Approval), key=lambda a: (a.asked_at, a.id))


def _rows(approvals: Iterable[Approval]) -> dict[str, dict[str, Any]]:
    return {
        a.id: {"id": a.id, "key": key_text(a.key), "state": a.state, "asked_at": a.asked_at, "body": encode(a)}
        for a in approvals
    }
