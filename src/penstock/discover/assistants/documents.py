"""Settings of assistants, whichever of JSON with comments or TOML they are written in."""

from __future__ import annotations

import tomllib
from typing import Any

from penstock.discover.assistants.jsonc import parse
from penstock.discover.collector import File
from penstock.discover.infra.marked import Map, Seq
from penstock.errors import NotUnderstood
from penstock.graph.vocabulary import Unseen

#: TOML is read by the standard library, which recurses; deeper brackets than this are no settings.
MAX_TOML, MAX_BRACKETS = 1_000_000, 60


def read(file: File, collector: str) -> Any | Unseen:
    """The parsed content with its lines, or why there is none."""
    try:
        return _toml(file.text) if file.path.endswith(".toml") else parse(file.text)
    except NotUnderstood as error:
        where = f"{file.path}:{error.where.removeprefix('line ')}" if error.where else file.path
        return Unseen(where, "the settings in it", error.message, collector=collector, scope=file.scope)


def _toml(text: str) -> Any:
    if len(text) > MAX_TOML:
        raise NotUnderstood(f"The TOML is longer than {MAX_TOML:,} characters")
    depth = 0
    for char in text:
        depth += (char in "[{") - (char in "]}")
        if depth > MAX_BRACKETS:
            raise NotUnderstood("The TOML nests too deeply")
    lines = text.splitlines()
    try:
        return _marked(tomllib.loads(text), lines, 1)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise NotUnderstood(f"The TOML does not parse: {str(error)[:120]}") from error


def _marked(value: Any, lines: list[str], start: int) -> Any:
    """The value as Map and Seq; a key's line is the first line, from its parent's on, that names it."""
    if isinstance(value, dict):
        marked = Map(start)
        for key, child in value.items():
            line = _line(lines, key, start)
            marked[key] = _marked(child, lines, line)
            marked.lines[key] = line
        return marked
    if isinstance(value, list):
        listed = Seq(start)
        for child in value:
            listed.append(_marked(child, lines, start))
            listed.lines.append(start)
        return listed
    return value if isinstance(value, str | bool | int) or value is None else str(value)


def _line(lines: list[str], key: str, start: int) -> int:
    for number in range(start - 1, len(lines)):
        text = lines[number].lstrip()
        if text.startswith(key) or (text.startswith("[") and key in text) or f"{key} =" in text:
            return number + 1
    return start
