"""What the place of a file says about how it is used: tests and examples are kept apart from what runs."""

from __future__ import annotations

import fnmatch
from functools import cache
from typing import Any

import msgspec

from penstock.knowledge.pack import define_pack, load_pack


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    status: str
    parts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


@cache
def status_of(path: str) -> str:
    """``test``, ``example`` or ``used``, by folder and file name."""
    *folders, file = path.lower().split("/")
    for row in load_pack("places").rows:
        if any(part in folders for part in row.parts):
            return str(row.status)
        if any(fnmatch.fnmatch(file, pattern.lower()) for pattern in row.files):
            return str(row.status)
    return "used"


def _check(row: Place, example: Any) -> bool:
    return status_of(str(example)) == row.status


define_pack("places", Place, check=_check)
