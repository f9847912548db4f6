"""What watching behaviour costs: updates a second of CPU, and bytes an application.

python bench/behaviour/updates.py [--events 300000]
"""

import argparse
import sys
import time
import tracemalloc
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from penstock.graph.vocabulary import Event
from penstock.protect.behaviour.baseline import WINDOW, Baseline
from penstock.protect.behaviour.watch import Watch


class Nowhere:
    def emit(self, event):
        pass


def events(count, applications):
    props = {"usage": {"in": 800, "out": 200}, "cost": 0.002, "upstream": "https://p.example", "tool_calls": ["search"]}
    for n in range(count):
        yield Event(
            id="e", at=1.7e9 + n * 0.5, kind="call", application=f"a{n % applications}", model="gpt",
            props={**props, "session": f"s{n % 997}"},
        )  # fmt: skip


def cpu(function):
    began = time.process_time()
    function()
    return time.process_time() - began


def main():
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--events", type=int, default=300_000)
    count = ask.parse_args().events
    one = Baseline(60)

    def updates():
        for n in range(count):
            one.add(1.0, int(1.7e9 + n * 0.5) // WINDOW)

    print(f"{'updates of a baseline a CPU second':40}{count / cpu(updates):12,.0f}  (target 1,000,000)")
    watch, made = Watch(Nowhere(), lambda application: ()), list(events(count, 500))
    print(f"{'whole events a CPU second':40}{count / cpu(lambda: [watch.emit(event) for event in made]):12,.0f}")
    tracemalloc.start()
    watch = Watch(Nowhere(), lambda application: ())
    for event in events(2_000, 2_000):
        watch.emit(event)
    print(f"{'bytes an application':40}{tracemalloc.get_traced_memory()[0] / 2_000:12,.0f}")


if __name__ == "__main__":
    main()
