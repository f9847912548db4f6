"""The documentation is true: its commands run, its configurations load, its tables are whole."""

import json
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from penstock.cli.app import run
from penstock.graph.vocabulary import KINDS, LABELS, PROPS
from penstock.settings import parse_settings

ROOT = Path(__file__).parents[2]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def revised(folder: Path) -> str:
    """The folder as a repository with one commit."""
    git = ["git", "-C", str(folder), "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    return str(folder)


def test_every_command_in_the_readme_runs_in_its_order(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "examples" / "estate", tmp_path / "estate")
    monkeypatch.chdir(tmp_path / "estate")
    monkeypatch.setenv("PENSTOCK_STATE", str(tmp_path / "state"))
    lines = [line for block in blocks("README.md", "sh") for line in block.splitlines() if line.startswith("penstock ")]
    assert len(lines) > 10
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        if words[0] == "accept":
            run(["risks", "--format", "json"])
            finding = json.loads(capsys.readouterr().out)["findings"][0]["id"]
            soon = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400))
            words = [{"FINDING": finding, "2027-01-31": soon}.get(word, word) for word in words]
        if words[0] == "declare":
            words[1] = "support-agent"  # one repository; the example is a folder of them
        if "--since" in words:
            words = ["scan", revised(tmp_path / "estate" / "support-agent"), "--since", "main"]
        code = run(words)
        said = capsys.readouterr()
        assert code == 0 or (words[0], code) == ("scan", 1), (line, said.err)
        assert said.out or {"--out", "--write"} & set(words)


@pytest.mark.parametrize("page", ["docs/configuration.md", "docs/gateway.md"])
def test_configurations_in_the_documentation_load(page):
    shown = [yaml.safe_load(block) for block in blocks(page, "yaml")]
    operator = [document for document in shown if "system" not in document]
    assert operator
    for document in operator:
        parse_settings(document, page)


def test_the_words_of_the_graph_are_all_explained():
    page = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", page, re.MULTILINE))
    assert rows.keys() == PROPS.keys()
    for name, prop in PROPS.items():
        assert set(prop.words) <= set(rows[name].split(", ")), name
    spoken = " ".join(page.lower().replace("_", " ").split())
    for word in (*KINDS, *LABELS):
        assert word.lower().replace("_", " ").replace("business ", "") in spoken, word


def test_each_benchmark_is_on_the_page_of_measures():
    page = (ROOT / "docs" / "measure.md").read_text(encoding="utf-8")
    for path in (ROOT / "bench").rglob("*.py"):
        assert path.relative_to(ROOT).as_posix() in page
