"""What the scorer weighs in a text: words, pairs of neighbours, and meanings that stand near each other.

Features are hashed into two parts of one table: words in the first, meanings in the second. Each stands at the token at
which it is complete, so that any window of the text is the sum over its tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.inspect.attacks.words import Lexicon, pieces

#: Buckets for words and pairs of words, then buckets for meanings.
WORDS, MEANINGS = 1 << 18, 1 << 17
TABLE = WORDS + MEANINGS
#: Tokens within which meanings count as near each other, and as close.
NEAR, CLOSE = 12, 4
#: Tokens within which a pair or three of meanings counts once: a window.
AGAIN = 40
#: Words of a phrase at most.
_PHRASE = 4

_MIX = np.uint64(0x9E3779B97F4A7C15)
#: What keeps the kinds of features apart: words, pairs of words, pairs of meanings in order and without, threes.
_ONE, _TWO, _FOUR, _FIVE, _SIX = (np.uint64(number) for number in (1, 2, 4, 5, 6))


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as numbers: the hash of each word and its meaning (0: none).

    owner: which token of the text each word belongs to, where tokens hold several; None where words are tokens.
    """

    words: NDArray[np.int64]
    meanings: NDArray[np.int64]
    owner: NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.words)

    def span(self, text: str, first: int, last: int) -> tuple[int, int]:
        """Where the words ``first`` to ``last`` stand in their text, in characters."""
        if self.owner is not None:
            first, last = int(self.owner[first]), int(self.owner[last])
        start = end = 0
        for number, found in enumerate(pieces(text).finditer(text)):
            if number == first:
                start = found.start()
            if number == last:
                end = found.end()
                break
        return start, end


def tokens(text: str, lexicon: Lexicon) -> Tokens:
    """The tokens of a text."""
    readings, owner = lexicon.read(pieces(text).findall(text))
    words, meanings = readings & 0xFFFFFFFF, readings >> 32
    listed = words.tolist()
    if not lexicon.heads.isdisjoint(listed):
        heads, phrases = lexicon.heads, lexicon.phrases
        for at, word in enumerate(listed):
            if word in heads:
                for size in range(_PHRASE, 1, -1):
                    if meaning := phrases.get(tuple(listed[at : at + size])):
                        meanings[at] = meaning
                        break
    return Tokens(words, meanings, owner)


def features(text: Tokens) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Buckets, and the token at which each stands."""
    if not len(text):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    at = np.arange(len(text))
    classes = np.where(text.meanings > 0, text.meanings, text.words).view(np.uint64)
    keys = np.concatenate([text.words.view(np.uint64) + _ONE, _pair(classes[:-1], classes[1:]) + _TWO])
    found = np.flatnonzero(text.meanings)
    near, places = _meanings(text.meanings[found].view(np.uint64), found)
    return np.concatenate([_spread(keys, WORDS), near]), np.concatenate([at, at[1:], places])


def _meanings(which: NDArray[np.uint64], at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Meanings in pairs (in order and without, close and near) and in threes without order; one alone means nothing.

    Each feature counts once in so many tokens, so that repeating a thing does not make it more.
    """
    keys, places = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for lag in (1, 2, 3):
        gap = at[lag:] - at[:-lag]
        near = np.flatnonzero(gap <= NEAR)
        if not len(near):
            break
        first, second, close, here = which[near], which[near + lag], gap[near] <= CLOSE, at[near + lag]
        keys += [
            _pair(first, second) + close + _FOUR,
            _pair(np.minimum(first, second), np.maximum(first, second)) + _FIVE,
        ]
        places += [here, here]
    if len(which) > 2:
        near = np.flatnonzero(at[2:] - at[:-2] <= NEAR + CLOSE)
        three = np.sort(np.stack([which[near], which[near + 1], which[near + 2]]), axis=0)
        keys.append(_pair(_pair(three[0], three[1]), three[2]) + _SIX)
        places.append(at[near + 2])
    key = np.sort((_spread(np.concatenate(keys), MEANINGS) + WORDS << 40) | np.concatenate(places))
    bucket, place = key >> 40, key & ((1 << 40) - 1)
    first_seen = np.ones(len(key), bool)
    first_seen[1:] = (bucket[1:] != bucket[:-1]) | (place[1:] - place[:-1] >= AGAIN)
    return bucket[first_seen], place[first_seen]


def _pair(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return (first * _MIX + second) * _MIX


def _spread(keys: NDArray[np.uint64], size: int) -> NDArray[np.int64]:
    mixed = keys * _MIX
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return ((mixed >> np.uint64(32)) & np.uint64(size - 1)).view(np.int64)
