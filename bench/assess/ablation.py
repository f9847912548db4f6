"""What context is worth: the figures of labelled organisations with a part of it taken away.

``python bench/assess/ablation.py SCENARIOS.yaml SCORE.py``: owners, processes, declassifications, decisions and
guardrails are taken out of the stories one sort at a time; the ranking and the silence must get worse.
"""

from __future__ import annotations

import copy
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parents[2]))
from eval.areas.scenarios import _scored, answers_of

_SHOWN = ("recall", "net", "severity", "tau", "must_not", "paths", "taint_f1")


def _no_owner(story: dict[str, Any]) -> None:
    for asset in story["assets"]:
        asset["owner"] = None


def _no_process(story: dict[str, Any]) -> None:
    story["relations"] = [r for r in story["relations"] if r[1] != "supports"]


def _no_declassification(story: dict[str, Any]) -> None:
    for asset in story["assets"]:
        (asset.get("props") or {}).pop("declassified", None)


def _no_decisions(story: dict[str, Any]) -> None:
    story["context"]["decisions"] = []


def _no_guards(story: dict[str, Any]) -> None:
    story["relations"] = [r for r in story["relations"] if r[1] != "guarded_by"]


WITHOUT: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "all of it": lambda story: None,
    "owners": _no_owner,
    "processes": _no_process,
    "declassification": _no_declassification,
    "decisions": _no_decisions,
    "guardrails": _no_guards,
}


def main() -> None:
    stories, scorer = Path(sys.argv[1]), Path(sys.argv[2])
    told = yaml.safe_load(stories.read_text(encoding="utf-8"))["scenarios"]
    print(f"{'without':18}" + "".join(f"{name:>10}" for name in _SHOWN))
    for name, take in WITHOUT.items():
        with tempfile.TemporaryDirectory() as folder:
            for story in told:
                given = copy.deepcopy({part: value for part, value in story.items() if part != "expected"})
                take(given)
                answer = json.dumps(answers_of(given))
                (Path(folder) / f"{story['id']}.json").write_text(answer, encoding="utf-8")
            mean = _scored(scorer, stories, Path(folder))["mean"]
        print(f"{name:18}" + "".join(f"{mean[figure]:10.3f}" for figure in _SHOWN))


if __name__ == "__main__":
    main()
