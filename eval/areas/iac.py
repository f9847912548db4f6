"""Infrastructure code: scan every repository that the labels name; score assets, model references and links."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from eval.areas.inventory import inventory
from penstock.graph.graph import Graph
from penstock.work.workers import Workers

#: Figures of the scorer's sum that are reported.
FIGURES = ("recall", "precision", "model_refs", "links", "must_not")
#: What the scorer does not judge, or counts as the application that it is not (the repository itself).
_LEFT_OUT = frozenset({"repository", "team", "person", "process", "package", "framework", "provider", "image"})


def run(set_dir: Path, scorers: Path, repos: Path | None, out: Path) -> dict[str, float] | None:
    """Figures over the repositories that are there; None when none is.

    Args:
        set_dir: folder with ``dev.yaml``.
        scorers: folder that holds ``score.py``.
        repos: folder of checkouts ``owner__name``.
        out: folder for one report a repository.
    """
    out.mkdir(parents=True, exist_ok=True)
    counted: list[tuple[dict[str, Any], str]] = []
    labels = []
    for file in sorted(set_dir.glob("*.yaml")):
        document = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        there = [r for r in document.get("repos", ()) if repos and (repos / _name(r)).is_dir()]
        if there:
            path = out / f"{file.stem}.labels.yaml"
            path.write_text(yaml.safe_dump({**document, "repos": there}, sort_keys=False), encoding="utf-8")
            labels.append(path)
            counted += [(repository, _name(repository)) for repository in there]
    if not counted or repos is None:
        return None
    with Workers(processes=1, memory_mb=1024) as workers:
        for _, name in counted:
            (out / f"{name}.json").write_text(json.dumps(report(inventory(repos / name, workers)), indent=1))
    sums: dict[str, list[float]] = {}
    for path in labels:
        done = subprocess.run(
            [sys.executable, str(scorers / "score.py"), str(path), str(out), "--format", "json", "--show"],
            capture_output=True,
            text=True,
            check=True,
        )
        (out / f"{path.stem}.score.json").write_text(done.stdout)
        for name, value in json.loads(done.stdout)["all"].items():
            if name in FIGURES and value is not None:
                sums.setdefault(name, []).append(float(value))
    return {
        name: round(sum(values) if name == "must_not" else sum(values) / len(values), 4)
        for name, values in sums.items()
    }


def report(graph: Graph) -> dict[str, list[dict[str, Any]]]:
    """The plain form that the scorer reads: one component a place, relations by name, the type where a name has it."""
    components = []
    for asset in graph.assets.values():
        if asset.kind in _LEFT_OUT or (asset.kind == "application" and not _type(asset.name)):
            continue
        files = {evidence.where.rpartition(":")[0] or evidence.where for evidence in graph.evidence.get(asset.id, ())}
        for file in sorted(files) or [""]:
            components.append({"kind": asset.kind, "name": asset.name, "file": file or None, "type": _type(asset.name)})
    relations = [
        {"type": r.verb, "from": graph.assets[r.source].name, "to": graph.assets[r.target].name}
        for r in graph.relations
        if r.source in graph.assets and r.target in graph.assets
    ]
    return {"components": components, "relations": relations}


def _type(name: str) -> str | None:
    """``aws_sagemaker_endpoint`` of ``aws_sagemaker_endpoint.chat``, where the name is a resource's address."""
    parts = name.removeprefix("data.").split(".")
    return parts[0] if len(parts) == 2 and "_" in parts[0] and "/" not in name else None


def _name(repository: dict[str, Any]) -> str:
    return str(repository["repo"]).replace("/", "__")
