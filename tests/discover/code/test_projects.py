"""Whole projects in each language and programs of each framework: what is found in them, whatever things are called."""

from __future__ import annotations

import fnmatch
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.discover import registry
from penstock.discover.code.relevance import choose, glance
from penstock.discover.collector import COLLECTORS, JOINERS, Fact, File, Source
from penstock.graph.graph import Graph
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Complete, Observation

registry.load()

FOLDER = Path(__file__).parent / "projects"
KINDS = {"model", "agent", "tool", "vector_store", "dataset", "endpoint", "pipeline", "mcp_server", "data_store"}
CODE = (".py", ".ts", ".js", ".go", ".java", ".cs", ".kt", ".rs", ".rb", ".php")

PROJECTS = [
    pytest.param(path.stem, project, id=f"{path.stem}-{project['name']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for project in yaml.safe_load(path.read_text())
]

#: Small programs in the frameworks that sources are made of, as their documentation writes them.
PROGRAMS = [
    pytest.param(program, id=f"{path.stem}-{program['name']}")
    for path in sorted((FOLDER.parent / "frameworks").glob("*.yaml"))
    for program in yaml.safe_load(path.read_text())
]


def read(files: dict[str, str]) -> Graph:
    """The graph of a source in memory, by all readers of code and infrastructure."""
    facts: dict[str, list[Fact]] = {}
    found: list[Any] = []
    for path, text in files.items():
        file = File(path, text.encode(), "repo:acme/shop")
        for collector in _readers():
            if any(fnmatch.fnmatch(path.rpartition("/")[2], p) or fnmatch.fnmatch(path, p) for p in collector.reads):
                for each in collector.run(file):
                    facts.setdefault(each.kind, []).append(each) if isinstance(each, Fact) else found.append(each)
    source = Source("repo:acme/shop", "acme/shop", tuple(files), {k: tuple(v) for k, v in facts.items()}, {})
    for name, joiner in JOINERS.items():
        if name.startswith(("code", "infra")):
            found += joiner.run(source)
    return merge(
        [each for each in found if isinstance(each, Observation)],
        complete=[each for each in found if isinstance(each, Complete)],
    )


@cache
def _readers():
    return [collector for name, collector in COLLECTORS.items() if name.startswith(("code.", "infra."))]


def seen(files: dict[str, str], kinds: set[str] = KINDS) -> tuple[set[str], int, set[str]]:
    """Assets, the number of prompts, and relations, as the tables write them."""
    graph = read(files)
    assets = {f"{asset.kind} {asset.name}" for asset in graph.assets.values() if asset.kind in kinds}
    names = {
        asset.id: "APP" if asset.kind == "application" else "*" if asset.kind == "prompt" else asset.name
        for asset in graph.assets.values()
    }
    links = {f"{names[r.source]} {r.verb} {names[r.target]}" for r in graph.relations}
    return assets, sum(1 for _ in graph.of_kind("prompt")), links


def renamed_variables(files: dict[str, str]) -> dict[str, str]:
    """The same with other names of the variables that a ``.env`` sets."""
    names = {
        n for path, text in files.items() if ".env" in path for n in re.findall(r"^([A-Z_]+)=", text, re.MULTILINE)
    }
    fields = {name: f"TEAM_{name}" for name in names}
    changed = {path: _replaced(text, fields) for path, text in files.items()}
    return {path: _replaced(text, {n.lower(): f"team_{n.lower()}" for n in names}) for path, text in changed.items()}


def renamed_constants(files: dict[str, str]) -> dict[str, str]:
    """The same with other names of the constants that its code defines."""
    code = {path: text for path, text in files.items() if path.endswith(CODE)}
    names = {
        name
        for text in code.values()
        for name in re.findall(r"\b([A-Z][A-Z_]{3,})\b(?=\s*(?::[^=\n(]{0,30})?=[^=>])", text)
        if name != "NAME"
    }
    return {p: _replaced(t, {n: f"{n}_TOO" for n in names}) if p in code else t for p, t in files.items()}


def deeper(files: dict[str, str]) -> dict[str, str]:
    """The same in a folder of a larger source, beside a module without AI."""
    moved = {f"services/one/{path}": text for path, text in files.items()}
    return {**moved, "services/two/main.py": "import os\nprint(os.getcwd())\n"}


def _replaced(text: str, names: dict[str, str]) -> str:
    for name, other in names.items():
        text = re.sub(rf"\b{name}\b", other, text)
    return text


def test_every_language_has_three_projects():
    languages = [param.values[0] for param in PROJECTS]
    assert {languages.count(language) for language in languages} == {3}
    assert len(set(languages)) == 9


@pytest.mark.parametrize(("language", "project"), PROJECTS)
def test_a_project_holds_what_its_table_says_and_nothing_else(language, project):
    assets, prompts, links = seen(project["files"])
    assert assets == set(project["finds"])
    assert prompts == project.get("prompts", 0)
    assert set(project["links"]) - links == set()


@pytest.mark.parametrize("changed", [renamed_variables, renamed_constants, deeper])
@pytest.mark.parametrize(("language", "project"), PROJECTS)
def test_what_is_found_does_not_hang_on_names(language, project, changed):
    if changed is deeper and any(word in str(project["finds"]) for word in ("pipeline", "dataset")):
        return  # whose names are their paths
    before, after = seen(project["files"]), seen(changed(project["files"]))
    assert after[:2] == before[:2]
    assert set(project["links"]) - after[2] == set()


@pytest.mark.parametrize(("language", "project"), PROJECTS)
def test_reading_only_what_is_near_ai_finds_the_same(language, project):
    files = project["files"]
    behind = {path: text for path, text in files.items() if path.endswith((*CODE, "go.mod", ".csproj", "Cargo.toml"))}
    near = choose({path: glance(path, text.encode()) for path, text in behind.items()})
    kept = {path: text for path, text in files.items() if path not in behind or path in near}
    assert seen(kept)[:2] == seen(files)[:2]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_holds_what_its_table_says_and_nothing_else(program):
    """``open`` is what a person sees in a program and the reader does not, ``more`` in it what only the reader sees."""
    assets, prompts, links = seen(program["files"], KINDS | {"guardrail"})
    still = program.get("open", {})
    assert assets == set(program["finds"]) - set(still.get("finds", ())) | set(still.get("more", ()))
    assert set(program["links"]) - links == set(still.get("links", ()))
    if "prompts" in program:
        assert prompts == program["prompts"] - still.get("prompts", 0)
