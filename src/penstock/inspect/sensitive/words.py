"""Words of context: how they are spelled, and whether one stands by itself."""

from __future__ import annotations

from bisect import bisect_right


class Told:
    """Where words of each set stand in a text, in order of their ends."""

    __slots__ = ("_places",)

    def __init__(self, sets: int) -> None:
        self._places: list[tuple[list[int], list[int]] | None] = [None] * sets

    def note(self, known: int, start: int, stop: int) -> None:
        """A word of a set stands here, behind those noted before."""
        places = self._places[known]
        if places is None:
            self._places[known] = ([start], [stop])
        else:
            places[0].append(start)
            places[1].append(stop)

    def last(self, known: int, low: int, high: int) -> int:
        """Where the last word of the set ends that stands wholly between two places; -1 when none does."""
        if known < 0 or known >= len(self._places) or (places := self._places[known]) is None:
            return -1
        starts, stops = places
        at = bisect_right(stops, high) - 1
        while at >= 0 and stops[at] > low:
            if starts[at] >= low:
                return stops[at]
            at -= 1
        return -1


def any_spelling(word: str) -> str:
    """A word as an engine pattern: any case, any of `` _-`` for a space, as many characters as the word."""
    return "".join([_SPELLED.get(char) or _spelled(char) for char in word])


def stands_alone(text: str, start: int, stop: int) -> bool:
    """Whether it is a word, also within ``user_ssn`` and ``userSsn``; not a part as in ``assn``, not a mask."""
    before, after = text[start - 1 : start] if start else "", text[stop : stop + 1]
    if before in _INSIDE and after in _INSIDE and _masked(text, start, stop):
        return False
    return not (_joined(before, text[start : start + 1]) or _joined(text[stop - 1 : stop], after))


_INSIDE = frozenset("[]_")


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
    return _letter(left) and _letter(right) and not (left.islower() and right.isupper())


def _letter(char: str) -> bool:
    """A letter of a script that parts words by spaces and does not join particles to them."""
    return char.isalpha() and char < "\u0590"


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
