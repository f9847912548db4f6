"""What is kept beside the graph for good: the gateway's keys, and the audit trail chained by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import sqlalchemy as sa

from penstock.graph.store import schema
from penstock.graph.store.claims import decode, encode
from penstock.graph.store.database import Database
from penstock.graph.store.protocol import AccessKey


class Recorded(Database):
    """Of a key only the SHA-256 is stored; no entry of the trail can be changed unnoticed."""

    def save_key(self, key: AccessKey) -> None:
        self._replace(schema.access_keys, {key.id: {"id": key.id, "body": encode(key)}})

    def keys(self) -> Sequence[AccessKey]:
        return [decode(body, AccessKey) for body in self._bodies(schema.access_keys, schema.access_keys.c.id)]

    def audit(self, who: str, what: str, about: str, at: float) -> None:
        table = schema.audit
        who, what, about = (text.replace("\0", "\\0") for text in (who, what, about))
        with self._write() as connection:
            last = connection.execute(
                sa.select(table.c.seq, table.c.hash)
                .where(table.c.tenant == self.tenant)
                .order_by(table.c.seq.desc())
                .limit(1)
            ).first()
            seq, before = (last[0] + 1, last[1]) if last else (1, "")
            chained = self._chain(before, seq, at, who, what, about)
            connection.execute(
                sa.insert(table),
                {
                    "tenant": self.tenant,
                    "seq": seq,
                    "at": at,
                    "who": who,
                    "what": what,
                    "about": about,
                    "hash": chained,
                },
            )

    def audit_trail(self, *, limit: int = 1000) -> Sequence[tuple[float, str, str, str, str]]:
        t = schema.audit.c
        with self._read() as connection:
            found = connection.execute(
                sa.select(t.at, t.who, t.what, t.about, t.hash)
                .where(t.tenant == self.tenant)
                .order_by(t.seq.desc())
                .limit(limit)
            ).all()
        return [(at, who, what, about, chained) for at, who, what, about, chained in found]

    def verify_audit_trail(self) -> bool:
        """Whether no entry was changed, inserted or removed, but for the newest ones, which only a copy of the last
        hash kept elsewhere can vouch for."""
        t = schema.audit.c
        before, expected = "", 1
        with self._read() as connection:
            for seq, at, who, what, about, chained in connection.execute(
                sa.select(t.seq, t.at, t.who, t.what, t.about, t.hash).where(t.tenant == self.tenant).order_by(t.seq)
            ):
                if seq != expected or chained != self._chain(before, seq, at, who, what, about):
                    return False
                before, expected = chained, seq + 1
        return True

    def _chain(self, before: str, seq: int, at: float, who: str, what: str, about: str) -> str:
        entry = encode([before, self.tenant, seq, float(at), who, what, about])
        return hashlib.sha256(entry.encode()).hexdigest()
