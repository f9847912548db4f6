"""The OTLP receiver, with the exporter of the real OpenTelemetry SDK."""

import gzip
import json
import time
from contextlib import ExitStack

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from penstock.graph import identity
from penstock.graph.store.protocol import AccessKey, Scan
from penstock.graph.vocabulary import Evidence, Observation
from penstock.serve.guard import Guard
from penstock.serve.tokens import Tokens, sha256
from tests.discover.telemetry.recorded import GEN_AI, MAIL, OPENINFERENCE
from tests.serve.conftest import serving

TOKEN = "t" * 30


@pytest.fixture
def served_live(tmp_path):
    """Starts a server with nothing in its store: ``served_live(guard)`` gives its address and its live state."""
    with ExitStack() as running:
        yield lambda guard=None: running.enter_context(serving(tmp_path, guard))


def traced(url, attributes, **how):
    provider = TracerProvider(resource=Resource({"service.name": "till"}))
    exporter = OTLPSpanExporter(f"{url}/v1/traces", timeout=10, **how)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("t").start_as_current_span("chat gpt-4o") as span:
        span.set_attributes(attributes)
    provider.shutdown()


def settled(live, wanted):
    """The graph, once what was wanted shows in it."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        live.turn()
        graph = live.store.graph()
        if wanted(graph):
            return graph
        time.sleep(0.05)
    return live.store.graph()


def uses(graph, name, verb):
    users = [asset.id for asset in graph.assets.values() if asset.name == name]
    return {graph.assets[one.target].name for user in users for one in graph.out(user, verb)}


@pytest.mark.parametrize("how", [{}, {"compression": Compression.Gzip}], ids=["plain", "gzip"])
def test_what_the_real_exporter_sends_is_in_the_inventory_and_among_the_events(served_live, how):
    url, live = served_live()
    traced(url, OPENINFERENCE, **how)
    graph = settled(live, lambda graph: uses(graph, "helpdesk", "uses_model") and live.store.events())
    assert uses(graph, "till", "invokes") == {"helpdesk"}
    assert uses(graph, "helpdesk", "uses_model") == {"gpt-4o"}
    assert uses(graph, "helpdesk", "uses_tool") == {"search", "send_mail"}
    (event,) = [event for event in live.store.events() if event.surface == "otel.openinference"]
    assert set(event.seen) == {"in.pii", "out.pii"}
    assert MAIL not in repr(event)


def test_log_events_of_the_older_conventions_are_read(served_live):
    from opentelemetry._logs import LogRecord

    url, live = served_live()
    provider = LoggerProvider(resource=Resource({"service.name": "till"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs", timeout=10)))
    provider.get_logger("t").emit(
        LogRecord(
            timestamp=time.time_ns(), event_name="gen_ai.user.message", attributes={"gen_ai.system": "openai"},
            body={"content": MAIL, "role": "user"},
        )
    )  # fmt: skip
    provider.shutdown()
    settled(live, lambda graph: list(live.store.events()))
    (event,) = live.store.events()
    assert (event.surface, event.provider, dict(event.seen)) == ("otel.gen_ai.1.36", "openai", {"in.pii": 1})


def test_a_virtual_key_says_whose_telemetry_it_is(served_live):
    url, live = served_live(Guard(tokens=Tokens(sha256(TOKEN))))
    till = identity.application("repo:acme/till", "The till")
    live.store.ingest(Scan((Observation(till, Evidence("t", "a.py:1")),), at=1.0))
    live.store.save_key(AccessKey("k1", "till", sha256("psk_till"), till.id, 1.0))
    traced(url, GEN_AI, headers={"Authorization": "Bearer psk_till"})
    graph = settled(live, lambda graph: uses(graph, "helpdesk", "uses_model") and live.store.events())
    assert {event.application for event in live.store.events()} == {till.id}
    assert uses(graph, "The till", "invokes") == {"helpdesk"}
    assert "till" not in {asset.name for asset in graph.assets.values()}


def test_without_a_token_where_one_is_asked_for_nothing_is_taken(served_live):
    url, _ = served_live(Guard(tokens=Tokens(sha256(TOKEN))))
    body = b"{}"

    def status(**headers):
        return httpx.post(
            f"{url}/v1/traces", content=body, headers={"Content-Type": "application/json"} | headers
        ).status_code

    assert status() == 401
    assert status(Authorization="Bearer psk_gone") == 401
    assert status(Authorization=f"Bearer {TOKEN}") == 200


def test_pages_other_hosts_and_other_methods_are_refused(served_live):
    url, _ = served_live()
    kind = {"Content-Type": "application/json"}
    assert httpx.post(f"{url}/v1/traces", content=b"{}", headers=kind | {"Origin": url}).status_code == 403
    assert httpx.post(f"{url}/v1/traces", content=b"{}", headers=kind | {"Host": "evil.example"}).status_code == 403
    assert httpx.get(f"{url}/v1/traces").status_code == 405


def test_hostile_exports_are_refused_in_the_form_they_came_in(served_live):
    url, _ = served_live()

    def post(body, kind="application/json", **headers):
        return httpx.post(f"{url}/v1/traces", content=body, headers={"Content-Type": kind} | headers, timeout=30)

    assert post(b"{").status_code == 400
    assert "no OTLP" in post(b"{").json()["message"]
    refused = post(b"\xff", "application/x-protobuf")
    assert (refused.status_code, refused.content[:1]) == (400, b"\x12")
    assert post(b"x" * (9 << 20)).status_code == 413
    bomb = gzip.compress(b" " * (40 << 20))
    assert post(bomb, **{"Content-Encoding": "gzip"}).status_code == 400
    assert post(json.dumps({"resourceSpans": []}).encode()).status_code == 200
