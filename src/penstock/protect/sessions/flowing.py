"""Links and images of an answer that is still coming: text waits from where one may begin to where it surely ended.

What is said of the whole text is said of the stream, wherever it is cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from penstock.protect.exchange import Fragment, Key, Part
from penstock.protect.framing.frame import Frame
from penstock.protect.judging import rewritten, spread
from penstock.protect.sessions.egress import Leak, instead, without_leaks
from penstock.protect.surfaces.surface import Heard, Streaming

#: What may still become a link or an image when more text comes. Nothing longer than this is taken for either.
_LONGEST = 9_000
_OPEN = re.compile(
    r"(?:https?://[^\s<>\"'`)\]}]*|h(?:t(?:t(?:ps?(?::/?)?)?)?)?"
    r"|!|!\[[^\]\n]{0,400}\]?|!\[[^\]\n]{0,400}\]\([^)\n]*"
    r"|<(?:i(?:m(?:g(?:\b[^>]*)?)?)?)?)\Z",
    re.IGNORECASE,
)

Look = Callable[[str], list[Leak]]


class Flowing:
    """The frames of one stream that wait. ``look`` says what leaks of a text; ``acts``: whether it is taken out."""

    def __init__(self, reader: Streaming, look: Look, *, acts: bool) -> None:
        self._reader = reader
        self._look = look
        self._acts = acts
        self._waiting: list[_Waiting] = []
        self._texts: dict[Key, str] = {}

    def take(self, frame: Frame, heard: Heard, fragments: Sequence[Fragment]) -> None:
        """A frame and the words of the assistant in it."""
        for fragment in fragments:
            if not fragment.whole:
                self._texts[fragment.key] = self._texts.get(fragment.key, "") + fragment.part.text
        self._waiting.append(_Waiting(frame, heard, list(fragments)))

    def ready(self, *, ended: bool = False) -> list[tuple[bytes, Heard]]:
        """Frames that may go, as they came or without what leaks."""
        if not ended and (not self._waiting or (self._acts and any(map(is_open, self._texts.values())))):
            return []
        changed = self._changes(ended)
        out = [(self._rendered(one, changed), one.heard) for one in self._waiting]
        self._waiting.clear()
        if self._acts or ended:
            self._texts.clear()
        else:  # only looked at: an open end is looked at again with what follows
            self._texts = {key: text for key, text in self._texts.items() if is_open(text)}
        return out

    def _changes(self, ended: bool) -> dict[int, str]:
        """New texts of parts, by the part's identity."""
        changed: dict[int, str] = {}
        pieces: dict[Key, list[Part]] = {}
        for one in self._waiting:
            for fragment in one.fragments:
                if fragment.whole:
                    if found := self._look(fragment.part.text):
                        changed[id(fragment.part)] = without_leaks(fragment.part.text, found)
                else:
                    pieces.setdefault(fragment.key, []).append(fragment.part)
        for key, text in self._texts.items():
            if (not (self._acts or ended) and is_open(text)) or not (found := self._look(text)):
                continue
            parts = pieces.get(key, [])
            if not self._acts or sum(len(part.text) for part in parts) != len(text):
                continue
            masks: dict[int, list[tuple[int, int, str]]] = {}
            wanted = [(leak.start, leak.end, instead(leak)) for leak in found]
            for number, mask in spread(wanted, [part.text for part in parts]):
                masks.setdefault(number, []).append(mask)
            for number, some in masks.items():
                changed[id(parts[number])] = _masked(parts[number].text, some)
        return changed

    def _rendered(self, one: _Waiting, changed: dict[int, str]) -> bytes:
        texts = [(f.part, changed[id(f.part)]) for f in one.fragments if id(f.part) in changed and not f.part.fixed]
        data = one.heard.data or one.frame.data
        if not self._acts or not texts or data is None:
            return one.frame.raw
        data = rewritten(data, texts)
        return self._reader.changed(one.frame, self._reader.clean(data) if one.heard.repeats else data)


class _Waiting(msgspec.Struct, gc=False):
    frame: Frame
    heard: Heard
    fragments: list[Fragment]


def is_open(text: str) -> bool:
    """Whether the end of a text may be the beginning of a link or an image."""
    found = _OPEN.search(text, max(0, len(text) - _LONGEST))
    return found is not None and found.end() - found.start() < _LONGEST


def _masked(text: str, masks: Sequence[tuple[int, int, str]]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end, word in masks:
        pieces += (text[done:start], word)
        done = end
    return "".join([*pieces, text[done:]])
