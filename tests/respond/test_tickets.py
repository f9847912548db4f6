"""A case handed on, in each system's documented protocol, to far sides on loopback that hold us to it."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from respond_world import AT, LEAK, shop

from penstock.errors import NotReachable, NotUnderstood, WrongUse
from penstock.graph.store import open_store
from penstock.respond.cases import update
from penstock.respond.people import People
from penstock.respond.tickets import System, hand_on
from penstock.respond.triage import Line
from penstock.settings import Settings

LINES = (Line("What is it?", "It can <b>leak</b>."), Line("What first?", "support: redact it"))
BASIC = "Basic " + base64.b64encode(b"bot@shop.example:secret").decode()
GRAPH = shop().graph()
(CASE,) = update((), [LEAK], [], People(GRAPH, Settings()), GRAPH, now=AT)


def jira(path, headers, body):
    """https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/ (create issue)."""
    fields = body["fields"]
    good = path == "/rest/api/3/issue" and headers["Authorization"] == BASIC and fields["project"] == {"key": "SEC"}
    good &= fields["description"]["type"] == "doc" and fields["description"]["version"] == 1
    good &= all(" " not in label for label in fields["labels"]) and len(fields["summary"]) <= 255
    return (201, {"id": "10000", "key": "SEC-24", "self": "x"}) if good else (400, {"errors": {}})


def servicenow(path, headers, body):
    """Table API, POST /api/now/table/{tableName}."""
    good = path == "/api/now/table/incident" and headers["Authorization"] == BASIC and body["urgency"] in "123"
    made = {"sys_id": "c537bae64f411200", "number": "INC0010001", "correlation_id": body["correlation_id"]}
    return (201, {"result": made}) if good else (401, {"error": {}})


def pagerduty(path, headers, body):
    """Events API v2, POST /v2/enqueue."""
    good = path == "/v2/enqueue" and body["event_action"] == "trigger" and body["routing_key"] == "secret"
    good &= body["payload"]["severity"] in ("critical", "warning", "error", "info") and "source" in body["payload"]
    done = {"status": "success", "message": "Event processed", "dedup_key": body["dedup_key"]}
    return (202, done) if good else (400, {"status": "invalid event"})


@pytest.fixture
def far_side():
    servers = []

    def start(answers):
        seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                seen.append(body)
                status, answer = answers(self.path, self.headers, body)
                said = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}", seen

    yield start
    for server in servers:
        server.shutdown()


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path / "penstock.db")
    yield opened
    opened.close()


def system(kind, address):
    return System(kind, address, "secret", "bot@shop.example", "SEC")


@pytest.mark.parametrize(
    ("kind", "protocol", "key"), [("jira", jira, "SEC-24"), ("servicenow", servicenow, "INC0010001"),
                                  ("pagerduty", pagerduty, CASE.id)]
)  # fmt: skip
def test_a_case_becomes_one_ticket_however_often_it_is_handed_on(far_side, store, kind, protocol, key):
    address, seen = far_side(protocol)
    first = hand_on(store, system(kind, address), CASE, LINES, who="ada", now=AT)
    again = hand_on(store, system(kind, address), CASE, LINES, who="bo", now=AT + 1)
    assert first == again and first.key == key and len(seen) == 1
    assert [(who, what) for _, who, what, _, _ in store.audit_trail()] == [("ada", f"handed on to {kind} as {key}")]


@pytest.mark.parametrize(
    ("answer", "error"),
    [((500, {}), NotReachable), ((302, {}), NotReachable), ((200, b"<html>"), NotUnderstood),
     ((200, {}), NotUnderstood), ((200, b"[]"), NotUnderstood)],
)  # fmt: skip
def test_what_the_far_side_makes_wrong_is_said_and_can_be_tried_again(far_side, store, answer, error):
    address, _ = far_side(lambda *_: answer)
    with pytest.raises(error) as told:
        hand_on(store, system("jira", address), CASE, LINES, who="ada", now=AT)
    assert "secret" not in str(told.value)
    address, _ = far_side(jira)
    assert hand_on(store, system("jira", address), CASE, LINES, who="ada", now=AT).key == "SEC-24"


def test_a_token_is_not_sent_in_the_clear_and_not_without_a_name(store):
    with pytest.raises(NotUnderstood, match="plain http"):
        hand_on(store, system("jira", "http://jira.example"), CASE, LINES, who="ada", now=AT)
    with pytest.raises(WrongUse, match="Nobody"):
        hand_on(store, system("jira", "https://jira.example"), CASE, LINES, who=" ", now=AT)
    with pytest.raises(WrongUse, match="no ticket system"):
        hand_on(store, system("trello", "https://trello.example"), CASE, LINES, who="ada", now=AT)
