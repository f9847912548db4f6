"""Which known risks the rules find, and which none of them can: a table that a test holds against the rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from penstock.knowledge.pack import define_pack, load_pack


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A known risk and the names of the rules that find it; without any, ``why`` says what is missing."""

    id: str
    risk: str
    rules: tuple[str, ...] = ()
    why: str = ""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


def known_risks() -> list[Known]:
    """Every known risk, in the order of the table."""
    rows: list[Known] = list(load_pack("coverage").rows)
    return rows


def table() -> str:
    """The table as Markdown."""
    lines = ["# Which risks the rules find", "", "| risk | rules |", "|---|---|"]
    for known in known_risks():
        found = ", ".join(f"`{name}`" for name in known.rules) or f"none: {known.why}"
        lines.append(f"| {known.risk} | {found} |")
    return "\n".join(lines) + "\n"


def _problems(row: Known) -> Iterator[str]:
    if bool(row.rules) == bool(row.why):
        yield "it names either the rules that find it, or why none does"


def _names(row: Known, example: Any) -> bool:
    return example in (row.rules or ("none",))


define_pack("coverage", Known, check=_names, validate=_problems)
