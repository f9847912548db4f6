"""The catalogue of framework ids that rules may be tagged with, keyed by edition and id, never by number alone."""

from __future__ import annotations

from functools import cache

import msgspec

from penstock.knowledge.pack import define_pack, load_pack


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``id`` is ``edition:id``; the title is the framework's own or, where its licence asks for that, our words."""

    id: str
    title: str
    url: str
    #: Edition and form in which it was read.
    source: str = ""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


@cache
def titles() -> dict[str, str]:
    """``edition:id`` → title."""
    return {row.id: row.title for row in load_pack("frameworks").rows}


def address(tag: str) -> str:
    """Where to read about a tag; empty when it is not in the catalogue."""
    return next((row.url for row in load_pack("frameworks").rows if row.id == tag), "")


def _is_titled(row: Entry, example: str) -> bool:
    return row.title.casefold() == example.casefold()


define_pack("frameworks", Entry, check=_is_titled)
