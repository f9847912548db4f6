"""What happens: events, each stored once, and the cases that count them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from penstock.graph.store import schema
from penstock.graph.store.claims import encode, key_text
from penstock.graph.store.database import Database, chunks, decode_all, value_rows
from penstock.graph.store.protocol import CaseChanges, ChangeCases
from penstock.graph.vocabulary import Case, Event


class Happened(Database):
    """Events and cases change in one step, so that an event counts once whatever dies in between."""

    def add_events(self, events: Iterable[Event]) -> int:
        given = tuple(events)
        if not given:
            return 0
        with self._write() as connection:
            return len(self._append(connection, given))

    def _append(self, connection: sa.Connection, events: Iterable[Event]) -> tuple[Event, ...]:
        """Store events; returns those that were not stored before, in the order given."""
        table = schema.events
        given = {event.id: event for event in events}
        known = {
            id
            for chunk in chunks(list(given))
            for id in connection.scalars(
                sa.select(table.c.id).where(table.c.tenant == self.tenant, table.c.id.in_(chunk))
            )
        }
        new = tuple(event for id, event in given.items() if id not in known)
        made = [
            {
                "tenant": self.tenant,
                "id": event.id,
                "at": event.at,
                "application": key_text(event.application),
                "body": encode(event),
            }
            for event in new
        ]
        self._execute_many(connection, sa.insert(table), made)
        return new

    def events(self, *, since: float = 0.0, application: str | None = None, limit: int = 1000) -> Sequence[Event]:
        t = schema.events.c
        wanted = sa.select(t.body).where(t.tenant == self.tenant, t.at >= since)
        if application is not None:
            wanted = wanted.where(t.application == key_text(application))
        with self._read() as connection:
            bodies = connection.scalars(wanted.order_by(t.at.desc(), t.id).limit(limit)).all()
        return decode_all(bodies, Event)

    def save_cases(self, cases: Iterable[Case]) -> None:
        """Cases not named here stay as they are."""
        self._replace(schema.cases, _case_rows(cases))

    def change_cases(
        self, change: ChangeCases, *, events: Iterable[Event] = (), keep: Mapping[str, Any] | None = None
    ) -> CaseChanges:
        given = tuple(events)
        with self._write() as connection:
            new = self._append(connection, given) if given else ()
            before = self._cases(connection)
            known = {case.id: case for case in before}
            after = {case.id: case for case in change(before, new)}
            changed = tuple(case for case in after.values() if known.get(case.id) != case)
            self._put_rows(connection, schema.cases, _case_rows(changed))
            self._put_rows(connection, schema.values, value_rows(keep or {}), key="name")
        return CaseChanges(tuple(after.values()), changed, len(new))

    def cases(self) -> Sequence[Case]:
        """The last changed first."""
        with self._read() as connection:
            return self._cases(connection)

    def _cases(self, connection: sa.Connection) -> list[Case]:
        t = schema.cases.c
        bodies = connection.scalars(
            sa.select(t.body).where(t.tenant == self.tenant).order_by(t.changed_at.desc(), t.id)
        ).all()
        return decode_all(bodies, Case)


def _case_rows(cases: Iterable[Case]) -> dict[str, dict[str, Any]]:
    return {case.id: {"id": case.id, "changed_at": case.changed_at, "body": encode(case)} for case in cases}
