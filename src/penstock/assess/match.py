"""Where a rule's chains lie in the graph, with three values: surely, not at all, or hanging on what is not known.

First whole arrays narrow down what each place of a rule may be: the kind, the properties, what a condition says of one
asset alone, and whether the rest of the chain can be reached from there. Only what remains is looked at one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.assess.arrays import VERB_NAMES, Flags, Ints, kind_flags, verb_flags
from penstock.assess.asked import FALSE, OPEN, TRUE, Asked
from penstock.assess.asking import PLACE_FIELDS, answerable
from penstock.assess.chains import Chain, Segment, Spot
from penstock.assess.facts import Facts
from penstock.assess.rules import Rule
from penstock.conditions import Condition, Unknown
from penstock.graph.vocabulary import Step, Unseen

#: Assets visited by one segment from one asset, matches kept of one subject (sure ones, and others), and ways tried
#: from one first asset: a hub is paged, not exhausted.
MAX_VISITED, MAX_MATCHES, MAX_TRIED = 5_000, 200, 20_000
#: Walks kept; then they start anew.
_WALKS = 100_000

#: Variable → place of the asset that stands for it.
Bound = dict[str, int]
#: The hops of a walk: (place, code of the verb).
Hops = tuple[tuple[int, int], ...]


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
    """A rule's chains laid over the graph; ``path`` shows the first. With ``missing`` it only may be one.

    Where no condition surely holds, nothing is made of it: there would be as much reason to ask as everywhere else.
    """

    bound: Mapping[str, str]
    path: tuple[Step, ...]
    missing: tuple[Missing, ...] = ()


class Matcher:
    """Finds matches of rules in one graph; it keeps the answers of conditions and the walks made so far."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.graph = facts.graph
        self.arrays = facts.arrays
        self._walks: dict[tuple[int, Segment], dict[int, Hops]] = {}
        self._cut: dict[tuple[str, str], Unseen] = {}
        self._asked: dict[int, Asked] = {}
        self._verbs: dict[frozenset[str], Flags] = {}
        self._known: dict[str, Flags] = {}
        self._known_everywhere: dict[tuple[str, bool], bool] = {}
        self._full: set[int] = set()
        self._only: frozenset[int] | None = None
        self._unsaid: dict[str, npt.NDArray[np.int8]] = {}
        self._absences: dict[tuple[str, tuple[int | None, ...]], bool | Missing] = {}

    def matches(
        self, rule: Rule, starts: Iterable[int] | None = None, only: frozenset[int] | None = None
    ) -> Iterator[Match]:
        """Every match of the rule, surely or perhaps.

        Args:
            starts: places of the first asset, ascending, for a few out of many.
            only: places of the subject.
        """
        wanted = {TRUE} if rule.asks else {TRUE, OPEN}
        if any((answer := self.asked(part).of_all()) is not None and answer not in wanted for part in rule.when):
            return
        if starts is None:
            narrowed = self._narrowed(rule)
            may: Mapping[str, May] = narrowed
            starts = np.flatnonzero(narrowed[rule.chains[0].spots[0].variable]).tolist()
        else:
            may = {variable: _Tested(self, rule, variable) for variable in rule.kinds}
        kept: Counter[tuple[int, bool]] = Counter()
        self._full, self._only = set(), only
        for start in starts:
            for tried, (bound, path) in enumerate(self._chains(rule, may, 0, {}, start)):
                subject = bound[rule.subject]
                if subject in self._full:
                    continue
                if tried >= MAX_TRIED:
                    self._note(start, f"what rule {rule.id} finds from it", f"more than {MAX_TRIED} ways")
                    break
                match = self._judged(rule, bound, path)
                if match and kept[subject, bool(match.missing)] < MAX_MATCHES:
                    kept[subject, bool(match.missing)] += 1
                    yield match
                elif match:
                    self._full.add(subject)
                    self._note(subject, f"what rule {rule.id} finds of it", f"more than {MAX_MATCHES} ways")

    def holds(self, condition: Condition, bound: Mapping[str, str], length: int = 0) -> bool | Unknown:
        """What a condition says of assets by their ids."""
        place = self.arrays.place
        return self.asked(condition).of({variable: place[id] for variable, id in bound.items()}, length)

    def asked(self, condition: Condition) -> Asked:
        if id(condition) not in self._asked:
            self._asked[id(condition)] = Asked(condition, self.facts)
        return self._asked[id(condition)]

    @property
    def unseen(self) -> tuple[Unseen, ...]:
        """Where judging stopped at a bound, so that what lies further on may be missing."""
        return tuple(self._cut[key] for key in sorted(self._cut))

    def take_over(self, other: Matcher, but: Container[str]) -> None:
        """Keep what another matcher said of where it stopped, but of some assets."""
        self._cut |= {
            key: note for key, note in other._cut.items() if key[0] in self.arrays.place and key[0] not in but
        }

    def _note(self, place: int, what: str, why: str) -> None:
        asset = self.graph.assets[self.arrays.ids[place]]
        hint = "Split what it stands for, or look at it by itself: penstock show"
        self._cut.setdefault((asset.id, what), Unseen(asset.name, what, why, hint, "assess", asset.scope))

    # ── what may be where ────────────────────────────────────────────────────────────────────────────────────────────

    def _narrowed(self, rule: Rule) -> dict[str, Flags]:
        """Variable → the assets it may stand for, as far as one look at each and the chains behind it can say."""
        may: dict[str, Flags] = {}
        for chain in rule.chains:
            for spot in chain.spots:
                fits = kind_flags(spot.kinds)[self.arrays.kind]
                for name, wanted in spot.props:
                    fits &= self._may_fit(name, wanted)
                may[spot.variable] = may[spot.variable] & fits if spot.variable in may else fits
        first = rule.chains[0].spots[0].variable
        may[first] = may[first] & ~self.facts.column("lifecycle").where("retired")
        self._judged_alone(rule, may)
        self._judged_in_pairs(rule, may)
        for chain in rule.chains[::-1]:
            self._connected(chain.reversed(), may)
            if chain is not rule.chains[0]:
                self._connected(chain, may)
        return may

    def _judged_alone(self, rule: Rule, may: dict[str, Flags]) -> None:
        """Leave out what a condition about one asset rules out, also where it hangs on what nobody can say."""
        evident: Flags | None = None
        for part in rule.when:
            asked = self.asked(part)
            if len(asked.variables) != 1 or "path" in part.uses:
                evident = np.ones(0, np.bool_)
                continue
            (variable,) = asked.variables
            places = np.flatnonzero(may[variable]).astype(np.int32)
            said = asked.over(places)
            out = said == FALSE
            if rule.asks:
                out |= said == OPEN
            is_open = np.flatnonzero(said == OPEN)
            for field in asked.condition.reads[variable]:
                out[is_open] |= self.nobody_says(field, places[is_open])
            may[variable][places[out]] = False
            true = np.zeros(len(self.arrays), np.bool_)
            true[places[said == TRUE]] = True
            evident = true if evident is None else evident | true if len(evident) else evident
        if (
            evident is not None
            and len(evident)
            and len({v for part in rule.when for v in self.asked(part).variables}) == 1
        ):
            (variable,) = self.asked(rule.when[0]).variables
            may[variable] &= evident  # what hangs on the unknown alone is no match and no question

    def nobody_says(self, field: str, places: Ints) -> Flags:
        """Where a field is not known and nobody can be asked for it."""
        if field not in PLACE_FIELDS:
            return np.zeros(len(places), np.bool_)
        if field not in self._unsaid:
            self._unsaid[field] = np.where(self.facts.column(field).given, 0, -1).astype(np.int8)
        known, ids = self._unsaid[field], self.arrays.ids
        for place in places[known[places] < 0].tolist():
            known[place] = answerable(self.facts, ids[place], field) is None
        return np.asarray(known[places] == 1)

    def _judged_in_pairs(self, rule: Rule, may: dict[str, Flags]) -> None:
        wanted = frozenset({TRUE}) if rule.asks else frozenset({TRUE, OPEN})
        for part in rule.when:
            asked = self.asked(part)
            if len(asked.variables) != 2 or "path" in part.uses:
                continue
            one, two = asked.variables
            left, right = (np.flatnonzero(may[variable]).astype(np.int32) for variable in (one, two))
            found = asked.pairs(left, right, wanted) if len(left) and len(right) else None
            if found:
                may[one][left[~found[0]]] = False
                may[two][right[~found[1]]] = False

    def _may_fit(self, name: str, wanted: Any) -> Flags:
        column = self.facts.column(name)
        table = [_equal(value, wanted) for value in column.known.values]
        found: Flags = np.array([*table, name != "contains"], np.bool_)[column.codes]
        return found

    def _connected(self, chain: Chain, may: dict[str, Flags]) -> None:
        """Keep at each spot what the spots before it lead to."""
        for (one, two), segment in zip(zip(chain.spots, chain.spots[1:], strict=False), chain.segments, strict=True):
            places: Ints = np.flatnonzero(may[one.variable]).astype(np.int32)
            may[two.variable] = may[two.variable] & self.arrays.reached(
                places, self._flags(segment.verbs), forward=segment.forward, least=segment.least, most=segment.most
            )

    def _flags(self, verbs: frozenset[str]) -> Flags:
        if verbs not in self._verbs:
            self._verbs[verbs] = verb_flags(verbs)
        return self._verbs[verbs]

    # ── chains ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _chains(
        self, rule: Rule, may: Mapping[str, May], index: int, bound: Bound, start: int | None = None
    ) -> Iterator[tuple[Bound, tuple[Step, ...]]]:
        if index == len(rule.chains):
            yield bound, ()
            return
        chain = rule.chains[index]
        if chain.spots[0].variable not in bound and chain.spots[-1].variable in bound:
            chain = chain.reversed()
        variable = chain.spots[0].variable
        for first in [start] if start is not None else self._starts(may, variable, bound):
            for along, path in self._along(rule, may, chain, 0, first, bound):
                for whole, _ in self._chains(rule, may, index + 1, along):
                    yield whole, path

    def _starts(self, may: Mapping[str, May], variable: str, bound: Bound) -> Iterable[int]:
        if variable in bound:
            return [bound[variable]]
        flags = may[variable]
        if isinstance(flags, np.ndarray):
            found: list[int] = np.flatnonzero(flags).tolist()
            return found
        return (place for place in range(len(self.arrays)) if flags[place])

    def _along(
        self, rule: Rule, may: Mapping[str, May], chain: Chain, at: int, place: int, bound: Bound, near: bool = False
    ) -> Iterator[tuple[Bound, tuple[Step, ...]]]:
        """Ways to lay the chain from ``spots[at]`` on, when that spot is the asset at ``place``."""
        variable = chain.spots[at].variable
        if bound.get(variable, place) != place or not may[variable][place]:
            return
        if variable == rule.subject and (place in self._full or (self._only is not None and place not in self._only)):
            return
        if variable not in bound:
            if not near and place in bound.values():
                return
            bound = {**bound, variable: place}
            if not self._may_hold(rule, bound, variable):
                return
        here = (Step(self.arrays.ids[place]),) if at == 0 else ()
        if at == len(chain.segments):
            yield bound, here
            return
        segment = chain.segments[at]
        for end, hops in self._walk(place, segment, may[chain.spots[at + 1].variable]).items():
            for along, rest in self._along(rule, may, chain, at + 1, end, bound, near=not hops):
                yield along, here + self._steps(hops, segment.forward) + rest

    def _steps(self, hops: Hops, forward: bool) -> tuple[Step, ...]:
        return tuple(Step(self.arrays.ids[place], VERB_NAMES[verb], forward) for place, verb in hops)

    def _walk(self, start: int, segment: Segment, may: May | None = None) -> dict[int, Hops]:
        """Assets that the segment leads to, each with the shortest way there; of a single step, only what may be."""
        if segment.most == 1 and may is not None:
            return self._one_step(start, segment, may)
        if (start, segment) in self._walks:
            return self._walks[start, segment]
        verbs = self._flags(segment.verbs)
        found: dict[int, Hops] = {start: ()} if segment.least == 0 else {}
        seen: dict[int, Hops] = {start: ()}
        level = [start]
        for depth in range(1, segment.most + 1):
            following: list[int] = []
            for place in level:
                for end, verb in self.arrays.neighbours(place, verbs, forward=segment.forward):
                    if end in seen:
                        continue
                    if len(seen) > MAX_VISITED:
                        self._note(start, f"what {_words(segment)} it", f"more than {MAX_VISITED} assets")
                        break
                    seen[end] = (*seen[place], (end, verb))
                    following.append(end)
                    if depth >= segment.least:
                        found[end] = seen[end]
            level = following
        if len(self._walks) >= _WALKS:
            self._walks.clear()
        self._walks[start, segment] = found
        return found

    def _one_step(self, start: int, segment: Segment, may: May) -> dict[int, Hops]:
        """The ends of single relations: a hub with many of them is looked through at once."""
        arrays = self.arrays
        edges = arrays.edges(start, self._flags(segment.verbs), forward=segment.forward)
        ends = (arrays.target if segment.forward else arrays.source)[edges]
        kept = may[ends] if isinstance(may, np.ndarray) else may.these(ends)
        found: dict[int, Hops] = {start: ()} if segment.least == 0 else {}
        for end, verb in zip(ends[kept].tolist(), arrays.verb[edges[kept]].tolist(), strict=True):
            if len(found) >= MAX_VISITED:
                self._note(start, f"what {_words(segment)} it", f"more than {MAX_VISITED} assets")
                break
            if end != start:
                found.setdefault(end, ((end, verb),))
        return found

    def fits(self, spot: Spot, place: int) -> bool | Missing:
        """Whether the properties in the spot's brackets are those of the asset."""
        missing: Missing | None = None
        for name, wanted in spot.props:
            value = self.facts.column(name)[place]
            if name == "contains":
                if not set(wanted) <= set(value or ()):
                    return False
            elif value is None:
                missing = missing or Missing(self.arrays.ids[place], name)
            elif not _equal(value, wanted):
                return False
        return missing or True

    # ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _may_hold(self, rule: Rule, bound: Bound, newest: str) -> bool:
        """Whether no part of ``when`` that the newest variable completes is false already."""
        for part in rule.when:
            asked = self.asked(part)
            if len(asked.variables) < 2 or newest not in asked.variables or "path" in part.uses:
                continue
            if all(variable in bound for variable in asked.variables):
                answer = asked.of(bound)
                if answer is False or (rule.asks and answer is not True):
                    return False
        return True

    def _judged(self, rule: Rule, bound: Bound, path: tuple[Step, ...]) -> Match | None:
        length = max(0, len(path) - 1)
        missing: list[Missing] = []
        evident = not rule.when
        for chain in rule.chains:
            for spot in chain.spots:
                if spot.props and isinstance(fits := self.fits(spot, bound[spot.variable]), Missing):
                    missing.append(fits)
        for part in rule.when:
            answer = self.asked(part).of(bound, length)
            if answer is False:
                return None
            if isinstance(answer, Unknown):
                if rule.asks:
                    return None
                missing += self._named(answer, bound)
            else:
                evident = True
        if not evident:
            return None
        if rule.unless:
            answer = self.asked(rule.unless).of(bound, length)
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
        named = {variable: self.arrays.ids[place] for variable, place in bound.items()}
        return Match(named, path, tuple(dict.fromkeys(missing)))

    def _named(self, answer: Unknown, bound: Bound) -> list[Missing]:
        pairs = [name.split(".")[:2] for name in answer.missing]
        ids = self.arrays.ids
        return [Missing(ids[bound[pair[0]]], pair[1]) for pair in pairs if pair[0] in bound and len(pair) > 1]

    # ── absence ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _exists(self, chain: Chain, bound: Bound) -> bool | Missing:
        """Whether the chain lies in the graph; False only where everything along it was seen."""
        key = chain.text, tuple(bound.get(variable) for variable in chain.variables)
        if key not in self._absences:
            if len(self._absences) >= _WALKS:
                self._absences.clear()
            if chain.spots[0].variable not in bound:
                if chain.spots[-1].variable not in bound:
                    raise AssertionError(f"the chain {chain.text!r} shares no end with the rule")
                chain = chain.reversed()
            self._absences[key] = self._lies(chain, bound)
        return self._absences[key]

    def _lies(self, chain: Chain, bound: Bound) -> bool | Missing:
        levels = [{bound[chain.spots[0].variable]}]
        unfit: Missing | None = None
        for segment, spot in zip(chain.segments, chain.spots[1:], strict=True):
            kinds = kind_flags(spot.kinds)
            following: set[int] = set()
            for end in sorted({end for place in levels[-1] for end in self._walk(place, segment)}):
                if not kinds[self.arrays.kind[end]] or bound.get(spot.variable, end) != end:
                    continue
                fits = self.fits(spot, end) if spot.props else True
                if isinstance(fits, Missing):
                    unfit = unfit or fits
                elif fits:
                    following.add(end)
            levels.append(following)
        if levels[-1]:
            return True
        for segment, level in zip(chain.segments, levels, strict=False):
            if doubt := next((doubt for place in sorted(level) if (doubt := self._unsure(place, segment))), None):
                return doubt
        return unfit or False

    def _unsure(self, start: int, segment: Segment) -> Missing | None:
        """The first relation along the segment that might exist unseen."""
        guards = segment.forward and "guarded_by" in segment.verbs
        open_verbs = [verb for verb in sorted(segment.verbs) if not self._sure_of(verb, segment.forward)]
        if not guards and not open_verbs:
            return None
        inner = Segment(segment.verbs, 0, segment.most - 1, segment.forward)
        for place in [start, *sorted(self._walk(start, inner))] if segment.most > 1 else [start]:
            id = self.arrays.ids[place]
            if guards and (gateway := self._perhaps_gateway(id)):
                return Missing(gateway, "output_filter")
            for verb in open_verbs:
                if not segment.forward or not self.knows_all(verb)[place]:
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
                and not self.knows_all("serves")[self.arrays.place[target.id]]
            ):
                return target.id
        return ""

    def knows_all(self, verb: str) -> Flags:
        """Of which places every relation of a verb is known."""
        if verb not in self._known:
            self._known[verb] = self.facts.knows_all(verb)
        return self._known[verb]

    def _sure_of(self, verb: str, forward: bool) -> bool:
        """Whether of no asset a relation of the verb may exist unseen, as its source or as its target."""
        key = verb, forward
        if key not in self._known_everywhere:
            complete = self.graph.complete
            everywhere = bool(self._scopes) and all((scope, verb) in complete for scope in self._scopes)
            self._known_everywhere[key] = bool(self.knows_all(verb).all()) if forward else everywhere
        return self._known_everywhere[key]

    @cached_property
    def _scopes(self) -> frozenset[str]:
        return frozenset(e.scope for evidence in self.graph.evidence.values() for e in evidence if e.scope)


class _Tested:
    """Which places a variable may stand for, tested when asked: for a few assets out of many."""

    def __init__(self, matcher: Matcher, rule: Rule, variable: str) -> None:
        self._matcher = matcher
        self._spots = [spot for chain in rule.chains for spot in chain.spots if spot.variable == variable]
        self._kinds = kind_flags(frozenset.intersection(*(spot.kinds for spot in self._spots)))
        self._variable, self._asks = variable, rule.asks
        self._first = variable == rule.chains[0].spots[0].variable
        asked = [matcher.asked(part) for part in rule.when if "path" not in part.uses]
        self._asked = [one for one in asked if one.variables == [variable]]

    def these(self, places: Ints) -> Flags:
        """Of many places at once: most are not even of the kind."""
        found = self._kinds[self._matcher.arrays.kind[places]]
        found[found] = [self[place] for place in places[found].tolist()]
        return found

    def __getitem__(self, place: int) -> bool:
        matcher = self._matcher
        return (
            bool(self._kinds[matcher.arrays.kind[place]])
            and not (self._first and matcher.facts.column("lifecycle")[place] == "retired")
            and all(matcher.fits(spot, place) is not False for spot in self._spots if spot.props)
            and not any(self._rules_out(asked, place) for asked in self._asked)
        )

    def _rules_out(self, asked: Asked, place: int) -> bool:
        answer = asked.of({self._variable: place})
        if answer is True or answer is False:
            return not answer
        here = np.array([place], np.int32)
        fields = asked.condition.reads[self._variable]
        return self._asks or any(self._matcher.nobody_says(field, here)[0] for field in fields)


#: Which places a variable may stand for.
May = Flags | _Tested


def _words(segment: Segment) -> str:
    """The segment's verbs for a reader: ``reads or uses tool, seen from`` the end it starts at."""
    verbs = " or ".join(sorted(segment.verbs)).replace("_", " ")
    return f"lies over {verbs} {'after' if segment.forward else 'before'}"


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list | tuple):
        return set(wanted) <= set(value if isinstance(value, list | tuple | set | frozenset) else [value])
    return bool(value == wanted)
