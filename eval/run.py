"""Run Penstock over labelled material and print its figures beside the targets.

    python -m eval.run --set DIR [--scorers DIR] [--repos DIR] [--areas "inventory scenarios"] [--out DIR]

SET holds a folder an area; SCORERS (SET when left out) holds the same folders with each area's ``score.py``; REPOS
holds checkouts named ``owner__name``. Every area that SET has and that has an adapter here is measured, and
``OUT/results.json`` gets the figures (shares 0-1); what was not run is absent from it.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from eval.targets import TARGETS, met

#: Areas in the order in which they are shown.
AREAS = (
    "inventory", "iac", "sensitive_data", "modelfiles", "prompts", "scenarios", "agent_configs", "detection",
    "agentdojo",
)  # fmt: skip

Adapter = Callable[[Path, Path, Path | None, Path], dict[str, float] | None]


def main(argv: list[str] | None = None) -> int:
    given = _arguments(argv)
    if given.set is None:
        print(
            "error: make eval needs the labelled material to measure on\n"
            "  --> SET is not given\n"
            "  help: make eval SET=DIR [SCORERS=DIR] [REPOS=DIR] [AREAS='scenarios …'] [OUT=DIR]; DIR holds a folder "
            f"an area: {', '.join(AREAS)}"
        )
        return 2
    if not given.set.is_dir():
        print(f"error: there is no such folder\n  --> {given.set}\n  help: SET names a folder with a folder an area")
        return 2
    wanted = given.areas.replace(",", " ").split() if given.areas else list(AREAS)
    if unknown := sorted(set(wanted) - set(AREAS)):
        print(f"error: there is no area {unknown[0]!r}\n  --> AREAS\n  help: known: {', '.join(AREAS)}")
        return 2
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    figures: dict[str, dict[str, float]] = {}
    notes: dict[str, str] = {}
    failed = False
    for area in AREAS:
        folder = given.set / area
        if area not in wanted or not folder.is_dir():
            continue
        run = adapter(area)
        if run is None:
            notes[area] = "no adapter yet"
            continue
        started = time.process_time()
        try:
            measured = run(folder, (given.scorers or given.set) / area, given.repos, out / area)
        except Exception as error:  # one area's failure must not hide the figures of the others
            notes[area], failed = f"failed: {type(error).__name__}: {error}", True
            continue
        if measured is None:
            notes[area] = "nothing to measure here (inventory and iac need REPOS)"
        else:
            figures[area] = measured
            notes[area] = f"{time.process_time() - started:.1f} CPU s in this process"
    print(table(figures, notes))
    results = {"commit": commit(), "areas": figures}
    (out / "results.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"\nwritten: {out / 'results.json'}")
    return 1 if failed else 0


def adapter(area: str) -> Adapter | None:
    """The function that measures an area, None when nobody has written it yet."""
    name = f"eval.areas.{area}"
    if importlib.util.find_spec(name) is None:
        return None
    run: Adapter = importlib.import_module(name).run
    return run


def table(figures: dict[str, dict[str, float]], notes: dict[str, str]) -> str:
    """Figures beside targets, an area a block."""
    lines = [f"{'area':16}{'figure':24}{'measured':>10}  {'target':10}"]
    for area, note in notes.items():
        lines.append(f"{area:16}{note}")
        for figure, value in figures.get(area, {}).items():
            target = TARGETS.get(area, {}).get(figure, "")
            verdict = ("met" if met(value, target) else "MISSED") if target else ""
            lines.append(f"{'':16}{figure:24}{value:>10.3f}  {target:10}{verdict}".rstrip())
    return "\n".join(lines)


def commit() -> str:
    """The commit that was measured, with ``+`` when the tree differs from it; empty outside git."""
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        dirty = subprocess.run(["git", "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make eval", description="measure Penstock on labelled material")
    parser.add_argument("--set", type=Path, help="folder with a folder an area")
    parser.add_argument("--scorers", type=Path, help="folder with <area>/score.py; SET when left out")
    parser.add_argument("--repos", type=Path, help="checkouts named owner__name")
    parser.add_argument("--areas", default="", help="areas to measure; all of SET when left out")
    parser.add_argument("--out", type=Path, default=Path(".eval"), help="where results go")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
