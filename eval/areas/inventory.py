"""AI inventory: scan every repository that a label file names, and score what was found against the labels."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from penstock.discover.scan import scan
from penstock.graph.graph import Graph
from penstock.graph.merge import merge
from penstock.settings import Settings
from penstock.work.workers import Workers

#: Assets that are context, not inventory, unless a label set asks for them.
_LEFT_OUT = frozenset({"repository", "team", "person", "process", "package", "credential", "identity", "application"})


def run(set_dir: Path, scorers: Path, repos: Path | None, out: Path) -> dict[str, float] | None:
    """Figures of one set; None when its repositories are not there.

    Args:
        set_dir: folder of label files (``owner__name.yaml``).
        scorers: folder that holds ``score.py``.
        repos: folder of checkouts ``owner__name``.
        out: folder for one report a repository.
    """
    labels = sorted(set_dir.glob("*.yaml"))
    found = [path for path in labels if repos is not None and (repos / path.stem).is_dir()]
    if not found or repos is None:
        return None
    out.mkdir(parents=True, exist_ok=True)
    files, without, before = 0, 0, _cpu()
    counted = False
    with Workers(processes=1, memory_mb=1024) as workers:  # a process of its own: a file that never ends costs one file
        graphs = [(path, inventory(repos / path.stem, workers)) for path in found]
    cpu = _cpu() - before
    for path, graph in graphs:
        files += sum(1 for each in (repos / path.stem).rglob("*") if each.is_file() and ".git" not in each.parts)
        report = simple_report(graph)
        (out / f"{path.stem}.json").write_text(json.dumps(report, indent=1))
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not document.get("labels") and not document.get("scope"):
            counted = True
            without += len(report["components"])
    figures = _figures(_score(scorers, "--set", str(set_dir), str(out)))
    each = [_score(scorers, str(path), str(out / f"{path.stem}.json")) for path in found]
    shares = [_f1(total) for total in map(_total, each) if any(total.values())]
    if shares:
        figures["macro_f1"] = round(sum(shares) / len(shares), 4)
    if counted:
        figures["no_ai_finds"] = float(without)
    if files:
        figures["cpu_s_per_1000_files"] = round(cpu / files * 1000, 3)
    return figures


def inventory(folder: Path, workers: Workers) -> Graph:
    """The merged graph of one folder."""
    done = scan([folder], settings=Settings(), cache=None, workers=workers, now=time.time())
    return merge(done.observations, complete=done.complete, unseen=done.unseen, at=done.at)


def simple_report(graph: Graph) -> dict[str, list[dict[str, Any]]]:
    """The plain form that the scorer reads: one component a place, relations by name."""
    components = []
    for asset in graph.assets.values():
        if asset.kind in _LEFT_OUT:
            continue
        for evidence in graph.evidence.get(asset.id, ())[:50] or (None,):
            file, _, line = evidence.where.rpartition(":") if evidence else ("", "", "")
            if evidence and not line.isdigit():
                file, line = evidence.where, ""
            components.append(
                {"kind": asset.kind, "name": asset.name, "file": file or None, "line": int(line) if line else None}
            )
    relations = [
        {"type": relation.verb, "from": _end(graph, relation.source), "to": _end(graph, relation.target)}
        for relation in graph.relations
        if relation.source in graph.assets and relation.target in graph.assets
    ]
    return {"components": components, "relations": relations}


def _end(graph: Graph, asset: str) -> dict[str, str]:
    return {"kind": graph.assets[asset].kind, "name": graph.assets[asset].name}


def _figures(kinds: dict[str, dict[str, Any]]) -> dict[str, float]:
    total = _total(kinds)
    figures = {"all_f1": _f1(total), "precision": _share(total["tp"], total["fp"])}
    for kind in ("model", "tool", "prompt", "relation"):
        row = kinds.get(kind, {"tp": 0, "fp": 0, "fn": 0})
        if row["tp"] + row["fp"] + row["fn"]:
            figures[f"{kind}_f1"] = _f1(row)
    if kinds.get("relation", {}).get("repos"):
        figures["relation_macro_f1"] = round(kinds["relation"]["macro"], 4)
    return figures


def _score(scorers: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    command = [sys.executable, str(scorers / "score.py"), *arguments, "--format", "json"]
    kinds: dict[str, dict[str, Any]] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return kinds


def _total(kinds: dict[str, dict[str, Any]]) -> dict[str, int]:
    """Sums over all kinds of assets."""
    return {name: sum(row[name] for kind, row in kinds.items() if kind != "relation") for name in ("tp", "fp", "fn")}


def _share(hit: int, other: int) -> float:
    return round(hit / (hit + other), 4) if hit + other else 0.0


def _f1(row: dict[str, Any]) -> float:
    both = 2 * row["tp"] + row["fp"] + row["fn"]
    return round(2 * row["tp"] / both, 4) if both else 0.0


def _cpu() -> float:
    mine, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + children.ru_utime + children.ru_stime
