"""Which high-risk use of the EU AI Act a stated purpose names, by a pack of words."""

from __future__ import annotations

import re
from functools import cache

import msgspec

from penstock.knowledge.pack import define_pack, load_pack


class Use(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A class of use: one of ``any`` must begin a word of the purpose, and one of ``together`` too when given."""

    id: str
    use: str
    any: tuple[str, ...]
    together: tuple[str, ...] = msgspec.field(default=(), name="with")
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


def high_risk_use(purpose: str) -> str:
    """The class of high-risk use that a purpose names, such as ``annex-iii-5a``; empty when none."""
    return next((row.id for row in load_pack("high-risk").rows if names_use(row, purpose)), "")


def use_of(id: str) -> str:
    """What a class of high-risk use is about, in words."""
    return next((row.use for row in load_pack("high-risk").rows if row.id == id), id)


def names_use(row: Use, purpose: str) -> bool:
    """Whether a purpose names this use."""
    found = {stem for stem in (*row.any, *row.together) if _begins(stem).search(purpose)}
    if not row.together:
        return bool(found)
    return any(one in found and any(two in found and two != one for two in row.together) for one in row.any)


@cache
def _begins(stem: str) -> re.Pattern[str]:
    end = r"\b" if len(stem) < 4 else ""
    return re.compile(rf"\b{re.escape(stem)}{end}", re.IGNORECASE)


define_pack("high-risk", Use, check=names_use)
