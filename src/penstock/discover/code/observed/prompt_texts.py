"""Prompts that code reads from a file: which file of the source a value comes from, whatever reads it."""

from __future__ import annotations

import re
from typing import Any

from penstock.discover.code.observed.look import Look

#: Ends of files that hold a text for a model.
_TEXTS = re.compile(
    r"\.(?:md|txt|prompt|prompty|j2|jinja2?|st|mustache|hbs|tmpl|liquid|xml|ya?ml|tpl)\Z", re.IGNORECASE
)
#: What stands before or after the path of a file in some languages, and is none of it.
_AROUND = re.compile(r"\A(?:classpath\*?:|file:(?://)?)|\?(?:raw|text|inline)\Z|\A(?:\.{0,2}/)+")
#: Expressions of one value, files with the same last name, that are looked at.
_MOST, _MOST_PATHS = 80, 50_000


def text_file(look: Look, path: str, expression: int) -> str:
    """The one file of the source whose text an expression is; empty where it is none, or one of several."""
    parts = _strings(look, path, expression)
    for place in range(len(parts) - 1, -1, -1):
        if not _TEXTS.search(_AROUND.sub("", parts[place])):
            continue
        fits = list(look.source.paths[:_MOST_PATHS])
        for start in range(place, -1, -1):
            name = "/".join(part for each in parts[start : place + 1] if (part := _AROUND.sub("", each).strip("/")))
            narrowed = [each for each in fits if each == name or each.endswith(f"/{name}")]
            if len(narrowed) == 1:
                return narrowed[0]
            if not narrowed:
                break
            fits = narrowed
    return ""


def _strings(look: Look, path: str, expression: int) -> list[str]:
    """The texts in an expression and in what its names were given, in the order in which they are written."""
    found: list[str] = []
    todo, seen = [(path, expression)], set[tuple[str, int]]()
    while todo and len(seen) < _MOST:
        at, number = todo.pop()
        if number < 0 or (at, number) in seen:
            continue
        seen.add((at, number))
        row: list[Any] = look.resolver.modules[at].expressions[number]
        if row[0] == "s":
            found.append(str(row[2]))
        elif row[0] == "r":
            todo += _given(look, at, str(row[2]), int(row[3]))
        elif row[0] == "c":
            todo += [(at, part) for part in reversed((row[2], *row[3]))]
        elif row[0] in "fo":
            todo += [(at, part) for part in reversed(row[2])]
        elif row[0] in "ae*":
            todo.append((at, row[2]))
    return found


def _given(look: Look, path: str, name: str, scope: int) -> list[tuple[str, int]]:
    """What a name was given, here or in the file that it is imported from."""
    module = look.resolver.modules[path]
    found: list[tuple[str, int]] = []
    for kind, number in module.lookup(name, scope)[1][-2:]:
        if kind == "assign":
            found.append((path, module.assigned[number][2]))
        elif kind == "import":
            _, _, source, member, _ = module.imports[number]
            other = look.resolver.locate(path, source)
            if other and member and other != path:
                inner = look.resolver.modules[other]
                rows = inner.lookup(member, 0)[1][-1:]
                found += [(other, inner.assigned[n][2]) for k, n in rows if k == "assign"]
    return found
