"""What a report is made of, and the questions every format asks of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from penstock.assess.assessment import Assessment, Fix
from penstock.graph import identity
from penstock.graph.bystanders import bystanders
from penstock.graph.diff import Changes
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling
from penstock.graph.store.protocol import Acceptance
from penstock.graph.vocabulary import (
    AI_KINDS,
    CONTEXT_KINDS,
    DATA_KINDS,
    LABELS,
    SEVERITIES,
    Asset,
    Case,
    Evidence,
    Finding,
    Step,
    Unseen,
)
from penstock.report.clean import clean

#: The order in which kinds are told: what acts, what it thinks with, what it is told, what it uses, data, the rest.
KIND_ORDER: tuple[str, ...] = (
    "application", "agent", "assistant", "model", "endpoint", "provider", "prompt", "tool", "mcp_server", "skill",
    "rules_file", "hook", "guardrail", "framework", "pipeline", "registry", "workspace",
    "dataset", "knowledge_base", "vector_store", "data_store", "log_store", "memory", "content_source",
    "infrastructure", "hardware", "image", "package", "identity", "credential", "repository",
    "process", "team", "person", "decision",
)  # fmt: skip
#: Not things of an AI inventory but people, decisions and the work they serve.
PEOPLE_KINDS = frozenset({"team", "person", "process", "decision"})


@dataclass(frozen=True, slots=True)
class Gate:
    """How a scan ended: whether a finding was severe enough to stop for, and whether something failed to be seen.

    Both can be true at once; the exit code tells only the first.
    """

    fail_on: str
    reached: bool
    failed: bool

    @property
    def exit_code(self) -> int:
        """1 gate reached (wins) · 3 something could not be seen · 0 nothing to act on."""
        return 1 if self.reached else 3 if self.failed else 0


@dataclass(frozen=True)
class Report:
    """Everything a report may say, at one time.

    Args:
        sources: names of what was looked at (``repo:shop/assistant``).
        generated_at: seconds since the epoch; given, so that the same input makes the same bytes.
        version: version of Penstock.
        changes: what is new since the last time; None when there was none.
        owners: asset id → name of its owner, as somebody who weighed every claim says (``respond.people``).
        gate: how the scan that this report ends went; None when no scan was run for it.
        acceptances: people's decisions to live with findings.
    """

    graph: Graph
    labelling: Labelling
    assessment: Assessment = field(default_factory=Assessment)
    cases: tuple[Case, ...] = ()
    changes: Changes | None = None
    sources: tuple[str, ...] = ()
    generated_at: float = 0.0
    version: str = ""
    owners: Mapping[str, str] = field(default_factory=dict)
    gate: Gate | None = None
    acceptances: tuple[Acceptance, ...] = ()

    @cached_property
    def inventory(self) -> tuple[Asset, ...]:
        """AI assets, data, and what they touch: kinds in telling order, then by name. Retired assets are history."""
        ends = {
            end
            for r in self.graph.relations
            for end, other in ((r.source, r.target), (r.target, r.source))
            if self.kind(other) in AI_KINDS
        }
        beside = bystanders(self.graph)
        listed = (
            asset
            for asset in self.graph.assets.values()
            if asset.lifecycle != "retired"
            and asset.kind not in PEOPLE_KINDS
            and asset.id not in beside
            and (asset.kind in AI_KINDS or asset.kind not in CONTEXT_KINDS or asset.id in ends)
        )
        return tuple(sorted(listed, key=lambda a: (kind_order(a.kind), a.name.casefold(), a.scope, a.id)))

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many assets of each kind the inventory holds, in telling order."""
        counted = Counter(asset.kind for asset in self.inventory)
        return {kind: counted[kind] for kind in sorted(counted, key=kind_order)}

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Open findings, worst first."""
        return tuple(sorted(self.assessment.findings, key=_worst_first))

    @cached_property
    def accepted(self) -> tuple[Finding, ...]:
        return tuple(sorted(self.assessment.accepted, key=_worst_first))

    @cached_property
    def by_severity(self) -> Mapping[str, int]:
        """How many open findings of each severity, worst first; severities without one are left out."""
        counted = Counter(finding.severity for finding in self.findings)
        return {severity: counted[severity] for severity in reversed(SEVERITIES) if counted[severity]}

    def top(self, number: int) -> tuple[Finding, ...]:
        """The findings that matter most, one a case: three views of one cause are not three risks."""
        chosen: dict[str, Finding] = {}
        for finding in self.findings:
            case = self.case_of.get(finding.id)
            chosen.setdefault(case.id if case else finding.root or finding.id, finding)
        return tuple(chosen.values())[:number]

    @cached_property
    def case_of(self) -> Mapping[str, Case]:
        """Finding id → the case it belongs to: where a finding has moved to another cause, the one that is open."""
        closed_first = sorted(self.cases, key=lambda case: case.state != "resolved")
        return {finding: case for case in closed_first for finding in case.findings}

    @cached_property
    def fix_of(self) -> Mapping[str, Fix]:
        """Finding id → the one change that closes most along with it; accepted findings have none."""
        return {finding: fix for fix in self.assessment.fixes for finding in fix.findings}

    def acceptance_of(self, finding: Finding) -> Acceptance | None:
        """The decision that a finding is lived with: the one that lasts longest."""
        made = [decided for decided in self.acceptances if decided.finding == finding.id]
        return max(made, key=lambda decided: decided.until, default=None)

    @cached_property
    def failures(self) -> tuple[Unseen, ...]:
        """What could not be seen although it should have been."""
        return tuple(unseen for unseen in sorted(self.graph.unseen, key=_unseen_order) if not unseen.skipped)

    @cached_property
    def skipped(self) -> tuple[Unseen, ...]:
        """What was left out on purpose."""
        return tuple(unseen for unseen in sorted(self.graph.unseen, key=_unseen_order) if unseen.skipped)

    def kind(self, asset: str) -> str:
        known = self.graph.assets.get(asset)
        return known.kind if known else ""

    def name(self, asset: str) -> str:
        """The asset's name for a reader; its id when the graph does not know it."""
        known = self.graph.assets.get(asset)
        return clean(known.name) if known else clean(asset)

    def owner(self, asset: str) -> str:
        """Name of the owner of an asset: as ``owners`` says, else its own, else its application's; "" when unknown."""
        if asset in self.owners:
            return self.owners[asset]
        known = self.graph.assets.get(asset)
        places = (asset, identity.application(known.scope).id) if known and known.scope else (asset,)
        for place in places:
            for relation in self.graph.out(place, "owned_by"):
                return self.name(relation.target)
        return ""

    def owner_of(self, finding: Finding) -> str:
        """Name of who answers for a finding: its case's owner, else its subject's."""
        case = self.case_of.get(finding.id)
        return self.name(case.owner) if case and case.owner else self.owner(finding.subject)

    def place(self, asset: str) -> str:
        """Where a reader can see the asset for themselves: the strongest evidence."""
        evidence = self.graph.evidence.get(asset, ())
        return self.where(evidence[0]) if evidence else ""

    def where(self, evidence: Evidence) -> str:
        """The place that evidence names, below its source's name when there is more than one source."""
        return self._below(evidence.scope, evidence.where)

    def unseen_at(self, unseen: Unseen) -> str:
        """The place of what was not seen, below its source's name when there is more than one source."""
        return self._below(unseen.scope, unseen.where)

    def _below(self, scope: str, where: str) -> str:
        source = self._source_names.get(scope, "")
        if where in ("", ".", scope):
            return source or clean(where)
        if not source or len(self._source_names) < 2 or where.startswith("/") or "://" in where:
            return clean(where)
        return f"{source}/{clean(where)}"

    @cached_property
    def _source_names(self) -> Mapping[str, str]:
        """Scope of each source → the shortest end of its name that no other source has."""
        names = {scope: clean(scope.removeprefix("repo:")) for scope in self.sources if scope.startswith("repo:")}
        last = Counter(name.rpartition("/")[2] for name in names.values())
        return {
            scope: name if last[name.rpartition("/")[2]] > 1 else name.rpartition("/")[2]
            for scope, name in names.items()
        }

    def fix_place(self, finding: Finding) -> str:
        """Where to put a finding right, as a reader can open it: the place of the asset to change."""
        known = self.graph.assets.get(finding.fix_at)
        if known is None:
            return clean(finding.fix_at)
        name, place = clean(known.name), self.place(known.id)
        return f"{name}, {place}" if place not in ("", name) else name

    def only(self, scopes: Iterable[str]) -> Report:
        """The report about some sources: what was seen in them, what that touches, and the risks it takes part in."""
        wanted = frozenset(scopes)
        seen = {asset for asset in self.graph.assets if self.graph.scopes_of(asset) & wanted}
        relations = tuple(r for r in self.graph.relations if self._in(r.key, wanted))
        findings = [f for f in (*self.findings, *self.accepted) if seen & _assets_of(f)]
        ids = {finding.id for finding in findings}
        near = seen | {end for r in relations for end in (r.source, r.target)}
        near |= {asset for finding in findings for asset in _assets_of(finding)}
        graph = replace(
            self.graph,
            assets={id: asset for id, asset in self.graph.assets.items() if id in near},
            relations=tuple(r for r in self.graph.relations if r.source in near and r.target in near),
            complete=frozenset(pair for pair in self.graph.complete if pair[0] in wanted),
            unseen=tuple(u for u in self.graph.unseen if u.scope in wanted or not u.scope),
        )
        assessment = replace(
            self.assessment,
            findings=tuple(f for f in self.assessment.findings if f.id in ids),
            accepted=tuple(f for f in self.assessment.accepted if f.id in ids),
            questions=tuple(q for q in self.assessment.questions if q.asset in seen),
            paths=tuple(p for p in self.assessment.paths if seen & {hop.asset for hop in p.hops}),
            answers={asset: answers for asset, answers in self.assessment.answers.items() if asset in seen},
        )
        cases = tuple(case for case in self.cases if ids & set(case.findings))
        return replace(self, graph=graph, assessment=assessment, cases=cases, sources=tuple(sorted(wanted)))

    def _in(self, relation: tuple[str, str, str], scopes: frozenset[str]) -> bool:
        return any(evidence.scope in scopes for evidence in self.graph.evidence.get(relation, ()))

    def hop_evidence(self, before: str, step: Step) -> tuple[Evidence, ...]:
        """Evidence for one hop of a path, whichever way round it was walked."""
        ends = (before, step.asset) if step.forward else (step.asset, before)
        return self.graph.evidence.get((ends[0], step.verb, ends[1]), ())

    def labels(self, asset: str) -> tuple[str, ...]:
        """Data categories the asset contains or sees, gravest first."""
        return by_weight(self.labelling.touches(asset))


def by_weight(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels, gravest first; marks such as ``public`` after them."""
    return tuple(sorted(labels, key=lambda label: (-LABELS.get(label, 0), label)))


def kind_order(kind: str) -> int:
    return KIND_ORDER.index(kind) if kind in KIND_ORDER else len(KIND_ORDER)


def is_ai(kind: str) -> bool:
    return kind in AI_KINDS


def is_data(kind: str) -> bool:
    return kind in DATA_KINDS


#: Plurals that are not the word with an s.
_PLURALS = {
    "hardware": "hardware",
    "identity": "identities",
    "infrastructure": "infrastructure",
    "mcp_server": "MCP servers",
    "memory": "memories",
    "person": "people",
    "process": "processes",
    "registry": "registries",
    "repository": "repositories",
}


def words(kind: str, number: int = 1) -> str:
    """A kind as a reader says it: ``vector store``, ``MCP servers``."""
    if number == 1:
        return kind.replace("mcp_", "MCP ").replace("_", " ")
    return _PLURALS.get(kind, f"{kind.replace('_', ' ')}s")


def _assets_of(finding: Finding) -> frozenset[str]:
    return frozenset((finding.subject, *(step.asset for step in finding.path)))


def _worst_first(finding: Finding) -> tuple[int, float, str]:
    return -SEVERITIES.index(finding.severity), -finding.score, finding.id


def _unseen_order(unseen: Unseen) -> tuple[str, str, str, str]:
    return unseen.scope, unseen.where, unseen.what, unseen.why
