"""How the scorer is trained: windows of labelled texts, a logistic regression over hashed features, on one core.

Sources are weighed alike, because a large source would otherwise teach its own manner of writing. Of a long attack only
the windows that look most like one count as attacks; which ones is decided anew in each round.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penstock.inspect.attacks.features import TABLE, WORDS, features, tokens
from penstock.inspect.attacks.model import WINDOW, Model, script
from penstock.inspect.attacks.views import views
from penstock.inspect.attacks.words import TOKEN, Lexicon, fold, lexicon


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled text; group: its source, which weighs as much as any other of its label."""

    text: str
    attack: bool
    group: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """What training is done with: shrinkage of words beside meanings, penalty, rounds."""

    words: float = 0.5
    penalty: float = 1e-4
    rounds: int = 3
    steps: int = 30
    shown: int = 2


def train(
    examples: Sequence[Example], recipe: Recipe | None = None, say: Callable[[str], None] = lambda _: None
) -> Model:
    """A model of the examples; the same examples give the same model."""
    recipe = recipe or Recipe()
    known = lexicon(vocabulary(examples))
    rows = _windows(examples, known)
    say(f"{len(examples)} texts, {len(rows.owner)} windows, {len(rows.buckets)} features")
    scale = np.ones(TABLE, np.float32)
    scale[:WORDS] = recipe.words
    weight = _weights(examples, rows)
    attack = np.array([example.attack for example in examples])[rows.owner]
    counted = ~attack | rows.short
    table, bias = np.zeros(TABLE), 0.0
    for _ in range(recipe.rounds):
        table, bias = _regression(rows.only(counted), attack[counted], weight[counted], scale, recipe, table, bias)
        scores = rows.scores(table * scale) + bias
        counted = ~attack | _highest(scores, rows.owner, recipe.shown)
    return Model((table * scale).astype(np.float32), bias, known)


def vocabulary(examples: Sequence[Example], least: int = 4) -> frozenset[str]:
    """Plain English-lettered words of texts that are not attacks: what disguised words are compared with."""
    count: Counter[str] = Counter()
    for example in examples:
        if not example.attack:
            count.update(
                {fold(word) for word in TOKEN.findall(example.text[:4000]) if word.isascii() and word.isalpha()}
            )
    return frozenset(word for word, times in count.items() if times >= least and len(word) > 1)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Windows as sparse rows: buckets one after another, where each starts, whose it is, whether its text is short."""

    buckets: NDArray[np.int32]
    starts: NDArray[np.int64]
    owner: NDArray[np.int32]
    short: NDArray[np.bool_]

    def scores(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.add.reduceat(table[self.buckets], self.starts)

    def only(self, which: NDArray[np.bool_]) -> _Rows:
        sizes = np.diff(np.append(self.starts, len(self.buckets)))
        starts = np.concatenate([[0], np.cumsum(sizes[which])[:-1]])
        return _Rows(self.buckets[np.repeat(which, sizes)], starts, self.owner[which], self.short[which])


def _windows(examples: Sequence[Example], known: Lexicon) -> _Rows:
    parts: list[NDArray[np.int32]] = []
    owner: list[int] = []
    short: list[bool] = []
    for number, example in enumerate(examples):
        views_of = list(views(example.text))
        if example.attack and len(views_of) > 1:
            views_of = [max(views_of, key=lambda view: _meant(view.text, known))]
        for view in views_of:
            read = tokens(view.text, known)
            if not len(read):
                continue
            buckets, places = features(read)
            step = WINDOW // 2
            starts = range(0, max(1, len(read) - step), step) if example.attack else range(0, len(read), WINDOW)
            for start in starts:
                inside = (places >= start) & (places < start + WINDOW)
                if inside.any():
                    parts.append(buckets[inside].astype(np.int32))
                    owner.append(number)
                    short.append(len(read) <= 2 * WINDOW)
    sizes = np.array([len(part) for part in parts])
    return _Rows(
        np.concatenate(parts), np.concatenate([[0], np.cumsum(sizes)[:-1]]), np.array(owner, np.int32), np.array(short)
    )


def _meant(text: str, known: Lexicon) -> int:
    return int(np.count_nonzero(tokens(text, known).meanings))


def _weights(examples: Sequence[Example], rows: _Rows) -> NDArray[np.float64]:
    """Each group of a label weighs with the square root of its windows, attacks as much as the rest."""
    keys = [(example.attack, example.group) for example in examples]
    windows = Counter(keys[number] for number in rows.owner.tolist())
    each = np.array([examples[number].weight / np.sqrt(windows[keys[number]]) for number in rows.owner.tolist()])
    attack = np.array([keys[number][0] for number in rows.owner.tolist()])
    for side in (attack, ~attack):
        each[side] *= 0.5 / each[side].sum()
    return each


def _highest(scores: NDArray[np.float64], owner: NDArray[np.int32], shown: int) -> NDArray[np.bool_]:
    """The highest windows of each text."""
    order = np.lexsort((-scores, owner))
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    highest = np.zeros(len(scores), bool)
    highest[order[rank < shown]] = True
    return highest


def _regression(
    rows: _Rows, attack: NDArray[np.bool_], weight: NDArray[np.float64], scale: NDArray[np.float32], recipe: Recipe,
    table: NDArray[np.float64], bias: float,
) -> tuple[NDArray[np.float64], float]:  # fmt: skip
    """Logistic regression with a quadratic penalty, by L-BFGS."""
    sizes = np.diff(np.append(rows.starts, len(rows.buckets)))
    sign = np.where(attack, 1.0, -1.0)
    weight = weight / weight.sum()

    def loss(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (rows.scores(point[:-1] * scale) + point[-1])
        slope = -sign * weight / (1.0 + np.exp(np.clip(margin, -30, 30)))
        gradient = np.empty_like(point)
        gradient[:-1] = np.bincount(rows.buckets, np.repeat(slope, sizes), TABLE) * scale + recipe.penalty * point[:-1]
        gradient[-1] = slope.sum()
        value = float(weight @ np.logaddexp(0.0, -margin) + 0.5 * recipe.penalty * point[:-1] @ point[:-1])
        return value, gradient

    point = _lbfgs(loss, np.append(table, bias), recipe.steps)
    return point[:-1], float(point[-1])


def _lbfgs(
    loss: Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]], point: NDArray[np.float64], steps: int
) -> NDArray[np.float64]:
    """The lowest point found in so many steps, with ten remembered differences and backtracking."""
    value, gradient = loss(point)
    moves: list[tuple[NDArray[np.float64], NDArray[np.float64], float]] = []
    for _ in range(steps):
        direction = -gradient
        memory = []
        for move, change, product in reversed(moves):
            share = (move @ direction) / product
            direction = direction - share * change
            memory.append(share)
        if moves:
            move, change, product = moves[-1]
            direction = direction * (product / (change @ change))
        else:
            direction = direction / max(1e-12, float(np.abs(gradient).max()))
        for (move, change, product), share in zip(moves, reversed(memory), strict=True):
            direction = direction + (share - (change @ direction) / product) * move
        falls = float(gradient @ direction)
        step = 1.0
        for _ in range(12):
            new_value, new_gradient = loss(point + step * direction)
            if new_value <= value + 1e-4 * step * falls:
                break
            step /= 2
        else:
            break
        move, change = step * direction, new_gradient - gradient
        if (product := float(move @ change)) > 1e-16:
            moves = [*moves[-9:], (move, change, product)]
        point, gradient, value = point + move, new_gradient, new_value
    return point


def calibrated(model: Model, benign: Sequence[tuple[str, str]], alert: float = 0.01, block: float = 0.001) -> Model:
    """The model with thresholds above which at most these shares of the benign texts (text, channel) lie.

    A script has a threshold of its own only where it must be higher than that of its channel.
    """
    scores: dict[str, list[float]] = {}
    for text, channel in benign:
        found = model.best(text).score
        scores.setdefault(channel, []).append(found)
        scores.setdefault(f"{channel}.{script(text)}", []).append(found)
    limits = {name: (_share(each, alert), _share(each, block)) for name, each in scores.items()}
    for name in [name for name in limits if "." in name]:
        common, own = limits[name.partition(".")[0]], limits[name]
        limits[name] = (max(common[0], own[0]), max(common[1], own[1]))
    return replace(model, thresholds=limits)


def _share(scores: list[float], share: float) -> float:
    """The smallest score above which at most this share lies."""
    ranked = sorted(scores, reverse=True)
    return round(ranked[min(int(share * len(ranked)), len(ranked) - 1)], 4)


def write(model: Model, path: Path) -> None:
    """The model as a file; the same model gives the same bytes."""
    with path.open("wb") as out:
        np.savez_compressed(
            out,
            weights=model.weights.astype(np.float16),
            bias=np.float32(model.bias),
            thresholds=np.array(json.dumps(model.thresholds, sort_keys=True)),
            vocabulary=np.frombuffer("\n".join(sorted(model.lexicon.vocabulary)).encode(), np.uint8),
        )
