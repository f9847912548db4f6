"""A call as OCSF 1.8.0 API Activity (class 6003) with the profiles AI Operation and Security Control.

https://schema.ocsf.io/1.8.0/classes/api_activity. The profile's fields for prompts and answers stay empty: no text of
either is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from penstock import __version__
from penstock.graph.vocabulary import Event

VERSION = "1.8.0"
CATEGORY, CLASS, OTHER = 6, 6003, 99
#: Verdict → severity_id (1 Informational … 3 Medium), action_id (1 Allowed, 2 Denied, 4 Modified), disposition_id
#: (1 Allowed, 2 Blocked, 11 Corrected, 17 Logged).
_SAID = {
    "allow": (1, 1, 1), "observe": (2, 1, 17), "tag": (1, 1, 17), "throttle": (2, 2, 2), "route": (1, 4, 11),
    "tokenise": (2, 4, 11), "redact": (3, 4, 11), "ask": (3, 2, 2), "stop": (3, 2, 2),
}  # fmt: skip
_SEVERITY = {1: "Informational", 2: "Low", 3: "Medium"}
_ACTION = {1: "Allowed", 2: "Denied", 4: "Modified"}


def activity(event: Event, names: Mapping[str, str], *, tenant: str = "default") -> dict[str, Any]:
    """One call.

    Args:
        names: asset id → name, of the applications that called.
    """
    severity, action, disposition = _SAID.get(event.verdict, (1, 1, 1))
    props = event.props
    status = props.get("status")
    status = status if isinstance(status, int) else 0
    failed = status >= 400 or props.get("outcome") in ("cut", "hung_up")
    caller = {"uid": event.application or "unknown", "name": _caller(event, names)}
    said: dict[str, Any] = {
        "activity_id": OTHER,
        "activity_name": "Invoke",
        "category_uid": CATEGORY,
        "category_name": "Application Activity",
        "class_uid": CLASS,
        "class_name": "API Activity",
        "type_uid": CLASS * 100 + OTHER,
        "time": round(1000 * event.at),
        "severity_id": severity,
        "severity": _SEVERITY[severity],
        "status_id": 2 if failed else 1,
        "status": "Failure" if failed else "Success",
        "action_id": action,
        "action": _ACTION[action],
        "disposition_id": disposition,
        "is_alert": action == 2,
        "metadata": {
            "version": VERSION,
            "uid": event.id,
            "profiles": ["ai_operation", "security_control"],
            "tenant_uid": tenant,
            "product": {"name": "Penstock", "vendor_name": "Penstock", "version": __version__},
        },
        "actor": {"app_uid": caller["uid"], "app_name": caller["name"]},
        "src_endpoint": caller,
        "api": {"operation": event.surface or event.kind, "service": {"name": event.provider or "unknown"}},
        "message_context": {"application": caller, "ai_role_id": 2, "ai_role": "Assistant"},
        "unmapped": {"verdict": event.verdict, "rules": list(event.rules), "seen": dict(event.seen)},
    }
    if status:
        said["api"]["response"] = {"code": status}
        said["status_code"] = str(status)
    if event.model:
        said["ai_model"] = {"name": event.model, "ai_provider": event.provider or "unknown"}
    if host := urlsplit(str(props.get("upstream") or "")).hostname:
        said["dst_endpoint"] = {"hostname": host}
    if isinstance(took := props.get("ms"), int | float):
        said["duration"] = round(took)
    if session := props.get("session"):
        said["message_context"]["uid"] = str(session)
    if isinstance(usage := props.get("usage"), Mapping):
        sent, answered = int(usage.get("in", 0)), int(usage.get("out", 0))
        said["message_context"] |= {
            "prompt_tokens": sent, "completion_tokens": answered, "total_tokens": sent + answered,
        }  # fmt: skip
    return said


def _caller(event: Event, names: Mapping[str, str]) -> str:
    about = event.props.get("caller")
    shown = str(about.get("name") or "") if isinstance(about, Mapping) else ""
    return names.get(event.application) or shown or event.application or "unknown"
