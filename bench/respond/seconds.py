"""How long people and clients wait: ``python bench/respond/seconds.py [--rounds 30]``

Server, gateway, provider and receiver run on loopback, each as in production; the client is the real ``openai`` one.
Printed: from an event in the spool to its case (with owner) at the receiver of a signed webhook; from a grant over the
API to the first call that passes the running gateway; what 1,000 alerts of one cause become. Wall seconds: a busy
machine waits longer. Targets: 1 s and 2 s at the 95th percentile, and 1 case.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from penstock.graph.vocabulary import Event
from tests.serve.ask_world import APP, House, eventually

SECRET = "PENSTOCK_BENCH_SECRET"


class Receiver(ThreadingHTTPServer):
    """Takes case changes and notes when each came."""

    def __init__(self) -> None:
        self.came: dict[str, tuple[float, dict[str, Any]]] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                message = json.loads(self.rfile.read(int(self.headers["content-length"])))
                receiver.came.setdefault(message["case"]["title"], (time.time(), message["case"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--rounds", type=int, default=30)
    rounds = given.parse_args().rounds
    os.environ[SECRET] = "a-secret-of-the-bench"
    receiver = Receiver()
    hooks = f'webhooks: [{{url: "http://127.0.0.1:{receiver.server_address[1]}/", secret_env: {SECRET}}}]\n'
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), hooks)
        try:
            show("event → case with owner, delivered", [delivered(house, receiver, n) for n in range(rounds)], 1.0)
            show("grant → effect at the running gateway", [granted(house) for _ in range(rounds)], 2.0)
            print(f"1,000 alerts of one cause → {storm(house)} case")
        finally:
            house.close()


def delivered(house: House, receiver: Receiver, number: int) -> float:
    """Seconds until the case of one new cause is at the receiver."""
    cause = "cause " + "abcdefghijklmnopqrstuvwxyz"[number % 26] * (1 + number // 26)
    house.emit(alert(f"bench-{number}", cause, time.time()))
    began = time.time()
    title = f"assistant: {cause}"
    eventually(lambda: title in receiver.came)
    at, case = receiver.came[title]
    assert case["owner"], "a case without an owner"
    return at - began


def granted(house: House) -> float:
    """Seconds from a yes to the first call that passes; then all is as before."""
    eventually(lambda: house.say()[1] == "ask")
    (asked,) = eventually(lambda: house.store.approvals(states=("asked",)))
    began = time.time()
    answer(house, asked.id, "grant")
    eventually(lambda: house.say()[1] != "ask")
    took = time.time() - began
    answer(house, asked.id, "withdraw")
    return took


def storm(house: House) -> int:
    """Cases that 1,000 alerts of one cause become."""
    now = time.time()
    for number in range(1000):
        house.emit(alert(f"storm-{number}", f"login failed for user {number}", now + number / 1000))
    eventually(lambda: any(case.event_count == 1000 for case in house.store.cases()), 120)
    return sum(any(event.startswith("storm-") for event in case.events) for case in house.store.cases())


def alert(id: str, cause: str, at: float) -> Event:
    return Event(id, at, "alert", APP, verdict="observe", props={"cause": cause, "title": cause, "severity": "high"})


def answer(house: House, id: str, action: str) -> None:
    connection = http.client.HTTPConnection(house.server.removeprefix("http://"), timeout=20)
    body = json.dumps({"action": action, "why": "for the bench"})
    connection.request("POST", f"/api/v1/approvals/{id}", body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    assert reply.status == 200, reply.read()
    connection.close()


def show(what: str, seconds: list[float], target: float) -> None:
    ordered = sorted(seconds)
    p50, p95 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    print(f"{what}: p50 {p50:.2f} s, p95 {p95:.2f} s, worst {ordered[-1]:.2f} s (target p95 {target:g} s)")


if __name__ == "__main__":
    main()
