"""Words of context: how they are spelled, and whether one stands by itself."""

from __future__ import annotations

from bisect import bisect_right


class Told:
    """Where words that explain or deny stand in a text; looked at only near the values that ask for them.

    Hits come as byte offsets. ``about`` names a character whose byte offset is known, near which questions are asked.
    """

    __slots__ = ("_byte", "_char", "_data", "_stops", "_text", "_words")

    def __init__(self, text: str, data: bytes) -> None:
        self._text = text
        self._data = data
        self._stops: list[int] = []
        self._words: list[tuple[int, list[int]]] = []
        self._char = self._byte = 0

    def note(self, stop: int, letters: int, sets: list[int]) -> None:
        """A word of these sets ends at a byte offset, behind those noted before."""
        self._stops.append(stop)
        self._words.append((letters, sets))

    def about(self, char: int, byte: int) -> None:
        """Where the next questions are asked."""
        self._char, self._byte = char, byte

    def last(self, known: int, low: int, high: int) -> int:
        """Where the last word of the set ends that stands wholly between two characters; -1 when none does."""
        if known < 0 or not self._stops or low >= high:
            return -1
        floor, ceiling = self._bytes(low), self._bytes(high)
        at = bisect_right(self._stops, ceiling) - 1
        while at >= 0 and self._stops[at] > floor:
            letters, sets = self._words[at]
            if known in sets:
                stop = high - len(self._data[self._stops[at] : ceiling].decode("utf-8", "surrogatepass"))
                if stop - letters >= low and stands_alone(self._text, stop - letters, stop):
                    return stop
            at -= 1
        return -1

    def _bytes(self, char: int) -> int:
        if len(self._text) == len(self._data):
            return char
        if char <= self._char:
            return self._byte - len(self._text[char : self._char].encode("utf-8", "surrogatepass"))
        return self._byte + len(self._text[self._char : char].encode("utf-8", "surrogatepass"))


def any_spelling(word: str) -> str:
    """A word as an engine pattern: any case, any of `` _-`` for a space, as many characters as the word."""
    return "".join([_SPELLED.get(char) or _spelled(char) for char in word])


def spellings(word: str) -> tuple[str, ...]:
    """Engine patterns for a word that all end where it does; a short one only where it may begin a word."""
    pattern = any_spelling(word)
    if len(word) > _SHORT or not (word.isascii() and word.isalpha()):
        return (pattern,)
    return "\\b" + pattern, "_" + pattern, "[a-z]" + word[0].upper() + any_spelling(word[1:])


#: Words this short are parts of many others.
_SHORT = 5


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
