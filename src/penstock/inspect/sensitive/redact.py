"""What stands in place of spans: masks such as ``[EMAIL]``, or what a caller gives for each value."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from penstock.inspect.fingerprint import fingerprint
from penstock.inspect.span import Span


def redact(text: str, spans: Iterable[Span], instead: Callable[[Span, str], str] | None = None) -> str:
    """The text with each span replaced by its mask, or by what ``instead`` says of the span and its characters.

    Of overlapping spans each is replaced, the later one for the characters that the earlier one left.
    """
    parts: list[str] = []
    done = 0
    for span in sorted(spans):
        if span.end <= done:
            continue
        start = max(done, span.start)
        parts += (text[done:start], mask(span) if instead is None else instead(span, text[start : span.end]))
        done = span.end
    parts.append(text[done:])
    return "".join(parts)


def mask(span: Span) -> str:
    """What stands in place of the span, whatever its value."""
    return f"[{span.type}]"


def hashed(key: bytes | None = None) -> Callable[[Span, str], str]:
    """Masks that tell equal values: ``[EMAIL:9f3c20b17de45a08]``, by keyed fingerprint; nobody can undo them."""
    return lambda span, value: f"[{span.type}:{fingerprint(value, key)}]"
