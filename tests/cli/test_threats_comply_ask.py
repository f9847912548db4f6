"""``penstock threats``, ``comply`` and ``ask`` over a state that a scan has filled."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from penstock.cli.commands import ask, comply, threats
from penstock.errors import NotReachable, NotUnderstood, PenstockError, WrongUse
from penstock.graph.store import open_store

Run = Callable[..., str]
COMMANDS = {"threats": threats.command, "comply": comply.command, "ask": ask.command}


@pytest.fixture
def run(shop: Path) -> Run:
    """Run a command on the scanned shop; what it prints."""

    def run_(name: str, *words: str | Path) -> str:
        given = [*map(str, words), "--state", str(shop / "state")]
        return CliRunner().invoke(COMMANDS[name], given, standalone_mode=False, catch_exceptions=False).stdout

    return run_


def test_all_systems_then_one_of_them(run: Run, tmp_path: Path) -> None:
    systems = json.loads(run("threats", "--format", "json"))["systems"]
    worst = max(systems, key=lambda system: len(system["threats"]))
    assert worst["name"] in run("threats")
    assert worst["threats"][0]["title"] in run("threats", worst["id"])
    for format_ in ("md", "html"):
        file = tmp_path / f"model.{format_}"
        assert run("threats", worst["id"], "--format", format_, "--out", file) == ""
        assert worst["threats"][0]["title"] in file.read_text(encoding="utf-8")


def test_a_page_of_everything_is_refused(run: Run) -> None:
    with pytest.raises(WrongUse):
        run("threats", "--format", "html")


def test_frameworks_at_a_glance_and_one_by_its_name(run: Run) -> None:
    assert "EU AI Act" in run("comply") and "no legal advice" in " ".join(run("comply").split())
    told = json.loads(run("comply", "eu-ai-act", "--format", "json"))
    assert {f["id"] for f in told["frameworks"]} == {"eu-ai-act-2024"} and told["proposed"] and told["dates"]
    with pytest.raises(WrongUse):
        run("comply", "no-such-thing")


def sheet_of(run: Run, place: Path) -> dict:
    run("ask", "--write", place, "--by", "mia")
    filled: dict = yaml.safe_load(place.read_text(encoding="utf-8"))
    return filled


def test_a_sheet_goes_out_and_answers_come_back_as_that_persons_word(run: Run, shop: Path, tmp_path: Path) -> None:
    place = tmp_path / "answers.yaml"
    sheet = sheet_of(run, place)
    asked = next(row for row in sheet["answers"] if row["about"] == "exposure")
    asked["answer"] = "corporate"
    place.write_text(yaml.safe_dump(sheet), encoding="utf-8")
    run("ask", "--answers", place)
    with contextlib.closing(open_store(shop / "state" / "penstock.db")) as store:
        graph = store.graph()
    value, evidence = graph.claims[asked["asset"], "exposure"][0]
    assert (value, evidence.collector) == ("corporate", "person:mia") and evidence.until is not None
    left = json.loads(run("ask", "--format", "json"))["questions"]
    assert (asked["asset"], "exposure") not in {(row["asset"], row["about"]) for row in left}


def test_an_untouched_sheet_says_nothing(run: Run, shop: Path, tmp_path: Path) -> None:
    place = tmp_path / "answers.yaml"
    sheet_of(run, place)
    before = run("ask")
    assert run("ask", "--answers", place) == before


def test_answers_are_never_overwritten(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "answers.yaml"
    place.write_text("mine", encoding="utf-8")
    with pytest.raises(WrongUse):
        run("ask", "--write", place)
    assert place.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    "text",
    ["", "[", "answers: 3", "by: x\nanswers: [{asset: nowhere, about: exposure, answer: internet}]", "a: &a [*a]",
     "by: x\nmore: 1", "x" * 1_000_001, "\x00",
     "by: x\nanswers: [{asset: a, about: exposure, answer: moon}]"],
)  # fmt: skip
def test_a_bad_sheet_is_refused_in_words(run: Run, tmp_path: Path, text: str) -> None:
    place = tmp_path / "answers.yaml"
    place.write_text(text, encoding="utf-8")
    with pytest.raises(PenstockError):
        run("ask", "--answers", place)


def test_one_bad_answer_takes_none_down(run: Run, shop: Path, tmp_path: Path) -> None:
    place = tmp_path / "answers.yaml"
    sheet = sheet_of(run, place)
    good, bad = [row for row in sheet["answers"] if row["about"] in ("exposure", "auth", "purpose")][:2]
    good["answer"] = {"exposure": "private", "auth": "oidc", "purpose": "a test"}[good["about"]]
    bad["answer"] = ["no", "such", "value"]
    place.write_text(yaml.safe_dump(sheet), encoding="utf-8")
    before = run("ask", "--format", "json")
    with pytest.raises((NotUnderstood, WrongUse)):
        run("ask", "--answers", place)
    assert json.loads(run("ask", "--format", "json"))["questions"] == json.loads(before)["questions"]


def test_a_missing_sheet_is_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(NotReachable):
        run("ask", "--answers", tmp_path / "nowhere.yaml")
