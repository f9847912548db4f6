"""Where a rule's chains lie in the graph, with three values: surely, not at all, or hanging on what is not known.

First arrays narrow down what each place of a rule may be (``narrowing``) and what joins these (``links``). Only what
remains is looked at one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace

from penstock.assess.arrays import VERB_NAMES, Flags, Ints, kind_flags, verb_flags
from penstock.assess.asked import OPEN, TRUE, Asked
from penstock.assess.chains import Chain, Segment, Spot
from penstock.assess.facts import Facts
from penstock.assess.links import Hops, Links
from penstock.assess.narrowing import May, Narrowing, equal
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
        self._fields_of: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        self.narrowing = Narrowing(facts, self.asked)
        self._absences: dict[tuple[str, tuple[int | None, ...]], bool | Missing] = {}

    def matches(self, rule: Rule, subjects: Ints | None = None) -> Iterator[Match]:
        """Every match of the rule, surely or perhaps; of some subjects only, where they are given (ascending)."""
        wanted = {TRUE} if rule.asks else {TRUE, OPEN}
        if any((answer := self.asked(part).of_all()) is not None and answer not in wanted for part in rule.when):
            return
        narrowing = self.narrowing
        may = narrowing.everywhere(rule) if subjects is None else narrowing.around(rule, subjects)
        if may:
            yield from self._laid(rule, _Ground(rule, self, may))

    def _laid(self, rule: Rule, ground: _Ground) -> Iterator[Match]:
        kept: Counter[tuple[int, bool]] = Counter()
        self._full = set()
        for start in ground.may[rule.chains[0].spots[0].variable].tolist():
            for tried, (bound, path) in enumerate(self._chains(ground, 0, {}, start)):
                subject = bound[ground.subject]
                if subject in self._full:
                    continue
                if tried >= MAX_TRIED:
                    self._note(start, f"what rule {rule.id} finds from it", f"more than {MAX_TRIED} ways")
                    break
                match = self._judged(ground, bound, path)
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

    # ── chains ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _chains(
        self, ground: _Ground, index: int, bound: Bound, start: int | None = None
    ) -> Iterator[tuple[Bound, tuple[Step, ...]]]:
        if index == len(ground.rule.chains):
            yield bound, ()
            return
        chain = ground.oriented(ground.rule.chains[index], bound)
        variable = chain.spots[0].variable
        starts = [start] if start is not None else [bound[variable]] if variable in bound else ground.listed(variable)
        for first in starts:
            for along, path in self._along(ground, chain, 0, first, bound):
                for whole, _ in self._chains(ground, index + 1, along):
                    yield whole, path

    def _along(
        self, ground: _Ground, chain: Chain, at: int, place: int, bound: Bound, near: bool = False
    ) -> Iterator[tuple[Bound, tuple[Step, ...]]]:
        """Ways to lay the chain from ``spots[at]`` on, when that spot is the asset at ``place``."""
        variable = chain.spots[at].variable
        known = bound.get(variable)
        if known is None:
            if variable == ground.subject and place in self._full:
                return
            if not near and place in bound.values():
                return
            bound = {**bound, variable: place}
            if not self._may_hold(ground, bound, variable):
                return
        elif known != place:
            return
        here = (Step(self.arrays.ids[place]),) if at == 0 else ()
        if at == len(chain.segments):
            yield bound, here
            return
        segment = chain.segments[at]
        links = ground.links(chain, at)
        following = links.of(place, lambda: self._stopped(place, segment))
        wanted = bound.get(chain.spots[at + 1].variable)
        if wanted is not None:
            following = {wanted: following[wanted]} if wanted in following else {}
        for end, hops in following.items():
            for along, rest in self._along(ground, chain, at + 1, end, bound, near=not hops):
                yield along, here + self._steps(hops, segment.forward) + rest

    def _stopped(self, place: int, segment: Segment) -> None:
        self._note(place, f"what {_words(segment)} it", f"more than {MAX_VISITED} assets")

    def _steps(self, hops: Hops, forward: bool) -> tuple[Step, ...]:
        return tuple([Step(self.arrays.ids[place], VERB_NAMES[verb], forward) for place, verb in hops])

    def _walk(self, start: int, segment: Segment) -> dict[int, Hops]:
        """Assets that the segment leads to, each with the shortest way there."""
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
                        self._stopped(start, segment)
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

    def _flags(self, verbs: frozenset[str]) -> Flags:
        if verbs not in self._verbs:
            self._verbs[verbs] = verb_flags(verbs)
        return self._verbs[verbs]

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
            elif not equal(value, wanted):
                return False
        return missing or True

    # ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _may_hold(self, ground: _Ground, bound: Bound, newest: str) -> bool:
        """Whether no part of ``when`` that the newest variable completes is false already."""
        for asked in ground.completed_by.get(newest, ()):
            if bound.keys() >= set(asked.variables):
                answer = asked.of(bound)
                if answer is False or (ground.asks and answer is not True):
                    return False
        return True

    def _judged(self, ground: _Ground, bound: Bound, path: tuple[Step, ...]) -> Match | None:
        length = max(0, len(path) - 1)
        missing: list[Missing] = []
        evident = not ground.when
        for spot in ground.asking_spots:
            if isinstance(fits := self.fits(spot, bound[spot.variable]), Missing):
                missing.append(fits)
        for asked in ground.when:
            answer = asked.of(bound, length)
            if answer is False:
                return None
            if isinstance(answer, Unknown):
                if ground.asks:
                    return None
                missing += self._named(answer, bound)
            else:
                evident = True
        if not evident:
            return None
        if ground.unless:
            answer = ground.unless.of(bound, length)
            if answer is True:
                return None
            if isinstance(answer, Unknown):
                missing += self._named(answer, bound)
        for chain in ground.rule.absent:
            exists = self._exists(chain, bound)
            if exists is True:
                return None
            if isinstance(exists, Missing):
                missing.append(replace(exists, absence=True))
        ids = self.arrays.ids
        named = {variable: ids[place] for variable, place in bound.items()}
        return Match(named, path, tuple(dict.fromkeys(missing)))

    def _named(self, answer: Unknown, bound: Bound) -> list[Missing]:
        names = tuple(answer.missing)
        if names not in self._fields_of:
            pairs = [name.split(".")[:2] for name in names]
            self._fields_of[names] = [(pair[0], pair[1]) for pair in pairs if len(pair) > 1]
        ids = self.arrays.ids
        return [Missing(ids[bound[name]], field) for name, field in self._fields_of[names] if name in bound]

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
            complete, scopes = self.graph.complete, self.facts.scopes
            everywhere = bool(scopes) and all((scope, verb) in complete for scope in scopes)
            self._known_everywhere[key] = bool(self.knows_all(verb).all()) if forward else everywhere
        return self._known_everywhere[key]


class _Ground:
    """Where a rule is laid: what its variables may be, and the links between them, gathered when first walked."""

    def __init__(self, rule: Rule, matcher: Matcher, may: May) -> None:
        self.rule = rule
        self.may = may
        self.subject, self.asks = rule.subject, rule.asks
        self.when = [matcher.asked(part) for part in rule.when]
        self.unless = matcher.asked(rule.unless) if rule.unless else None
        self.asking_spots = [spot for chain in rule.chains for spot in chain.spots if spot.props]
        #: Variable → the conditions about it and others that can be asked before the chains are laid.
        self.completed_by: dict[str, list[Asked]] = {}
        for asked in self.when:
            if len(asked.variables) > 1 and "path" not in asked.condition.uses:
                for variable in asked.variables:
                    self.completed_by.setdefault(variable, []).append(asked)
        self._arrays = matcher.arrays
        self._links: dict[tuple[str, int], Links] = {}
        self._turned: dict[str, Chain] = {}
        self._listed: dict[str, list[int]] = {}

    def oriented(self, chain: Chain, bound: Bound) -> Chain:
        """The chain from an end that is bound on."""
        if chain.spots[0].variable in bound or chain.spots[-1].variable not in bound:
            return chain
        if chain.text not in self._turned:
            self._turned[chain.text] = replace(chain.reversed(), text=f"{chain.text} reversed")
        return self._turned[chain.text]

    def links(self, chain: Chain, at: int) -> Links:
        key = chain.text, at
        if key not in self._links:
            one, two = (self.may[chain.spots[n].variable] for n in (at, at + 1))
            self._links[key] = Links(self._arrays, chain.segments[at], one, two, MAX_VISITED)
        return self._links[key]

    def listed(self, variable: str) -> list[int]:
        if variable not in self._listed:
            self._listed[variable] = self.may[variable].tolist()
        return self._listed[variable]


def _words(segment: Segment) -> str:
    """The segment's verbs for a reader: ``reads or uses tool, seen from`` the end it starts at."""
    verbs = " or ".join(sorted(segment.verbs)).replace("_", " ")
    return f"lies over {verbs} {'after' if segment.forward else 'before'}"
