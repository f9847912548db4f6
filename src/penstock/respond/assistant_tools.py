"""What a coding agent may ask the graph: four questions, each answered with the evidence it rests on. It only reads.

The answers hold words that others wrote (names, reasons from scanned trees). They are data for the agent, cleaned of
what hides or steers, and bounded; each answer says where it comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.errors import PenstockError, WrongUse
from penstock.graph.graph import Graph
from penstock.graph.labels import Labelling, propagate
from penstock.graph.store.protocol import Store
from penstock.graph.vocabulary import SENSITIVE, Asset
from penstock.knowledge.providers import AT_HOME
from penstock.respond.approvals import clean
from penstock.respond.people import People
from penstock.settings import Settings

if TYPE_CHECKING:
    from mcp.server import MCPServer

#: Rows in one answer.
MOST = 25


class Questions:
    """Answers over the graph as it is at the time of asking."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._version = -1
        self._known: tuple[Graph, Labelling, People] | None = None

    def is_approved(self, name: str) -> dict[str, Any]:
        """Whether a model, provider or tool may be used here, who said so, and whom to ask if not."""
        graph, _, people = self._now()
        found = _named(graph, name, {"model", "provider", "tool", "mcp_server"})
        sanctioned = self._settings.organisation.sanctioned_providers
        rows = []
        for asset in found:
            word = asset.prop("sanction")
            provider = str(asset.prop("provider") or (asset.name if asset.kind == "provider" else ""))
            if word in ("sanctioned", "unsanctioned", "tolerated"):
                answer, why = str(word), self._who_said(graph, asset, "sanction")
            elif provider and sanctioned is not None:
                listed = provider.casefold() in {p.casefold() for p in sanctioned} | AT_HOME
                answer = "sanctioned" if listed else "unsanctioned"
                why = f"the operator's list of providers {'holds' if listed else 'does not hold'} {provider}"
            else:
                answer, why = "unknown", "nobody has said"
            approver, approver_why = people.approval(asset.id)
            ask = f"{people.name(approver)} ({approver_why})" if approver else "nobody could be found"
            rows.append(_about(asset) | {"approved": answer, "why": clean(why), "ask": clean(ask)})
        return _answer(rows, name, "Request it: POST /api/v1/approvals, or the console's Approvals page")

    def who_owns(self, name: str) -> dict[str, Any]:
        """Who answers for an asset, why, and who claims otherwise."""
        graph, _, people = self._now()
        rows = []
        for asset in _named(graph, name, ()):
            owner = people.owner(asset.id)
            row = {"owner": owner.name or "unknown", "why": owner.why, "others": [str(c) for c in owner.conflicts]}
            rows.append(_about(asset) | row)
        return _answer(rows, name, "Name an owner in ai-system.yaml or CODEOWNERS")

    def may_see(self, name: str) -> dict[str, Any]:
        """Which sensitive data an agent or application may see, and the shortest way it comes there."""
        graph, labelling, people = self._now()
        rows = []
        for asset in _named(graph, name, {"agent", "application", "assistant", "model"}):
            ways = {
                label: " → ".join(clean(people.name(step.asset), 120) for step in labelling.proof(asset.id, label))
                for label in sorted(labelling.touches(asset.id) & SENSITIVE)
            }
            rows.append(_about(asset) | {"exposure": asset.prop("exposure") or "unknown", "may_see": ways})
        return _answer(rows, name, "What is not listed is not known to reach it, as far as was scanned")

    def must_change(self, name: str) -> dict[str, Any]:
        """Open findings about an asset or its repository, worst first, each with its fix."""
        graph, _, _ = self._now()
        meant = {asset.id for asset in _named(graph, name, ())}
        scopes = {asset.scope for asset in graph.assets.values() if asset.scope.removeprefix("repo:") == name.strip()}
        rows = []
        for finding in self._store.findings():
            subject = graph.assets.get(finding.subject)
            on_it = {finding.subject, finding.fix_at, *(step.asset for step in finding.path)} & meant
            if on_it or (subject is not None and subject.scope in scopes):
                rows.append({
                    "finding": finding.id, "rule": finding.rule, "severity": finding.severity,
                    "what": clean(finding.explanation), "fix": clean(finding.fix),
                    "change": clean(graph.assets[finding.fix_at].name) if finding.fix_at in graph.assets else "",
                })  # fmt: skip
        return _answer(rows, name, "penstock explain RULE says why it matters")

    def _now(self) -> tuple[Graph, Labelling, People]:
        version = self._store.graph_version()
        if self._known is None or version != self._version:
            graph = self._store.graph()
            self._known, self._version = (graph, propagate(graph), People(graph, self._settings)), version
        return self._known

    @staticmethod
    def _who_said(graph: Graph, asset: Asset, prop: str) -> str:
        said = [evidence for _, evidence in graph.claims.get((asset.id, prop), ())]
        return "; ".join(f"{e.collector.removeprefix('person:')}: {' '.join(e.chain) or e.where}" for e in said[:3])


def server(store: Store, settings: Settings) -> MCPServer:
    """The MCP server with the four questions as tools.

    Raises:
        WrongUse: the extra is not installed.
    """
    try:
        from mcp.server import MCPServer
        from mcp_types import ToolAnnotations
    except ImportError as error:
        hint = "pip install 'penstock[mcp]'"
        raise WrongUse("Serving MCP needs the extra 'mcp'", "penstock mcp serve", hint) from error
    questions = Questions(store, settings)
    made = MCPServer("penstock", instructions="Ask about the AI assets of this organisation; answers are facts.")
    for ask in (questions.is_approved, questions.who_owns, questions.may_see, questions.must_change):
        made.add_tool(
            ask, name=ask.__name__, description=ask.__doc__,
            annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False),
        )  # fmt: skip
    return made


def serve(store: Store, settings: Settings) -> None:
    """Answer on standard input and output until the other side hangs up."""
    server(store, settings).run()


def _named(graph: Graph, name: str, kinds: set[str] | tuple[()]) -> list[Asset]:
    """Assets that go by a name or id, exactly or as its end (``org/name`` → ``name``); the exact ones win."""
    wanted = name.strip().casefold()
    if not wanted or len(wanted) > 300:
        raise PenstockError("A name of 1 to 300 letters is needed", "name")
    pool = [a for a in graph.assets.values() if a.lifecycle != "retired" and (not kinds or a.kind in kinds)]
    exact = [a for a in pool if wanted in (a.id, a.name.casefold())]
    found = exact or [a for a in pool if a.name.casefold().endswith(f"/{wanted}")]
    return sorted(found, key=lambda a: (a.kind, a.scope, a.id))[:MOST]


def _about(asset: Asset) -> dict[str, Any]:
    return {"id": asset.id, "kind": asset.kind, "name": clean(asset.name, 200), "where": clean(asset.scope, 200)}


def _answer(rows: list[dict[str, Any]], name: str, hint: str) -> dict[str, Any]:
    if not rows:
        unknown = f"Nothing is known of {clean(name, 100)!r}; unknown is not the same as no"
        return {"known": False, "answer": unknown, "next": hint}
    return {"known": True, "answer": rows[:MOST], "more": max(0, len(rows) - MOST), "next": hint}
