"""Words of context: how they are spelled, where they stand, and whether one stands by itself."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache

from penstock.inspect.sensitive.engine import Scanner


class Context:
    """Words that explain or deny values, in numbered sets; an engine of their own finds them near values only."""

    def __init__(self) -> None:
        self._sets: dict[tuple[str, ...], int] = {}
        self._words: dict[str, set[int]] = {}
        self._spelled: list[tuple[int, int, frozenset[int]]] = []
        self._scanner = Scanner(())
        self._again = lru_cache(maxsize=4096)(self._of_piece)

    def number(self, words: tuple[str, ...]) -> int:
        """The number of a set of words; -1 for none."""
        if not words:
            return -1
        number = self._sets.setdefault(words, len(self._sets))
        for word in words:
            self._words.setdefault(word.lower(), set()).add(number)
        return number

    def compile(self, engine_name: str = "") -> None:
        """Make the words findable; no set is taken in afterwards."""
        patterns: dict[str, tuple[int, int, set[int]]] = {}
        for word, numbers in self._words.items():
            spelled, further = spellings(word)
            for pattern in spelled:
                patterns.setdefault(pattern, (further, len(word), set()))[2].update(numbers)
        self._scanner = Scanner(list(patterns), name=engine_name)
        self._spelled = [(further, letters, frozenset(sets)) for further, letters, sets in patterns.values()]

    def words(self, text: str, low: int, high: int) -> list[tuple[int, int, frozenset[int]]]:
        """Where words end that stand wholly between two characters, with their lengths and sets, in order."""
        if high - low <= _OFTEN and _PLAIN.fullmatch(piece := text[max(0, low - 1) : high]):
            after = text[high : high + 1]
            rows = self._again(piece, after if after.isalpha() else "", high - low)
            return [(low + stop, letters, sets) for stop, letters, sets in rows] if rows else []
        return self._words_of(text, low, high)

    def _of_piece(self, piece: str, after: str, size: int) -> list[tuple[int, int, frozenset[int]]]:
        """Words among the last characters of a piece, which is all that has to be known about where it stood."""
        low = len(piece) - size
        rows = self._words_of(piece + after, low, len(piece))
        return [(stop - low, letters, sets) for stop, letters, sets in rows]

    def _words_of(self, text: str, low: int, high: int) -> list[tuple[int, int, frozenset[int]]]:
        before = max(0, low - 1)  # tells whether a word begins
        found: list[tuple[int, int, frozenset[int]]] = []
        for index, end in self._scanner.ends(text[before : high + 1]):
            further, letters, sets = self._spelled[index]
            if (stop := before + end - further) <= high:
                found.append((stop, letters, sets))
        found.sort(key=_by_stop)
        return [row for row in found if row[0] - row[1] >= low and stands_alone(text, row[0] - row[1], row[0])]


#: Between a word and its value often stands the same: so many characters, no figures, no part of a mask.
_OFTEN = 16
_PLAIN = re.compile(r"[^\d\[\]_]*")


class Told:
    """Words of context in one text; looked for only in the stretches that values ask about."""

    __slots__ = ("_context", "_from", "_stops", "_text", "_to", "_words")

    def __init__(self, context: Context, text: str) -> None:
        self._context = context
        self._text = text
        self._from = self._to = 0
        self._words: list[tuple[int, int, frozenset[int]]] = []
        self._stops: list[int] = []

    def read(self, low: int, high: int) -> None:
        """Look for words between two characters, about which the next questions are asked."""
        self._from, self._to = low, high
        self._words = self._context.words(self._text, low, high)
        self._stops = [row[0] for row in self._words]

    def last(self, known: int, low: int, high: int) -> int:
        """Where the last word of the set ends that stands wholly between two characters; -1 when none does."""
        if known < 0 or low >= high:
            return -1
        if low < self._from or high > self._to:
            if not self._text[low:high].strip(_NO_WORD):
                return -1
            self.read(low, high)
        words = self._words
        if not words:
            return -1
        at = bisect_right(self._stops, high) - 1
        while at >= 0:
            stop, letters, sets = words[at]
            if stop <= low:
                break
            if known in sets and stop - letters >= low:
                return stop
            at -= 1
        return -1


#: Of these alone no word consists.
_NO_WORD = " \t\n\"'`:=-_.,;()/#|"


def _by_stop(row: tuple[int, int, frozenset[int]]) -> int:
    return row[0]


def any_spelling(word: str) -> str:
    """A word as an engine pattern: any case, any of `` _-`` for a space, as many characters as the word."""
    return "".join([_SPELLED.get(char) or _spelled(char) for char in word])


def spellings(word: str) -> tuple[tuple[str, ...], int]:
    """Engine patterns for a word, and how many characters further than the word they end.

    A short one only where it may be a word: what begins otherwise or goes on in small letters is part of another.
    """
    pattern = any_spelling(word)
    if len(word) > _SHORT or not (word.isascii() and word.isalpha()):
        return (pattern,), 0
    within = "[a-z]" + word[0].upper() + any_spelling(word[1:])
    return (f"\\b{pattern}[^a-z]", f"_{pattern}[^a-z]", f"{within}[^a-z]"), 1


#: Words this short are parts of many others.
_SHORT = 5


def stands_alone(text: str, start: int, stop: int) -> bool:
    """Whether it is a word, also within ``user_ssn`` and ``userSsn``; not a part as in ``assn``, not a mask."""
    before, after = text[start - 1 : start] if start else "", text[stop : stop + 1]
    if before.isalpha() and _joined(before, text[start]):
        return False
    if after.isalpha() and _joined(text[stop - 1], after) and not _inflected(text, start, stop):
        return False
    return before not in _INSIDE or after not in _INSIDE or not _masked(text, start, stop)


_INSIDE = frozenset("[]_")


def _inflected(text: str, start: int, stop: int) -> bool:
    """Whether a long word goes on with no more than an ending: ``personnummeret``, ``паспортного``."""
    if stop - start < _LONG:
        return False
    end = stop + 1
    while end - stop <= _ENDING and text[end : end + 1].islower():
        end += 1
    return end - stop <= _ENDING and text[stop:end].islower() and not text[end : end + 1].isalpha()


#: Words of so many letters are told from others by their beginning; endings of case and number are this long.
_LONG, _ENDING = 9, 3


def _masked(text: str, start: int, stop: int) -> bool:
    """Whether the word is part of a mask such as ``[CARD_SECURITY_CODE]``."""
    low, high = max(1, start - _LONGEST_MASK), min(len(text) - 1, stop + _LONGEST_MASK)
    while start > low and (text[start - 1] == "_" or "A" <= text[start - 1] <= "Z"):
        start -= 1
    while stop < high and (text[stop] == "_" or "A" <= text[stop] <= "Z"):
        stop += 1
    return text[start - 1 : start] == "[" and text[stop : stop + 1] == "]"


_LONGEST_MASK = 24


def any_of(text: str, characters: str) -> bool:
    """Whether one of the characters occurs."""
    return any(char in text for char in characters)


def _joined(left: str, right: str) -> bool:
    """Whether two neighbours are letters of one word; a capital behind a small letter begins a new one."""
    return (
        left < _PARTED
        and right < _PARTED
        and left.isalpha()
        and right.isalpha()
        and not (left.islower() and right.isupper())
    )


#: Scripts up to here part words by spaces and join no particles to them.
_PARTED = "\u0590"


def _spelled(char: str) -> str:
    if char == " ":
        spelled = "[ _-]"
    elif char.isascii() and char.isalpha():
        spelled = f"[{char.lower()}{char.upper()}]"
    elif char.lower() != char.upper() and len(char.lower()) == len(char.upper()) == 1:
        spelled = f"(?:{char.lower()}|{char.upper()})"
    elif char.isalnum() or not char.isascii():
        spelled = char
    else:
        spelled = "\\" + char
    _SPELLED[char] = spelled
    return spelled


_SPELLED: dict[str, str] = {}
