"""Small organisations, judged by what a senior engineer wrote down beforehand (format: eval/areas/scenarios.py)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from eval.areas.scenarios import answers_of
from penstock.graph.vocabulary import SEVERITIES

FOLDER = Path(__file__).parent / "scenarios"
SCENARIOS = [
    scenario
    for path in sorted(FOLDER.glob("*.yaml"))
    for scenario in yaml.safe_load(path.read_text(encoding="utf-8"))["scenarios"]
]
#: Questions a person reads; what comes later counts as not asked.
FIRST = 6
#: Words that make no question alike.
FILLING = {"whether", "about", "which", "their", "there", "would", "could", "should", "where", "person", "without"}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["id"])
def test_the_organisation_is_judged_as_a_senior_engineer_would(scenario: Mapping[str, Any]) -> None:
    said = answers_of({name: part for name, part in scenario.items() if name != "expected"})
    assert list(disagreements(scenario, said)) == []


def disagreements(scenario: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[str]:
    expected = scenario["expected"]
    found = {(f["rule"], f["asset"]): f for f in said["findings"]}
    yield from _findings(expected["findings"], found)
    yield from _silence(expected["must_not"], found)
    yield from _order(expected["findings"], expected["ranking"], found)
    yield from _paths(expected["attack_paths"], said["attack_paths"])
    own = {asset["id"]: set((asset.get("props") or {}).get("data") or ()) for asset in scenario["assets"]}
    for asset, labels in expected["taint"].items():
        if set(said["taint"][asset]) - own[asset] != set(labels):
            yield f"{asset} carries {said['taint'][asset]}, not {labels}"
    answers = dict(expected["answers"])
    for name, told in said["answers"][answers.pop("system")].items():
        if _plain(told) != _plain(answers[name]):
            yield f"{name} is {answers[name]}, not {told}"
    for question in expected["questions"]:
        if not any(_asks(question, other) for other in said["questions"][:FIRST]):
            yield f"not asked of {question['asset']}: {question['about']}; but {said['questions'][:FIRST]}"


def _matching(expected: Mapping[str, Any], found: Mapping[Any, Any]) -> list[Any]:
    return [found[key] for asset in _places(expected) if (key := (expected["rule"], asset)) in found]


def _places(expected: Mapping[str, Any]) -> list[str]:
    return [expected["asset"], *expected.get("also", ())]


def _findings(expected: list[Any], found: Mapping[Any, Any]) -> Iterator[str]:
    for one in expected:
        raised = _matching(one, found)
        if not raised and not one.get("optional"):
            yield f"missing: {one['rule']} on {one['asset']}"
        elif raised and one["severity"] not in [finding["severity"] for finding in raised]:
            yield f"{one['rule']} on {one['asset']} is {one['severity']}, not {raised[0]['severity']}"
    known = {(one["rule"], place) for one in expected for place in _places(one)}
    for (rule, asset), finding in found.items():
        if (rule, asset) not in known and SEVERITIES.index(finding["severity"]) >= SEVERITIES.index("medium"):
            yield f"noise: {rule} on {asset} ({finding['severity']})"


def _silence(must_not: list[Any], found: Mapping[Any, Any]) -> Iterator[str]:
    for one in must_not:
        ceiling = {"none": -1, "low": 1}[one.get("max", "low")]
        for (rule, asset), finding in found.items():
            meant = rule == one["rule"] and one["asset"] in ("*", asset)
            if meant and SEVERITIES.index(finding["severity"]) > ceiling:
                yield f"false: {rule} on {asset}: {one['why']}"


def _order(expected: list[Any], ranking: list[list[str]], found: Mapping[Any, Any]) -> Iterator[str]:
    rows = {one["id"]: one for one in expected}
    for place, tier in enumerate(ranking):
        for better, worse in product(tier, [id for later in ranking[place + 1 :] for id in later]):
            for one, two in product(_matching(rows[better], found), _matching(rows[worse], found)):
                if one["score"] <= two["score"]:
                    yield f"{one['rule']} on {one['asset']} is not above {two['rule']} on {two['asset']}"


def _paths(expected: list[Any], shown: list[Any]) -> Iterator[str]:
    for path in expected:
        ways = [set(path["hops"]), *map(set, path.get("or_hops", ()))]
        like = [
            other
            for other in shown
            if (other["entry"], other["target"]) == (path["entry"], path["target"])
            and any(way - set(path.get("may_skip", ())) <= set(other["hops"]) <= way for way in ways)
        ]
        if not like:
            yield f"no path {path['entry']} {path['hops']}; shown: {[(p['entry'], p['hops']) for p in shown]}"
        elif not any(other["break_at"][0] in path["break_at"] for other in like):
            yield f"the path {path['hops']} is cut at {like[0]['break_at'][0]}, not {path['break_at']}"
        elif not any(other["severity"] == path["severity"] for other in like):
            yield f"the path {path['hops']} is {path['severity']}, not {like[0]['severity']}"


def _asks(expected: Mapping[str, str], question: Mapping[str, str]) -> bool:
    return expected["asset"] == question["asset"] and bool(_words(expected["about"]) & _words(question["about"]))


def _words(text: str) -> set[str]:
    words = {word.strip(".,;:?()'").casefold() for word in text.split()}
    return {word[:5] for word in words if len(word) >= 5 and word not in FILLING}


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value
