"""From targets to sources: paths, folders of repositories, git addresses and refs."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.discover import git
from penstock.discover.names import Names
from penstock.errors import NotReachable, PenstockError
from penstock.graph.vocabulary import Unseen

#: A folder that holds one of these is a project by itself.
_BUILDS = frozenset(
    (".git", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "environment.yml", "package.json", "go.mod",
     "pom.xml", "build.gradle", "build.gradle.kts", "cargo.toml", "gemfile", "composer.json", "mix.exs", "dockerfile",
     "chart.yaml", "pipfile", "deno.json")
)  # fmt: skip
#: So does one with what a platform team keeps about a project.
_ABOUT = frozenset(("catalog-info.yaml", "catalog-info.yml", "ai-system.yaml", "ai-system.yml", "codeowners"))
#: A folder with one of these is one project of several parts, however many projects its folders look like.
_WHOLE = _BUILDS | {
    "docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml", "makefile", "license", ".github",
    "pnpm-workspace.yaml", "lerna.json", "nx.json", "turbo.json", "go.work",
}  # fmt: skip
#: Folders of folders of repositories: organisation, team, repository.
_NESTING = 3


@dataclass(frozen=True, slots=True)
class Tree:
    """A source on disk. ``only`` limits it to one file; ``without`` are folders that are sources by themselves."""

    scope: str
    name: str
    root: Path
    about: dict[str, Any] = field(default_factory=dict)
    only: str = ""
    without: frozenset[str] = frozenset()
    unseen: tuple[Unseen, ...] = ()


def trees(
    targets: Iterable[str | os.PathLike[str]],
    held: contextlib.ExitStack,
    history: git.History | None = None,
    names: Names | None = None,
) -> list[Tree]:
    """The sources that targets stand for, each scope once; clones live as long as ``held``.

    A source is named by its git remote, else by ``names``.

    A git address that cannot be cloned becomes a tree without files that says so.

    Raises:
        NotReachable: a path that does not exist.
    """
    look = _Look(held, history, names or Names())
    return _distinct([tree for target in targets for tree in look.at(os.fspath(target))])


@dataclass(frozen=True, slots=True)
class _Look:
    """How targets become trees."""

    held: contextlib.ExitStack
    history: git.History | None
    names: Names

    def at(self, target: str) -> list[Tree]:
        if git.is_url(target):
            return [self.cloned(*_split_ref(target))]
        path = Path(target)
        if path.is_dir():
            return self.folder(path.resolve())
        if path.is_file():
            top = self.tree(path.resolve().parent)
            return [Tree(top.scope, top.name, top.root, top.about, only=path.name)]
        base, _, ref = target.rpartition("@")
        if base and ref and Path(base).is_dir():
            top = self.tree(Path(base).resolve())
            root = self.held.enter_context(git.at_ref(Path(base).resolve(), ref))
            return [Tree(top.scope, top.name, root, {**top.about, "branch": ref})]
        if path.exists():
            raise NotReachable("This is neither a file nor a folder", target, "Name a folder, a file or a git address")
        raise NotReachable("There is no such file or folder", target, "Name a folder, a file or a git address")

    def cloned(self, url: str, ref: str) -> Tree:
        name = git.repository_name(url) or "repository"
        try:
            return self.tree(self.held.enter_context(git.cloned(url, ref)), name)
        except PenstockError as error:
            scope = f"repo:{name}"
            row = Unseen(git.without_credentials(url), "the repository", error.message, error.hint or "", scope=scope)
            return Tree(scope, name, Path(os.devnull), unseen=(row,))

    def folder(self, root: Path) -> list[Tree]:
        children = _repositories(root)
        if not children:
            return [self.tree(root)]
        name = self.names.of(root)
        own = Tree(f"repo:{name}", name, root, _blank(), without=frozenset(map(str, children)))
        return [own, *map(self.tree, children)]

    def tree(self, root: Path, name: str = "") -> Tree:
        known = git.about(root, self.history)
        name = git.repository_name(known.remote) or name or self.names.of(root)
        scope = f"repo:{name}"
        about = {
            "remote": known.remote,
            "branch": known.branch,
            "commit": known.commit,
            "committers": [list(row) for row in known.committers],
        }
        unseen = (Unseen(".git", "history and committers", known.note, "", scope=scope),) if known.note else ()
        return Tree(scope, name, root, about, unseen=unseen)


def _repositories(root: Path, depth: int = 1) -> list[Path]:
    """Projects below a folder that is none itself, when there are at least two."""
    if _names(root) & _WHOLE:
        return []
    found: list[Path] = []
    branches = 0
    for child in sorted(_folders(root)):
        if _names(child) & (_BUILDS | _ABOUT):
            found.append(child)
            branches += 1
        elif depth < _NESTING and (deeper := _repositories(child, depth + 1)):
            found += deeper
            branches += 1
    return found if branches >= 2 else []


def _distinct(found: list[Tree]) -> list[Tree]:
    """The same place once; two checkouts of one remote keep apart, or each would retire what the other holds."""
    result: list[Tree] = []
    places: set[tuple[Path, str]] = set()
    scopes: set[str] = set()
    for tree in found:
        if (tree.root, tree.only) in places and tree.root != Path(os.devnull):
            continue
        places.add((tree.root, tree.only))
        scope, number = tree.scope, 1
        while scope in scopes:
            number += 1
            scope = f"{tree.scope}#{number}"
        scopes.add(scope)
        if number > 1:
            tree = Tree(scope, f"{tree.name}#{number}", tree.root, tree.about, tree.only, tree.without, tree.unseen)
        result.append(tree)
    return result


def _split_ref(target: str) -> tuple[str, str]:
    """``https://host/owner/name@ref`` → address and ref; an ``@`` before the path belongs to the address."""
    match = re.match(r"^(.*[/:][^/@]+)@([^/@:]+)$", target)
    return (match[1], match[2]) if match else (target, "")


def _names(folder: Path) -> set[str]:
    try:
        return {child.name.casefold() for child in folder.iterdir()}
    except OSError:
        return set()


def _folders(root: Path) -> list[Path]:
    with contextlib.suppress(OSError), os.scandir(root) as listing:
        return [Path(item.path) for item in listing if item.is_dir(follow_symlinks=False)]
    return []


def _blank() -> dict[str, Any]:
    return {"remote": "", "branch": "", "commit": "", "committers": []}
