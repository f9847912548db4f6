"""What every detector of content answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters ``start`` to ``end`` (exclusive) of the text are of a type and category, for a reason in words.

    type: entity type such as ``EMAIL``; category: a data label such as ``pii`` or ``credentials``, or ``hidden``.
    confidence: 0-1, measured for the rule that fired.
    """

    start: int
    end: int
    type: str
    category: str
    confidence: float
    reason: str
    rule: str
