"""Text in, spans out: candidates from the engine, then shape, checks and context at each of them.

Outside tables, a span depends on nothing but the ``HISTORY`` characters before it, itself, and a few behind it; in a
table also on the header and on its line. A span that lies within another is not told twice. That locality is what lets
a stream give the same spans in any chunking.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from functools import cache

from penstock.inspect.sensitive import tables
from penstock.inspect.sensitive.engine import Scanner
from penstock.inspect.sensitive.escapes import unescaped
from penstock.inspect.sensitive.identifiers import Identifiers
from penstock.inspect.sensitive.rows import Shape, shapes
from penstock.inspect.sensitive.rule import BACK, CONTEXT, HISTORY, Rule
from penstock.inspect.sensitive.words import Context, Told, any_of, spellings, stands_alone
from penstock.inspect.span import Span

__all__ = ["BACK", "HISTORY", "Detector", "detect", "detector"]

#: Of a table's header, how many columns are told apart; of a cell, how many characters can be a value.
_COLUMNS, _CELL = 400, 96
#: Values that ask for words of context are asked about together while no more than this lies between two of them.
_TOGETHER = 64
#: A rule's number and a place share one integer.
_PRIORITY_BITS = 12


def detect(text: str) -> list[Span]:
    """Sensitive data in the text, in order of position."""
    return detector().detect(text)


@cache
def detector(engine_name: str = "") -> Detector:
    """The detector for the whole pack; compiled once a process."""
    return Detector(shapes(), engine_name)


class _Core:
    """What a hit of one engine pattern leads to: rules at a value's core, or rules behind a word of so many letters.

    width: how far before the hit's end the core starts, or the word ends.
    """

    __slots__ = ("identifiers", "letters", "rules", "width")

    def __init__(self, width: int, letters: int) -> None:
        self.width = width
        self.letters = letters
        self.rules: list[Rule] = []
        self.identifiers: Identifiers | None = None


#: Start, end, rule, and from where on words before the value count.
_Unsure = tuple[int, int, Rule, int]
#: Start and end, the end negative so that of two with one start the wider sorts first → confidence, rule.
Found = dict[tuple[int, int], tuple[float, Rule]]


class Detector:
    """Rows compiled for one engine."""

    def __init__(self, rows: Iterable[Shape], engine_name: str = "") -> None:
        cores: dict[str, _Core] = {}
        words: dict[str, _Core] = {}
        context = Context()
        for priority, row in enumerate(rows):
            rule = Rule(row, priority, context=context.number(row.context), unless=context.number(row.unless))
            for pattern in row.core:
                core = cores.get(pattern)
                if core is None:
                    core = cores[pattern] = _Core(_width(pattern), 0)
                core.rules.append(rule)
            for word in map(str.lower, row.keyword):
                core = words.get(word)
                if core is None:
                    spelled, further = spellings(word)
                    core = words[word] = _Core(further, len(word))
                    cores.update(dict.fromkeys(spelled, core))
                if row.compact:
                    core.identifiers = core.identifiers or Identifiers(context.number(row.unless))
                    core.identifiers.add(rule)
                else:
                    core.rules.append(rule)
        context.compile(engine_name)
        self._context = context
        self._cores = list(cores.values())
        self._scanner = Scanner(list(cores), name=engine_name)

    def detect(self, text: str) -> list[Span]:
        """Sensitive data in the text, in order of position; of spans within one another only the widest."""
        return self.look(text)[0]

    def look(self, text: str) -> tuple[list[Span], int]:
        """The spans, and where the first long value starts that has begun and may still go on (or the text's end)."""
        growing = len(text)
        text = unescaped(text)
        hits = self._scanner.ends(text)
        if not hits:
            return [], growing
        cores = self._cores
        told = Told(self._context, text)
        found: Found = {}
        unsure: list[_Unsure] = []
        tried: set[int] = set()
        words: list[tuple[_Core, int]] = []
        for index, at in hits:
            core = cores[index]
            at -= core.width
            if core.letters:
                if not stands_alone(text, at - core.letters, at):
                    continue
                words.append((core, at))
                if core.identifiers is not None and (number := core.identifiers.behind(text, at, told)) is not None:
                    _note(found, *number)
            for rule in core.rules:
                first = rule.first(text, at) if rule.leads else at
                if rule.open and first < growing and rule.grows(text, at):
                    growing = first
                key = first << _PRIORITY_BITS | rule.priority
                if key in tried:
                    continue
                tried.add(key)
                for start, stop in rule.values(text, first):
                    if rule.explained:
                        unsure.append((start, stop, rule, at if rule.worded else 0))
                    else:
                        _note(found, rule, start, stop)
        if unsure:
            _explain(found, unsure, text, told)
        if words and "\n" in text:
            growing = min(growing, self._tabled(text, words, found))
        return _widest(found), growing

    def _tabled(self, text: str, words: list[tuple[_Core, int]], found: Found) -> int:
        """Add values in columns of tables whose header is one of the words; where a cell starts that may go on."""
        growing = len(text)
        asked: dict[int, list[tuple[_Core, int]]] = {}
        for core, at in words:
            start = text.rfind("\n", 0, at) + 1
            asked.setdefault(start, []).append((core, at))
        named = sorted(start for start in asked if tables.header_at(text, start))
        for start, header in tables.headers(text, named).items():
            headed = asked[start]
            columns: dict[int, _Column] = {}
            for core, at in headed:
                column = header.column_of(at - 1)
                if column < _COLUMNS:
                    numbers, rules = columns.setdefault(column, ([], {}))
                    rules.update(dict.fromkeys(core.rules))
                    if core.identifiers is not None and core.identifiers not in numbers:
                        numbers.append(core.identifiers)
            for column, begin, stop, still in tables.cells(text, header, columns):
                if still and stop - begin < _CELL:
                    growing = min(growing, begin)
                _cell(found, *columns[column], text[begin : min(stop, begin + _CELL)], begin)
        return growing


_NOTHING = Told(Context(), "")
#: What a column's header leads to: numbers and rules, each once however many words name them.
_Column = tuple[list[Identifiers], dict[Rule, None]]
#: A cell is read as if this stood before it, its header's word first.
_LEAD = "x: "


def _cell(found: Found, numbers: list[Identifiers], rules: Iterable[Rule], value: str, begin: int) -> None:
    """Add a cell's value, which must begin it and end with it or at a space."""
    text, at, first = _LEAD + value, 1, len(_LEAD)
    spans: list[tuple[Rule, int, int]] = []
    for known in numbers:
        if (number := known.behind(text, at, _NOTHING)) is not None:
            spans.append(number)
    for rule in rules:
        spans += [(rule, start, stop) for start, stop in rule.values(text, at)]
    for rule, start, stop in spans:
        if start == first and text[stop : stop + 1] in ("", " "):
            _note(found, rule, begin, begin + stop - start)


def _explain(found: Found, unsure: list[_Unsure], text: str, told: Told) -> None:
    """Add values for which words before them count, as far back as the value or the mask before.

    What lies behind another value explains nothing, so that masking that value changes nothing.
    """
    ends = sorted([-stop for _, stop in found])
    unsure.sort(key=_by_start)
    read = -1
    for place, (start, stop, rule, since) in enumerate(unsure):
        if start > read and rule.asks:
            read = _read_together(unsure, place, told)
        at = bisect_right(ends, start)
        since = max(since, ends[at - 1] if at else 0, text.rfind("]", max(0, start - CONTEXT), start) + 1)
        confidence = rule.confidence_of(text, start, stop, told, since)
        if confidence:
            _note(found, rule, start, stop, confidence)
            insort(ends, stop)


def _read_together(unsure: list[_Unsure], place: int, told: Told) -> int:
    """Look for words before this value and before those that follow it closely; up to where."""
    first = read = unsure[place][0]
    for start, _, _, _ in unsure[place + 1 :]:
        if start - CONTEXT > read + _TOGETHER:
            break
        read = start
    told.read(max(0, first - CONTEXT), read)
    return read


def _by_start(item: _Unsure) -> tuple[int, int, int]:
    return item[0], item[1], item[2].priority


def _note(found: Found, rule: Rule, start: int, stop: int, confidence: float = 0.0) -> None:
    """Of two rules that claim the same characters the surer one wins, then the earlier."""
    confidence = confidence or rule.confidence
    known = found.get((start, -stop))
    if known is None or confidence > known[0] or (confidence == known[0] and rule.priority < known[1].priority):
        found[start, -stop] = (confidence, rule)


def _widest(found: Found) -> list[Span]:
    """Spans in order of position without those that lie within another."""
    kept: list[Span] = []
    reached = -1
    for place in sorted(found):
        start, end = place[0], -place[1]
        if end > reached:
            confidence, rule = found[place]
            kept.append(Span(start, end, rule.type, rule.category, confidence, rule.reason, rule.id))
            reached = end
    return kept


@cache
def _width(core: str) -> int:
    """How many bytes a core is wide.

    Raises:
        ValueError: the width varies, so engines could disagree about where it matches.
    """
    if not any_of(core, r"[](){}?*+|^$.\\"):
        return len(core)
    from re import _parser  # type: ignore[attr-defined]

    low, high = _parser.parse(core).getwidth()
    if low != high or not core.isascii():
        raise ValueError(f"core {core!r} has no fixed width")
    return int(low)
