"""What stands in place of spans, so that text stays text and JSON stays JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from penstock.inspect.sensitive.redact import mask
from penstock.inspect.span import Span

#: Characters ``start`` to ``end`` become the word.
Mask = tuple[int, int, str]
#: What stands in place of a span and its characters.
Instead = Callable[[Span, str], str]


def masks(text: str, spans: Iterable[Span], *, is_json: bool = False, instead: Instead | None = None) -> list[Mask]:
    """Masks for the spans, in order and apart from each other; where spans overlap, each leaves its word.

    In JSON a mask never reaches beyond a string, and one in place of a number becomes a string.

    Args:
        instead: what stands there; the mask of the span's type when left out.
    """
    found = sorted(spans)
    if is_json and text.lstrip()[:1] in ("{", "[", '"'):
        return apart(piece for span in found for piece in _in_json(text, span, instead))
    return apart(
        (span.start, span.end, instead(span, text[span.start : span.end]) if instead else mask(span)) for span in found
    )


def masked(text: str, wanted: Iterable[Mask]) -> str:
    """The text with its masks in place."""
    parts: list[str] = []
    done = 0
    for start, end, word in wanted:
        parts += (text[done:start], word)
        done = end
    parts.append(text[done:])
    return "".join(parts)


def apart(wanted: Iterable[Mask]) -> list[Mask]:
    """The masks in order, none over another."""
    kept: list[Mask] = []
    done = 0
    for start, end, word in sorted(wanted):
        if end > done:
            kept.append((max(start, done), end, word))
            done = end
    return kept


def _in_json(text: str, span: Span, instead: Instead | None) -> list[Mask]:
    """The span's masks, one for each string or number that it touches."""
    pieces: list[Mask] = []
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        if start >= span.end:
            break
        if token[1] is None:  # a number or a literal: all of it goes, and a string takes its place
            if end > span.start:
                pieces.append((start, end, f'"{_word(span, text[start:end], instead)}"'))
        else:
            left, right = max(start + 1, span.start), min(end - 1, span.end)
            if left < right:
                pieces.append((left, right, _word(span, text[left:right], instead)))
    return pieces


def _word(span: Span, raw: str, instead: Instead | None) -> str:
    """What stands there, as the inside of a JSON string; ``raw`` is how the value is written."""
    if instead is None:
        return mask(span)
    try:
        value: str = msgspec.json.decode(f'"{raw}"', type=str) if "\\" in raw else raw
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = raw  # half an escape: it stays as it is written
    return msgspec.json.encode(instead(span, value)).decode()[1:-1]


#: A string (cut short, perhaps), or a number or literal.
_TOKEN = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*"?)|[^\s{}\[\],:"]+', re.DOTALL)
