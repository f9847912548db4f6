"""Which code files of a source can matter to AI: those that use it, those that use them, and all that these use.

A glance finds imports with a pattern, much faster than parsing and never fewer than there are. A file is chosen when it
imports an AI package or holds the address of a model's API, when it imports a chosen file (it may pass a model's name),
or when a chosen file imports it (it may hold the name). In a source without either nothing is chosen.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

import msgspec

from penstock.discover.code.resolve.dialects import DIALECTS
from penstock.discover.code.resolve.files import Files
from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.packages import Packages
from penstock.discover.collector import Gate
from penstock.knowledge.model_apis import mentions_api
from penstock.knowledge.pack import load_pack
from penstock.knowledge.packages import OF_LANGUAGE, OF_PROJECT, package_named

#: Imports of one file that are looked at, and of one import the names; more is made by no person.
_MOST_IMPORTS, _MOST_NAMES = 2_000, 200
#: A longer name (bytes) was not written by a person, and looking up its parts would take quadratic time.
_LONGEST_NAME = 500
#: What a signature makes that says nothing without something else of AI in the same file or in one that uses it.
_NOT_ALONE = frozenset({"passes", "data", "save", "save_to", "push"})
_WORD = re.compile(rb"[\w.]+")


#: What is no code and says what code belongs together; never left aside.
_PROJECTS = frozenset({"go.mod", "csproj", "cargo.toml"})
#: File ending → the language, the pattern of its imports, and what every file of the kind holds.
SHOWN: dict[str, tuple[str, re.Pattern[bytes], bytes]] = {}
#: The kind of fact with the files that were not read closely.
ASIDE = "code.aside"


class Glance(NamedTuple):
    """What imports tell. uses: 2 an AI package or an API of models, 1 a package that signatures know, 0 neither."""

    language: str
    uses: int
    package: str
    imports: list[tuple[str, str]]


_decoder = msgspec.msgpack.Decoder(Glance)


def show(language: str, endings: Iterable[str], imports: re.Pattern[bytes], holds: bytes = b"") -> None:
    """Say how imports look in files with these endings.

    The pattern's groups: ``module`` with ``names`` in it, or ``modules``, or the ``package`` that the file is part of.
    A file without ``holds`` is read, so that it is said what is wrong with it.
    """
    SHOWN.update(dict.fromkeys(endings, (language, imports, holds)))


def glance(path: str, data: bytes) -> bytes:
    """The glance at a file, encoded."""
    ending = path.rpartition("/")[2].rpartition(".")[2].lower()
    language, shape, holds = SHOWN.get(ending, ("", None, b""))
    if holds not in data:
        return b""
    package = ""
    imports: dict[tuple[str, str], None] = {}
    for found in shape.finditer(data) if shape else ():
        parts = found.groupdict()
        package = package or _text(parts.get("package"))
        module = _text(parts.get("module"))
        module = module.rstrip(".") or module  # ``from .. import x``
        if module:
            imports[module, ""] = None
            imports.update(dict.fromkeys((module, name) for name in _words(parts.get("names"))))
        imports.update(dict.fromkeys((name, "") for name in _words(parts.get("modules"))))
        if len(imports) > _MOST_IMPORTS:
            break
    uses = 2 if mentions_api(data) else _uses(language, imports)
    return msgspec.msgpack.encode(Glance(language, uses, package, list(imports)))


def _text(found: bytes | None) -> str:
    """A name as the IR writes it, with dots."""
    if not found or len(found) > _LONGEST_NAME:
        return ""
    return found.decode("utf-8", "replace").replace("::", ".").replace("\\", ".")


def _words(found: bytes | None) -> list[str]:
    return [_text(word) for word in _WORD.findall(found or b"")[:_MOST_NAMES]]


def choose(glances: Mapping[str, bytes]) -> frozenset[str]:
    """The files that can matter."""
    unread = [path for path, data in glances.items() if not data]  # reading them will say why
    uses: dict[str, int] = {}
    modules: dict[str, Module] = {}
    for path, data in glances.items():
        if data:
            each = _decoder.decode(data)
            uses[path] = each.uses
            if each.language:
                modules[path] = _bare(path, each)
    if 2 not in uses.values():
        return frozenset(unread)
    importing: dict[str, list[str]] = {}
    imported: dict[str, list[str]] = {}
    for path, other in _edges(modules, glances):
        importing.setdefault(other, []).append(path)
        imported.setdefault(path, []).append(other)
    using = _closure((path for path, how in uses.items() if how), importing)
    roots = (path for path, module in modules.items() if module.language in _PROJECTS)
    return frozenset({*_closure(using, imported), *roots, *unread})


CODE = Gate(glance, choose, ASIDE)


def _uses(language: str, imports: Iterable[tuple[str, str]]) -> int:
    ecosystem, known = OF_LANGUAGE.get(language, "") or OF_PROJECT.get(language, ""), _signed()
    found = 0
    for module, name in imports:
        if module.startswith("."):
            continue
        whole = f"{module}.{name}" if name and ecosystem in ("python", "java") else module
        if package_named(ecosystem, whole):
            return 2
        if any(part in known for part in _prefixes(whole)):
            found = 1
    return found


@cache
def _signed() -> frozenset[str]:
    """Packages of which a use is something by itself."""
    rows = load_pack("signatures").rows
    return frozenset(
        package for row in rows if row.makes not in _NOT_ALONE and not row.by_host for package in row.package
    )


def _prefixes(name: str) -> Iterator[str]:
    yield name
    for place, letter in enumerate(name):
        if letter in "./":
            yield name[:place]


def _edges(modules: Mapping[str, Module], glances: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """(file, file it imports); files that share the names of a package import each other."""
    packages = Packages(modules)
    files = Files(modules, packages)
    for (name, _), files_of in packages.files.items():
        if name in DIALECTS and DIALECTS[name].shares == "source":
            continue  # what files of it use is told by names
        for path in files_of[1:]:
            yield path, files_of[0]
            yield files_of[0], path
    for path, each in modules.items():
        if each.dialect.nested:
            for key in packages.around(each):
                yield from ((path, other) for other in packages.files.get(key, ())[:1])
            if project := packages.projects.get(packages.project(path)):
                yield path, project
        if (package := posixpath.join(posixpath.dirname(path), "__init__.py")) in modules and package != path:
            yield path, package
        for source, name in _decoder.decode(glances[path]).imports:
            for target in files.named(path, source, name):
                if target and target != path:
                    yield path, target


#: The tables of a module of which nothing is known but its name.
_NOTHING: Mapping[str, list[object]] = {name: [] for name in ("expressions", "scopes", "imports", "assigns", "sets")}


def _bare(path: str, each: Glance) -> Module:
    return Module(path, {"language": each.language, "package": each.package, **_NOTHING})


def _closure(start: Iterable[str], links: Mapping[str, list[str]]) -> set[str]:
    found = set(start)
    todo = list(found)
    while todo:
        for path in links.get(todo.pop(), ()):
            if path not in found:
                found.add(path)
                todo.append(path)
    return found
