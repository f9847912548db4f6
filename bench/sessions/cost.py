"""What judging the structure of a conversation costs: CPU microseconds a call.

python bench/sessions/cost.py [--rounds 2000]

The first line is what a call of 1 KB with ten messages pays when no tools are in play (target 40 µs); the others
are conversations with tool results, first seen and seen again, and the bounds of what is read.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parents[2]))

from penstock.protect.exchange import Asked, ToolCall
from penstock.protect.sessions.conversation import conversation
from penstock.protect.sessions.guard import Sessions
from penstock.protect.sessions.judge import judged
from penstock.protect.surfaces.openai_chat import OpenAIChat
from tests.protect.sessions.suite import cases, request

WORDS = "We spoke about the plan for next week and agreed on the colours of the hall. "


def timed(rounds, function):
    function()
    began = time.process_time()
    for _ in range(rounds):
        function()
    return (time.process_time() - began) / rounds * 1e6


def plain():
    """1 KB in ten messages, no tools."""
    messages = [{"role": "user" if n % 2 == 0 else "assistant", "content": (WORDS * 2)[:80]} for n in range(10)]
    body = json.dumps({"model": "m", "messages": messages}).encode()
    exchange = OpenAIChat().request(Asked("POST", "/v1/chat/completions", {}, body))
    call = SimpleNamespace(exchange=exchange)
    return lambda: Sessions._concerned(call)


def with_tools(size, fresh):
    """A conversation whose last result has ``size`` characters; ``fresh``: it was never seen before."""
    case = next(case for case in cases() if case["hold"])
    base = request(case)
    wanted = [ToolCall(case["do"][0], json.dumps(case["do"][1]), "x")]
    number = 0

    def once():
        nonlocal number
        number += fresh
        result = (f"{number} " + WORDS * (size // len(WORDS) + 1))[:size]
        tree = {**base, "messages": [*base["messages"][:-1], {**base["messages"][-1], "content": result}]}
        judged(conversation("openai.chat", tree), wanted)

    return once


def endless():
    """100,000 messages."""
    base = request(next(case for case in cases() if case["hold"]))
    tree = {**base, "messages": base["messages"] + [{"role": "user", "content": "and then?"}] * 100_000}
    return lambda: judged(conversation("openai.chat", tree), [ToolCall("send_email", '{"to": "a@b.example"}', "x")])


def main():
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--rounds", type=int, default=2000)
    rounds = ask.parse_args().rounds
    print(f"{'1 KB, 10 messages, no tools':44}{timed(rounds, plain()):12.1f} µs a call (target 40)")
    for size in (1_000, 10_000, 100_000):
        few = max(3, rounds * 100 // size)
        print(f"{f'a call judged, {size:,} characters read, first':44}{timed(few, with_tools(size, True)):12.1f}")
        print(f"{f'a call judged, {size:,} characters read, again':44}{timed(few, with_tools(size, False)):12.1f}")
    print(f"{'5 million characters read':44}{timed(1, with_tools(5_000_000, True)):12.1f}")
    print(f"{'100,000 messages':44}{timed(1, endless()):12.1f}")


if __name__ == "__main__":
    main()
