"""The store on SQL, the same statements on SQLite and PostgreSQL.

What anybody claimed is kept as long as it stands (``observations``); the graph is merged from it. Every write holds the
tenant's write lock, so that a claim's history has no gaps and the audit trail one order.
"""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, TypeVar

import sqlalchemy as sa

from penstock.errors import WrongUse
from penstock.graph.diff import Changes, changes
from penstock.graph.graph import Graph
from penstock.graph.merge import merge
from penstock.graph.store import schema
from penstock.graph.store.claims import Row, decode, encode, key_text, observations, person_said, rows
from penstock.graph.store.engine import alone, lock, translated
from penstock.graph.store.protocol import Acceptance, AccessKey, CaseChanges, ChangeCases, Scan, Version
from penstock.graph.vocabulary import (
    Asset,
    Case,
    Complete,
    Event,
    Finding,
    Observation,
    Question,
    Relation,
    Unseen,
)

_T = TypeVar("_T")

#: Entries of the outbox that are kept for readers that lag behind.
OUTBOX_KEEPS = 10_000
#: Small value that counts the writes.
_WRITES = "store.writes"
#: Ids in one statement: SQLite's oldest limit on parameters is 999.
_CHUNK = 500
#: Beyond so many touched assets it is cheaper to merge everything than to ask for their surroundings.
_MANY = 2_000


class SqlStore:
    """A store of one tenant on an engine that ``connect`` opened. Threads and processes may use it at the same time."""

    def __init__(self, engine: sa.Engine, tenant: str) -> None:
        if not tenant or len(tenant) > 200:
            raise WrongUse("A tenant needs a name of 1 to 200 characters", tenant[:200])
        self.engine = engine
        self.tenant = tenant
        self._where = engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=True)
        self._latest: _Latest | None = None
        self._latest_lock = Lock()

    # ── the graph ────────────────────────────────────────────────────────────────────────────────────────────────────

    def ingest(self, scan: Scan) -> Changes:
        claimed = rows(scan.observations)
        with self._write() as connection:
            at = max(scan.at, self._last_time(connection))
            touched = self._take_in(connection, scan, claimed, at)
            touched |= self._let_words_end(connection, at)
            touched |= self._tie_former_ids(connection, scan, at)
            self._note_coverage(connection, scan, at)
            self._insert(
                connection,
                schema.scans,
                [{"at": at, "scopes": encode(list(scan.scopes)), "finished": encode(list(scan.finished))}],
            )
            with _no_collector():
                return self._settle(connection, touched, at)

    def graph(self, at: float | None = None) -> Graph:
        now = time.time()
        with self._read() as connection:
            if at is not None:
                with _no_collector():
                    return self._merged(connection, self._standing(connection, at), at, then=True)
            version = self._version(connection)
            with self._latest_lock:
                latest = self._latest
            if latest is None or not latest.holds(version, now):
                with _no_collector():
                    standing = self._standing(connection)
                    merged = self._merged(connection, standing, now)
                latest = _Latest(merged, version, standing.next_end(now))
                with self._latest_lock:
                    self._latest = latest
            return latest.graph

    def changed_since(self, at: float) -> Changes:
        t, r = schema.assets.c, schema.relations.c
        read_asset, read_props = _reader(Asset), _reader(dict[str, Any])
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

    def rename(self, asset: str, *, to: Asset) -> None:
        with self._write() as connection:
            at = max(time.time(), self._last_time(connection))
            kept = self._kept(connection).get(asset, asset)
            self._settle(connection, self._tie(connection, {to.id: kept}, at), at)

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

    # ── what is judged ───────────────────────────────────────────────────────────────────────────────────────────────

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
        return _decode_all(bodies, Finding)

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

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────────

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
            for chunk in _chunks(list(given))
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
        return _decode_all(bodies, Event)

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
            self._put_rows(connection, schema.values, _value_rows(keep or {}), key="name")
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
        return _decode_all(bodies, Case)

    # ── keys, audit, small values ────────────────────────────────────────────────────────────────────────────────────

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

    def get(self, name: str, default: Any = None) -> Any:
        t = schema.values.c
        with self._read() as connection:
            found = connection.scalar(sa.select(t.value).where(t.tenant == self.tenant, t.name == name))
        return default if found is None else decode(found, Any)

    def put(self, name: str, value: Any) -> None:
        self._replace(schema.values, _value_rows({name: value}), key="name")

    def version(self) -> int:
        return int(self.get(_WRITES, 0))

    def graph_version(self) -> int:
        with self._read() as connection:
            return self._version(connection)

    def exclusive(self, name: str) -> AbstractContextManager[None]:
        return alone(self.engine, self.tenant, name)

    def close(self) -> None:
        self.engine.dispose()

    # ── taking in a scan ─────────────────────────────────────────────────────────────────────────────────────────────

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
        for chunk in _chunks(scopes):
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
        for chunk in _chunks(sorted(whole)):  # what is left of a finished scope was seen again, all of it
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
            for chunk in _chunks(sorted({row.subject for row in new}))
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
        for chunk in _chunks(sorted(asked)):
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
            for chunk in _chunks(sorted(scopes)):
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

    # ── merging what stands ──────────────────────────────────────────────────────────────────────────────────────────

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
        read_asset, read_props = _reader(Asset), _reader(dict[str, Any])
        found: dict[str, tuple[Asset, int, float]] = {}
        joined: dict[tuple[str, str, str], tuple[Relation, int]] = {}
        for statement in _narrowed(assets, [t.id], about):
            for body, seq, first in connection.execute(statement):
                asset = read_asset(body)
                found[asset.id] = (asset, seq, first)
        for statement in _narrowed(links, [r.source, r.target], about):
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
            for chunk in _chunks(ids)
            for id, first in connection.execute(
                sa.select(t.id, sa.func.min(t.first_seen))
                .where(t.tenant == self.tenant, t.id.in_(chunk))
                .group_by(t.id)
            )
        }

    def _standing(
        self, connection: sa.Connection, at: float | None = None, *, about: Collection[str] | None = None
    ) -> _Standing:
        """The claims that stand now, or stood at a time; all of them or those about some ids and their neighbours."""
        t = schema.observations.c
        kept = self._kept(connection)
        standing = _Standing(kept)
        wanted = sa.select(t.what, t.body, t.last_seen, t.stale_since, t.person, t.seq).where(
            t.tenant == self.tenant, _stands(t, at)
        )
        if about is None:
            standing.add(connection.execute(wanted).all())
        else:
            for statement in _narrowed(wanted, [t.subject, t.object], self._issued(connection, about)):
                standing.add(connection.execute(statement).all())
            ends = self._issued(connection, standing.neighbours() - set(about))
            for statement in _narrowed(wanted.where(t.what == "asset"), [t.subject], ends):
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
            for chunk in _chunks(issued)
            for id in connection.scalars(
                sa.select(t.subject)
                .where(t.tenant == self.tenant, t.subject.in_(chunk), t.what == "asset", sa.not_(t.person))
                .distinct()
            )
        }

    def _merged(self, connection: sa.Connection, standing: _Standing, now: float, *, then: bool = False) -> Graph:
        """The graph of some claims, with the lifecycle and the first sight that only the store knows.

        Args:
            now: the time at which persons' words must still stand; with ``then`` also the time of the coverage.
        """
        c, u, t = schema.completeness.c, schema.unseen.c, schema.assets.c
        complete = connection.execute(
            sa.select(c.scope, c.verb, c.collector).where(c.tenant == self.tenant, _stands(c, now if then else None))
        ).all()
        gaps = connection.scalars(
            sa.select(u.body).where(u.tenant == self.tenant, _stands(u, now if then else None))
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

    # ── plumbing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with translated(self._where), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with (
            translated(self._where),
            self.engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            lock(connection, f"penstock:{self.tenant}")
            yield connection
            self._count_write(connection)

    def _count_write(self, connection: sa.Connection) -> None:
        """One more write; the value is JSON, and a number's JSON is its digits."""
        t = schema.values.c
        more = sa.cast(sa.cast(t.value, sa.BigInteger) + 1, sa.Text)
        counted = connection.execute(
            sa.update(schema.values).where(t.tenant == self.tenant, t.name == _WRITES).values(value=more)
        )
        if not counted.rowcount:
            connection.execute(sa.insert(schema.values), {"tenant": self.tenant, "name": _WRITES, "value": encode(1)})

    def _version(self, connection: sa.Connection) -> int:
        return self._last_number(connection, schema.outbox)

    def _last_number(self, connection: sa.Connection, table: sa.Table) -> int:
        return connection.scalar(sa.select(sa.func.max(table.c.seq)).where(table.c.tenant == self.tenant)) or 0

    def _last_time(self, connection: sa.Connection) -> float:
        """The latest time that history knows: it never runs backwards, whatever a clock says."""
        t = schema.outbox.c
        newest = sa.select(t.at).where(t.tenant == self.tenant).order_by(t.seq.desc()).limit(1)
        return connection.scalar(newest) or 0.0

    def _insert(self, connection: sa.Connection, table: sa.Table, made: Sequence[Mapping[str, Any]]) -> list[int]:
        """Insert numbered rows; returns their numbers."""
        if not made:
            return []
        first = self._last_number(connection, table) + 1
        numbers = list(range(first, first + len(made)))
        self._execute_many(
            connection,
            sa.insert(table),
            [{"tenant": self.tenant, "seq": seq, **row} for seq, row in zip(numbers, made, strict=True)],
        )
        return numbers

    def _replace(self, table: sa.Table, made: Mapping[str, Mapping[str, Any]], *, key: str = "id") -> None:
        if made:
            with self._write() as connection:
                self._put_rows(connection, table, made, key=key)

    def _put_rows(
        self, connection: sa.Connection, table: sa.Table, made: Mapping[str, Mapping[str, Any]], *, key: str = "id"
    ) -> None:
        self._delete_ids(connection, table, list(made), key=key)
        self._execute_many(connection, sa.insert(table), [{"tenant": self.tenant, **row} for row in made.values()])

    def _delete_ids(self, connection: sa.Connection, table: sa.Table, ids: Sequence[str], *, key: str = "id") -> None:
        for chunk in _chunks(ids):
            connection.execute(sa.delete(table).where(table.c.tenant == self.tenant, table.c[key].in_(chunk)))

    def _delete_numbers(self, connection: sa.Connection, table: sa.Table, numbers: Sequence[int]) -> None:
        for chunk in _chunks(numbers):
            connection.execute(sa.delete(table).where(table.c.tenant == self.tenant, table.c.seq.in_(chunk)))

    def _bodies(self, table: sa.Table, order: sa.ColumnElement[Any]) -> Sequence[str]:
        with self._read() as connection:
            return connection.scalars(
                sa.select(table.c.body).where(table.c.tenant == self.tenant).order_by(order)
            ).all()

    @staticmethod
    def _execute_many(connection: sa.Connection, statement: Any, many: Sequence[Mapping[str, Any]]) -> None:
        if many:
            connection.execute(statement, many)


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


class _Standing:
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


@dataclass(frozen=True, slots=True)
class _Latest:
    """The graph as it was last merged, good until something is written or a person's word ends."""

    graph: Graph
    version: int
    until: float | None

    def holds(self, version: int, now: float) -> bool:
        return self.version == version and (self.until is None or now < self.until)


def _decode_all(bodies: Sequence[str], type: type[_T]) -> list[_T]:
    """Many at once, which takes half the time of one by one."""
    found: list[_T] = decode(f"[{','.join(bodies)}]", list[type])  # type: ignore[valid-type]
    return found


def _case_rows(cases: Iterable[Case]) -> dict[str, dict[str, Any]]:
    return {case.id: {"id": case.id, "changed_at": case.changed_at, "body": encode(case)} for case in cases}


def _value_rows(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: {"name": name, "value": encode(value)} for name, value in values.items()}


def _formerly(observed: Observation) -> tuple[str, ...]:
    return observed.subject.formerly if isinstance(observed.subject, Asset) else ()


def _id(observed: Observation) -> str:
    return observed.subject.id if isinstance(observed.subject, Asset) else ""


def _follow(id: str, kept: Mapping[str, str]) -> str:
    return kept.get(id, id)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Without the cycle collector: loading makes many objects and no garbage, and looking for some takes a quarter."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _stands(columns: Any, at: float | None) -> sa.ColumnElement[bool]:
    """Whether a row with a history stands now (None), or stood at a time."""
    if at is None:
        return sa.and_(columns.valid_to.is_(None))
    return sa.and_(columns.valid_from <= at, sa.or_(columns.valid_to.is_(None), columns.valid_to > at))


def _differs(columns: Any, at: float) -> sa.ColumnElement[bool]:
    """Whether a row stood at a time and no longer does, or stands now and did not then."""
    began = sa.and_(columns.valid_from > at, columns.valid_to.is_(None))
    return sa.or_(began, sa.and_(columns.valid_from <= at, columns.valid_to > at))


def _all(_: str) -> bool:
    return True


def _reader(type: Any) -> Any:
    import msgspec

    return msgspec.json.Decoder(type).decode


def _narrowed(statement: Any, columns: Sequence[Any], ids: Collection[str] | None) -> Iterator[Any]:
    """The statement for rows with one of the ids in one of the columns, in pieces of bounded size."""
    if ids is None:
        yield statement
        return
    for column in columns:
        for chunk in _chunks(sorted(ids)):
            yield statement.where(column.in_(chunk))


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
