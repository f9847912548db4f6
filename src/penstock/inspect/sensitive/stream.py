"""The same spans from a text that arrives in pieces, whatever the pieces.

Only what may still become part of a value is held back: the last word, numbers written in groups, a long key that has
begun. Everything else is released as it comes.
"""

from __future__ import annotations

import re
from typing import Protocol

from penstock.inspect.sensitive import tables
from penstock.inspect.sensitive.detector import HISTORY, detector
from penstock.inspect.sensitive.escapes import unescaped
from penstock.inspect.span import Span

#: Characters held back at most, except behind the beginning of a long value (a private key, a web token).
HELD = 256


class Looker(Protocol):
    """What judges a text; a ``Detector`` is one."""

    def look(self, text: str) -> tuple[list[Span], int]:
        """The spans in order of position, and from where on later text may still change them."""


class StreamDetector:
    """Feed pieces, get back text that is safe to pass on and the spans in it.

    Spans count from the start of the released text of the same call. ``finish`` releases the rest.
    """

    def __init__(self, using: Looker | None = None) -> None:
        self._detector = using or detector()
        self._before = ""  # released already, kept because it may explain what follows
        self._held = ""

    @property
    def held(self) -> int:
        """How many characters are held back now."""
        return len(self._held)

    def feed(self, piece: str) -> tuple[str, list[Span]]:
        """Take in a piece; release what no later piece can change."""
        if not piece:
            return "", []
        held = self._held + piece
        still_open = _still_open(unescaped(held))
        if still_open == 0 and len(held) <= HELD:
            self._held = held  # nothing could be released, so nothing need be looked at
            return "", []
        return self._release(held, max(still_open, len(held) - HELD))

    def finish(self) -> tuple[str, list[Span]]:
        """Release all that is held back; the stream has ended."""
        return self._release(self._held, len(self._held), last=True) if self._held else ("", [])

    def _release(self, held: str, ready: int, *, last: bool = False) -> tuple[str, list[Span]]:
        """Release as many characters as are ``ready``, less what has begun and may go on."""
        start = len(self._before)
        text = unescaped(self._before + held)
        spans, growing = self._detector.look(text)
        cut = start + ready
        if not last and (spans or growing < cut):
            cut = max(start, min(cut, growing))
            for span in reversed(spans):  # a span that crosses the cut waits whole
                if span.start < cut < span.end:
                    cut = max(start, span.start)
        released = held[: cut - start]
        self._before, self._held = _explaining(text, cut), held[cut - start :]
        return released, [_moved(span, -start) for span in spans if start <= span.start and span.end <= cut]


def _explaining(text: str, cut: int) -> str:
    """What of the released text may explain what follows: the last words, and of a table its header and its line."""
    far = max(0, cut - HISTORY)
    line = text.rfind("\n", 0, cut) + 1
    begin = text.rfind("\n", 0, far) + 1
    table = tables.open_at(text, line) if line else None
    if table is not None and cut - line <= tables.ROW:
        start, end = table
        return text[start:end] + text[max(begin, end) : cut]
    if begin and cut - begin <= HISTORY + tables.HEADER:
        return text[begin:cut]
    if cut <= HISTORY + tables.HEADER and begin == 0:
        return text[:cut]
    return _NO_LINE_START + text[far:cut]


#: Stands where a line was cut, so that its rest is not taken for a header.
_NO_LINE_START = "="


def _still_open(text: str) -> int:
    """Where the last run of characters starts that a value might still grow from.

    The last word; before it, with single spaces between, groups as in telephone, card and account numbers.
    """
    at = len(text)
    floor = max(0, at - HELD)
    at = _last_word(text, at, floor)
    while at > floor + 1 and text[at - 1] == " ":
        word = _last_word(text, at - 1, floor)
        group = _GROUP.search(text, word, at - 1)
        if group is None:
            break
        at = word
        if group.start() > word:
            break  # the number begins within this word, as in ``tel:0171 123``
    return at


def _last_word(text: str, end: int, floor: int) -> int:
    """Where the word that ends at ``end`` starts."""
    words = text[floor:end].rsplit(None, 1)
    return end - len(words[-1]) if words and not text[end - 1].isspace() else end


#: A group of a number written in groups: figures with their signs, up to four capitals (as in a British IBAN).
_GROUP = re.compile(r"(?:[0-9A-Z+()./-]*[0-9)+][0-9A-Z()./-]*|(?<![A-Za-z0-9])[A-Z]{1,4})\Z")


def _moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by, span.type, span.category, span.confidence, span.reason, span.rule)
