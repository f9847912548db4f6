"""The file of the source that an import names."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.packages import Packages

_SCRIPTS = ("ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs")
#: Folders below which Python packages and scripts are imported as if they lay at the top.
_SOURCE_FOLDERS = ("src", "lib", "python")


class Files:
    """The files of a source by what imports call them."""

    def __init__(self, modules: Mapping[str, Module], packages: Packages) -> None:
        self.modules = modules
        self.packages = packages
        self._found: dict[tuple[str, str], str] = {}
        self._by_stem: dict[str, list[str]] = {}
        for path in modules:
            folder, _, file = path.rpartition("/")
            stem = file.rsplit(".", 1)[0]
            if stem in ("__init__", "index"):
                self._by_stem.setdefault(folder.rpartition("/")[2], []).append(path)
            if stem != "__init__":
                self._by_stem.setdefault(stem, []).append(path)

    def locate(self, importer: str, source: str) -> str:
        """The file of the source that an import names; empty for a package from elsewhere."""
        key = (importer, source)
        if key not in self._found:
            module = self.modules[importer]
            if module.dialect.imports == "module":
                self._found[key] = self._module(importer, source)
            elif module.dialect.imports == "file":
                self._found[key] = self._script(importer, source)
            else:
                self._found[key] = self.packages.locate(module, source)
        return self._found[key]

    def submodule(self, path: str, name: str) -> str:
        """A module in a Python package."""
        if path.endswith("/__init__.py") or path == "__init__.py":
            return self._python_file(posixpath.join(posixpath.dirname(path), name))
        return ""

    def _module(self, importer: str, source: str) -> str:
        folder = posixpath.dirname(importer)
        if source.startswith("."):
            up = len(source) - len(source.lstrip("."))
            for _ in range(up - 1):
                folder = posixpath.dirname(folder)
            rest = source.lstrip(".").replace(".", "/")
            return self._python_file(posixpath.join(folder, rest) if rest else folder)
        tail = source.replace(".", "/")
        best = ""
        for path in self._by_stem.get(tail.rpartition("/")[2], ()):
            bare = path.removesuffix("/__init__.py").removesuffix(".py").removesuffix(".ipynb")
            if path == importer or not (bare == tail or bare.endswith("/" + tail)):
                continue
            root = bare[: len(bare) - len(tail)].rstrip("/")
            if f"{root}/__init__.py".lstrip("/") in self.modules:
                continue  # inside a package: not importable by its bare name
            above = posixpath.dirname(root)
            if _holds(root, folder) or (_holds(above, folder) and posixpath.basename(root) in _SOURCE_FOLDERS):
                best = max(best, path, key=len)
        return best

    def _python_file(self, base: str) -> str:
        for path in (f"{base}.py", f"{base}/__init__.py" if base else "__init__.py", f"{base}.pyi"):
            if path in self.modules:
                return path
        return ""

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


def _holds(root: str, folder: str) -> bool:
    """Whether a folder is the root or lies below it ("" is the top)."""
    return not root or folder == root or folder.startswith(root + "/")
