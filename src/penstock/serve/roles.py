"""What each route demands, in one table. A route that stands in no line is for admins if it changes anything."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.settings import ROLES

#: "METHOD /path" below /api/v1, and for routes whose body says what is done "METHOD /path what" → the least role.
NEEDS: dict[str, str] = {
    "POST /today/seen": "viewer",
    "POST /approvals": "developer",
    "POST /approvals/{id}": "developer",
    "POST /approvals/{id} grant": "approver",
    "POST /approvals/{id} refuse": "approver",
    "POST /approvals/{id} withdraw": "developer",
    "POST /assets/{id}/correct": "developer",
    "POST /lineage": "developer",
    "POST /cases/{id}": "developer",
    "POST /cases/{id} accept": "approver",
    "POST /cases/{id} snooze": "developer",
    "POST /cases/{id} resolve": "developer",
    "POST /cases/{id} reopen": "developer",
    "POST /cases": "developer",
    "POST /cases accept": "approver",
    "POST /cases snooze": "developer",
    "POST /cases resolve": "developer",
    "POST /cases reopen": "developer",
    "POST /cases merge": "approver",
    "POST /cases/{id}/split": "approver",
    "POST /quarantine": "approver",
    "POST /quarantine/{id}/release": "approver",
    "GET /audit": "approver",
}


@dataclass(frozen=True, slots=True)
class User:
    """Who asks, and what they may do."""

    name: str
    role: str = "admin"

    def may(self, role: str) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)


def needed(method: str, path: str, what: str = "") -> str:
    """The least role for a route, or for one of the things that can be done there."""
    line = f"{method} {path} {what}".rstrip()
    if line in NEEDS:
        return NEEDS[line]
    return "viewer" if method == "GET" else "admin"
