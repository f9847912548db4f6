"""What a column holds: its header's concept and the share of its values that a detector confirms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import msgspec

from penstock.inspect.sensitive.detector import detector
from penstock.inspect.sensitive.rows import MARK
from penstock.inspect.sensitive.validators import check_named
from penstock.knowledge.pack import define_pack, load_pack

#: A column is what at least this share of its filled values is.
SHARE = 0.6
#: Values looked at; the caller samples, this only bounds the work.
SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class ColumnVerdict:
    """labels: data labels of the column; types: entity types, the most frequent first; share: of the filled values,
    how many a detector confirmed (0 when only the header spoke). ``reason`` says it in words."""

    labels: frozenset[str]
    types: tuple[str, ...]
    share: float
    reason: str = ""


class Concept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A meaning of a column, told by its header.

    header: words, in any of ``date_of_birth``, ``dateOfBirth``, ``Date of birth``; a whole header must read so, except
        that words in ``around`` of the pack may stand about it (``customer_email``, ``email_address``).
    value: what at least ``SHARE`` of the filled values must look like, ``check`` what they must satisfy.
    vocabulary: words of which one in every fifth value is enough, whatever the header says.
    """

    id: str
    type: str
    label: str
    header: tuple[str, ...] = ()
    value: str = ""
    check: str = ""
    vocabulary: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


def classify_column(header: str, values: Sequence[str]) -> ColumnVerdict:
    """What the column holds; no labels when neither header nor values say so.

    Values decide alone where their shape is proof (e-mail, card, IBAN, credential); a header decides where values
    agree with it or have no shape of their own (names, addresses, diagnoses).
    """
    filled = [text for value in values[:SAMPLE] if (text := value.strip()[:512])]
    seen, counts, confirmed = _confirmed(header, filled)
    labels = set(seen)
    types = list(dict.fromkeys(counts))
    reasons = [f"{count} of {len(filled)} values are {kind}" for kind, count in counts.items()]
    for concept in _concepts():
        if concept.label in labels and concept.type in types:
            continue
        if reason := _speaks(concept, header, filled):
            labels.add(concept.label)
            types.append(concept.type)
            reasons.append(reason)
    return ColumnVerdict(frozenset(labels), tuple(dict.fromkeys(types)), confirmed, "; ".join(reasons))


def _confirmed(header: str, filled: list[str]) -> tuple[set[str], Counter[str], float]:
    """Labels and types of which enough values are proof, and the largest share."""
    count: Counter[tuple[str, str]] = Counter()
    lead = f"{_spaced(header)}: "
    for value in filled:
        found = {
            (span.type, span.category)
            for span in detector().detect(lead + value)
            if span.start >= len(lead) and _fills(span.end - span.start, value, span.category)
        }
        count.update(found)
    enough = {
        (kind, label): number
        for (kind, label), number in count.items()
        if number >= SHARE * len(filled) or (label in _RARE and number >= max(1, 0.02 * len(filled)))
    }
    types: Counter[str] = Counter({kind: number for (kind, _), number in enough.items()})
    ordered = Counter(dict(types.most_common()))
    return (
        {label for _, label in enough if label != MARK},
        ordered,
        max(enough.values(), default=0) / max(1, len(filled)),
    )


#: One in fifty is too many: a comment column with some card numbers or keys in it holds card numbers and keys.
_RARE = frozenset({"pci", "credentials"})


def _fills(size: int, value: str, category: str) -> bool:
    """Whether the span is the value rather than something mentioned in a sentence; free text labels all the same."""
    return size >= 0.5 * len(value) or len(value) > 40 or category in _RARE


def _speaks(concept: Concept, header: str, filled: list[str]) -> str:
    """Why the column is of the concept, in words; empty when it is not."""
    words = _words(header)
    named = any(_reads(words, wanted) for wanted in _wanted(concept))
    if named and (not filled or _agrees(concept, filled)):
        return f"the header {header!r} means {concept.id.partition('.')[2].replace('-', ' ')}"
    if concept.vocabulary and len(filled) >= 5:
        speaks = _vocabulary(concept.vocabulary)
        hits = sum(1 for value in filled if speaks.search(value))
        if hits >= 0.2 * len(filled):
            return f"{hits} of {len(filled)} values speak of {concept.id.partition('.')[2].replace('-', ' ')}"
    return ""


def _agrees(concept: Concept, filled: list[str]) -> bool:
    shape = re.compile(concept.value) if concept.value else None
    check = check_named(concept.check) if concept.check else None
    fits = sum(1 for value in filled if (shape is None or shape.fullmatch(value)) and (check is None or check(value)))
    return fits >= SHARE * len(filled)


def _reads(words: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether a header reads as a concept: the words in order, and beside them only words that stand about."""
    size = len(wanted)
    for start in range(len(words) - size + 1):
        if words[start : start + size] == wanted and all(
            word in _around() or word.isdigit() for word in (*words[:start], *words[start + size :])
        ):
            return True
    return False


def _words(header: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in re.findall(r"[^\W\d_]+|\d+", _spaced(header)))


def _spaced(header: str) -> str:
    """``dateOfBirth`` and ``date_of_birth`` as words with spaces, bounded."""
    return re.sub(r"[_\-.\s]+", " ", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", header[:128])).strip()


@cache
def _concepts() -> tuple[Concept, ...]:
    return load_pack("columns").rows


@cache
def _around() -> frozenset[str]:
    return frozenset(load_pack("columns").header.get("around", "").split())


@cache
def _wanted(concept: Concept) -> tuple[tuple[str, ...], ...]:
    return tuple(_words(header) for header in concept.header)


@cache
def _vocabulary(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(map(re.escape, words)) + r")", re.IGNORECASE)


def _applies(concept: Concept, example: str) -> bool:
    """Examples are a header, or a header and values: ``dob: 1984-07-23 | 1990-01-02``."""
    header, _, values = str(example).partition(": ")
    return bool(_speaks(concept, header, [value.strip() for value in values.split("|") if value.strip()]))


define_pack("columns", Concept, check=_applies)
