"""A streamed answer, judged as it flows: events pass unchanged as soon as nothing later can change their meaning.

Whole events wait, never parts of them, so that what is harmless arrives byte for byte. Text waits for the end of its
last word or number; the arguments of a tool call wait until they are whole and are judged once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock.errors import NotUnderstood
from penstock.inspect.sensitive.redact import mask
from penstock.inspect.sensitive.stream import StreamDetector
from penstock.inspect.span import Span
from penstock.protect.exchange import Part
from penstock.protect.inspection import Inspection
from penstock.protect.jsontext import quoted, replaced
from penstock.protect.policy import ALLOW, Decision, Policy, Record
from penstock.protect.surfaces import openai_chat, sse

#: Bytes of waiting events beyond which what is held is judged as it stands: bounds memory, far above any answer's tail.
WAITING = 4 * 1024 * 1024
#: Characters of one tool call's arguments beyond which the stream is cut.
ARGUMENTS = 1024 * 1024
#: Texts of one answer that are followed at the same time (choices x fields).
KEYS = 512


class StreamGuard:
    """Bytes of a stream in, bytes for the client out. ``record`` gathers what was seen and done."""

    def __init__(
        self,
        policy: Policy,
        inspection: Inspection,
        record: Record,
        model: str,
        words: Callable[[Decision], str],
    ) -> None:
        self._policy = policy
        self._inspection = inspection
        self._record = record
        self._model = model
        self._words = words
        self._holds = policy.holds_back("out")
        self._parser = sse.Parser()
        self._texts: dict[openai_chat.Key, _Growing] = {}
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._last: dict[str, Any] | None = None
        self._why = ALLOW
        #: The stream ended early because of policy, or because it could not be read.
        self.stopped = False
        self.unread = False

    def feed(self, piece: bytes) -> bytes:
        """What the client may have now."""
        if not self._holds:
            self._note(piece)
            return piece
        if self.stopped:
            return b""
        try:
            for event in self._parser.feed(piece):
                self._take(event)
                if self._why is not ALLOW:
                    return self._refused()
        except NotUnderstood as error:
            return self._cut(error)
        if self._waiting_bytes > WAITING:
            self._complete()
        return self._refused() if self._why is not ALLOW else self._ready()

    def finish(self) -> bytes:
        """The rest, when the upstream has ended."""
        if self.stopped:
            return b""
        if not self._holds:
            self._note(b"", last=True)
            return b""
        try:
            if last := self._parser.finish():
                self._take(last)
        except NotUnderstood as error:
            return self._cut(error)
        self._complete()
        return self._refused() if self._why is not ALLOW else self._ready()

    # ── taking in ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _note(self, piece: bytes, *, last: bool = False) -> None:
        """Look without holding anything back; a stream that is not understood is passed on, and counted as unread."""
        if self.unread:
            return
        try:
            for event in self._parser.feed(piece):
                self._take(event)
            if last and (rest := self._parser.finish()):
                self._take(rest)
        except NotUnderstood:
            self.unread = True
        if last:
            self._complete()
        self._waiting.clear()
        self._waiting_bytes = 0

    def _take(self, event: sse.Event) -> None:
        """Follow the texts of an event and let it wait until they are judged."""
        fragments: list[_Fragment] = []
        tree: dict[str, Any] = {}
        if event.data is not None and event.data.strip() == b"[DONE]":
            self._complete()
        elif event.data is not None:
            try:
                tree, parts = openai_chat.read_chunk(event.data)
            except NotUnderstood:
                parts = [(_UNKNOWN, Part("", "other", event.data.decode(errors="replace"), 0, len(event.data)))]
            if tree.get("choices") is not None:
                self._last = tree
            fragments = [self._follow(key, part) for key, part in parts]
        for fragment in fragments:
            if fragment.key[0] < 0:  # outside the choices there are no further pieces to wait for
                self._judge(fragment.key, *self._texts[fragment.key].complete(self._inspection))
        self._waiting.append(_Waiting(event, tuple(fragments), b'"logprobs"' in event.raw))
        self._waiting_bytes += len(event.raw)

    def _follow(self, key: openai_chat.Key, part: Part) -> _Fragment:
        text = self._texts.get(key)
        if text is None:
            if len(self._texts) >= KEYS:
                raise NotUnderstood(f"The answer has more than {KEYS} texts")
            text = self._texts[key] = _Growing(None if part.channel == "tool_call" else self._inspection.stream())
        start = text.size
        self._judge(key, *text.feed(part.text))
        if text.size - text.judged > ARGUMENTS:
            self._judge(key, *text.complete(self._inspection))
        return _Fragment(key, start, text.size, part)

    def _complete(self) -> None:
        """Nothing more will come: judge all that is open."""
        for key, text in list(self._texts.items()):
            self._judge(key, *text.complete(self._inspection))

    def _judge(self, key: openai_chat.Key, start: int, spans: list[Span]) -> None:
        if not spans:
            return
        decision = self._policy.decide("out", spans)
        self._record.add("out", spans, decision)
        if decision.action == "redact":
            self._texts[key].mask([_moved(span, start) for span in decision.redact])
        elif decision.action == "stop":
            self._why = decision

    # ── giving out ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _ready(self) -> bytes:
        """Waiting events from the front whose every text is judged, as they came or with masks."""
        out: list[bytes] = []
        while self._waiting:
            head = self._waiting[0]
            if any(self._texts[fragment.key].judged < fragment.end for fragment in head.fragments):
                break
            self._waiting.popleft()
            self._waiting_bytes -= len(head.event.raw)
            out.append(self._rendered(head))
        return b"".join(out)

    def _rendered(self, waiting: _Waiting) -> bytes:
        edits = []
        for fragment in waiting.fragments:
            text = self._texts[fragment.key]
            if (masked := text.masked(fragment.start, fragment.end, fragment.part.text)) is not None:
                edits.append((fragment.part.start, fragment.part.end, masked))
            text.forget(fragment.end)
        if not edits or waiting.event.data is None:
            return waiting.event.raw
        if waiting.fragments[0].key == _UNKNOWN:
            return sse.with_data(waiting.event, edits[0][2].replace("\n", " ").encode())
        data = replaced(waiting.event.data, [(start, end, quoted(masked)) for start, end, masked in edits])
        if waiting.probabilities:
            data = openai_chat.without_logprobs(data)
        return sse.with_data(waiting.event, data)

    def _refused(self) -> bytes:
        """The refusal in place of all that still waits: it belongs to the same words as what was stopped."""
        self.stopped = True
        choices = sorted({key[0] for key in self._texts if key[0] >= 0})
        self._waiting.clear()
        return openai_chat.refusal_chunks(self._last, self._model, choices, self._words(self._why))

    def _cut(self, error: NotUnderstood) -> bytes:
        self.stopped = self.unread = True
        self._waiting.clear()
        return openai_chat.error_chunk(str(error), "stream_not_understood")


#: Key of a payload that is no JSON object; it is judged as plain text.
_UNKNOWN: openai_chat.Key = (-1, "", 0)


@dataclass(frozen=True, slots=True)
class _Fragment:
    """A piece of a text: which text, from where to where in it, and where it stands in the event's payload."""

    key: openai_chat.Key
    start: int
    end: int
    part: Part


@dataclass(frozen=True, slots=True)
class _Waiting:
    event: sse.Event
    fragments: tuple[_Fragment, ...]
    probabilities: bool


class _Growing:
    """One text of the answer as far as it has come. Offsets count from its beginning."""

    def __init__(self, detector: StreamDetector | None) -> None:
        self._detector = detector
        self._pieces: list[str] = []  # only of a text that is judged once, when it is whole
        self.size = 0
        self.judged = 0
        self._masks: list[tuple[int, int, str]] = []
        self._masked_to = 0

    def feed(self, text: str) -> tuple[int, list[Span]]:
        """Take in a piece; the spans that are certain now, counted from the offset returned with them."""
        self.size += len(text)
        if self._detector is None:
            self._pieces.append(text)
            return self.judged, []
        return self._released(*self._detector.feed(text))

    def complete(self, inspection: Inspection) -> tuple[int, list[Span]]:
        """The text ends here: judge what is left of it."""
        if self._detector is None:
            whole, start = "".join(self._pieces), self.judged
            self._pieces.clear()
            self.judged = self.size
            return start, inspection.spans(whole, "tool_call") if whole else []
        return self._released(*self._detector.finish())

    def _released(self, text: str, spans: list[Span]) -> tuple[int, list[Span]]:
        start = self.judged
        self.judged += len(text)
        return start, spans

    def mask(self, spans: list[Span]) -> None:
        for span in sorted(spans):
            if span.end > self._masked_to:
                self._masks.append((max(span.start, self._masked_to), span.end, mask(span)))
                self._masked_to = span.end

    def masked(self, start: int, end: int, text: str) -> str | None:
        """The piece from ``start`` to ``end`` with masks in place; None when none touches it.

        A mask stands where its value began; what else of the value lies in later pieces is empty there.
        """
        parts: list[str] = []
        done = start
        for left, right, word in self._masks:
            if right <= start or left >= end:
                continue
            parts.append(text[done - start : max(left, start) - start])
            if left >= start:
                parts.append(word)
            done = min(right, end)
        if done == start:
            return None
        return "".join(parts) + text[done - start :]

    def forget(self, before: int) -> None:
        """Drop masks that no later piece can touch."""
        if self._masks:
            self._masks = [row for row in self._masks if row[1] > before]


def _moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by, span.type, span.category, span.confidence, span.reason, span.rule)
