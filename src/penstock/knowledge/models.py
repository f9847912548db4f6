"""Families of model ids: vendor, usual provider and role by the spelling of an id."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from penstock.knowledge.pack import define_pack, load_pack


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Ids that fully match ``pattern``. ``provider`` is empty where many serve them."""

    id: str
    pattern: str
    vendor: str = ""
    provider: str = ""
    role: str = ""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


@cache
def family_of(model: str) -> Family | None:
    """The first family that an id belongs to."""
    return next((row for row in load_pack("models").rows if _shape(row.pattern).fullmatch(model)), None)


@cache
def _shape(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _check(row: Family, example: Any) -> bool:
    return family_of(str(example)) == row


def _validate(row: Family) -> Iterator[str]:
    try:
        re.compile(row.pattern)
    except re.error as error:
        yield f"its pattern is no regular expression: {error}"


define_pack("models", Family, check=_check, validate=_validate)
