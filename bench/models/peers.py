"""Penstock beside other scanners on a folder with ``labels.json``. ``python bench/models/peers.py FOLDER [BIN]``

BIN is the folder of an environment's programs with picklescan, fickling or modelaudit; what is not there is left out.
One process a scanner for the whole folder, its start included; their own verdicts are not compared here (they need a
mapping), only cost. Penstock's verdicts are counted against the labels.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

COMMAND = "from penstock.cli.commands.model import command; command()"
COMMANDS = {
    "penstock": [sys.executable, "-c", COMMAND, "scan", "--each", "--fail-on", "never", "--format", "json"],
    "picklescan": ["picklescan", "-p"],
    "modelaudit": ["modelaudit", "scan", "--no-cache", "--format", "json"],
}


def main() -> None:
    folder = Path(sys.argv[1])
    programs = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    for name, command in COMMANDS.items():
        if name != "penstock":
            if programs is None or not (programs / command[0]).is_file():
                continue
            command = [str(programs / command[0]), *command[1:]]
        before = cpu()
        environment = {**os.environ, "PROMPTFOO_DISABLE_TELEMETRY": "1"}
        done = subprocess.run([*command, str(folder / "cases")], capture_output=True, check=False, env=environment)
        print(f"{name:12}{cpu() - before:8.2f} CPU s")
        if name == "penstock":
            told(folder, json.loads(done.stdout)["results"])


def told(folder: Path, results: list[dict[str, str]]) -> None:
    order = ("clean", "inconclusive", "review", "suspicious", "malicious")
    counts: dict[tuple[str, str], int] = {}
    for case in json.loads((folder / "labels.json").read_text())["cases"]:
        place = str(folder / case["path"])
        words = [one["verdict"] for one in results if one["path"] == place or one["path"].startswith(place + "/")]
        worst = max(words, key=order.index, default="inconclusive")
        counts[case["label"], worst] = counts.get((case["label"], worst), 0) + 1
    for (label, verdict), count in sorted(counts.items()):
        print(f"  {label:10}{verdict:14}{count:5}")


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
