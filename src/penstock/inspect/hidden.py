"""Characters that a person does not see and a model reads: tag letters, bidirectional controls, invisible runs.

Innocent: emoji joined or varied, the flags of England, Scotland and Wales, joiners in scripts that need them, direction
marks beside right-to-left letters, one soft hyphen or word joiner in a word, a byte-order mark at the start.
"""

from __future__ import annotations

import re
import unicodedata

from penstock.inspect.span import Span

HIDDEN = "hidden"


def find(text: str) -> list[Span]:
    """Hidden characters in the text, as runs in order of position: TAGS, BIDI, INVISIBLE."""
    if text.isascii():
        if _ASCII_CONTROL.search(text) is None:
            return []
    elif not text.encode("utf-8", "surrogatepass").translate(None, _INNOCENT):
        return []
    spans: list[Span] = []
    for run in _SUSPECT.finditer(text):
        spans += _judge(text, run.start(), run.end())
    return spans


def reveal(text: str) -> str:
    """What tag characters spell in ASCII; for showing to a person what was hidden."""
    return "".join(chr(ord(char) - 0xE0000) for char in text if 0xE0020 <= ord(char) <= 0xE007E)


def _judge(text: str, start: int, end: int) -> list[Span]:
    run = text[start:end]
    if _TAG.search(run):
        if start and text[start - 1] == "\U0001f3f4" and _FLAG.fullmatch(run):
            return []
        return [_span(start, end, "TAGS", "letters of the tag block, which no font shows", "hidden.tags", 0.99)]
    if _BIDI.search(run):
        if all(char in _MARKS for char in run) and _right_to_left_near(text, start, end):
            return []
        if any(char in _OVERRIDES for char in run) or not _right_to_left_near(text, start, end):
            return [_span(start, end, "BIDI", "direction controls that show text in another order", "hidden.bidi", 0.9)]
        return []
    if _innocent(text, start, end, run):
        return []
    sure = 0.95 if len(run) >= 4 else 0.7
    return [_span(start, end, "INVISIBLE", f"{len(run)} characters that take no room", "hidden.invisible", sure)]


def _innocent(text: str, start: int, end: int, run: str) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if start == 0 and run == "\ufeff":
        return True
    if all(char in _SELECTORS for char in run):
        return len(run) == 1 and bool(before) and not before.isspace() and not (before.isascii() and before.isalpha())
    if set(run) <= {"\u200c", "\u200d", *_SELECTORS} and len(run) <= 2:
        if _joins(before) and (not after or _joins(after) or run[0] == "\u200c" or after.isspace()):
            return True
        if "\u200d" in run and _pictograph(before) and _pictograph(after):
            return True
    if len(run) == 1 and run in "\u00ad\u2060\u200b\ufeff":
        # a soft hyphen, a word joiner or a break opportunity alone is typesetting
        return run == "\u00ad" or not (before.isascii() and before.isalnum() and after.isascii() and after.isalnum())
    return False


def _joins(char: str) -> bool:
    """Whether the character belongs to a script whose spelling needs joiners (Arabic, Indic and their neighbours)."""
    if not char:
        return False
    code = ord(char)
    return any(low <= code <= high for low, high in _JOINING_SCRIPTS)


#: Arabic to Mandaic, Indic scripts to Sinhala, Tibetan, Myanmar, Khmer, Mongolian, Javanese, Arabic forms.
_JOINING_SCRIPTS = (
    (0x0600, 0x08FF), (0x0900, 0x0DFF), (0x0F00, 0x109F), (0x1780, 0x18AF), (0x1A20, 0x1AAF), (0x1B00, 0x1C4F),
    (0xA800, 0xABFF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC), (0x10A00, 0x1123F),
)  # fmt: skip


def _pictograph(char: str) -> bool:
    """An emoji, or what stands at the edge of one: skin tone, presentation selector, keycap, sign of a profession."""
    return bool(char) and (char in "\ufe0f\u20e3" or unicodedata.category(char) in {"So", "Sk", "Sm", "Po"})


def _right_to_left_near(text: str, start: int, end: int) -> bool:
    """Whether right-to-left letters stand within 40 characters, so that direction controls have a purpose."""
    near = text[max(0, start - 40) : start] + text[end : end + 40]
    return any(unicodedata.bidirectional(char) in {"R", "AL", "AN"} for char in near)


def _span(start: int, end: int, kind: str, reason: str, rule: str, confidence: float) -> Span:
    return Span(start, end, kind, HIDDEN, confidence, reason, rule)


_TAG = re.compile("[\U000e0000-\U000e007f]")
_FLAG = re.compile("[\U000e0061-\U000e007a\U000e0030-\U000e0039]{3,7}\U000e007f")
_MARKS = frozenset("\u200e\u200f\u061c")
_OVERRIDES = frozenset("\u202d\u202e")
_BIDI = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_SELECTORS = frozenset(chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
#: Runs of: zero-width space and joiners, direction controls, word joiner and invisible operators, fillers,
#: byte-order mark, soft hyphen, variation selectors, tags, interlinear annotation, deprecated format characters.
_SUSPECTS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f\U000e0100-\U000e01ef\x00\x08\x7f"
)
_SUSPECT = re.compile(f"[{_SUSPECTS}]+")
#: Bytes with which no suspect starts in UTF-8: text of these alone need not be searched.
_INNOCENT = bytes(set(range(256)) - {char.encode()[0] for char in _SUSPECTS if char != "-"})
_ASCII_CONTROL = re.compile("[\x00\x08\x7f]")
