"""How much an agent may do by itself: factors of agency, each 0, 0.5 (unknown or in part) or 1, with the reason.

The factors are those of OWASP's agentic scoring that a graph can show. They order findings inside their band; they are
no multiplier, because a factor must never make a flaw look smaller than it is without an agent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.assess.facts import Facts

_ACTORS = frozenset({"agent", "assistant"})
#: Effects that cannot simply be taken back.
_LASTING = frozenset({"delete", "exec", "email", "money", "deploy", "physical"})
_TOOLS = {1.0: "its tools act for good", 0.5: "what its tools do can be undone", 0.0: "no tool acts"}


def agency_of(facts: Facts, id: str) -> float:
    """The share (0 to 1) of the factors that an asset has."""
    if id not in facts.agencies:
        worths = [worth for worth, _ in factors_of(facts, id).values()]
        facts.agencies[id] = sum(worths) / len(worths) if worths else 0.0
    return facts.agencies[id]


def factors_of(facts: Facts, id: str) -> dict[str, tuple[float, str]]:
    """Factor → (worth, why) of an agent or assistant; empty for everything else."""
    graph, asset = facts.graph, facts.graph.assets[id]
    if asset.kind not in _ACTORS:
        return {}
    name, autonomy = asset.name, asset.prop("autonomy")
    effects = {
        effect
        for relation in graph.out(id, "uses_tool", "connects_to")
        for effect in graph.assets[relation.target].prop("effects") or ()
    }
    tools = 1.0 if effects & _LASTING else 0.5 if effects else 0.0
    memory = float(any(graph.out(id, "remembers_in")))
    delegates = float(any(graph.out(id, "delegates_to")))
    return {
        "autonomy": (
            {"act": 1.0, "suggest": 0.0}.get(str(autonomy), 0.5),
            {"act": f"{name} acts by itself", "suggest": f"{name} only suggests"}.get(
                str(autonomy), f"nobody said whether {name} acts by itself"
            ),
        ),
        "tools": (
            tools,
            {1.0: "its tools act for good", 0.5: "what its tools do can be undone"}.get(tools, "no tool acts"),
        ),
        "memory": (memory, "it remembers" if memory else "it keeps no memory"),
        "delegation": (delegates, "it hands work on" if delegates else "it hands no work on"),
    }
