"""What was seen in a text, remembered by a hash of it: conversations send the same texts again with every turn."""

from __future__ import annotations

import os
from hashlib import sha256

from penstock.inspect.span import Span

Key = tuple[str, bytes]
#: Bytes that are remembered at most, by a generous count of an entry and its spans.
MOST = 8 * 1024 * 1024
_ENTRY, _SPAN = 250, 150


class JudgedTexts:
    """Spans by what was looked for and a keyed hash of the text; no text is kept. The longest unused goes first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._size = 0
        self._known: dict[Key, tuple[Span, ...]] = {}
        self._last: tuple[str, bytes] = "", b""
        self._keyed = sha256(os.urandom(64))  # nobody outside can tell which texts were seen from what is held
        self.hits = self.misses = 0

    def key(self, text: str, about: str) -> Key:
        """Under which the spans of a text are remembered; ``about`` says what was looked for."""
        last, digest = self._last
        if last is not text:  # one text is looked at by several detectors in a row
            hashed = self._keyed.copy()  # of all hashes processors are best at this one
            hashed.update(text.encode("utf-8", "surrogatepass"))
            digest = hashed.digest()
            self._last = text, digest
        return about, digest

    def get(self, key: Key) -> tuple[Span, ...] | None:
        found = self._known.pop(key, None)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        self._known[key] = found  # now the latest
        return found

    def put(self, key: Key, spans: tuple[Span, ...]) -> None:
        before = self._known.pop(key, None)
        if before is not None:
            self._size -= _cost(before)
        self._known[key] = spans
        self._size += _cost(spans)
        while self._size > self._most:
            try:
                oldest = next(iter(self._known))
                self._size -= _cost(self._known.pop(oldest))
            except (StopIteration, KeyError, RuntimeError):  # another thread was faster
                return


def _cost(spans: tuple[Span, ...]) -> int:
    return _ENTRY + _SPAN * len(spans)
