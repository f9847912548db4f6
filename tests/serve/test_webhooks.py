"""Changed cases reach the operator's receiver: the real server, and a receiver in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.graph.store import open_store
from penstock.respond import webhook
from penstock.respond.refresh import refresh
from penstock.settings import load_settings
from tests.serve.conftest import Api, small_company

pytestmark = pytest.mark.slow

SECRET = "a-secret-of-the-operator"

#: Checks signatures with the code our documentation gives to receivers, and refuses the first message once.
RECEIVER = """
import http.server, json, pathlib, sys

{documented}

secret, log = sys.argv[1], pathlib.Path(sys.argv[2]).open("a", buffering=1)
refused = []

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        genuine = is_from_penstock(self.headers["Penstock-Signature"], body, secret)
        taken = bool(refused)
        refused.append(1)
        log.write(json.dumps({{"genuine": genuine, "taken": taken, "message": json.loads(body)}}) + "\\n")
        self.send_response(204 if genuine and taken else 503)
        self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
"""


class Received:
    def __init__(self, log: Path) -> None:
        self.log = log

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def taken(self) -> list[dict[str, Any]]:
        return [row["message"] for row in self.all() if row["taken"]]

    def until(self, number: int) -> list[dict[str, Any]]:
        """Messages taken, once there are so many; a moment later, so that one too many would show."""
        end = time.monotonic() + 30
        while len(self.taken()) < number and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(1.5)
        return self.taken()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[str, Received]]:
    assert webhook.__doc__
    documented = webhook.__doc__.partition("::\n")[2].partition("Only addresses")[0].replace("\n    ", "\n")
    script = tmp_path / "receiver.py"
    script.write_text(RECEIVER.format(documented=documented))
    log = tmp_path / "received.jsonl"
    running = subprocess.Popen(
        [sys.executable, str(script), SECRET, str(log)], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert running.stdout
    yield f"http://127.0.0.1:{running.stdout.readline().strip()}/hook", Received(log)
    running.kill()
    running.communicate()


class Server:
    def __init__(self, state: Path) -> None:
        self.running = subprocess.Popen(
            [sys.executable, "-m", "penstock.serve", "--state", str(state), "--port", "0"],
            env={**os.environ, "HOOK_SECRET": SECRET},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.running.stdout
        said = self.running.stdout.readline()
        address = re.search(r"http://[\d.:]+", said)
        assert address, said
        self.api = Api(address[0])

    def end(self, how: signal.Signals) -> None:
        self.running.send_signal(how)
        self.running.communicate(timeout=20)


def test_each_change_of_a_case_reaches_the_receiver_once_and_signed(
    tmp_path: Path, receiver: tuple[str, Received]
) -> None:
    address, received = receiver
    state = tmp_path / "state"
    state.mkdir()
    (state / "penstock.yaml").write_text(
        f"webhooks:\n  - {{url: '{address}', secret_env: HOOK_SECRET}}\nsecurity_team: security\n"
    )
    server = Server(state)
    try:
        # another process scans: its cases are told of by the server
        store = open_store(state / "penstock.db")
        store.ingest(small_company(time.time()))
        refresh(store, load_settings(state), state, now=time.time())
        cases = {case.id for case in store.cases()}
        opened = received.until(len(cases))
        assert Counter(message["case"]["id"] for message in opened) == dict.fromkeys(cases, 1)
        assert all(message["what"].startswith("opened: ") for message in opened)

        # a person decides, while the server is killed and started anew
        case = sorted(cases)[0]
        assert server.api.post(f"/cases/{case}", {"action": "snooze", "why": "After the fair"}).status == 200
        told = received.until(len(cases) + 1)
        assert (told[-1]["case"]["id"], told[-1]["what"]) == (case, "snoozed: After the fair")
        server.end(signal.SIGKILL)
        server = Server(state)
        assert server.api.post(f"/cases/{case}", {"action": "reopen", "why": "It is over"}).status == 200
        told = received.until(len(cases) + 2)
        assert told[-1]["what"] == "re-opened: It is over"

        everything = received.all()
        assert all(row["genuine"] for row in everything)
        assert sum(not row["taken"] for row in everything) == 1  # the one refused, which came again
        assert len({message["id"] for message in told}) == len(told) == len(cases) + 2
        store.close()
    finally:
        server.end(signal.SIGTERM)


def test_a_message_that_nobody_takes_shows_as_a_trouble(tmp_path: Path) -> None:
    from penstock.serve.__main__ import _undelivered

    what, why = _undelivered("respond.webhook", {"url": "http://127.0.0.1:1/hook"}, "NotReachable: refused")
    assert what == "deliver case changes to http://127.0.0.1:1/hook"
    assert "refused" in why
