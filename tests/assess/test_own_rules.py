"""Rules of users: read as data, tried on their own examples, and named when they are wrong or never end."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from penstock.assess import own_rules
from penstock.assess.own_rules import examples_of, read_rules
from penstock.cli.commands.rules import command
from penstock.errors import NotUnderstood

SOUND = {
    "id": "MY001",
    "name": "my-open-agent",
    "title": "Agent on the internet",
    "severity": "high",
    "match": "agent",
    "when": 'agent.exposure == "internet"',
    "explain": "{agent} is on the internet",
    "why": "Anyone reaches it.",
    "fix": "Close {agent}.",
    "does_not_mean": "That anyone did.",
    "tags": [{"owasp-llm-2026": "LLM03", "why": "agency"}],
    "fires": ["agent[exposure: internet]"],
    "silent": ["agent[exposure: private]"],
}


def written(folder: Path, *rows: object) -> Path:
    file = folder / "rules.yaml"
    file.write_text(yaml.safe_dump(list(rows)), encoding="utf-8")
    return file


def test_a_sound_rule_holds(tmp_path: Path) -> None:
    ((row, wrong),) = read_rules(written(tmp_path, SOUND))
    assert wrong == []
    assert [tried.why for tried in examples_of(row)] == ["", ""]


def test_an_example_that_goes_the_other_way_is_named(tmp_path: Path) -> None:
    ((row, _),) = read_rules(written(tmp_path, {**SOUND, "silent": ["agent[exposure: internet]"]}))
    assert [tried.why for tried in examples_of(row) if tried.why] == ["fires on agent[exposure: internet]"]


def test_a_rule_without_examples_is_not_proven(tmp_path: Path) -> None:
    ((row, _),) = read_rules(written(tmp_path, {**SOUND, "silent": []}))
    assert any("no example under silent" in tried.why for tried in examples_of(row))


@pytest.mark.parametrize(
    "when",
    [
        "agent.effects.exists(a, agent.effects.exists(b, agent.effects.exists(c, a == b)))",
        " && ".join(['agent.name == "x"'] * 400),
        "(" * 200 + "agent.root" + ")" * 200,
    ],
)
def test_a_condition_that_would_not_end_is_refused_by_name(tmp_path: Path, when: str) -> None:
    ((row, wrong),) = read_rules(written(tmp_path, {**SOUND, "when": when}))
    assert row.id == "MY001"
    assert wrong


def test_an_example_that_takes_too_long_names_its_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_rules, "SECONDS", 0.0)
    ((row, _),) = read_rules(written(tmp_path, SOUND))
    assert all("MY001 takes more than" in tried.why for tried in examples_of(row))


@pytest.mark.parametrize("text", ["[{id: 1}]", "- &a [*a]", "{rows: 3}", "\x00", "- {id: X, colour: red}"])
def test_what_is_no_rule_file_says_so(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(NotUnderstood):
        list(read_rules(file))


def test_the_command_tells_rule_by_rule(tmp_path: Path) -> None:
    done = CliRunner().invoke(command, ["test", str(written(tmp_path, SOUND))])
    assert done.output.startswith("holds  MY001")
    wrong = CliRunner().invoke(command, ["test", str(written(tmp_path, {**SOUND, "when": "agent.colour == 1"}))])
    assert isinstance(wrong.exception, NotUnderstood)
    assert "colour" in wrong.output


def test_the_command_lists_the_rules() -> None:
    assert "PS101" in CliRunner().invoke(command).output
