"""Tokens on their way: what a rule hides from a provider comes back to the caller, whole or in a stream.

A token is its value, encrypted (``inspect.sensitive.tokens``). Here it is one more thing that is seen in a text, so
that streams wait for its end as they do for any value, and what it becomes is a mask like any other.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from hashlib import sha256

from penstock.inspect.sensitive.tokens import Tokens
from penstock.inspect.span import Span
from penstock.protect.exchange import Exchange
from penstock.protect.inspection import Inspection

#: Category of the spans of tokens.
TOKEN = "token"  # noqa: S105 (no password)
#: A token as it is written; whether it is one of the conversation is for its key to say.
_WRITTEN = re.compile(
    r"(?<![A-Za-z0-9_])(?:000[0-9]{40,400}|tk[a-z2-7]{27,440}@email\.invalid|[A-Z][A-Z_]{0,39}_tk[a-z2-7]{27,440})"
    r"(?![A-Za-z0-9_])"
)
#: What may be the beginning of one at the end of a text.
_BEGUN = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z0-9_]{1,520}(?:@[a-z.]{0,13})?\Z")


class Returning:
    """The tokens of one conversation, each restored once."""

    def __init__(self, key: bytes, conversation: str) -> None:
        self._tokens = Tokens(key, conversation)
        self._values: dict[str, str] = {}
        self.made = self.returned = 0

    def token(self, span: Span, value: str) -> str:
        self.made += 1
        return self._tokens.token(span, value)

    def restore(self, word: str) -> str:
        """What a token stands for; a word that is none stays as it is."""
        value = self._values.get(word)
        if value is None:
            value = self._values[word] = self._tokens.restore(word)
        if value != word:
            self.returned += 1
        return value

    def find(self, text: str) -> list[Span]:
        """The tokens of this conversation in a text."""
        if "_tk" not in text and "tk" not in text and "000" not in text:
            return []
        return [
            Span(match.start(), match.end(), TOKEN.upper(), TOKEN, 1.0, "it stands for a value", TOKEN)
            for match in _WRITTEN.finditer(text)
            if self.restore(match[0]) != match[0]
        ]


class TokenAware(Inspection):
    """An inspection that knows the tokens of a conversation: they are seen as such, and as nothing else."""

    def __init__(self, inner: Inspection, tokens: Returning) -> None:
        self._inner = inner
        self.tokens = tokens

    def warm(self) -> None:
        self._inner.warm()

    def look(self, text: str) -> tuple[list[Span], int]:
        spans, growing = self._inner.look(text)
        if begun := _BEGUN.search(text, max(0, len(text) - 600)):
            growing = min(growing, begun.start())
        return self._with_tokens(text, spans), growing

    def spans(self, text: str, *, is_json: bool = False) -> list[Span]:
        return self._with_tokens(text, self._inner.spans(text, is_json=is_json))

    def attacks(self, text: str, channel: str, task: str = "") -> list[Span]:
        return self._inner.attacks(text, channel, task)

    def _with_tokens(self, text: str, spans: list[Span]) -> list[Span]:
        tokens = self.tokens.find(text) if self.tokens is not None else []
        if not tokens:
            return spans
        ends = [token.end for token in tokens]

        def apart(span: Span) -> bool:
            at = bisect_right(ends, span.start)
            return at == len(tokens) or tokens[at].start >= span.end

        return sorted([*tokens, *filter(apart, spans)])


def is_token(span: Span) -> bool:
    return span.category == TOKEN


def conversation_of(exchange: Exchange, named: str = "") -> str:
    """What tells a conversation apart: its name if the caller gives one, else how it began.

    Clients send a conversation from its beginning with every turn, so the first words of its user stay the same.
    """
    if named:
        return f"{exchange.application} named {named}"
    first = next((part.text for part in exchange.parts if part.channel in ("user", "content")), "")
    digest = sha256(first.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{exchange.application} begun {digest}"
