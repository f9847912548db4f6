"""OTLP off the wire: spans and log records of AI calls, as protobuf or JSON, without what nobody here reads.

Keys are filtered before anything is built: most spans of an application are no calls of a model and cost next to
nothing. The protobuf classes are those of ``opentelemetry-proto`` (upb): a reader in Python would be slower.
"""

from __future__ import annotations

import binascii
import zlib
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec

from penstock.errors import NotReachable, NotUnderstood

#: Bytes of one export, as sent and unpacked. SDKs send batches of 512 spans; with long prompts that is some megabytes.
SENT, UNPACKED = 8 * 1024 * 1024, 32 * 1024 * 1024
#: Attributes of one span or record, characters of one value, and how deep a value nests.
ATTRIBUTES, CHARACTERS, DEPTH = 2_000, 64 * 1024, 8

Signal = Literal["traces", "logs"]


class Said(msgspec.Struct, frozen=True):
    """A span, or a log record, that may tell of an AI call. ``events``: name and attributes of the span's own.

    service: attributes of the resource that sent it. at: seconds since the epoch.
    """

    id: str
    name: str
    at: float
    seconds: float
    attributes: Mapping[str, Any]
    events: tuple[tuple[str, Mapping[str, Any]], ...]
    service: Mapping[str, str]


#: Beginnings of keys that tell of an AI call, in all dialects; the last row: of who was asked, by whom, with what end.
_KEYS = (
    "gen_ai.", "llm.", "openinference.", "traceloop.", "tool.", "input.value", "output.value", "embedding.",
    "retrieval.", "reranker.", "mcp.", "vector_db.", "agent.name", "db.system", "db.collection", "db.namespace",
    "db.name",
    "server.address", "server.port", "url.full", "http.url", "net.peer.name", "session.id", "error.type", "event.name",
    "http.response.status_code", "http.status_code",
)  # fmt: skip
_SERVICE = frozenset(
    {"service.name", "service.namespace", "vcs.repository.url.full", "deployment.environment.name",
     "deployment.environment"}
)  # fmt: skip


@lru_cache(maxsize=4096)
def _tells(key: str) -> bool:
    return key.startswith(_KEYS)


def unpacked(body: bytes, coding: str) -> bytes:
    """A request's body without its content coding.

    Raises:
        NotUnderstood: another coding than gzip, broken data, or more than ``UNPACKED`` bytes of it.
    """
    if coding in ("", "identity"):
        return body
    if coding != "gzip":
        raise NotUnderstood(f"The content coding {coding!r} is not supported", hint="Use gzip or none")
    undo = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = undo.decompress(body, UNPACKED + 1)
    except zlib.error as error:
        raise NotUnderstood("The compressed body is broken", hint=str(error)) from error
    if len(plain) > UNPACKED:
        raise NotUnderstood(f"The body unpacks to more than {UNPACKED >> 20} MiB", hint="Send smaller batches")
    if not undo.eof:
        raise NotUnderstood("The compressed body is cut short", hint="Send it whole")
    return plain


def read(body: bytes, content_type: str, signal: Signal) -> Iterator[Said]:
    """What an export holds, but for spans and records that no key marks as an AI call.

    Raises:
        NotUnderstood: it is no OTLP, or of another type.
        NotReachable: the protobuf classes are not installed.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return _from_json(body, signal)
    if kind == "application/x-protobuf":
        return _from_protobuf(body, signal)
    raise NotUnderstood(f"The content type {kind!r} is no OTLP", hint="application/x-protobuf or application/json")


# ── protobuf ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _from_protobuf(body: bytes, signal: Signal) -> Iterator[Said]:
    try:
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    except ImportError as error:
        raise NotReachable(
            "OTLP as protobuf cannot be read", "opentelemetry-proto", "pip install 'penstock[otlp]', or send JSON"
        ) from error
    asked: Any = ExportTraceServiceRequest() if signal == "traces" else ExportLogsServiceRequest()
    try:
        asked.ParseFromString(body)
    except (DecodeError, RecursionError) as error:
        raise NotUnderstood("The body is no OTLP", hint="Send what an OTLP exporter sends") from error
    return _spans(asked) if signal == "traces" else _records(asked)


def _spans(asked: Any) -> Iterator[Said]:
    for resource in asked.resource_spans:
        service = _service((one.key, one.value.string_value) for one in resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                attributes = _wanted(span.attributes)
                events = tuple((event.name, _wanted(event.attributes)) for event in span.events) if span.events else ()
                if attributes or any(inner for _, inner in events):
                    start = span.start_time_unix_nano
                    yield Said(
                        span.span_id.hex(), span.name, start / 1e9, max(0, span.end_time_unix_nano - start) / 1e9,
                        attributes, events, service,
                    )  # fmt: skip


def _records(asked: Any) -> Iterator[Said]:
    for resource in asked.resource_logs:
        service = _service((one.key, one.value.string_value) for one in resource.resource.attributes)
        for scope in resource.scope_logs:
            for record in scope.log_records:
                attributes = _wanted(record.attributes)
                name = record.event_name or str(attributes.get("event.name", ""))
                if attributes or name.startswith("gen_ai."):
                    body = _value(record.body, 0)
                    at = (record.time_unix_nano or record.observed_time_unix_nano) / 1e9
                    events = ((name, _as_mapping(body)),) if name else ()
                    yield Said(record.span_id.hex(), name, at, 0.0, attributes, events, service)


def _wanted(attributes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in attributes:
        key = one.key
        if _tells(key):
            value = one.value
            text = value.string_value
            found[key] = text[:CHARACTERS] if text else _value(value, 0)
            if len(found) >= ATTRIBUTES:
                break
    return found


def _value(value: Any, depth: int) -> Any:
    kind = value.WhichOneof("value")
    if kind is None or depth >= DEPTH:
        return None
    if kind == "array_value":
        return [_value(one, depth + 1) for one in value.array_value.values[:ATTRIBUTES]]
    if kind == "kvlist_value":
        return {one.key: _value(one.value, depth + 1) for one in value.kvlist_value.values[:ATTRIBUTES]}
    if kind == "bytes_value":
        return None
    found = getattr(value, kind)
    return found[:CHARACTERS] if kind == "string_value" else found


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Any(msgspec.Struct, rename="camel"):
    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None
    array_value: _List | None = None
    kvlist_value: _Pairs | None = None


class _List(msgspec.Struct):
    values: list[_Any] = []


class _Pair(msgspec.Struct):
    key: str = ""
    value: _Any | None = None


class _Pairs(msgspec.Struct):
    values: list[_Pair] = []


class _Event(msgspec.Struct):
    name: str = ""
    attributes: list[_Pair] = []


class _Span(msgspec.Struct, rename="camel"):
    span_id: str = ""
    name: str = ""
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str = 0
    attributes: list[_Pair] = []
    events: list[_Event] = []


class _Record(msgspec.Struct, rename="camel"):
    span_id: str = ""
    event_name: str = ""
    time_unix_nano: int | str = 0
    observed_time_unix_nano: int | str = 0
    attributes: list[_Pair] = []
    body: _Any | None = None


class _Resource(msgspec.Struct):
    attributes: list[_Pair] = []


class _ScopeSpans(msgspec.Struct):
    spans: list[_Span] = []


class _ScopeLogs(msgspec.Struct, rename="camel"):
    log_records: list[_Record] = []


class _ResourceSpans(msgspec.Struct, rename="camel"):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] = []


class _ResourceLogs(msgspec.Struct, rename="camel"):
    resource: _Resource | None = None
    scope_logs: list[_ScopeLogs] = []


class _Traces(msgspec.Struct, rename="camel"):
    resource_spans: list[_ResourceSpans] = []


class _Logs(msgspec.Struct, rename="camel"):
    resource_logs: list[_ResourceLogs] = []


_traces, _logs = msgspec.json.Decoder(_Traces), msgspec.json.Decoder(_Logs)


def _from_json(body: bytes, signal: Signal) -> Iterator[Said]:
    try:
        return _json_spans(_traces.decode(body)) if signal == "traces" else _json_records(_logs.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood("The body is no OTLP in JSON", hint=str(error)) from error


def _json_spans(asked: _Traces) -> Iterator[Said]:
    for resource in asked.resource_spans:
        service = _json_service(resource.resource)
        for scope in resource.scope_spans:
            for span in scope.spans:
                attributes = _json_wanted(span.attributes)
                events = tuple((event.name, _json_wanted(event.attributes)) for event in span.events)
                if attributes or any(inner for _, inner in events):
                    start = _number(span.start_time_unix_nano)
                    seconds = max(0, _number(span.end_time_unix_nano) - start) / 1e9
                    yield Said(_id(span.span_id), span.name, start / 1e9, seconds, attributes, events, service)


def _json_records(asked: _Logs) -> Iterator[Said]:
    for resource in asked.resource_logs:
        service = _json_service(resource.resource)
        for scope in resource.scope_logs:
            for record in scope.log_records:
                attributes = _json_wanted(record.attributes)
                name = record.event_name or str(attributes.get("event.name", ""))
                if attributes or name.startswith("gen_ai."):
                    body = _json_value(record.body, 0)
                    at = (_number(record.time_unix_nano) or _number(record.observed_time_unix_nano)) / 1e9
                    events = ((name, _as_mapping(body)),) if name else ()
                    yield Said(_id(record.span_id), name, at, 0.0, attributes, events, service)


def _json_service(resource: _Resource | None) -> dict[str, str]:
    pairs = resource.attributes if resource else ()
    return _service((one.key, (one.value.string_value if one.value else None) or "") for one in pairs)


def _json_wanted(attributes: list[_Pair]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in attributes:
        if _tells(one.key):
            found[one.key] = _json_value(one.value, 0)
            if len(found) >= ATTRIBUTES:
                break
    return found


def _json_value(value: _Any | None, depth: int) -> Any:
    if value is None or depth >= DEPTH:
        return None
    if value.string_value is not None:
        return value.string_value[:CHARACTERS]
    if value.int_value is not None:
        return _number(value.int_value)
    if value.array_value is not None:
        return [_json_value(one, depth + 1) for one in value.array_value.values[:ATTRIBUTES]]
    if value.kvlist_value is not None:
        pairs = value.kvlist_value.values[:ATTRIBUTES]
        return {one.key: _json_value(one.value, depth + 1) for one in pairs}
    return value.bool_value if value.bool_value is not None else value.double_value


def _number(value: int | str) -> int:
    try:
        return int(value)
    except ValueError:
        return 0


def _id(text: str) -> str:
    """A span's id in hexadecimal; some exporters write it in base64."""
    if len(text) == 16:
        return text.lower()
    try:
        return b64decode(text, validate=True).hex()[:32]
    except (binascii.Error, ValueError):
        return ""


# ── both ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _service(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {key: value[:256] for key, value in pairs if key in _SERVICE and value}


def _as_mapping(body: Any) -> dict[str, Any]:
    return body if isinstance(body, dict) else {} if body is None else {"content": body}
