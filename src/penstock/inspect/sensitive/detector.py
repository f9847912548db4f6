"""Text in, spans out: candidates from the engine, then shape, checks and context at each of them.

Outside tables, a span depends on nothing but the ``HISTORY`` characters before it, itself, and a few behind it; in a
table also on the header and on its line. A span that lies within another is not told twice. That locality is what lets
a stream give the same spans in any chunking.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from penstock.inspect.sensitive import tables
from penstock.inspect.sensitive.engine import Engine, engine
from penstock.inspect.sensitive.identifiers import Identifiers
from penstock.inspect.sensitive.rows import Shape, shapes
from penstock.inspect.sensitive.rule import BACK, CONTEXT, HISTORY, Rule
from penstock.inspect.sensitive.words import Told, any_of, spellings, stands_alone
from penstock.inspect.span import Span

__all__ = ["BACK", "HISTORY", "Detector", "detect", "detector"]

#: Of a table's header, how many columns are told apart; of a cell, how many characters can be a value.
_COLUMNS, _CELL = 400, 96


def detect(text: str) -> list[Span]:
    """Sensitive data in the text, in order of position."""
    return detector().detect(text)


@cache
def detector(engine_name: str = "") -> Detector:
    """The detector for the whole pack; compiled once a process."""
    return Detector(shapes(), engine_name)


class _Core:
    """What a hit of one engine pattern leads to: rules at a value's core, or rules behind a word.

    told: sets of words to which the word belongs, for rules that ask whether one of them stands before a value.
    """

    __slots__ = ("identifiers", "letters", "rules", "told", "width")

    def __init__(self, width: int, letters: int) -> None:
        self.width = width
        self.letters = letters
        self.rules: list[Rule] = []
        self.identifiers: Identifiers | None = None
        self.told: list[int] = []


#: Start, end, rule, and a character near them with its byte offset.
_Unsure = tuple[int, int, Rule, int, int]
Found = dict[tuple[int, int], tuple[float, int, Span]]


class Detector:
    """Rows compiled for one engine."""

    def __init__(self, rows: Iterable[Shape], engine_name: str = "") -> None:
        cores: dict[str, _Core] = {}
        words: dict[str, _Core] = {}
        sets: dict[tuple[str, ...], int] = {}

        def of_word(word: str) -> _Core:
            word = word.lower()
            core = words.get(word)
            if core is None:
                core = words[word] = _Core(0, len(word))
                cores.update(dict.fromkeys(spellings(word), core))
            return core

        def set_of(words: tuple[str, ...]) -> int:
            if words and words not in sets:
                sets[words] = len(sets)
                for word in words:
                    of_word(word).told.append(sets[words])
            return sets.get(words, -1)

        for priority, row in enumerate(rows):
            rule = Rule(row, priority, context=set_of(row.context), unless=set_of(row.unless))
            for pattern in row.core:
                core = cores.get(pattern)
                if core is None:
                    core = cores[pattern] = _Core(_width(pattern), 0)
                core.rules.append(rule)
            for word in row.keyword:
                core = of_word(word)
                if row.compact:
                    core.identifiers = core.identifiers or Identifiers(set_of(row.unless))
                    core.identifiers.add(rule)
                else:
                    core.rules.append(rule)
        self._cores = list(cores.values())
        self.engine: Engine = engine(list(cores), name=engine_name)

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
        cores = self._cores
        told = Told(text, data)
        asked: list[tuple[_Core, int]] = []
        for index, end in hits:
            core = cores[index]
            if core.told:
                told.note(end, core.letters, core.told)
            if core.rules or core.identifiers is not None:
                asked.append((core, end))
        place = _places(data, asked) if len(data) != len(text) else None
        found: Found = {}
        unsure: list[_Unsure] = []
        tried: set[tuple[int, int]] = set()
        words: list[tuple[_Core, int]] = []
        for core, end in asked:
            byte = at = end - core.width
            if place is not None:
                at = place[at]
            if core.letters:
                if not stands_alone(text, at - core.letters, at):
                    continue
                words.append((core, at))
            if core.identifiers is not None:
                told.about(at, byte)
                for rule, start, stop in core.identifiers.behind(text, at, told):
                    _note(found, rule, start, stop, rule.confidence)
            for rule in core.rules:
                if rule.open and rule.grows(text, at):
                    growing = min(growing, at)
                key = (rule.priority, at)
                if key in tried:
                    continue
                tried.add(key)
                for start, stop in rule.values(text, at):
                    if rule.explained:
                        unsure.append((start, stop, rule, at, byte))
                    else:
                        _note(found, rule, start, stop, rule.confidence)
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
        if not any(tables.header_at(text, start) for start in asked):
            return growing
        known = tables.headers(text)
        for start, headed in asked.items():
            if (header := known.get(start)) is None:
                continue
            columns: dict[int, list[tuple[_Core, str]]] = {}
            for core, at in headed:
                column = header.column_of(at - 1)
                if column < _COLUMNS:
                    columns.setdefault(column, []).append((core, text[at - core.letters : at]))
            for column, begin, stop, still in tables.cells(text, header, columns):
                if still and stop - begin < _CELL:
                    growing = min(growing, begin)
                value = text[begin : min(stop, begin + _CELL)]
                for core, word in columns[column]:
                    self._cell(found, core, word, value, begin)
        return growing

    def _cell(self, found: Found, core: _Core, word: str, value: str, begin: int) -> None:
        """A cell is read as if its header stood before it; the value must begin it and end with it or at a space."""
        lead = f"{word}: "
        text, at = lead + value, len(word)
        spans = list(core.identifiers.behind(text, at, _NOTHING)) if core.identifiers is not None else []
        for rule in core.rules:
            spans += [(rule, start, stop) for start, stop in rule.values(text, at)]
        for rule, start, stop in spans:
            if start == len(lead) and text[stop : stop + 1] in ("", " "):
                _note(found, rule, begin, begin + stop - start, rule.confidence)


_NOTHING = Told("", b"")


def _explain(found: Found, unsure: list[_Unsure], text: str, told: Told) -> None:
    """Add values for which words before them count, as far back as the value or the mask before.

    What lies behind another value explains nothing, so that masking that value changes nothing.
    """
    ends = sorted(stop for _, stop in found)
    unsure.sort(key=_by_start)
    for start, stop, rule, asked, byte in unsure:
        told.about(asked, byte)
        at = bisect_right(ends, start)
        since = max(
            asked if rule.worded else 0, ends[at - 1] if at else 0, text.rfind("]", max(0, start - CONTEXT), start) + 1
        )
        confidence = rule.confidence_of(text, start, stop, told, since)
        if confidence:
            _note(found, rule, start, stop, confidence)
            insort(ends, stop)


def _by_start(item: _Unsure) -> tuple[int, int, int]:
    return item[0], item[1], item[2].priority


def _note(found: Found, rule: Rule, start: int, stop: int, confidence: float) -> None:
    known = found.get((start, stop))
    if known is None or (confidence, -rule.priority) > known[:2]:
        span = Span(start, stop, rule.type, rule.category, confidence, rule.reason, rule.id)
        found[start, stop] = (confidence, -rule.priority, span)


def _widest(found: Found) -> list[Span]:
    """Spans in order of position without those that lie within another."""
    kept: list[Span] = []
    reached = -1
    for (_, stop), (_, _, span) in sorted(found.items(), key=_by_place):
        if stop > reached:
            kept.append(span)
            reached = stop
    return kept


def _by_place(item: tuple[tuple[int, int], tuple[float, int, Span]]) -> tuple[int, int]:
    return item[0][0], -item[0][1]


def _places(data: bytes, asked: list[tuple[_Core, int]]) -> dict[int, int]:
    """Byte offset → character offset, for the offsets of the hits."""
    offsets = sorted({0, *(end - core.width for core, end in asked)})
    table = {0: 0}
    characters = 0
    for before, after in pairwise(offsets):
        characters += len(data[before:after].decode("utf-8", "surrogatepass"))
        table[after] = characters
    return table


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
