"""Configurations of coding assistants: scan and judge each case's folder, and score what is reported in which file."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from penstock.assess.engine import assess
from penstock.assess.rules import load_rules
from penstock.discover.scan import scan
from penstock.graph.graph import Graph
from penstock.graph.labels import propagate
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Finding
from penstock.settings import Organisation, Settings
from penstock.work.workers import Workers

#: Kinds that the labels name otherwise.
_NAMES = {"rules_file": "rules"}
_LEFT_OUT = frozenset({"repository", "credential", "provider", "endpoint"})


def run(set_dir: Path, scorers: Path, repos: Path | None, out: Path) -> dict[str, float] | None:
    """Shares of the cases and issues that were caught, and false alarms."""
    labels = sorted(set_dir.glob("*.yaml"))
    figures: list[dict[str, Any]] = []
    out.mkdir(parents=True, exist_ok=True)
    with Workers(processes=1, memory_mb=1024) as workers:
        for path in labels:
            document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            if "cases" not in document:
                continue
            told = Organisation(trusted_domains=tuple((document.get("context") or {}).get("trusted_domains") or ()))
            reported = [row for case in document["cases"] for row in rows(set_dir / case["id"], told, workers)]
            report = out / f"{path.stem}.json"
            report.write_text(json.dumps(reported, indent=1), encoding="utf-8")
            figures.append(_scored(scorers / "score.py", path, report, out / f"{path.stem}.score.json"))
    if not figures:
        return None
    return {
        "cases": _share(figures, "cases"),
        "issues": _share(figures, "issues"),
        "false_alarms": float(sum(figure["false_alarms"] for figure in figures)),
    }


def rows(folder: Path, told: Organisation, workers: Workers) -> Iterator[dict[str, Any]]:
    """What Penstock says about one folder, in the scorer's form."""
    done = scan([folder], settings=Settings(organisation=told), cache=None, workers=workers, now=time.time())
    graph = merge(done.observations, complete=done.complete, unseen=done.unseen, at=done.at)
    for asset in graph.assets.values():
        if asset.kind not in _LEFT_OUT:
            yield {"case": folder.name, "asset": f"{_NAMES.get(asset.kind, asset.kind)}:{asset.name}"}
    names = {rule.id: rule.name for rule in load_rules()}
    for finding in assess(graph, propagate(graph), told, now=0.0).findings:
        yield from _issues(folder.name, names[finding.rule], finding, graph)


def _issues(case: str, name: str, finding: Finding, graph: Graph) -> Iterator[dict[str, Any]]:
    """One row for each file in which something of the finding stands."""
    told: set[str] = set()
    for id in dict.fromkeys((finding.subject, *(step.asset for step in finding.path))):
        asset = graph.assets[id]
        for evidence in graph.evidence.get(id, ()):
            file, _, line = evidence.where.rpartition(":")
            if not file or not line.isdigit() or file in told:
                continue
            told.add(file)
            row = {"case": case, "issue": name, "file": file, "severity": finding.severity, "line": int(line)}
            if asset.kind in ("mcp_server", "tool"):
                row["server" if asset.kind == "mcp_server" else "tool"] = asset.name
            yield row


def _scored(scorer: Path, labels: Path, report: Path, keep: Path) -> dict[str, Any]:
    command = [sys.executable, str(scorer), str(labels), str(report), "--format", "json", "--show"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    keep.write_text(done.stdout, encoding="utf-8")
    scored: dict[str, Any] = json.loads(done.stdout)
    return scored


def _share(figures: list[dict[str, Any]], name: str) -> float:
    caught, of = (sum(figure[name][part] for figure in figures) for part in (0, 1))
    return round(caught / of, 4) if of else 1.0
