"""What the gateway looks for in a text: sensitive data and hidden characters, whole or as a stream."""

from __future__ import annotations

import re

from penstock.errors import NotUnderstood
from penstock.inspect import hidden
from penstock.inspect.sensitive.detector import Detector, detector
from penstock.inspect.sensitive.stream import StreamDetector
from penstock.inspect.span import Span
from penstock.protect.exchange import UNSEEN
from penstock.protect.jsontext import texts

#: Hidden characters are judged by what stands up to this many characters behind them.
_AFTER = 48
#: A run of hidden characters that is longer is judged in pieces.
_RUN = 1024


class Inspection:
    """Both detectors as one; it looks at whole texts and, through ``StreamDetector``, at growing ones."""

    def __init__(self, using: Detector | None = None) -> None:
        self._sensitive = using or detector()

    def look(self, text: str) -> tuple[list[Span], int]:
        """The spans, and from where on the text may still change its meaning (its length when nowhere).

        A detector that fails leaves a span, too: of the category ``unseen``, for policy to decide on. Nothing of the
        text counts as judged then, so that a stream waits and is looked at again.
        """
        try:
            return self._looked(text)
        except Exception as error:
            reason = f"a detector failed ({type(error).__name__})"
            end = len(text)
            return [Span(max(0, end - 1), end, UNSEEN.upper(), UNSEEN, 1.0, reason, "inspection")], 0

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
        """Spans of a complete text. The strings of a JSON text are read as the tool will read them, too."""
        spans = self.look(text)[0] if len(text) >= _SHORTEST else []
        if is_json and "\\" in text:
            spans = sorted({*spans, *self._escaped(text)})
        return spans

    def stream(self) -> StreamDetector:
        return StreamDetector(self)

    def _escaped(self, text: str) -> list[Span]:
        """Spans that only show when escapes are undone; each covers the whole of its string, without the quotes."""
        data = text.encode("utf-8", "surrogatepass")
        try:
            strings = [found for found in texts(data) if b"\\" in data[found.start : found.end]]
        except NotUnderstood:
            return []
        spans = []
        for found in strings:
            start = len(data[: found.start + 1].decode("utf-8", "surrogatepass"))
            end = start + len(data[found.start + 1 : found.end - 1].decode("utf-8", "surrogatepass"))
            spans += [
                Span(start, end, span.type, span.category, span.confidence, span.reason, span.rule)
                for span in self.look(found.value)[0]
            ]
        return spans


#: Shorter than the shortest value there is (an e-mail address of six characters, one hidden character in a word).
_SHORTEST = 4
#: The last run of characters that hide, with what stands behind it not yet long enough to judge it.
_UNJUDGED = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
    rf"[\s\S]{{0,{_AFTER}}}\Z"
)
