"""One consistent picture of everything the console shows, with the indexes that make pages cheap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from penstock.assess.assessment import Assessment, AttackPath
from penstock.graph.bystanders import bystanders
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling, propagate
from penstock.graph.store.protocol import Store
from penstock.graph.vocabulary import (
    AI_KINDS,
    DATA_KINDS,
    LABELS,
    SEVERITIES,
    Asset,
    Case,
    Evidence,
    Finding,
    Question,
)
from penstock.respond.people import Ownership, People
from penstock.respond.refresh import Refreshed
from penstock.serve.listing import Listing
from penstock.settings import Settings

#: Kinds that are not things of the AI inventory but people, decisions and the work they serve.
PEOPLE_KINDS = frozenset({"team", "person", "process", "decision"})


@dataclass(frozen=True)
class World:
    """Graph, labels, assessment and cases of one refresh; never changed, replaced whole."""

    graph: Graph
    labelling: Labelling
    assessment: Assessment
    cases: tuple[Case, ...]
    people: People
    first_seen: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, made: Refreshed, settings: Settings, store: Store) -> World:
        seen = {f.id: store.finding_seen(f.id) for f in made.assessment.findings}
        return cls(
            made.graph,
            made.labelling,
            made.assessment,
            tuple(made.cases),
            People(made.graph, settings),
            {finding: times[0] for finding, times in seen.items() if times},
        )

    @classmethod
    def empty(cls, settings: Settings) -> World:
        """Before the first refresh: nothing known."""
        graph = Graph()
        return cls(graph, propagate(graph), Assessment(), (), People(graph, settings))

    def with_cases(self, cases: tuple[Case, ...]) -> World:
        """The same world with its cases as they are now; indexes that do not speak of cases are kept."""
        after = replace(self, cases=cases)
        after.__dict__.update({name: made for name, made in vars(self).items() if name not in _OF_CASES})
        return after

    @cached_property
    def listing(self) -> Listing:
        return Listing(self)

    @cached_property
    def inventory(self) -> tuple[Asset, ...]:
        """AI assets and what they touch, by name; context enters only through a relation to an AI asset."""
        touched = {r.target for r in self.graph.relations if self._is_ai(r.source)}
        touched |= {r.source for r in self.graph.relations if self._is_ai(r.target)}
        listed = (
            a
            for a in self.graph.assets.values()
            if a.kind in AI_KINDS or (a.kind not in PEOPLE_KINDS and (a.id in touched or a.kind in DATA_KINDS))
        )
        beside = bystanders(self.graph)
        return tuple(sorted((a for a in listed if a.id not in beside), key=lambda a: (a.name.casefold(), a.kind, a.id)))

    def _is_ai(self, asset: str) -> bool:
        found = self.graph.assets.get(asset)
        return found is not None and found.kind in AI_KINDS

    @cached_property
    def findings(self) -> dict[str, Finding]:
        """By id, worst first, accepted ones last."""
        return {f.id: f for f in (*self.assessment.findings, *self.assessment.accepted)}

    @cached_property
    def accepted(self) -> frozenset[str]:
        return frozenset(f.id for f in self.assessment.accepted)

    @cached_property
    def case_of(self) -> dict[str, Case]:
        """Finding id → the case it belongs to: where a finding has moved to another cause, the one that is open."""
        closed_first = sorted(self.cases, key=lambda case: case.state != "resolved")
        return {finding: case for case in closed_first for finding in case.findings}

    @cached_property
    def findings_on(self) -> dict[str, tuple[Finding, ...]]:
        """Asset id → open findings whose subject or path it is, worst first."""
        on: dict[str, list[Finding]] = {}
        for finding in self.assessment.findings:
            for asset in dict.fromkeys((finding.subject, *(step.asset for step in finding.path))):
                on.setdefault(asset, []).append(finding)
        return {asset: tuple(found) for asset, found in on.items()}

    @cached_property
    def path_of(self) -> dict[str, AttackPath]:
        """Finding id → the attack path it lies on."""
        return {finding: path for path in reversed(self.assessment.paths) for finding in path.findings}

    @cached_property
    def asked(self) -> dict[str, tuple[Question, ...]]:
        """Asset id → open questions about it; the most pressing first, assets and questions alike."""
        on: dict[str, list[Question]] = {}
        for question in self.assessment.questions:
            on.setdefault(question.asset, []).append(question)
        return {asset: tuple(asked) for asset, asked in on.items()}

    def owner_of(self, asset: str) -> Ownership:
        """Who answers for the asset, and why."""
        return self.people.owner(asset)

    def worst(self, asset: str) -> str:
        """Severity of the worst open finding the asset takes part in; "" for none."""
        found = self.findings_on.get(asset, ())
        return max((f.severity for f in found), key=SEVERITIES.index, default="")

    def name(self, asset: str) -> str:
        """The asset's name, or its id when it is not known here."""
        return self.people.name(asset)

    def hop_evidence(self, source: str, verb: str, target: str) -> tuple[Evidence, ...]:
        """Evidence for one relation, whichever way round it was walked."""
        graph = self.graph
        return graph.evidence.get((source, verb, target)) or graph.evidence.get((target, verb, source)) or ()


#: What a world holds of its cases; all else outlives a change of them.
_OF_CASES = frozenset({"cases", "case_of"})


def by_weight(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels, the gravest first; marks such as ``public`` after them."""
    return tuple(sorted(labels, key=lambda label: (-LABELS.get(label, 0), label)))
