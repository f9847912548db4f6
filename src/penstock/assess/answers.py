"""The six questions about every system: impact, threats, sensitive data, audience, purpose, processes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from penstock.assess.assessment import Answer, Answers
from penstock.assess.facts import Facts, sensitive
from penstock.graph.vocabulary import LABELS, Asset, Evidence, Finding, said_labels

#: Kinds a person asks the six questions about.
SYSTEMS = ("application", "agent", "assistant", "endpoint", "model", "pipeline", "workspace")


class SixAnswers(Mapping[str, Answers]):
    """System id → its answers, worked out when they are read: of a large organisation a person reads a few."""

    def __init__(self, facts: Facts, findings: Iterable[Finding]) -> None:
        self._facts = facts
        self._threats: dict[str, list[Finding]] = {}
        for finding in findings:
            for id in {finding.subject, *(step.asset for step in finding.path)}:
                self._threats.setdefault(id, []).append(finding)
        self._systems = {asset.id: None for asset in facts.graph.of_kind(*SYSTEMS)}
        self._told: dict[str, Answers] = {}

    def __getitem__(self, system: str) -> Answers:
        if system not in self._told:
            if system not in self._systems:
                raise KeyError(system)
            self._told[system] = _of(self._facts.graph.assets[system], self._facts, self._threats.get(system, []))
        return self._told[system]

    def __iter__(self) -> Iterator[str]:
        return iter(self._systems)

    def __len__(self) -> int:
        return len(self._systems)

    def __reduce__(self) -> tuple[type[dict[str, Answers]], tuple[dict[str, Answers]]]:
        return dict, (dict(self),)


def _of(asset: Asset, facts: Facts, threats: list[Finding]) -> Answers:
    return Answers(
        impact=_impact(asset, facts),
        threats=_threats(threats, asset, facts),
        sensitive_data=_data(asset, facts),
        audience=_said(asset, "audience", facts),
        used_for=_said(asset, "purpose", facts),
        processes=_processes(asset, facts),
    )


def _impact(asset: Asset, facts: Facts) -> Answer:
    """The higher of the criticality of the processes it supports and what its labels weigh; unknown without process."""
    relations = list(facts.graph.out(asset.id, "supports"))
    if not relations:
        return Answer(None, because="nobody said which business process relies on it")
    weights = [(LABELS[label], said_labels([label])) for label in sensitive(facts.labelling.touches(asset.id))]
    for relation in relations:
        process = facts.graph.assets[relation.target]
        if (criticality := process.prop("criticality")) is not None:
            weights.append((int(criticality), f"{process.name} relies on it"))
    value, because = max(weights, default=(1, "it touches no sensitive data"))
    return Answer(value, "inferred", because, _evidence(facts, asset, "supports"))


def _threats(findings: list[Finding], asset: Asset, facts: Facts) -> Answer:
    ordered = sorted(findings, key=lambda finding: (-finding.score, finding.id))
    titles = list(dict.fromkeys(finding.title for finding in ordered))
    reach = facts.of(asset.id).get("reach")
    because = f"reached from: {reach}" if reach else "nobody said who can reach it"
    return Answer(titles, "inferred", because)


def _data(asset: Asset, facts: Facts) -> Answer:
    labels = sensitive(facts.labelling.touches(asset.id))
    proofs = [facts.labelling.proof(asset.id, label) for label in labels]
    origins = sorted({facts.graph.assets[proof[0].asset].name for proof in proofs if proof})
    return Answer(labels, "inferred", f"from {', '.join(origins)}" if origins else "none was seen")


def _said(asset: Asset, prop: str, facts: Facts) -> Answer:
    value = asset.prop(prop)
    claims = facts.graph.claims.get((asset.id, prop), ())
    if value is None:
        return Answer(None, because="nobody said")
    evidence = tuple(evidence for _, evidence in claims)
    confidence = evidence[0].confidence if evidence else "declared"
    return Answer(value, confidence, f"as {evidence[0].collector} says" if evidence else "", evidence)


def _processes(asset: Asset, facts: Facts) -> Answer:
    targets = [facts.graph.assets[r.target] for r in facts.graph.out(asset.id, "supports")]
    if not targets:
        return Answer(None, because="nobody said")
    ids = [process.id for process in sorted(targets, key=lambda process: process.name)]
    return Answer(ids, "declared", ", ".join(sorted(p.name for p in targets)), _evidence(facts, asset, "supports"))


def _evidence(facts: Facts, asset: Asset, verb: str) -> tuple[Evidence, ...]:
    return tuple(
        evidence
        for relation in facts.graph.out(asset.id, verb)
        for evidence in facts.graph.evidence.get(relation.key, ())
    )
