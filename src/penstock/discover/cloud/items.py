"""The items of long lists in JSON, one at a time: an export of an account may have hundreds of megabytes.

The text is cut at the borders of items by following its brackets and strings; only one item is decoded at once. Lists
are found under given keys, at any depth at which no such list holds them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import IO, Any

import orjson

from penstock.errors import NotUnderstood

#: Bytes of one item; a resource with its whole configuration has kilobytes.
LONGEST = 16 << 20
_PART = 1 << 20
_MARKS = re.compile(rb'["{}\[\]]')
_STRING_END = re.compile(rb'["\\]')
_DEEPEST = 64


def items(file: IO[bytes], keys: Collection[str]) -> Iterator[tuple[str, Any]]:
    """(key, item) for each item of each list under one of the keys; ``""`` for a list that is the whole document.

    Items that are no objects, are longer than 16 MB or do not decode come as ``None``, and reading goes on.

    Raises:
        NotUnderstood: the document is broken before its end; everything before it was given.
    """
    wanted = {key.encode(): key for key in keys}
    reader = _Reader(file)
    yield from reader.items(wanted)


class _Reader:
    """Brackets and strings of a text that is read in parts."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._held = b""
        self._at = 0
        self._ended = False

    def items(self, wanted: dict[bytes, str]) -> Iterator[tuple[str, Any]]:
        depth = 0
        name: bytes | None = b""
        while (mark := self._mark()) is not None:
            if mark == b'"':
                name = self._string()
                continue
            if mark == b"[" and name is not None and (name in wanted or (depth == 0 and b"" in wanted)):
                yield from self._list(wanted.get(name, "") if depth else "")
            elif mark in b"{[":
                depth += 1
                if depth > _DEEPEST:
                    raise NotUnderstood(f"The document is nested more than {_DEEPEST} deep")
            else:
                depth -= 1
            name = None
        if depth:
            raise NotUnderstood("The document ends too early")

    def _list(self, name: str) -> Iterator[tuple[str, Any]]:
        """The items of the list whose bracket was just read."""
        while True:
            mark = self._mark()
            if mark is None:
                raise NotUnderstood("The document ends within a list")
            if mark == b"]":
                return
            if mark == b'"':
                self._string()
            elif mark == b"{":
                yield name, self._object()
            elif mark == b"[":
                self._skip()
            else:
                raise NotUnderstood("The document closes what it did not open")

    def _object(self) -> Any:
        """The object whose bracket was just read, decoded; None when it is too long or broken."""
        parts, size, depth = [b"{"], 1, 1
        while depth:
            begin = self._at
            found = _MARKS.search(self._held, self._at)
            end = found.end() if found else len(self._held)
            if size <= LONGEST:
                parts.append(self._held[begin:end])
            size += end - begin
            self._at = end
            if found is None:
                if not self._more():
                    raise NotUnderstood("The document ends within an item")
                continue
            mark = found[0]
            if mark == b'"':
                text = self._string_bytes()
                size += len(text)
                if size <= LONGEST:
                    parts.append(text)
            else:
                depth += 1 if mark in b"{[" else -1
                if depth > _DEEPEST:
                    size = LONGEST + 1
        if size > LONGEST:
            return None
        try:
            return orjson.loads(b"".join(parts))
        except orjson.JSONDecodeError:
            return None

    def _skip(self) -> None:
        depth = 1
        while depth:
            mark = self._mark()
            if mark is None:
                raise NotUnderstood("The document ends within a list")
            if mark == b'"':
                self._string()
            else:
                depth += 1 if mark in b"{[" else -1

    def _mark(self) -> bytes | None:
        """The next bracket or quote."""
        while True:
            found = _MARKS.search(self._held, self._at)
            if found is not None:
                self._at = found.end()
                return found[0]
            self._at = len(self._held)
            if not self._more():
                return None

    def _string(self) -> bytes | None:
        """What stands between the quotes, when it is short enough to be a name."""
        text = self._string_bytes()
        return text[:-1] if len(text) <= 200 and b"\\" not in text else None

    def _string_bytes(self) -> bytes:
        """The rest of a string, its closing quote included; of a very long one only that it was long."""
        parts, size = [], 0
        while True:
            found = _STRING_END.search(self._held, self._at)
            end = found.end() if found else len(self._held)
            if found is not None and found[0] == b"\\":
                if end >= len(self._held) and not self._more():
                    raise NotUnderstood("The document ends within a text")
                found, end = None, end + 1
            if size <= LONGEST:
                parts.append(self._held[self._at : end])
            size += end - self._at
            self._at = end
            if found is not None:
                return b"".join(parts)
            if self._at >= len(self._held) and not self._more():
                raise NotUnderstood("The document ends within a text")

    def _more(self) -> bool:
        """Hold the next part; what was passed is let go."""
        part = self._file.read(_PART)
        if not part:
            return False
        self._held = self._held[self._at :] + part
        self._at = 0
        return True
