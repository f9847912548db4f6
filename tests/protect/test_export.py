"""Events leave for other systems: held against OCSF's own schema, read back by OTLP's and Parquet's own readers."""

import http.server
import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from penstock.cli.app import run
from penstock.cli.commands.events import moment
from penstock.errors import NotReachable, WrongUse
from penstock.graph.store import open_store
from penstock.graph.vocabulary import Event
from penstock.protect.export import ocsf, otlp, parquet
from penstock.protect.policy import ACTIONS
from penstock.protect.sink import event_id

SCHEMA = json.loads((Path(__file__).parents[1] / "fixtures" / "ocsf" / "api_activity-1.8.0.json").read_text())
TYPES = {"integer_t": int, "long_t": int, "timestamp_t": int, "boolean_t": bool, "float_t": float, "object": dict}
AT = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC).timestamp()
NAMES = {"actor-1": "support-agent"}


def call(verdict="allow", at=AT, **props):
    said = {"status": 200, "outcome": "answered", "ms": 812.5, "added_ms": 1.2, "stream": True, "session": "0a1b",
            "upstream": "https://api.openai.com:443/v1", "usage": {"in": 12, "out": 30}, "finish": "stop",
            "bytes_in": 90, "bytes_out": 480}  # fmt: skip
    return Event(
        event_id(), at, "call", "actor-1", "openai.chat", "openai", "gpt-4o", verdict, ("out-pii",), {"out.pii": 3},
        ("f-1",), said | props,
    )  # fmt: skip


def complaints(value, rules, at="event"):
    """What the schema has against a value: attributes it does not know, misses, or of another type or range."""
    found = [f"{at}.{name} is not in the schema" for name in value if name not in rules]
    found += [
        f"{at}.{n} is missing" for n, rule in rules.items() if rule["requirement"] == "required" and n not in value
    ]
    for name, given in value.items():
        rule = rules.get(name, {"type": "string_t"})
        if rule["type"] in SCHEMA["objects"]:
            found += complaints(given, SCHEMA["objects"][rule["type"]], f"{at}.{name}")
        elif not isinstance(given, list) and not isinstance(given, TYPES.get(rule["type"], str)):
            found.append(f"{at}.{name} is no {rule['type']}: {given!r}")
        elif "enum" in rule and given not in rule["enum"]:
            found.append(f"{at}.{name} may not be {given}")
    return found


@pytest.mark.parametrize("verdict", ACTIONS)
@pytest.mark.parametrize("props", [{}, {"status": 502, "outcome": "upstream_unreachable"}, {"outcome": "cut"}])
def test_every_verdict_is_an_activity_as_the_official_schema_says(verdict, props):
    made = ocsf.activity(call(verdict, **props), NAMES)
    assert complaints(made, SCHEMA["class"]["api_activity"]) == []
    assert made["action"] == ("Denied" if verdict in ("stop", "ask", "throttle") else made["action"])
    assert made["status"] == ("Failure" if props else "Success")


def test_a_call_of_nobody_that_was_thinned_is_one_too_and_the_check_is_no_formality():
    made = ocsf.activity(Event("ev-1", AT, "call", ""), {})
    assert complaints(made, SCHEMA["class"]["api_activity"]) == []
    del made["actor"]
    assert complaints(made | {"action_id": 77}, SCHEMA["class"]["api_activity"]) == [
        "event.actor is missing", "event.action_id may not be 77",
    ]  # fmt: skip


def test_spans_are_read_by_the_protocols_own_reader():
    events = [call(), call("stop", status=403), call()]
    (body,) = otlp.requests(events, NAMES)
    spans = Parse(body, ExportTraceServiceRequest()).resource_spans[0].scope_spans[0].spans
    assert [one.name for one in spans] == ["chat gpt-4o"] * 3
    assert spans[0].trace_id == spans[2].trace_id and len({one.span_id for one in spans}) == 3
    said = {one.key: one.value for one in spans[1].attributes}
    assert said["gen_ai.usage.input_tokens"].int_value == 12 and said["error.type"].string_value == "403"
    assert said["penstock.verdict"].string_value == "stop" and said["gen_ai.agent.name"].string_value == "support-agent"
    assert said["server.address"].string_value == "api.openai.com" and spans[1].status.code == 2
    assert spans[0].end_time_unix_nano - spans[0].start_time_unix_nano == 812_500_000


def test_a_collector_gets_them_in_batches_and_one_that_refuses_is_named():
    got, answer = [], [200]

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.headers["authorization"], self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(answer[0])
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{server.server_address[1]}"
    many = [call() for _ in range(otlp.BATCH + 1)]
    assert otlp.send(there, otlp.requests(many, NAMES), {"Authorization": "Bearer x"}) == 2
    assert {(path, who) for path, who, _ in got} == {("/v1/traces", "Bearer x")}
    answer[0] = 503
    with pytest.raises(NotReachable, match="did not take the spans"):
        otlp.send(there, otlp.requests(many, NAMES), {})
    server.shutdown()


def test_days_become_files_that_read_as_one_table(tmp_path):
    events = [call(at=AT + 2), call("redact"), call(at=AT - 5)]
    files = parquet.write(tmp_path, events, NAMES)
    assert [path.parent.name for path in files] == ["day=2026-11-22", "day=2026-11-23"]
    rows = pq.read_table(tmp_path).to_pylist()
    assert [row["verdict"] for row in rows] == ["allow", "redact", "allow"]
    assert rows[1]["seen"] == [("out.pii", 3)] and rows[1]["application_name"] == "support-agent"
    assert rows[1]["added_ms"] == 1.2 and json.loads(rows[1]["props"])["usage"] == {"in": 12, "out": 30}


def test_the_command_exports_what_the_store_holds(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PENSTOCK_STATE", str(tmp_path))
    store = open_store(tmp_path / "penstock.db")
    store.add_events([call(), call("stop", at=AT + 1)])
    store.close()
    assert run(["events", "export", "--format", "ocsf", "--since", "2026-11-01"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["disposition_id"] for one in lines] == [1, 2]
    assert run(["events", "export", "--since", "2026-11-01", "--out", str(tmp_path / "e.jsonl")]) == 0
    assert len((tmp_path / "e.jsonl").read_text().splitlines()) == 2
    assert run(["events", "export", "--format", "parquet"]) == 2


def test_since_is_a_time_ago_or_a_day():
    assert moment("2h", 10_000.0) == 2_800.0
    assert moment("2026-11-22", 0.0) == AT - 86_399
    with pytest.raises(WrongUse, match="no time"):
        moment("yesterday", 0.0)
