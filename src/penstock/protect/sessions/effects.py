"""What a tool does, by its name and description: rows of words, no list of tools."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

import msgspec

from penstock.knowledge.pack import define_pack, load_pack
from penstock.protect.sessions.lexicon import Lexicon, carries

#: Mildest first, so that an index compares.
IMPACTS = ("none", "low", "ordinary", "outward", "grave")
#: Words of a description that are looked at when the name says nothing: what a tool does stands first.
_FIRST_WORDS = 12


class Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A thing that tools do; see the head of the pack for what the fields mean."""

    id: str
    says: str
    impact: str
    names: str
    asks: dict[str, str]
    tools: tuple[str, ...] = ()
    not_tools: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


class Tool(msgspec.Struct, frozen=True, gc=False):
    """A tool as the model is offered it. ``effect`` and ``trusted`` may be declared; else they are inferred."""

    name: str
    description: str = ""
    effect: str = ""
    trusted: bool = False


#: Shorter words of a name are prepositions.
_LETTERS = 2
#: What a tool does that no word tells of: taken for a change that can be undone.
UNKNOWN = "act"


def impact_of(effect: str) -> int:
    """How much an effect can do, as an index into ``IMPACTS``."""
    return _impacts().get(effect, IMPACTS.index("ordinary"))


def says(effect: str) -> str:
    """The effect in words."""
    return _says().get(effect, "does something")


@lru_cache(maxsize=4096)
def effect_of(name: str, description: str = "") -> str:
    """The effect of a tool: what the first known word of its name says, else the first of its description.

    Two words of the name that belong together (``send_money``) say more than one.
    """
    words = _name_words(name)
    pairs, singles = _names()
    together = [effect for needed, effect in pairs if needed <= set(words)]
    leading = next((effect for word in words for effect in singles.get(word, ())), "")
    # a name that only looks stays looking, whatever it looks at: list_payments, get_sent_emails
    if leading == "read":
        return "fetch" if "fetch" in together else "read"
    if together:
        return max(together, key=lambda effect: (impact_of(effect), effect))
    if leading:
        return leading
    described = [found for found in asking().find(description[:400]) if found.word < _FIRST_WORDS]
    return min(described, key=lambda found: found.word).id if described else UNKNOWN


@lru_cache(maxsize=4096)
def objects_of(name: str) -> frozenset[str]:
    """The words of a tool's name that say what it is done to: ``file`` of ``delete_file``."""
    _, singles = _names()
    return frozenset(word for word in _name_words(name) if len(word) > _LETTERS and word not in singles)


@lru_cache(maxsize=4096)
def changes(name: str) -> bool:
    """Whether a tool changes what is there already, by the first word of its name."""
    _, singles = _names()
    return "update" in next((singles[word] for word in _name_words(name) if word in singles), ())


@cache
def asking() -> Lexicon:
    """The words with which people ask for effects."""
    return Lexicon({row.id: row.asks for row in load_pack("tools").rows})


@cache
def _impacts() -> dict[str, int]:
    return {row.id: IMPACTS.index(row.impact) for row in load_pack("tools").rows}


@cache
def _says() -> dict[str, str]:
    return {row.id: row.says for row in load_pack("tools").rows}


@cache
def _names() -> tuple[tuple[tuple[frozenset[str], str], ...], dict[str, tuple[str, ...]]]:
    """Words that belong together, and single words, each with the effects they tell."""
    pairs: list[tuple[frozenset[str], str]] = []
    singles: dict[str, tuple[str, ...]] = {}
    for row in load_pack("tools").rows:
        for word in row.names.split():
            parts = frozenset(part for part in word.split("+") if part)
            if len(parts) > 1:
                pairs.append((parts, row.id))
            else:
                singles[word] = (*singles.get(word, ()), row.id)
    return tuple(pairs), singles


_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def _name_words(name: str) -> list[str]:
    """The words of a name in any spelling: ``sendEmail``, ``send_email``, ``mail.send``."""
    return [part.lower() for part in _PARTS.findall(name[:128])]


def _validated(row: Effect) -> Iterable[str]:
    if row.impact not in IMPACTS:
        yield f"impact {row.impact!r} is none of {', '.join(IMPACTS)}"


def _examples(row: Effect) -> Iterable[tuple[bool, Any]]:
    yield from ((True, {"tool": name}) for name in row.tools)
    yield from ((False, {"tool": name}) for name in row.not_tools)
    yield from ((True, text) for text in row.match)
    yield from ((False, text) for text in row.no_match)


def _holds(row: Effect, example: Any) -> bool:
    from penstock.protect.sessions.requests import noun_marks

    if isinstance(example, dict):
        return effect_of(example["tool"], example.get("description", "")) == row.id
    return carries({row.id: row.asks}, row.id, str(example), noun_marks())


define_pack("tools", Effect, check=_holds, validate=_validated, examples=_examples)
