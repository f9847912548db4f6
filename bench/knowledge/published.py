"""The names that a published package has, read from its files without importing any of them.

Wheels and npm tarballs are downloaded by their ordinary clients into a folder, without dependencies, and unpacked with
bounds. Python is parsed with ``ast``; of JavaScript the type declarations are read.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import tree_sitter
import tree_sitter_typescript

#: A source file of a package longer than this (bytes) is made by a generator and holds no names of its own.
LARGEST = 4_000_000
_TYPESCRIPT = (".d.ts", ".d.mts", ".d.cts")


@dataclass(slots=True)
class Class:
    """Members of a class: name → the names that its value's type is written with; and its bases."""

    members: dict[str, set[str]] = field(default_factory=dict)
    bases: set[str] = field(default_factory=set)
    open: bool = False


@dataclass(slots=True)
class Names:
    """Names of a package: per module what can be imported from it, classes by name, members of anything."""

    modules: dict[str, set[str]] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
    returns: dict[str, set[str]] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)

    def of(self, classes: Iterable[str], name: str, seen: frozenset[str] = frozenset()) -> set[str] | None:
        """The type names of a member of any of the classes, bases included; None when none has it."""
        found: set[str] | None = None
        for each in classes:
            known = self.classes.get(each)
            if known is None or each in seen:
                continue
            if name in known.members:
                found = (found or set()) | known.members[name]
            elif (inherited := self.of(known.bases, name, seen | {each})) is not None:
                found = (found or set()) | inherited
        return found

    def has_open(self, classes: Iterable[str]) -> bool:
        return any(
            self.classes[c].open or self.has_open(self.classes[c].bases - {c}) for c in classes & self.classes.keys()
        )


# downloads


def wheel(name: str, cache_folder: Path) -> Path | None:
    """The unpacked newest wheel of a distribution; None where there is none.

    That of macOS is taken where wheels differ, because it comes without gigabytes of CUDA.
    """
    folder = cache_folder / "pypi" / name
    if not folder.exists():
        into = folder.with_suffix(".whl.d")
        into.mkdir(parents=True, exist_ok=True)
        for platform in ("macosx_15_0_arm64", "manylinux_2_28_x86_64"):
            command = [
                sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "--dest", str(into),
                "--platform", platform, "--python-version", "3.12", name,
            ]  # fmt: skip
            if subprocess.run(command, capture_output=True, check=False, timeout=600).returncode == 0:
                break
        folder.mkdir(parents=True, exist_ok=True)
        for archive in into.glob("*.whl"):
            _unzip(archive, folder)
            archive.unlink()
    return folder if any(folder.iterdir()) else None


def tarball(name: str, cache_folder: Path) -> Path | None:
    """The unpacked newest version of an npm package; None where there is none."""
    folder = cache_folder / "npm" / name.replace("/", "+")
    if not folder.exists():
        folder.mkdir(parents=True)
        command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), name]
        subprocess.run(command, capture_output=True, check=False, timeout=300)
        for archive in folder.glob("*.tgz"):
            _untar(archive, folder)
            archive.unlink()
    return folder if any(folder.iterdir()) else None


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as files:
        for info in files.infolist():
            if info.filename.endswith((".py", ".pyi")) and info.file_size < LARGEST and ".." not in info.filename:
                files.extract(info, folder)


def _untar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as files:
        for info in files:
            if info.isfile() and info.name.endswith((*_TYPESCRIPT, "package.json")) and info.size < LARGEST:
                files.extract(info, folder, filter="data")


# Python


@cache
def python_names(folders: tuple[Path, ...], root: str) -> Names:
    """The names below an import root, in all the folders that hold a part of it."""
    names = Names()
    for folder in folders:
        place = folder.joinpath(*root.split("."))
        files = [*place.rglob("*.py"), *place.rglob("*.pyi")] if place.is_dir() else []
        files += [each for each in (place.with_suffix(".py"), place.with_suffix(".pyi")) if each.is_file()]
        for path in files:
            module = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
            _read_python(path, module, names)
    return names


def _read_python(path: Path, module: str, names: Names) -> None:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError):
        return
    here = names.modules.setdefault(module, set())
    for node in _statements(tree.body):
        if isinstance(node, ast.ClassDef):
            here.add(node.name)
            _read_class(node, names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            here.add(node.name)
            names.returns.setdefault(node.name, set()).update(_words(node.returns))
            if node.name == "__getattr__":
                here.update(_strings(tree))
        elif isinstance(node, ast.ImportFrom | ast.Import):
            here.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for name in _targets(node):
                here.add(name)
                names.returns.setdefault(name, set()).update(_words(node.value))
                if name == "__all__" or "import" in name.lower():
                    here.update(_strings(node))


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody", "handlers"):
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                for inner in getattr(node, part, ()):
                    yield from _statements([inner] if isinstance(inner, ast.stmt) else inner.body)


def _read_class(node: ast.ClassDef, names: Names) -> None:
    known = names.classes.setdefault(node.name, Class())
    known.bases.update(word for base in node.bases for word in _words(base))
    for item in _statements(node.body):
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            known.members.setdefault(item.name, set()).update(_words(item.returns))
            known.open |= item.name == "__getattr__"
            for inner in ast.walk(item):
                if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
                    known.members.setdefault(inner.attr, set())
                if isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Attribute):
                    known.members.setdefault(inner.targets[0].attr, set()).update(_words(inner.value))
        elif isinstance(item, ast.Assign | ast.AnnAssign):
            typed = item.annotation if isinstance(item, ast.AnnAssign) else item.value
            for name in _targets(item):
                known.members.setdefault(name, set()).update(_words(typed))
        elif isinstance(item, ast.ClassDef):
            known.members.setdefault(item.name, set()).add(item.name)
            _read_class(item, names)
    names.members.update(known.members)


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    flat = [part for each in targets for part in (each.elts if isinstance(each, ast.Tuple | ast.List) else [each])]
    return [each.id for each in flat if isinstance(each, ast.Name)]


def _words(node: ast.expr | None) -> set[str]:
    found: set[str] = set()
    for inner in ast.walk(node) if node is not None else ():
        if isinstance(inner, ast.Name):
            found.add(inner.id)
        elif isinstance(inner, ast.Attribute):
            found.add(inner.attr)
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            found.update(re.findall(r"\w+", inner.value))
    return found


def _strings(node: ast.AST) -> set[str]:
    texts = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return {text.rpartition(".")[2].rpartition(":")[2] for text in texts if len(text) < 200}


# type declarations of JavaScript


@cache
def script_names(folders: tuple[Path, ...], root: str) -> Names:
    """The names that the type declarations of an npm package declare; their modules are not told apart."""
    names = Names()
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_typescript.language_typescript()))
    for folder in folders:
        for path in folder.rglob("*"):
            if path.name.endswith(_TYPESCRIPT):
                _read_declarations(parser.parse(path.read_bytes()).root_node, root, names)
    return names


_DECLARES = frozenset(
    {"class_declaration", "abstract_class_declaration", "function_signature", "function_declaration",
     "variable_declarator", "interface_declaration", "export_specifier", "type_alias_declaration", "enum_declaration",
     "namespace_export"}
)  # fmt: skip
_HOLDS = frozenset({"method_signature", "public_field_definition", "property_signature", "abstract_method_signature",
                    "method_definition"})  # fmt: skip


def _read_declarations(root: tree_sitter.Node, package: str, names: Names) -> None:
    here = names.modules.setdefault(package, set())
    todo = [root]
    while todo:
        node = todo.pop()
        todo += node.named_children
        if node.type in _DECLARES:
            name = node.child_by_field_name("alias") or node.child_by_field_name("name")
            if name is not None and name.text:
                here.add(name.text.decode())
        elif node.type in _HOLDS and (name := node.child_by_field_name("name")) is not None and name.text:
            names.members.add(name.text.decode().strip("'\""))
        elif node.type == "export_statement" and any(child.type == "default" for child in node.children):
            here.add("default")
