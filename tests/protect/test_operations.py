"""Running the gateway: metrics, logs, several processes, TLS, certificates of callers, and clients that are slow."""

import json
import logging
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import pytest

from penstock.protect.__main__ import main
from penstock.protect.connection import subject_of
from penstock.protect.logs import JsonLines
from penstock.protect.metrics import SERIES, Metrics
from penstock.protect.sink import event_id
from tests.protect.certificates import authority, issued
from tests.protect.gateway_world import KEY, rule, snapshot
from tests.protect.test_process import eventually, put

HI = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
ME = {"authorization": f"Bearer {KEY}"}


@contextmanager
def running(state, *arguments):
    """The gateway as a process; ``.url`` is where it is, ``.said()`` what it logged."""
    log = state / "log"
    with log.open("w") as file:
        started = subprocess.Popen(
            [sys.executable, "-m", "penstock.protect", "--state", str(state), "--port", "0", *arguments],
            stdout=subprocess.PIPE, stderr=file, env=os.environ | {"PYTHONUNBUFFERED": "1"}, text=True,
        )  # fmt: skip
    started.url = started.stdout.readline().split()[-1]
    started.said = log.read_text
    try:
        yield started
    finally:
        if started.poll() is None:
            started.terminate()
            try:
                started.wait(10)
            except subprocess.TimeoutExpired:
                started.kill()


def test_prometheus_is_told_of_calls_verdicts_and_what_the_gateway_added(gateway, provider):
    gateway.rules(rule("redact", "pci"))
    provider.completes("Card 4111 1111 1111 1111")
    root = gateway.url.removesuffix("/v1")
    assert httpx.post(f"{gateway.url}/chat/completions", json=HI, headers=ME).status_code == 200
    assert httpx.post(f"{gateway.url}/chat/completions", json=HI).status_code == 401
    assert 0 < gateway.event.props["added_ms"] < gateway.event.props["ms"] + 0.1
    answer = httpx.get(f"{root}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    said = answer.text
    assert 'penstock_calls_total{surface="openai.chat",verdict="redact",outcome="answered"} 1' in said
    assert 'penstock_seen_total{direction="out",category="pci"} 1' in said
    assert "penstock_requests_refused_total 1" in said
    assert 'penstock_breaker_open{upstream="openai"} 0' in said
    assert 'penstock_added_seconds_bucket{le="+Inf"} 1' in said and "penstock_spool_shed_total 0" in said
    assert "4111" not in said and "support-agent" not in said and KEY not in said
    names = [line.split("{")[0].split(" ")[0] for line in said.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"penstock_[a-z_]+", name) for name in names)


def test_what_others_choose_cannot_fill_the_metrics(gateway):
    metrics = Metrics()
    event = gateway.sink.events
    from penstock.graph.vocabulary import Event

    for number in range(SERIES + 50):
        metrics.count(Event(event_id(), 0.0, "call", "a", surface=f"s{number}", props={"outcome": 'a"b\n'}))
    said = metrics.text(()).decode()
    assert said.count("penstock_calls_total{") == SERIES + 1 and 'surface="other"' in said
    assert '\\"b\\n' in said and event == []


def test_a_line_of_the_log_is_json_and_an_errors_words_are_left_out():
    try:
        raise ValueError("card 4111 1111 1111 1111")
    except ValueError:
        record = logging.LogRecord("penstock.protect", 40, "f.py", 1, "it failed", (), sys.exc_info())
    record.worker = 7
    said = json.loads(JsonLines().format(record))
    assert said["error"] == "ValueError" and said["worker"] == 7 and said["level"] == "error"
    assert "4111" not in str(said) and "test_operations" in said["place"][0]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--tls-cert", "cert.pem"],
        ["--client-ca", "ca.pem"],
        ["--workers", "0"],
        ["--largest-body", "0"],
        ["--tls-cert", "missing.pem", "--tls-key", "missing.pem"],
    ],
)
def test_arguments_that_do_not_go_together_are_refused_in_words(tmp_path, arguments, capsys):
    assert main(["--state", str(tmp_path), "--port", "0", *arguments]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_subject_is_written_as_its_standard_says():
    certificate = {"subject": ((("countryName", "DE"),), (("organizationName", "Shop, Inc"),), (("commonName", "a"),))}
    assert subject_of(certificate) == "CN=a,O=Shop\\, Inc,C=DE"


@pytest.mark.slow
def test_slow_and_endless_requests_end_and_others_are_served_meanwhile(provider, tmp_path):
    put(tmp_path / "snapshot.json", snapshot(upstream=provider.url))
    provider.completes("ok")
    with running(tmp_path, "--body-seconds", "1") as process:
        host, port = process.url.removeprefix("http://").removesuffix("/v1").split(":")

        def asked(*pieces, pause=0.0):
            with socket.create_connection((host, int(port)), timeout=30) as one:
                for piece in pieces:
                    try:
                        one.sendall(piece)
                    except OSError:
                        break
                    time.sleep(pause)
                said = b""
                try:
                    while data := one.recv(65536):
                        said += data
                except ConnectionResetError:
                    pass
                return said

        began = time.monotonic()
        with socket.create_connection((host, int(port)), timeout=30) as slow:  # one header a second, for ever
            slow.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n")
            assert httpx.post(f"{process.url}/chat/completions", json=HI, headers=ME).status_code == 200
            while time.monotonic() - began < 20:
                slow.settimeout(1)
                try:
                    said = slow.recv(100)
                    break
                except TimeoutError:
                    slow.sendall(b"X-A: b\r\n")
        assert said.startswith(b"HTTP/1.1 408") and 8 < time.monotonic() - began < 15
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}\r\n".encode()
        assert b"did not arrive within 1 seconds" in asked(head + b"Content-Length: 100\r\n\r\n{")
        assert asked(head, *[b"X-%d: %b\r\n" % (n, b"a" * 4000) for n in range(40)])[9:12] in (b"431", b"400", b"")
        assert asked(head + b"".join(b"X-%d: a\r\n" % n for n in range(400)) + b"\r\n").startswith(b"HTTP/1.1 400")
        before = len(provider.asked)
        both = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/models HTTP/1.1\r\n\r\n"
        assert asked(head + both).startswith(b"HTTP/1.1 400") and len(provider.asked) == before


@pytest.mark.slow
def test_several_processes_share_an_address_and_are_replaced_without_losing_a_call(provider, tmp_path):
    put(tmp_path / "snapshot.json", snapshot(upstream=provider.url))
    provider.completes("ok")
    with running(tmp_path, "--workers", "2", "--log", "json") as process:

        def workers():
            lines = [json.loads(line) for line in process.said().splitlines()]
            return [line["worker"] for line in lines if line["message"] == "a worker listens"]

        assert eventually(lambda: len(workers()) == 2)
        first = workers()

        def call():
            return httpx.post(f"{process.url}/chat/completions", json=HI, headers=ME, timeout=30).status_code

        assert {call() for _ in range(20)} == {200}
        process.send_signal(signal.SIGHUP)
        statuses = []
        while len(workers()) < 4:
            statuses.append(call())
        assert set(statuses) == {200}
        assert eventually(lambda: not any(_lives(pid) for pid in first))
        os.kill(workers()[-1], signal.SIGKILL)
        assert eventually(lambda: len(workers()) == 5)
        assert {call() for _ in range(10)} == {200}
        process.terminate()
        assert process.wait(20) == 0
    files = list((tmp_path / "spool").glob("*.jsonl"))
    assert len(files) > 1
    assert sum(len(path.read_text().splitlines()) for path in files) == 30 + len(statuses)


def _lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_it_speaks_tls_and_takes_a_new_certificate_without_a_restart(provider, tmp_path):
    put(tmp_path / "snapshot.json", snapshot(upstream=provider.url))
    provider.completes("ok")
    ca = authority(tmp_path)
    issued(ca, tmp_path / "server", "localhost")
    words = ["--tls-cert", str(tmp_path / "server.pem"), "--tls-key", str(tmp_path / "server.key")]
    with running(tmp_path, "--host", "127.0.0.1", "--client-ca", str(ca.file), *words) as process:
        assert process.url.startswith("https://")
        trusting = ssl.create_default_context(cafile=str(ca.file))
        answer = httpx.post(f"{process.url}/chat/completions", json=HI, headers=ME, verify=trusting)
        assert answer.status_code == 200
        stranger = ssl.create_default_context(cafile=str(ca.file))
        other = authority(tmp_path / "other")
        issued(other, tmp_path / "client", "client")
        stranger.load_cert_chain(tmp_path / "client.pem", tmp_path / "client.key")
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{process.url}/chat/completions", json=HI, headers=ME, verify=stranger)

        def serial():
            port = int(process.url.removesuffix("/v1").rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as plain, trusting.wrap_socket(
                plain, server_hostname="127.0.0.1"
            ) as secured:  # fmt: skip
                return secured.getpeercert()["serialNumber"]

        before = serial()
        issued(ca, tmp_path / "server", "localhost")
        process.send_signal(signal.SIGHUP)
        assert eventually(lambda: serial() != before)
