"""The values of a tool call that decide where something goes: addresses, accounts, ids, and how they are compared."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import msgspec

#: Values of one call that are looked at, how deeply, and characters of its arguments.
MOST, DEPTH, LARGEST = 400, 12, 262_144


class Value(msgspec.Struct, frozen=True, gc=False):
    """A value of an argument. kind: address | url | account | phone | word | text; address to phone lead somewhere.

    key: the argument that it stands in. embedded: it stands within a longer text.
    """

    key: str
    text: str
    kind: str
    embedded: bool = False

    @property
    def leads(self) -> bool:
        """Whether the value by itself says where something goes."""
        return self.kind in ("address", "url", "account", "phone")


def values_of(arguments: str) -> tuple[list[Value], bool]:
    """The values of a call's arguments, and whether all of them were looked at."""
    if len(arguments) > LARGEST:
        return [], False
    try:
        tree = msgspec.json.decode(arguments) if arguments.strip() else {}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        tree = {"": arguments}  # free text as the input of a custom tool, or broken JSON
    found: list[Value] = []
    whole = _walk(tree, "", found, 0)
    return found, whole


def _walk(tree: Any, key: str, found: list[Value], depth: int) -> bool:
    if len(found) >= MOST or depth > DEPTH:
        return False
    if isinstance(tree, dict):
        return all(_walk(inner, str(name).lower(), found, depth + 1) for name, inner in tree.items())
    if isinstance(tree, list):
        return all(_walk(inner, key, found, depth + 1) for inner in tree)
    if isinstance(tree, bool) or tree is None:
        return True
    text = str(tree).strip()
    if not text:
        return True
    if text[:1] in "{[" and depth < DEPTH:
        try:
            return _walk(msgspec.json.decode(text), key, found, depth + 1)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            pass
    kind = kind_of(text)
    if kind != "text":
        found.append(Value(key, text, kind))
        return True
    found.append(Value(key, text, "text"))
    for leading in leading_in(text):
        if len(found) >= MOST:
            return False
        found.append(Value(key, leading[0], leading[1], True))
    return True


_ADDRESS = r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
_URL = (
    r"(?:[a-z][a-z0-9+.-]{1,15}://|www\.)[^\s<>\"'`)\]}]+"
    r"|(?<![\w@.-])(?:[a-z0-9-]{1,63}\.)+(?:com|org|net|io|ai|dev|app|co|info|biz|xyz|site|online|top|ru|cn|de|fr|uk|eu|me|ly"
    r"|gl|link|click|shop|store|cloud|tech|page|club|pro|live|us|in|it|es|nl|ch|at|se|pl|br|jp|kr|au|ca|example|test)"
    r"(?:[/:?#][^\s<>\"'`)\]}]*)?(?![\w@-])"
)
#: Letters and digits of an account: two letters and two digits of a country with 8 to 30 more, a wallet, a card.
_ACCOUNT = r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){8,30}\b|\b0x[0-9a-fA-F]{40}\b|\b(?:bc1|[13])[a-zA-HJ-NP-Z0-9]{25,59}\b"
_PHONE = r"(?<![\w.])\+?\d(?:[ ()./-]{0,2}\d){7,18}(?![\w])"
_LEADING = (
    ("address", re.compile(_ADDRESS)), ("url", re.compile(_URL, re.IGNORECASE)), ("account", re.compile(_ACCOUNT)),
    ("phone", re.compile(_PHONE)),
)  # fmt: skip
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(?::\d{2})?")
#: Characters and words up to which a value is a name, an id or a path, and not a text.
_WORD_SIZE, _WORDS = 100, 4


def kind_of(text: str) -> str:
    """What a value is by its shape."""
    if len(text) <= 2_048 and not _DATE.fullmatch(text):
        for kind, shape in _LEADING:
            if shape.fullmatch(text):
                return kind
    return "word" if len(text) <= _WORD_SIZE and text.count(" ") < _WORDS and "\n" not in text else "text"


def leading_in(text: str) -> Iterator[tuple[str, str]]:
    """Addresses, links, accounts and numbers in a text, each with its kind."""
    taken: list[tuple[int, int]] = []
    for kind, shape in _LEADING:
        for found in shape.finditer(text):
            start, end = found.span()
            if _DATE.fullmatch(found[0]) or any(start < right and left < end for left, right in taken):
                continue
            taken.append((start, end))
            yield found[0].rstrip(".,;:!?"), kind


def names_account(text: str) -> bool:
    """Whether an account stands in a text: what is sent there is money."""
    return _LEADING[2][1].search(text) is not None


# ── comparing ───────────────────────────────────────────────────────────────────────────────────────────────────────

_SIGNS = re.compile(r"[\W_]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]{1,15}://)?(?:www\.)?", re.IGNORECASE)


def squeezed(text: str) -> str:
    """Letters and digits alone, without case, accents of compatibility and spacing: how values are compared."""
    if text.isascii():
        return _SIGNS.sub("", text.lower())
    return _SIGNS.sub("", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold())


class Corpus:
    """Texts in which values are looked up, squeezed once. A short value must stand there as words of its own."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._squeezed: str | None = None
        self._spaced: str | None = None

    def holds(self, value: str) -> bool:
        """Whether the value stands in the texts, however it is spaced, cased or punctuated."""
        if not self.text:
            return False
        wanted = squeezed(_SCHEME.sub("", value, count=1))
        if not wanted:
            return False
        if len(wanted) < _OWN_WORDS:
            if self._spaced is None:
                self._spaced = f" {_SIGNS.sub(' ', _folded(self.text))} "
            return f" {_SIGNS.sub(' ', _folded(value)).strip()} " in self._spaced
        if self._squeezed is None:
            self._squeezed = squeezed(self.text)
        return wanted in self._squeezed


#: Letters and digits below which a value is found by chance within other words.
_OWN_WORDS = 8


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold()


#: Letters of Cyrillic and Greek that are taken for Latin ones, and a word that holds letters of both.
_ALIKE = str.maketrans(
    "аеорсхуіјѕԁһӏԛԝвкмнтгАВЕКМНОРСТУХІЈЅαοερτυνικχΑΒΕΗΙΚΜΝΟΡΤΥΧΖ",
    "aeopcxyijsdhlqwbkmhtrABEKMHOPCTYXIJSaoeptuvikxABEHIKMNOPTYXZ",
)
_MIXED = re.compile(r"[\w.+@-]*(?:[A-Za-z][\w.+@-]*[\u0370-\u052f]|[\u0370-\u052f][\w.+@-]*[A-Za-z])[\w.+@-]*")


def legible(text: str) -> str:
    """The text as a reader takes it: without characters that no font shows, and words in the letters they imitate."""
    if text.isascii():
        return text
    shown = _INVISIBLE.sub("", text)
    return _MIXED.sub(lambda found: found[0].translate(_ALIKE), shown) if _LOOKALIKE.search(shown) else shown


_LOOKALIKE = re.compile("[\u0370-\u052f]")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}|(?:[0-9a-fA-F]{2}){8,}|(?:[^\s%]*%[0-9A-Fa-f]{2}){2,}[^\s]*")
#: Encoded runs of one text that are opened.
_OPENED = 200
_SPELT = (
    (re.compile(r"\s*[\[({<]?\s*\b(?:at|arroba|chez|bei)\b\s*[\])}>]?\s*", re.IGNORECASE), "@"),
    (re.compile(r"\s*[\[({<]?\s*\b(?:dot|punkt|punto|point)\b\s*[\])}>]?\s*", re.IGNORECASE), "."),
)


def revealed(text: str) -> str:
    """A text with what its encoded runs and spelt-out addresses say behind it."""
    more: list[str] = []
    for count, found in enumerate(_ENCODED.finditer(text)):
        if count >= _OPENED:
            break
        more += _opened(found[0])
    if " dot " in text.lower() or "[dot]" in text.lower() or "(dot)" in text.lower():
        spelt = text
        for pattern, sign in _SPELT:
            spelt = pattern.sub(sign, spelt)
        more.append(spelt)
    return "\n".join([text, *more]) if more else text


def _opened(run: str) -> Iterator[str]:
    if "%" in run:
        yield unquote(run)
        return
    try:
        if len(run) % 2 == 0 and all(sign in "0123456789abcdefABCDEF" for sign in run):
            data = binascii.unhexlify(run)
        else:
            data = base64.b64decode(run.replace("-", "+").replace("_", "/") + "=" * (-len(run) % 4))
        plain = data.decode()
    except (ValueError, binascii.Error):
        return
    if plain.isprintable() or "\n" in plain:
        yield plain
