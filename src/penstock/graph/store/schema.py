"""The tables, once for both engines. ``tenant`` leads every key; history is ``valid_from`` to ``valid_to`` (NULL: now).

``observations`` is the truth: every claim anybody made, as long as it stood. ``assets`` and ``relations`` are what the
claims add up to, kept with their history so that a question is one statement. Bodies are JSON text.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, MetaData, String, Table, Text

#: The version this code writes, and all it can read, oldest first. Each is a file under ``migrations/versions``.
VERSIONS = ("0001", "0002")
HEAD = VERSIONS[-1]
VERSION_TABLE = "penstock_version"

metadata = MetaData()


def _tenant() -> Column[str]:
    return Column("tenant", String, primary_key=True)


def _number() -> Column[int]:
    return Column("seq", BigInteger, primary_key=True, autoincrement=False)


def _name(name: str) -> Column[str]:
    return Column(name, String, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _time(name: str, *, nullable: bool = False) -> Column[float]:
    """Seconds since the epoch."""
    return Column(name, Double, nullable=nullable)


observations = Table(
    "observations", metadata, _tenant(), _number(),
    _text("what"),  # asset | relation
    _text("scope"),
    _text("digest"),  # of the claim and its evidence, without times
    _text("subject"),  # issued id of the asset, or of the relation's source
    _text("object"),  # issued id of the relation's target, else empty
    Column("person", Boolean, nullable=False),
    _text("body"),
    _time("valid_from"), _time("valid_to", nullable=True), _time("last_seen"), _time("stale_since", nullable=True),
    _time("until", nullable=True),  # end date of a person's word
    Index("observations_by_scope", "tenant", "scope", "valid_to"),
    Index("observations_by_subject", "tenant", "subject", "valid_to"),
    Index("observations_by_object", "tenant", "object", "valid_to"),
)  # fmt: skip

assets = Table(
    "assets", metadata, _tenant(), _number(),
    _text("id"), _text("kind"), _text("lifecycle"), _text("body"),
    _time("first_seen"), _time("valid_from"), _time("valid_to", nullable=True),
    Index("assets_by_id", "tenant", "id", "valid_to"),
    Index("assets_by_kind", "tenant", "kind", "valid_to"),
)  # fmt: skip

relations = Table(
    "relations", metadata, _tenant(), _number(),
    _text("source"), _text("verb"), _text("target"), _text("props"),
    _time("valid_from"), _time("valid_to", nullable=True),
    Index("relations_out", "tenant", "source", "verb", "target"),
    Index("relations_into", "tenant", "target", "verb", "source"),
)  # fmt: skip

#: Issued ids that are known under another id: renames, and ids that ``formerly`` tied together.
identities = Table("identities", metadata, _tenant(), _name("issued"), _text("kept"), _time("since"))

scans = Table("scans", metadata, _tenant(), _number(), _time("at"), _text("scopes"), _text("finished"))

completeness = Table(
    "completeness", metadata, _tenant(), _number(),
    _text("scope"), _text("verb"), _text("collector"), _time("valid_from"), _time("valid_to", nullable=True),
    Index("completeness_by_scope", "tenant", "scope", "valid_to"),
)  # fmt: skip

unseen = Table(
    "unseen", metadata, _tenant(), _number(),
    _text("scope"), _text("body"), _time("valid_from"), _time("valid_to", nullable=True),
    Index("unseen_by_scope", "tenant", "scope", "valid_to"),
)  # fmt: skip

findings = Table(
    "findings", metadata, _tenant(), _name("id"), Column("position", BigInteger, nullable=False), _text("body"),
    _time("first_seen"), _time("last_seen"), _time("closed_at", nullable=True),
)  # fmt: skip

questions = Table("questions", metadata, _tenant(), _number(), _text("body"))

acceptances = Table("acceptances", metadata, _tenant(), _number(), _text("finding"), _text("body"))

events = Table(
    "events", metadata, _tenant(), _name("id"), _time("at"), _text("application"), _text("body"),
    Index("events_by_time", "tenant", "at"),
    Index("events_by_application", "tenant", "application", "at"),
)  # fmt: skip

cases = Table("cases", metadata, _tenant(), _name("id"), _time("changed_at"), _text("body"))

approvals = Table(
    "approvals", metadata, _tenant(), _name("id"), _text("key"), _text("state"), _time("asked_at"), _text("body"),
    Index("approvals_by_key", "tenant", "key"),
    Index("approvals_by_state", "tenant", "state", "asked_at"),
)  # fmt: skip

access_keys = Table("access_keys", metadata, _tenant(), _name("id"), _text("body"))

audit = Table(
    "audit", metadata, _tenant(), _number(), _time("at"), _text("who"), _text("what"), _text("about"), _text("hash")
)

values = Table("small_values", metadata, _tenant(), _name("name"), _text("value"))

#: What changed, in order, for whoever recomputes from it. Old entries are dropped (``versions.OUTBOX_KEEPS``).
outbox = Table("outbox", metadata, _tenant(), _number(), _time("at"), _text("kind"), _text("body"))
