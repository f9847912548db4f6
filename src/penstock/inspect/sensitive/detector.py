"""Text in, spans out: candidates from the engine, then shape, checks and context at each of them.

A span depends on nothing but the ``HISTORY`` characters before it, itself, and a few behind it; a span that lies
within another is not told twice. That locality is what lets a stream give the same spans in any chunking.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from penstock.inspect.sensitive.engine import Engine, engine
from penstock.inspect.sensitive.rows import LONGEST, Shape, shapes
from penstock.inspect.sensitive.validators import VALIDATORS
from penstock.inspect.span import Span

#: How far a value may reach left of its core, how far back words of context count.
BACK = 64
CONTEXT = 64
#: Nothing before a value's start can matter that is further away: keyword, gap, shape's lead-in (the pack's largest).
HISTORY = 192
#: How far behind the longest value a pattern may look.
_AHEAD = 8


def detect(text: str) -> list[Span]:
    """Sensitive data in the text, in order of position."""
    return detector().detect(text)


@cache
def detector(engine_name: str = "") -> Detector:
    """The detector for the whole pack; compiled once a process."""
    return Detector(shapes(), engine_name)


class Detector:
    """Rows compiled for one engine."""

    def __init__(self, rows: Iterable[Shape], engine_name: str = "") -> None:
        self._rules: list[_Rule] = []
        #: core index → rule, bytes from the core's start to its end, characters of the keyword
        self._cores: list[tuple[_Rule, int, int]] = []
        patterns: list[str] = []
        for priority, row in enumerate(rows):
            rule = _Rule.of(row, priority)
            self._rules.append(rule)
            for core in row.core:
                patterns.append(core)
                self._cores.append((rule, _width(core), 0))
            for word in row.keyword:
                patterns.append(_as_pattern(word))
                self._cores.append((rule, 0, len(word)))
        self.engine: Engine = engine(patterns, name=engine_name)

    def detect(self, text: str) -> list[Span]:
        """Sensitive data in the text, in order of position; of spans within one another only the widest."""
        return self.look(text)[0]

    def look(self, text: str) -> tuple[list[Span], int]:
        """The spans, and where the first long value starts that has begun and may still go on (or the text's end)."""
        data = text.encode("utf-8", "surrogatepass")
        hits = self.engine.hits(data)
        growing = len(text)
        if not hits:
            return [], growing
        place = _identity if len(data) == len(text) else _places(data, hits, self._cores)
        found: dict[tuple[int, int], tuple[float, int, Span]] = {}
        tried: set[tuple[int, int]] = set()
        for core, end in hits:
            rule, width, letters = self._cores[core]
            at = place(end - width)
            if (rule.priority, at) in tried or (letters and not _stands_alone(text, at - letters, at)):
                continue
            tried.add((rule.priority, at))
            if rule.grows(text, at):
                growing = min(growing, at)
            for start, stop in rule.values(text, at):
                confidence = rule.confidence_of(text, start, stop)
                known = found.get((start, stop))
                if known is None or (confidence, -rule.priority) > known[:2]:
                    span = Span(start, stop, rule.type, rule.category, confidence, rule.reason, rule.id)
                    found[start, stop] = (confidence, -rule.priority, span)
        return _widest(found), growing


@dataclass(frozen=True, slots=True)
class _Rule:
    """A row, ready to run."""

    id: str
    type: str
    category: str
    confidence: float
    reason: str
    priority: int
    shape: tuple[re.Pattern[str], ...]
    checks: tuple[Callable[[str], bool], ...]
    back: re.Pattern[str] | None
    after: int | None
    open: re.Pattern[str] | None
    longest: int
    context: re.Pattern[str] | None
    sure: float
    unlikely: re.Pattern[str] | None

    @classmethod
    def of(cls, row: Shape, priority: int) -> _Rule:
        return cls(
            id=row.id,
            type=row.type,
            category=row.category,
            confidence=row.confidence,
            reason=row.reason,
            priority=priority,
            shape=tuple(re.compile(pattern) for pattern in row.shape),
            checks=tuple(VALIDATORS[name] for name in row.check),
            back=re.compile(f"[{row.back}]{{0,{BACK}}}") if row.back else None,
            after=row.gap if row.keyword else None,
            open=re.compile(row.open) if row.open else None,
            longest=max(row.longest, LONGEST),
            context=re.compile("|".join(map(re.escape, row.context)), re.IGNORECASE) if row.context else None,
            sure=row.sure,
            unlikely=re.compile(row.unlikely) if row.unlikely else None,
        )

    def grows(self, text: str, at: int) -> bool:
        """Whether a long value has begun at ``at`` and may go on behind the text's end."""
        return self.open is not None and len(text) - at < self.longest and self.open.fullmatch(text, at) is not None

    def values(self, text: str, at: int) -> list[tuple[int, int]]:
        """Where values stand whose core starts at ``at``, or behind the keyword that ends at ``at``."""
        if self.after is not None:
            return self._behind(text, at)
        if self.back is not None:
            at -= len(self.back.match(text[max(0, at - BACK) : at][::-1]).group())  # type: ignore[union-attr]
        stop = at + self.longest + _AHEAD
        for shape in self.shape:
            match = shape.match(text, at, stop)
            if match is not None and (value := self._passed(match)):
                return [value]
        return []

    def _behind(self, text: str, at: int) -> list[tuple[int, int]]:
        values: list[tuple[int, int]] = []
        if self.after == 0:
            for shape in self.shape:
                match = shape.match(text, at, at + self.longest + BACK)
                if match is not None and (value := self._passed(match)):
                    return [value]
            return []
        near = at + (self.after or 0)
        gap = _GAP_END.search(text, at, near)
        near = gap.start() if gap else near
        for shape in self.shape:
            for match in shape.finditer(text, at, near + self.longest + _AHEAD):
                if match.start() > near:
                    break
                if value := self._passed(match):
                    values.append(value)
            if values:
                break
        return values

    def _passed(self, match: re.Match[str]) -> tuple[int, int] | None:
        start, stop = match.span("value") if "value" in match.re.groupindex else match.span()
        value = match.string[start:stop]
        return (start, stop) if all(check(value) for check in self.checks) else None

    def confidence_of(self, text: str, start: int, stop: int) -> float:
        if self.unlikely is not None and self.unlikely.search(text, start, stop):
            return self.confidence / 2
        if self.context is not None and self.context.search(text, max(0, start - CONTEXT), start):
            return max(self.sure, self.confidence)
        return self.confidence


def _stands_alone(text: str, start: int, stop: int) -> bool:
    """Whether a keyword is a word, also within ``user_ssn`` and ``userSsn``; not a part as in ``assn``, not a mask."""
    before, after = text[start - 1 : start] if start else "", text[stop : stop + 1]
    if before == "[" and after == "]":
        return False
    return not (_joined(before, text[start]) or _joined(text[stop - 1], after))


def _joined(left: str, right: str) -> bool:
    """Whether two neighbours are letters of one word; a capital behind a small letter begins a new one."""
    return _letter(left) and _letter(right) and not (left.islower() and right.isupper())


def _letter(char: str) -> bool:
    return char.isascii() and char.isalpha()


#: A keyword speaks for values on its line; and for nothing behind a mask, so that masking twice changes nothing.
_GAP_END = re.compile(r"[\n\[]")


def _widest(found: dict[tuple[int, int], tuple[float, int, Span]]) -> list[Span]:
    """Spans in order of position without those that lie within another."""
    kept: list[Span] = []
    reached = -1
    for (_, stop), (_, _, span) in sorted(found.items(), key=lambda item: (item[0][0], -item[0][1])):
        if stop > reached:
            kept.append(span)
            reached = stop
    return kept


def _identity(offset: int) -> int:
    return offset


def _places(data: bytes, hits: list[tuple[int, int]], cores: list[tuple[_Rule, int, int]]) -> Callable[[int], int]:
    """Byte offset → character offset, for the offsets of the hits."""
    offsets = sorted({0, *(end - cores[core][1] for core, end in hits)})
    table = {0: 0}
    characters = 0
    for before, after in pairwise(offsets):
        characters += len(data[before:after].decode("utf-8", "surrogatepass"))
        table[after] = characters
    return table.__getitem__


def _as_pattern(word: str) -> str:
    """A keyword as an engine pattern: any case of ASCII letters, any of `` _-`` for a space; width as the word."""
    parts = []
    for char in word:
        if char == " ":
            parts.append("[ _-]")
        elif char.isascii() and char.isalpha():
            parts.append(f"[{char.lower()}{char.upper()}]")
        else:
            parts.append(re.escape(char))
    return "".join(parts)


def _width(core: str) -> int:
    """How many bytes a core is wide.

    Raises:
        ValueError: the width varies, so engines could disagree about where it matches.
    """
    from re import _parser  # type: ignore[attr-defined]

    low, high = _parser.parse(core).getwidth()
    if low != high or not core.isascii():
        raise ValueError(f"core {core!r} has no fixed width")
    return int(low)
