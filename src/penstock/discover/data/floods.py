"""Near-copies of one text in great number: a message repeated until retrieval finds nothing else."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np

from penstock.discover.data.passage import Passage

#: A group counts as a flood from so many texts on that are at least this share of all. A page repeated five times
#: wins a top-5 retrieval; twenty near-copies are no accident of a corpus, unless half of it is made so.
_FEWEST, _SHARE = 20, 0.02
#: Shorter texts repeat by nature ("Thank you!"); of longer ones so many words are looked at.
_SHORTEST, _WORDS = 80, 200
#: Texts looked at, evenly chosen; 2,000 texts of 200 words cost 0.4 CPU s.
_MOST = 4_000
#: Where more than this share of texts have a near-copy, the data are made of a template (logs, forms).
_TEMPLATE = 0.8
#: Numbers of a sketch; texts share one with the probability that a word run of one is in the other. Two that share
#: _ALIKE of them have 80 % of their runs in common (standard error 0.1).
_SKETCH, _ALIKE = 16, 12
_NORMAL = re.compile(r"[^\W\d_]+")


def flood(passages: Sequence[Passage]) -> dict[str, str]:
    """Places of the near-copies of the text that is repeated most, with the reason."""
    step = max(1, len(passages) // _MOST)
    texts = [passage for passage in passages[::step] if len(passage.text) >= _SHORTEST][:_MOST]
    if len(texts) < _FEWEST:
        return {}
    groups = alike([passage.text for passage in texts])
    largest = max(groups, key=len)
    copied = sum(len(group) for group in groups if len(group) > 1)
    if len(largest) < max(_FEWEST, _SHARE * len(texts)) or copied > _TEMPLATE * len(texts):
        return {}
    reason = f"it is one of {len(largest)} near-copies of one text"
    return {texts[number].place: reason for number in largest}


def alike(texts: Sequence[str]) -> list[list[int]]:
    """Numbers of texts, grouped by likeness: those of a group have most word runs in common with its first."""
    sketches = np.array([_sketch(text) for text in texts], dtype=np.uint32)
    buckets: dict[tuple[int, int, int], list[int]] = {}
    groups: list[list[int]] = []
    for number, sketch in enumerate(sketches):
        keys = [(at, int(sketch[at]), int(sketch[at + 1])) for at in range(0, _SKETCH, 2)]
        near = {group for key in keys for group in buckets.get(key, ())}
        best = max(near, key=lambda group: (_common(sketches[groups[group][0]], sketch), -group), default=None)
        if best is not None and _common(sketches[groups[best][0]], sketch) >= _ALIKE:
            groups[best].append(number)
            continue
        groups.append([number])
        for key in keys:
            if len(held := buckets.setdefault(key, [])) < 20:  # a hostile corpus could make one bucket of all
                held.append(len(groups) - 1)
    return groups


def _sketch(text: str) -> np.ndarray:
    """The least hashes of the runs of three words, under 16 hash functions."""
    words = _NORMAL.findall(text.casefold()[:4096])[:_WORDS]
    runs = {" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2))}
    hashes = np.fromiter((zlib.crc32(run.encode()) for run in runs), dtype=np.uint64, count=len(runs))
    mixed = (hashes[:, None] * _FACTORS[None, :] + _OFFSETS[None, :]) % _PRIME
    least: np.ndarray = mixed.min(axis=0)
    return least.astype(np.uint32)


def _common(one: np.ndarray, other: np.ndarray) -> int:
    return int((one == other).sum())


_random = np.random.default_rng(0)
_PRIME = np.uint64((1 << 31) - 1)
_FACTORS = _random.integers(1, 1 << 31, _SKETCH, dtype=np.uint64)
_OFFSETS = _random.integers(0, 1 << 31, _SKETCH, dtype=np.uint64)
