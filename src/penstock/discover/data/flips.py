"""Classes that contradict their texts: one text in two classes, or a text that is all words of another class."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from penstock.discover.data.passage import Passage

#: Fewer rows with a class tell nothing about it; more classes than this are no classes but names.
_FEWEST, _CLASSES = 40, 50
#: Rows looked at, words of each, and the table of words: 5,000 rows cost 0.5 CPU s.
_MOST, _WORDS, _TABLE = 5_000, 100, 1 << 14
#: Parts of which each is judged by the others.
_FOLDS = 5
#: What classes mean can be told from words only where so large a share is told rightly; else nothing is said.
_TELLABLE = 0.8
#: A row counts when its own class is this much less likely than another, in natural logarithms per word: e^-0.5 a word
#: is what a text of 20 words of the other class shows.
_MARGIN = 0.5
#: People mistake a few labels in a hundred; below this share of a class or this number it is no attack.
_SHARE, _ROWS = 0.02, 5
_WORD = re.compile(r"[^\W\d_]{2,}")


def contradictions(passages: Sequence[Passage]) -> dict[str, str]:
    """Places of the rows whose class stands against their text, with the reason."""
    classed = [passage for passage in passages if passage.label][:_MOST]
    classes = sorted({passage.label for passage in classed})
    if len(classed) < _FEWEST or not 2 <= len(classes) <= _CLASSES:
        return {}
    found = _twice(classed)
    for number in _against(classed, classes):
        found.setdefault(classed[number].place, "its text reads as another class than its own")
    return found if len(found) >= _ROWS else {}


def _twice(classed: Sequence[Passage]) -> dict[str, str]:
    """Rows whose very text stands in another class, where more rows have it."""
    by_text: dict[str, list[Passage]] = {}
    for passage in classed:
        by_text.setdefault(" ".join(_WORD.findall(passage.text.casefold())), []).append(passage)
    found = {}
    for words, rows in by_text.items():
        count = Counter(row.label for row in rows)
        if words and len(count) > 1:
            usual = count.most_common(1)[0][0]
            found.update({row.place: "the same text stands in another class" for row in rows if row.label != usual})
    return found


def _against(classed: Sequence[Passage], classes: list[str]) -> list[int]:
    """Rows whose words speak for another class, by naive Bayes over words, each part judged by the others."""
    number_of = {label: number for number, label in enumerate(classes)}
    own = np.array([number_of[passage.label] for passage in classed])
    rows = [_words(passage.text) for passage in classed]
    told = np.zeros(len(rows), dtype=np.int64)
    margin = np.zeros(len(rows))
    for fold in range(_FOLDS):
        counts = np.ones((len(classes), _TABLE))
        for number, words in enumerate(rows):
            if number % _FOLDS != fold:
                counts[own[number], words] += 1
        weights = np.log(counts / counts.sum(axis=1, keepdims=True))
        for number in range(fold, len(rows), _FOLDS):
            words = rows[number]
            scores = weights[:, words].sum(axis=1)
            told[number] = int(scores.argmax())
            margin[number] = (scores.max() - scores[own[number]]) / max(1, len(words))
    if (told == own).mean() < _TELLABLE:
        return []
    against = [n for n in range(len(rows)) if told[n] != own[n] and margin[n] >= _MARGIN and len(rows[n]) >= 5]
    size = Counter(own.tolist())
    by_class = Counter(int(own[n]) for n in against)
    return [n for n in against if by_class[int(own[n])] >= max(_ROWS, _SHARE * size[int(own[n])])]


def _words(text: str) -> np.ndarray:
    """Words of a text as places of the table, each once."""
    words = set(_WORD.findall(text.casefold()[:4096])[:_WORDS])
    return np.fromiter((zlib.crc32(word.encode()) % _TABLE for word in words), dtype=np.int64, count=len(words))
