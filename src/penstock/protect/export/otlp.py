"""Calls as spans of the OpenTelemetry conventions for generative AI, sent to a collector by OTLP/HTTP as JSON.

Names are those of the conventions; verdicts stand under ``penstock.``, because no convention has words for them. Calls
of one conversation are one trace.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import msgspec

from penstock import __version__
from penstock.errors import NotReachable
from penstock.graph.vocabulary import Event

#: Spans of one request, as SDKs send them; seconds a collector may take.
BATCH, PATIENCE = 512, 10.0
#: Surface → operation of the conventions; what is not here has its surface's last word.
_OPERATIONS = {
    "messages": "chat", "responses": "chat", "converse": "chat", "invoke": "chat", "chat": "chat",
    "gemini": "generate_content", "vertex": "generate_content",
    "completions": "text_completion", "generate": "text_completion",
    "embeddings": "embeddings", "embed": "embeddings", "texts": "embeddings", "mcp": "execute_tool",
}  # fmt: skip
_CLIENT, _ERROR = 3, 2
_NOTHING: tuple[Any, ...] = (None, "", [], 0)


def span(event: Event, names: Mapping[str, str]) -> dict[str, Any]:
    """One call as OTLP/JSON writes a span.

    Args:
        names: asset id → name, of the applications that called.
    """
    props = event.props
    operation = _OPERATIONS.get(event.surface.rpartition(".")[2], event.surface or event.kind)
    usage = props.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    status = props.get("status")
    status = status if isinstance(status, int) else 0
    address = urlsplit(str(props.get("upstream") or ""))
    failed = status >= 400 or props.get("outcome") in ("cut", "hung_up")
    said: dict[str, Any] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": event.provider,
        "gen_ai.request.model": event.model,
        "gen_ai.conversation.id": props.get("session"),
        "gen_ai.usage.input_tokens": usage.get("in"),
        "gen_ai.usage.output_tokens": usage.get("out"),
        "gen_ai.response.finish_reasons": [props["finish"]] if props.get("finish") else None,
        "gen_ai.agent.name": names.get(event.application),
        "gen_ai.agent.id": event.application,
        "gen_ai.request.stream": props.get("stream"),
        "server.address": address.hostname,
        "server.port": _port(address.netloc),
        "http.response.status_code": status,
        "error.type": str(status) if status >= 400 else props.get("outcome") if failed else None,
        "penstock.event.id": event.id,
        "penstock.verdict": event.verdict,
        "penstock.rules": list(event.rules),
        "penstock.added_ms": props.get("added_ms"),
    }
    said |= {f"penstock.seen.{kind}": number for kind, number in event.seen.items()}
    took = props.get("ms")
    took = took if isinstance(took, int | float) else 0.0
    began = round(event.at * 1e9)
    return {
        "traceId": _digest(f"{event.application} {props.get('session') or event.id}", 16),
        "spanId": _digest(event.id, 8),
        "name": f"{operation} {event.model}".strip(),
        "kind": _CLIENT,
        "startTimeUnixNano": str(began),
        "endTimeUnixNano": str(began + round(took * 1e6)),
        "attributes": [
            {"key": key, "value": _value(value)} for key, value in said.items() if value not in (None, "", [], 0)
        ],
        "status": {"code": _ERROR} if failed else {},
    }


def requests(events: Iterable[Event], names: Mapping[str, str]) -> Iterator[bytes]:
    """The bodies of as many requests as it takes."""
    resource = {"service.name": "penstock-gateway", "service.version": __version__}
    about = {"attributes": [{"key": key, "value": _value(value)} for key, value in resource.items()]}
    left = iter(events)
    while batch := list(islice(left, BATCH)):
        spans = [span(event, names) for event in batch]
        scope = {"scope": {"name": "penstock", "version": __version__}, "spans": spans}
        yield msgspec.json.encode({"resourceSpans": [{"resource": about, "scopeSpans": [scope]}]})


def send(endpoint: str, bodies: Iterable[bytes], headers: Mapping[str, str]) -> int:
    """Send to ``<endpoint>/v1/traces``; how many requests it took.

    Raises:
        NotReachable: the collector does not take one; those before it were taken.
    """
    address = endpoint.rstrip("/")
    address = address if address.endswith("/v1/traces") else f"{address}/v1/traces"
    if urlsplit(address).scheme not in ("http", "https"):
        raise NotReachable(
            "A collector has an address with http or https", endpoint, "For example http://127.0.0.1:4318"
        )
    sent = 0
    for body in bodies:
        asked = urllib.request.Request(  # noqa: S310 - checked above
            address, body, {"content-type": "application/json", **headers}, method="POST"
        )
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE):  # noqa: S310
                sent += 1
        except (OSError, ValueError) as error:
            why = f"it answered {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
            raise NotReachable(
                "The collector did not take the spans", address, f"{why}; {sent} requests went before"
            ) from error
    return sent


def _port(netloc: str) -> int | None:
    tail = netloc.rpartition(":")[2]
    return int(tail) if tail.isdigit() else None


def _digest(text: str, size: int) -> str:
    return blake2b(text.encode(), digest_size=size).hexdigest()


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    return {"stringValue": str(value)}
