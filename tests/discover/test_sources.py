"""Targets become sources; git is read without running what a tree brought along."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.discover import git
from penstock.discover.names import Names
from penstock.discover.sources import Tree, trees
from penstock.errors import NotReachable


@pytest.fixture
def held() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def run_git(folder: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    root.mkdir()
    run_git(root, "init", "-q", "-b", "main")
    (root / "app.py").write_text("import openai\n")
    run_git(root, "add", ".")
    run_git(root, "commit", "-q", "-m", "first")
    run_git(root, "remote", "add", "origin", "https://user:token@git.example.com/shop/assistant.git")
    return root


def project(root: Path, name: str, marker: str = "pyproject.toml") -> None:
    (root / name).mkdir(parents=True)
    (root / name / marker).write_text("")


def names(found: list[Tree]) -> list[str]:
    return [tree.name for tree in found]


def test_a_folder_is_one_source(tmp_path: Path, held: contextlib.ExitStack) -> None:
    project(tmp_path, "app/src")
    (tree,) = trees([tmp_path / "app"], held)
    assert tree.scope == f"repo:{tmp_path.name}/app"


def test_a_folder_of_projects_is_one_source_each(tmp_path: Path, held: contextlib.ExitStack) -> None:
    project(tmp_path / "estate", "a", "package.json")
    project(tmp_path / "estate", "b", "CODEOWNERS")
    project(tmp_path / "estate", "team/c", "go.mod")
    project(tmp_path / "estate", "team/d", "Dockerfile")
    project(tmp_path / "estate", "docs", "README.md")
    found = trees([tmp_path / "estate"], held)
    assert names(found) == [f"{tmp_path.name}/estate", "estate/a", "estate/b", "team/c", "team/d"]
    assert str(tmp_path / "estate" / "a") in found[0].without


@pytest.mark.parametrize("marker", ["pyproject.toml", "docker-compose.yml", ".git"])
def test_one_project_of_several_parts_stays_one(tmp_path: Path, held: contextlib.ExitStack, marker: str) -> None:
    project(tmp_path / "shop", "frontend", "package.json")
    project(tmp_path / "shop", "backend", "pyproject.toml")
    (tmp_path / "shop" / marker).touch()
    assert names(trees([tmp_path / "shop"], held)) == [f"{tmp_path.name}/shop"]


def test_a_project_bears_one_name_whichever_folder_above_it_is_scanned(
    tmp_path: Path, held: contextlib.ExitStack
) -> None:
    for name in ("estate/team/chat", "estate/team/search", "estate/hr-bot"):
        project(tmp_path, name)
    whole = {tree.root: tree.scope for tree in trees([tmp_path / "estate"], held)}
    for root, scope in whole.items():
        if root != tmp_path / "estate":
            assert [tree.scope for tree in trees([root], held)] == [scope]


def test_two_folders_of_one_name_never_share_a_scope(tmp_path: Path, held: contextlib.ExitStack) -> None:
    for owner in ("mara", "noor"):
        project(tmp_path, f"{owner}/services/api")
    known = Names()
    (first,) = trees([tmp_path / "mara/services/api"], held, names=known)
    (second,) = trees([tmp_path / "noor/services/api"], held, names=Names(known.places))
    (again,) = trees([tmp_path / "mara/services/api"], held, names=Names(known.places))
    assert (first.name, second.name, again.name) == ("services/api", "noor/services/api", "services/api")


def test_a_folder_that_moved_takes_its_name_along(tmp_path: Path, held: contextlib.ExitStack) -> None:
    project(tmp_path, "old/services/api")
    known = Names()
    trees([tmp_path / "old/services/api"], held, names=known)
    (tmp_path / "old").rename(tmp_path / "new")
    (moved,) = trees([tmp_path / "new/services/api"], held, names=Names(known.places))
    assert moved.name == "services/api"


def test_the_remote_names_the_source(repository: Path, held: contextlib.ExitStack) -> None:
    (tree,) = trees([repository], held)
    assert tree.scope == "repo:shop/assistant"
    assert tree.about["remote"] == "https://git.example.com/shop/assistant.git"
    assert tree.about["branch"] == "main"
    assert tree.about["commit"] == run_git(repository, "rev-parse", "HEAD")
    assert tree.about["committers"] == [["Ada", "ada@example.com", 1]]


def test_two_checkouts_of_one_remote_keep_apart(repository: Path, tmp_path: Path, held: contextlib.ExitStack) -> None:
    run_git(tmp_path, "clone", "-q", str(repository), "other")
    run_git(tmp_path / "other", "remote", "set-url", "origin", "git@git.example.com:shop/assistant.git")
    scopes = [tree.scope for tree in trees([repository, tmp_path / "other", repository], held)]
    assert scopes == ["repo:shop/assistant", "repo:shop/assistant#2"]


def test_a_packed_and_a_detached_repository_are_read_too(repository: Path) -> None:
    run_git(repository, "gc", "-q")
    run_git(repository, "pack-refs", "--all")
    assert git.about(repository).committers
    run_git(repository, "checkout", "-q", "--detach")
    assert git.about(repository).commit


def test_a_worktree_and_a_shallow_clone_are_read_too(repository: Path, tmp_path: Path) -> None:
    run_git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    run_git(repository, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert git.about(tmp_path / "side").remote.endswith("shop/assistant.git")
    run_git(tmp_path, "clone", "-q", "--depth=1", f"file://{repository}", "shallow")
    assert git.about(tmp_path / "shallow").committers == (("Ada", "ada@example.com", 1),)


def test_nothing_that_a_repository_configures_is_run(repository: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    marker = tmp_path / "ran"
    trap.write_text(f"#!/bin/sh\ntouch {marker}\n")
    trap.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "pager.log", "gpg.program", "diff.external", "core.sshCommand",
                 "core.editor", "core.askPass", "credential.helper", "alias.log"):  # fmt: skip
        run_git(repository, "config", name, str(trap) if name != "alias.log" else f"!{trap}")
    run_git(repository, "config", "log.showSignature", "true")
    run_git(repository, "config", "extensions.partialClone", "evil")
    run_git(repository, "config", "remote.evil.url", f"ext::{trap}")
    run_git(repository, "config", "remote.evil.promisor", "true")
    (repository / ".gitattributes").write_text("* filter=evil\n")
    run_git(repository, "config", "filter.evil.smudge", str(trap))
    hooks = repository / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(trap.read_text())
        (hooks / name).chmod(0o755)
    assert git.about(repository).committers == (("Ada", "ada@example.com", 1),)
    with git.at_ref(repository, "main") as tree:
        assert (tree / "app.py").read_text() == "import openai\n"
    objects = sorted((repository / ".git/objects").glob("??/*"))
    for missing in objects:  # a promisor remote would now be asked for them
        missing.unlink()
    assert git.about(repository).note
    assert not marker.exists()


def test_an_address_is_cloned_and_a_ref_taken(repository: Path, held: contextlib.ExitStack) -> None:
    run_git(repository, "checkout", "-q", "-b", "next")
    (repository / "new.py").write_text("")
    run_git(repository, "add", ".")
    run_git(repository, "commit", "-q", "-m", "more")
    whole, at_main, local = trees([f"file://{repository}", f"file://{repository}@main", f"{repository}@main"], held)
    assert (whole.root / "new.py").exists()
    assert not (at_main.root / "new.py").exists()
    assert not (local.root / "new.py").exists()
    assert local.scope.startswith("repo:shop/assistant")


def test_an_address_that_cannot_be_cloned_is_a_row(held: contextlib.ExitStack) -> None:
    (tree,) = trees(["file:///nowhere/at/all"], held)
    (row,) = tree.unseen
    assert not row.skipped
    assert "git could not read" in row.why


def test_an_address_cannot_name_a_program(tmp_path: Path, held: contextlib.ExitStack) -> None:
    with pytest.raises(NotReachable, match="no such file"):
        trees([f"ext::sh -c touch% {tmp_path / 'ran'}"], held)
    with pytest.raises(NotReachable), git.cloned(f"ext::sh -c touch% {tmp_path / 'ran'}"):
        pass
    assert not (tmp_path / "ran").exists()


def test_a_path_that_does_not_exist_is_said(held: contextlib.ExitStack) -> None:
    with pytest.raises(NotReachable) as raised:
        trees(["/no/such/place"], held)
    assert raised.value.where == "/no/such/place"
    assert raised.value.hint


def test_without_git_the_files_are_still_there(
    repository: Path, held: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (tree,) = trees([repository], held)
    assert tree.scope == "repo:shop/assistant"
    assert "git is not installed" in tree.unseen[0].why


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("https://github.com/owner/name.git", "owner/name"),
        ("git@github.com:owner/name.git", "owner/name"),
        ("ssh://git@host:22/group/sub/name", "group/sub/name"),
        ("/srv/git/name.git", "git/name"),
        ("file:///srv/git/name", "git/name"),
        ("https://host/../..", ""),
        ("", ""),
    ],
)
def test_a_remote_has_a_name(remote: str, name: str) -> None:
    assert git.repository_name(remote) == name
