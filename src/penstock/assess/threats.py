"""The threat model of a system: what an attacker could do here, why that is conceivable, and what stands against it.

The catalogue is data (``packs/threats``). A threat is listed only where the graph's facts make it conceivable, and a
control counts only where it was seen. Where nobody knows, there is a question, and what is left is a range.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Literal

import msgspec

from penstock.assess import rules
from penstock.assess.asking import answerable
from penstock.assess.controls import Standing, is_control, standing
from penstock.assess.examples import world
from penstock.assess.facts import Facts
from penstock.assess.frameworks import titles
from penstock.assess.match import Match, Matcher
from penstock.assess.questions import Asked, worded
from penstock.assess.rules import Rule
from penstock.assess.score import score
from penstock.assess.systems import systems
from penstock.assess.words import told
from penstock.errors import NotUnderstood
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling, propagate
from penstock.graph.questions import PROP_QUESTIONS, VERB_QUESTIONS
from penstock.graph.vocabulary import SEVERITIES, Finding, Question
from penstock.knowledge.pack import define_pack, load_pack
from penstock.settings import Organisation

Stride = Literal[
    "spoofing", "tampering", "repudiation", "information_disclosure", "denial_of_service", "elevation_of_privilege"
]
#: ``shown``: a finding proves it; ``conceivable``: the graph's facts allow it; ``open``: a person's answer decides.
State = Literal["shown", "conceivable", "open"]

#: Verbs by which one thing is a part of another, or what it stands on.
_PARTS = (
    "invokes", "delegates_to", "uses_model", "uses_tool", "exposes_tool", "connects_to", "retrieves_from", "reads",
    "instructed_by", "guarded_by", "remembers_in", "logs_to", "writes", "indexes", "ingests", "loads", "consumes",
    "trained_on", "fine_tuned_from", "derived_from", "serves", "produces", "stored_in", "embedded_by", "runs_as",
    "holds", "deployed_on",
)  # fmt: skip
#: A model is also what made it, a copy also what it was made from.
_MADE_BY = ("produces", "copied_to")
#: How far from the system its parts are looked for, and how many are taken.
_DEPTH, _MOST = 6, 2_000
#: Steps that controls which do not stop a threat can take off it together.
_EASED = 2
#: Reasons and assets told of one threat; more say nothing new.
_REASONS = 6


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One way in which a threat is conceivable, in the grammar of rules; the first variable is what it is about."""

    match: str | list[str]
    because: str
    when: str = ""
    unless: str = ""


class Threat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A row of the catalogue. Controls are named with the variable that has to have them."""

    id: str
    title: str
    stride: tuple[Stride, ...]
    severity: Literal["low", "medium", "high", "critical"]
    attack: str
    ways: tuple[Way, ...]
    stopped_by: dict[str, str]
    eased_by: dict[str, str]
    rules: tuple[str, ...]
    of_services: bool = False
    tags: tuple[dict[str, str], ...] = ()
    fires: tuple[Any, ...] = ()
    silent: tuple[Any, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """``edition:id`` of every framework entry it is tagged with."""
        return tuple(f"{edition}:{id}" for tag in self.tags for edition, id in tag.items() if edition != "why")


@dataclass(frozen=True, slots=True)
class Answering:
    """A control that answers a threat at one asset; ``stops``: alone, else it makes it milder."""

    standing: Standing
    stops: bool


@dataclass(frozen=True, slots=True)
class Faced:
    """A threat that a system faces.

    Attributes:
        attack: what an attacker does, with the names of the first case.
        because: why it is conceivable here, one line a case.
        cases: how many cases there are; the first are told.
        inherent: how bad without any control. ``rest``: the least and the most that is left with those there are.
        questions: what would decide whether it is conceivable.
    """

    threat: Threat
    state: State
    attack: str
    because: tuple[str, ...]
    cases: int
    assets: tuple[str, ...]
    controls: tuple[Answering, ...]
    inherent: str
    rest: tuple[str, str]
    findings: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreatModel:
    """What one system faces, the worst first. ``parts``: what it is made of, itself first, nearest next."""

    system: str
    parts: tuple[str, ...]
    threats: tuple[Faced, ...]

    @property
    def worst(self) -> str:
        """The most that is left of the worst threat; ``info`` when none is conceivable."""
        return max((faced.rest[1] for faced in self.threats), key=SEVERITIES.index, default="info")

    @property
    def questions(self) -> tuple[Question, ...]:
        """Every question whose answer would narrow it, each once, those of the worst threats first."""
        asked: dict[tuple[str, str], Question] = {}
        for faced in self.threats:
            of_controls = [one.standing.question for one in faced.controls]
            for question in (*faced.questions, *filter(None, of_controls)):
                asked.setdefault((question.asset, question.prop or question.verb), question)
        return tuple(asked.values())


def load_threats() -> list[Threat]:
    """The catalogue, in the order of its files."""
    return list(load_pack("threats").rows)


class Threats:
    """The threats of one graph: matched once over the whole of it, then told system by system."""

    def __init__(
        self, graph: Graph, labelling: Labelling, organisation: Organisation, findings: Iterable[Finding] = ()
    ) -> None:
        self.graph = graph
        self.facts = Facts(graph, labelling, organisation)
        self._matcher = Matcher(self.facts)
        self._findings = sorted(findings, key=lambda finding: (-finding.score, finding.id))
        self._standing: dict[tuple[str, str], Standing] = {}

    def systems(self) -> list[str]:
        """The systems worth a threat model of their own, by kind and name: those that are made of something."""
        return [id for id in systems(self.graph) if any(self.graph.out(id, *_PARTS))]

    def of(self, system: str) -> ThreatModel:
        """The threat model of one asset."""
        parts = self.parts(system)
        inside = frozenset(parts)
        faced = [
            one for threat in load_threats() if (one := self._faced(threat, self._by_subject[threat.id], inside, parts))
        ]
        faced.sort(
            key=lambda one: (
                -SEVERITIES.index(one.rest[1]), one.state != "shown", one.state == "open",
                -SEVERITIES.index(one.rest[0]), -SEVERITIES.index(one.inherent), one.threat.id,
            )
        )  # fmt: skip
        return ThreatModel(system, parts, tuple(faced))

    def parts(self, system: str) -> tuple[str, ...]:
        """The system and what it is made of and stands on, nearest first."""
        found, level = {system: None}, [system]
        for _ in range(_DEPTH):
            ahead = [r.target for id in level for r in self.graph.out(id, *_PARTS)]
            back = [r.source for id in level for r in self.graph.into(id, *_MADE_BY)]
            level = [id for id in dict.fromkeys((*ahead, *back)) if id not in found]
            found |= dict.fromkeys(level)
            if not level or len(found) >= _MOST:
                break
        return tuple(found)[:_MOST]

    # ── one threat ───────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _by_subject(self) -> Mapping[str, Mapping[str, list[_Case]]]:
        """Threat → what it is about → the cases."""
        table: dict[str, dict[str, list[_Case]]] = {}
        for threat in load_threats():
            by_subject = table.setdefault(threat.id, {})
            for way, rule in zip(threat.ways, _rules(threat), strict=True):
                for match in self._matcher.matches(rule):
                    subject = match.bound[rule.subject]
                    if not threat.of_services or self.facts.answers(subject):
                        by_subject.setdefault(subject, []).append(_Case(way, rule, match))
        return table

    def _faced(
        self, threat: Threat, by_subject: Mapping[str, list[_Case]], inside: frozenset[str], parts: Sequence[str]
    ) -> Faced | None:
        cases = [case for part in parts for case in by_subject.get(part, ())]
        sure = [case for case in cases if not case.match.missing]
        asked = {} if sure else {question: None for case in cases for question in self._open(case.match)}
        if not sure and not asked:
            return None
        proofs = [f for f in self._findings if f.subject in inside and _name_of(f.rule) in threat.rules]
        weighed = [self._weighed(threat, case) for case in sure or cases]
        weighed.sort(key=lambda one: (-SEVERITIES.index(one.most), -SEVERITIES.index(one.least)))
        first = weighed[0].case
        inherent = max((one.inherent for one in weighed), key=SEVERITIES.index)
        least = max((one.least for one in weighed), key=SEVERITIES.index) if sure else "info"
        most = weighed[0].most
        if proofs and sure:
            least = max(least, proofs[0].severity, key=SEVERITIES.index)
            most = max(most, least, key=SEVERITIES.index)
        controls = {
            (one.standing.control, one.standing.asset): one for case in weighed for one in case.controls
        }  # fmt: skip
        reasons = dict.fromkeys(told(one.case.way.because, one.case.match, self.facts) for one in weighed)
        assets = dict.fromkeys(id for one in weighed for id in one.case.match.bound.values())
        return Faced(
            threat=threat,
            state="shown" if proofs and sure else "conceivable" if sure else "open",
            attack=told(threat.attack, first.match, self.facts),
            because=tuple(reasons)[:_REASONS],
            cases=len(reasons),
            assets=tuple(assets),
            controls=tuple(controls.values()),
            inherent=max(inherent, most, key=SEVERITIES.index),
            rest=(least, most),
            findings=tuple(f.id for f in proofs),
            questions=tuple(asked),
        )

    def _weighed(self, threat: Threat, case: _Case) -> _Weighed:
        """How bad the case is bare, and what its controls leave of it at best and at worst."""
        bound = case.match.bound
        controls = [
            Answering(self._at(control, bound[variable]), stops)
            for table, stops in ((threat.stopped_by, True), (threat.eased_by, False))
            for control, variable in table.items()
        ]
        inherent = score(case.rule, case.match, self._matcher).severity

        def left(counts: frozenset[str]) -> str:
            there = [one for one in controls if one.standing.state in counts]
            if any(one.stops for one in there):
                return "info"
            return SEVERITIES[max(1, SEVERITIES.index(inherent) - min(_EASED, len(there)))]

        return _Weighed(
            case, tuple(controls), inherent, left(frozenset({"there", "unknown"})), left(frozenset({"there"}))
        )

    def _at(self, control: str, asset: str) -> Standing:
        key = control, asset
        if key not in self._standing:
            self._standing[key] = standing(self.facts, control, asset)
        return self._standing[key]

    def _open(self, match: Match) -> Iterator[Question]:
        """What would decide whether the match is one; nothing where one of its unknowns is nobody's to answer."""
        found = []
        for missing in match.missing:
            of_whom = answerable(self.facts, missing.asset, missing.prop) if missing.prop else None
            asset, about = of_whom or (missing.asset, missing.verb)
            if about not in PROP_QUESTIONS and about not in VERB_QUESTIONS:
                return
            prop, verb = (about, "") if about in PROP_QUESTIONS else ("", about)
            asked = Asked(asset, prop=prop, verb=verb, of_source=missing.forward)
            name = self.graph.assets[asset].name
            found.append(Question(asset, worded(asked, name), prop=prop, verb=verb))
        yield from found


@dataclass(frozen=True, slots=True)
class _Case:
    """A way of a threat laid over the graph."""

    way: Way
    rule: Rule
    match: Match


@dataclass(frozen=True, slots=True)
class _Weighed:
    case: _Case
    controls: tuple[Answering, ...]
    inherent: str
    least: str
    most: str


@cache
def _names() -> dict[str, str]:
    return {rule.id: rule.name for rule in rules.load_rules()}


def _name_of(rule: str) -> str:
    return _names().get(rule, rule)


def _rules(threat: Threat) -> list[Rule]:
    """The ways of a threat, each as the rule that finds it."""
    return [
        rules.compiled(
            rules.Row(
                id=f"{threat.id}.{number}",
                name=threat.id,
                title=threat.title,
                match=way.match,
                severity=threat.severity,
                at_most="critical",
                when=way.when,
                unless=way.unless,
            )
        )
        for number, way in enumerate(threat.ways, 1)
    ]


def _problems(threat: Threat) -> Iterator[str]:
    """What types cannot say about a row."""
    if not threat.ways or not threat.stride or not threat.tags:
        yield "it needs ways, stride and tags"
        return
    try:
        compiled = _rules(threat)
    except NotUnderstood as error:
        yield str(error)
        return
    for control, variable in (*threat.stopped_by.items(), *threat.eased_by.items()):
        if not is_control(control):
            yield f"there is no control {control!r}"
        if any(variable not in rule.kinds for rule in compiled):
            yield f"not every way has the variable {variable!r} of the control {control!r}"
    for way, rule in zip(threat.ways, compiled, strict=True):
        for word in re.findall(r"\{(\w+)[^{}]*\}", f"{threat.attack} {way.because}"):
            if word not in rule.kinds:
                yield f"the way {way.match!r} has no variable {{{word}}}"
    yield from (f"there is no rule named {name!r}" for name in threat.rules if name not in _names().values())
    yield from (f"there is no {name} in the framework catalogue" for name in threat.names if name not in titles())
    yield from (f"a tag without a why: {tag}" for tag in threat.tags if not tag.get("why"))


def _is_conceivable(threat: Threat, example: Any) -> bool:
    drawn = world(example)
    matcher = Matcher(Facts(drawn.graph, propagate(drawn.graph), drawn.organisation))
    return any(not match.missing for rule in _rules(threat) for match in matcher.matches(rule))


define_pack("threats", Threat, check=_is_conceivable, validate=_problems)
