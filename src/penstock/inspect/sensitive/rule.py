"""A row of the pack, ready to run at a place in a text."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property

from penstock.inspect.sensitive.rows import LONGEST, Shape
from penstock.inspect.sensitive.validators import check_named
from penstock.inspect.sensitive.words import Told

#: How far a value may reach left of its core, how far back words of context count, and words that deny.
BACK = 64
CONTEXT = 64
UNLESS = 32
#: Nothing before a value's start can matter that is further away: keyword, gap, shape's lead-in (the pack's largest).
HISTORY = 192
#: How far behind the longest value a pattern may look.
_AHEAD = 8


class Rule:
    """Patterns are compiled when they are first needed: most rows of the pack stay silent in most processes."""

    def __init__(self, row: Shape, priority: int, *, context: int = -1, unless: int = -1) -> None:
        """context, unless: the sets of words that the row names, as the detector numbers them."""
        self._row = row
        self._context = context
        self._unless = unless
        self.gap = row.gap
        self.country = row.country
        self.worded = bool(row.keyword)
        self.priority = priority
        self.id = row.id
        self.type = row.type
        self.category = row.category
        self.confidence = row.confidence
        self.reason = row.reason
        self.open = bool(row.open)
        self._gap = row.gap if row.keyword else None
        self._back = row.back
        self._longest = max(row.longest, LONGEST)
        self.explained = bool(row.context or row.unless or row.unlikely or row.needs)

    @cached_property
    def shapes(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(pattern) for pattern in self._row.shape)

    @cached_property
    def checks(self) -> tuple[Callable[[str], bool], ...]:
        return tuple(check_named(name) for name in self._row.check)

    @cached_property
    def compact(self) -> re.Pattern[str]:
        return re.compile(self._row.compact)

    def grows(self, text: str, at: int) -> bool:
        """Whether a long value has begun at ``at`` and may go on behind the text's end."""
        return len(text) - at < self._longest and self._begun.fullmatch(text, at) is not None

    def values(self, text: str, at: int) -> list[tuple[int, int]]:
        """Where values stand whose core starts at ``at``, or behind the keyword that ends at ``at``."""
        if self._gap is not None:
            return self._behind(text, at, self._gap)
        if self._back:
            at -= len(self._lead.match(text[max(0, at - BACK) : at][::-1]).group())  # type: ignore[union-attr]
        return self._here(text, at, at + self._longest + _AHEAD)

    def confidence_of(self, text: str, start: int, stop: int, told: Told, since: int) -> float:
        """How surely the value is one where it stands; 0 when what stands before it, from ``since``, denies it."""
        explained = told.last(self._context, max(since, start - CONTEXT), start)
        if self._unless >= 0 and told.last(self._unless, max(since, start - UNLESS), start) > explained:
            return 0.0
        if self._row.unlikely and self._unlikely.search(text, start, stop):
            return self.confidence / 2
        if explained >= 0:
            return max(self._row.sure, self.confidence)
        return 0.0 if self._row.needs else self.confidence

    def _here(self, text: str, at: int, limit: int) -> list[tuple[int, int]]:
        for shape in self.shapes:
            match = shape.match(text, at, limit)
            if match is not None and (value := self._passed(match)):
                return [value]
        return []

    def _behind(self, text: str, at: int, gap: int) -> list[tuple[int, int]]:
        if gap == 0:
            return self._here(text, at, at + self._longest + BACK)
        at, near = gap_behind(text, at, gap)
        for shape in self.shapes:
            values: list[tuple[int, int]] = []
            for match in shape.finditer(text, at, near + self._longest + _AHEAD):
                if match.start() > near:
                    break
                if value := self._passed(match):
                    values.append(value)
            if values:
                return values
        return []

    def _passed(self, match: re.Match[str]) -> tuple[int, int] | None:
        start, stop = match.span("value") if "value" in match.re.groupindex else match.span()
        value = match.string[start:stop]
        return (start, stop) if all(check(value) for check in self.checks) else None

    @cached_property
    def _lead(self) -> re.Pattern[str]:
        return re.compile(f"[{self._back}]{{0,{BACK}}}")

    @cached_property
    def _begun(self) -> re.Pattern[str]:
        return re.compile(self._row.open)

    @cached_property
    def _unlikely(self) -> re.Pattern[str]:
        return re.compile(self._row.unlikely)


def gap_behind(text: str, at: int, gap: int) -> tuple[int, int]:
    """Where a value behind a word may start at the earliest and at the latest.

    On the word's line; or on the next one, when nothing but a colon ends the word's.
    """
    if label := _LABEL.match(text, at, at + 8):
        at = label.end()
    near = at + gap
    end = GAP_END.search(text, at, near)
    return at, end.start() if end else near


_LABEL = re.compile(r"[ \t]?[:：]?[ \t]?\r?\n")
#: A keyword speaks for values on its line; and for nothing behind a mask, so that masking twice changes nothing.
GAP_END = re.compile(r"[\n\[]")
