"""Words of many languages and the meanings they carry, found in a text with their places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from penstock.inspect.attacks.words import fold

#: A word with the signs that join its parts.
_WORD = re.compile(r"[^\W_](?:[\w'’\-\u0300-\u036f\u0900-\u097f\u0610-\u065f]*[\w\u0900-\u097f])?")
#: Scripts that set no spaces between words: there a word is found wherever its letters stand.
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
#: The letters that a stem must have, and the longest ending it takes.
_SHORTEST, _ENDING = 2, 8
#: Words whose meanings are remembered; then the memory starts anew, so that hostile text cannot fill it.
_REMEMBERED = 50_000


class Word(msgspec.Struct, frozen=True, gc=False):
    """A word of a text, folded, and where it stands."""

    text: str
    start: int
    end: int


class Meaning(msgspec.Struct, frozen=True, gc=False):
    """A meaning that a text carries: at which word it begins, and whether it may as well be a noun there."""

    id: str
    word: int
    start: int
    end: int
    ambiguous: bool = False


#: Addresses and links, whose parts are no words of a language.
_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,15}://\S+|\bwww\.\S+|\S+@[\w-]+\.\S+|\b(?:[\w-]+\.)+[a-z]{2,6}(?:/\S*)?\b", re.I
)
#: Little words that tell English from other languages in Latin letters, whose stems would be found in English words.
_ENGLISH = frozenset(
    "the of to and is are was in on at for with you your my this that it he she we they from by as be have has will "
    "can please if not all any do does what when where who which how me i a an".split()
)
_OTHERS = frozenset(
    "de la el los las que en un una por para con del al le les des du et est une dans pour sur vous il der die das und "
    "ist ein eine den dem mit auf zu im von nicht sie ich bitte di che non per della e o os um uma com nao do da het "
    "van voor op met niet och att det som av pa ar ett w z na nie jest i bir ve bu ile icin yang dan ke untuk dengan "
    "ini meine mein ma mon mes mi tu su".split()
).difference(_ENGLISH)


def words_of(text: str) -> list[Word]:
    """The words of a text, in order; links and addresses are none."""
    bare = _ADDRESS.sub(lambda found: " " * len(found[0]), text) if "." in text or "@" in text else text
    return [Word(fold(found[0]).replace("’", "'"), found.start(), found.end()) for found in _WORD.finditer(bare)]


def is_english(words: list[Word]) -> bool:
    """Whether Latin text is English by its little words."""
    english = sum(word.text in _ENGLISH for word in words)
    return english > 0 and english > sum(word.text in _OTHERS for word in words)


class Lexicon:
    """Meanings by their words: ``*`` takes what follows, ``_`` joins a phrase, ``?`` marks what may be a noun."""

    def __init__(self, rows: Mapping[str, Mapping[str, str]]) -> None:
        self._exact: dict[str, set[str]] = {}
        self._nouns: dict[str, set[str]] = {}
        self._stems: dict[str, set[str]] = {}
        self._phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._foreign: dict[str, set[str]] = {}
        unspaced: dict[str, set[str]] = {}
        for name, by_language in rows.items():
            for language, listed in by_language.items():
                for word in listed.split():
                    self._add(word, name, unspaced, language)
        self._unspaced = unspaced
        alternatives = "|".join(sorted(map(re.escape, unspaced), key=len, reverse=True))
        self._pattern = re.compile(alternatives) if unspaced else None
        self._memory: dict[str, tuple[tuple[str, bool, bool], ...]] = {}

    def find(self, text: str, words: list[Word] | None = None) -> list[Meaning]:
        """The meanings in a text, in the order of its words."""
        words = words_of(text) if words is None else words
        english = is_english(words)
        found: list[Meaning] = []
        for at, word in enumerate(words):
            meanings = self._memory.get(word.text)
            if meanings is None:
                meanings = self._remember(word.text)
            for name, ambiguous, foreign in meanings:
                if not (foreign and english):
                    found.append(Meaning(name, at, word.start, word.end, ambiguous))
            for phrase, name in self._phrases.get(word.text, ()):
                if all(at + step < len(words) and words[at + step].text == part for step, part in enumerate(phrase)):
                    found.append(Meaning(name, at, word.start, words[at + len(phrase) - 1].end))
        if self._pattern is not None and _UNSPACED.search(text):
            starts = [word.start for word in words]
            for match in self._pattern.finditer(text):
                at = max((n for n, start in enumerate(starts) if start <= match.start()), default=0)
                found += [Meaning(name, at, match.start(), match.end()) for name in self._unspaced[match[0]]]
        return found

    def _add(self, word: str, name: str, unspaced: dict[str, set[str]], language: str) -> None:
        bare = fold(word.rstrip("*?").replace("_", " "))
        if _UNSPACED.search(bare):
            unspaced.setdefault(bare.replace(" ", ""), set()).add(name)
        elif " " in bare:
            phrase = tuple(part for part in bare.split(" ") if part)
            self._phrases.setdefault(phrase[0], []).append((phrase, name))
        elif language != "en" and bare.isascii():
            self._foreign.setdefault(f"{bare}*" if word.endswith("*") else bare, set()).add(name)
        elif word.endswith("*"):
            self._stems.setdefault(bare, set()).add(name)
        elif word.endswith("?"):
            self._nouns.setdefault(bare, set()).add(name)
        else:
            self._exact.setdefault(bare, set()).add(name)

    def _remember(self, word: str) -> tuple[tuple[str, bool, bool], ...]:
        """(meaning, whether it may be a noun, whether the word is one of another language in Latin letters)."""
        if len(self._memory) >= _REMEMBERED:
            self._memory.clear()
        sure = set(self._exact.get(word, ()))
        foreign = set(self._foreign.get(word, ()))
        for size in range(len(word), max(_SHORTEST, len(word) - _ENDING) - 1, -1):
            sure |= self._stems.get(word[:size], set())
            foreign |= self._foreign.get(word[:size] + "*", set())
        maybe = self._nouns.get(word, set()) - sure
        found = (
            *((name, False, False) for name in sorted(sure)),
            *((name, True, False) for name in sorted(maybe)),
            *((name, False, True) for name in sorted(foreign - sure - maybe)),
        )
        self._memory[word] = found
        return found


def carries(rows: Mapping[str, Mapping[str, str]], wanted: str, text: str, nouns: Iterable[str] = ()) -> bool:
    """Whether a text carries a meaning, for the examples of packs."""
    words = words_of(text)
    return any(
        found.id == wanted and not (found.ambiguous and found.word and words[found.word - 1].text in set(nouns))
        for found in Lexicon(rows).find(text, words)
    )
