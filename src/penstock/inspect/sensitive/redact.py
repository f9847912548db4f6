"""Masks in place of spans: ``[EMAIL]``, ``[CREDIT_CARD]``, ``[SECRET]``."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.inspect.span import Span


def redact(text: str, spans: Iterable[Span]) -> str:
    """The text with each span masked by its type. Overlapping spans each leave their mask, their characters none."""
    parts: list[str] = []
    done = 0
    for span in sorted(spans):
        if span.end <= done:
            continue
        parts.append(text[done : max(done, span.start)])
        parts.append(mask(span))
        done = span.end
    parts.append(text[done:])
    return "".join(parts)


def mask(span: Span) -> str:
    """What stands in place of the span."""
    return f"[{span.type}]"
