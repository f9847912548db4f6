"""CPU of judging one MCP tool call and its result, and a list of tools: µs a call, this process, best of five.

python bench/gateway/mcp.py [--seconds 2]
"""

import argparse
import json
import time

from penstock.protect.inspection import Inspection
from penstock.protect.mcp.pins import Pins
from penstock.protect.mcp.relay import Relay, Server
from penstock.protect.mcp.tools import Tools
from penstock.protect.policy import Policy
from penstock.protect.sink import MemorySink
from penstock.protect.snapshot import Caller, Rule

RULES = tuple(
    Rule(id=f"{direction}-pii", direction=direction, categories=("pii",), action="redact", why="")
    for direction in ("in", "out")
)
TEXT = "The order arrived on Monday and the customer asked for a receipt. "


def message(**more):
    return json.dumps({"jsonrpc": "2.0", "id": 1, **more}).encode()


def tools(count):
    schema = {"type": "object", "properties": {"path": {"type": "string", "description": "Where the file lies"}}}
    return [{"name": f"read_{n}", "description": TEXT * 6, "inputSchema": schema} for n in range(count)]


def best(work, seconds):
    found = []
    for _ in range(5):
        began, done = time.process_time(), 0
        while time.process_time() - began < seconds / 5:
            work(done)
            done += 1
        found.append((time.process_time() - began) / done)
    return 1e6 * min(found)


def main() -> None:
    ask = argparse.ArgumentParser()
    ask.add_argument("--seconds", type=float, default=2.0)
    seconds = ask.parse_args().seconds
    sink = MemorySink()
    caller = Caller(application="a", name="a", mode="enforce", rules=RULES)
    relay = Relay(Server("s", "x"), Policy(caller), Tools(Pins(None)), Inspection(remembers=False), sink)
    listed = message(result={"tools": tools(50)})

    def called(size):
        asked = message(method="tools/call", params={"name": "read_1", "arguments": {"path": TEXT}})
        told = message(result={"content": [{"type": "text", "text": TEXT * (size // len(TEXT))}]})

        def work(_):
            relay.from_client(asked)
            relay.from_server(told)
            sink.events.clear()

        return work

    relay.from_server(listed)
    print(f"{'tools/call and its result, 1 KB':<44}{best(called(1024), seconds):>10,.0f} µs")
    print(f"{'tools/call and its result, 32 KB':<44}{best(called(32 * 1024), seconds):>10,.0f} µs")
    print(f"{f'tools/list, 50 tools, {len(listed) // 1000} kB, as before':<44}", end="")
    print(f"{best(lambda _: relay.from_server(listed), seconds):>10,.0f} µs")
    fresh = best(lambda n: relay.from_server(message(result={"tools": tools(50), "n": n})), seconds)
    print(f"{'tools/list, 50 tools, other bytes':<44}{fresh:>10,.0f} µs")


if __name__ == "__main__":
    main()
