"""The walk lists every file that counts, and says what it left out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.discover.walk import Walk, read, walk


def tree(root: Path, *paths: str) -> Path:
    for path in paths:
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x")
    return root


def look(root: Path, **more: object) -> Walk:
    return walk(root, "repo:t", **{"excluded": lambda _path: False, **more})  # type: ignore[arg-type]


def paths(found: Walk) -> list[str]:
    return sorted(entry.path for entry in found.entries)


def notes(found: Walk) -> dict[str, str]:
    return {row.where: row.why for row in found.unseen}


def test_own_work_is_listed_and_installed_code_is_noted(tmp_path: Path) -> None:
    tree(tmp_path, "app/main.py", "node_modules/left-pad/index.js", ".git/config", "vendor/x.go", "venv/lib/y.py")
    found = look(tmp_path)
    assert paths(found) == ["app/main.py"]
    assert notes(found)["node_modules/"] == "third-party code"
    assert all(row.skipped for row in found.unseen)
    assert {row.where for row in found.unseen} == {".git/", "node_modules/", "vendor/", "venv/"}


def test_a_gitignore_in_the_tree_hides_nothing(tmp_path: Path) -> None:
    tree(tmp_path, "secret/agent.py")
    (tmp_path / ".gitignore").write_text("secret/\n")
    assert "secret/agent.py" in paths(look(tmp_path))


def test_a_build_folder_counts_unless_a_tool_writes_it(tmp_path: Path) -> None:
    tree(tmp_path, "go/build/Dockerfile", "py/setup.py", "py/build/lib/app.py")
    found = look(tmp_path)
    assert paths(found) == ["go/build/Dockerfile", "py/setup.py"]
    assert notes(found)["py/build/"] == "build output"


def test_lock_and_minified_files_are_noted_once_a_folder(tmp_path: Path) -> None:
    tree(tmp_path, "web/package-lock.json", "web/a.min.js", "web/b.min.js", "web/app.js")
    found = look(tmp_path)
    assert paths(found) == ["web/app.js"]
    assert {(row.where, row.what, row.why) for row in found.unseen} == {
        ("web/", "1 file", "lock file"),
        ("web/", "2 files", "minified or generated"),
    }


def test_links_are_not_followed(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", "a/x.py")
    tree(tmp_path, "outside/secret.py")
    (root / "a" / "again").symlink_to(root / "a", target_is_directory=True)
    (root / "out").symlink_to(tmp_path / "outside", target_is_directory=True)
    (root / "loop").symlink_to(root / "loop")
    (root / "same.py").symlink_to(root / "a" / "x.py")
    found = look(root)
    assert paths(found) == ["a/x.py"]
    assert {row.why for row in found.unseen} == {
        "symbolic link to a folder above it",
        "symbolic link that leaves the tree",
        "symbolic link that leads nowhere",
    }


def test_pipes_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    found = look(tmp_path)
    assert paths(found) == []
    assert [row.why for row in found.unseen] == ["no regular file (pipe, socket or device)"]


def test_a_file_that_became_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    tree(tmp_path, "a.py")
    (entry,) = look(tmp_path).entries
    (tmp_path / "a.py").unlink()
    os.mkfifo(tmp_path / "a.py")
    with pytest.raises(OSError, match="regular file"):
        read(entry, 100)


def test_a_file_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    tree(tmp_path, "t/a.py", "secret.py")
    (entry,) = look(tmp_path / "t").entries
    (tmp_path / "t/a.py").unlink()
    (tmp_path / "t/a.py").symlink_to(tmp_path / "secret.py")
    with pytest.raises(OSError):
        read(entry, 100)


def test_names_that_are_no_text_can_be_told(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.py")).write_text("x")
    found = look(tmp_path)
    assert paths(found) == ["caf\ufffd.py"]
    assert read(found.entries[0], 10) == b"x"


def test_deep_nesting_ends_with_a_row(tmp_path: Path) -> None:
    tree(tmp_path, "/".join(["d"] * 70) + "/x.py")
    found = look(tmp_path)
    assert paths(found) == []
    assert [row.skipped for row in found.unseen] == [False]


def test_the_operator_may_exclude(tmp_path: Path) -> None:
    tree(tmp_path, "legacy/x.py", "y.py")
    found = look(tmp_path, excluded=lambda path: path == "legacy")
    assert paths(found) == ["y.py"]
    assert notes(found) == {"legacy/": "excluded by the operator"}
