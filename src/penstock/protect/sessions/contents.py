"""What an assistant has read that nobody it works for has said: results of tools, documents, and the orders in them."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from penstock.protect.sessions.records import Field, fields_of
from penstock.protect.sessions.requests import Order, orders
from penstock.protect.sessions.values import Corpus, leading_in, legible, revealed, squeezed

#: Characters before an order that may speak of it: languages that put the verb last, and lists that name things first.
BEFORE = 160
#: Characters of one content that are read for orders; longer contents are read in part.
READ = 400_000
#: Analyses that are kept, because every call sends the conversation again: of contents up to this size, and of larger.
_KEPT, _KEPT_SIZE, _KEPT_LARGE = 512, 65_536, 8


class Ordered(msgspec.Struct, frozen=True, gc=False):
    """The text around an order, ready to be looked into."""

    effect: str
    corpus: Corpus
    text: str
    at: int = 0  # where in the text the order begins

    def speaks_of(self, value: str) -> bool:
        """Whether the order names the value. A short one (an id of two digits) stands in quotes, or after a word that
        says what it is; it would be found by chance otherwise."""
        if not self.corpus.holds(value):
            return False
        if len(value) > _SHORT_VALUE:
            return True
        bare = re.escape(value)
        return (
            re.search(rf"['\"“‘«`]{bare}['\"”’»`]|{_CALLED}\W{{0,4}}{bare}\b", self.corpus.text, re.IGNORECASE)
            is not None
        )

    def object_near(self, nouns: frozenset[str]) -> bool:
        """Whether the order is about a thing of one of these names: it follows at once."""
        said = self.text[self.at : self.at + _AT_ONCE].lower()
        return any(noun in said for noun in nouns)


class Content:
    """One result or document. Everything about it is found out when it is first asked for."""

    def __init__(self, text: str) -> None:
        self.text = legible(text[:READ])
        self.whole = len(text) <= READ
        self.revealed = revealed(self.text)
        self.corpus = Corpus(self.revealed)
        self._fields: list[Field] | None = None
        self._ordered: list[Ordered] | None = None
        self._hostile: bool | None = None
        self._private: frozenset[str] | None = None

    @property
    def fields(self) -> list[Field]:
        if self._fields is None:
            self._fields = fields_of(self.text)
        return self._fields

    @property
    def ordered(self) -> list[Ordered]:
        """The orders that stand in the content, in plain words or behind an encoding."""
        if self._ordered is None:
            self._ordered = [
                _around(text, order)
                for text in (*(field.text for field in self.fields), self.revealed[len(self.text) :])
                if text
                for order in orders(text)
            ]
        return self._ordered

    @property
    def hostile(self) -> bool:
        """Whether the content is worded like an attack on the instructions of a model."""
        if self._hostile is None:
            from penstock.inspect.attacks import judge

            self._hostile = any(
                judge(field.text, "content").attack for field in self.fields if len(field.text) > _SHORTEST_ATTACK
            )
        return self._hostile

    @property
    def private(self) -> frozenset[str]:
        """The kinds of data found in the content that are nobody else's business wherever they stand."""
        if self._private is None:
            from penstock.inspect.sensitive import detect

            self._private = frozenset(span.category for span in detect(self.text)) & _PRIVATE
        return self._private

    @property
    def says_little(self) -> bool:
        """Whether the content is a bare value (a date, a number, an acknowledgement)."""
        return len(self.text) <= _BARE and self.text.count(" ") < _BARE_WORDS

    def typed(self, value: str) -> bool:
        """Whether the value is all of a field that is not free text."""
        wanted = squeezed(value)
        return bool(wanted) and any(not field.free and squeezed(field.text) == wanted for field in self.fields)

    def candidates(self, kind: str) -> set[str]:
        """The values of a kind that stand in the content."""
        return {squeezed(value) for value, found in leading_in(self.text) if found == kind}


#: Names and addresses of people stand in every mail; these do not.
_PRIVATE = frozenset({"credentials", "pci", "phi"})
#: Characters up to which a value is short, words that say what it is, and how far behind an order its object stands.
_SHORT_VALUE = 4
_CALLED = (
    r"(?:\b(?:ids?|number|no|nr|num|nummer|numero|número|номер|file|event|email|message|user|item|order|channel)\b"
    r"|#|№|号)"
)
_AT_ONCE = 100
_SHORTEST_ATTACK = 24
_BARE, _BARE_WORDS = 40, 4


@lru_cache(maxsize=_KEPT)
def _content(text: str) -> Content:
    return Content(text)


@lru_cache(maxsize=_KEPT_LARGE)
def _large(text: str) -> Content:
    return Content(text)


def content_of(text: str) -> Content:
    """The content of a text; analyses of contents that come again are remembered, few of the large ones."""
    return _content(text) if len(text) <= _KEPT_SIZE else _large(text) if len(text) <= READ else Content(text)


def _around(text: str, order: Order) -> Ordered:
    start = max(0, order.start - BEFORE)
    said = text[start : order.end]
    return Ordered(order.effect, Corpus(revealed(said)), said, order.start - start)
