"""A removal of labels from end to end: proposed in the tree, confirmed outside it, ended."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.graph.declassify import DAY
from penstock.graph.labels import propagate
from penstock.graph.store import open_store
from tests.cli.command import Ended

Call = Callable[..., Ended]

TREE = {
    "homes.csv": "name,email\n" + "".join(f"Ada {n},ada.lovelace{n}@mail-shop.de\n" for n in range(40)),
    "sums.csv": "region,total\n" + "".join(f"north {n},{150 + n}\n" for n in range(40)),
    "ai-system.yaml": """
system:
  name: sums
  data:
    - path: sums.csv
      removed:
        method: sums over 150 homes
        labels: [pii]
        from: [homes.csv]
        evidence: docs/sums.md
        approved_by: the team itself
        date: 2026-01-01
""",
}


@pytest.fixture
def tree(tmp_path: Path, call: Call) -> Path:
    folder = tmp_path / "sums"
    folder.mkdir()
    for name, text in TREE.items():
        (folder / name).write_text(text)
    assert call("scan", folder, "--state", tmp_path / "state", "--fail-on", "never").code in (0, 3)
    return tmp_path / "state"


def contents(state: Path, *, days: float = 0) -> tuple[frozenset[str], list[tuple[str, str]]]:
    """The labels of the sums and what is said of them, so many days from now."""
    with contextlib.closing(open_store(state / "penstock.db")) as store:
        graph = store.graph() if not days else store.graph(store.scans()[0][0] + days * DAY)
    (sums,) = [asset for asset in graph.of_kind("dataset") if asset.name.endswith("sums.csv")]
    labels = propagate(graph)
    return labels.contains(sums.id), [(note.kind, note.text) for note in labels.notes(sums.id)]


def test_a_tree_proposes_an_approver_confirms_and_it_ends(tree: Path, call: Call) -> None:
    labels, [(kind, text)] = contents(tree)
    assert labels == {"pii"} and kind == "unconfirmed" and "proposed" in text
    assert "sums over 150 homes" in call("data", "confirm", "--state", tree).out
    assert "proposed" in call("data", "why", "sums.csv", "--state", tree).out

    said = call(
        "data", "confirm", "sums.csv", "--by", "dana", "--why", "I read the job", "--until", in_days(9), "--state", tree
    )
    assert said.code == 0 and "accepted by dana" in said.out

    labels, [(kind, text)] = contents(tree)
    assert labels == set() and kind == "declassified"
    assert "sums over 150 homes" in text and "dana" in text and f"until {in_days(9)}" in text
    assert "Nothing waits" in call("data", "confirm", "--state", tree).out
    why = json.loads(call("data", "why", "sums.csv", "--format", "json", "--state", tree).out)
    assert why["labels"] == [] and "dana" in json.dumps(why["notes"])

    assert contents(tree, days=8)[0] == set()
    labels, [(kind, _)] = contents(tree, days=12)
    assert labels == {"pii"} and kind == "unconfirmed"


def test_another_scan_of_the_tree_keeps_the_word_and_a_new_source_is_not_covered(tree: Path, call: Call) -> None:
    assert call("data", "confirm", "sums.csv", "--by", "dana", "--why", "read", "--state", tree).code == 0
    call("scan", tree.parent / "sums", "--state", tree, "--fail-on", "never")
    assert contents(tree)[0] == set()
    (tree.parent / "sums" / "people.csv").write_text(TREE["homes.csv"])
    declared = TREE["ai-system.yaml"].replace("from: [homes.csv]", "from: [homes.csv, people.csv]")
    (tree.parent / "sums" / "ai-system.yaml").write_text(declared)
    call("scan", tree.parent / "sums", "--state", tree, "--fail-on", "never")
    assert contents(tree)[0] == {"pii"}


def in_days(days: int) -> str:
    import time

    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * DAY))
