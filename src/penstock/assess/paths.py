"""Ways from an entry to something worth taking, told from the findings, and where to cut them best.

A finding whose rule names an ``entry`` has its own way (the matched chain, in the order an attacker walks). Here it is
led back to the doors it starts from. The best cut is where the finding says to change something; the other hops
follow by how many ways run through them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from penstock.assess.assessment import AttackPath
from penstock.assess.facts import Facts
from penstock.assess.rules import Rule, load_rules
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import SEVERITIES, VERBS, Finding, Relation, Step

#: From this severity on a finding is shown as a path.
_SHOWN_FROM = SEVERITIES.index("high")
#: Doors shown for one finding, and hops from a door to where the finding's own way starts.
_DOORS, _APPROACH = 3, 6

#: Verbs by which a caller reaches the called.
_CALLS = frozenset(
    "invokes uses_tool uses_model delegates_to serves exposes_tool connects_to retrieves_from reads".split()
)


def attack_paths(
    facts: Facts, findings: Sequence[Finding], ways: Mapping[str, Sequence[tuple[Step, ...]]]
) -> tuple[AttackPath, ...]:
    """The paths that the findings tell, worst first; one for each way, with all findings that tell it.

    Args:
        ways: finding id → the different ways in which its rule applies, the worst first.
    """
    rules = {rule.id: rule for rule in load_rules()}
    told: dict[tuple[str, tuple[str, ...]], list[tuple[Finding, tuple[Step, ...]]]] = {}
    for finding in findings:
        rule = rules.get(finding.rule)
        if rule is None or not rule.row.entry or SEVERITIES.index(finding.severity) < _SHOWN_FROM:
            continue
        for own in ways.get(finding.id, (finding.path,)):
            for entry, way in _ways(rule, own, facts):
                told.setdefault((entry, tuple(step.asset for step in way)), []).append((finding, way))
    crossed = Counter(asset for _, way in told for asset in way)
    paths = [_path(entry, way, tellers, crossed) for (entry, way), tellers in told.items()]
    return tuple(sorted(paths, key=lambda p: (-SEVERITIES.index(p.severity), len(p.hops), [h.asset for h in p.hops])))


def _path(
    entry: str, way: tuple[str, ...], tellers: list[tuple[Finding, tuple[Step, ...]]], crossed: Counter[str]
) -> AttackPath:
    ordered = sorted((finding for finding, _ in tellers), key=lambda finding: (-finding.score, finding.id))
    best = [finding.fix_at for finding in ordered if finding.fix_at in way]
    others = sorted(way, key=lambda asset: (-crossed[asset], way.index(asset)))
    return AttackPath(
        entry=entry,
        hops=tellers[0][1],
        target=way[-1],
        severity=ordered[0].severity,
        cut=tuple(dict.fromkeys([*best, *others])),
        findings=tuple(finding.id for finding in ordered),
    )


def _ways(rule: Rule, own: tuple[Step, ...], facts: Facts) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """(entry, way) for the nearest doors of a finding's own way."""
    if not own:
        return
    graph, first = facts.graph, own[0]
    for entry in ("internet", "untrusted_content") if rule.row.entry == "any" else (rule.row.entry,):
        doors = list(_doors(graph, first.asset, entry))
        if not doors and rule.row.entry != "any":
            doors = [(Step(first.asset),)]
        for door in doors[:_DOORS]:
            way = door + own[1:]
            if len({step.asset for step in way}) == len(way):
                yield entry, way


def _doors(graph: Graph, start: str, entry: str) -> Iterator[tuple[Step, ...]]:
    """Ways from the nearest doors of the sort to ``start``, which may be a door itself."""
    level: list[tuple[Step, ...]] = [(Step(start),)]
    seen = {start}
    for _ in range(_APPROACH):
        found = [way for way in level if _is_door(graph, way[0].asset, entry)]
        if found:
            yield from found
            return
        following = []
        for way in level:
            for relation, forward in _approaches(graph, way[0].asset, entry):
                before = relation.source if forward else relation.target
                if before not in seen:
                    seen.add(before)
                    following.append((Step(before), Step(way[0].asset, relation.verb, forward), *way[1:]))
        level = following


def _is_door(graph: Graph, id: str, entry: str) -> bool:
    asset = graph.assets[id]
    if entry == "internet":
        return bool(asset.prop("exposure") == "internet" or asset.prop("public_read"))
    if entry == "untrusted_content":
        return bool(asset.prop("trust") == "untrusted")
    return asset.kind in ("content_source", "registry", "package", "provider") or asset.prop("trust") == "untrusted"


def _approaches(graph: Graph, id: str, entry: str) -> list[tuple[Relation, bool]]:
    """Relations over which an attacker comes to the asset: from its callers, or from where its content comes from."""
    if entry == "internet":
        return [(relation, True) for relation in sorted(graph.into(id, *_CALLS), key=lambda r: r.key)]
    back = [
        (r, False) for r in graph.out(id) if VERBS[r.verb].to == "source" and r.verb not in ("invokes", "uses_tool")
    ]
    return sorted([*back, *((r, True) for r in graph.into(id) if VERBS[r.verb].to == "target")], key=lambda p: p[0].key)
