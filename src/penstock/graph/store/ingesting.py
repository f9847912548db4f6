"""Taking in a scan: new claims are written, those not made again end or go stale, renames and coverage are noted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from penstock.graph.store import schema
from penstock.graph.store.claims import Row, encode, key_text, person_said
from penstock.graph.store.database import chunks
from penstock.graph.store.protocol import Scan
from penstock.graph.store.standing import Claimed
from penstock.graph.vocabulary import Asset, Observation


class Ingesting(Claimed):
    """What a scan, or a person's word, changes among the claims."""

    def _take_in(
        self, connection: sa.Connection, scan: Scan, claimed: Mapping[tuple[str, str], Row], at: float
    ) -> set[str]:
        """Write new claims, end or mark those that were not made again; returns the issued ids this touches."""
        table = schema.observations
        t = table.c
        looked = {key_text(scope) for scope in scan.scopes}
        finished = {key_text(scope) for scope in scan.finished} & looked
        scopes = sorted(looked | {scope for scope, _ in claimed})
        live: dict[tuple[str, str], _Live] = {}
        for chunk in chunks(scopes):
            for row in connection.execute(
                sa.select(t.scope, t.digest, t.seq, t.subject, t.object, t.person, t.stale_since).where(
                    t.tenant == self.tenant, t.scope.in_(chunk), t.valid_to.is_(None)
                )
            ):
                live[row[0], row[1]] = _Live(*row)

        new = [row for key, row in claimed.items() if key not in live]
        ended: list[_Live] = []
        stale: list[_Live] = []
        again: list[_Live] = []
        returned: list[_Live] = []
        for key, held in live.items():
            if key in claimed:
                (returned if held.stale_since is not None else again).append(held)
            elif not held.person and held.scope in finished:
                ended.append(held)
            elif not held.person and held.scope in looked and held.stale_since is None:
                stale.append(held)
        ended += self._said_anew(connection, [row for row in new if row.person], claimed)

        numbered = sa.and_(t.tenant == self.tenant, t.seq == sa.bindparam("number"))
        self._execute_many(
            connection, sa.update(table).where(numbered).values(valid_to=at), [{"number": h.seq} for h in ended]
        )
        self._execute_many(
            connection, sa.update(table).where(numbered).values(stale_since=at), [{"number": h.seq} for h in stale]
        )
        self._execute_many(
            connection,
            sa.update(table).where(numbered).values(stale_since=None, last_seen=at),
            [{"number": h.seq} for h in returned],
        )
        whole = {held.scope for held in again if held.scope in finished and not held.person}
        for chunk in chunks(sorted(whole)):  # what is left of a finished scope was seen again, all of it
            connection.execute(
                sa.update(table)
                .where(t.tenant == self.tenant, t.scope.in_(chunk), t.valid_to.is_(None), sa.not_(t.person))
                .values(last_seen=at)
            )
        self._execute_many(
            connection,
            sa.update(table).where(numbered).values(last_seen=at),
            [{"number": held.seq} for held in again if held.scope not in whole or held.person],
        )
        self._insert(
            connection,
            table,
            [
                {
                    "what": row.what, "scope": row.scope, "digest": row.digest, "subject": row.subject,
                    "object": row.object, "person": row.person, "body": row.body, "until": row.until,
                    "valid_from": at, "valid_to": None, "last_seen": at, "stale_since": None,
                }
                for row in new
            ],
        )  # fmt: skip
        moved = (*ended, *stale, *returned)
        touched = {(row.subject, row.object) for row in new} | {(held.subject, held.object) for held in moved}
        return {id for ends in touched for id in ends if id}

    def _said_anew(
        self, connection: sa.Connection, new: list[Row], claimed: Collection[tuple[str, str]]
    ) -> list[_Live]:
        """Standing words of the same persons about the same, which the new ones replace and which are not repeated."""
        if not new:
            return []
        t = schema.observations.c
        about = {person_said(row.what, row.body) for row in new}
        standing = [
            held
            for chunk in chunks(sorted({row.subject for row in new}))
            for held in connection.execute(
                sa.select(t.scope, t.digest, t.seq, t.subject, t.object, t.person, t.stale_since, t.what, t.body).where(
                    t.tenant == self.tenant, t.subject.in_(chunk), t.valid_to.is_(None), t.person
                )
            )
        ]
        return [
            _Live(*held[:7])
            for held in standing
            if (held.scope, held.digest) not in claimed and person_said(held.what, held.body) in about
        ]

    def _let_words_end(self, connection: sa.Connection, at: float) -> set[str]:
        """Close persons' words whose end date has passed."""
        table = schema.observations
        over = sa.and_(table.c.tenant == self.tenant, table.c.valid_to.is_(None), table.c.until <= at)
        ends = connection.execute(sa.select(table.c.subject, table.c.object).where(over)).all()
        if ends:
            connection.execute(sa.update(table).where(over).values(valid_to=at))
        return {id for pair in ends for id in pair if id}

    def _tie_former_ids(self, connection: sa.Connection, scan: Scan, at: float) -> set[str]:
        """Keep the old id of what an observation says was known under another one.

        A scanned tree may rename only what is its own: the old id must not be seen in this scan, nor stand elsewhere.
        A person's word needs no such proof.
        """
        naming = [o for o in scan.observations if isinstance(o.subject, Asset) and o.subject.formerly]
        if not naming:
            return set()
        t = schema.observations.c
        kept = self._kept(connection)
        here = {o.subject.id for o in scan.observations if isinstance(o.subject, Asset)}
        scopes = {key_text(scope) for scope in (*scan.scopes, *(o.evidence.scope for o in naming))}
        asked = {old for o in naming for old in _formerly(o)}
        known: dict[str, float] = {}
        elsewhere: set[str] = set()
        for chunk in chunks(sorted(asked)):
            for id, scope, since, ended in connection.execute(
                sa.select(t.subject, t.scope, t.valid_from, t.valid_to).where(
                    t.tenant == self.tenant, t.subject.in_(chunk), t.what == "asset", sa.not_(t.person)
                )
            ):
                known[id] = min(since, known.get(id, since))
                if ended is None and scope not in scopes:
                    elsewhere.add(id)
        ties: dict[str, str] = {}
        for o in naming:
            by_person = o.evidence.collector.startswith("person:")
            old = [
                id
                for id in _formerly(o)
                if id in known
                and (by_person or (id not in here and id not in elsewhere))
                and kept.get(id, id) != _id(o)
            ]
            if old:
                first = kept.get(oldest := min(old, key=lambda id: (known[id], id)), oldest)
                ties |= {id: first for id in (_id(o), *old) if id != first}
        return self._tie(connection, ties, at)

    def _tie(self, connection: sa.Connection, ties: Mapping[str, str], at: float) -> set[str]:
        """Let issued ids be known under kept ones; returns the ids this touches."""
        table = schema.identities
        kept = self._kept(connection)
        made = {issued: _follow(to, kept) for issued, to in ties.items()}
        made = {issued: to for issued, to in made.items() if issued != to and kept.get(issued) != to}
        made |= {issued: made[to] for issued, to in kept.items() if to in made and issued != made[to]}
        if not made:
            return set()
        self._delete_ids(connection, table, list(made), key="issued")
        self._execute_many(
            connection,
            sa.insert(table),
            [{"tenant": self.tenant, "issued": issued, "kept": to, "since": at} for issued, to in made.items()],
        )
        return {*made, *made.values(), *(kept[issued] for issued in made if issued in kept)}

    def _note_coverage(self, connection: sa.Connection, scan: Scan, at: float) -> None:
        """What is complete and what could not be seen, replaced for the scopes that were looked at.

        A scope that was not finished vouches for nothing.
        """
        looked = {key_text(scope) for scope in scan.scopes}
        unfinished = looked - {key_text(scope) for scope in scan.finished}
        complete = [
            {"scope": scope, "verb": c.verb, "collector": c.collector}
            for c in dict.fromkeys(scan.complete)
            if (scope := key_text(c.scope)) not in unfinished
        ]
        gaps = [{"scope": key_text(gap.scope), "body": encode(gap)} for gap in dict.fromkeys(scan.unseen)]
        for table, said, names in (
            (schema.completeness, complete, ("scope", "verb", "collector")),
            (schema.unseen, gaps, ("scope", "body")),
        ):
            scopes = looked | {row["scope"] for row in said}
            held: dict[tuple[str, ...], int] = {}
            for chunk in chunks(sorted(scopes)):
                for seq, *row in connection.execute(
                    sa.select(table.c.seq, *(table.c[name] for name in names)).where(
                        table.c.tenant == self.tenant, table.c.scope.in_(chunk), table.c.valid_to.is_(None)
                    )
                ):
                    held[tuple(row)] = seq
            now = {tuple(row[name] for name in names): row for row in said}
            over = [seq for key, seq in held.items() if key not in now and key[0] in looked]
            self._execute_many(
                connection,
                sa.update(table)
                .where(table.c.tenant == self.tenant, table.c.seq == sa.bindparam("number"))
                .values(valid_to=at),
                [{"number": seq} for seq in over],
            )
            self._insert(
                connection,
                table,
                [{**row, "valid_from": at, "valid_to": None} for key, row in now.items() if key not in held],
            )


@dataclass(frozen=True, slots=True)
class _Live:
    """What ingestion needs of a claim that stands."""

    scope: str
    digest: str
    seq: int
    subject: str
    object: str
    person: bool
    stale_since: float | None


def _formerly(observed: Observation) -> tuple[str, ...]:
    return observed.subject.formerly if isinstance(observed.subject, Asset) else ()


def _id(observed: Observation) -> str:
    return observed.subject.id if isinstance(observed.subject, Asset) else ""


def _follow(id: str, kept: Mapping[str, str]) -> str:
    return kept.get(id, id)
