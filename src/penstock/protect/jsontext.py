"""Every text of a JSON body with its place in the bytes, so that one can be replaced and all else stay as it was.

Most bodies hold nothing that must be replaced, so the decoded tree is walked, which is fast, and a text is looked up in
the bytes when its place is wanted. Bodies in which a tree would not show all there is (one of two equal keys), or whose
objects are wanted as they stand, are walked byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import numpy as np

from penstock.errors import NotUnderstood

#: Deeper than any client sends, far below where parsers fail.
DEPTH = 64

Path = tuple[str | int, ...]
#: Stands for the place of a text that was not looked up yet.
LATER = -1


class Text(msgspec.Struct, frozen=True, gc=False):
    """A string value: where it stands (``data[start:end]``, quotes included) and the keys that lead to it.

    A ``start`` of ``LATER`` says that the place was not looked up yet; ``end`` is the number of the text then.
    ``is_value``: no string but an object or a list as it stands in the bytes, which are its ``value``.
    """

    start: int
    end: int
    path: Path
    value: str
    is_value: bool = False


def read(data: bytes, values: Callable[[Path], bool] | None = None) -> tuple[dict[str, object], list[Text]]:
    """The document as a tree, and its string values in byte order; places are looked up later where that is possible.

    Args:
        values: says of the path of an object or a list whether it is wanted as one piece, not string by string.

    Raises:
        NotUnderstood: it is not a valid JSON object, nests too deeply, or a string is no text.
    """
    tree = decode(data)
    found: list[Text] = []
    strings = _walk(tree, (), found, values, 0)
    if strings < 0:
        return tree, texts(data, values=values)
    return tree, found if _quotes(data) == 2 * strings else texts(data, values=values)


def _quotes(data: bytes) -> int:
    """How many quotes begin or end a string."""
    if b"\\" not in data:
        return _count(data, _QUOTE)
    if b'\\\\"' in data:  # the backslash before the quote may itself be escaped
        return _count(data.replace(b"\\\\", b"").replace(b'\\"', b""), _QUOTE)
    if len(data) < _LONG:
        return data.count(b'"') - data.count(b'\\"')
    signs = np.frombuffer(data, np.uint8)
    quotes = signs == _QUOTE
    return int(np.count_nonzero(quotes)) - int(np.count_nonzero(quotes[1:] & (signs[:-1] == _BACKSLASH)))


def _count(data: bytes, sign: int) -> int:
    """How often a byte occurs; ``bytes.count`` looks at one at a time."""
    if len(data) < _LONG:
        return data.count(sign)
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == sign))


def place(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Where a text stands, for one whose place was not looked up yet."""
    return (start, end) if start != LATER else places(data, [(start, end)])[0]


def places(data: bytes, wanted: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where texts stand, looked up together."""
    if all(start != LATER for start, _ in wanted):
        return list(wanted)
    found = _strings(data)
    return [(start, end) if start != LATER else found[end] for start, end in wanted]


def _strings(data: bytes) -> list[tuple[int, int]]:
    """Where the string values of a valid document stand, quotes included, keys left out."""
    found: list[tuple[int, int]] = []
    at = data.find(b'"')
    while at >= 0:
        end = data.find(b'"', at + 1)
        while data[end - 1] == _BACKSLASH and _is_escaped(data, end):
            end = data.find(b'"', end + 1)
        end += 1
        after = end
        while data[after] in b" \t\r\n":
            after += 1
        if data[after] != _COLON:
            found.append((at, end))
        at = data.find(b'"', end)
    return found


def _is_escaped(data: bytes, at: int) -> bool:
    """Whether an odd number of backslashes stands before the byte."""
    before = at
    while data[before - 1] == _BACKSLASH:
        before -= 1
    return (at - before) % 2 == 1


def _walk(value: Any, path: Path, found: list[Text], values: Callable[[Path], bool] | None, depth: int) -> int:
    """Collect the strings under a value; how many strings there are, keys included, or -1 where bytes are wanted."""
    if depth >= DEPTH:
        raise NotUnderstood(f"The body nests deeper than {DEPTH} levels", hint="Send a flatter body")
    if values is not None and values(path):
        return -1
    is_object = value.__class__ is dict
    strings = len(value) if is_object else 0
    pairs: Iterable[tuple[str | int, Any]] = value.items() if is_object else enumerate(value)
    for key, inner in pairs:
        if is_object and not is_name(key):  # type: ignore[arg-type]
            return -1
        kind = inner.__class__
        if kind is str:
            strings += 1
            found.append(Text(LATER, len(found), (*path, key), inner))
        elif kind is dict or kind is list:
            below = _walk(inner, (*path, key), found, values, depth + 1)
            if below < 0:
                return -1
            strings += below
    return strings


def texts(data: bytes, *, values: Callable[[Path], bool] | None = None) -> list[Text]:
    """The string values of a JSON document in byte order, and those keys that are no names but may hold anything.

    Args:
        values: says of the path of an object or a list whether it is wanted as one piece, not string by string.

    Raises:
        NotUnderstood: the bytes nest too deeply or a string is no UTF-8. That the document is valid JSON is for
            ``decode`` to say.
    """
    found: list[Text] = []
    path: list[str | int] = []
    lists: list[bool] = []
    in_list = False
    key = ""
    whole: tuple[int, int, Path] | None = None  # where the piece under way begins, at which depth, its path
    for match in _TOKEN.finditer(data):
        kind = match.lastindex
        if kind == _KEY:
            raw = match[1]
            key = _keys.get(raw) or _key(raw)
            if whole is None and not is_name(key):
                where = tuple(path) if in_list or not lists else (*path, key)
                found.append(Text(match.start(1) - 1, match.end(1) + 1, where, key))
        elif kind == _VALUE:
            if whole is None:
                start, end = match.span()
                where = tuple(path) if in_list or not lists else (*path, key)
                found.append(Text(start, end, where, _string(match[1], start)))
            if in_list:
                path[-1] += 1  # type: ignore[operator]
        elif match[3] in _OPENING:
            if len(lists) >= DEPTH:
                raise NotUnderstood(f"The body nests deeper than {DEPTH} levels", hint="Send a flatter body")
            if lists and not in_list:
                path.append(key)
            if values is not None and whole is None and values(where := tuple(path)):
                whole = match.start(), len(lists), where
            in_list = match[3] == b"["
            lists.append(in_list)
            if in_list:
                path.append(0)
        elif lists:
            if lists.pop():
                path.pop()
            in_list = bool(lists) and lists[-1]
            if in_list:
                path[-1] += 1  # type: ignore[operator]
            elif lists:
                path.pop()
            if whole is not None and len(lists) == whole[1]:
                begun, _, where = whole
                found.append(Text(begun, match.end(), where, _utf8(data[begun : match.end()], begun), True))
                whole = None
    return found


def decode(data: bytes) -> dict[str, object]:
    """The document as a tree.

    Raises:
        NotUnderstood: it is not valid JSON, or not an object.
    """
    try:
        tree = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood("The body is not valid JSON", hint=str(error)) from error
    if not isinstance(tree, dict):
        raise NotUnderstood("The body is not a JSON object", hint="Send an object, as the API describes it")
    return tree


def replaced(data: bytes, edits: Iterable[tuple[int, int, bytes]]) -> bytes:
    """The bytes with each ``start:end`` replaced; edits do not overlap."""
    parts: list[bytes] = []
    done = 0
    for start, end, new in sorted(edits):
        parts += (data[done:start], new)
        done = end
    parts.append(data[done:])
    return b"".join(parts)


def with_model(data: bytes, model: str) -> bytes:
    """The document with another value of its key ``model``; as it was where it has none (the path names it then)."""
    found = [text for text in texts(data) if text.path == ("model",)]
    return replaced(data, [(text.start, text.end, quoted(model)) for text in found])


def quoted(text: str) -> bytes:
    """The text as a JSON string."""
    return msgspec.json.encode(text)


def _string(raw: bytes, at: int) -> str:
    try:
        if b"\\" not in raw:
            return raw.decode()
        text: str = msgspec.json.decode(b'"' + raw + b'"', type=str)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise NotUnderstood("A text in the body is not valid", f"byte {at}", str(error)) from error
    return text


def _utf8(raw: bytes, at: int) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise NotUnderstood("A text in the body is not valid", f"byte {at}", str(error)) from error


def _key(raw: bytes) -> str:
    key = _string(raw, 0)
    if len(raw) <= 32 and len(_keys) < 1024:
        _keys[raw] = key
    return key


def is_name(key: str) -> bool:
    """Whether a key is the name of a field, as programs write them; else it may be somebody's address or account."""
    known = _names.get(key)
    if known is None:
        known = _NAME.fullmatch(key) is not None and sum(map(str.isdigit, key)) <= _DIGITS
        known = known or (len(key) < _SHORTEST and key.isascii())
        if len(_names) < _NAMES:
            _names[key] = known
    return known


#: Characters and digits of a name: below those of the shortest account number, and of keys that providers hand out.
_NAME, _DIGITS = re.compile(r"[A-Za-z_$][A-Za-z0-9_$.:/ \-]{0,39}"), 4
#: Characters of the shortest value that a key may be (an e-mail address).
_SHORTEST = 6
_names: dict[str, bool] = {}
_NAMES = 4096
#: Keys met before: an API has few, and each stands in every call.
_keys: dict[bytes, str] = {}
#: A string; one that is followed by a colon, a key; a bracket.
_TOKEN = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|([{}\[\]])', re.DOTALL)
_VALUE, _KEY = 1, 2
_BACKSLASH, _COLON, _QUOTE = b'\\:"'
#: Bytes from which on an array counts faster.
_LONG = 4096
_OPENING = (b"{", b"[")
