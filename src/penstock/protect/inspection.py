"""What the gateway looks for in a text: sensitive data, hidden characters and attacks, whole or as a stream."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from penstock.inspect import hidden
from penstock.inspect.attacks import judge
from penstock.inspect.sensitive.detector import Detector, detector
from penstock.inspect.sensitive.stream import StreamDetector
from penstock.inspect.span import Span
from penstock.protect.exchange import UNSEEN
from penstock.protect.judged_texts import JudgedTexts

if TYPE_CHECKING:
    from penstock.protect.tokens import Returning

#: Hidden characters are judged by what stands up to this many characters behind them.
_AFTER = 48
#: A run of hidden characters that is longer is judged in pieces.
_RUN = 1024


class Inspection:
    """All detectors as one; it looks at whole texts and, through ``StreamDetector``, at growing ones."""

    #: The tokens of the conversation, where one has any (``protect.tokens``).
    tokens: Returning | None = None

    def __init__(self, using: Detector | None = None, *, remembers: bool = True) -> None:
        self._sensitive = using or detector()
        self._judged = JudgedTexts() if remembers else None

    def warm(self) -> None:
        """Load what the first call would wait for."""
        self.attacks("Hello", "user")

    def look(self, text: str) -> tuple[list[Span], int]:
        """The spans, and from where on the text may still change its meaning (its length when nowhere).

        A detector that fails leaves a span, too: of the category ``unseen``, for policy to decide on. Nothing of the
        text counts as judged then, so that a stream waits and is looked at again.
        """
        try:
            return self._looked(text)
        except Exception as error:
            return [_unseen(text, error)], 0

    def attacks(self, text: str, channel: str, task: str = "") -> list[Span]:
        """Where the text reads like an attack on a model's instructions.

        A span of type ``INJECTION`` lies above the strict threshold (one harmless text in a thousand does), one of type
        ``SUSPECTED_INJECTION`` above the milder one (one in a hundred).

        Args:
            channel: ``user`` for what a person typed, ``content`` for all that comes from elsewhere.
            task: what the user asked for; content that only repeats it is no attack.
        """
        if len(text) < _SHORTEST_ATTACK:
            return []
        try:
            if self._judged is None:
                return _attack(text, channel, task)
            key = self._judged.key(text, channel)
            found = self._judged.get(key)
            if found is None:
                found = tuple(_attack(text, channel, ""))
                self._judged.put(key, found)
            return _attack(text, channel, task) if found and task else list(found)
        except Exception as error:
            return [_unseen(text, error)]

    def _looked(self, text: str) -> tuple[list[Span], int]:
        spans, growing = self._sensitive.look(text)
        if text.isascii():
            return spans, growing
        if concealed := hidden.find(text):
            spans = sorted([*spans, *concealed])
        if run := _UNJUDGED.search(text, max(0, len(text) - _RUN - _AFTER)):
            growing = min(growing, run.start())
        return spans, growing

    def spans(self, text: str, *, is_json: bool = False) -> list[Span]:
        """Spans of a complete text. JSON is read as whoever parses it will read it: without its escapes."""
        if len(text) < _SHORTEST:
            return []
        if self._judged is None or len(text) < _WORTH_REMEMBERING:
            return self._spans(text, is_json=is_json)
        key = self._judged.key(text, "JSON" if is_json else "text")
        known = self._judged.get(key)
        if known is None:
            found = self._spans(text, is_json=is_json)
            if not any(span.category == UNSEEN for span in found):  # what failed is tried again
                self._judged.put(key, tuple(found))
            return found
        return list(known)

    def _spans(self, text: str, *, is_json: bool) -> list[Span]:
        if is_json and "\\" in text:
            plain, places = _unescaped(text)
            return [_moved(span, places) for span in self.look(plain)[0]]
        return self.look(text)[0]

    def stream(self) -> StreamDetector:
        return StreamDetector(self)


def _attack(text: str, channel: str, task: str) -> list[Span]:
    verdict = judge(text, channel, task)
    if not verdict.attack:
        return []
    kind = "INJECTION" if verdict.blocks else "SUSPECTED_INJECTION"
    return [replace(span, type=kind, category="attack", confidence=1.0) for span in verdict.spans]


def _unseen(text: str, error: Exception) -> Span:
    end = len(text)
    reason = f"a detector failed ({type(error).__name__})"
    return Span(max(0, end - 1), end, UNSEEN.upper(), UNSEEN, 1.0, reason, "inspection")


def _unescaped(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text with its JSON escapes undone, and where it shifts: (offset in it, offset in the text) from there on."""
    parts: list[str] = []
    places = [(0, 0)]
    done = length = 0
    for escape in _ESCAPE.finditer(text):
        start, end = escape.span()
        try:
            sign: str = msgspec.json.decode(f'"{escape[0]}"', type=str)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # half a pair of surrogates stays as it is written
        parts += (text[done:start], sign)
        length += start - done
        places += ((length, start), (length + len(sign), end))
        length += len(sign)
        done = end
    return "".join([*parts, text[done:]]), places


def _moved(span: Span, places: list[tuple[int, int]]) -> Span:
    """The span where it stands in the escaped text."""

    def moved(offset: int) -> int:
        plain, escaped = places[bisect_right(places, (offset, _FAR)) - 1]
        return escaped + offset - plain

    return Span(
        moved(span.start), moved(span.end), span.type, span.category, span.confidence, span.reason, span.rule
    )  # fmt: skip


_FAR = 1 << 62
_ESCAPE = re.compile(r'\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|["\\/bfnrt])')
#: Shorter than the shortest value there is (an e-mail address of six characters, one hidden character in a word).
_SHORTEST = 4
#: Shorter texts are judged faster than they are looked up.
_WORTH_REMEMBERING = 200
#: "Ignore all rules" is the shortest override there is.
_SHORTEST_ATTACK = 12
#: The last run of characters that hide, with what stands behind it not yet long enough to judge it.
_UNJUDGED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
    rf"[\s\S]{{0,{_AFTER}}}\Z"
)
