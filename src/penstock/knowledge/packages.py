"""Packages that mean AI, by the names that manifests and imports give them."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import msgspec

from penstock.knowledge.pack import define_pack, load_pack

#: Where a name was read: an ecosystem's manifest, or an import (``python``, ``script``, ``java``; Go's are the same).
Ecosystem = Literal["pypi", "npm", "go", "maven", "nuget", "gem", "python", "script", "java", "csharp", "crate",
                    "composer", "rust", "ruby", "php"]  # fmt: skip
#: The ecosystem whose names a language imports.
OF_LANGUAGE: dict[str, Ecosystem] = {
    "python": "python",
    "typescript": "script",
    "go": "go",
    "java": "java",
    "csharp": "csharp",
    "kotlin": "java",
    "rust": "rust",
    "ruby": "ruby",
    "php": "php",
}
#: Ecosystems in which a name stands for all that is below it.
_BY_PARTS = frozenset({"python", "script", "java", "csharp", "rust", "ruby", "php"})
#: The same for project files, which name packages.
OF_PROJECT: dict[str, Ecosystem] = {"csproj": "nuget"}


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One framework or SDK; ``id`` is the name it is known by, unless it is a part of ``framework``."""

    id: str
    pypi: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    go: tuple[str, ...] = ()
    maven: tuple[str, ...] = ()
    nuget: tuple[str, ...] = ()
    gem: tuple[str, ...] = ()
    crate: tuple[str, ...] = ()
    composer: tuple[str, ...] = ()
    python: tuple[str, ...] = ()
    script: tuple[str, ...] = ()
    java: tuple[str, ...] = ()
    csharp: tuple[str, ...] = ()
    ruby: tuple[str, ...] = ()
    php: tuple[str, ...] = ()
    framework: str = ""
    provider: str = ""
    means: Literal["framework", "none"] = "framework"
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


def package_named(ecosystem: str, name: str) -> Package | None:
    """The package that a manifest's or an import's name means; the most specific row wins."""
    return _find(ecosystem, name.strip().lower().replace("_", "-") if ecosystem == "pypi" else name.strip())


@cache
def _find(ecosystem: str, name: str) -> Package | None:
    exact, starts = _index()
    if ecosystem in _BY_PARTS:
        separator = "/" if ecosystem == "script" else "."
        part = name
        while part:
            if row := exact.get((ecosystem, part)):
                return row
            part = part.rpartition(separator)[0]
    elif row := exact.get((ecosystem, name.lower())):
        return row
    folded = name.lower()
    fits = [(len(start), row) for kind, start, row in starts if kind == ecosystem and folded.startswith(start)]
    return max(fits, key=lambda fit: fit[0])[1] if fits else None


@cache
def _index() -> tuple[dict[tuple[str, str], Package], list[tuple[str, str, Package]]]:
    exact: dict[tuple[str, str], Package] = {}
    starts: list[tuple[str, str, Package]] = []
    for row in load_pack("packages").rows:
        python = row.python or tuple(name.replace("-", "_") for name in row.pypi)
        for kind, names in (
            ("pypi", row.pypi), ("npm", row.npm), ("go", row.go), ("maven", row.maven), ("nuget", row.nuget),
            ("gem", row.gem), ("python", python), ("script", row.script or row.npm), ("java", row.java),
            ("csharp", row.csharp), ("crate", row.crate), ("composer", row.composer), ("ruby", row.ruby),
            ("php", row.php), ("rust", tuple(name.replace("-", "_") for name in row.crate)),
        ):  # fmt: skip
            for name in names:
                folded = name if kind in _BY_PARTS else name.lower()
                if folded.endswith("*"):
                    starts.append((kind, folded[:-1], row))
                else:
                    exact[(kind, folded)] = row
    return exact, starts


def _check(row: Package, example: Any) -> bool:
    ecosystem, _, name = str(example).partition(":")
    return package_named(ecosystem, name) == row


define_pack("packages", Package, check=_check)
