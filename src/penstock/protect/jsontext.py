"""Every text of a JSON body with its place in the bytes, so that one can be replaced and all else stay as it was.

Walks the bytes rather than a decoded tree: a tree shows one of two equal keys, the walk shows both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from penstock.errors import NotUnderstood

#: Deeper than any client sends, far below where parsers fail.
DEPTH = 64

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A string value: where it stands (``data[start:end]``, quotes included) and the keys that lead to it."""

    start: int
    end: int
    path: Path
    value: str


def texts(data: bytes, *, shortest: int = 0) -> list[Text]:
    """The string values of a JSON document in byte order, those of fewer than ``shortest`` bytes left out.

    Raises:
        NotUnderstood: the bytes nest too deeply or a string is no UTF-8. That the document is valid JSON is for
            ``decode`` to say.
    """
    found: list[Text] = []
    path: list[str | int] = []
    lists: list[bool] = []
    key: str = ""
    for match in _TOKEN.finditer(data):
        kind = data[match.start()]
        if kind == 0x22:  # a string
            if match.end(1) != match.end():  # a key
                key = _string(data, match.start(), match.end(1))
                continue
            in_list = bool(lists) and lists[-1]
            if match.end() - match.start() - 2 >= shortest:
                where = (*path, key) if lists and not in_list else tuple(path)
                found.append(Text(match.start(), match.end(), where, _string(data, match.start(), match.end())))
            if in_list:
                path[-1] += 1  # type: ignore[operator]
        elif kind in b"{[":
            if len(lists) >= DEPTH:
                raise NotUnderstood(f"The body nests deeper than {DEPTH} levels", hint="Send a flatter body")
            if lists and not lists[-1]:
                path.append(key)
            lists.append(kind == 0x5B)
            if kind == 0x5B:
                path.append(0)
        elif lists:
            if lists.pop():
                path.pop()
            if lists:
                if lists[-1]:
                    path[-1] += 1  # type: ignore[operator]
                else:
                    path.pop()
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


def quoted(text: str) -> bytes:
    """The text as a JSON string."""
    return msgspec.json.encode(text)


def _string(data: bytes, start: int, end: int) -> str:
    raw = data[start + 1 : end - 1]
    try:
        if b"\\" not in raw:
            return raw.decode()
        text: str = msgspec.json.decode(data[start:end], type=str)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise NotUnderstood("A text in the body is not valid", f"byte {start}", str(error)) from error
    return text


#: A string (group 1 ends it; what follows up to the match's end says that it is a key), or a bracket.
_TOKEN = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")(?:\s*:)?|[{}\[\]]', re.DOTALL)
