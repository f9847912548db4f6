"""Signs of danger in a text, as data rows: one pass tells which rows have a sign there, a second one where.

Patterns are RE2, so that the time is linear whatever the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import msgspec
import re2

from penstock.inspect.span import Span

#: Characters of a text that are looked at; what a model is told about one tool or file is shorter.
LONGEST = 200_000


class Sign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One sign.

    type: what it is a sign of; pattern: RE2, any case, ``.`` matches a line's end; says: why, after "it".
    """

    id: str
    type: str
    says: str
    pattern: str
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


class Signs:
    """Rows compiled together."""

    def __init__(self, rows: Sequence[Sign], category: str) -> None:
        self.rows = tuple(rows)
        self.category = category

    def find(self, text: str) -> list[Span]:
        """One span a row that has a sign in the text, by position."""
        text = text[:LONGEST].encode(errors="replace").decode()  # lone surrogates become ?, places stay
        hits = self._together.Match(text) or ()
        spans = [self._span(self.rows[index], self._each[index], text) for index in hits]
        return sorted((span for span in spans if span), key=lambda span: (span.start, span.rule))

    def _span(self, row: Sign, pattern: Any, text: str) -> Span | None:
        found = pattern.search(text)
        if found is None:
            return None
        return Span(found.start(), found.end(), row.type.upper(), self.category, 0.8, f"it {row.says}", row.id)

    @cached_property
    def _together(self) -> Any:
        together = re2.Set.SearchSet(_options())
        for row in self.rows:
            together.Add(row.pattern)
        together.Compile()
        return together

    @cached_property
    def _each(self) -> list[Any]:
        return [re2.compile(row.pattern, _options()) for row in self.rows]


def problems(row: Sign) -> Iterator[str]:
    """Why a row cannot be used; for the pack's loader."""
    try:
        re2.compile(row.pattern, _options())
    except re2.error as error:
        yield f"its pattern does not compile: {error}"


def shows(row: Sign, example: str) -> bool:
    """Whether a row has a sign in its example; for the test of all packs."""
    return bool(Signs([row], "").find(str(example)))


def _options() -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.dot_nl = True
    options.log_errors = False
    return options
