"""A provider, the gateway and the server as processes of their own over one state, and the real client before them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openai

from penstock.graph.identity import application
from penstock.graph.store import open_store
from penstock.graph.store.protocol import AccessKey
from penstock.graph.vocabulary import Event
from tests.serve.conftest import SCOPE, small_company

KEY = "psk_of_the_assistant"
APP = application(SCOPE, "assistant").id
#: A rule of the operator: personal data to the model needs a person's yes.
POLICY = """
security_team: security
approvals: {{grant_minutes: 60}}
upstreams: [{{name: openai, base_url: "{provider}/v1"}}]
modes: {{{application}: enforce}}
policy:
- id: ask-personal
  action: ask
  match: {{direction: in, data: [pii]}}
  why: personal data leaves the house
"""
TEXT = "Write to maria.keller@example.org that her order is on its way."


class Provider(ThreadingHTTPServer):
    """Answers every chat with one sentence and counts them."""

    def __init__(self) -> None:
        self.calls = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                provider.calls += 1
                said = {"role": "assistant", "content": "It is done."}
                body = json.dumps({
                    "id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
                    "choices": [{"index": 0, "message": said, "finish_reason": "stop"}],
                }).encode()  # fmt: skip
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class House:
    """Everything over one state directory; server and gateway can be killed and started again."""

    def __init__(self, state: Path, more: str = "") -> None:
        self.state = state
        self.provider = Provider()
        (state / "penstock.yaml").write_text(POLICY.format(provider=self.provider.url, application=APP) + more)
        self.store = open_store(state / "penstock.db")
        now = time.time()
        self.store.ingest(small_company(now))
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        self.store.save_key(AccessKey("k1", "assistant", digest, APP, now))
        self.running: dict[str, subprocess.Popen[str]] = {}
        self.server = self.start("serve")
        self.gateway = self.start("protect")

    def start(self, what: str) -> str:
        """Start the server or the gateway; its address."""
        process = subprocess.Popen(
            [sys.executable, "-m", f"penstock.{what}", "--state", str(self.state), "--port", "0"],
            stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self.running[what] = process
        assert process.stdout
        said = process.stdout.readline()
        found = re.search(r"http://[\d.]+:\d+", said)
        assert found, said
        return found[0]

    def kill(self, what: str) -> None:
        self.running[what].send_signal(signal.SIGKILL)
        self.running[what].wait(10)

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.gateway}/v1", api_key=KEY, max_retries=0)

    def say(self, text: str = TEXT) -> tuple[str, str]:
        """What the client reads, and the gateway's decision."""
        chat: Any = self.client().chat.completions
        raw = chat.with_raw_response.create(model="gpt-4o", messages=[{"role": "user", "content": text}])
        answer = raw.parse().choices[0].message.content or ""
        return answer, raw.headers["x-penstock-decision"]

    def emit(self, event: Event) -> None:
        """An event as a gateway would spool it."""
        import msgspec

        with (self.state / "spool" / f"{time.time_ns():020}-{os.getpid()}.jsonl").open("wb") as file:
            file.write(msgspec.json.encode(event) + b"\n")

    def close(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(20)
        self.provider.shutdown()
        self.store.close()


def eventually(found: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What is found, as soon as it is true."""
    until = time.monotonic() + seconds
    while not (answer := found()) and time.monotonic() < until:
        time.sleep(0.02)
    assert answer, "it never came"
    return answer
