"""What a text says to a model beside what it says to a person: hidden, encoded, spaced or turned-round text, revealed.

Each view maps its characters back to the text it came from, so that a finding in a view points at the original. Depth,
number and size of views are bounded: an encoded text inside an encoded text is followed three levels down, and all
views of a text together hold at most twice its characters and 64 KB more.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

import re2

#: Levels of encoding that are undone, and views of one text that are made.
DEEPEST = 3
MOST_VIEWS = 200
_MORE = 65_536
#: A text that shrinks to less than this share when its letters are joined was spaced out: its letters say nothing.
_MOSTLY = 0.7


@dataclass(frozen=True, slots=True)
class View:
    """One reading of a text.

    how: ``plain``, or what was undone, outermost first (``base64``, ``spaced`` …).
    places: pairs of (start in the view, start in the original), ascending; between them characters run along, unless
    the piece is a decoded one, which stands for ``fixed`` of the original as a whole.
    """

    text: str
    how: tuple[str, ...] = ("plain",)
    places: tuple[tuple[int, int], ...] = ((0, 0),)
    fixed: tuple[int, int] | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text that shows as ``start`` to ``end`` (exclusive) here."""
        if self.fixed is not None:
            return self.fixed
        return self._place(start), self._place(max(start, end - 1)) + 1

    def _place(self, at: int) -> int:
        here, there = self.places[bisect_right(self.places, (at, 1 << 62)) - 1]
        return there + at - here


def views(text: str) -> Iterator[View]:
    """The text without invisible characters first, then what else it says."""
    left = [2 * len(text) + _MORE, MOST_VIEWS]
    plain = visible(text)
    joined = _joined(plain)
    if joined is None or len(joined.text) > _MOSTLY * len(plain.text):
        yield plain
    if joined is not None:
        yield joined
    yield from _revealed(text)
    yield from _inside(plain, DEEPEST, left)


def visible(text: str) -> View:
    """The text without characters that take no room; the same text where there are none."""
    if text.isascii() or _INVISIBLE.search(text) is None:
        return View(text)
    parts, places, at, size = [], [], 0, 0
    for found in _INVISIBLE.finditer(text):
        if found.start() > at:
            places.append((size, at))
            parts.append(text[at : found.start()])
            size += found.start() - at
        at = found.end()
    if at < len(text) or not places:
        places.append((size, min(at, max(0, len(text) - 1))))
        parts.append(text[at:])
    return View("".join(parts), ("plain",), tuple(places))


def _joined(plain: View) -> View | None:
    """The text with spaced-out letters joined, None where there are none; it stands for all from first to last."""
    if _SPACED_SIGN.search(plain.text.encode("utf-8", "replace").decode()) is None:
        return None
    runs = list(_SPACED.finditer(plain.text))
    if not runs:
        return None
    text = _SPACED.sub(lambda run: _spaced(run[0]), plain.text)
    return View(text, ("spaced",), fixed=plain.original(runs[0].start(), runs[-1].end()))


def _revealed(text: str) -> Iterator[View]:
    """What tag characters and variation selectors spell."""
    if text.isascii():
        return
    for found in _TAGS.finditer(text):
        spelt = "".join(chr(ord(char) - 0xE0000) for char in found[0] if 0xE0020 <= ord(char) <= 0xE007E)
        if len(spelt) >= 4:
            yield View(spelt, ("tags",), fixed=found.span())
    for found in _SELECTORS.finditer(text):
        codes = bytes(_selected(char) for char in found[0])
        spelt = codes.decode("utf-8", "ignore")
        if _readable(spelt):
            yield View(spelt, ("selectors",), fixed=found.span())


def _inside(view: View, depth: int, left: list[int]) -> Iterator[View]:
    for start, end, text, how in _undone(view.text):
        left[0] -= len(text)
        left[1] -= 1
        if left[0] < 0 or left[1] < 0:
            return
        inner = View(text, _chain(view.how, how), fixed=view.original(start, end))
        yield inner
        if depth > 1:
            yield from _inside(inner, depth - 1, left)


def _chain(outer: tuple[str, ...], how: str) -> tuple[str, ...]:
    return (how,) if outer == ("plain",) else (*outer, how)


def _undone(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Encoded pieces of a text: start, end, what they say, how it was written."""
    likely = _likely().Match(text.encode("utf-8", "replace").decode()) or ()
    for number in likely:
        if number >= len(_CODES):
            continue
        _, pattern, decode, how = _CODES[number]
        for found in pattern.finditer(text):
            try:
                said = decode(found[0])
            except (ValueError, binascii.Error, UnicodeError, OverflowError):
                continue
            if said != found[0] and _readable(said):
                yield found.start(), found.end(), said, how
    if len(_CODES) in likely and len(_ROTATED & _words(text)) >= 2:
        yield 0, len(text), codecs.encode(text[:_MORE], "rot13"), "rot13"
    if len(_CODES) + 1 in likely and len(_REVERSED & _words(text)) >= 2:
        yield 0, len(text), text[:_MORE][::-1], "reversed"


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text[:_MORE].lower()))


@cache
def _likely() -> Any:
    """One pass over a text that tells which codes it may hold, then rot13 and reversed words."""
    options = re2.Options()
    options.log_errors = False
    together = re2.Set.SearchSet(options)
    for sign in (
        *(sign for sign, _, _, _ in _CODES),
        *("(?i)" + "|".join(sorted(words)) for words in (_ROTATED, _REVERSED)),
    ):
        together.Add(sign)
    together.Compile()
    return together


def _readable(text: str) -> bool:
    """Whether decoded text is text: four letters or more and hardly a control character."""
    if len(text) < 4:
        return False
    odd = sum(not (char.isprintable() or char in "\n\r\t") for char in text[:400])
    letters = sum(char.isalpha() or char == " " for char in text[:400])
    return odd * 50 <= len(text[:400]) and letters * 2 >= len(text[:400])


def _base64(run: str) -> str:
    bare = "".join(run.split()).replace("-", "+").replace("_", "/").rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True).decode()


def _base32(run: str) -> str:
    bare = run.rstrip("=")
    return base64.b32decode(bare + "=" * (-len(bare) % 8)).decode()


def _hex(run: str) -> str:
    return bytes.fromhex(re.sub(r"0x|\\x|[^0-9a-fA-F]", "", run)).decode()


def _escapes(run: str) -> str:
    return re.sub(r"\\(?:u\{?|U|x)([0-9a-fA-F]{2,8})\}?", lambda found: chr(int(found[1], 16)), run)


def _numbers(run: str) -> str:
    return "".join(chr(int(number)) for number in re.findall(r"\d+", run))


def _bits(run: str) -> str:
    return bytes(int(byte, 2) for byte in re.findall(r"[01]{8}", run)).decode()


def _morse(run: str) -> str:
    dashes = run.replace("−", "-").replace("–", "-").replace("·", ".").replace("•", ".")
    letters = re.split(r"([ /|]+)", dashes.strip())
    return "".join(" " if "/" in part or "|" in part else _MORSE.get(part, "") for part in letters)


def _spaced(run: str) -> str:
    """Letters that were spaced out, joined; a longer gap than the usual one is the end of a word."""
    letters, gaps = _LETTER.findall(run), _LETTER.split(run)[1:-1]
    usual = min(set(gaps), key=lambda gap: (-gaps.count(gap), len(gap)))
    joined = [letters[0]]
    for gap, letter in zip(gaps, letters[1:], strict=True):
        joined.append(letter if gap == usual else f" {letter}")
    return "".join(joined)


def _hidden(run: str) -> str:
    return " ".join(re.sub(r"<!--|-->|<[^>]{0,400}>|!\[|\]\([^)]*\)|\[//\]: # \(", " ", run).split())


def _attribute(run: str) -> str:
    return run[run.index("=") + 2 : -1]


def _percent(run: str) -> str:
    return unquote(run.replace("+", " "))


Decode = Callable[[str], str]
#: A sign of it (RE2), the form of a piece, its decoder, its name. Every repetition is bounded.
_CODES: tuple[tuple[str, re.Pattern[str], Decode, str], ...] = (
    (r"(?:&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[a-zA-Z]{2,8});[^&\n]{0,12}){2}",
     re.compile(r"(?:&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[a-zA-Z]{2,8});[^&\n]{0,12}){2,4000}"), html.unescape, "entities"),  # noqa: E501
    (r"(?:%[0-9a-fA-F]{2})",
     re.compile(r"[\w.+-]{0,40}(?:%[0-9a-fA-F]{2}[\w.+-]{0,40}){2,4000}"), _percent, "url"),
    (r"\\[uUx]",
     re.compile(r"(?:\\(?:u\{?|U|x)[0-9a-fA-F]{2,8}\}?[^\\\n]{0,12}){3,4000}"), _escapes, "escapes"),
    (r"[A-Za-z0-9+/_-]{16}",
     re.compile(r"(?<![\w+/=])[A-Za-z0-9+/_-]{16,60000}={0,2}(?![\w+/=])"), _base64, "base64"),
    (r"[A-Z2-7]{24}",
     re.compile(r"(?<![A-Z2-7=])[A-Z2-7]{24,20000}={0,6}(?![\w=])"), _base32, "base32"),
    (r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[ :,]{0,2}){8}",
     re.compile(r"(?<![\w])(?:(?:0x|\\x)?[0-9a-fA-F]{2}[ :,]{0,2}){8,30000}(?!\w)"), _hex, "hex"),
    (r"(?:\d{2,3}[ ,;]{1,2}){7}",
     re.compile(r"(?<!\d)(?:(?:3[2-9]|[4-9]\d|1[01]\d|12[0-6])[ ,;]{1,2}){7,8000}\d{2,3}(?!\d)"), _numbers, "codes"),
    (r"[01]{8}",
     re.compile(r"(?<!\d)(?:[01]{8}[ ,]?){4,8000}(?!\d)"), _bits, "bits"),
    (r"(?:[.·•−–-]{1,5}[ /|]{1,3}){6}",
     re.compile(r"(?<![\w.-])(?:[.·•−–-]{1,5}[ /|]{1,3}){6,8000}[.·•−–-]{1,5}(?![\w])"), _morse, "morse"),
    (r"<!--",
     re.compile(r"<!--.{4,8000}?(?:-->|\Z)", re.DOTALL), _hidden, "comment"),
    (r"(?:alt|title|aria-label)=[\"\']",
     re.compile(r"\b(?:alt|title|aria-label)=(?:\"[^\"<>]{8,4000}\"|'[^'<>]{8,4000}')"), _attribute, "attribute"),
    (r"!\[",
     re.compile(r"!\[[^\]\n]{8,4000}\]\([^)\s]{0,2000}\)"), _hidden, "image text"),
)  # fmt: skip

_LETTER = re.compile(r"[^\W_]")
_SPACED = re.compile(r"(?<![^\W_])[^\W_](?:[ \t\u00a0._*|·,/~-]{1,4}[^\W_]){4,8000}(?![^\W_])")
_SPACED_SIGN = re2.compile(r"[\pL\pN](?:[ \t\x{a0}._*|·,/~-]{1,4}[\pL\pN]){4}")

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e01ef]+"
)
_TAGS = re.compile("[\U000e0020-\U000e007f]{4,20000}")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,20000}")
_WORD = re.compile(r"[a-z]{4,20}")
_PLAIN = (
    "ignore disregard forget previous instructions instruction prompt system reveal password secret instead print "
    "output everything above rules guidelines pretend respond answer only directives"
).split()
_ROTATED = frozenset(codecs.encode(word, "rot13") for word in _PLAIN)
_REVERSED = frozenset(word[::-1] for word in _PLAIN)
_SIGNALS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
).split()
_MORSE = dict(zip(_SIGNALS, "abcdefghijklmnopqrstuvwxyz", strict=True))


def _selected(char: str) -> int:
    code = ord(char)
    return code - 0xFE00 if code < 0xFE10 else code - 0xE0100 + 16
