"""Ways from an entry to something worth taking, told from the findings, and where to cut them best.

A finding whose rule names an ``entry`` has its own way (the matched chain, in the order an attacker walks). Here it is
led back to the doors it starts from. The best cut is where the finding says to change something; the other hops
follow by how many ways run through them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from penstock.assess.arrays import VERB_NAMES, Flags, Ints, verb_flags
from penstock.assess.assessment import AttackPath
from penstock.assess.facts import Facts
from penstock.assess.rules import Rule, load_rules
from penstock.graph.vocabulary import SEVERITIES, VERBS, Finding, Step

#: From this severity on a finding is shown as a path.
_SHOWN_FROM = SEVERITIES.index("high")
#: Doors shown for one finding, hops from a door to where the finding's own way starts, and assets looked at on the way.
_DOORS, _APPROACH, _SEEN = 3, 6, 5_000

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
    doors = {entry: _Doors(facts, entry) for entry in _APPROACHES}
    for finding in findings:
        rule = rules.get(finding.rule)
        if rule is None or not rule.row.entry or SEVERITIES.index(finding.severity) < _SHOWN_FROM:
            continue
        for own in ways.get(finding.id, (finding.path,)):
            for entry, way in _ways(rule, own, doors):
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


def _ways(rule: Rule, own: tuple[Step, ...], doors: Mapping[str, _Doors]) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """(entry, way) for the nearest doors of a finding's own way."""
    if not own:
        return
    first = own[0]
    for entry in ("internet", "untrusted_content") if rule.row.entry == "any" else (rule.row.entry,):
        found = doors[entry].ways_to(first.asset)
        if not found and rule.row.entry != "any":
            found = [(Step(first.asset),)]
        for door in found:
            way = door + own[1:]
            if len({step.asset for step in way}) == len(way):
                yield entry, way


class _Doors:
    """Where an attacker of one sort comes in, and the way from there."""

    def __init__(self, facts: Facts, entry: str) -> None:
        self._arrays, self._facts = facts.arrays, facts
        self._back, self._on = _APPROACHES[entry]
        self._is_door = _doors_of(facts, entry)
        # what no door leads to needs no search: the same steps, taken from all doors at once
        places: Ints = np.flatnonzero(self._is_door).astype(np.int32)
        self._within = self._is_door.copy()
        for _ in range(_APPROACH):
            ahead = self._arrays.step(places, self._back, forward=True)
            behind = self._arrays.step(places, self._on, forward=False)
            ends = np.concatenate([ahead, behind])
            places = np.unique(ends[~self._within[ends]])
            self._within[places] = True

    def ways_to(self, id: str) -> list[tuple[Step, ...]]:
        """Ways from the nearest doors to an asset, which may be a door itself."""
        start = self._arrays.place[id]
        if not self._within[start]:
            return []
        after: dict[int, tuple[int, int, bool]] = {}  # place → (next place towards the asset, verb, forward)
        seen, level = {start}, [start]
        for _ in range(_APPROACH):
            if found := [place for place in level if self._is_door[place]]:
                return [self._way(place, after) for place in found[:_DOORS]]
            following: list[int] = []
            for place in level:
                for before, verb, forward in self._before(place):
                    if before not in seen and len(seen) < _SEEN:
                        seen.add(before)
                        after[before] = (place, verb, forward)
                        following.append(before)
            level = following
        return []

    def _before(self, place: int) -> list[tuple[int, int, bool]]:
        """Where an attacker who comes to a place was before, in the order of ids; only what a door leads to."""
        back = [(end, v, True) for end, v in self._arrays.neighbours(place, self._back, forward=False)]
        on = [(end, v, False) for end, v in self._arrays.neighbours(place, self._on, forward=True)]
        return sorted(step for step in (*back, *on) if self._within[step[0]])

    def _way(self, door: int, after: dict[int, tuple[int, int, bool]]) -> tuple[Step, ...]:
        ids = self._arrays.ids
        steps, place = [Step(ids[door])], door
        while place in after:
            place, verb, forward = after[place]
            steps.append(Step(ids[place], VERB_NAMES[verb], forward))
        return tuple(steps)


def _doors_of(facts: Facts, entry: str) -> Flags:
    untrusted = facts.column("trust").where("untrusted")
    if entry == "internet":
        return facts.column("exposure").where("internet") | facts.column("public_read").where(True)
    if entry == "untrusted_content":
        return untrusted
    return untrusted | facts.kind_is("content_source", "registry", "package", "provider")


#: Verbs over which an attacker comes from a caller to the called, and from where content comes from to who takes it in.
_PUSHED = verb_flags(verb for verb, word in VERBS.items() if word.to == "target")
_PULLED = verb_flags(
    verb for verb, word in VERBS.items() if word.to == "source" and verb not in ("invokes", "uses_tool")
)
_APPROACHES = dict.fromkeys(("untrusted_content", "supply_chain", "insider"), (_PUSHED, _PULLED))
_APPROACHES["internet"] = (verb_flags(_CALLS), verb_flags(()))
