"""Organisation scenarios: import each, judge it, write its answers, let the area's ``score.py`` score them.

The importer reads a scenario as a connector would read an organisation: nothing of what is expected is looked at.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from penstock.assess.assessment import Answers, Assessment
from penstock.assess.engine import assess
from penstock.assess.rules import load_rules
from penstock.graph import identity
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling, propagate
from penstock.graph.merge import merge
from penstock.graph.vocabulary import VERBS, Asset, Complete, Evidence, Observation, Relation
from penstock.settings import Organisation

#: Figures of the scorer's mean that are reported.
FIGURES = ("recall", "tau", "must_not", "extra", "severity", "paths", "cut", "taint_f1", "answers", "questions")


def run(set_dir: Path, scorers: Path, repos: Path | None, out: Path) -> dict[str, float] | None:
    """Figures over all scenario files of the folder, weighted by their number of scenarios."""
    files = sorted(path for path in set_dir.glob("*.yaml") if "scenarios" in (_read(path) or {}))
    if not files:
        return None
    means: list[tuple[int, dict[str, float | None]]] = []
    for path in files:
        scenarios = _read(path)["scenarios"]
        folder = out / path.stem
        folder.mkdir(parents=True, exist_ok=True)
        for scenario in scenarios:
            answer = answers_of({name: part for name, part in scenario.items() if name != "expected"})
            text = json.dumps(answer, indent=1, sort_keys=True)
            (folder / f"{scenario['id']}.json").write_text(text + "\n", encoding="utf-8")
        scored = _scored(scorers / "score.py", path, folder)
        (folder / "score.json").write_text(json.dumps(scored, indent=1) + "\n", encoding="utf-8")
        means.append((len(scenarios), scored["mean"]))
    return {name: value for name in FIGURES if (value := _overall(name, means)) is not None}


def answers_of(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """What Penstock says about a scenario, in the shape that the scorer reads."""
    graph, names, organisation = imported(scenario)
    labelling = propagate(graph)
    assessed = assess(graph, labelling, organisation, now=0.0)
    return said(assessed, graph, labelling, names)


# ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def imported(scenario: Mapping[str, Any]) -> tuple[Graph, dict[str, str], Organisation]:
    """The graph of a scenario, asset id → its name in the scenario, and what the organisation says of itself."""
    scope = f"scenario:{scenario['id']}"
    evidence = Evidence("scenario", str(scenario["id"]), "declared", scope=scope)
    context = scenario.get("context") or {}
    assets = {given["id"]: _asset(given, scope) for given in scenario["assets"]}
    for id, process in (context.get("processes") or {}).items():
        props = {k: process[k] for k in ("criticality", "tolerable_outage_h") if k in process}
        assets[id] = identity.asset("process", process.get("name", id), key=f"{scope}/{id}", props=props)
    for id, who in (context.get("teams") or {}).items():
        assets.setdefault(id, identity.asset("team", str(who), key=f"{scope}/{id}"))
    links = [
        identity.relation(assets[r[0]], r[1], assets[r[2]], _plain(r[3]) if len(r) > 3 else None)
        for r in scenario["relations"]
        if r[0] in assets and r[2] in assets
    ]
    links += [
        identity.relation(assets[given["id"]], "owned_by", assets[given["owner"]])
        for given in scenario["assets"]
        if given.get("owner") in assets
    ]
    for number, decision in enumerate(context.get("decisions") or []):
        what = str(decision.get("what", ""))
        made = identity.asset(
            "decision", what, scope=scope, key=str(number), props={"what": what, "date": str(decision.get("date", ""))}
        )
        assets[f"decision {number}"] = made
        for given in scenario["assets"]:
            if _mentions(what, given["id"]) or _mentions(what, given["name"]):
                links.append(identity.relation(assets[given["id"]], "approved_by", made))
    seen: list[Asset | Relation] = [*assets.values(), *links]
    observations = [Observation(subject, evidence) for subject in seen]
    graph = merge(observations, complete=[Complete(scope, verb, "scenario") for verb in VERBS])
    return graph, {asset.id: name for name, asset in assets.items()}, _organisation(scenario.get("org") or {})


def _asset(given: Mapping[str, Any], scope: str) -> Asset:
    props = _plain(given.get("props") or {})
    labels = props.pop("data", ())
    if given.get("env"):
        props["env"] = given["env"]
    return identity.asset(
        given["kind"], given["name"], scope=scope, key=f"{scope}/{given['id']}", props=props, labels=labels
    )


def _organisation(org: Mapping[str, Any]) -> Organisation:
    listed = org.get("sanctioned_providers")
    return Organisation(
        sector=str(org.get("sector", "")),
        regions=tuple(org.get("regions") or ()),
        regimes=tuple(org.get("regimes") or ()),
        sanctioned_providers=None if listed is None else tuple(listed),
    )


def _plain(props: Mapping[str, Any]) -> dict[str, Any]:
    """Dates as text; all else as it is."""

    def plain(value: Any) -> Any:
        if isinstance(value, date):
            return value.isoformat()
        return {k: plain(v) for k, v in value.items()} if isinstance(value, Mapping) else value

    return {name: plain(value) for name, value in props.items()}


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE) is not None


# ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def said(assessed: Assessment, graph: Graph, labelling: Labelling, names: Mapping[str, str]) -> dict[str, Any]:
    rules = {rule.id: rule.name for rule in load_rules()}
    return {
        "taint": {names[id]: sorted(labelling.touches(id)) for id in graph.assets},
        "findings": [
            {"rule": rules[f.rule], "asset": names[f.subject], "severity": f.severity, "score": f.score}
            for f in assessed.findings
        ],
        "attack_paths": [
            {
                "entry": path.entry,
                "hops": [names[step.asset] for step in path.hops],
                "target": names[path.target],
                "break_at": [names[id] for id in path.cut],
                "severity": path.severity,
            }
            for path in assessed.paths
        ],
        "answers": {names[id]: _six(answers, names) for id, answers in assessed.answers.items()},
        "questions": [{"asset": names[q.asset], "about": q.about} for q in assessed.questions],
    }


def _six(answers: Answers, names: Mapping[str, str]) -> dict[str, Any]:
    processes = answers.processes.value
    known = {
        "audience": answers.audience.value,
        "touches": answers.sensitive_data.value,
        "used_for": answers.used_for.value,
        "processes": None if processes is None else [names[id] for id in processes],
        "impact": answers.impact.value,
    }
    return {name: "unknown" if value is None else value for name, value in known.items()}


def _scored(scorer: Path, scenarios: Path, results: Path) -> dict[str, dict[str, Any]]:
    command = [sys.executable, str(scorer), str(scenarios), str(results), "--format", "json", "--show"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    scored: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return scored


def _overall(name: str, means: list[tuple[int, dict[str, float | None]]]) -> float | None:
    """``must_not`` is a sum over all scenarios, all else a mean."""
    known = [(count, value) for count, mean in means if (value := mean.get(name)) is not None]
    if not known:
        return None
    if name == "must_not":
        return float(sum(value for _, value in known))
    return sum(count * value for count, value in known) / sum(count for count, _ in known)


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
