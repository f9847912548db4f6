"""Files made to hurt a scanner, through the collectors that ship: each costs a bounded time and at most its own row."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from penstock.discover import registry
from penstock.discover.scan import scan
from penstock.graph.store.protocol import Scan
from penstock.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "people.csv").write_text("email\n" + "".join(f"p{n}@mailhaven.org\n" for n in range(20)))
    return tmp_path / "shop"


def look(root: Path) -> Scan:
    return scan([root], settings=Settings(), cache=None, now=1.0)


def rows(result: Scan, path: str) -> list[str]:
    return [row.why for row in result.unseen if row.where.startswith(path) and not row.skipped]


def test_every_collector_loads() -> None:
    assert registry.load() == ()


def test_a_notebook_of_a_hundred_thousand_cells(root: Path) -> None:
    for name, cell in (
        ("small.ipynb", {"cell_type": "code", "source": "x=1"}),
        ("large.ipynb", {"cell_type": "code", "source": ["x=1"], "outputs": [], "metadata": {}, "execution_count": 1}),
    ):
        document = {"cells": [cell] * 100_000, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (root / name).write_text(json.dumps(document))
    result = look(root)
    assert {row.where.partition(":")[0] for row in result.unseen if not row.skipped} <= {"small.ipynb"}
    assert [row.skipped for row in result.unseen if row.where == "large.ipynb"] == [True]
    assert [scope.rpartition("/")[2] for scope in result.scopes] == ["shop"]


@pytest.mark.parametrize(
    "name", ["bomb.yaml", "catalog-info.yaml", "docker-compose.yml", "ai-system.yaml", "values.yaml"]
)
def test_yaml_with_exploding_anchors(root: Path, name: str) -> None:
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    (root / name).write_text("apiVersion: v1\nkind: Component\nservices: *a11\n".join(["\n".join(layers) + "\n", ""]))
    result = look(root)
    assert len(rows(result, name)) <= 4


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.json", b"[" * 200_000),
        ("deep.py", b"(" * 100_000),
        ("deep.ts", b"{" * 100_000),
        ("deep.yaml", b"- " * 50_000),
        ("line.py", b"x = '" + b"a" * 4_000_000 + b"'"),
        ("nul.py", b"\0" * 100_000),
        ("latin.py", "name = 'café'\n".encode("latin-1")),
        ("half.csv", b'a,b\n"never closed'),
        ("requirements.txt", b"==" * 100_000),
        ("package.json", b'{"dependencies": []}'),
        (".mcp.json", b'{"mcpServers": [1, 2, {"a": 3}]}'),
        ("Dockerfile", b"FROM " * 50_000),
        ("CODEOWNERS", b"* " * 100_000),
        ("x.ipynb", b'{"cells": {"a": 1}}'),
    ],
)
def test_a_broken_file_costs_itself(root: Path, name: str, content: bytes) -> None:
    (root / name).write_bytes(content)
    result = look(root)
    failed = {row.where.partition(":")[0] for row in result.unseen if not row.skipped}
    assert failed <= {name}
    assert not [row for row in result.unseen if "the collector failed" in row.why]


def test_pipes_and_circles_in_the_tree(root: Path) -> None:
    os.mkfifo(root / "agent.py")
    (root / "again").symlink_to(root, target_is_directory=True)
    (root / "round.py").symlink_to(root / "round.py")
    result = look(root)
    assert [row for row in result.unseen if not row.skipped] == []
    assert result.finished == result.scopes
