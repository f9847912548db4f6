"""Numbers that somebody was given, behind a word for them: read once in groups, then told by their length.

``12 345 678 901`` and ``12.345.678/901`` are one number. All countries' rows that share a word cost one reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.inspect.sensitive.rule import Rule, gap_behind
from penstock.inspect.sensitive.words import Told

#: Groups of one number, characters of it without separators, letters of a group before its first figure.
_GROUPS, _LONGEST, _LEADING = 8, 30, 8


class Identifiers:
    """Rows that a word introduces."""

    __slots__ = ("_by_length", "_gap", "_others", "_rules")

    def __init__(self, others: int) -> None:
        """others: the set of words for what a number may be instead."""
        self._others = others
        self._rules: list[Rule] = []
        self._by_length: dict[int, list[Rule]] = {}
        self._gap = 0

    def add(self, rule: Rule) -> None:
        """Take in a row."""
        self._rules.append(rule)
        self._gap = max(self._gap, rule.gap)

    def behind(self, text: str, at: int, told: Told) -> tuple[Rule, int, int] | None:
        """The first number behind the word that is one of them: its row and where it stands."""
        at, near = gap_behind(text, at, self._gap)
        figure = _FIGURE.search(text, at, near + _LEADING + 1)
        if figure is None:
            return None
        position = max(at, figure.start() - _LEADING)
        while position <= near:
            first = _GROUP.search(text, position, near + _LONGEST * 2)
            if first is None or first.start() > near:
                return None
            start, position = first.span()
            whole = _MORE.match(text, position).end()  # type: ignore[union-attr]
            for stop in [whole] if whole == position else [whole, *_ends(text, position, whole)]:
                if (rule := self._fitting(text[start:stop])) is not None:
                    return None if told.last(self._others, at, start) >= 0 else (rule, start, stop)
        return None

    def _fitting(self, value: str) -> Rule | None:
        plain = value.upper().encode().translate(None, _SEPARATORS).decode()  # groups are ASCII
        size = len(plain)
        if not 5 <= size <= _LONGEST or ("." in value and _DECIMAL.fullmatch(value)):
            return None
        rules = self._by_length.get(size)
        if rules is None:
            rules = self._by_length[size] = [rule for rule in self._rules if _may_be(rule, size)]
        american = value[3:4] == "-" and _AMERICAN.fullmatch(value) is not None
        for rule in rules:
            if american and rule.country not in ("US", ""):
                continue
            if rule.compact.fullmatch(plain) is None:
                continue
            for check in rule.compact_checks:
                if not check(plain):
                    break
            else:
                return rule
        return None


def _ends(text: str, first: int, whole: int) -> Iterator[int]:
    """Where the groups of a number end before the last one, from right to left, down to the first."""
    ends = [first]
    while (end := _NEXT.match(text, ends[-1]).end()) < whole:  # type: ignore[union-attr]
        ends.append(end)
    return reversed(ends)


def _may_be(rule: Rule, size: int) -> bool:
    """Whether the row's pattern can match that many characters."""
    from re import _parser  # type: ignore[attr-defined]

    low, high = _parser.parse(rule.compact.pattern).getwidth()
    return bool(low <= size <= high)


_FIGURE = re.compile(r"\d")
#: A group: figures, maybe with letters; or up to four capitals. The first needs no figure before it.
_GROUP = re.compile(
    r"(?<![0-9A-Za-z_\u00c0-\u052f])(?:(?=[A-Za-z]{0,8}\d)[0-9A-Za-z]{1,30}|[A-Z]{1,4}(?=[ ./-]\d))"
    r"(?![0-9A-Za-z_\u00c0-\u052f])"
)
_NEXT = re.compile(r"(?:[./-]|[ ](?:- )?)(?:(?=[A-Z]{0,7}\d)[0-9A-Z]{1,30}|[A-Z]{1,4})(?![0-9A-Za-z_\u00c0-\u052f])")
_MORE = re.compile(f"(?:{_NEXT.pattern}){{0,{_GROUPS - 1}}}")
#: A measure, not a number in groups.
_DECIMAL = re.compile(r"\d+\.\d+")
#: Three, two and four figures: only the United States write so.
_AMERICAN = re.compile(r"\d{3}-\d{2}-\d{4}")
_SEPARATORS = b" ./-"
