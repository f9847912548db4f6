"""A text that arrives in pieces: each piece is judged with the end of what came before."""

from __future__ import annotations

from dataclasses import replace

from penstock.inspect.attacks.scorer import Verdict, judge

#: Characters of what came before that are judged again with a new piece: about three windows.
KEPT = 800
#: Characters that are gathered before they are judged.
GATHERED = 200


class Stream:
    """``feed`` answers the highest verdict so far; spans count from the start of the stream. Holds 1,000 characters."""

    def __init__(self, channel: str = "content", task: str = "") -> None:
        self._channel, self._task = channel, task
        self._held, self._fresh, self._at = "", 0, 0
        self.worst: Verdict | None = None

    def feed(self, piece: str) -> Verdict | None:
        self._held += piece
        self._fresh += len(piece)
        return self._look() if self._fresh >= GATHERED else self.worst

    def finish(self) -> Verdict | None:
        return self._look() if self._fresh else self.worst

    def _look(self) -> Verdict | None:
        verdict = judge(self._held, self._channel, self._task)
        if self.worst is None or verdict.score - verdict.threshold > self.worst.score - self.worst.threshold:
            self.worst = _moved(verdict, self._at)
        dropped = max(0, len(self._held) - KEPT)
        self._held, self._at, self._fresh = self._held[dropped:], self._at + dropped, 0
        return self.worst


def _moved(verdict: Verdict, by: int) -> Verdict:
    spans = tuple(replace(span, start=span.start + by, end=span.end + by) for span in verdict.spans)
    return replace(verdict, spans=spans)
