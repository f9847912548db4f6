"""Languages in which the files of a package share their names: who declares a name, and the parts of a class."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from penstock.discover.code.ir import CLASS, KIND, NAME, PARENT
from penstock.discover.code.resolve.module import Module


class Packages:
    """The packages of a source: some are folders (Go), some have names (Java)."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = modules
        self.roots: list[tuple[str, str]] = []  # (module path of a go.mod, its folder), the longest first
        self.projects: dict[str, str] = {}  # folder of a project file → the file
        self._used: dict[str, frozenset[str]] = {}
        self.files: dict[tuple[str, str], list[str]] = {}
        self._declared: dict[tuple[str, str], dict[str, list[str]]] = {}
        self._classes: dict[tuple[str, str], dict[str, list[tuple[str, int]]]] = {}
        for path, module in modules.items():
            if module.language == "go.mod":
                self.roots.append((module.package, posixpath.dirname(path)))
            elif module.language == "csproj":
                self.projects[posixpath.dirname(path)] = path
            elif key := self.key(module):
                self.files.setdefault(key, []).append(path)
        self.roots.sort(key=lambda root: -len(root[0]))

    def key(self, module: Module) -> tuple[str, str] | None:
        """The package of a file; None for languages whose files stand for themselves."""
        if module.dialect.shares == "folder":
            return posixpath.dirname(module.path), module.package
        if module.dialect.shares == "source":
            return module.language, ""
        if module.dialect.shares == "package":
            if module.dialect.nested and not module.package:
                return f"{module.family} {self.project(module.path)}", ""
            return module.family, module.package
        return None

    def project(self, path: str) -> str:
        """The folder of the project that a file is part of."""
        folder = posixpath.dirname(path)
        while folder and folder not in self.projects:
            folder = posixpath.dirname(folder)
        return folder

    def uses(self, module: Module, package: str) -> bool:
        """Whether a file imports a package, or its project references it."""
        if module.path not in self._used:
            names = {str(row[2]) for row in module.imports}
            if module.dialect.nested and (file := self.projects.get(self.project(module.path))):
                names |= {str(row[2]) for row in self.modules[file].imports}
            self._used[module.path] = frozenset(names)
        return any(
            n.startswith(package) and n[len(package) : len(package) + 1] in (".", "") for n in self._used[module.path]
        )

    def around(self, module: Module) -> Iterator[tuple[str, str]]:
        """The packages whose names a file sees: its own, and where a language has that those around it."""
        if key := self.key(module):
            yield key
        package = module.package if module.dialect.nested else ""
        while package:
            package = package.rpartition(".")[0]
            yield (module.family, package) if package else (f"{module.family} {self.project(module.path)}", "")

    def of(self, module: Module) -> list[str]:
        """The files of a module's package."""
        key = self.key(module)
        return self.files.get(key, []) if key else []

    def declaring(self, module: Module, name: str) -> list[str]:
        """The files of a module's package, or of one around it, that declare a name."""
        for key in self.around(module):
            if key not in self._declared:
                self._index(key)
            if found := self._declared[key].get(name):
                return found
        return []

    def declaring_in(self, language: str, package: str, name: str) -> list[str]:
        """The files of a named package that declare a class."""
        key = (language, package)
        if key not in self.files:
            return []
        if key not in self._declared:
            self._index(key)
        return self._declared[key].get(name, [])

    def parts(self, module: Module, scope: int) -> list[tuple[str, int]]:
        """The places that declare a class: its own, and where methods are added to it."""
        key = self.key(module)
        if key is None:
            return [(module.path, scope)]
        if key not in self._classes:
            self._index(key)
        parts = self._classes[key].get(str(module.scopes[scope][NAME]), [])
        return parts if (module.path, scope) in parts else [(module.path, scope)]

    def locate(self, importer: Module, source: str) -> str:
        """A file of the package that an import names; empty for one from elsewhere."""
        if importer.dialect.shares == "package":
            return next(iter(self.files.get((importer.family, source), ())), "")
        for module, folder in self.roots:
            if source == module or source.startswith(f"{module}/"):
                wanted = posixpath.normpath(posixpath.join(folder, source[len(module) + 1 :] or "."))
                wanted = "" if wanted == "." else wanted
                for (place, name), files in sorted(self.files.items()):
                    if place == wanted and not name.endswith("_test"):
                        return files[0]
        return ""

    def _index(self, key: tuple[str, str]) -> None:
        declared: dict[str, list[str]] = {}
        classes: dict[str, list[tuple[str, int]]] = {}
        for path in self.files.get(key, ()):
            module = self.modules[path]
            names = {str(row[1]): None for row in module.assigned if row[0] == 0}
            for number, scope in enumerate(module.scopes):
                if number and scope[PARENT] == 0:
                    names[str(scope[NAME])] = None
                    if scope[KIND] == CLASS:
                        classes.setdefault(str(scope[NAME]), []).append((path, number))
            for name in names:
                if name:
                    declared.setdefault(name, []).append(path)
        self._declared[key], self._classes[key] = declared, classes
