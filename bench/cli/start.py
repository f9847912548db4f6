"""CPU seconds until the command answers: ``python bench/cli/start.py``

Each command is run in a process of its own, seven times, and its median is printed beside bare Python's, whose share
nobody can take away. Byte code is written once before, as it is by an installation. Target: ``--version`` at most 0.15.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile

RUNS = 7
TARGET = 0.15
#: What is started, and how.
STARTS = {
    "python": ["-c", "pass"],
    "--version": ["-m", "penstock", "--version"],
    "--help": ["-m", "penstock", "--help"],
    "scan --help": ["-m", "penstock", "scan", "--help"],
    "explain PS101": ["-m", "penstock", "explain", "PS101"],
}


def cpu(words: list[str], environment: dict[str, str]) -> float:
    """User and system seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    with tempfile.TemporaryDirectory() as place:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = place
        figures = {}
        for name, words in STARTS.items():
            cpu(words, environment)
            figures[name] = statistics.median(cpu(words, environment) for _ in range(RUNS))
    for name, seconds in figures.items():
        target = f"   (target {TARGET})" if name == "--version" else ""
        print(f"{name:<14} {seconds:6.3f} CPU s{target}")
    return 0 if figures["--version"] <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
