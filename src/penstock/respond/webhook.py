r"""Case changes sent to an address of the operator's, signed, and retried until taken.

A receiver checks that a message is ours and fresh before it believes a word of it::

    import hashlib, hmac, time

    def is_from_penstock(signature: str, body: bytes, secret: str) -> bool:
        parts = dict(part.split("=", 1) for part in signature.split(","))    # the Penstock-Signature header
        if abs(time.time() - int(parts["t"])) > 300:
            return False
        signed = parts["t"].encode() + b"." + body
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), parts["v1"].encode())

Only addresses from the operator's configuration are called, redirects are not followed, and of an answer only the
status is read. The same message may arrive twice; its ``id`` tells.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from penstock.errors import NotAllowed, NotReachable, NotUnderstood
from penstock.graph.vocabulary import Case
from penstock.respond.telling import mark
from penstock.settings import Settings, WebhookSetting

#: Name of the job that delivers one message.
JOB = "respond.webhook"
SCHEMA = "penstock.webhook/1"
HEADER = "Penstock-Signature"
#: Longest a delivery may take in all, in seconds, however slowly the other side answers.
DEADLINE = 10.0
#: How old a signature may be, in seconds, before a receiver should refuse it as a replay.
TOLERANCE = 300


class Queue(Protocol):
    """The part of ``work.jobs.Jobs`` that is needed here."""

    def put(self, name: str, payload: dict[str, Any], *, delay: float = 0.0, key: str | None = None) -> Any: ...
    def handler(self, name: str) -> Any: ...


class Webhooks:
    """Sends changed cases to every webhook of the settings through durable jobs.

    Use it as the ``notify`` of ``refresh`` and ``turn``: ``turn(…, notify=Webhooks(jobs, settings))``.
    """

    def __init__(self, jobs: Queue, settings: Settings) -> None:
        self._jobs = jobs
        self._hooks = {hook.url: hook for hook in settings.webhooks}
        jobs.handler(JOB)(self._deliver)

    def __call__(self, cases: Sequence[Case]) -> None:
        """Queue one message a case and webhook; the same change is queued once."""
        for case in cases:
            message = message_of(case)
            for url in self._hooks:
                key = hashlib.sha256(f"{url} {message['id']}".encode()).hexdigest()
                self._jobs.put(JOB, {"url": url, "message": message}, key=key)

    def _deliver(self, payload: Mapping[str, Any]) -> None:
        hook = self._hooks.get(payload["url"])
        if hook is not None:  # else the operator took the webhook away: nothing is sent there any more
            deliver(hook, payload["message"])


def message_of(case: Case) -> dict[str, Any]:
    """What is sent about a case: what it is now, and what happened last. It holds no text of any prompt or answer."""
    last = case.history[-1] if case.history else None
    shown = msgspec.to_builtins(case)
    shown["history"] = shown["history"][-10:]
    shown["events"] = shown["events"][-10:]
    return {
        "schema": SCHEMA,
        "id": mark(case),
        "type": "case.changed",
        "at": case.changed_at,
        "what": last.what if last else "",
        "who": last.who if last else "",
        "case": shown,
    }


def deliver(hook: WebhookSetting, message: Mapping[str, Any], *, deadline: float = DEADLINE) -> None:
    """Send one message now, signed with the secret that the environment holds.

    Raises:
        NotAllowed: the variable that holds the secret is not set; nothing is sent unsigned.
        NotUnderstood: the address is no http or https address, or holds credentials.
        NotReachable: no connection, no answer in time, or an answer other than 2xx; worth trying again.
    """
    secret = os.environ.get(hook.secret_env, "")
    if not secret:
        raise NotAllowed("A webhook has no signing secret", hook.url, f"Set the environment variable {hook.secret_env}")
    body = msgspec.json.encode(message)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "penstock",
        HEADER: sign(body, secret, int(time.time())),
    }
    status = _post(hook.url, body, headers, deadline)
    if not 200 <= status < 300:
        raise NotReachable(f"A webhook answered {status}", hook.url, "Its message stays queued and is tried again")


def sign(body: bytes, secret: str, at: int) -> str:
    """The signature header of a body sent at a time (seconds since the epoch): HMAC-SHA256 over ``<time>.<body>``."""
    digest = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def verify(header: str, body: bytes, secret: str, *, now: float, tolerance: int = TOLERANCE) -> bool:
    """Whether a header signs this body with this secret, not longer ago than ``tolerance`` seconds."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    at = parts.get("t", "")
    if not at.isdecimal() or abs(now - int(at)) > tolerance:
        return False
    return hmac.compare_digest(sign(body, secret, int(at)).encode(), f"t={at},v1={parts.get('v1', '')}".encode())


def _post(url: str, body: bytes, headers: Mapping[str, str], deadline: float) -> int:
    """The status that a POST is answered with; 3xx is an answer like any other and leads nowhere."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise NotUnderstood("A webhook needs a plain http or https address", url.rpartition("@")[2])
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=deadline, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=deadline)
    late = threading.Event()
    # A timeout of the socket alone starts anew with every byte.
    cut = threading.Timer(deadline, _cut, (connection, late))
    cut.daemon = True
    cut.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, dict(headers))
        status = connection.getresponse().status
        if late.is_set():  # what was read is a torn answer
            raise TimeoutError("no whole answer in time")
        return status
    except (OSError, http.client.HTTPException) as error:
        raise NotReachable("A webhook cannot be reached", url, str(error) or type(error).__name__) from error
    finally:
        cut.cancel()
        connection.close()


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    late.set()
    try:
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
