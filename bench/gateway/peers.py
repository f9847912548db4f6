"""The gateway beside other gateways: the same scripted provider, the same calls, one run, printed as ratios.

python bench/gateway/peers.py --litellm VENV/bin/litellm --portkey NODE_MODULES/@portkey-ai/gateway [--seconds 3]

The peers are installed by whoever measures, outside this repository (``pip install 'litellm[proxy]'``; ``npm install
@portkey-ai/gateway`` with ``"overrides": {"hono": "4.9.7", "@hono/node-server": "1.3.3"}`` in package.json, because
with newer ones it answers 500 to every stream).
They run with no guard, no key and no database. Ours runs with all checks and the audit on, in mode enforce: "new" texts
are judged each time as if never seen, "repeated" ones are remembered. CPU is that of the whole process tree (user and
system), a busy machine counts more for the same work, so only the ratios of one run say something. "added" is what a
call alone takes longer than one that goes to the provider directly. A peer that is not named is left out.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent))

from cost import ask, cpu, request

COST = str(Path(__file__).parent / "cost.py")
#: What is asked: name → (bytes of prompt and answer together, whether streamed as 100 events).
SHAPES = {"1 KB": (1_000, False), "32 KB": (32_000, False), "100 events": (1_000, True)}
OURS = ("new", "new, no attack score", "repeated")
#: (measure, ours, peer) → the most that ours may be of the peer's.
BOUNDS = {
    ("1 KB", "new", "LiteLLM"): 1 / 20, ("1 KB", "new", "Portkey"): 1 / 2,
    ("1 KB", "new, no attack score", "LiteLLM"): 1 / 40, ("1 KB", "new, no attack score", "Portkey"): 1 / 5,
    ("32 KB", "new", "LiteLLM"): 1 / 3,
    ("32 KB", "repeated", "LiteLLM"): 1 / 20, ("32 KB", "repeated", "Portkey"): 1 / 2,
    ("100 events", "new", "LiteLLM"): 1 / 8, ("100 events", "new", "Portkey"): 1.0,
    ("added p50", "new", "LiteLLM"): 1 / 20, ("added p50", "new", "Portkey"): 1 / 5,
    ("added TTFB", "new", "LiteLLM"): 1 / 10,
    ("memory", "repeated", "LiteLLM"): 1 / 3,
}  # fmt: skip


@dataclass
class Stack:
    """One gateway under measure; ``figures`` by measure: microseconds of CPU, milliseconds, megabytes."""

    name: str
    port: int
    process: subprocess.Popen | None = None
    headers: str = ""
    figures: dict[str, float] = field(default_factory=dict)

    def payload(self, size, stream):
        asked = request(self.port, size // 2, stream)
        return asked.replace(b"Content-Type:", self.headers.encode() + b"Content-Type:", 1)


def litellm(command, port, upstream, folder):
    model = {"model": "openai/gpt-4o", "api_base": f"http://127.0.0.1:{upstream}/v1", "api_key": "none"}
    config = Path(folder) / "litellm.yaml"
    config.write_text(json.dumps({"model_list": [{"model_name": "gpt-4o", "litellm_params": model}]}))
    quiet = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
    quiet["LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"] = "true"  # no key to check is less work for it
    words = [command, "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    return Stack("LiteLLM", port, started(words, quiet))


def portkey(package, port, upstream):
    words = ["node", str(Path(package) / "build" / "start-server.js"), f"--port={port}", "--headless"]
    there = f"x-portkey-provider: openai\r\nx-portkey-custom-host: http://127.0.0.1:{upstream}/v1\r\n"
    return Stack("Portkey", port, started(words, {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}), there)


def started(words, env):
    return subprocess.Popen(
        words, env=os.environ | env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def tree(pid):
    """The process and all below it."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


def used(stack):
    return sum(cpu(pid) for pid in tree(stack.process.pid))


def memory(stack):
    """Proportional set size in MB."""
    told = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in tree(stack.process.pid)]
    lines = [line for one in told for line in one.splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


async def first_byte(port, payload, seconds):
    """Seconds from asking to the first event of a stream, one call after the other."""
    took, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        began = time.monotonic()
        writer.write(payload)
        await reader.readuntil(b"data:")
        took.append(time.monotonic() - began)
        writer.transport.abort()
    return took


def middle(took):
    return 1000 * sorted(took)[len(took) // 2]


async def measured(stack, direct, seconds, connections):
    for shape, (size, stream) in SHAPES.items():
        payload = stack.payload(size, stream)
        await asyncio.gather(*(ask(stack.port, payload, time.monotonic() + 1, []) for _ in range(connections)))
        before, counts, until = used(stack), [], time.monotonic() + seconds
        await asyncio.gather(*(ask(stack.port, payload, until, counts) for _ in range(connections)))
        stack.figures[shape] = 1e6 * (used(stack) - before) / len(counts)
    alone: list[float] = []
    await ask(stack.port, stack.payload(1_000, False), time.monotonic() + 1, alone)
    stack.figures["added p50"] = middle(alone) - direct["p50"]
    said = await first_byte(stack.port, stack.payload(1_000, True), 1)
    stack.figures["added TTFB"] = middle(said) - direct["ttfb"]
    stack.figures["memory"] = memory(stack)
    units = {"added p50": "ms", "added TTFB": "ms", "memory": "MB"}
    told = " · ".join(f"{name} {value:.4g} {units.get(name, 'us')}" for name, value in stack.figures.items())
    print(f"{stack.name:26} {told}", flush=True)


async def open_at(port, seconds=120):
    until = time.monotonic() + seconds
    while True:
        try:
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)


async def run(given):
    upstream, *ports = random.SystemRandom().sample(range(20_000, 60_000), 6)
    provider = started([sys.executable, COST, "--provider", str(upstream)], {})
    stacks: list[Stack] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            await open_at(upstream)
            for kind in OURS:
                words = [sys.executable, COST, "--gateway", str(port := ports.pop()), str(upstream), kind]
                stacks.append(Stack(kind, port, started(words, {})))
            if given.litellm:
                stacks.append(litellm(given.litellm, ports.pop(), upstream, folder))
            if given.portkey:
                stacks.append(portkey(given.portkey, ports.pop(), upstream))
            for stack in stacks:
                await open_at(stack.port)
            straight: list[float] = []
            await ask(upstream, request(upstream, 500, False), time.monotonic() + 1, straight)
            events = await first_byte(upstream, request(upstream, 500, True), 1)
            direct = {"p50": middle(straight), "ttfb": middle(events)}
            print(f"{'provider, directly':26} p50 {direct['p50']:.3f} ms · first byte {direct['ttfb']:.3f} ms")
            for stack in stacks:
                await measured(stack, direct, given.seconds, given.connections)
        finally:
            for process in (provider, *(stack.process for stack in stacks)):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    compared({stack.name: stack.figures for stack in stacks})


def compared(figures):
    print(f"\n{'measure':12} {'ours':22} {'peer':8} {'ours / peer':>12}  {'at most':>8}")
    for (measure, ours, peer), most in BOUNDS.items():
        if peer in figures:
            ratio = figures[ours][measure] / figures[peer][measure]
            print(
                f"{measure:12} {ours:22} {peer:8} {said(ratio):>12}  {said(most):>8}  {'' if ratio <= most else 'no'}"
            )


def said(ratio):
    return f"1/{1 / ratio:.1f}" if 0 < ratio < 1 else f"{ratio:.2f}"


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--litellm", help="the program litellm")
    arguments.add_argument("--portkey", help="the folder of the package @portkey-ai/gateway")
    arguments.add_argument("--seconds", type=float, default=3)
    arguments.add_argument("--connections", type=int, default=8)
    uvloop.run(run(arguments.parse_args()))
