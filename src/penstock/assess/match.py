"""Where a rule's chains lie in the graph, with three values: surely, not at all, or hanging on what is not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from penstock.assess.chains import Chain, Segment, Spot
from penstock.assess.facts import Facts
from penstock.assess.rules import Rule
from penstock.conditions import Condition, Unknown
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import SENSITIVE, Step, Unseen

#: Assets visited by one segment from one asset, and matches kept per first asset: a hub is paged, not exhausted.
MAX_VISITED, MAX_MATCHES = 5_000, 200


@dataclass(frozen=True, slots=True)
class Missing:
    """What is not known: a property of an asset, or whether it has a relation (as its source, or as its target).

    ``absence``: it is an ``absent`` chain that hangs on it.
    """

    asset: str
    prop: str = ""
    verb: str = ""
    forward: bool = True
    absence: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """A rule's chains laid over the graph; ``path`` shows the first. With ``missing`` it only may be one."""

    bound: Mapping[str, str]
    path: tuple[Step, ...]
    missing: tuple[Missing, ...] = ()
    #: Whether some condition surely holds, so that what is missing is worth asking for.
    evident: bool = True


class Matcher:
    """Finds matches of rules in one graph; it keeps the index of kinds and the walks made so far."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.graph: Graph = facts.graph
        self._walks: dict[tuple[str, Segment], dict[str, tuple[Step, ...]]] = {}
        self._cut: dict[tuple[str, str], Unseen] = {}
        self._sensitive = sorted(SENSITIVE)

    def matches(self, rule: Rule) -> Iterator[Match]:
        """Every match of the rule, surely or perhaps."""
        for start in self._candidates(rule.chains[0].spots[0], {}):
            count = 0
            for bound, path in self._chains(rule, 0, {}, start):
                match = self._judged(rule, bound, path)
                if match and count < MAX_MATCHES:
                    count += 1
                    yield match
                elif match:
                    self._note(start, f"what rule {rule.id} finds from it", f"more than {MAX_MATCHES} ways")
                    break

    @property
    def unseen(self) -> tuple[Unseen, ...]:
        """Where judging stopped at a bound, so that what lies further on may be missing."""
        return tuple(self._cut[key] for key in sorted(self._cut))

    def _note(self, id: str, what: str, why: str) -> None:
        asset = self.graph.assets[id]
        hint = "Split what it stands for, or look at it by itself: penstock show"
        self._cut.setdefault((id, what), Unseen(asset.name, what, why, hint, "assess", asset.scope))

    # ── chains ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _by_kind(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = {}
        for asset in self.graph.assets.values():
            if asset.lifecycle != "retired":
                index.setdefault(asset.kind, []).append(asset.id)
        return index

    def _candidates(self, spot: Spot, bound: Mapping[str, str]) -> list[str]:
        if spot.variable in bound:
            return [bound[spot.variable]]
        return [id for kind in sorted(spot.kinds) for id in self._by_kind.get(kind, ())]

    def _chains(
        self, rule: Rule, index: int, bound: dict[str, str], start: str | None = None
    ) -> Iterator[tuple[dict[str, str], tuple[Step, ...]]]:
        if index == len(rule.chains):
            yield bound, ()
            return
        chain = rule.chains[index]
        if chain.spots[0].variable not in bound and chain.spots[-1].variable in bound:
            chain = chain.reversed()
        for first in [start] if start else self._candidates(chain.spots[0], bound):
            for along, path in self._along(rule, chain, 0, first, bound):
                for whole, _ in self._chains(rule, index + 1, along):
                    yield whole, path

    def _along(
        self, rule: Rule, chain: Chain, place: int, id: str, bound: dict[str, str], near: bool = False
    ) -> Iterator[tuple[dict[str, str], tuple[Step, ...]]]:
        """Ways to lay the chain from ``spots[place]`` on, when that spot is the asset ``id``."""
        spot = chain.spots[place]
        if self.graph.assets[id].kind not in spot.kinds or self._fits(spot, id) is False:
            return
        if bound.get(spot.variable, id) != id:
            return
        new = spot.variable not in bound
        if new and not near and id in bound.values():
            return
        bound = {**bound, spot.variable: id}
        if new and not self._may_hold(rule, bound, spot.variable):
            return
        here = (Step(id),) if place == 0 else ()
        if place == len(chain.segments):
            yield bound, here
            return
        segment = chain.segments[place]
        for end, steps in self._walk(id, segment).items():
            for along, rest in self._along(rule, chain, place + 1, end, bound, near=not steps):
                yield along, here + steps + rest

    def _walk(self, start: str, segment: Segment) -> dict[str, tuple[Step, ...]]:
        """Assets that the segment leads to, each with the shortest way there."""
        if (start, segment) in self._walks:
            return self._walks[start, segment]
        found: dict[str, tuple[Step, ...]] = {start: ()} if segment.least == 0 else {}
        seen: dict[str, tuple[Step, ...]] = {start: ()}
        level = [start]
        for depth in range(1, segment.most + 1):
            following: list[str] = []
            for id in level:
                for end, verb in self._next(id, segment):
                    if end in seen or end not in self.graph.assets:
                        continue
                    if len(seen) > MAX_VISITED:
                        self._note(start, f"what {_words(segment)} it", f"more than {MAX_VISITED} assets")
                        break
                    seen[end] = (*seen[id], Step(end, verb, segment.forward))
                    following.append(end)
                    if depth >= segment.least:
                        found[end] = seen[end]
            level = following
        self._walks[start, segment] = found
        return found

    def _next(self, id: str, segment: Segment) -> list[tuple[str, str]]:
        if segment.forward:
            return sorted((r.target, r.verb) for r in self.graph.out(id, *segment.verbs))
        return sorted((r.source, r.verb) for r in self.graph.into(id, *segment.verbs))

    def _fits(self, spot: Spot, id: str) -> bool | Missing:
        """Whether the properties in the spot's brackets are those of the asset."""
        known = self.facts.of(id)
        missing: Missing | None = None
        for name, wanted in spot.props:
            value = known.get(name)
            if name == "contains":
                if not set(wanted) <= set(value or ()):
                    return False
            elif value is None:
                missing = missing or Missing(id, name)
            elif not _equal(value, wanted):
                return False
        return missing or True

    # ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _values(self, bound: Mapping[str, str], length: int = 0) -> dict[str, Any]:
        return {
            **{variable: self.facts.of(id) for variable, id in bound.items()},
            "org": self.facts.org,
            "path": {"length": length},
            "sensitive": self._sensitive,
        }

    def holds(self, condition: Condition, bound: Mapping[str, str], length: int = 0) -> bool | Unknown:
        return condition.evaluate(self._values(bound, length))

    def _may_hold(self, rule: Rule, bound: Mapping[str, str], newest: str) -> bool:
        """Whether no part of ``when`` that the newest variable completes is false already."""
        for part in rule.when:
            variables = part.uses - {"org", "sensitive"}
            if newest in variables and variables <= bound.keys() and self.holds(part, bound) is False:
                return False
        return True

    def _judged(self, rule: Rule, bound: dict[str, str], path: tuple[Step, ...]) -> Match | None:
        length = max(0, len(path) - 1)
        missing: list[Missing] = []
        evident = not rule.when
        for chain in rule.chains:
            for spot in chain.spots:
                if isinstance(fits := self._fits(spot, bound[spot.variable]), Missing):
                    missing.append(fits)
        for part in rule.when:
            answer = self.holds(part, bound, length)
            if answer is False:
                return None
            if isinstance(answer, Unknown):
                missing += self._named(answer, bound)
            else:
                evident = True
        if rule.unless:
            answer = self.holds(rule.unless, bound, length)
            if answer is True:
                return None
            if isinstance(answer, Unknown):
                missing += self._named(answer, bound)
        for chain in rule.absent:
            exists = self._exists(chain, bound)
            if exists is True:
                return None
            if isinstance(exists, Missing):
                missing.append(replace(exists, absence=True))
        return Match(bound, path, tuple(dict.fromkeys(missing)), evident)

    @staticmethod
    def _named(answer: Unknown, bound: Mapping[str, str]) -> list[Missing]:
        pairs = [name.split(".")[:2] for name in answer.missing]
        return [Missing(bound[pair[0]], pair[1]) for pair in pairs if pair[0] in bound and len(pair) > 1]

    # ── absence ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _exists(self, chain: Chain, bound: Mapping[str, str]) -> bool | Missing:
        """Whether the chain lies in the graph; False only where everything along it was seen."""
        if chain.spots[0].variable not in bound:
            if chain.spots[-1].variable not in bound:
                raise AssertionError(f"the chain {chain.text!r} shares no end with the rule")
            chain = chain.reversed()
        doubt: Missing | None = None
        level = {bound[chain.spots[0].variable]}
        for segment, spot in zip(chain.segments, chain.spots[1:], strict=True):
            following: set[str] = set()
            for id in sorted(level):
                doubt = doubt or self._unsure(id, segment)
                for end in self._walk(id, segment):
                    if self.graph.assets[end].kind not in spot.kinds or bound.get(spot.variable, end) != end:
                        continue
                    fits = self._fits(spot, end)
                    if isinstance(fits, Missing):
                        doubt = doubt or fits
                    elif fits:
                        following.add(end)
            level = following
        return True if level else doubt or False

    def _unsure(self, start: str, segment: Segment) -> Missing | None:
        """The first relation along the segment that might exist unseen."""
        inner = Segment(segment.verbs, 0, segment.most - 1, segment.forward)
        for id in [start, *sorted(self._walk(start, inner))] if segment.most > 1 else [start]:
            if segment.forward and "guarded_by" in segment.verbs and (gateway := self._perhaps_gateway(id)):
                return Missing(gateway, "output_filter")
            for verb in sorted(segment.verbs):
                sure = self.graph.knows_all(id, verb) if segment.forward else self._everywhere(verb)
                if not sure:
                    return Missing(id, verb=verb, forward=segment.forward)
        return None

    def _perhaps_gateway(self, id: str) -> str:
        """An endpoint the asset calls that nobody has seen to serve a model: it may be a gateway that checks."""
        for relation in self.graph.out(id, "invokes"):
            target = self.graph.assets[relation.target]
            open_end = target.kind == "endpoint" and target.prop("output_filter") is None
            if (
                open_end
                and not any(self.graph.out(target.id, "serves"))
                and not self.graph.knows_all(target.id, "serves")
            ):
                return target.id
        return ""

    def _everywhere(self, verb: str) -> bool:
        return bool(self._scopes) and all((scope, verb) in self.graph.complete for scope in self._scopes)

    @cached_property
    def _scopes(self) -> frozenset[str]:
        return frozenset(e.scope for evidence in self.graph.evidence.values() for e in evidence if e.scope)


def _words(segment: Segment) -> str:
    """The segment's verbs for a reader: ``reads or uses tool, seen from`` the end it starts at."""
    verbs = " or ".join(sorted(segment.verbs)).replace("_", " ")
    return f"lies over {verbs} {'after' if segment.forward else 'before'}"


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list | tuple):
        return set(wanted) <= set(value if isinstance(value, list | tuple | set | frozenset) else [value])
    return bool(value == wanted)
