"""Prompt attacks: score texts as the product does; the area's ``score.py`` fixes thresholds on its dev rows.

A set is a folder of ``<set>.jsonl[.gz]`` with ``groups.json``, and ``dev.jsonl.gz`` beside them or beside the scorer.
Without any set the dev rows themselves are scored.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

#: Figure by group of the scorer, and whether it is the share of attacks caught or of harmless texts flagged.
GROUPS = {
    "attack:direct": "direct", "attack:indirect": "indirect", "attack:jailbreak": "jailbreak",
    "attack:multilingual": "multilingual", "attack:other-languages": "multilingual", "attack:languages": "multilingual",
    "attack:obfuscated": "obfuscated", "benign:hard": "fpr_hard", "benign:chat": "fpr_chat",
    "benign:documents": "fpr_documents",
}  # fmt: skip
#: The disclosed operating point: at most this share of harmless dev rows of each channel above the threshold.
OPERATING_POINT = 0.01


def run(set_dir: Path, scorers: Path, repos: Path | None, out: Path) -> dict[str, float] | None:
    """Recall and false positives by group at the operating point, and CPU milliseconds a KB."""
    dev = next((path for path in _places(set_dir, scorers) if path.is_file()), None)
    if dev is None:
        return None
    out.mkdir(parents=True, exist_ok=True)
    report = out / "score.json"
    command = [
        sys.executable, str(scorers / "score.py"), "--callable", "penstock.inspect.attacks:score", "--rows",
        "--dev", str(dev), "--fpr", str(OPERATING_POINT), "0.001", "--fixed", "0", "--out", str(report),
    ]  # fmt: skip
    sets = set_dir / "sets" if (set_dir / "sets").is_dir() else set_dir
    if any(path.name not in ("dev.jsonl.gz", "train.jsonl.gz") for path in sets.glob("*.jsonl*")):
        command += ["--sets", str(sets)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (out / "score.txt").write_text(done.stdout, encoding="utf-8")
    return figures(json.loads(report.read_text(encoding="utf-8")))


def figures(report: dict[str, Any]) -> dict[str, float]:
    """The scorer's report as figures; groups that were not measured are absent."""
    key = f"above@{OPERATING_POINT:g}"
    found = {
        name: round(report["groups"][group][key], 4) for group, name in GROUPS.items() if group in report["groups"]
    }
    if report.get("timing"):
        found["cpu_ms_per_kb"] = round(report["timing"]["cpu_ms_per_1kb"], 3)
    return found


def _places(set_dir: Path, scorers: Path) -> Iterable[Path]:
    for folder in (
        set_dir,
        scorers,
        set_dir.parent.parent / "data" / "prompts",
        scorers.parent.parent / "data" / "prompts",
    ):
        yield folder / "dev.jsonl.gz"
