"""Whether a text that a model follows (a tool's description, a rules file, a skill) works against its user.

Such texts are meant to instruct, so single phrases prove little: signs carry a weight, and two points of different
kinds make a text poisoned. In what a reader of the file does not see (a comment, a run of base64) one point does.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Literal

from penstock.inspect.signs import Sign, Signs, problems, shows
from penstock.inspect.span import Span
from penstock.knowledge.pack import define_pack, load_pack

Kind = Literal["tool", "rules"]
#: Points of signs of different kinds from which a text is poisoned, in plain sight and out of it.
_SEEN, _UNSEEN = 2, 1
#: Comments and encoded runs of one text that are looked at.
_MOST = 200


class InstructionSign(Sign, frozen=True, forbid_unknown_fields=True, kw_only=True):
    weight: int
    of: tuple[Kind, ...] = ("tool", "rules")


define_pack("instructions", InstructionSign, check=shows, validate=problems)

_COMMENT = re.compile(
    r"<!--(.{1,20000}?)(?:-->|\Z)|^\[(?://|comment)\]:\s*#\s*[\"'(](.{1,2000}?)[\"')]\s*$", re.DOTALL | re.MULTILINE
)
_ENCODED = re.compile(r"(?<![\w+/=])[A-Za-z0-9+/]{40,20000}={0,2}(?![\w+/=])")
#: A sentence that forbids the thing defends against it.
_FORBIDS = re.compile(r"\b(?:never|not|don['’]?t|must\s?n['’]?t|avoid|refuse|without|reject|block)\b[^.\n]*\Z", re.I)


def poison(text: str, kind: Kind) -> list[Span]:
    """The signs that together make the text poisoned, in order of position; none when it is not."""
    found = _enough(_signs_in(text, kind), _SEEN)
    for start, end, hidden, how in _out_of_sight(text):
        for span in _enough(_signs_in(hidden, "tool"), _UNSEEN):
            found.append(replace(span, start=start, end=end, reason=f"{span.reason}, {how}"))
    return sorted(found)


def _signs_in(text: str, kind: Kind) -> list[Span]:
    rows = _weights()
    return [
        span
        for span in _signs().find(text)
        if kind in rows[span.rule].of
        and (rows[span.rule].weight > 1 or not _FORBIDS.search(text[max(0, span.start - 60) : span.start]))
    ]


def _enough(spans: list[Span], points: int) -> list[Span]:
    """The spans if the heaviest of each type add up to so many points."""
    heaviest: dict[str, int] = {}
    for span in spans:
        heaviest[span.type] = max(heaviest.get(span.type, 0), _weights()[span.rule].weight)
    return spans if sum(heaviest.values()) >= points else []


def _out_of_sight(text: str) -> Iterator[tuple[int, int, str, str]]:
    """What stands in a text without being shown: start, end, the hidden text, how it is hidden."""
    for count, found in enumerate(_COMMENT.finditer(text)):
        if count >= _MOST:
            return
        yield found.start(), found.end(), found[1] or found[2], "in a comment that is not shown"
    for count, found in enumerate(_ENCODED.finditer(text)):
        if count >= _MOST:
            return
        try:
            plain = base64.b64decode(found[0] + "=" * (-len(found[0]) % 4), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
        if plain.isprintable() or "\n" in plain:
            yield found.start(), found.end(), plain, "written in base64"


@cache
def _weights() -> dict[str, InstructionSign]:
    return load_pack("instructions").by_id()


@cache
def _signs() -> Signs:
    return Signs(load_pack("instructions").rows, "attack")
