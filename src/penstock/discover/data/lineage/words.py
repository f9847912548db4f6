"""What tags, classifications and column names say about data. The words are data (pack ``lineage``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import msgspec

from penstock.discover.data.lineage.reading import LONGEST, MOST
from penstock.graph.vocabulary import LABELS, MARKS
from penstock.inspect.sensitive.columns import classify_column
from penstock.knowledge.pack import define_pack, load_pack

#: Words before a phrase in which a denial is about it: "contains no personal data".
_NEAR = 3


class Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Words that stand for labels; the header of the pack says what each field means."""

    id: str
    labels: tuple[str, ...]
    words: tuple[str, ...]
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


def labels_of_tag(tag: str) -> frozenset[str]:
    """The labels that a tag stands for: ``pii``, ``contains_pii``, ``sensitivity: pii``; none for ``no-pii``."""
    if "=" in tag or ":" in tag:
        key, _, value = tag.replace("=", ":", 1).partition(":")
        return labels_of_pair(key, value)
    return _said(_split(tag))


def labels_of_pair(key: str, value: Any) -> frozenset[str]:
    """The labels of a tag with a value: ``pii: true``, ``classification: confidential``, ``pii_type: email``."""
    named = _split(key)
    if isinstance(value, bool):
        return _said(named) if value else frozenset()
    if isinstance(value, list):
        return frozenset(label for item in value[:MOST] for label in labels_of_pair(key, item))
    words = _split(value) if isinstance(value, str) else ()
    if words and set(words) <= _header("nothing"):
        return frozenset()
    if not words or set(words) <= _header("yes_words"):
        return _said(named) if isinstance(value, str) or value is None else frozenset()
    found = _said(named)
    return found | _said(words) if found or set(named) & _header("classifying") else frozenset()


def shown(key: str, value: Any) -> str:
    """A tag with its value, if that is itself a word about data: any other value may be the data."""
    said = value[:100] if isinstance(value, str) and labels_of_text(value) else ""
    return f"{key[:100]}: {said}" if said else key[:100]


def labels_of_text(said: str) -> frozenset[str]:
    """The labels that a free text about data names."""
    return _said(_split(said))


def labels_of_columns(names: Iterable[str]) -> tuple[frozenset[str], list[str], list[str]]:
    """The labels of a table by the names of its columns, the columns that gave them, and why."""
    labels: set[str] = set()
    named: list[str] = []
    why: list[str] = []
    for name in names:
        if found := _of_column(name[:200].rpartition(".")[2]):
            labels |= found
            named.append(name[:100])
            why.append(f"a column is called {name[:100]!r}: {', '.join(sorted(found))}")
    return frozenset(labels), named, why


def _of_column(name: str) -> frozenset[str]:
    return frozenset(classify_column(name, []).labels & LABELS.keys())


def _said(words: tuple[str, ...]) -> frozenset[str]:
    """The labels of the phrases among some words, but for those that the words beside them deny."""
    line = f" {' '.join(words)} "
    found: set[str] = set()
    for row, phrase in _phrases():
        if f" {phrase} " in line and not set(row.labels) <= found:
            before, after = (part.split() for part in line.split(f" {phrase} ", 1))
            if not {*before[-_NEAR:], *after[:1]} & _header("denying"):
                found |= set(row.labels)
    return frozenset(found)


def _split(said: str) -> tuple[str, ...]:
    """The words of a name in any spelling: ``containsPII``, ``contains-pii`` and ``Contains PII`` are one."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", said[:LONGEST])
    return tuple(re.findall(r"[^\W_]+", apart.casefold()))


@cache
def _phrases() -> tuple[tuple[Word, str], ...]:
    return tuple((row, " ".join(_split(phrase))) for row in load_pack("lineage").rows for phrase in row.words)


@cache
def _header(name: str) -> frozenset[str]:
    return frozenset(str(load_pack("lineage").header[name]).split())


def _problems(row: Word) -> Iterator[str]:
    for label in row.labels:
        if label not in LABELS and label not in MARKS:
            yield f"there is no label {label!r}"


def _check(row: Word, example: Any) -> bool:
    return set(row.labels) <= labels_of_tag(str(example))


define_pack("lineage", Word, check=_check, validate=_problems)
