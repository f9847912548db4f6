"""A streamed answer, judged as it flows: frames pass unchanged as soon as nothing later can change their meaning.

Whole frames wait, never parts of them, so that what is harmless arrives byte for byte. Text waits for the end of its
last word or number; the arguments of a tool call wait until they are whole and are judged once. Which protocol flows is
for the ``Streaming`` to know.
"""

from __future__ import annotations

import contextlib
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import msgspec

from penstock.errors import NotUnderstood
from penstock.inspect.sensitive.stream import StreamDetector
from penstock.inspect.span import Span
from penstock.protect.exchange import Fragment, Key, Part
from penstock.protect.framing.frame import Frame
from penstock.protect.inspection import Inspection
from penstock.protect.judging import rewritten, ruled
from penstock.protect.masks import Mask, masked
from penstock.protect.policy import ALLOW, Decision, Policy, Record
from penstock.protect.surfaces.surface import STOPPED, Heard, Streaming
from penstock.protect.tokens import is_token

#: Bytes of waiting frames beyond which what is held is judged as it stands: bounds memory, far above any answer's tail.
WAITING = 4 * 1024 * 1024
#: Characters of one tool call's arguments beyond which the stream is cut.
ARGUMENTS = 1024 * 1024
#: Texts of one answer that are followed at the same time (choices x fields), and texts in which something was seen.
KEYS = 512
#: Characters of a text that went on after another of its sequence had begun, which are looked at again.
TAIL = 256


class StreamGuard:
    """Bytes of a stream in, bytes for the client out. ``record`` gathers what was seen and done."""

    def __init__(
        self,
        policy: Policy,
        inspection: Inspection,
        record: Record,
        streaming: Streaming,
        words: Callable[[Decision], str],
    ) -> None:
        self._policy = policy
        self._inspection = inspection
        self._record = record
        self._streaming = streaming
        self._words = words
        self._holds = policy.holds_back("out") or inspection.tokens is not None
        self._texts: dict[Key, _Growing] = {}
        self._fresh: Key | None = None  # the text whose newest pieces are not looked at yet
        self._open: dict[Key, Key] = {}  # sequence → its text that is growing now
        self._counted: dict[Key, Counter[str]] = {}
        self._judged_before: dict[str, list[Span]] = {}
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
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
            for frame in self._streaming.framing.feed(piece):
                self._take(frame)
                if self._why is not ALLOW:
                    return self._refused()
        except NotUnderstood as error:
            self._settle()
            return self._cut(error) if self._why is ALLOW else self._refused()
        self._settle()
        if self._waiting_bytes > WAITING:
            self._close(())
        return self._refused() if self._why is not ALLOW else self._ready()

    def finish(self) -> bytes:
        """The rest, when the upstream has ended."""
        if self.stopped:
            return b""
        if not self._holds:
            self._note(b"", last=True)
            return b""
        try:
            if last := self._streaming.framing.finish():
                self._take(last)
        except NotUnderstood as error:
            return self._cut(error)
        self._close(())
        return self._refused() if self._why is not ALLOW else self._ready()

    def broken(self, message: str, code: str) -> bytes:
        """The rest and the protocol's own error, when the upstream broke off."""
        with contextlib.suppress(NotUnderstood):
            self._streaming.framing.finish()  # half a frame is of no use to the client
        rest = self.finish()
        if self.stopped:
            return rest
        self.stopped = True
        return rest + self._streaming.failure(message, code)

    # ── taking in ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _note(self, piece: bytes, *, last: bool = False) -> None:
        """Look without holding anything back; a stream that is not understood is passed on, and counted as unread."""
        if self.unread:
            return
        try:
            for frame in self._streaming.framing.feed(piece):
                self._take(frame)
            if last and (rest := self._streaming.framing.finish()):
                self._take(rest)
        except NotUnderstood:
            self.unread = True
        self._settle()
        if last:
            self._close(())
        for waiting in self._waiting:
            self._streaming.passed(waiting.heard.tree or {})
        self._waiting.clear()
        self._waiting_bytes = 0

    def _take(self, frame: Frame) -> None:
        """Follow the texts of a frame and let it wait until they are judged."""
        data = frame.data
        if data is None:
            heard = _NOTHING
        else:
            try:
                heard = self._streaming.read(frame)
            except NotUnderstood:
                text = data.decode(errors="replace")
                heard = Heard([Fragment(_UNKNOWN, Part("", "other", text, 0, len(data), "raw"), True)])
        followed = [
            self._stated(fragment) if fragment.whole else self._followed(fragment) for fragment in heard.fragments
        ]
        for key in heard.closed:
            self._close(key)
        self._waiting.append(_Waiting(frame, followed, heard))
        self._waiting_bytes += len(frame.raw)

    def _followed(self, fragment: Fragment) -> _Followed:
        """A piece of a text that grows."""
        key, part = fragment.key, fragment.part
        text = self._texts.get(key)
        if text is None:
            if len(self._texts) >= KEYS:
                raise NotUnderstood(f"The answer has more than {KEYS} texts")
            text = self._texts[key] = _Growing(None if part.is_json else self._inspection.stream())
        if text.closed:
            raise NotUnderstood("A text of the answer goes on after its end", hint="Ask again")
        if self._fresh != key:
            self._settle()
            self._pause_others(key)
            self._fresh = key
        start = text.size
        text.part = part
        text.take(part.text)
        if text.is_json and text.size - text.judged > ARGUMENTS:
            self._judge(key, *text.complete(self._inspection))
        return _Followed(part, text, start, text.size, None)

    def _settle(self) -> None:
        """Look at what came of the latest text: pieces that arrive together are looked at once."""
        key, self._fresh = self._fresh, None
        if key is not None:
            self._judge(key, *self._texts[key].look(self._inspection))

    def _pause_others(self, key: Key) -> None:
        """When another text of the sequence begins, the one before is over, or nearly always is."""
        sequence = key[:2]
        before = self._open.get(sequence)
        if before == key:
            return
        self._open[sequence] = key
        if before is not None and not (text := self._texts[before]).is_json:
            self._judge(before, *text.complete(self._inspection))

    def _stated(self, fragment: Fragment) -> _Followed:
        """A text in full; if it came in pieces before, it has ended with this."""
        key, part = fragment.key, fragment.part
        self._settle()
        if key in self._texts:
            self._close(key)
        spans = self._judged_before.get(part.text)
        if spans is None:
            spans = self._inspection.spans(part.text, is_json=part.is_json)
            if len(self._judged_before) >= _REMEMBERED:
                self._judged_before.clear()
            self._judged_before[part.text] = spans
        wanted: list[Mask] = []
        if spans:
            before = Counter(self._record.seen)
            decision, wanted = ruled(self._inspection, self._policy, self._record, "out", part, part.text, spans)
            self._record.seen = before
            self._record.count("out", self._beyond(key, [span for span in spans if not is_token(span)]), decision)
            if decision.ends:
                self._why = decision
            elif part.fixed:
                wanted = []
        return _Followed(part, None, 0, 0, masked(part.text, wanted) if wanted else None)

    def _beyond(self, key: Key, spans: list[Span]) -> Counter[str]:
        """How many spans a statement holds beyond those that were counted for the same text already."""
        now = Counter(span.category for span in spans)
        before = self._counted.get(key, _NONE)
        if before is _NONE and len(self._counted) >= KEYS:
            raise NotUnderstood(f"The answer has more than {KEYS} texts in which something was seen")
        self._counted[key] = now | before
        return now - before

    def _close(self, beginning: Key) -> None:
        """Nothing more will come of the texts whose keys begin so: judge what of them is open."""
        self._settle()
        size = len(beginning)
        for key, text in list(self._texts.items()):
            if key[:size] == beginning and not text.closed:
                self._judge(key, *text.complete(self._inspection))
                text.closed = size > 0

    def _judge(self, key: Key, start: int, known: str, spans: list[Span]) -> None:
        """Rule on spans of a text; they count in ``known``, which begins at ``start`` of it."""
        if not spans:
            return
        text = self._texts[key]
        decision, wanted = ruled(self._inspection, self._policy, self._record, "out", text.part, known, spans)
        self._counted.setdefault(key, Counter()).update(span.category for span in spans if not is_token(span))
        if decision.ends:
            self._why = decision
        elif wanted:
            text.mask(start, wanted)

    # ── giving out ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _ready(self) -> bytes:
        """Waiting frames from the front whose every text is judged, as they came or with masks."""
        out: list[bytes] = []
        while self._waiting:
            head = self._waiting[0]
            if any(one.text is not None and one.text.judged < one.end for one in head.followed):
                break
            self._waiting.popleft()
            self._waiting_bytes -= len(head.frame.raw)
            out.append(self._rendered(head))
            if head.frame.data is not None:
                self._streaming.passed(head.heard.tree or {})
        return b"".join(out)

    def _rendered(self, waiting: _Waiting) -> bytes:
        changed = [(one.part, text) for one in waiting.followed if (text := one.now()) is not None]
        data = waiting.heard.data or waiting.frame.data
        if not changed or data is None:
            return waiting.frame.raw
        data = rewritten(data, changed)
        if waiting.heard.repeats:
            data = self._streaming.clean(data)
        return self._streaming.changed(waiting.frame, data)

    def _refused(self) -> bytes:
        """The refusal in place of all that still waits: it belongs to the same words as what was stopped."""
        self.stopped = True
        self._waiting.clear()
        message = self._words(self._why)
        if self._policy.caller.refusal == "error":
            return self._streaming.failure(message, STOPPED)
        return self._streaming.refusal(message) + self._streaming.framing.end()

    def _cut(self, error: NotUnderstood) -> bytes:
        self.stopped = self.unread = True
        self._waiting.clear()
        return self._streaming.failure(str(error), "stream_not_understood")


#: Key of a payload that is not understood; it is judged as plain text.
_UNKNOWN: Key = ("", 0, "")
_NOTHING = Heard([])
_NO_PART = Part("", "assistant", "", 0, 0)
_NONE: Counter[str] = Counter()
#: Texts stated in full whose spans are kept, because protocols state them again (a part, its item, the whole answer).
_REMEMBERED = 64


class _Followed(msgspec.Struct, gc=False):
    """A piece in a waiting frame: of a growing text from where to where in it, or stated in full with its masks."""

    part: Part
    text: Any  # _Growing | None
    start: int
    end: int
    replaced: str | None

    def now(self) -> str | None:
        """The piece with masks; None when it stays as it is."""
        if self.text is None:
            return self.replaced
        found: str | None = self.text.masked(self.start, self.end, self.part.text)
        self.text.forget(self.end)
        return found


class _Waiting(msgspec.Struct, gc=False):
    frame: Frame
    followed: list[_Followed]
    heard: Heard


class _Growing:
    """One text of the answer as far as it has come. Offsets count from its beginning."""

    def __init__(self, detector: StreamDetector | None) -> None:
        self._detector = detector
        self.is_json = detector is None
        self.part = _NO_PART  # the latest piece: which channel it is, and whether it is JSON
        self._pieces: list[str] = []  # not looked at yet; JSON is judged once, when it is whole
        self._tail = ""
        self._completed = False
        self._again = 0
        self.size = 0
        self.judged = 0
        self.closed = False
        self._masks: list[Mask] = []
        self._masked_to = 0

    def take(self, text: str) -> None:
        """Take in a piece."""
        self.size += len(text)
        self._pieces.append(text)

    def look(self, inspection: Inspection) -> tuple[int, str, list[Span]]:
        """Where what is certain by the pieces taken in begins, its text, and its spans, counted from there."""
        if self._detector is None:
            return self.judged, "", []
        text = "".join(self._pieces)
        self._pieces.clear()
        if self._completed:  # it goes on although another text had begun: look at its end again
            self._completed = False
            self._detector, self._again = inspection.stream(), len(self._tail)
            text = self._tail + text
        return self._released(*self._detector.feed(text))

    def complete(self, inspection: Inspection) -> tuple[int, str, list[Span]]:
        """The text ends here: judge what is left of it."""
        if self._detector is None:
            whole, start = "".join(self._pieces), self.judged
            self._pieces.clear()
            self.judged = self.size
            return start, whole, inspection.spans(whole, is_json=True) if whole else []
        self._completed = True
        return self._released(*self._detector.finish())

    def _released(self, text: str, spans: list[Span]) -> tuple[int, str, list[Span]]:
        start = self.judged - self._again
        known = min(self._again, len(text))
        self._again -= known
        self.judged += len(text) - known
        self._tail = (self._tail + text[known:])[-TAIL:] if text else self._tail
        if known:
            spans = [span for span in spans if span.end > known]
        return start, text, spans

    def mask(self, start: int, wanted: list[Mask]) -> None:
        """Put masks in place, which count from ``start``."""
        for left, right, word in wanted:
            left, right = left + start, right + start
            if right > self._masked_to:
                self._masks.append((max(left, self._masked_to), right, word))
                self._masked_to = right

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
