"""What one rule row of the ``sensitive`` pack says, and how its examples are run."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from penstock.graph.vocabulary import LABELS
from penstock.knowledge.pack import define_pack, load_pack

#: A value is at most this long unless its row says how it looks while it is still growing (``open``).
LONGEST = 240
#: Said about a span that is worth counting but no reason to protect data by itself.
MARK = "mark"


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A kind of value that can be told by how it looks.

    Either ``core`` or ``keyword`` lets the engine find candidates in one pass over the text:

    core: fixed-width patterns inside the value (the syntax that hyperscan and RE2 share); ``shape`` is matched where
        the core starts, or, with ``back``, as many of those characters (a class) further left as there are, up to 64.
    keyword: words that must stand before the value, matched whole; a space in them also matches ``_`` and ``-``.
        ``shape`` is searched in the ``gap`` characters behind them; with ``gap: 0`` it is matched right behind them.
    shape: Python patterns; the first that matches and passes every ``check`` gives the span: its group ``value``, or
        the whole match.
    open: for values that may be longer than 240 characters: how a value looks that has begun and not ended.
    context: words that, standing up to 64 characters before, raise the confidence to ``sure``.
    unlikely: a pattern in the value that halves the confidence (example domains).
    """

    id: str
    type: str
    category: str
    confidence: float
    reason: str
    shape: tuple[str, ...]
    core: tuple[str, ...] = ()
    keyword: tuple[str, ...] = ()
    gap: int = 40
    back: str = ""
    check: tuple[str, ...] = ()
    open: str = ""
    longest: int = LONGEST
    context: tuple[str, ...] = ()
    sure: float = 0.95
    unlikely: str = ""
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


def shapes() -> tuple[Shape, ...]:
    """All rows, in pack order: of two rows that claim the same characters equally surely, the earlier wins."""
    return load_pack("sensitive").rows


def written_out(example: str) -> str:
    """An example with its holes filled: ``{alnum:36}`` becomes 36 random-looking characters, the same every time.

    Examples of credentials are kept with holes, so that no repository scanner takes the pack for a leak.
    """
    chance = random.Random(example)  # noqa: S311 (nothing secret: made-up examples)
    return _HOLE.sub(lambda hole: "".join(chance.choices(_ALPHABETS[hole[1]], k=int(hole[2]))), example)


_HOLE = re.compile(r"\{(alnum|lower|upper|hex|digit|base64|url):(\d+)\}")
_ALPHABETS = {
    "alnum": string.ascii_letters + string.digits,
    "lower": string.ascii_lowercase + string.digits,
    "upper": string.ascii_uppercase + string.digits,
    "hex": "0123456789abcdef",
    "digit": string.digits,
    "base64": string.ascii_letters + string.digits + "+/",
    "url": string.ascii_letters + string.digits + "-_",
}


def _applies(row: Shape, example: Any) -> bool:
    from penstock.inspect.sensitive.detector import Detector

    return any(span.rule == row.id for span in Detector([row]).detect(written_out(str(example))))


def _problems(row: Shape) -> Iterator[str]:
    from penstock.inspect.sensitive.validators import VALIDATORS

    if row.category not in LABELS and row.category != MARK:
        yield f"category {row.category!r} is no data label"
    if bool(row.core) == bool(row.keyword):
        yield "give either core or keyword"
    if row.longest > LONGEST and not row.open:
        yield f"a value longer than {LONGEST} needs `open`"
    if unknown := sorted(set(row.check) - set(VALIDATORS)):
        yield f"there is no check {unknown[0]!r}; known: {', '.join(sorted(VALIDATORS))}"
    for pattern in (*row.shape, row.open, row.unlikely):
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"pattern {pattern!r} does not compile: {error}"


def _examples(row: Shape) -> Iterable[tuple[bool, Any]]:
    yield from ((True, example) for example in row.match)
    yield from ((False, example) for example in row.no_match)


define_pack("sensitive", Shape, check=_applies, validate=_problems, examples=_examples)
