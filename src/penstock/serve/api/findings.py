"""Risks: the list, and one with its path, its evidence, its terms and its rule."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from penstock.assess.rules import load_rules
from penstock.graph.vocabulary import SEVERITIES, Finding
from penstock.serve.api.endpoint import Call, NoSuchThing, endpoint
from penstock.serve.api.shapes import Ref, Risk
from penstock.serve.api.shaping import ref, risk
from penstock.serve.world import World


class FindingQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``state`` is open, accepted or all; ``rule`` and ``asset`` narrow it down."""

    severity: tuple[str, ...] = ()
    rule: str = ""
    asset: str = ""
    state: Literal["open", "accepted", "all"] = "open"
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0


class FindingList(msgspec.Struct, frozen=True):
    """``severities`` counts before the severity filter, so that each count is what choosing it would show."""

    total: int
    severities: dict[str, int]
    findings: tuple[Risk, ...]


class Term(msgspec.Struct, frozen=True):
    """One term of the score and the reason for its value."""

    name: str
    value: Any
    why: str


class RulePage(msgspec.Struct, frozen=True):
    """What the rule looks for and why it matters."""

    id: str
    name: str
    title: str
    why: str
    does_not_mean: str
    match: tuple[str, ...]
    absent: tuple[str, ...]
    when: str
    unless: str


class Tag(msgspec.Struct, frozen=True):
    """A place in a public framework, and why the rule belongs there."""

    framework: str
    id: str
    why: str


class FindingPage(msgspec.Struct, frozen=True):
    """A risk with all that it rests on."""

    risk: Risk
    terms: tuple[Term, ...]
    cuts: tuple[Ref, ...]
    entry: str
    rule: RulePage | None
    tags: tuple[Tag, ...]
    related: tuple[Ref, ...]


@endpoint("GET", "/findings")
def findings(call: Call, query: FindingQuery) -> FindingList:
    """Risks, worst first."""
    world = call.live.world
    pool, severities = counted(query, chosen(world, query))
    page = pool[query.offset : query.offset + query.limit]
    return FindingList(len(pool), severities, tuple(risk(world, f) for f in page))


def chosen(world: World, query: FindingQuery) -> tuple[Finding, ...]:
    """Risks in the state asked for, of the rule and the asset, worst first."""
    pool = {
        "open": world.assessment.findings,
        "accepted": world.assessment.accepted,
        "all": tuple(world.findings.values()),
    }[query.state]
    if query.rule:
        pool = tuple(f for f in pool if f.rule == query.rule)
    if query.asset:
        pool = tuple(f for f in pool if f.subject == query.asset or any(s.asset == query.asset for s in f.path))
    return pool


def counted(query: FindingQuery, pool: tuple[Finding, ...]) -> tuple[tuple[Finding, ...], dict[str, int]]:
    """Those of the severities asked for, and how many there are of each before that."""
    counts = {severity: sum(f.severity == severity for f in pool) for severity in reversed(SEVERITIES)}
    if query.severity:
        pool = tuple(f for f in pool if f.severity in query.severity)
    return pool, {severity: n for severity, n in counts.items() if n}


@endpoint("GET", "/findings/{id}")
def finding(call: Call) -> FindingPage:
    """One risk: path with evidence per step, score terms, cut, fix and rule."""
    world = call.live.world
    found = world.findings.get(call.path["id"])
    if found is None:
        raise NoSuchThing("There is no such risk", call.path["id"], "It may be closed: see its case, or the list")
    path = world.path_of.get(found.id)
    return FindingPage(
        risk(world, found),
        tuple(_term(name, value) for name, value in found.terms.items()),
        tuple(ref(world, cut) for cut in path.cut) if path else (),
        path.entry if path else "",
        _rule_page(found.rule),
        tuple(_tag(tag) for tag in found.tags),
        tuple(ref(world, asset) for asset in found.related if asset in world.graph.assets),
    )


def _term(name: str, value: Any) -> Term:
    """A term is a value, or ``{value, because}``."""
    if isinstance(value, dict):
        because = value.get("because", "")
        return Term(name, value.get("value"), because if isinstance(because, str) else ", ".join(map(str, because)))
    return Term(name, value, "")


def _tag(tag: Any) -> Tag:
    """A tag is ``{framework: id, why: reason}``."""
    framework = next((key for key in tag if key != "why"), "")
    return Tag(framework, str(tag.get(framework, "")), str(tag.get("why", "")))


def _rule_page(rule_id: str) -> RulePage | None:
    rule = next((r for r in load_rules() if r.id == rule_id), None)
    if rule is None:
        return None
    row = rule.row
    match, absent = _listed(row.match), _listed(row.absent)
    return RulePage(rule.id, row.name, row.title, row.why, row.does_not_mean, match, absent, row.when, row.unless)


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
