"""Risks by what to change: one change often closes several."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from penstock.graph.vocabulary import SEVERITIES, Finding
from penstock.serve.api.endpoint import Call, endpoint
from penstock.serve.api.findings import FindingQuery, chosen, counted
from penstock.serve.api.shapes import Owner, Ref, Risk
from penstock.serve.api.shaping import owner, ref, risk

#: Risks sent with a change; a person who closes these has closed the rest too, or sees them next.
MOST_RISKS = 50


class FixGroup(msgspec.Struct, frozen=True):
    """What to change, how many risks that closes, how bad the worst of them is, and the risks, worst first."""

    at: Ref
    owner: Owner
    severity: str
    closes: int
    risks: tuple[Risk, ...]


class FixList(msgspec.Struct, frozen=True):
    """``total`` counts changes, ``risks`` what they close together; ``severities`` as in the list of risks."""

    total: int
    risks: int
    severities: dict[str, int]
    groups: tuple[FixGroup, ...]


@endpoint("GET", "/fixes")
def fixes(call: Call, query: FindingQuery) -> FixList:
    """Risks gathered by the asset to change, the worst first, then the change that closes most."""
    world = call.live.world
    pool, severities = counted(query, chosen(world, query))
    groups = sorted(by_fix(pool).items(), key=lambda item: _urgency(item[1]))
    page = groups[query.offset : query.offset + query.limit]
    return FixList(
        len(groups),
        len(pool),
        severities,
        tuple(
            FixGroup(
                ref(world, at), owner(world, at), found[0].severity, len(found),
                tuple(risk(world, f) for f in found[:MOST_RISKS]),
            )
            for at, found in page
        ),
    )  # fmt: skip


def by_fix(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Findings, worst first, by the asset to change."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.fix_at or finding.subject, []).append(finding)
    return groups


def _urgency(found: list[Finding]) -> tuple[int, int, float]:
    return -SEVERITIES.index(found[0].severity), -len(found), -found[0].score
