"""Risks by what to change: one change often closes several."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from penstock.assess.assessment import Fix
from penstock.graph.vocabulary import SEVERITIES, Finding
from penstock.serve.api.endpoint import Call, endpoint
from penstock.serve.api.findings import FindingQuery, chosen, counted
from penstock.serve.api.shapes import Owner, Ref, Risk
from penstock.serve.api.shaping import owner, ref, risk
from penstock.serve.world import World

#: Risks sent with a change; a person who closes these has closed the rest too, or sees them next.
MOST_RISKS = 50


class FixGroup(msgspec.Struct, frozen=True):
    """What to change, how many risks that closes, how bad the worst of them is, and the risks, worst first.

    ``change`` is what ``penstock whatif`` takes, empty where it is none of the graph. ``ways`` counts the pairs of
    an entry and something worth taking that it parts.
    """

    at: Ref
    owner: Owner
    severity: str
    closes: int
    risks: tuple[Risk, ...]
    what: str = ""
    change: str = ""
    ways: int = 0


class FixList(msgspec.Struct, frozen=True):
    """``total`` counts changes, ``risks`` what they close together; ``severities`` as in the list of risks."""

    total: int
    risks: int
    severities: dict[str, int]
    groups: tuple[FixGroup, ...]


@endpoint("GET", "/fixes")
def fixes(call: Call, query: FindingQuery) -> FixList:
    """Risks under the one change that closes most of them, the worst first, then the change that closes most."""
    world = call.live.world
    pool, severities = counted(query, chosen(world, query))
    groups = by_fix(world, pool)
    page = groups[query.offset : query.offset + query.limit]
    return FixList(len(groups), len(pool), severities, tuple(_group(world, fix, found) for fix, found in page))


def by_fix(world: World, findings: Iterable[Finding]) -> list[tuple[Fix, list[Finding]]]:
    """Findings, worst first, each under its fix; an accepted one has none but what its rule names."""
    fix_of = {id: fix for fix in world.assessment.fixes for id in fix.findings}
    groups: dict[tuple[str, str], tuple[Fix, list[Finding]]] = {}
    for finding in findings:
        fix = fix_of.get(finding.id) or Fix(finding.fix_at or finding.subject, finding.fix, finding.severity)
        groups.setdefault((fix.at, fix.what), (fix, []))[1].append(finding)
    return sorted(groups.values(), key=_urgency)


def _group(world: World, fix: Fix, found: list[Finding]) -> FixGroup:
    return FixGroup(
        ref(world, fix.at),
        owner(world, fix.at),
        found[0].severity,
        len(found),
        tuple(risk(world, finding) for finding in found[:MOST_RISKS]),
        fix.what,
        fix.change,
        len(fix.closes),
    )


def _urgency(group: tuple[Fix, list[Finding]]) -> tuple[int, int, float]:
    _, found = group
    return -SEVERITIES.index(found[0].severity), -len(found), -found[0].score
