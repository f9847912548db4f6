"""What the scorer weighs in a text: words, pairs of neighbours, and meanings that stand near each other.

Features are hashed into two parts of one table: words in the first, meanings in the second. Each stands at the token at
which it is complete, so that any window of the text is the sum over its tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.inspect.attacks.words import TOKEN, Lexicon, Reading

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


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as numbers: the hash of each word, its meaning (0: none), and where each token starts and ends."""

    words: NDArray[np.uint64]
    meanings: NDArray[np.int64]
    starts: list[int]
    ends: list[int]

    def __len__(self) -> int:
        return len(self.words)


def tokens(text: str, lexicon: Lexicon) -> Tokens:
    """The tokens of a text."""
    readings: list[Reading] = []
    starts: list[int] = []
    ends: list[int] = []
    read = lexicon.read
    for found in TOKEN.finditer(text):
        here = read(found[0])
        readings += here
        start, end = found.span()
        if len(here) == 1:
            starts.append(start)
            ends.append(end)
        else:
            starts += [start] * len(here)
            ends += [end] * len(here)
    words = [word for word, _ in readings]
    meanings = [meaning for _, meaning in readings]
    if not lexicon.heads.isdisjoint(words):
        _mark_phrases(text, words, meanings, starts, ends, lexicon)
    return Tokens(np.array(words, np.uint64), np.array(meanings, np.int64), starts, ends)


def _mark_phrases(
    text: str, words: list[int], meanings: list[int], starts: list[int], ends: list[int], lexicon: Lexicon
) -> None:
    for at, word in enumerate(words):
        if word not in lexicon.heads:
            continue
        for size in range(_PHRASE, 1, -1):
            if at + size > len(words):
                continue
            phrase = lexicon.phrase(text[starts[at] : ends[at + size - 1]])
            if phrase:
                meanings[at] = phrase
                break


def features(text: Tokens) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Buckets, and the token at which each stands."""
    if not len(text):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    at = np.arange(len(text))
    classes = np.where(text.meanings > 0, text.meanings.astype(np.uint64), text.words)
    buckets = [_words(text.words, 1), _words(_pair(classes[:-1], classes[1:]), 2)]
    places = [at, at[1:]]
    found = np.flatnonzero(text.meanings)
    if len(found):
        near_buckets, near_places = _once(*_meanings(text.meanings[found].astype(np.uint64), found))
        buckets.append(near_buckets)
        places.append(near_places)
    return np.concatenate(buckets), np.concatenate(places)


def _meanings(
    which: NDArray[np.uint64], at: NDArray[np.int64]
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """Meanings in pairs (in order and without, close and near) and in threes without order; one alone means nothing."""
    buckets, places = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for lag in (1, 2, 3):
        first, second, gap = which[:-lag], which[lag:], at[lag:] - at[:-lag]
        near = gap <= NEAR
        if not near.any():
            break
        first, second, close, here = first[near], second[near], (gap[near] <= CLOSE).astype(np.uint64), at[lag:][near]
        buckets += [
            _bucket(_pair(first, second) + close, 4),
            _bucket(_pair(np.minimum(first, second), np.maximum(first, second)), 5),
        ]
        places += [here, here]
    if len(which) > 2:
        near = at[2:] - at[:-2] <= NEAR + CLOSE
        three = np.sort(np.stack([which[:-2], which[1:-1], which[2:]]), axis=0)[:, near]
        buckets.append(_bucket(_pair(_pair(three[0], three[1]), three[2]), 6))
        places.append(at[2:][near])
    return buckets, places


def _once(
    buckets: list[NDArray[np.int64]], places: list[NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each feature once in so many tokens, so that repeating a thing does not make it more."""
    key = np.sort((np.concatenate(buckets) << 40) | np.concatenate(places))
    bucket, place = key >> 40, key & ((1 << 40) - 1)
    again = (bucket[1:] == bucket[:-1]) & (place[1:] - place[:-1] < AGAIN)
    first = np.concatenate([[True], ~again]) if len(key) else np.zeros(0, bool)
    return bucket[first], place[first]


def _pair(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return (first * _MIX + second) * _MIX


def _words(keys: NDArray[np.uint64], kind: int) -> NDArray[np.int64]:
    return _spread(keys, kind, WORDS)


def _bucket(keys: NDArray[np.uint64], kind: int) -> NDArray[np.int64]:
    return _spread(keys, kind, MEANINGS) + WORDS


def _spread(keys: NDArray[np.uint64], kind: int, size: int) -> NDArray[np.int64]:
    mixed = (keys + np.uint64(kind)) * _MIX
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return ((mixed >> np.uint64(32)) & np.uint64(size - 1)).astype(np.int64)
