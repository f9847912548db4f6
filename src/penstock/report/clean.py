"""Text from a scanned tree, made harmless: it may inform a reader, never steer a terminal or a viewer."""

from __future__ import annotations

import re
import unicodedata

#: Terminal escape sequences (ECMA-48): CSI, OSC and other strings to their end, two-byte escapes; 7- and 8-bit.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
#: Joiners that honest scripts and emoji need; every other invisible character is made visible.
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")


def clean(text: object, limit: int = 2000) -> str:
    """One line of printable text: escape sequences dropped, line ends made spaces, hidden characters made visible.

    ``limit`` is the most characters kept; what is longer ends in an ellipsis.
    """
    said = str(text)
    if not said.isprintable():
        said = "".join(map(_shown, _ESCAPES.sub("", said[: limit * 8])))
    return said if len(said) <= limit else said[: limit - 1] + "…"


def escaped_json(text: str) -> str:
    """JSON text in which characters that could steer a terminal or reorder a line are ``\\uXXXX`` escapes.

    Outside of strings JSON holds none of them, so the text means the same as before.
    """
    return _UNSAFE.sub(lambda match: _surrogates(ord(match[0])), text)


#: C1 controls and DEL, bidirectional marks, zero-width space, line separators, half characters (which no UTF-8 file
#: holds), byte-order mark, tag characters.
_UNSAFE = re.compile(
    "[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\U000e0000-\U000e0fff]"
)


def _surrogates(code: int) -> str:
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _shown(character: str) -> str:
    if character in "\n\r\t\v\f\x85\u2028\u2029":
        return " "
    if character.isprintable() or character in _JOINERS:
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return f"<U+{ord(character):04X}>"
