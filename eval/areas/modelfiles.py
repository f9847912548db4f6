"""Model files: scan what the area's ``generate.py`` writes (or a folder with ``labels.json``), let ``score.py`` count.

Hostile files are inert and go to a temporary folder; nothing is loaded. ``review`` counts as suspicious and
``inconclusive`` as error, as the scorer has no words for them.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

#: A Python with the libraries that write benign files; the running one without it, and then those files are missing.
GENERATOR = os.environ.get("PENSTOCK_EVAL_PYTHON", sys.executable)
_COMMAND = "from penstock.cli.commands.model import command; command()"
_WORDS = {"review": "suspicious", "inconclusive": "error"}


def run(set_dir: Path, scorers: Path, repos: Path | None, out: Path) -> dict[str, float] | None:
    """Shares of the cases, and the CPU seconds of scanning all of them in one process, its start included."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = set_dir
        if not (set_dir / "labels.json").is_file():
            if not (set_dir / "generate.py").is_file():
                return None
            folder = Path(scratch)
            subprocess.run([GENERATOR, str(set_dir / "generate.py"), scratch], check=True, capture_output=True)
        cases = json.loads((folder / "labels.json").read_text(encoding="utf-8"))["cases"]
        before = _cpu()
        command = [sys.executable, "-c", _COMMAND, "scan", "--format", "json", "--fail-on", "never"]
        paths = [str(folder / case["path"]) for case in cases]
        done = subprocess.run([*command, *paths], capture_output=True, check=False)
        cpu = _cpu() - before
        said = {one["path"]: one["verdict"] for one in json.loads(done.stdout)["results"]}
        verdicts = {case["path"]: said.get(str(folder / case["path"]), "error") for case in cases}
        results = out / "results.json"
        results.write_text(json.dumps({path: _WORDS.get(word, word) for path, word in verdicts.items()}, indent=1))
        scored = subprocess.run(
            [sys.executable, str(scorers / "score.py"), str(folder / "labels.json"), str(results), "--json"],
            capture_output=True, check=True,
        )  # fmt: skip
    tally = json.loads(scored.stdout)
    safe = tally.get("ben", 0) + tally.get("grey", 0)
    return {
        "detect": _share(tally.get("det", 0), tally.get("mal", 0)),
        "strict": _share(tally.get("det_strict", 0), tally.get("mal", 0)),
        "fp": _share(tally.get("fp", 0), safe),
        "fp_hard": _share(tally.get("fp_hard", 0), safe),
        "benign_err": _share(tally.get("ben_err", 0), tally.get("ben", 0)),
        "cpu_s": round(cpu, 3),
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
