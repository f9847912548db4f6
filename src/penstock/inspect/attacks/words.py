"""Words of a text as numbers: what each word is, and what it means in the lexicon of attacks.

A word is read through its disguises (case, accents, letters of other scripts, digits for letters, swapped or lost
letters, words run together), so that ``1gn0rе``, ``IGNORE`` and ``ingore`` are one word. Answers are remembered, so a
text costs one dictionary look-up a word.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from penstock.knowledge.pack import define_pack, load_pack

#: What one token may turn into: its word and its meaning, as hash and number of the concept (0: none).
Reading = tuple[int, int]

#: A URL, a word (with the signs that stand for letters inside it, and the marks of Indic and Thai spelling), the end
#: of a sentence or line, a colon, a quotation mark, or a run of other signs.
TOKEN = re.compile(
    r"https?://[^\s<>\"')\]]+"
    r"|[\w@$€£|+\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u0e31-\u0e4e]+"
    r"(?:[!'’‘][\w@$€£|+\u0300-\u036f\u0900-\u0dff\u0e31-\u0e4e]+)*"
    r"|[.?!;。！？؟।…\n]+|[:：]|[\"“”„«»「」『』]|[^\w\s]{2,}"
)
#: The same for text of ASCII alone, in which sets of characters are looked up rather than searched.
ASCII_TOKEN = re.compile(
    r"https?://[^\s<>\"')\]]+|[A-Za-z0-9_@$|+]+(?:[!'][A-Za-z0-9_@$|+]+)*|[.?!;\n]+|:|\"|[^A-Za-z0-9_\s]{2,}"
)
#: Longer tokens are no words; longer runs of a script without spaces are cut there.
LONGEST_WORD = 40
_LONGEST_RUN = 2000
#: Readings that are remembered; then the memory starts anew, so that hostile text cannot fill it.
_REMEMBERED = 200_000


def _pairs(listed: str) -> dict[int, str]:
    return {ord(pair[0]): pair[1] for pair in listed.split()}


_MARKS = re.compile("[\u0300-\u036f\u0640\u064b-\u065f\u0670\u05b0-\u05c7]")
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
#: Letters of other scripts, each before the Latin letter that it is taken for.
_ALIKE = _pairs(
    "аa вb сc ԁd еe һh іi јj кk ӏl мm нh оo рp ԛq гr ѕs тt уy ѵv ԝw хx ѐe ьb ɡg ιi οo αa εe κk νv ρp τt υu χx ηn ωw "
    "ϲc ϳj γy βb μu ɑa ıi ʀr ʏy ᴀa ʙb ᴄc ᴅd ᴇe ɢg ʜh ɪi ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz łl øo "
    "đd ħh ŧt єe ѡw әe пn зz иu"
)
#: Digits and signs for letters, in the usual reading and in the second one.
_LEET = _pairs("0o 1i 3e 4a 5s 6g 7t 8b 9g 2z @a $s €e £l |l +t !i")
_OTHERS = _pairs("0o 1l 3e 4a 5s 6b 7t 8b 9q 2z @a $s €e £l |i +t !l")
#: Letters that are written in two ways within one language.
_SAME = _pairs("ıi ىي یي کك أا إا آا ةه ’' ‘' ςσ")


def pieces(text: str) -> re.Pattern[str]:
    """The pattern that finds the tokens of a text."""
    return ASCII_TOKEN if text.isascii() else TOKEN


class Concept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A meaning and its words by language; ``*`` takes what follows, ``_`` joins the words of a phrase.

    says: the reason in words, after "it"; filler: too common to be told as a reason.
    """

    id: str
    says: str
    words: dict[str, str]
    filler: bool = False
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


class Lexicon:
    """The concepts, and the plain words that disguised ones are compared with."""

    def __init__(self, concepts: Sequence[Concept], vocabulary: Iterable[str] = ()) -> None:
        self.concepts = ("", *(concept.id for concept in concepts))
        self.says = ("", *(concept.says for concept in concepts))
        self.tells = (False, *(not concept.filler for concept in concepts))
        self._exact: dict[str, int] = {}
        self._stems: dict[str, int] = {}
        self._unspaced: dict[str, list[tuple[str, int]]] = {}
        self.phrases: dict[tuple[int, ...], int] = {}
        self.heads: set[int] = set()
        for number, concept in enumerate(concepts, start=1):
            for word in itertools.chain.from_iterable(listed.split() for listed in concept.words.values()):
                self._add(word, number)
        for rows in self._unspaced.values():
            rows.sort(key=lambda row: -len(row[0]))
        self.vocabulary = frozenset(vocabulary)
        self._near = self._neighbours()
        self._memory: dict[str, int | tuple[int, ...]] = {}

    def read(self, found: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
        """Tokens as readings, and which token each belongs to where that is not one for one."""
        memory = self._memory
        known: list[int | tuple[int, ...]] = []
        for token in found:
            readings = memory.get(token)
            known.append(self._remember(token) if readings is None else readings)
        if tuple not in set(map(type, known)):
            return np.array(known, np.int64), None
        every = [(several,) if isinstance(several, int) else several for several in known]
        owner = np.repeat(np.arange(len(every)), [len(several) for several in every])
        return np.array(list(itertools.chain.from_iterable(every)), np.int64), owner

    def _remember(self, token: str) -> int | tuple[int, ...]:
        if len(self._memory) >= _REMEMBERED:
            self._memory.clear()
        readings = tuple(meaning << 32 | word for word, meaning in self._resolve(token))
        known = self._memory[token] = readings[0] if len(readings) == 1 else readings
        return known

    def meaning(self, word: str) -> int:
        """The number of the concept of a folded word, 0 for none."""
        found = self._exact.get(word)
        if found is not None:
            return found
        shortest, longest_ending = (2, 8) if word.isascii() else (1, 12)
        for size in range(min(len(word), 24), max(shortest, len(word) - longest_ending) - 1, -1):
            found = self._stems.get(word[:size])
            if found is not None:
                return found
        return 0

    def _add(self, word: str, number: int) -> None:
        folded, stem = fold(word.rstrip("*").replace("_", " ")).replace(" ", "_"), word.endswith("*")
        if _UNSPACED.search(folded):
            self._unspaced.setdefault(folded[0], []).append((folded, number))
        elif "_" in folded:
            phrase = tuple(_hash(part) for part in folded.split("_"))
            self.phrases.setdefault(phrase, number)
            self.heads.add(phrase[0])
        elif stem and len(folded) > folded.isascii():
            self._stems.setdefault(folded, number)
        else:
            self._exact.setdefault(folded, number)

    def _resolve(self, token: str) -> tuple[Reading, ...]:
        first = token[0]
        if not (
            first.isalnum() or first in "@$€£|+_" or (ord(first) > 0x2FF and unicodedata.category(first)[0] in "LM")
        ):
            return ((_sign(token), 0),)
        if token.startswith(("http://", "https://")):
            return ((_hash("§url"), 0),)
        if token.isdigit():
            return ((_hash("§number"), 0),)
        folded = fold(token[:_LONGEST_RUN])
        if _UNSPACED.search(folded):
            return tuple(self._cut(folded))
        for word in self._guesses(folded):
            meaning = self.meaning(word)
            if meaning or word in self.vocabulary:
                return ((_hash(word), meaning),)
        if len(folded) >= 10 and folded.isalpha() and folded.isascii() and (parts := self._apart(folded[:400])):
            return tuple((_hash(part), self.meaning(part)) for part in parts)
        if "@" in token[1:-1]:
            return ((_hash("§address"), 0),)
        return ((_hash(folded[:LONGEST_WORD]), 0),)

    def _guesses(self, word: str) -> Iterable[str]:
        """The word itself, then what it may be a disguise of."""
        yield word
        bare = word.strip("@$€£|+_")
        if bare != word and bare:
            yield bare
        if "'" in word:
            yield word.partition("'")[2]
            yield word.partition("'")[0]
        plain = word
        if not word.isascii():
            plain = word.translate(_ALIKE)
            yield plain
        if not plain.isalpha():
            straight = plain.translate(_LEET)
            yield straight
            yield plain.translate(_OTHERS)
            plain = straight
        if 5 <= len(plain) <= 20 and plain.isascii() and plain.isalpha() and not word.isdigit():
            found = self._near.get(_scrambled(plain)) or self._near.get(plain)
            if found is None and len(plain) >= 7:
                found = next((self._near[less] for less in _shorter(plain) if less in self._near), None)
            if found:
                yield found

    def _neighbours(self) -> dict[str, str]:
        """Scrambled and shortened forms of the words that mean something, longest words first kept."""
        near: dict[str, str] = {}
        words = {word for word in self.vocabulary if self.meaning(word)} | set(self._exact)
        for word in sorted(words):
            if word.isascii() and word.isalpha() and len(word) >= 6:
                near.setdefault(_scrambled(word), word)
                for less in _shorter(word):
                    if len(less) >= 5 and less not in self.vocabulary:
                        near.setdefault(less, word)
        return near

    def _cut(self, run: str) -> Iterable[Reading]:
        """Words found in a script without spaces, and single characters between them."""
        at = 0
        while at < len(run):
            for word, meaning in self._unspaced.get(run[at], ()):
                if run.startswith(word, at):
                    yield _hash(word), meaning
                    at += len(word)
                    break
            else:
                yield ord(run[at]), 0
                at += 1

    def _apart(self, run: str) -> list[str]:
        """Words that were run together, most letters in the fewest words; empty where a fifth does not fit."""
        known = self.vocabulary
        best: list[tuple[float, int]] = [(0.0, 0)]
        for end in range(1, len(run) + 1):
            options = [(best[end - 1][0] + 1.5, end - 1)]
            for start in range(max(0, end - 16), end - 1):
                if run[start:end] in known:
                    options.append((best[start][0] + 1.0 / (end - start), start))
            options += [(best[end - 1][0] + 0.9, end - 1)] if run[end - 1] in "ai" else []
            best.append(min(options))
        parts, end = [], len(run)
        while end:
            parts.append(run[best[end][1] : end])
            end = best[end][1]
        lost = sum(len(part) == 1 and part not in "ai" for part in parts)
        return parts[::-1] if len(parts) > 1 and lost * 8 <= len(run) else []


@cache
def lexicon(vocabulary: frozenset[str] = frozenset()) -> Lexicon:
    """The shipped concepts with a vocabulary of plain words."""
    return Lexicon(load_pack("attacks").rows, vocabulary)


def fold(word: str) -> str:
    """A word without case, accents, compatibility forms and vowel signs of Arabic and Hebrew."""
    if word.isascii():
        return word.lower()
    bare = unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", word)))
    return bare.casefold().translate(_SAME)


def _scrambled(word: str) -> str:
    return f"{word[0]}~{''.join(sorted(word[1:-1]))}~{word[-1]}"


def _shorter(word: str) -> Iterable[str]:
    return (word[:at] + word[at + 1 :] for at in range(len(word)))


def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "replace"))


def _sign(token: str) -> int:
    """Ends of sentences, colons and quotation marks are one each; other runs are told by their first two signs."""
    if token[0] in ".?!;。！？؟।…":
        return _hash("§stop!" if "!" in token[:2] else "§stop")
    if token[0] == "\n":
        return _hash("§line")
    if token[0] in ":：":
        return _hash("§colon")
    if len(token) == 1:
        return _hash("§quote")
    return _hash("§" + token[:2])


def _holds(row: Concept, example: str) -> bool:
    readings, _ = (known := Lexicon([row])).read(TOKEN.findall(str(example)))
    words = (readings & 0xFFFFFFFF).tolist()
    return bool((readings >> 32).any()) or any(
        tuple(words[at : at + len(phrase)]) == phrase for phrase in known.phrases for at in range(len(words))
    )


define_pack("attacks", Concept, check=_holds)
