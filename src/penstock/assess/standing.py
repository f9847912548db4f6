"""An assessment that keeps up with its graph: after a change only what the change can reach is judged again.

A rule's finding about a subject can differ only if the chains of the rule, laid over the graph as it was or as it is,
lead from the subject to something that differs: an asset with another property, label or reach, or the end of a
relation that came or went. So for each rule the chains are walked back from what differs to the subjects, and those are
judged anew. What comes out is what judging the whole graph would give (a test compares the two).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from penstock.assess.arrays import Arrays, Flags, Ints, kind_flags, verb_flags
from penstock.assess.assessment import Assessment
from penstock.assess.chains import Chain, Segment
from penstock.assess.engine import Raised, found_by, ordered, told_of
from penstock.assess.facts import Facts
from penstock.assess.match import Matcher
from penstock.assess.narrowing import Narrowing, near, outward
from penstock.assess.questions import Questions
from penstock.assess.rules import Rule, load_rules
from penstock.assess.sight import DEPTH, POWER, USES
from penstock.assess.weight import Weights
from penstock.graph.diff import Changes
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling
from penstock.graph.store.protocol import Acceptance
from penstock.graph.vocabulary import VERBS, Relation
from penstock.settings import Organisation

#: Changes from which on judging everything is as quick.
_MANY = 2_000
_USES, _POWER, _AGENCY = verb_flags(USES), verb_flags(POWER), verb_flags(["uses_tool", "connects_to"])
#: Labels go with the relation, or against it.
_GIVEN, _TAKEN = (verb_flags(verb for verb, word in VERBS.items() if word.to == end) for end in ("target", "source"))


class Standing:
    """What is raised and asked about a graph, kept up with its changes. It holds one graph at a time."""

    def __init__(
        self, graph: Graph, labelling: Labelling, organisation: Organisation, rules: Sequence[Rule] | None = None
    ) -> None:
        self.rules = load_rules() if rules is None else list(rules)
        self._start(Facts(graph, labelling, organisation))

    def _start(self, facts: Facts) -> None:
        self.facts = facts
        self.matcher = Matcher(facts)
        self.questions = Questions(self.matcher)
        self._raised: dict[str, dict[str, Raised]] = {rule.id: {} for rule in self.rules}
        #: Asset → the findings that tell of it, or did: a finding judged again may tell of others.
        self._telling: dict[str, dict[tuple[str, str], None]] = {}
        for rule in self.rules:
            self._keep(rule, found_by(rule, self.matcher, self.questions))
        self._matcher_before = self.matcher
        self.judged_again = len(facts.arrays)

    def assessment(self, *, acceptances: Sequence[Acceptance] = (), now: float) -> Assessment:
        """What is to be said of the graph as it is."""
        every = [one for by_subject in self._raised.values() for one in by_subject.values()]
        raised, questions = ordered(every, self.questions)
        return told_of(self.facts, raised, questions, self.matcher.unseen, acceptances=acceptances, now=now)

    def change(self, graph: Graph, labelling: Labelling, changes: Changes) -> None:
        """Take in the next state of the graph.

        Args:
            labelling: the labels of the new graph.
            changes: ``diff`` of the graph held and the new one.
        """
        before = self.facts
        many = len(changes.changed) + len(changes.added) + len(changes.removed) + len(changes.relations_added)
        if many + len(changes.relations_removed) > _MANY or graph.complete != before.graph.complete:
            self._start(Facts(graph, labelling, before.organisation))
            return
        facts, moved = before.changed(graph, labelling, changes)
        scope = _Scope.of(before, facts, moved, changes)
        self.facts, self.matcher = facts, Matcher(facts)
        self.matcher.take_over(self._matcher_before, scope.reasons)
        kept, self.questions = self.questions, Questions(self.matcher)
        self.questions.take_over(kept)
        asked_anew: dict[str, set[str]] = {}
        for rule_id, subject in self.questions.about(scope.reasons):
            asked_anew.setdefault(rule_id, set()).add(subject)
        told_anew: dict[str, set[str]] = {}
        for asset in (scope.reasons | scope.lineage) & self._telling.keys():
            for rule_id, subject in self._telling[asset]:
                told_anew.setdefault(rule_id, set()).add(subject)
        then, self._matcher_before, self.judged_again = self._matcher_before.narrowing, self.matcher, 0
        for rule in self.rules:
            self._again(rule, then, scope, asked_anew.get(rule.id, set()), told_anew.get(rule.id, set()))

    def _again(self, rule: Rule, before: Narrowing, scope: _Scope, subjects: set[str], told: set[str]) -> None:
        """Judge one rule on the subjects that may be judged otherwise now.

        Args:
            subjects: those about which something is asked that may be asked otherwise.
            told: those whose finding tells of an asset that came about otherwise.
        """
        arrays, kept = self.facts.arrays, self._raised[rule.id]
        subjects |= {before.arrays.ids[place] for place in _subjects(rule, before, scope.then, scope.gone)}
        subjects |= {arrays.ids[place] for place in _subjects(rule, self.matcher.narrowing, scope.now, scope.come)}
        subjects |= {id for id in told if id in kept and _tells(kept[id], scope)}
        if not subjects:
            return
        for id in subjects:
            kept.pop(id, None)
        self.questions.forget(rule, subjects)
        here = np.array(sorted(arrays.place[id] for id in subjects if id in arrays.place), np.int32)
        self.judged_again += len(here)
        if len(here):
            found = found_by(rule, self.matcher, self.questions, here)
            self._keep(rule, found)

    def _keep(self, rule: Rule, found: Iterable[Raised]) -> None:
        for one in found:
            subject = one.finding.subject
            self._raised[rule.id][subject] = one
            for asset in _told_of(one):
                self._telling.setdefault(asset, {})[rule.id, subject] = None


def _told_of(one: Raised) -> Iterator[str]:
    """The assets that a finding tells of."""
    yield one.finding.terms["impact"]["at"]
    yield one.finding.terms["likelihood"]["at"]
    if one.rule.row.follow:
        yield from (step.asset for way in one.ways for step in way)


def _tells(one: Raised, scope: _Scope) -> bool:
    """Whether a finding tells why something is so, or leads along something, that came about otherwise."""
    terms = one.finding.terms
    if terms["impact"]["at"] in scope.reasons or terms["likelihood"]["at"] in scope.reasons:
        return True
    return bool(one.rule.row.follow) and any(step.asset in scope.lineage for way in one.ways for step in way)


# ── what a change can reach ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Scope:
    """What differs: assets at their places in the graph as it was and as it is, and relations that went and came.

    Of some assets the same may have to be said in other words: who reaches them or what hangs on them is so by another
    way (``reasons``), or their labels came by another way (``lineage``).
    """

    then: Ints
    now: Ints
    gone: tuple[Relation, ...]
    come: tuple[Relation, ...]
    reasons: frozenset[str]
    lineage: frozenset[str]

    @classmethod
    def of(cls, before: Facts, facts: Facts, moved: Ints | None, changes: Changes) -> _Scope:
        arrays = facts.arrays
        links = (*changes.relations_added, *changes.relations_removed)
        ends = _places(arrays, [end for r in links for end in (r.source, r.target)])
        now = _differing(before, facts, moved)
        now[_places(arrays, changes.changed)] = True
        now |= _read_over_relations(arrays, links, now)
        then = np.zeros(len(before.arrays), np.bool_)
        if moved is None:
            then |= now
        else:
            then[moved[now & (moved >= 0)]] = True
        then[_places(before.arrays, [asset.id for asset in changes.removed])] = True
        weighty = now & _other(before, facts, moved, "contains", "touches", "effects", "criticality")
        weighty[_places(arrays, [id for id, fields in changes.changed.items() if "name" in fields])] = True
        reasons = _reasons(arrays, links, now, weighty)
        reasons[ends] = True
        lineage = _lineage(arrays, np.union1d(np.flatnonzero(weighty), ends).astype(np.int32))
        gone = {one.id for one in changes.removed}
        return cls(
            then=np.flatnonzero(then).astype(np.int32),
            now=np.flatnonzero(now).astype(np.int32),
            gone=changes.relations_removed,
            come=changes.relations_added,
            reasons=arrays.named(reasons) | gone,
            lineage=arrays.named(lineage) | gone,
        )


def _read_over_relations(arrays: Arrays, links: Sequence[Relation], differs: Flags) -> Flags:
    """The assets of which more than fields is read: what they have power over, their tools, the endpoints they call."""

    def changed(*verbs: str) -> Ints:
        return _places(arrays, [r.source for r in links if r.verb in verbs])

    found = arrays.reached(changed(*POWER), _POWER, forward=False, most=DEPTH)
    found[changed("uses_tool", "connects_to", "remembers_in", "delegates_to", "invokes")] = True
    differing: Ints = np.flatnonzero(differs).astype(np.int32)
    found |= arrays.reached(differing, _AGENCY, forward=False, least=1)
    gateways = np.union1d(changed("serves"), differing).astype(np.int32)
    return found | arrays.reached(gateways, verb_flags(["invokes"]), forward=False, least=1)


def _places(arrays: Arrays, ids: Iterable[str]) -> Ints:
    return np.array(sorted({arrays.place[id] for id in ids if id in arrays.place}), np.int32)


def _differing(before: Facts, facts: Facts, moved: Ints | None) -> Flags:
    """The assets of which a rule may read something else than before."""
    found = _other(before, facts, moved, *before.columns, *before.read)
    for now, then in zip(_weights(facts), _weights(before), strict=True):
        found |= now != (then if moved is None else then[np.maximum(moved, 0)])
    return found


def _weights(facts: Facts) -> list[Weights]:
    doors = facts.likelihoods
    return [facts.impacts, doors.lowest, doors.likely, doors.highest, facts.doors]


def _other(before: Facts, facts: Facts, moved: Ints | None, *fields: str) -> Flags:
    """The assets of which some fields are not as they were, and those that were not there."""
    found = np.zeros(len(facts.arrays), np.bool_) if moved is None else moved < 0
    for field in dict.fromkeys(fields):
        now, then = facts.column(field), before.column(field)
        if moved is not None or not now.is_as(then):
            found |= now.differs(then.moved(moved))
    return found


def _reasons(arrays: Arrays, links: Sequence[Relation], differs: Flags, weighty: Flags) -> Flags:
    """The assets whose reach or weight may have another reason: downstream of what differs, or with power over it."""
    doors = differs.copy()
    doors[_places(arrays, [r.target for r in links if r.verb in USES])] = True
    found = arrays.reached(np.flatnonzero(doors).astype(np.int32), _USES, forward=True, most=DEPTH)
    power = weighty.copy()
    power[_places(arrays, [r.source for r in links if r.verb in POWER])] = True
    over = arrays.reached(np.flatnonzero(power).astype(np.int32), _POWER, forward=False, most=DEPTH)
    return found | arrays.reached(np.flatnonzero(over).astype(np.int32), _USES, forward=True, most=DEPTH)


def _lineage(arrays: Arrays, frontier: Ints) -> Flags:
    """The assets to which labels may come by another way."""
    found = np.zeros(len(arrays), np.bool_)
    while len(frontier):
        found[frontier] = True
        ahead = arrays.step(frontier, _GIVEN, forward=True)
        back = arrays.step(frontier, _TAKEN, forward=False)
        ends = np.concatenate([ahead, back])
        frontier = np.unique(ends[~found[ends]])
    return found


# ── along the chains ─────────────────────────────────────────────────────────────────────────────────────────────────


def _subjects(rule: Rule, narrowing: Narrowing, differs: Ints, links: Sequence[Relation]) -> list[int]:
    """The subjects that the rule's chains join to an asset that differs, or over a relation that came or went.

    Only what a place of the rule may be counts: an asset that differs matters where it may stand, and a relation where
    both of its ends lead to what may stand there.
    """
    found: dict[str, list[Ints]] = {}
    for variable in rule.kinds:
        if any(variable == spot.variable for chain in rule.chains for spot in chain.spots):
            found[variable] = [narrowing.alone(rule, variable, differs)]
    ends = _ends(narrowing.arrays, links)
    for chain in rule.chains:
        for one, segment, two in zip(chain.spots, chain.segments, chain.spots[1:], strict=False):
            for near_end, far_end in ends.over(segment):
                here = narrowing.alone(rule, one.variable, _led(narrowing.arrays, near_end, segment.reversed()))
                if len(here) and len(narrowing.alone(rule, two.variable, _led(narrowing.arrays, far_end, segment))):
                    found[one.variable].append(here)
    for chain in rule.absent:
        for variable, places in _met(chain, narrowing.arrays, differs, ends):
            if variable in found:
                found[variable].append(narrowing.alone(rule, variable, places))
    joined: set[int] = set()
    for variable, parts in found.items():
        places = np.unique(np.concatenate(parts))
        if len(places):
            joined.update(_joined(rule, narrowing, variable, places).tolist())
    return sorted(joined)


@dataclass(frozen=True)
class _Ends:
    """The two ends of relations that came or went, as places."""

    by_verb: dict[str, list[tuple[int, int]]]

    def over(self, segment: Segment) -> Iterator[tuple[Ints, Ints]]:
        """(end nearer to the start, farther end) of those that a segment may lead over."""
        for verb in sorted(segment.verbs & self.by_verb.keys()):
            for source, target in self.by_verb[verb]:
                pair = (source, target) if segment.forward else (target, source)
                yield np.array(pair[:1], np.int32), np.array(pair[1:], np.int32)


def _ends(arrays: Arrays, links: Sequence[Relation]) -> _Ends:
    by_verb: dict[str, list[tuple[int, int]]] = {}
    for r in links:
        if r.source in arrays.place and r.target in arrays.place:
            by_verb.setdefault(r.verb, []).append((arrays.place[r.source], arrays.place[r.target]))
    return _Ends(by_verb)


def _led(arrays: Arrays, places: Ints, segment: Segment) -> Ints:
    """What the rest of a segment leads to, from the end of one of its relations on."""
    return near(arrays, places, Segment(segment.verbs, 0, segment.most - 1, segment.forward))


def _met(chain: Chain, arrays: Arrays, differs: Ints, ends: _Ends) -> Iterator[tuple[str, Ints]]:
    """Variable of an absent chain → the assets from which it leads to something that differs, either way along it."""
    for one in (chain, chain.reversed()):
        on = differs[kind_flags(one.spots[0].kinds)[arrays.kind[differs]]]
        yield one.spots[0].variable, on
        for segment, spot in zip(one.segments, one.spots[1:], strict=True):
            far = [far for _, far in ends.over(segment)]
            between = (differs,) if segment.most > 1 else ()
            seeds = np.unique(np.concatenate((on, *between, *far)))
            further = Segment(segment.verbs, 0, segment.most, segment.forward)
            led = near(arrays, seeds, further) if len(seeds) else seeds
            here = differs[kind_flags(spot.kinds)[arrays.kind[differs]]]
            on = np.union1d(led[kind_flags(spot.kinds)[arrays.kind[led]]], here)
            yield spot.variable, on


def _joined(rule: Rule, narrowing: Narrowing, variable: str, places: Ints) -> Ints:
    """What the subject may be where a variable stands for some assets: outward along the chains, never back."""
    if variable == rule.subject:
        return places
    found = {variable: places}
    for here, segment, there in outward(rule, variable):
        if len(found[here]):
            found[there] = narrowing.alone(rule, there, near(narrowing.arrays, found[here], segment))
            if there == rule.subject:
                return found[there]
        else:
            found[there] = found[here]
    return np.empty(0, np.int32)
