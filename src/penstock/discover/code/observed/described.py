"""Tools that a request describes in JSON: ``tools=[{"function": {"name": …, "parameters": …}}]``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from penstock.discover.code.observed.look import Look
from penstock.discover.code.observed.tools import said_tool
from penstock.discover.code.resolve import Target
from penstock.discover.code.signatures import Site
from penstock.graph.vocabulary import Asset

#: Fields in which providers wrap the description of a function, or list several.
_WRAPS = ("function", "toolSpec", "tool_spec", "functionDeclarations", "function_declarations")
#: Fields of a description that say it is one of a function, beside its name.
_SHAPES = frozenset({"parameters", "input_schema", "inputSchema", "parametersJsonSchema", "description"})
#: Descriptions in one request, and how deep they are wrapped.
_MOST, _DEEPEST = 200, 4
#: Names of functions, as providers allow them.
_NAME = re.compile(r"[\w.-]{1,64}")


def described_tools(look: Look, site: Site) -> list[Asset]:
    """The tools that a request describes, each with the function of its name where its file knows one."""
    found: dict[str, Asset] = {}
    for path, expression, frames in look.argument(site, "tools"):
        for target in look.resolver.follow(path, expression, frames):
            for name, where, line in _described(look, target):
                named = look.resolver.top(look.resolver.modules[where], name)
                functions = [(t.path, t.ref) for t in named if t.kind == "function"]
                known = look.tools.get(functions[0]) if functions else None
                tool = known or said_tool(look, name, where, line, functions[0] if functions else None)
                found[tool.id] = tool
    return list(found.values())


def _described(look: Look, target: Target) -> Iterator[tuple[str, str, int]]:
    """(name, file, line) of each function described in a value."""
    todo, seen = [(target, 0)], 0
    while todo and seen < _MOST:
        at, depth = todo.pop(0)
        seen += 1
        row: list[Any] = look.resolver.modules[at.path].expressions[at.ref] if at.kind == "value" else ["?"]
        if row[0] == "l" and depth < _DEEPEST:
            todo = [*((item, depth + 1) for item in look.resolver.items(at)), *todo]
        elif row[0] == "d":
            fields = {name: value for name, value in row[2] if isinstance(name, str)}
            wrapped = [fields[name] for name in _WRAPS if name in fields]
            if depth < _DEEPEST:
                inner = [t for value in wrapped for t in look.resolver.follow(at.path, value, at.frames)]
                todo = [*((t, depth + 1) for t in inner), *todo]
            if not wrapped and "name" in fields and _SHAPES & fields.keys():
                for text in look.resolver.texts(at.path, fields["name"], at.frames):
                    if text.value and _NAME.fullmatch(text.value):
                        yield text.value, text.path or at.path, text.line or row[1]
