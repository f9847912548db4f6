"""What is judged: findings, the questions only a person can answer, and decisions to live with a finding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from penstock.graph.store import schema
from penstock.graph.store.claims import decode, encode, key_text
from penstock.graph.store.database import Database, decode_all
from penstock.graph.store.protocol import Acceptance
from penstock.graph.vocabulary import Finding, Question


class Judged(Database):
    """The current assessment, and since when each finding is open."""

    def save_assessment(self, findings: Iterable[Finding], questions: Iterable[Question], at: float) -> None:
        found = {finding.id: finding for finding in findings}
        table = schema.findings
        with self._write() as connection:
            known: dict[str, float] = dict(
                connection.execute(sa.select(table.c.id, table.c.first_seen).where(table.c.tenant == self.tenant)).all()
            )
            connection.execute(
                sa.update(table).where(table.c.tenant == self.tenant, table.c.closed_at.is_(None)).values(closed_at=at)
            )
            made = [
                {
                    "tenant": self.tenant,
                    "id": id,
                    "position": position,
                    "body": encode(finding),
                    "first_seen": known.get(id, at),
                    "last_seen": at,
                    "closed_at": None,
                }
                for position, (id, finding) in enumerate(found.items())
            ]
            self._delete_ids(connection, table, [id for id in found if id in known])
            self._execute_many(connection, sa.insert(table), made)
            connection.execute(sa.delete(schema.questions).where(schema.questions.c.tenant == self.tenant))
            self._insert(connection, schema.questions, [{"body": encode(question)} for question in questions])

    def findings(self) -> Sequence[Finding]:
        """The open ones, in the order in which they were saved."""
        t = schema.findings.c
        with self._read() as connection:
            bodies = connection.scalars(
                sa.select(t.body).where(t.tenant == self.tenant, t.closed_at.is_(None)).order_by(t.position)
            ).all()
        return decode_all(bodies, Finding)

    def questions(self) -> Sequence[Question]:
        return [decode(body, Question) for body in self._bodies(schema.questions, schema.questions.c.seq)]

    def finding_seen(self, finding: str) -> tuple[float, float] | None:
        t = schema.findings.c
        with self._read() as connection:
            found = connection.execute(
                sa.select(t.first_seen, t.last_seen).where(t.tenant == self.tenant, t.id == finding)
            ).first()
        return (found[0], found[1]) if found else None

    def accept(self, acceptance: Acceptance) -> None:
        """A later acceptance of the same finding by the same person takes the place of the earlier one."""
        table = schema.acceptances
        with self._write() as connection:
            standing = connection.execute(
                sa.select(table.c.seq, table.c.body).where(
                    table.c.tenant == self.tenant, table.c.finding == key_text(acceptance.finding)
                )
            ).all()
            replaced = [seq for seq, body in standing if decode(body, Acceptance).who == acceptance.who]
            self._delete_numbers(connection, table, replaced)
            self._insert(connection, table, [{"finding": key_text(acceptance.finding), "body": encode(acceptance)}])

    def acceptances(self) -> Sequence[Acceptance]:
        return [decode(body, Acceptance) for body in self._bodies(schema.acceptances, schema.acceptances.c.seq)]

    def revoke_acceptance(self, finding: str) -> int:
        table = schema.acceptances
        with self._write() as connection:
            gone = connection.execute(
                sa.delete(table).where(table.c.tenant == self.tenant, table.c.finding == key_text(finding))
            )
        return gone.rowcount
