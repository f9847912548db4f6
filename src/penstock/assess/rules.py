"""Rules: rows of YAML, checked and compiled once at load (grammar: docs/rules.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from penstock.assess.chains import Chain, parse_chain
from penstock.assess.fields import RULE_SCHEMAS
from penstock.assess.frameworks import titles
from penstock.conditions import Condition, compile
from penstock.errors import NotUnderstood
from penstock.graph.questions import PROP_QUESTIONS, VERB_QUESTIONS
from penstock.graph.vocabulary import SEVERITIES
from penstock.knowledge.pack import define_pack, load_pack


class Shift(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A reason to move the severity by some steps."""

    when: str
    why: str
    by: int = 1


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule as it stands in its pack.

    ``stakes`` of a row that asks is the severity that hangs on the answer, ``about`` the property or verb it asks for.
    """

    id: str
    name: str
    title: str
    match: str | list[str]
    severity: str = ""
    ask: str = ""
    stakes: str = ""
    about: str = ""
    subject: str = ""
    fix_at: str = ""
    follow: str = ""
    cause: str = ""
    entry: str = ""
    when: str = ""
    unless: str = ""
    absent: str | list[str] = msgspec.field(default_factory=list)
    raises: list[Shift] = msgspec.field(default_factory=list, name="raise")
    lower: list[Shift] = msgspec.field(default_factory=list)
    at_most: str = ""
    at_least: str = "low"
    fixed: bool = False
    covered_by: list[str] = msgspec.field(default_factory=list)
    explain: str = ""
    why: str = ""
    fix: str = ""
    does_not_mean: str = ""
    tags: list[dict[str, str]] = msgspec.field(default_factory=list)
    fires: list[Any] = msgspec.field(default_factory=list)
    silent: list[Any] = msgspec.field(default_factory=list)


@dataclass(frozen=True)
class Rule:
    """A compiled rule. ``asks`` rules raise questions, all others findings."""

    row: Row
    chains: tuple[Chain, ...]
    absent: tuple[Chain, ...]
    when: tuple[Condition, ...]
    unless: Condition | None
    raises: tuple[tuple[Condition, Shift], ...]
    lowers: tuple[tuple[Condition, Shift], ...]
    kinds: Mapping[str, frozenset[str]]

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def subject(self) -> str:
        return self.row.subject or self.chains[0].variables[0]

    @property
    def fix_at(self) -> str:
        return self.row.fix_at or self.subject

    @property
    def asks(self) -> bool:
        return bool(self.row.ask)

    @property
    def combination(self) -> bool:
        """Whether several hops make the risk; a setting alone stops one step lower."""
        return self.name.startswith("x-")

    @property
    def starts_at(self) -> str:
        """The severity before what is at stake and how readily it is reached move it."""
        return self.row.severity or self.row.stakes

    @property
    def at_most(self) -> str:
        return self.row.at_most or ("critical" if self.combination else "high")


@cache
def load_rules() -> list[Rule]:
    """The shipped rules in the order of their ids.

    Raises:
        NotUnderstood: a row is not in the grammar; says the file and line.
    """
    return sorted((compiled(row) for row in load_pack("rules").rows), key=lambda rule: rule.id)


@cache
def _compiled(key: bytes) -> Rule:
    row = msgspec.json.decode(key, type=Row)
    kinds: dict[str, frozenset[str]] = {}
    chains = [_chain(text, kinds) for text in _listed(row.match)]
    outer = dict(kinds)
    absent = [_chain(text, dict(outer)) for text in _listed(row.absent)]
    variables = dict.fromkeys(kinds, "asset") | {"org": "org", "path": "path", "sensitive": "words"}

    def condition(source: str) -> Condition:
        return compile(source, variables, schemas=RULE_SCHEMAS)

    return Rule(
        row=row,
        chains=tuple(chains),
        absent=tuple(absent),
        when=tuple(condition(row.when).conjuncts()) if row.when else (),
        unless=condition(row.unless) if row.unless else None,
        raises=tuple((condition(shift.when), shift) for shift in row.raises),
        lowers=tuple((condition(shift.when), shift) for shift in row.lower),
        kinds=kinds,
    )


def compiled(row: Row) -> Rule:
    """The rule that a row says. Raises NotUnderstood."""
    return _compiled(msgspec.json.encode(row))


def _chain(text: str, kinds: dict[str, frozenset[str]]) -> Chain:
    chain = parse_chain(text, kinds)
    for spot in chain.spots:
        kinds.setdefault(spot.variable, spot.kinds)
    return chain


def _listed(texts: str | list[str]) -> list[str]:
    return [texts] if isinstance(texts, str) else texts


#: Where a way in starts; `any` tries the internet, then content that strangers write.
ENTRIES = ("internet", "untrusted_content", "supply_chain", "insider", "any")


def problems(row: Row) -> Iterator[str]:
    """What types cannot say about a row."""
    try:
        rule = compiled(row)
    except NotUnderstood as error:
        yield str(error)
        return
    if bool(row.severity) == bool(row.ask):
        yield "it needs either severity or ask"
    if bool(row.ask) != bool(row.stakes):
        yield "ask and stakes belong together"
    if row.about and row.about not in PROP_QUESTIONS and row.about not in VERB_QUESTIONS:
        yield f"there is no property or verb {row.about!r} to ask for"
    for word in filter(None, (row.severity, row.stakes, row.at_most, row.at_least)):
        if word not in SEVERITIES:
            yield f"there is no severity {word!r}"
    needed = ("explain", "why", "fix", "does_not_mean") if row.severity else ()
    yield from (f"{name} is missing" for name in needed if not getattr(row, name))
    if row.severity and not row.tags:
        yield "it has no framework tag"
    if row.entry and row.entry not in ENTRIES:
        yield f"there is no entry {row.entry!r}"
    for name in filter(None, (row.subject, row.fix_at, row.follow)):
        if name not in rule.kinds:
            yield f"{name!r} is no variable of its chains"
    for chain in rule.absent:
        if not {chain.variables[0], chain.variables[-1]} & set(rule.kinds):
            yield f"the absent chain {chain.text!r} shares no variable with match at either end"
    for text in (row.explain, row.fix, row.ask):
        for word in re.findall(r"\{([^{}]*)\}", text):
            if word.partition(".")[0] not in {*rule.kinds, "path"}:
                yield f"{{{word}}} is no variable of its chains"
    for tag in row.tags:
        names = [f"{edition}:{id}" for edition, id in tag.items() if edition != "why"]
        if not tag.get("why") or not names:
            yield f"a tag needs an id and a why: {tag}"
        yield from (f"there is no {name} in the framework catalogue" for name in names if name not in titles())


def _fires(row: Row, example: Any) -> bool:
    from penstock.assess.examples import fires

    return fires(compiled(row), example)


define_pack("rules", Row, check=_fires, validate=problems)
