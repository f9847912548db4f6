"""Graphs of steps that together are an agent: what the functions of their steps use."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.discover.code import effects
from penstock.discover.code.observed.look import Look
from penstock.discover.code.observed.stores import method_calls
from penstock.discover.code.observed.tools import tool_of
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve import Target
from penstock.discover.code.signatures import Site
from penstock.graph import identity
from penstock.graph.vocabulary import Asset

#: Methods that add a step to a graph: its name and then what it does, or the latter alone.
_ADDS = frozenset({"add_node", "addNode"})
#: Links of one chain of calls that are walked back to the graph.
_MOST_LINKS = 60
#: How an agent is linked to what its steps use.
_VERBS = {"model": "uses_model", "tool": "uses_tool", "prompt": "instructed_by", "agent": "delegates_to",
          "vector_store": "retrieves_from"}  # fmt: skip


def make_graph(look: Look, site: Site) -> list[Asset]:
    """The agent that a graph is whose steps use models, tools or agents; other graphs are plain code."""
    line = look.line(site.path, site.call)
    name = look.symbol_name(site.path, site.call)
    used: dict[str, Asset] = {}
    for method, call in _called_on(look, site):
        row = look.resolver.modules[site.path].expressions[call]
        if method == "compile":
            name = look.resolver.modules[site.path].name_of.get(call, name)
        elif row[3]:
            for target in look.resolver.follow(site.path, row[3][1] if len(row[3]) > 1 else row[3][0]):
                used |= {asset.id: asset for asset in _used_by(look, target)}
    if not any(asset.kind in ("model", "tool", "agent") for asset in used.values()):
        return []
    name = name if name not in ("", "default") else "graph"
    agent = identity.asset("agent", name, scope=look.scope, key=f"{site.path}::{name}", status=status_of(site.path))
    look.say(agent, site.path, line)
    look.link(look.app(site.path, line), "invokes", agent, site.path, line)
    for asset in used.values():
        look.link(agent, _VERBS[asset.kind], asset, site.path, line)
    return [agent]


def _called_on(look: Look, site: Site) -> Iterator[tuple[str, int]]:
    """Calls that add a step to a graph, or finish it."""
    module = look.resolver.modules[site.path]
    for call in module.calls:
        callee = module.expressions[module.expressions[call][2]]
        if callee[0] != "a" or (callee[3] not in _ADDS and callee[3] != "compile"):
            continue
        for target in look.resolver.follow(site.path, callee[2]):
            steps = effects.origins(look.resolver, target, _MOST_LINKS)
            if any((step.path, step.ref) == (site.path, site.call) for step in steps):
                yield str(callee[3]), call


def _used_by(look: Look, step: Target) -> Iterator[Asset]:
    """What a step of a graph uses: a function's models, prompts and stores; an agent; the tools of a node of tools."""
    if step.kind == "function":
        for path, scope in sorted(effects.effects_of(look.resolver, step.path, step.ref).scopes):
            calls = list(effects.calls_in(look.resolver.modules[path], scope))
            sites = [look.sites.get((path, call)) for call in calls]
            sites += [look.site_of(target) for _, target in method_calls(look, path, calls, plain=True)]
            for made in sites:
                yield from (a for a in look.make(made) if a.kind in _VERBS and a.kind != "tool") if made else ()
        return
    inner = look.site_of(step) if step.kind == "external" else None
    if inner is not None and inner.row.makes == "passes":
        for target, given in look.named_targets(inner, "tools"):
            yield from tool_of(look, target, given)
    elif inner is not None:
        yield from (asset for asset in look.make(inner) if asset.kind in ("agent", "model"))
