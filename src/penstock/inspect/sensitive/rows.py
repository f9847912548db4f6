"""What one rule row of the ``sensitive`` pack says, and how its examples are run."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from penstock.graph.vocabulary import LABELS
from penstock.knowledge.kept import keep, kept
from penstock.knowledge.pack import define_pack, header, load_pack, pack_files

if TYPE_CHECKING:
    from penstock.inspect.sensitive.detector import Detector

#: A value is at most this long unless its row says how it looks while it is still growing (``open``).
LONGEST = 240
#: Said about a span that is worth counting but no reason to protect data by itself.
MARK = "mark"


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A kind of value that can be told by how it looks. Each row has one of four forms:

    core + shape: ``core`` are fixed-width patterns inside the value (the syntax that hyperscan and RE2 share), found
        in one pass over the text; ``shape`` is matched where the core starts, or, with ``back``, as many of those
        characters (a class) further left as there are, up to 64.
    keyword + shape: words that must stand before the value, matched whole; a space in them also matches ``_`` and
        ``-``. ``shape`` is searched in the ``gap`` characters behind them; with ``gap: 0`` matched right behind them.
        In a table the words may be the header of the value's column.
    keyword + compact: an identifier behind such words; ``compact`` is the whole of it without spaces, dots, hyphens
        and slashes, in capitals.
    key: templates of what an issuer hands out, ``glpat-{url:20}``; with ``beside``, words (the issuer's name) that
        must stand in the name that the key is assigned to.

    Words that start with ``$`` are concepts of the pack's header, each with its words in many languages.

    shape: Python patterns; the first that matches and passes every ``check`` gives the span: its group ``value``, or
        the whole match.
    check: names of validators, with arguments in brackets where the algorithm has parameters.
    open: for values that may be longer than 240 characters: how a value looks that has begun and not ended.
    context: words that, standing up to 64 characters before, raise the confidence to ``sure``; with ``needs`` the row
        says nothing without them.
    unless: words that deny it when they stand up to 32 characters before; for ``compact``, between keyword and value
        (by default ``$other``).
    unlikely: a pattern in the value that halves the confidence (example domains).
    """

    id: str
    type: str
    category: str = "pii"
    confidence: float = 0.9
    reason: str
    country: str = ""
    shape: tuple[str, ...] = ()
    core: tuple[str, ...] = ()
    keyword: tuple[str, ...] = ()
    compact: str = ""
    key: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    gap: int = 40
    back: str = ""
    check: tuple[str, ...] = ()
    open: str = ""
    longest: int = LONGEST
    context: tuple[str, ...] = ()
    needs: bool = False
    unless: tuple[str, ...] = ()
    sure: float = 0.95
    unlikely: str = ""
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


@cache
def shapes() -> tuple[Shape, ...]:
    """All rows, in pack order: of two rows that claim the same characters equally surely, the earlier wins.

    Concepts are replaced by their words and templates by patterns; the result is kept on disk for the next process.
    """
    sources = [path.read_bytes() for path in (*pack_files("sensitive"), Path(__file__))]
    if (data := kept("rows", sources)) is not None:
        try:
            return msgspec.json.decode(data, type=tuple[Shape, ...])
        except msgspec.DecodeError:
            pass  # a torn file costs one reading of the pack
    rows = tuple(spelled_out(row) for row in load_pack("sensitive").rows)
    keep("rows", sources, msgspec.json.encode(rows))
    return rows


def spelled_out(row: Shape) -> Shape:
    """A row of any form as core + shape, keyword + shape or keyword + compact, with words for its concepts."""
    if row.key:
        row = _of_templates(row)
    if row.compact and not row.unless:
        row = msgspec.structs.replace(row, unless=("$other",))
    return msgspec.structs.replace(
        row, keyword=_worded(row.keyword), context=_worded(row.context), unless=_worded(row.unless)
    )


def _of_templates(row: Shape) -> Shape:
    values = [_pattern(template) for template in row.key]
    examples = [written_out(template) for template in row.key]
    if row.beside:
        return msgspec.structs.replace(
            row,
            keyword=row.beside,
            gap=0,
            shape=tuple(_ASSIGNED.replace("VALUE", value) for value in values),
            check=row.check or ("not_dummy", "entropy"),
            confidence=min(row.confidence, 0.9),
            match=row.match or tuple(f'{row.beside[0].replace(" ", "_")}_api_key = "{one}"' for one in examples),
            no_match=row.no_match or (f"{row.beside[0]} {examples[0]}", f"{row.beside[0]}_key: your-key-here"),
        )
    return msgspec.structs.replace(
        row,
        core=tuple(dict.fromkeys(_lead(template) for template in row.key)),
        shape=tuple("(?<![A-Za-z0-9_])" + value for value in values),
        check=row.check or ("not_dummy", "entropy"),
        confidence=max(row.confidence, 0.95) if not row.context else row.confidence,
        match=row.match or tuple(f"key = {one}" for one in examples),
        no_match=row.no_match or (f"x{examples[0]}", _lead(row.key[0]).replace("\\", "") + "xxxxxxxxxxxxxxxxxxxxxxxx"),
    )


#: A name that goes on to say key, token or secret, an equals sign or colon, the value.
_ASSIGNED = (
    r"""[A-Za-z0-9_. -]{0,24}?(?i:key|token|secret|pass(?:word|wd|phrase)?|pwd|auth|credential|pat|dsn|jwt)"""
    r"""[A-Za-z0-9_]{0,10}["'`]?\]?\s{0,3}(?::=|=>|[:=])\s{0,3}["'`]{0,2}(?P<value>VALUE)"""
)


def _pattern(template: str) -> str:
    """A template as a pattern that ends where its last hole cannot go on."""
    parts, at, last = [], 0, "alnum"
    for hole in _HOLE.finditer(template):
        parts += [re.escape(template[at : hole.start()]), _CLASSES[hole[1]]]
        low, _, high = (hole[2] or "").partition("-")
        parts.append("" if hole[1] == "uuid" else f"{{{low},{high}}}" if high else f"{{{low}}}")
        at, last = hole.end(), hole[1]
    parts.append(re.escape(template[at:]))
    return "".join(parts) + ("(?![A-Za-z0-9_-])" if last == "url" else "(?![A-Za-z0-9_])")


def _lead(template: str) -> str:
    """The fixed beginning of a template as a core, at least four characters wide."""
    hole = _HOLE.search(template)
    literal = template[: hole.start()][:16] if hole else template[:16]
    if len(literal) >= 4 or hole is None:
        return re.escape(literal)
    width = min(4 - len(literal), int((hole[2] or "4").partition("-")[0]))
    kind = "[0-9a-fA-F]" if hole[1] == "uuid" else _CLASSES[hole[1]]
    return re.escape(literal) + kind + f"{{{width}}}"


def _worded(words: Iterable[str]) -> tuple[str, ...]:
    """Words with concepts replaced by theirs, each once."""
    found: dict[str, None] = {}
    for word in words:
        if word.startswith("$"):
            found |= dict.fromkeys(concepts()[word[1:]])
        else:
            found[word] = None
    return tuple(found)


@cache
def concepts() -> Mapping[str, tuple[str, ...]]:
    """Concept → its words in all languages."""
    return {
        name: tuple(dict.fromkeys(str(word) for words in by_language.values() for word in words))
        for name, by_language in header("sensitive").get("concepts", {}).items()
    }


def written_out(example: str) -> str:
    """An example with its holes filled: ``{alnum:36}`` becomes 36 random-looking characters, the same every time.

    Examples of credentials are kept with holes, so that no repository scanner takes the pack for a leak.
    """
    chance = random.Random(example)  # noqa: S311 (nothing secret: made-up examples)

    def filled(hole: re.Match[str]) -> str:
        if hole[1] == "uuid":
            return "-".join("".join(chance.choices("0123456789abcdef", k=size)) for size in (8, 4, 4, 4, 12))
        return "".join(chance.choices(_ALPHABETS[hole[1]], k=int(hole[2].partition("-")[0])))

    return _HOLE.sub(filled, example)


_HOLE = re.compile(r"\{(alnum|lower|upper|letters|hex|HEX|digit|base64|url|base32|base58|uuid)(?::(\d+(?:-\d+)?))?\}")
_ALPHABETS = {
    "alnum": string.ascii_letters + string.digits,
    "lower": string.ascii_lowercase + string.digits,
    "upper": string.ascii_uppercase + string.digits,
    "letters": string.ascii_letters,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "digit": string.digits,
    "base64": string.ascii_letters + string.digits + "+/",
    "url": string.ascii_letters + string.digits + "-_",
    "base32": string.ascii_uppercase + "234567",
    "base58": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
}
_CLASSES = {
    "alnum": "[A-Za-z0-9]",
    "lower": "[a-z0-9]",
    "upper": "[A-Z0-9]",
    "letters": "[A-Za-z]",
    "hex": "[0-9a-f]",
    "HEX": "[0-9A-F]",
    "digit": "[0-9]",
    "base64": "[A-Za-z0-9+/]",
    "url": "[A-Za-z0-9_-]",
    "base32": "[A-Z2-7]",
    "base58": "[1-9A-HJ-NP-Za-km-z]",
    "uuid": "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
}


def _applies(row: Shape, example: Any) -> bool:
    return any(span.rule == row.id for span in _alone(row).detect(written_out(str(example))))


@lru_cache(maxsize=4)
def _alone(row: Shape) -> Detector:
    from penstock.inspect.sensitive.detector import Detector

    return Detector([spelled_out(row)])


def _problems(row: Shape) -> Iterator[str]:
    from penstock.inspect.sensitive.validators import check_named

    if row.category not in LABELS and row.category != MARK:
        yield f"category {row.category!r} is no data label"
    if bool(row.core) + bool(row.keyword) + bool(row.key) != 1:
        yield "give one of core, keyword and key"
    if row.beside and not row.key:
        yield "`beside` goes with `key`"
    if not row.key and bool(row.shape) == bool(row.compact):
        yield "give either shape or compact"
    if row.longest > LONGEST and not row.open:
        yield f"a value longer than {LONGEST} needs `open`"
    if row.needs and not row.context:
        yield "`needs` goes with `context`"
    for word in (*row.keyword, *row.context, *row.unless):
        if word.startswith("$") and word[1:] not in concepts():
            yield f"there is no concept {word[1:]!r}; known: {', '.join(sorted(concepts()))}"
    for name in row.check:
        try:
            check_named(name)
        except (KeyError, ValueError, TypeError):
            yield f"there is no check {name!r}"
    for pattern in row.shape:
        if row.keyword and re.search(r"\\[1-9]|\(\?P<whole>", pattern):
            yield f"pattern {pattern!r}: behind a keyword, groups are named (not `whole`) and referred to by name"
    for pattern in (*row.shape, row.compact, row.open, row.unlikely):
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"pattern {pattern!r} does not compile: {error}"


def _examples(row: Shape) -> Iterable[tuple[bool, Any]]:
    row = spelled_out(row)
    yield from ((True, example) for example in row.match)
    yield from ((False, example) for example in row.no_match)


define_pack("sensitive", Shape, check=_applies, validate=_problems, examples=_examples)
