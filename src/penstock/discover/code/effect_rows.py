"""Which calls have an effect, and what a tool's name and description say of it. Rows are data: packs/effects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

import msgspec

from penstock.graph.vocabulary import PROPS
from penstock.knowledge.pack import define_pack, load_pack


class Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Calls that have an effect: resolved names (see the header of the pack), or methods ``on`` such names."""

    id: str
    effect: str
    calls: tuple[str, ...]
    on: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


class Saying(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Verbs that a tool's name or description starts with, beside one of the things, where any are given."""

    id: str
    effect: str
    verbs: tuple[str, ...]
    things: tuple[str, ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


class _Index(NamedTuple):
    """The rows of one language: whole names, beginnings, the same after any dot, and methods by their name."""

    exact: dict[str, str]
    starts: list[tuple[str, str]]
    inner: dict[str, str]
    inner_starts: dict[str, list[tuple[str, str]]]
    methods: dict[str, list[tuple[str, str]]]


@lru_cache(50_000)
def effect_of(symbol: str, language: str = "") -> str:
    """The effect of calling a resolved name in a language; empty when none is known."""
    index = _index(language)
    plain = symbol.replace("[]", "").removeprefix("node:")
    for holder, effect in index.methods.get(plain.rpartition(".")[2], ()):
        if plain.startswith(holder) or f".{holder}" in plain:
            return effect
    if effect := index.exact.get(plain, ""):
        return effect
    for start, effect in index.starts:
        if plain.startswith(start):
            return effect
    at = len(plain)
    while at > 0:  # the shortest end first: what is called says more than what it is called on
        at = plain.rfind(".", 0, at)
        end = plain[at + 1 :]
        if effect := index.inner.get(end, ""):
            return effect
        for start, effect in index.inner_starts.get(re.split(r"[.()]", end, maxsplit=1)[0], ()):
            if end.startswith(start):
                return effect
    return ""


def said_effect(text: str) -> str:
    """The effect that a tool's name (``refund_order``) or description ("Refund an order.") speaks of."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\-./]+", " ", text[:400]) if " " not in text.strip() else text[:400]
    sentence = re.split(r"[.;\n]", _PREAMBLE.sub("", spaced.strip(), count=1), maxsplit=1)[0].lower()
    words = [word for word in re.findall(r"[a-z]+", sentence) if word not in _ARTICLES]
    if not words:
        return ""
    for row in load_pack("effect_words").rows:
        if words[0] in row.verbs and (not row.things or not set(row.things).isdisjoint(words[1:3])):
            return str(row.effect)
    return ""


_ARTICLES = frozenset({"a", "an", "the", "any", "new", "given", "another", "one", "your", "this", "that"})
#: How descriptions begin before they say what a tool does.
_PREAMBLE = re.compile(
    r"(?i)(?:(?:use|call|invoke|run) this (?:tool|function)(?: when[^,]*,)? to|(?:this|a|the) (?:tool|function)"
    r"(?: that| which| to| can| will)*|(?:tool|function|helper) (?:to|that)|allows? (?:you|the \w+|\w+) to|can|"
    r"(?:safely|permanently|immediately|automatically))\s+"
)


@cache
def _index(language: str) -> _Index:
    index = _Index({}, [], {}, {}, {})
    for row in load_pack("effects").rows:
        if row.language and language not in row.language:
            continue
        for call in (each for given in row.calls for each in _expand(given)):
            if row.on:
                held = index.methods.setdefault(call, [])
                held += [(on.removeprefix("*."), row.effect) for each in row.on for on in _expand(each)]
            elif call.startswith("*.") and call.endswith("*"):
                first = re.split(r"[.()*]", call[2:], maxsplit=1)[0]
                index.inner_starts.setdefault(first, []).append((call[2:-1], row.effect))
            elif call.startswith("*."):
                index.inner[call[2:]] = row.effect
            elif call.endswith("*"):
                index.starts.append((call[:-1], row.effect))
            else:
                index.exact[call] = row.effect
    return index


def _expand(pattern: str) -> Iterator[str]:
    start = pattern.find("{")
    if start < 0:
        yield pattern
        return
    end = pattern.index("}", start)
    for choice in pattern[start + 1 : end].split(","):
        yield from _expand(pattern[:start] + choice.strip() + pattern[end + 1 :])


def _check(row: Effect, example: Any) -> bool:
    return effect_of(str(example), row.language[0] if row.language else "") == row.effect


def _check_words(row: Saying, example: Any) -> bool:
    return said_effect(str(example)) == row.effect


def _validate(row: Effect | Saying) -> Iterator[str]:
    if row.effect not in PROPS["effects"].words:
        yield f"there is no effect {row.effect!r}"


define_pack("effects", Effect, check=_check, validate=_validate)
define_pack("effect_words", Saying, check=_check_words, validate=_validate)
