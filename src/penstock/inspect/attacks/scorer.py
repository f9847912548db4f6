"""The verdict on a text: its highest window, held against the threshold of its channel and script."""

from __future__ import annotations

import math
from dataclasses import dataclass

from penstock.inspect.attacks.model import Found, Model, shipped
from penstock.inspect.span import Span

#: Characters that are scored at once, that two such pieces share, and of a text that are looked at.
PIECE, SHARED, MOST = 32_768, 1_024, 1_048_576
#: Meanings that are told in a reason.
_TOLD = 4
_HOW = {
    "tags": "in letters that no font shows", "selectors": "in variation selectors, which no font shows",
    "spaced": "with its letters spaced out", "comment": "in a comment that is not shown", "reversed": "backwards",
    "attribute": "in an attribute that is not shown", "image text": "as the text of an image",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """score: log-odds of the highest window. It is an attack above ``threshold``, the alert point (at most 1 % of
    harmless texts lie above), and worth blocking above ``blocking`` (0.1 %). whole: whether all was looked at.
    """

    score: float
    threshold: float
    blocking: float
    spans: tuple[Span, ...] = ()
    reasons: tuple[str, ...] = ()
    whole: bool = True

    @property
    def attack(self) -> bool:
        return self.score > self.threshold

    @property
    def blocks(self) -> bool:
        return self.score > self.blocking


def judge(text: str, channel: str = "user", task: str = "", model: Model | None = None) -> Verdict:
    """The verdict on a text; see ``penstock.inspect.attacks.judge``."""
    model = model or shipped()
    alert, block = model.thresholds_for(text, channel)
    asked = model.asked(task) if task else frozenset()
    best, at = Found(-20.0), 0
    for start in range(0, min(len(text), MOST) or 1, PIECE - SHARED):
        found = model.best(text[start : min(start + PIECE, MOST)], asked)
        if found.score > best.score:
            best, at = found, start
        if start + PIECE >= len(text):
            break
    if best.score <= alert:
        return Verdict(best.score, alert, block, whole=len(text) <= MOST)
    reason = _reason(best, model)
    sure = 1 / (1 + math.exp(-max(-30.0, min(30.0, best.score))))
    start, end = best.span()
    span = Span(at + start, at + end, "INJECTION", "attack", round(sure, 3), reason, "attacks.wording")
    return Verdict(best.score, alert, block, (span,), (reason,), len(text) <= MOST)


def _reason(found: Found, model: Model) -> str:
    told = [model.lexicon.says[meaning] for meaning in found.meanings() if model.lexicon.tells[meaning]][:_TOLD]
    words = f"it {', '.join(told)}" if told else "it is worded like an attack on the instructions of a model"
    hidden = [_HOW.get(how, f"written as {how}") for how in (found.view.how if found.view else ()) if how != "plain"]
    return ", ".join([words, *hidden])
