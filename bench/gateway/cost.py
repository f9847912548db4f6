"""What a call costs: CPU microseconds of the gateway's process per call, with and without checks, in one run.

python bench/gateway/cost.py [--seconds 3] [--connections 8]

Three processes on loopback: a provider that answers at once, the gateway, and this one, which asks. Only the gateway's
own CPU is counted. The size is that of prompt and answer together, half each. "checks" are all detectors on every text
in both directions, and attack scoring of what the user says, with rules in force; "new" means that no text was seen
before, "repeated" that every one was; without checks the body is read and walked all the same. Events are written to a
spool in either case. Below, the same call part by part, beside the budget: each part is run alone in this process, and
what the parts leave of the whole is HTTP on both sides. A busy machine counts more for the same work, so compare only
figures of one run.
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
from functools import partial
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
    asks_when_closed = None  # who waits to hear that a slow stream's connection is closed

    def connection_lost(self, error):
        if getattr(self, "slow", None):
            self.slow.cancel()
            Provider.closed = True
            if Provider.asks_when_closed:
                Provider.asks_when_closed.close()

    def drip(self):
        event = b"data: " + json.dumps(chunk("word ")).encode() + b"\n\n"
        self.transport.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.slow = asyncio.get_running_loop().call_later(0.05, self.drip)

    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def data_received(self, data):
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end].lower()
            if head.startswith(b"get /closed"):
                if Provider.closed:
                    self.transport.close()
                Provider.asks_when_closed = self.transport
                return
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self.data) < end + 4 + length:
                return
            body, self.data = self.data[end + 4 : end + 4 + length], self.data[end + 4 + length :]
            if b'"stream":true }' in body:
                Provider.closed, Provider.asks_when_closed = False, None
                self.transport.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                self.drip()
                return
            self.transport.write(
                self.stream
                if b'"stream": true' in body or b'"stream":true' in body
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


def rules():
    from penstock.protect.snapshot import Rule

    data = [(direction, category) for direction in ("in", "out") for category in ("pii", "pci", "credentials")]
    return (
        *(Rule(id=f"{d}-{c}", direction=d, categories=(c,), action="redact", why="bench") for d, c in data),
        Rule(id="attack", direction="in", categories=("attack",), action="observe", why="bench"),
    )


def bare(port, upstream):
    """The same road without a gateway, a yardstick of the machine: uvicorn and aiohttp, nothing read or noted."""
    import aiohttp
    import uvicorn

    held = {}

    async def app(scope, receive, send):
        session = held.get("session") or held.setdefault("session", aiohttp.ClientSession())
        body = (await receive())["body"]
        async with session.post(f"http://127.0.0.1:{upstream}{scope['path']}", data=body) as answer:
            said = await answer.read()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
        await send({"type": "http.response.body", "body": said})

    uvicorn.run(app, port=port, http="httptools", loop="uvloop", ws="none", access_log=False, log_level="error",
                server_header=False, date_header=False, proxy_headers=False, lifespan="off")  # fmt: skip


def gateway(port, upstream, checks):
    import uvicorn

    from penstock.protect.gateway import Gateway
    from penstock.protect.inspection import Inspection
    from penstock.protect.sink import Spool
    from penstock.protect.snapshot import Caller, PolicySnapshot, Upstream
    from penstock.protect.snapshot_source import FixedSnapshot

    class Nothing(Inspection):
        """Looks at nothing."""

        def look(self, text):
            return [], len(text)

    new = partial(Inspection, remembers=False)
    kinds = {"none": Nothing, "new": new, "new, no attack score": new, "repeated": Inspection}
    inspection = kinds[checks]()
    scored = "no attack" not in checks
    in_force = tuple(rule for rule in rules() if scored or rule.id != "attack") if checks != "none" else ()
    caller = Caller(application="a", name="bench", mode="enforce" if in_force else "observe", rules=in_force)
    snapshot = PolicySnapshot(
        version=1, made_at=0.0, callers={hashlib.sha256(KEY.encode()).hexdigest(): caller},
        upstreams=(Upstream(name="up", base_url=f"http://127.0.0.1:{upstream}/v1"),),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        app = Gateway(FixedSnapshot(snapshot), Spool(Path(folder)), inspection)
        uvicorn.run(app, port=port, http="httptools", loop="uvloop", ws="none", access_log=False, log_level="error",
                    server_header=False, date_header=False, proxy_headers=False)  # fmt: skip


# ── part by part ────────────────────────────────────────────────────────────────────────────────────────────────────

#: Size → budget in microseconds of reading and HTTP together, sensitive data, attack scoring, and policy with event.
BUDGET = {1_000: (160, 60, 250, 40), 32_000: (220, 1_300, 2_500, 50)}


def parts(size, without_checks):
    """Each part of a call in microseconds of CPU, run by itself."""
    from penstock.protect.exchange import Asked
    from penstock.protect.inspection import Inspection
    from penstock.protect.judging import judged
    from penstock.protect.policy import Policy, Record
    from penstock.protect.snapshot import Caller
    from penstock.protect.surfaces.openai_chat import OpenAIChat

    surface, inspection, known = OpenAIChat(), Inspection(remembers=False), Inspection()
    asked = Asked("POST", "/v1/chat/completions", {}, request(1, size // 2, False).partition(b"\r\n\r\n")[2])
    reply = json.dumps(answer(size // 2)).encode()
    texts = [part.text for part in (*surface.request(asked).parts, *surface.reply(reply).parts)]
    policy = Policy(Caller(application="a", name="bench", mode="enforce", rules=rules()))

    def all_judged():
        record = Record()
        for direction, body, said in (
            ("in", asked.body, surface.request(asked).parts),
            ("out", reply, surface.reply(reply).parts),
        ):
            judged(known, policy, record, direction, body, said)

    reading = timed(lambda: (surface.request(asked), surface.reply(reply)))
    sensitive = timed(lambda: [inspection.spans(text) for text in texts])
    said = [part.text for part in surface.request(asked).parts if part.channel == "user"]
    attack = timed(lambda: [inspection.attacks(text, "user") for text in said])
    again = timed(lambda: [known.spans(text) for text in texts] + [known.attacks(text, "user") for text in said])
    deciding = max(0.0, timed(all_judged) - reading - again)
    event = spooled()
    rest = without_checks - reading - event
    data_path, found, scored, kept = BUDGET[size]
    print(
        f"{size // 1000:2} KB: reading {reading:.0f} + HTTP both sides {rest:.0f} (budget {data_path} together)"
        f" · sensitive data {sensitive:.0f} ({found}) · attack score {attack:.0f} ({scored}) · both on repeated text"
        f" {again:.0f} · policy, masks, event {deciding + event:.0f} ({kept})"
    )


def timed(function):
    """Microseconds of CPU a call."""
    function()
    count, began = 0, time.process_time()
    while time.process_time() - began < 0.4:
        function()
        count += 1
    return 1e6 * (time.process_time() - began) / count


def spooled():
    """Microseconds of CPU to make an event and bring it to the disk, 25 at a time."""
    from penstock.protect.call import Call
    from penstock.protect.inspection import Inspection
    from penstock.protect.sink import Spool
    from penstock.protect.surfaces.registry import UNKNOWN

    scope = {"method": "POST", "path": "/v1/chat/completions", "headers": []}
    inspection = Inspection()
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder))
        began = time.process_time()
        for _ in range(40):
            for _ in range(25):
                spool.emit(Call(scope, None, UNKNOWN, {}, inspection).event())
            time.sleep(0.03)
        spool.close()
        return 1e6 * (time.process_time() - began) / 1000


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
        if b"\r\ncontent-length:" in lowered:
            await reader.readexactly(int(lowered.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]))
        else:
            while (size := int(await reader.readline(), 16)) > 0:
                await reader.readexactly(size + 2)
            await reader.readline()
        counts.append(time.monotonic() - began)
    writer.close()


def cpu(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


#: What was measured, by name.
whole: dict[str, float] = {}


async def measure(name, port, pid, payload, seconds, connections, events=0):
    await asyncio.gather(*(ask(port, payload, time.monotonic() + 0.5, []) for _ in range(connections)))
    used, counts = cpu(pid), []
    until = time.monotonic() + seconds
    await asyncio.gather(*(ask(port, payload, until, counts) for _ in range(connections)))
    used = cpu(pid) - used
    alone: list[float] = []
    await ask(port, payload, time.monotonic() + 0.5, alone)
    whole[name] = 1e6 * used / len(counts)
    per_event = f"  {1e6 * used / len(counts) / events:6.1f} us/event" if events else ""
    middle = 1000 * sorted(alone)[len(alone) // 2]
    print(
        f"{name:34} {1e6 * used / len(counts):8.0f} us CPU/call  {len(counts) / used:8.0f} calls/CPU-s"
        f"  p50 alone {middle:.2f} ms{per_event}",
        flush=True,
    )


KINDS = ("new", "repeated", "none")
_SAID = {"new": "checks, new texts", "repeated": "checks, repeated texts", "none": "no checks"}


async def run(seconds, connections):
    upstream, road, *doors = random.SystemRandom().sample(range(20_000, 60_000), 5)
    started = {"provider": subprocess.Popen([sys.executable, __file__, "--provider", str(upstream)])}
    for kind, port in (("bare", road), *zip(KINDS, doors, strict=True)):
        started[kind] = subprocess.Popen([sys.executable, __file__, "--gateway", str(port), str(upstream), kind])
    try:
        for port in (upstream, road, *doors):
            while True:
                try:
                    (await asyncio.open_connection("127.0.0.1", port))[1].close()
                    break
                except OSError:
                    await asyncio.sleep(0.1)
        for size in (1_000, 32_000):
            name = f"{size // 1000:2} KB, bare road without a gateway"
            await measure(name, road, started["bare"].pid, request(road, size // 2, False), seconds, connections)
        for size, stream in ((1_000, False), (32_000, False), (1_000, True)):
            for kind, port in zip(KINDS, doors, strict=True):
                name = f"{size // 1000:2} KB{', 100 events streamed' if stream else ''}, {_SAID[kind]}"
                payload = request(port, size // 2, stream)
                await measure(name, port, started[kind].pid, payload, seconds, connections, 100 if stream else 0)
        await hang_up(doors[0], upstream)
        for kind in KINDS:
            pages = next(
                line
                for line in Path(f"/proc/{started[kind].pid}/status").read_text().splitlines()
                if line.startswith("VmRSS")
            )
            print(f"memory, {_SAID[kind]}: {int(pages.split()[1]) / 1024:.0f} MB")
    finally:
        for process in started.values():
            process.kill()
            process.wait()


async def hang_up(port, upstream):
    """Seconds from a client's leaving in the middle of a stream until the provider's connection is closed."""
    took = []
    for _ in range(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(port, 500, True).replace(b'"stream": true}', b'"stream":true }'))
        await reader.readuntil(b"data:")
        began = time.monotonic()
        writer.transport.abort()
        watch, said = await asyncio.open_connection("127.0.0.1", upstream)
        said.write(b"GET /closed HTTP/1.1\r\n\r\n")
        await watch.read()
        took.append(time.monotonic() - began)
        said.close()
    print(f"provider's connection closed after the client hung up: {1000 * max(took):.0f} ms at most of {len(took)}")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=3)
    arguments.add_argument("--connections", type=int, default=8)
    arguments.add_argument("--provider", type=int, help=argparse.SUPPRESS)
    arguments.add_argument("--gateway", nargs=3, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.provider:
        provider(given.provider)
    elif given.gateway and given.gateway[2] == "bare":
        bare(*map(int, given.gateway[:2]))
    elif given.gateway:
        gateway(*map(int, given.gateway[:2]), given.gateway[2])
    else:
        uvloop.run(run(given.seconds, given.connections))
        for size in BUDGET:
            parts(size, whole[f"{size // 1000:2} KB, no checks"])
