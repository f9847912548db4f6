"""How paths of Rust lead to files and names: ``crate::a::b``, ``super::c``, other crates of the source."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from penstock.discover.code.ir import CLASS, KIND
from penstock.discover.code.resolve.bounds import MAX_DEPTH
from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.targets import Target

if TYPE_CHECKING:
    from penstock.discover.code.resolve.resolver import Resolver

#: Folders of a crate in which each file is a program of its own.
_PROGRAMS = frozenset({"bin", "examples", "tests", "benches"})
_ROOTS = ("lib.rs", "main.rs")
#: Files that may be meant by one word of a path, when only imports are known.
_MOST_NAMED = 6


class Crates:
    """The crates of a source and their modules, which are files."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = modules
        #: name of a crate → its folder
        self.folders = {m.package: posixpath.dirname(path) for path, m in modules.items() if m.language == "cargo.toml"}
        self._called: dict[str, list[str]] = {}
        for path, module in modules.items():
            if module.language == "rust":
                stem = posixpath.basename(path)[:-3]
                stem = posixpath.basename(posixpath.dirname(path)) if stem == "mod" else stem
                self._called.setdefault(stem, []).append(path)

    def roots(self, path: str) -> list[str]:
        """The files at the top of the crate that a file is in."""
        folder = posixpath.dirname(path)
        if posixpath.basename(folder) in _PROGRAMS or posixpath.basename(path) == "build.rs":
            return [path]
        while True:
            found = [at for name in _ROOTS if (at := posixpath.join(folder, name)) in self.modules]
            if path in found:
                return [path, *(at for at in found if at != path)]
            if found or not folder:
                return found or [path]
            folder = posixpath.dirname(folder)

    def child(self, path: str, name: str) -> str:
        """The file of a module that a file declares; empty for none."""
        stem = posixpath.basename(path)
        folder = posixpath.dirname(path)
        below = folder if stem in (*_ROOTS, "mod.rs") or posixpath.basename(folder) in _PROGRAMS else path[:-3]
        names = (posixpath.join(below, f"{name}.rs"), posixpath.join(below, name, "mod.rs"))
        return next((at for at in names if at in self.modules), "")

    def parent(self, path: str) -> list[str]:
        folder = posixpath.dirname(path)
        if posixpath.basename(path) == "mod.rs":
            folder = posixpath.dirname(folder)
        names = (f"{folder}.rs", *(posixpath.join(folder, name) for name in ("mod.rs", *_ROOTS)))
        return [at for at in names if at in self.modules and at != path]

    def of(self, name: str) -> list[str]:
        """The top files of a crate of the source."""
        if name not in self.folders:
            return []
        names = ("src/lib.rs", "lib.rs", "src/main.rs")
        return [at for each in names if (at := posixpath.join(self.folders[name], each)) in self.modules][:1]

    def starts(self, module: Module, head: str, scope: int) -> list[str]:
        """The files that the first word of a path stands for; none for a crate from elsewhere."""
        if head == "crate":
            return self.roots(module.path)
        if head == "self" or (head == "super" and module.scopes[scope][KIND] == CLASS):
            return [module.path]
        return self.parent(module.path) if head == "super" else self.of(head)

    def named(self, importer: str, source: str, name: str) -> Iterator[str]:
        """Files that an import may bring something from, by their names alone."""
        if source.startswith("crate"):
            yield from self.roots(importer)
        for word in {*source.split("."), name}:
            yield from self.of(word)
            yield from self._called.get(word, ())[:_MOST_NAMED]
        if source.startswith("super"):
            yield from self.parent(importer)


def brought(resolver: Resolver, module: Module, row: list[object], name: str, depth: int) -> Iterator[Target]:
    """What an import brings: a module, something in one, or a name of a crate from elsewhere."""
    source, scope = str(row[2]), int(str(row[0]))
    crates = resolver.files.crates
    head, *rest = source.split(".")
    if head == "self" and not row[3] and len(rest) == 1:  # mod name;
        if file := crates.child(module.path, rest[0]):
            yield Target("module", file, -1)
        return
    words = [*rest, name] if name else rest
    starts = crates.starts(module, head, scope)
    if not starts and _is_own(module, head):
        starts, words = [module.path], [head, *words]
    for start in starts if depth < MAX_DEPTH else ():
        found = [Target("module", start, -1)]
        for word in words:
            found = [inner for at in found for inner in _inside(resolver, at, word, depth + 1)]
        yield from found
        if found:
            return
    if not starts and head not in ("crate", "self", "super"):
        yield Target("external", module.path, -1, f"{source}.{name}" if name else source)


def member(resolver: Resolver, base: Target, name: str, depth: int) -> Iterator[Target]:
    """What a module has under a name that its file does not bind: a file below it, or what it takes from others."""
    module = resolver.modules[base.path]
    if file := resolver.files.crates.child(base.path, name):
        yield Target("module", file, -1)
        return
    for number in module.stars if depth < MAX_DEPTH else ():
        row = module.imports[number]
        if resolver.files.crates.starts(module, str(row[2]).partition(".")[0], int(row[0])) or _is_own(
            module, str(row[2]).partition(".")[0]
        ):
            yield from brought(resolver, module, row, name, depth + 1)


def _inside(resolver: Resolver, at: Target, word: str, depth: int) -> Iterator[Target]:
    if at.kind == "module" and word == "super":
        yield from (Target("module", file, -1) for file in resolver.files.crates.parent(at.path)[:1])
    else:
        yield from resolver.member(at, word, depth)


def _is_own(module: Module, name: str) -> bool:
    """Whether a file declares a module of this name."""
    for kind, number in module.bindings.get((0, name), ()):
        if kind == "scope" or (kind == "import" and module.imports[number][2] == f"self.{name}"):
            return True
    return False
