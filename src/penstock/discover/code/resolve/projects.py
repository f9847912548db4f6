"""What files of a project share beside their packages: usings that hold everywhere, methods added to other types."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.discover.code.ir import NAME, PARAMS
from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.packages import Packages


def share_usings(modules: Mapping[str, Module], packages: Packages) -> None:
    """Give every file of a project what one of them, or the project file, imports for all (``global using``)."""
    for path, module in modules.items():
        rows = [row for row in module.imports if row[1] == "**"]
        folder = f"{packages.project(path)}/".lstrip("/") if rows else ""
        for other in modules.values() if rows else ():
            if other.dialect.nested and other.path != path and other.path.startswith(folder):
                for row in rows:
                    other.stars.append(len(other.imports))
                    other.imports = [*other.imports, row]


def added_methods(modules: Mapping[str, Module]) -> dict[str, list[tuple[str, int]]]:
    """Methods that the source adds to types of others, by name: ``static string Id(this Model model)``."""
    found: dict[str, list[tuple[str, int]]] = {}
    for path, module in modules.items():
        for number, scope in enumerate(module.scopes):
            if scope[PARAMS] and len(scope[PARAMS][0]) > 3:
                found.setdefault(str(scope[NAME]), []).append((path, number))
    return found
