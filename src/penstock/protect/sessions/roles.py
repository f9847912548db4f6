"""What an argument of a tool, or a field of a result, stands for by its name."""

from __future__ import annotations

import re
from functools import cache, lru_cache

import msgspec

from penstock.knowledge.pack import define_pack, load_pack


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part that arguments play; see the head of the pack."""

    id: str
    says: str
    target: bool
    words: str
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def role_of(name: str) -> str:
    """The role of an argument or field; empty when its name tells none. The last word that is known decides."""
    known = _words()
    if (whole := "_".join(_parts(name))) in known:
        return known[whole]
    return next((known[part] for part in reversed(_parts(name)) if part in known), "")


def is_target(name: str) -> bool:
    """Whether an argument says where something goes or what it is done to."""
    return _targets().get(role_of(name), False)


@cache
def _words() -> dict[str, str]:
    known: dict[str, str] = {}
    for row in load_pack("tools_fields").rows:
        for word in row.words.split():
            known.setdefault(word, row.id)
    return known


@cache
def _targets() -> dict[str, bool]:
    return {row.id: row.target for row in load_pack("tools_fields").rows}


_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+")


def _parts(name: str) -> list[str]:
    return [part.lower() for part in _PART.findall(name[:128])]


def _holds(row: Role, example: str) -> bool:
    return role_of(str(example)) == row.id


define_pack("tools_fields", Role, check=_holds)
