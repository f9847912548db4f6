"""A row of the pack, ready to run at a place in a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
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
_NONE: tuple[tuple[int, int], ...] = ()


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
        #: Whether the value may begin left of its core.
        self.leads = bool(row.back) and not row.keyword
        self._near = row.gap if row.keyword else 0
        self._longest = max(row.longest, LONGEST)
        self._ahead = self._longest + (BACK if row.keyword else _AHEAD)
        self.explained = bool(row.context or row.unless or row.unlikely or row.needs)
        #: Whether words before the value say how sure it is.
        self.asks = context >= 0 or unless >= 0

    @cached_property
    def shapes(self) -> tuple[tuple[re.Pattern[str], str | int], ...]:
        """Patterns, each with the group that is the value."""
        patterns = [re.compile(self._within_gap(pattern) if self._near else pattern) for pattern in self._row.shape]
        whole: str | int = "whole" if self._near else 0
        return tuple((pattern, "value" if "value" in pattern.groupindex else whole) for pattern in patterns)

    def _within_gap(self, shape: str) -> str:
        """The shape, tried at each place of the gap but no further."""
        flags, shape = ("i", shape[4:]) if shape.startswith("(?i)") else ("", shape)
        return f"(?s:.{{0,{self._near}}}?)(?P<whole>(?{flags}:{shape}))"

    @cached_property
    def checks(self) -> tuple[Callable[[str], bool], ...]:
        return tuple(check_named(name) for name in self._row.check)

    @cached_property
    def compact(self) -> re.Pattern[str]:
        return re.compile(self._row.compact)

    @cached_property
    def compact_checks(self) -> tuple[Callable[[str], bool], ...]:
        """Checks for a value that is in capitals and without separators already."""
        return tuple(check_named(name, plain=True) for name in self._row.check)

    def grows(self, text: str, at: int) -> bool:
        """Whether a long value has begun at ``at`` and may go on behind the text's end."""
        return len(text) - at < self._longest and self._begun.fullmatch(text, at) is not None

    def first(self, text: str, at: int) -> int:
        """Where a value starts whose core starts at ``at``, when it ``leads``."""
        low = at - BACK if at > BACK else 0
        before = text[low:at]
        if not before or before.isascii():
            return low + len(before.rstrip(self._lead))
        return at - len(self._wide_lead.match(before[::-1]).group())  # type: ignore[union-attr]

    def values(self, text: str, at: int) -> Sequence[tuple[int, int]]:
        """Where values stand that start at ``at``, or behind the keyword that ends at ``at``."""
        if self._near:
            return self._behind(text, at)
        limit, checks = at + self._ahead, self.checks
        for shape, group in self.shapes:
            match = shape.match(text, at, limit)
            if match is None:
                continue
            value = match[group]
            for check in checks:
                if not check(value):
                    break
            else:
                return [match.span(group)]
        return _NONE

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

    def _behind(self, text: str, at: int) -> list[tuple[int, int]]:
        at, near = gap_behind(text, at, self._near)
        limit = near + self._longest + _AHEAD
        values: list[tuple[int, int]] = []
        for shape, group in self.shapes:
            match = shape.match(text, at, limit)
            while match is not None and match.start("whole") <= near:
                if self._passes(match[group]):
                    values.append(match.span(group))
                match = shape.match(text, match.end(), limit)
            if values:
                break
        return values

    def _passes(self, value: str) -> bool:
        for check in self.checks:  # noqa: SIM110 (a generator costs more than most checks)
            if not check(value):
                return False
        return True

    @cached_property
    def _lead(self) -> str:
        """The ASCII characters that may stand between a value's start and its core."""
        allowed = re.compile(f"[{self._row.back}]")
        return "".join(char for char in map(chr, range(128)) if allowed.match(char))

    @cached_property
    def _wide_lead(self) -> re.Pattern[str]:
        return re.compile(f"[{self._row.back}]{{0,{BACK}}}")

    @cached_property
    def _begun(self) -> re.Pattern[str]:
        return re.compile(self._row.open)

    @cached_property
    def _unlikely(self) -> re.Pattern[str]:
        return re.compile(self._row.unlikely)


def gap_behind(text: str, at: int, gap: int) -> tuple[int, int]:
    """Where a value behind a word may start at the earliest and at the latest.

    On the word's line; or on the next one, when nothing but a colon or question mark ends the word's. A keyword
    speaks for nothing behind a mask, so that masking twice changes nothing.
    """
    if text.find("\n", at, at + 8) >= 0 and (label := _LABEL.match(text, at, at + 40)):
        at = label.end()
    near = at + gap
    line, mask = text.find("\n", at, near), text.find("[", at, near)
    if line >= 0:
        near = line
    return at, mask if 0 <= mask < near else near


#: The end of a label's line; behind a question also who answers (``customer: ``).
_LABEL = re.compile(r"[ \t]?(?:[:：]?[ \t]?\r?\n|[?？][ \t]?\r?\n(?:[^\W\d_][\w .-]{0,20}:[ \t])?)")
