"""A case handed on: an issue in Jira, an incident in ServiceNow, a page at PagerDuty, each in its documented protocol.

Addresses and tokens are the operator's, from the environment; redirects are not followed. Handing the same case on
twice leads to the same ticket: the case's id is sent as the key that each of them knows duplicates by, or is kept.

Jira Cloud REST 3 (create issue), ServiceNow Table API (incident), PagerDuty Events API v2 (enqueue).
"""

from __future__ import annotations

import base64
import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from penstock.errors import NotReachable, NotUnderstood, WrongUse
from penstock.graph.store.protocol import Store
from penstock.graph.vocabulary import Case
from penstock.respond.triage import Line

#: Name under which the store keeps which ticket a case has: "<system> <case>" → key and address.
KEPT = "tickets"
#: Longest that one answer may take, in seconds, and its most bytes.
DEADLINE, MOST = 15.0, 1 << 20
_PAGE = {"info": "info", "low": "warning", "medium": "warning", "high": "error", "critical": "critical"}
_URGENCY = {"info": "3", "low": "3", "medium": "2", "high": "1", "critical": "1"}


@dataclass(frozen=True, slots=True)
class System:
    """Where tickets go. ``user`` with ``token`` for Jira and ServiceNow; for PagerDuty ``token`` is the routing key."""

    kind: str  # jira | servicenow | pagerduty
    address: str
    token: str
    user: str = ""
    project: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the other side calls it, and where it is seen."""

    key: str
    address: str


def hand_on(store: Store, system: System, case: Case, lines: tuple[Line, ...], *, who: str, now: float) -> Ticket:
    """Open a ticket for a case, or return the one that was opened before.

    Args:
        lines: what a reader is told (``triage.summary``).
    Raises:
        WrongUse: there is no such system, or nobody does it.
        NotReachable: it does not answer, or not with success; nothing is kept, so that it can be tried again.
        NotUnderstood: its answer names no ticket.
    """
    if not who.strip():
        raise WrongUse("Nobody hands this on", case.id, "Give the name of the person who does")
    make = {"jira": _jira, "servicenow": _servicenow, "pagerduty": _pagerduty}.get(system.kind)
    if make is None:
        raise WrongUse(f"There is no ticket system {system.kind!r}", None, "One of: jira, servicenow, pagerduty")
    name = f"{system.kind} {case.id}"
    with store.exclusive(KEPT):
        known: dict[str, list[str]] = store.get(KEPT) or {}
        if name in known:
            return Ticket(*known[name])
        made = make(system, case, "\n".join(f"{line.question} {line.answer}" for line in lines))
        store.put(KEPT, known | {name: [made.key, made.address]})
    store.audit(who.strip(), f"handed on to {system.kind} as {made.key}", case.id, now)
    return made


def _jira(system: System, case: Case, text: str) -> Ticket:
    paragraphs = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in text.splitlines()]
    fields = {
        "project": {"key": system.project},
        "issuetype": {"name": "Task"},
        "summary": case.title[:255],
        "description": {"type": "doc", "version": 1, "content": paragraphs},
        "labels": ["penstock", case.id],
    }
    answer = _post(system, "/rest/api/3/issue", {"fields": fields}, _basic(system))
    key = str(answer.get("key") or "")
    return _ticket(system, key, f"/browse/{quote(key, safe='')}")


def _servicenow(system: System, case: Case, text: str) -> Ticket:
    body = {
        "short_description": case.title[:160],
        "description": text,
        "urgency": _URGENCY[case.severity],
        "impact": _URGENCY[case.severity],
        "correlation_id": case.id,
        "correlation_display": "Penstock",
    }
    result = _post(system, "/api/now/table/incident", body, _basic(system)).get("result")
    made = result if isinstance(result, dict) else {}
    sys_id = quote(str(made.get("sys_id") or ""), safe="")
    return _ticket(system, str(made.get("number") or ""), f"/nav_to.do?uri=incident.do?sys_id={sys_id}")


def _pagerduty(system: System, case: Case, text: str) -> Ticket:
    body = {
        "routing_key": system.token,
        "event_action": "trigger",
        "dedup_key": case.id,
        "payload": {
            "summary": case.title[:1024],
            "source": "penstock",
            "severity": _PAGE[case.severity],
            "custom_details": {"summary": text},
        },
    }
    answer = _post(system, "/v2/enqueue", body, {})
    return _ticket(system, str(answer.get("dedup_key") or ""), "")


def _ticket(system: System, key: str, path: str) -> Ticket:
    if not key:
        raise NotUnderstood("The answer names no ticket", _shown(system), "See whether it was opened, then try again")
    return Ticket(key[:200], system.address.rstrip("/") + path if path else "")


def _basic(system: System) -> dict[str, str]:
    pair = base64.b64encode(f"{system.user}:{system.token}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def _post(system: System, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    parts = urlsplit(system.address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise NotUnderstood("A ticket system needs a plain http or https address", _shown(system))
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise NotUnderstood("A token is not sent over plain http", _shown(system), "Use https")
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=DEADLINE, context=context)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE)
    try:
        sent = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        connection.request("POST", parts.path.rstrip("/") + path, msgspec.json.encode(body), sent)
        answer = connection.getresponse()
        said = answer.read(MOST)
        if not 200 <= answer.status < 300:
            raise NotReachable(
                f"The ticket system answered {answer.status}", _shown(system), "Check its token and rights"
            )
        found = msgspec.json.decode(said)
    except (OSError, http.client.HTTPException) as error:
        raise NotReachable("The ticket system cannot be reached", _shown(system), type(error).__name__) from error
    except msgspec.DecodeError as error:
        raise NotUnderstood("The ticket system did not answer in JSON", _shown(system)) from error
    finally:
        connection.close()
    return found if isinstance(found, dict) else {}


def _shown(system: System) -> str:
    return f"{system.kind} at {urlsplit(system.address).hostname or 'no host'}"
