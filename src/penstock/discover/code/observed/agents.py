"""Agents, and what each was given: model, prompt, tools, other agents, guards, servers."""

from __future__ import annotations

import posixpath

from penstock.discover.code.ir import NAME, PARENT
from penstock.discover.code.observed.containers import kernels_of
from penstock.discover.code.observed.guards import say_guard
from penstock.discover.code.observed.look import Look
from penstock.discover.code.observed.models import models_at
from penstock.discover.code.observed.prompts import prompts_of
from penstock.discover.code.observed.tools import said_tool, tool_of
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve import Module, Target
from penstock.discover.code.signatures import Site, last_name, match, provider_of
from penstock.graph import identity
from penstock.graph.vocabulary import Asset


def make_agent(look: Look, site: Site) -> list[Asset]:
    if site.row.weak and agents_beside(look, site):
        return []
    line = look.line(site.path, site.call)
    module = look.resolver.modules[site.path]
    marked = str(module.scopes[site.decorated][NAME]) if site.decorated >= 0 and not site.row.extends else ""
    symbol = marked or look.symbol_name(site.path, site.call)
    names = [t for t in look.texts(site, "name") if t.value and len(t.value) < 120]
    name = str(names[0].value) if names else symbol or last_name(site.symbol)
    key = f"{site.path}::{symbol or name}"
    known = [a for (p, _), made in look.made.items() if p == site.path for a in made if a.kind == "agent"]
    if any(identity.issue("agent", look.scope, key) == a.id for a in known):
        key = f"{key}::{name}"
    agent = identity.asset("agent", name, scope=look.scope, key=key, status=status_of(site.path))
    look.made[(site.path, site.call)] = [agent]
    look.say(agent, site.path, line)
    if marked:
        say_marked(look, site, agent, line)
    look.link(look.app(site.path, line), "invokes", agent, site.path, line)
    provider = provider_of(site.row, site.symbol)
    models = models_at(look, site, look.argument(site, "model"), provider, "", None)
    if not look.argument(site, "model"):
        for target in look.targets(site, "model"):
            models += look.assets_of(target, "model")
    for target in look.targets(site, "model"):
        if inner := look.site_of(target):
            look.owned.add((inner.path, inner.call))
    if not models and not look.argument(site, "model"):
        for asked in site.row.asks:
            models += [m for s in look.registered(asked, site.path) for m in look.make(s) if m.kind == "model"]
    of_kernel, tools = kernels_of(look, site)
    for tool in tools:
        look.link(agent, "uses_tool", tool, site.path, line)
    for model in (*models, *of_kernel):
        look.link(agent, "uses_model", model, site.path, line)
    for prompt in agent_prompts(look, site):
        look.link(agent, "instructed_by", prompt, site.path, line)
    for target, given in wired_to(look, site, "tools", module):
        wire_tool(look, site, agent, target, given, line)
    for target, _ in wired_to(look, site, "delegates", module):
        for other in delegates_of(look, target):
            look.link(agent, "delegates_to", other, site.path, line)
    for role, prop in (("input_guards", "input_filter"), ("output_guards", "output_filter")):
        for target, _ in wired_to(look, site, role, module):
            say_guard(look, site, agent, target, prop, line)
    for store in (s for target in look.targets(site, "store") for s in look.assets_of(target, "vector_store")):
        look.link(agent, "retrieves_from", store, site.path, line)
        for target in look.targets(site, "embedding"):
            for model in look.assets_of(target, "model"):
                look.link(store, "embedded_by", model, site.path, line)
    for target in look.targets(site, "servers"):
        for server in look.assets_of(target, "mcp_server"):
            look.link(agent, "connects_to", server, site.path, line)
    return [agent]


def say_marked(look: Look, site: Site, agent: Asset, line: int) -> None:
    """What the methods of an interface that a container makes an agent of say: their prompts; and all tools around."""
    scopes = look.resolver.modules[site.path].scopes
    for other in list(look.sites.values()):
        if other.path == site.path and other.decorated >= 0 and scopes[other.decorated][PARENT] == site.decorated:
            if other.row.makes == "prompt":
                for prompt in look.make(other):
                    look.link(agent, "instructed_by", prompt, site.path, line)
            elif other.row.makes == "passes":  # @ToolBox(OrderTools.class)
                for target, given in look.named_targets(other, "tools"):
                    wire_tool(look, site, agent, target, given, line)
        elif other.row.makes == "tool" and other.decorated >= 0 and site.row.asks and not look.argument(site, "tools"):
            for tool in look.make(other):
                look.link(agent, "uses_tool", tool, site.path, line)
    for model in look.configured if site.row.asks else ():
        if model.props.get("role") != "embedding":
            look.link(agent, "uses_model", model, site.path, line)


def agents_beside(look: Look, site: Site) -> bool:
    """Whether code of the same folder makes an agent, which a description of one in it (a card) then is."""
    folder = posixpath.dirname(site.path)
    return any(
        other.row.makes == "agent" and not other.row.weak and posixpath.dirname(other.path) == folder
        for other in look.sites.values()
    )


def agent_prompts(look: Look, site: Site) -> list[Asset]:
    return prompts_of(look, site, "instructions", "instructions")


def wire_tool(look: Look, site: Site, agent: Asset, target: Target, given: str, line: int) -> None:
    tools = tool_of(look, target, given)
    for tool in tools:
        look.link(agent, "uses_tool", tool, site.path, line)
    if tools:
        return
    language = look.resolver.modules[site.path].language
    if target.kind == "external" and target.ref < 0 and (row := match(target.symbol, language)) and row.hosted:
        ready = said_tool(look, last_name(target.symbol), site.path, line, None)  # a ready-made tool of the package
        look.link(agent, "uses_tool", ready, site.path, line)
        return
    inner = look.site_of(target) if target.kind == "external" else None
    if inner is not None and inner.row.makes in ("agent", "passes"):  # agent.as_tool(…), AgentTool(agent)
        for other in look.assets_of(target, "agent"):
            look.link(agent, "delegates_to", other, site.path, line)
    elif inner is not None and inner.row.makes == "mcp_client":
        for server in look.make(inner):
            look.link(agent, "connects_to", server, site.path, line)
    elif target.kind not in ("value",):
        look.open_wiring = True


def wired_to(look: Look, site: Site, role: str, module: Module) -> list[tuple[Target, str]]:
    """What an agent was given in a role: by argument, by a later assignment, or by append and extend."""
    found = list(look.named_targets(site, role))
    places = {str(place).rpartition(".")[2] for place in site.row.args.get(role, ()) if not isinstance(place, int)}
    symbol = module.name_of.get(site.call, "")
    if not places or not symbol:
        return found
    for attr in sorted(places):
        for other, row in look.backwards.sets(attr):
            if is_site(look, other.path, row[1], site, symbol):
                for target in look.resolver.follow(other.path, row[3]):
                    found += [(inner, "") for inner in look.opened(target)]
        for other, call in look.backwards.growth(attr):
            holder = other.expressions[other.expressions[call][2]][2]
            base = other.expressions[holder]
            if base[0] == "a" and base[3] == attr and is_site(look, other.path, base[2], site, symbol):
                for argument in other.expressions[call][3]:
                    for target in look.resolver.follow(other.path, argument):
                        found += [(inner, "") for inner in look.opened(target)]
    return found


def is_site(look: Look, path: str, expression: int, site: Site, symbol: str) -> bool:
    return any(
        t.kind in ("external", "instance") and t.ref == site.call and (t.path == site.path or t.symbol == site.path)
        for t in look.resolver.follow(path, expression)
    )


def delegates_of(look: Look, target: Target) -> list[Asset]:
    found = look.assets_of(target, "agent")
    if not found and target.kind == "external":
        look.open_wiring = True
    names = {text.value for text in look.resolver.text_of(target)} if target.kind == "value" else set()
    return found or agents_named(look, names - {None})


def agents_named(look: Look, names: set[str | None]) -> list[Asset]:
    """The agents of a source that are given one of these names, where one is handed over to by its name."""
    if not names:
        return []
    named = [site for site in look.sites.values() if site.row.makes == "agent" and "name" in site.row.args]
    sites = [site for site in named if names & {text.value for text in look.texts(site, "name")}]
    return [asset for site in sites for asset in look.make(site) if asset.kind == "agent" and asset.name in names]
