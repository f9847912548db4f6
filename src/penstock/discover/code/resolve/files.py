"""The file of the source that an import names."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from functools import cached_property

from penstock.discover.code.resolve.crates import Crates
from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.packages import Packages

_SCRIPTS = ("ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs")
#: Folders below which Python packages and scripts are imported as if they lay at the top.
_SOURCE_FOLDERS = ("src", "lib", "python")


#: Files called alike that one name may mean.
_MOST_CALLED = 6


class Files:
    """The files of a source by what imports call them."""

    def __init__(self, modules: Mapping[str, Module], packages: Packages) -> None:
        self.modules = modules
        self.packages = packages
        self.crates = Crates(modules)
        self._found: dict[tuple[str, str], str] = {}
        #: what files and folders are called: an import that starts with none of these is from elsewhere
        self._names = {name.partition(".")[0] for path in modules for name in path.split("/")}

    def locate(self, importer: str, source: str) -> str:
        """The file of the source that an import names; empty for a package from elsewhere."""
        key = (importer, source)
        if key not in self._found:
            module = self.modules[importer]
            if module.dialect.imports == "module":
                self._found[key] = self._module(importer, source)
            elif module.dialect.imports == "file":
                self._found[key] = self._script(importer, source)
            elif module.dialect.imports == "constant":
                self._found[key] = next(iter(self.packages.declaring(module, source.partition(".")[0])), "")
            elif module.dialect.imports == "crate":
                self._found[key] = next(iter(self.crates.starts(module, source.partition(".")[0], 0)), "")
            else:
                self._found[key] = self.packages.locate(module, source)
        return self._found[key]

    def submodule(self, path: str, name: str) -> str:
        """A module in a Python package."""
        if path.endswith("/__init__.py") or path == "__init__.py":
            return self._python_file(posixpath.join(posixpath.dirname(path), name))
        return ""

    def nested(self, importer: str, source: str, name: str) -> str:
        """The file that ``from source import name`` names, where that is a module in a package."""
        return self.locate(importer, f"{source}.{name}" if source.strip(".") else f"{source}{name}")

    def named(self, importer: str, source: str, name: str) -> Iterator[str]:
        """Every file that an import may bring something from."""
        module = self.modules[importer]
        if module.language == "php":
            yield from self.configured(source)
        if module.dialect.imports == "class":  # a class of a package, something in one, or all of a package
            for _ in range(3):
                yield from self.packages.files.get((module.family, source), ())[:1]
                source = source.rpartition(".")[0]
            return
        if module.dialect.imports == "crate":
            yield from self.crates.named(importer, source, name)
            return
        if module.dialect.imports == "constant":
            for word in source.strip("./").split("."):
                yield from self._conventional.get(word.replace("_", "").lower(), ())[:_MOST_CALLED]
            return
        found = self.locate(importer, source)
        yield found
        if module.dialect.imports == "module":
            if name and (not found or found.endswith("__init__.py")):
                yield self.nested(importer, source, name)
            while not source.startswith(".") and (source := source.rpartition(".")[0]):
                yield self.locate(importer, source)

    def configured(self, name: str) -> list[str]:
        """Files of Laravel's configuration by their name."""
        return self._configuration.get(name, [])[:_MOST_CALLED]

    @cached_property
    def _configuration(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path, module in self.modules.items():
            folder, _, name = path.rpartition("/")
            if module.language == "php" and folder.rpartition("/")[2] == "config":
                found.setdefault(name.removesuffix(".php"), []).append(path)
        return found

    @cached_property
    def _conventional(self) -> dict[str, list[str]]:
        """Files by the name that what they hold has by convention: ``LookupOrder`` is in ``lookup_order.rb``."""
        found: dict[str, list[str]] = {}
        for path, module in self.modules.items():
            if module.dialect.imports == "constant":
                stem = posixpath.basename(path).partition(".")[0]
                found.setdefault(stem.replace("_", "").lower(), []).append(path)
        return found

    def _module(self, importer: str, source: str) -> str:
        folder = posixpath.dirname(importer)
        if source.startswith("."):
            up = len(source) - len(source.lstrip("."))
            for _ in range(up - 1):
                folder = posixpath.dirname(folder)
            rest = source.lstrip(".").replace(".", "/")
            return self._python_file(posixpath.join(folder, rest) if rest else folder)
        tail = source.replace(".", "/")
        if tail.partition("/")[0] not in self._names:
            return ""
        while True:
            for below in ("", *_SOURCE_FOLDERS):
                root = posixpath.join(folder, below).rstrip("/")
                if posixpath.join(root, "__init__.py") in self.modules:
                    continue  # inside a package: not importable by its bare name
                found = self._python_file(posixpath.join(root, tail))
                if found and found != importer:
                    return found
            if not folder:
                return ""
            folder = posixpath.dirname(folder)

    def _python_file(self, base: str) -> str:
        package = f"{base}/__init__.py" if base else "__init__.py"
        return next((path for path in (f"{base}.py", package, f"{base}.pyi") if path in self.modules), "")

    def _script(self, importer: str, source: str) -> str:
        folder = posixpath.dirname(importer)
        if source.startswith("."):
            return self._script_file(posixpath.normpath(posixpath.join(folder, source)))
        while source.startswith(("@/", "~/")):
            for root in ("", "src", "app"):
                if found := self._script_file(posixpath.normpath(posixpath.join(folder, root, source[2:]))):
                    return found
            if not folder:
                break
            folder = posixpath.dirname(folder)
        return ""

    def _script_file(self, base: str) -> str:
        bare = base.rsplit(".", 1)[0] if base.endswith((".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx")) else base
        for stem in dict.fromkeys((base, bare)):
            if stem in self.modules:
                return stem
        for stem in (bare, f"{bare}/index"):
            for end in _SCRIPTS:
                if f"{stem}.{end}" in self.modules:
                    return f"{stem}.{end}"
        return ""
