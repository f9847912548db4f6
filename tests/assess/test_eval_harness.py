"""The harness measures any folder of the layout, says what it needs, and judges by no name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from eval.areas import scenarios
from eval.mutate import comparable, mutated
from eval.run import main
from eval.targets import met

SCENARIO = {
    "id": "made-up",
    "org": {"sector": "retail", "regions": ["eu"], "regimes": ["gdpr"], "sanctioned_providers": ["house"]},
    "assets": [
        {"id": "shop", "kind": "application", "name": "Shop", "env": "prod", "owner": "t-web",
         "props": {"exposure": "internet", "auth": "none", "audience": "public", "output_filter": False}},
        {"id": "bot", "kind": "agent", "name": "Shop bot", "env": "prod", "owner": None, "props": {}},
        {"id": "look", "kind": "tool", "name": "Look up", "env": "prod", "owner": "t-web",
         "props": {"effects": ["read", "delete"], "approval": "none"}},
        {"id": "orders", "kind": "dataset", "name": "Orders", "env": "prod", "owner": "t-web",
         "props": {"data": ["pii"], "records": 10}},
        {"id": "nb", "kind": "compute", "name": "Box", "env": "dev", "owner": "t-web", "props": {}},
        {"id": "key", "kind": "credential", "name": "Old key", "env": "prod", "owner": "t-web", "props": {}},
        {"id": "repo", "kind": "repository", "name": "Site", "env": "prod", "owner": "t-web",
         "props": {"exposure": "internet"}},
    ],
    "relations": [
        ["shop", "invokes", "bot"], ["bot", "uses_tool", "look"], ["look", "reads", "orders"],
        ["shop", "supports", "sales"], ["key", "stored_in", "repo"], ["key", "grants", "orders"],
    ],
    "context": {
        "teams": {"t-web": "Web"},
        "processes": {"sales": {"name": "Sales", "criticality": 4}},
        "decisions": [{"what": "Old key revoked", "date": "2026-01-01"}],
    },
}  # fmt: skip


def test_a_scenario_is_judged_from_its_graph_alone() -> None:
    answer = scenarios.answers_of(SCENARIO)
    found = {(f["rule"], f["asset"]) for f in answer["findings"]}
    assert {("x-untrusted-private-egress", "bot"), ("tool-no-approval", "look"), ("no-owner", "bot")} <= found
    assert ("x-leaked-key-to-data", "key") not in found  # a dated decision says that it is dead
    assert answer["taint"]["bot"] == ["pii"]
    assert answer["answers"]["shop"]["processes"] == ["sales"]
    assert answer["answers"]["bot"]["used_for"] == "unknown"
    assert any(p["hops"] == ["shop", "bot", "look", "orders"] for p in answer["attack_paths"])


@pytest.mark.parametrize("seed", range(5))
def test_names_and_order_change_nothing(seed: int) -> None:
    changed, names = mutated(SCENARIO, seed)
    changed["context"]["decisions"] = [{"what": f"thing {key} revoked"} for key, old in names.items() if old == "key"]
    assert comparable(scenarios.answers_of(changed), names) == comparable(scenarios.answers_of(SCENARIO), {})


def test_without_a_set_it_says_what_it_needs(capsys) -> None:
    assert main([]) == 2
    assert "SET" in capsys.readouterr().out


def test_areas_without_adapter_are_named_and_figures_are_written(tmp_path: Path, capsys) -> None:
    for area in ("scenarios", "detection"):
        (tmp_path / "set" / area).mkdir(parents=True)
    (tmp_path / "set/scenarios/some.yaml").write_text(yaml.safe_dump({"scenarios": [SCENARIO]}), encoding="utf-8")
    scorer = tmp_path / "scorers/scenarios/score.py"
    scorer.parent.mkdir(parents=True)
    scorer.write_text(
        "import json, pathlib, sys\n"
        "found = json.loads((pathlib.Path(sys.argv[2]) / 'made-up.json').read_text())['findings']\n"
        "print(json.dumps({'mean': {'recall': 0.5, 'tau': None, 'must_not': 0, 'extra': float(len(found) > 0)}}))\n",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    argv = ["--set", str(tmp_path / "set"), "--scorers", str(tmp_path / "scorers"), "--out", str(out)]
    assert main([*argv, "--areas", "scenarios detection"]) == 0
    printed = capsys.readouterr().out
    assert "no adapter yet" in printed and "MISSED" in printed
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["areas"] == {"scenarios": {"recall": 0.5, "must_not": 0.0, "extra": 1.0}}
    assert set(results) == {"commit", "areas"}


def test_an_unknown_area_is_wrong_use(tmp_path: Path, capsys) -> None:
    assert main(["--set", str(tmp_path), "--areas", "astrology"]) == 2
    assert "astrology" in capsys.readouterr().out


def test_targets_read_both_ways() -> None:
    assert met(0.9, ">= .85") and not met(0.8, ">= .85")
    assert met(0.0, "= 0") and met(1.5, "<= 2") and not met(3, "<= 2")
