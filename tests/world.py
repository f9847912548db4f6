"""A small world in a test: ``world.agent("helpdesk", exposure="corporate").reads("payroll", contains="pii")``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from penstock.assess.assessment import Assessment
from penstock.assess.engine import assess
from penstock.graph import identity
from penstock.graph.graph import Graph
from penstock.graph.labels import propagate
from penstock.graph.merge import merge
from penstock.graph.store.protocol import Acceptance
from penstock.graph.vocabulary import KINDS, VERBS, Asset, Complete, Evidence, Finding, Observation, Relation
from penstock.settings import Organisation

#: What stands at the end of a verb when a test names it for the first time.
ENDS = {
    "uses_tool": "tool", "uses_model": "model", "invokes": "endpoint", "serves": "model", "guarded_by": "guardrail",
    "delegates_to": "agent", "runs_as": "identity", "retrieves_from": "vector_store", "logs_to": "log_store",
    "remembers_in": "memory", "sends_to": "provider", "provided_by": "provider", "owned_by": "team",
    "supports": "process", "deployed_on": "infrastructure", "holds": "credential", "fine_tuned_from": "model",
    "derived_from": "model", "loads": "model", "connects_to": "mcp_server", "exposes_tool": "tool",
}  # fmt: skip


class World:
    """Assets by name, relations between them; all was seen, unless ``partly`` says which verbs were not."""

    def __init__(self, scope: str = "repo:world") -> None:
        self.scope = scope
        self.assets: dict[str, Asset] = {}
        self.relations: list[Relation] = []
        self.unfinished: set[str] = set()
        self.organisation = Organisation()

    def __getattr__(self, kind: str) -> Callable[..., Thing]:
        if kind not in KINDS:
            raise AttributeError(kind)
        return lambda name, **said: self.thing(kind, name, **said)

    def thing(self, kind: str, name: str, *, contains: str | Iterable[str] = (), **props: Any) -> Thing:
        labels = [contains] if isinstance(contains, str) else contains
        if name in self.assets:
            known = self.assets[name]
            kind, props, labels = known.kind, {**known.props, **props}, {*known.labels, *labels}
        self.assets[name] = identity.asset(kind, name, scope=self.scope, props=props, labels=labels)
        return Thing(self, name)

    def partly(self, *verbs: str) -> World:
        self.unfinished.update(verbs)
        return self

    def graph(self, *, reverse: bool = False) -> Graph:
        evidence = Evidence("test", "test", "declared", scope=self.scope)
        seen: list[Asset | Relation] = [*self.assets.values(), *self.relations]
        observations = [Observation(subject, evidence) for subject in (reversed(seen) if reverse else seen)]
        complete = [Complete(self.scope, verb, "test") for verb in VERBS if verb not in self.unfinished]
        return merge(observations, complete=complete)

    def assessed(
        self, *, acceptances: Iterable[Acceptance] = (), now: float = 0.0, reverse: bool = False
    ) -> Assessment:
        graph = self.graph(reverse=reverse)
        return assess(graph, propagate(graph), self.organisation, acceptances=tuple(acceptances), now=now)

    def findings(self, rule: str = "") -> list[Finding]:
        return [finding for finding in self.assessed().findings if rule in ("", finding.rule)]

    def questions(self, rule: str = "") -> list[tuple[str, str]]:
        """(name of the asset, property or verb asked for)."""
        named = {asset.id: asset.name for asset in self.assets.values()}
        asked = [question for question in self.assessed().questions if rule in ("", question.rule)]
        return [(named[question.asset], question.prop or question.verb) for question in asked]

    def name(self, id: str) -> str:
        return next(asset.name for asset in self.assets.values() if asset.id == id)


class Thing:
    """An asset of a world; any verb adds a relation and gives the same thing back, to go on telling about it."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name

    @property
    def id(self) -> str:
        return self.world.assets[self.name].id

    def __getattr__(self, verb: str) -> Callable[..., Thing]:
        if verb not in VERBS:
            raise AttributeError(verb)

        def relate(other: str | Thing, **said: Any) -> Thing:
            name = other if isinstance(other, str) else other.name
            if name not in self.world.assets or said:
                self.world.thing(said.pop("kind", ENDS.get(verb, "dataset")), name, **said)
            self.world.relations.append(identity.relation(self.id, verb, self.world.assets[name]))
            return self

        return relate
