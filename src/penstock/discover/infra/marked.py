"""Parsed configuration that remembers its lines: plain dicts and lists, and where each entry stands.

Readers of foreign files use the ``as_…`` functions instead of trusting shapes: what is not a mapping is an empty one.
"""

from __future__ import annotations

from typing import Any


class Map(dict[str, Any]):
    """A mapping with the line it starts on and the line of each key (1-based)."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int = 1) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class Seq(list[Any]):
    """A sequence with the line it starts on and the line of each item (1-based)."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int = 1) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


_NO_MAP = Map()
_NO_SEQ = Seq()


def as_map(value: Any) -> Map:
    """The value, or an empty mapping when it is none."""
    return value if isinstance(value, Map) else _NO_MAP


def as_seq(value: Any) -> Seq:
    """The value, or an empty sequence when it is none."""
    return value if isinstance(value, Seq) else _NO_SEQ


def as_text(value: Any) -> str:
    """A scalar as text ("" for nothing, a mapping or a sequence; ``true`` and ``false`` as YAML writes them)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else ""


def as_flag(value: Any) -> bool | None:
    """What a yes-or-no says, in the spellings of YAML 1.1; None when it is neither."""
    if isinstance(value, bool):
        return value
    word = value.strip().casefold() if isinstance(value, str) else ""
    return True if word in {"true", "yes", "on"} else False if word in {"false", "no", "off"} else None


def maps(value: Any) -> list[Map]:
    """The mappings among the items of a sequence; a lone mapping counts as a sequence of one."""
    if isinstance(value, Map):
        return [value]
    return [item for item in as_seq(value) if isinstance(item, Map)]


def texts(value: Any) -> list[str]:
    """The scalars of a sequence as text; a lone scalar counts as a sequence of one."""
    if isinstance(value, Seq):
        return [as_text(item) for item in value if as_text(item)]
    return [as_text(value)] if as_text(value) else []


def line_of(parent: Any, key: str | int) -> int:
    """The line of an entry, or of its parent when it is not there."""
    if isinstance(parent, Map):
        return parent.lines.get(str(key), parent.line)
    if isinstance(parent, Seq):
        return parent.lines[key] if isinstance(key, int) and key < len(parent.lines) else parent.line
    return 1


def dig(value: Any, *keys: str) -> Any:
    """The value under nested keys, or None."""
    for key in keys:
        value = as_map(value).get(key)
    return value
