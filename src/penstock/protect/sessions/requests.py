"""What a text asks for: effects, whether a content is to choose them, and what it tells its reader to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import msgspec

from penstock.knowledge.pack import define_pack, load_pack
from penstock.protect.sessions.effects import asking
from penstock.protect.sessions.lexicon import Lexicon, Meaning, Word, carries, words_of
from penstock.protect.sessions.values import names_account


class Phrase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A way of speaking and its words by language."""

    id: str
    says: str
    words: dict[str, str]
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


class Request(msgspec.Struct, frozen=True):
    """What a user's words ask for.

    effects: what is asked for. delegates: do what a content says. points: the details stand in a content.
    links: links or addresses are wanted.
    """

    effects: frozenset[str]
    delegates: bool = False
    points: bool = False
    links: bool = False


class Order(msgspec.Struct, frozen=True, gc=False):
    """A clause that tells its reader to do something, and the place up to which the text may still speak of it."""

    effect: str
    start: int
    end: int


def requested(text: str) -> Request:
    """What a user asks for, in words of any of the languages of the packs."""
    words = words_of(text)
    nouns = noun_marks()
    ways = phrases().find(text, words)
    negations = {found.word for found in ways if found.id == "negates"}
    doing = {found.word for found in ways if found.id == "does"} - {word + 1 for word in negations}
    effects = {
        found.id
        for found in asking().find(text, words)
        if not (found.ambiguous and found.word and words[found.word - 1].text in nouns)
        or any(found.word - _DONE <= at < found.word for at in doing)
        if found.word - 1 not in negations
    }
    said = {found.id for found in ways}
    if "send" in effects and ("money" in said or names_account(text)):
        effects.add("pay")
    return Request(frozenset(effects), "delegates" in said, "points" in said, "other_links" in said)


#: Words from one that makes a noun a thing to do to that noun: "give customer Lou a refund".
_DONE = 6


def orders(text: str) -> list[Order]:
    """Clauses that tell the reader to do something with an effect beyond reading.

    A verb of an effect counts where it opens a clause, where a word of duty or politeness stands in the clause before
    it, or where a list or label leads to it. What follows within ``REACH`` characters may be part of it.
    """
    words = words_of(text)
    meanings = asking().find(text, words)
    obliging = {found.word for found in phrases().find(text, words) if found.id == "obliges"}
    nouns = noun_marks()
    opens = _clauses(text, words)
    found: list[Order] = []
    for meaning in meanings:
        if meaning.id == "read":
            continue
        before = words[meaning.word - 1].text if meaning.word else ""
        if meaning.ambiguous and before in nouns and meaning.word not in opens:
            continue
        if _orders(meaning, words, opens, obliging):
            found.append(Order(meaning.id, meaning.start, min(len(text), meaning.end + REACH)))
    return found


#: Characters behind an order that may still speak of it: what to send, to whom, under which title.
REACH = 600
#: Words that may stand between the opening of a clause, or a word of duty, and the verb.
_FILLERS = 4


def _orders(meaning: Meaning, words: list[Word], opens: set[int], obliging: set[int]) -> bool:
    if meaning.word and words[meaning.word - 1].text in _JOINING:
        return True
    for at in range(meaning.word, max(-1, meaning.word - _FILLERS - 1), -1):
        if at in obliging:
            return True
        if at in opens:
            between = meaning.word - at
            return between == 0 or all(word.text in _POLITE for word in words[at : meaning.word])
    return False


#: Words behind which a further order stands: "read them and post …".
_JOINING = frozenset("and then or und dann oder y luego o et puis ou e poi och en daarna i potem и затем ve".split())
_POLITE = frozenset(
    "and then also first now please kindly just next finally do to so you can could would will the i want need".split()
)
_OPENING = re.compile(r"[.!?;:。！？；：、，\n\r<>\[\]{}\"“”«»|*•]|\A|--|[,-](?=\s)")


def _clauses(text: str, words: list[Word]) -> set[int]:
    """The words that open a clause."""
    opening: set[int] = set()
    before = 0
    for at, word in enumerate(words):
        if _OPENING.search(text, before, word.start) or at == 0:
            opening.add(at)
        before = word.end
    return opening


@cache
def phrases() -> Lexicon:
    """Ways of speaking."""
    return Lexicon({row.id: row.words for row in load_pack("tools_phrases").rows})


@cache
def noun_marks() -> frozenset[str]:
    """Words before which a word that may be a noun or a verb is a noun."""
    row = load_pack("tools_phrases").by_id()["before_nouns"]
    return frozenset(word for listed in row.words.values() for word in listed.split())


def _holds(row: Phrase, example: str) -> bool:
    return carries({row.id: row.words}, row.id, str(example))


def _validated(row: Phrase) -> Iterable[str]:
    if not row.words:
        yield "it has no words"


define_pack("tools_phrases", Phrase, check=_holds, validate=_validated)
