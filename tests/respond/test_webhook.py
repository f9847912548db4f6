"""Case changes reach the operator's address: signed, retried, never led elsewhere."""

import http.server
import json
import socket
import threading
import time

import pytest

from penstock.errors import NotAllowed, NotReachable, NotUnderstood
from penstock.graph.vocabulary import Case, CaseChange
from penstock.respond import webhook
from penstock.respond.webhook import HEADER, Webhooks, deliver, message_of, sign, verify
from penstock.settings import Settings, WebhookSetting
from penstock.work.jobs import Jobs

SECRET = "s3cret"
CASE = Case("case-1", "root x", "It leaks", "high", opened_at=1.0, changed_at=2.0,
            history=(CaseChange(1.0, "penstock", "opened: It leaks"),))  # fmt: skip


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", SECRET)


@pytest.fixture
def receiver():
    """A real server that answers as told, one status a call, then 204."""
    got, answers = [], []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, self.headers[HEADER], body))
            answer = answers.pop(0) if answers else 204
            if answer == "drip":
                for byte in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 500:
                    try:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                    except OSError:
                        return
                    time.sleep(0.02)
                return
            self.send_response(answer)
            if answer == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.got, server.answers = got, answers
    server.hook = WebhookSetting(f"http://127.0.0.1:{server.server_port}/hook?a=1", "HOOK_SECRET")
    yield server
    server.shutdown()
    server.server_close()


def test_message_is_signed_and_says_what_happened(receiver):
    deliver(receiver.hook, message_of(CASE))
    ((path, header, body),) = receiver.got
    assert path == "/hook?a=1"
    assert verify(header, body, SECRET, now=time.time())
    message = json.loads(body)
    assert (message["what"], message["case"]["id"]) == ("opened: It leaks", "case-1")


def test_signature_fails_for_another_body_secret_or_day():
    header = sign(b"{}", SECRET, 1000)
    assert verify(header, b"{}", SECRET, now=1100)
    assert not verify(header, b"{ }", SECRET, now=1100)
    assert not verify(header, b"{}", "other", now=1100)
    assert not verify(header, b"{}", SECRET, now=2000)
    for junk in ("", "t=,v1=", "t=x", "v1=abc", "t=1000", "t=²,v1=a", "a=b,t=1000,v1=é"):
        assert not verify(junk, b"{}", SECRET, now=1000)


def test_receiver_example_in_the_documentation_works():
    code = webhook.__doc__.partition("::\n")[2].partition("Only addresses")[0]
    scope = {}
    exec("\n".join(line[4:] for line in code.splitlines()), scope)
    at = int(time.time())
    assert scope["is_from_penstock"](sign(b"{}", SECRET, at), b"{}", SECRET)
    assert not scope["is_from_penstock"](sign(b"{}", SECRET, at - 999), b"{}", SECRET)


@pytest.mark.parametrize("status", [302, 400, 500])
def test_any_answer_but_success_is_a_failure_and_no_redirect_is_followed(receiver, status):
    receiver.answers.append(status)
    with pytest.raises(NotReachable, match=str(status)):
        deliver(receiver.hook, message_of(CASE))
    assert len(receiver.got) == 1


def test_server_that_hangs_costs_no_more_than_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hook = WebhookSetting(f"http://127.0.0.1:{silent.getsockname()[1]}/", "HOOK_SECRET")
        with pytest.raises(NotReachable):
            deliver(hook, message_of(CASE), deadline=0.3)


def test_server_that_drips_costs_no_more_either(receiver):
    receiver.answers.append("drip")
    with pytest.raises(NotReachable):
        deliver(receiver.hook, message_of(CASE), deadline=0.4)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "http://user:pw@127.0.0.1/", "http://", "nonsense"])
def test_only_plain_http_addresses_are_called(url):
    with pytest.raises(NotUnderstood) as raised:
        deliver(WebhookSetting(url, "HOOK_SECRET"), message_of(CASE))
    assert "pw" not in str(raised.value)


def test_nothing_is_sent_without_a_secret(receiver, monkeypatch):
    monkeypatch.delenv("HOOK_SECRET")
    with pytest.raises(NotAllowed, match="no signing secret"):
        deliver(receiver.hook, message_of(CASE))
    assert receiver.got == []


def test_change_is_queued_once_and_retried_until_it_is_taken(receiver, tmp_path):
    receiver.answers += [500, 500]
    jobs = Jobs(tmp_path / "jobs.db", pause=0.01)
    hooks = Webhooks(jobs, Settings(webhooks=(receiver.hook,)))
    hooks([CASE])
    hooks([CASE])
    stop = threading.Event()
    runner = threading.Thread(target=jobs.run, args=(stop,))
    runner.start()
    try:
        while jobs.waiting():
            time.sleep(0.02)
    finally:
        stop.set()
        runner.join()
        jobs.close()
    assert len(receiver.got) == 3
    assert len({json.loads(body)["id"] for _, _, body in receiver.got}) == 1


def test_message_of_a_long_case_is_short():
    long = Case("c", "f", "t", "low", events=tuple(map(str, range(1000))), event_count=1000,
                history=tuple(CaseChange(float(n), "x", "y") for n in range(200)))  # fmt: skip
    message = message_of(long)
    assert (len(message["case"]["events"]), len(message["case"]["history"])) == (10, 10)
