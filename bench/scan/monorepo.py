"""A generated monorepo, scanned cold, unchanged and changed: ``python bench/scan/monorepo.py [FILES] [--all-ai]``

10,000 files if nothing else is said; one service in ten uses AI, with ``--all-ai`` each does. Prints CPU seconds for
1,000 files, files a second of wall time, the most memory of the scanning process and its workers together (proportional
set size, Linux) and of either alone, and how many uses of a model were resolved whose name stands in another file.
Targets: at most 2 CPU s for 1,000 files cold and 0.2 unchanged, at most 400 MB for 10,000 files.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cold_and_warm import ENVIRONMENT, once
from tree import tree


@dataclass(slots=True)
class Memory:
    """The most megabytes that a scan held: all its processes together, the first one, and the largest worker."""

    all: float = 0.0
    first: float = 0.0
    worker: float = 0.0

    def look(self) -> None:
        held = [_held(pid) / 1024 for pid in _below(os.getpid())]
        self.all = max(self.all, sum(held))
        self.first = max(self.first, *held[:1], 0.0)
        self.worker = max(self.worker, *held[1:], 0.0)


def watched(run: Callable[[], tuple[float, dict[str, int]]]) -> tuple[float, dict[str, int], float, Memory]:
    """CPU seconds and counts of a scan, its wall seconds, and the memory it took."""
    done, memory = threading.Event(), Memory()

    def watch() -> None:
        while not done.wait(0.1):
            memory.look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    try:
        cpu, facts = run()
    finally:
        done.set()
        watcher.join()
    return cpu, facts, time.monotonic() - began, memory


def _below(pid: int) -> Iterator[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        children += [c for task in Path(f"/proc/{pid}/task").iterdir() if task.name != str(pid)
                     for c in (task / "children").read_text().split()]  # fmt: skip
    except OSError:
        return
    for child in map(int, children):
        yield child
        yield from _below(child)


def _held(pid: int) -> int:
    """Proportional set size in kB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def main(arguments: list[str]) -> int:
    share = 1.0 if "--all-ai" in arguments else 0.1
    files = int(next((word for word in arguments if word.isdigit()), "10000"))
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as place:
        ENVIRONMENT["PYTHONPYCACHEPREFIX"] = f"{place}/code"
        size, uses = 0, 0
        for path, text in tree(files, share, random.Random(files)):
            target = Path(place, "monorepo", path)
            target.parent.mkdir(parents=True, exist_ok=True)
            size += target.write_text(text)
            uses += any(word in text for word in ("def ask(", "const ask", "func Ask", "modelName("))
        Path(place, "tiny").mkdir()
        Path(place, "tiny", "a.py").write_text("import openai\n")
        once(f"{place}/first", [f"{place}/tiny"])  # writes the byte code
        cold, facts, wall, memory = watched(lambda: once(f"{place}/cache", [f"{place}/monorepo"]))
        warm, _, _, _ = watched(lambda: once(f"{place}/cache", [f"{place}/monorepo"]))
        changed = next(Path(place, "monorepo").rglob("part1.py"))
        changed.write_text(changed.read_text() + "\n\nLATER = 1\n")
        one, _, _, least = watched(lambda: once(f"{place}/cache", [f"{place}/monorepo"]))
        count = facts["files"]
        print(f"files read        {count:>8,}   {size / 1e6:.0f} MB, failed rows {facts['failed']}")
        print(f"observations      {facts['observations']:>8,}   places where a model is used {facts['uses']} of {uses}")
        print(
            f"cold              {cold:8.2f} CPU s   {1000 * cold / count:.2f} for 1,000 files (target 2), "
            f"{count / wall:,.0f} files/s"
        )
        print(f"unchanged         {warm:8.2f} CPU s   {1000 * warm / count:.2f} for 1,000 files (target 0.2)")
        print(f"one file changed  {one:8.2f} CPU s   {1000 * one / count:.2f} for 1,000 files, {least.all:.0f} MB")
        print(f"memory            {memory.all:8.0f} MB      all processes (target 400 for 10,000 files); "
              f"first {memory.first:.0f}, largest worker {memory.worker:.0f}", flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
