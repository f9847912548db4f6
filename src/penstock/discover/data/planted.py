"""Instructions to a model that were planted in data: phrases and marks that texts for people do not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
import re2

from penstock.discover.data.passage import Passage
from penstock.knowledge.pack import define_pack, load_pack

#: A mark of some chat format in so large a share of the texts is the data's own format.
_USUAL = 0.3
#: Below so many texts no share is told.
_FEW = 8


class Sign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sign of a planted instruction.

    pattern: in RE2 syntax, any case; says: the reason in words, after "it"; format: the sign is also one of the formats
    in which training texts come (marks of turns, words of a system prompt), so it counts only where few texts have it.
    """

    id: str
    says: str
    pattern: str
    format: bool = False
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


def planted(passages: Sequence[Passage]) -> dict[str, str]:
    """Places of the texts that instruct a model, with the reason."""
    signs, found = _signs()
    hits = [(passage.place, found.Match(passage.text)) for passage in passages]
    told = [(place, [signs[index] for index in sorted(indices)]) for place, indices in hits if indices]
    count = Counter(sign.id for _, rows in told for sign in rows)
    usual = {
        sign.id for sign in signs if sign.format and len(passages) >= _FEW and count[sign.id] > _USUAL * len(passages)
    }
    result: dict[str, str] = {}
    for place, rows in told:
        if counting := [sign for sign in rows if sign.id not in usual]:
            result.setdefault(place, f"it {counting[0].says}")
    return result


@cache
def _signs() -> tuple[tuple[Sign, ...], Any]:
    rows: tuple[Sign, ...] = load_pack("planted").rows
    return rows, _compiled(rows)


def _compiled(rows: Sequence[Sign]) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 64 * 1024 * 1024  # a set that runs out of memory answers nothing
    found = re2.Set.SearchSet(options)
    for row in rows:
        found.Add(row.pattern)
    found.Compile()
    return found


def _problems(row: Sign) -> Iterator[str]:
    try:
        re2.compile(row.pattern)
    except re2.error as error:
        yield f"its pattern does not compile: {error}"


def _shows(row: Sign, example: str) -> bool:
    return bool(_compiled([row]).Match(str(example)))


define_pack("planted", Sign, check=_shows, validate=_problems)
