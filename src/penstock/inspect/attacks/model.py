"""The trained scorer: a table of weights, what to add, and the thresholds, read from one small file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penstock.inspect.attacks.features import Tokens, features, tokens
from penstock.inspect.attacks.views import View, views
from penstock.inspect.attacks.words import Lexicon, lexicon

SHIPPED = Path(__file__).parent / "model.npz"
#: Tokens of a window: about two sentences.
WINDOW = 40
#: Words in a row that count as repeated.
_RUN = 4


@dataclass(frozen=True, slots=True)
class Found:
    """The highest window of a text: its score, its view, and the token at which it starts."""

    score: float
    view: View | None = None
    read: Tokens | None = None
    first: int = 0

    def span(self) -> tuple[int, int]:
        """Where the window stands in the text, in characters."""
        if self.view is None or self.read is None:
            return 0, 0
        last = min(self.first + WINDOW, len(self.read)) - 1
        return self.view.original(*self.read.span(self.view.text, self.first, last))

    def meanings(self) -> list[int]:
        """Numbers of the meanings in the window, each once."""
        if self.read is None:
            return []
        return [
            meaning for meaning in sorted(set(self.read.meanings[self.first : self.first + WINDOW].tolist())) if meaning
        ]


@dataclass(frozen=True, slots=True)
class Model:
    """weights: one a bucket; bias: what an empty window scores; thresholds: by channel, or channel and script."""

    weights: NDArray[np.float32]
    bias: float
    lexicon: Lexicon
    thresholds: dict[str, tuple[float, float]] = field(default_factory=dict)

    def thresholds_for(self, text: str, channel: str) -> tuple[float, float]:
        """From which score on texts of this channel and script alert, and from which on they are blocked."""
        found = self.thresholds.get(f"{channel}.{script(text)}")
        return found or self.thresholds.get(channel, (0.0, 2.0))

    def asked(self, task: str) -> frozenset[int]:
        """Runs of words of the user's task, for ``best``."""
        return frozenset(_runs(tokens(task[:20_000], self.lexicon).words).tolist())

    def best(self, text: str, asked: frozenset[int] = frozenset()) -> Found:
        """The window of any view of the text that scores highest; runs of words that the user wrote weigh nothing."""
        best = Found(-20.0)
        for view in views(text):
            read = tokens(view.text, self.lexicon)
            if not len(read):
                continue
            sums = self.windows(read, asked)
            first = int(sums.argmax())
            if (score := float(sums[first]) + self.bias) > best.score:
                best = Found(score, view, read, first)
        return best

    def windows(self, read: Tokens, asked: frozenset[int] = frozenset()) -> NDArray[np.float64]:
        """The sum of the weights in each window of the tokens, one a token at which a window can start."""
        buckets, places = features(read)
        each = np.bincount(places, self.weights[buckets], len(read))
        if asked:
            each[_repeated(read.words, asked)] = 0.0
        total = np.concatenate([[0.0], np.cumsum(each)])
        size = min(WINDOW, len(read))
        sums: NDArray[np.float64] = total[size:] - total[:-size]
        return sums


def script(text: str) -> str:
    """``ascii``, ``latin`` or ``other``, by the first thousand characters."""
    start = text[:1000]
    if start.isascii():
        return "ascii"
    odd = sum(char > "\u024f" and char.isalpha() for char in start)
    return "other" if odd * 5 > len(start) else "latin"


def _repeated(words: NDArray[np.int64], asked: frozenset[int]) -> NDArray[np.bool_]:
    """Which words lie in a run of four that the user wrote."""
    runs = np.isin(_runs(words), list(asked))
    repeated = np.zeros(len(words), bool)
    for offset in range(min(_RUN, len(words))):
        repeated[offset : offset + len(runs)] |= runs
    return repeated


def _runs(listed: NDArray[np.int64]) -> NDArray[np.uint64]:
    """One hash for each run of four words."""
    words = listed.view(np.uint64)
    if len(words) < _RUN:
        return np.zeros(0, np.uint64)
    mixed = words[: len(words) - _RUN + 1].copy()
    for offset in range(1, _RUN):
        mixed = mixed * np.uint64(0x100000001B3) + words[offset : len(words) - _RUN + 1 + offset]
    return mixed


@cache
def shipped() -> Model:
    """The model that comes with Penstock."""
    return read(SHIPPED)


def read(path: Path) -> Model:
    """A model from its file; nothing in it is run."""
    with np.load(path, allow_pickle=False) as kept:
        vocabulary = frozenset(bytes(kept["vocabulary"]).decode().split("\n"))
        thresholds = {name: (alert, block) for name, (alert, block) in json.loads(str(kept["thresholds"])).items()}
        weights = kept["weights"].astype(np.float32)
        return Model(weights, float(kept["bias"]), lexicon(vocabulary), thresholds)
