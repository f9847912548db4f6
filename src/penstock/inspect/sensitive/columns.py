"""What a column holds: its header's concept and the share of its values that a detector confirms."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import msgspec

from penstock.inspect.sensitive.detector import detector
from penstock.inspect.sensitive.rows import MARK
from penstock.inspect.sensitive.validators import check_named
from penstock.knowledge.pack import define_pack, load_pack

#: A column is what at least this share of its filled values is.
SHARE = 0.6
#: Where the header says nothing, values have to agree more.
_ALONE = 0.9
#: Values looked at; the caller samples, this only bounds the work.
SAMPLE = 1000
#: Of the names in a column, so many are on a list of the most frequent: a list of 1,000 covers a third of most
#: countries' people, and hardly a product or a place in twenty.
_KNOWN, _KNOWN_ALONE = 0.2, 0.4


@dataclass(frozen=True, slots=True)
class ColumnVerdict:
    """labels: data labels of the column; types: entity types, the most frequent first; share: of the filled values,
    how many a detector confirmed (0 when only the header spoke); counts: how many values are of each type. ``reason``
    says it in words."""

    labels: frozenset[str]
    types: tuple[str, ...]
    share: float
    reason: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


class Concept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A meaning of a column, told by its header.

    header: words, in any of ``date_of_birth``, ``dateOfBirth``, ``Date of birth``; a whole header must read so, except
        that words in ``around`` of the pack may stand about it (``customer_email``, ``email_address``).
    weak: headers that may mean it; they count only where the values prove it, by known names.
    last: words before the concept's may be any (``smtp_password``, ``lead email``): a name's last words are its head.
    value: what at least ``SHARE`` of the filled values must look like, ``check`` what they must satisfy.
    known: values may prove it by themselves, by the names in the pack.
    probe: words which, set before its values, make a detector confirm nearly all of them, whatever the header says.
    vocabulary: words of which one in every fifth value is enough, whatever the header says.
    """

    id: str
    type: str
    label: str
    header: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    value: str = ""
    check: str = ""
    last: bool = False
    known: bool = False
    probe: str = ""
    vocabulary: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


def classify_column(header: str, values: Sequence[str]) -> ColumnVerdict:
    """What the column holds; no labels when neither header nor values say so.

    Values decide alone where their shape is proof (e-mail, card, IBAN, credential); a header decides where values
    agree with it or have no shape of their own (names, addresses, diagnoses).
    """
    filled = [text for value in values[:SAMPLE] if (text := value.strip()[:512]) and text.casefold() not in _EMPTY]
    seen, counts, confirmed = _confirmed(f"{_spaced(header)}: ", filled)
    labels = set(seen)
    reasons = [f"{count} of {len(filled)} values are {kind}" for kind, count in counts.items()]
    named = _meanings(header) if filled or not values else {}  # what nobody filled in holds nothing
    for concept in _concepts():
        if concept.label in labels and concept.type in counts:
            continue
        reason, agreeing = _speaks(concept, header, filled, named, told=bool(labels))
        if reason:
            labels.add(concept.label)
            counts[concept.type] = max(counts[concept.type], agreeing)
            reasons.append(reason)
    return ColumnVerdict(frozenset(labels), tuple(counts), confirmed, "; ".join(reasons), dict(counts))


#: How people write that there is no value.
_EMPTY = frozenset(
    ("n/a", "na", "n.a.", "nan", "null", "none", "nil", "-", "--", "---", "?", "??", "???", ".", "unknown", "unbekannt",
     "inconnu", "desconocido", "sconosciuto", "tbd", "tba", "missing", "not available", "not applicable", "(null)",
     "<na>", "#n/a", "undefined", "keine angabe", "k.a.", "s/o", "не указано", "нет данных", "不明", "なし", "无",
     "없음")
)  # fmt: skip


def _confirmed(lead: str, filled: list[str]) -> tuple[set[str], Counter[str], float]:
    """Labels and types of which enough values are proof behind these words, and the largest share."""
    count: Counter[tuple[str, str]] = Counter()
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


def _speaks(
    concept: Concept, header: str, filled: list[str], named: Mapping[str, bool], *, told: bool
) -> tuple[str, int]:
    """Why the column is of the concept, in words (empty when it is not), and how many values agree."""
    meaning = concept.id.partition(".")[2].replace("-", " ")
    strength = named.get(concept.id)
    alone = (concept.known or bool(concept.probe)) and not any(named.values()) and not told and len(filled) >= 5
    alone = alone and not _means_other(header)
    agreeing = _agreeing(concept, filled) if strength is not None or alone else 0
    enough = agreeing >= SHARE * len(filled)
    if strength and enough:
        return f"the header {header!r} means {meaning}", agreeing
    if concept.known and enough and filled and (alone or strength is False):
        known = sum(1 for value in filled if _is_name(value, whole=strength is None))
        if strength is False and known >= _KNOWN * len(filled):
            return (
                f"the header {header!r} may mean {meaning}, and {known} of {len(filled)} values are known names",
                known,
            )
        if alone and known >= _KNOWN_ALONE * len(filled):
            return f"{known} of {len(filled)} values are known names", known
    if concept.probe and alone and enough:
        marked = sum(1 for value in filled if _MARKED.search(value))
        _, counts, _ = _confirmed(concept.probe, filled)
        if counts[concept.type] >= _ALONE * len(filled) and marked >= 0.3 * len(filled):
            return f"{counts[concept.type]} of {len(filled)} values read as {meaning}", counts[concept.type]
    if concept.vocabulary and len(filled) >= 5:
        speaks = _vocabulary(concept.vocabulary)
        hits = sum(1 for value in filled if speaks.search(value))
        if hits >= 0.2 * len(filled):
            return f"{hits} of {len(filled)} values speak of {meaning}", hits
    return "", 0


#: Marks of a telephone number, which no other number has: a prefix, brackets, the groups of North America.
_MARKED = re.compile(r"^[+(]|\b\d{3}[-. ]\d{3}[-. ]\d{4}\b")


def _means_other(header: str) -> bool:
    """Whether a header names something that is no person and nothing of a person."""
    return any(_folded(word) in _other() for word in _NAME_WORD.findall(_spaced(header)))


def _agreeing(concept: Concept, filled: list[str]) -> int:
    """How many values look as the concept's do."""
    shape = re.compile(concept.value) if concept.value else None
    check = check_named(concept.check) if concept.check else None
    return sum(1 for value in filled if (shape is None or shape.fullmatch(value)) and (check is None or check(value)))


def _is_name(value: str, *, whole: bool) -> bool:
    """Whether a value holds a frequent name; ``whole``: and looks like a person's full name throughout."""
    words = _NAME_WORD.findall(value)
    given, family = _names()
    folded = [_folded(word) for word in words]
    if not words or len(words) > 6:
        return False
    if not words[0].isascii() and not words[0][0].isupper() and not words[0][0].islower():  # scripts without case
        if len(value) > 10 or _NO_PERSON.search(value):
            return False
        return any(value.startswith(name) for name in _caseless(family)) or bool(set(folded) & given)
    if whole:
        capital = all(word[0].isupper() for word in words if len(word) > 3)
        return len(words) >= 2 and capital and not _NO_PERSON.search(value) and bool(set(folded[:2]) & given)
    return bool(set(folded) & (given | family)) and words[0][0].isupper()


_NAME_WORD = re.compile(r"[^\W\d_]+")
#: Forms of firms, and what joins their partners.
_NO_PERSON = re.compile(
    r"\b(?:gmbh|ag|kg|ohg|inc|ltd|llc|plc|corp|group|sarl|s\.?a|s\.?l|spa|srl|bv|nv|ab|oy|as|sp\.? z|ооо|зао|оао)\b|"
    r"[&\d]|会社|法人|銀行|公司|有限|集团|회사",
    re.IGNORECASE,
)


def _meanings(header: str) -> dict[str, bool]:
    """Ids of the concepts that a header names: True where it says so, False where it may mean it.

    A header reads as a concept when it is the concept's words, with only words of ``around`` beside them. Words may be
    written together where they are long enough not to be found by chance.
    """
    text, edges = _read(header)
    if not text:
        return {}
    phrases, longest = _phrases()
    around = _around()
    ends: dict[int, bool] = {}

    def covered(at: int) -> bool:
        """Whether the rest of the header is only words that stand about."""
        if at == len(text):
            return True
        if at not in ends:
            ends[at] = False
            ends[at] = any(covered(stop) for stop in _steps(text, at, edges, around))
        return ends[at]

    best: dict[str, bool] = {}
    rank = (False, 0)  # what says so goes before what may mean it, then the longest
    waiting, seen = [0], {0}
    while waiting:
        at = waiting.pop()
        for stop in range(at + 1, min(len(text), at + longest) + 1):
            found = phrases.get(text[at:stop])
            mine = (any(found.values()), stop - at) if found else rank
            if found and mine >= rank and _may_stand(at, stop, edges, text[at:stop]) and covered(stop):
                best = found if mine > rank else {**found, **best}
                rank = mine
        for stop in _steps(text, at, edges, around):
            if stop not in seen:
                seen.add(stop)
                waiting.append(stop)
    return best or _heads(text, edges, phrases)


def _heads(text: str, edges: frozenset[int], phrases: Mapping[str, dict[str, bool]]) -> dict[str, bool]:
    """The concepts that a header's last words name, whatever stands before."""
    for at in sorted(edges):
        named = phrases.get(text[at:], {})
        heads = {id: True for id in _last() if named.get(id)}
        if heads:
            return heads
    return {}


def _steps(text: str, at: int, edges: frozenset[int], around: frozenset[str]) -> Iterator[int]:
    """Where a word that stands about, beginning here, may end."""
    for stop in range(at + 1, min(len(text), at + 16) + 1):
        if text[at:stop] in around and _may_stand(at, stop, edges, text[at:stop]):
            yield stop


def _may_stand(at: int, stop: int, edges: frozenset[int], word: str) -> bool:
    """Whether a word is one of the header's, or long enough to be part of a compound."""
    if at in edges and stop in edges:
        return True
    least = 4 if word.isascii() or word[0].islower() else 1
    return len(word) >= least and (len(word) >= least + 2 or at in edges or stop in edges)


def _read(header: str) -> tuple[str, frozenset[int]]:
    """A header's letters, folded and without separators and figures, and where its words begin and end."""
    words = [_folded(word) for word in re.findall(r"[^\W\d_]+|\d+", _spaced(header)) if not word.isdigit()]
    edges, text = {0}, ""
    for word in words:
        text += word
        edges.add(len(text))
    return text, frozenset(edges)


def _spaced(header: str) -> str:
    """``dateOfBirth`` and ``date_of_birth`` as words with spaces, bounded."""
    return re.sub(r"[_\-.\s]+", " ", _HUMP.sub(" ", header[:128])).strip()


#: Between a small letter and a capital, of Latin and Cyrillic.
_HUMP = re.compile("(?<=[a-z0-9ß-öø-ÿа-яё])(?=[A-ZÀ-ÖØ-ÞА-ЯЁ])")


def _folded(word: str) -> str:
    """A word without case and accents."""
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKD", word.translate(_PLAIN))
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()


#: Letters that Unicode does not take apart.
_PLAIN = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ı": "i", "İ": "I", "đ": "d", "æ": "ae", "œ": "oe", "ё": "е"}
)


@cache
def _concepts() -> tuple[Concept, ...]:
    return load_pack("columns").rows


@cache
def _last() -> frozenset[str]:
    """Ids of the concepts that a header's last words name."""
    return frozenset(concept.id for concept in _concepts() if concept.last)


@cache
def _around() -> frozenset[str]:
    return frozenset(_folded(word) for word in _listed("around"))


@cache
def _other() -> frozenset[str]:
    return frozenset(_folded(word) for word in _listed("other"))


@cache
def _names() -> tuple[frozenset[str], frozenset[str]]:
    """Given and family names."""
    given, family = (frozenset(_folded(word) for word in _listed(name)) for name in ("given", "family"))
    return given, family


@cache
def _caseless(names: frozenset[str]) -> tuple[str, ...]:
    """Names in scripts that write them without a space."""
    return tuple(name for name in names if "\u3040" <= name[0] <= "\u9fff" or "\uac00" <= name[0] <= "\ud7af")


def _listed(name: str) -> list[str]:
    return str(load_pack("columns").header.get(name, "")).split()


@cache
def _phrases() -> tuple[Mapping[str, dict[str, bool]], int]:
    """Headers as written together → the concepts they name (True) or may mean (False), and the longest of them."""
    found: dict[str, dict[str, bool]] = {}
    for concept in _concepts():
        for strong, headers in ((False, concept.weak), (True, concept.header)):
            for words in headers:
                found.setdefault(_read(words)[0], {})[concept.id] = strong
    return found, max(map(len, found))


@cache
def _vocabulary(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(map(re.escape, words)) + r")", re.IGNORECASE)


def _applies(concept: Concept, example: str) -> bool:
    """Examples are a header, or a header and values: ``dob: 1984-07-23 | 1990-01-02``."""
    header, _, values = str(example).partition(": ")
    listed = [value.strip() for value in values.split("|") if value.strip()]
    return bool(_speaks(concept, header, listed, _meanings(header), told=False)[0])


define_pack("columns", Concept, check=_applies)
