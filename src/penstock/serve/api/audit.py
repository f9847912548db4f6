"""Who did what: the audit trail, and whether it is whole."""

from __future__ import annotations

from typing import Annotated

import msgspec

from penstock.serve.api.endpoint import Call, endpoint


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


class AuditRow(msgspec.Struct, frozen=True):
    at: float
    who: str
    what: str
    about: str
    hash: str


class AuditTrail(msgspec.Struct, frozen=True):
    """Newest first. ``whole``: every entry still fits the hash chain."""

    whole: bool
    entries: tuple[AuditRow, ...]


@endpoint("GET", "/audit")
def audit(call: Call, query: AuditQuery) -> AuditTrail:
    """Who did what, newest first, and whether nobody changed the trail."""
    store = call.live.store
    entries = tuple(AuditRow(*entry) for entry in store.audit_trail(limit=query.limit))
    return AuditTrail(store.verify_audit_trail(), entries)
