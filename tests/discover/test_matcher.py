"""Which collectors read a path."""

from __future__ import annotations

import pytest

from penstock.discover.registry import Matcher


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*.py", ["a.py", "x/y/a.py", "x/A.PY"], ["a.pyc", "py"]),
        ("Dockerfile", ["Dockerfile", "a/dockerfile"], ["Dockerfile.old"]),
        ("Dockerfile.*", ["a/Dockerfile.gpu"], ["Dockerfile", "a/Dockerfile.x/y"]),
        ("**/CODEOWNERS", ["CODEOWNERS", ".github/CODEOWNERS"], ["CODEOWNERS/x"]),
        (".github/CODEOWNERS", [".github/CODEOWNERS"], ["x/.github/CODEOWNERS"]),
        ("**/.cursor/*.json", [".cursor/mcp.json", "a/b/.cursor/mcp.json"], [".cursor/x/mcp.json"]),
        ("charts/**", ["charts/a/b.yaml"], ["x/charts/a.yaml"]),
        ("*.tar.gz", ["x.tar.gz"], ["x.gz"]),
        ("values-[a-c].yaml", ["values-b.yaml"], ["values-d.yaml"]),
        (".env*", [".env", "a/.env.local"], ["env"]),
    ],
)
def test_a_pattern_matches_what_it_says(glob: str, yes: list[str], no: list[str]) -> None:
    matcher = Matcher({"it": [glob]})
    assert [path for path in yes if not matcher.names(path)] == []
    assert [path for path in no if matcher.names(path)] == []


def test_every_reader_of_a_path_is_named_once() -> None:
    matcher = Matcher({"b": ["*.yaml", "values.yaml"], "a": ["**/values.yaml"], "c": ["*.py"]})
    assert matcher.names("chart/values.yaml") == ("a", "b")
