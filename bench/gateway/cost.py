"""What a call costs: CPU microseconds of the gateway's process per call, with and without checks, in one run.

python bench/gateway/cost.py [--seconds 3] [--connections 8]

Three processes on loopback: a provider that answers at once, the gateway, and this one, which asks. The size is that of
prompt and answer together, half each. "checks" are all detectors on every text in both directions with rules in force;
without them the body is read and walked all the same. Events are written to a spool in either case.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1] / "inspect"))

KEY = "psk_bench"
TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


# ── the provider ────────────────────────────────────────────────────────────────────────────────────────────────────


class Provider(asyncio.Protocol):
    """Answers each request at once: by JSON, or by 100 events when ``"stream": true`` stands in it."""

    answers: dict[int, bytes] = {}  # noqa: RUF012 (one table for the process)
    stream = b""

    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def data_received(self, data):
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self.data) < end + 4 + length:
                return
            body, self.data = self.data[end + 4 : end + 4 + length], self.data[end + 4 + length :]
            self.transport.write(
                self.stream
                if b'"stream": true' in body
                else self.answers[min(self.answers, key=lambda n: abs(n - length))]
            )


def provider(port):
    for size in (1_000, 32_000):
        body = json.dumps(answer(size // 2)).encode()
        Provider.answers[size // 2] = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
    events = (
        b"".join(b"data: " + json.dumps(chunk(word)).encode() + b"\n\n" for word in words(100)) + b"data: [DONE]\n\n"
    )
    Provider.stream = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(events) + events
    )

    async def serve():
        server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port)
        await server.serve_forever()

    uvloop.run(serve())


def text(size):
    from speed import mixed

    return mixed(size, seed=size, values_per_kb=0.2)


def words(count):
    return [word + " " for word in text(count * 8).split()[:count]]


def answer(size):
    message = {"role": "assistant", "content": text(max(100, size - 300))}
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
    }  # fmt: skip


def chunk(word):
    choice = {"index": 0, "delta": {"content": word}, "finish_reason": None}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o", "choices": [choice]}


# ── the gateway ─────────────────────────────────────────────────────────────────────────────────────────────────────


def gateway(port, upstream, checks):
    import uvicorn

    from penstock.protect.gateway import Gateway
    from penstock.protect.inspection import Inspection
    from penstock.protect.sink import Spool
    from penstock.protect.snapshot import Caller, PolicySnapshot, Rule, Upstream
    from penstock.protect.snapshot_source import FixedSnapshot

    class Nothing(Inspection):
        """Looks at nothing."""

        def look(self, text):
            return [], len(text)

    rules = [
        Rule(id=f"{direction}-{action}", direction=direction, categories=(category,), action=action, why="bench")
        for direction in ("in", "out")
        for category, action in (("pii", "redact"), ("pci", "redact"), ("credentials", "redact"))
    ]
    mode = "enforce" if checks else "observe"
    caller = Caller(application="a", name="bench", mode=mode, rules=tuple(rules if checks else ()))
    snapshot = PolicySnapshot(
        version=1, made_at=0.0, callers={hashlib.sha256(KEY.encode()).hexdigest(): caller},
        upstreams=(Upstream(name="up", base_url=f"http://127.0.0.1:{upstream}/v1"),),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        app = Gateway(FixedSnapshot(snapshot), Spool(Path(folder)), None if checks else Nothing())
        uvicorn.run(app, port=port, http="httptools", loop="uvloop", ws="none", access_log=False, log_level="error",
                    server_header=False, date_header=False, proxy_headers=False)  # fmt: skip


# ── the one that asks ───────────────────────────────────────────────────────────────────────────────────────────────


def request(port, size, stream):
    said = [("system", "Be kind and short."), ("user", text(max(100, size - 150)))]
    messages = [{"role": role, "content": content} for role, content in said]
    body = json.dumps({"model": "gpt-4o", "messages": messages, "stream": stream}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def ask(port, payload, until, counts):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    while time.monotonic() < until:
        began = time.monotonic()
        writer.write(payload)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:15]:
            raise SystemExit(f"the gateway said: {head!r}")
        lowered = head.lower()
        if b"content-length:" in lowered:
            await reader.readexactly(int(lowered.partition(b"content-length:")[2].partition(b"\r\n")[0]))
        else:
            while (size := int(await reader.readline(), 16)) > 0:
                await reader.readexactly(size + 2)
            await reader.readline()
        counts.append(time.monotonic() - began)
    writer.close()


def cpu(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


async def measure(name, port, pid, payload, seconds, connections, events=0):
    await asyncio.gather(*(ask(port, payload, time.monotonic() + 0.5, []) for _ in range(connections)))
    used, counts = cpu(pid), []
    until = time.monotonic() + seconds
    await asyncio.gather(*(ask(port, payload, until, counts) for _ in range(connections)))
    used = cpu(pid) - used
    alone: list[float] = []
    await ask(port, payload, time.monotonic() + 0.5, alone)
    per_event = f"  {1e6 * used / len(counts) / events:6.1f} us/event" if events else ""
    middle = 1000 * sorted(alone)[len(alone) // 2]
    print(
        f"{name:34} {1e6 * used / len(counts):8.0f} us CPU/call  {len(counts) / used:8.0f} calls/CPU-s"
        f"  p50 alone {middle:.2f} ms{per_event}",
        flush=True,
    )


async def run(seconds, connections):
    ports = random.SystemRandom().sample(range(20_000, 60_000), 3)
    started = [subprocess.Popen([sys.executable, __file__, "--provider", str(ports[0])])]
    for checks, port in ((1, ports[1]), (0, ports[2])):
        started.append(subprocess.Popen([sys.executable, __file__, "--gateway", str(port), str(ports[0]), str(checks)]))
    try:
        for port in ports:
            while True:
                try:
                    (await asyncio.open_connection("127.0.0.1", port))[1].close()
                    break
                except OSError:
                    await asyncio.sleep(0.1)
        for size, stream in ((1_000, False), (32_000, False), (1_000, True)):
            for checks, port, process in ((True, ports[1], started[1]), (False, ports[2], started[2])):
                kind = ", 100 events streamed" if stream else ""
                name = f"{size // 1000:2} KB{kind}, {'checks' if checks else 'no checks'}"
                payload = request(port, size // 2, stream)
                await measure(name, port, process.pid, payload, seconds, connections, 100 if stream else 0)
        for checks, process in zip(("checks", "no checks"), started[1:], strict=True):
            pages = next(
                line
                for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
                if line.startswith("VmRSS")
            )
            print(f"memory, {checks}: {int(pages.split()[1]) / 1024:.0f} MB")
    finally:
        for process in started:
            process.kill()
            process.wait()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=3)
    arguments.add_argument("--connections", type=int, default=8)
    arguments.add_argument("--provider", type=int, help=argparse.SUPPRESS)
    arguments.add_argument("--gateway", type=int, nargs=3, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.provider:
        provider(given.provider)
    elif given.gateway:
        gateway(given.gateway[0], given.gateway[1], bool(given.gateway[2]))
    else:
        uvloop.run(run(given.seconds, given.connections))
