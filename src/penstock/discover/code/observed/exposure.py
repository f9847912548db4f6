"""Tools and prompts that a server or an agent exposes."""

from __future__ import annotations

from penstock.discover.code.ir import DECORATORS, PARENT
from penstock.discover.code.observed.look import Look
from penstock.discover.code.resolve import Target, Text
from penstock.discover.code.signatures import Site
from penstock.graph import identity
from penstock.graph.vocabulary import Asset


def receivers_of(look: Look, site: Site) -> list[Asset]:
    module = look.resolver.modules[site.path]
    row = module.expressions[site.call]
    callee = row[2] if row[0] == "c" else site.call
    found: dict[str, Asset] = {}
    for target in look.resolver.follow(site.path, callee):
        if target.kind == "external" and target.ref >= 0:
            for asset in look.assets_of(target, "mcp_server", "agent"):
                found[asset.id] = asset
    if site.decorated >= 0:  # a method of a class that is a server
        owner = module.scopes[site.decorated][PARENT]
        if owner > 0 and (held := look.class_site(site.path, owner)):
            found |= {asset.id: asset for asset in look.make(held) if asset.kind == "mcp_server"}
    for target in look.targets(site, "server"):  # AddTool(server, …)
        found |= {asset.id: asset for asset in look.assets_of(target, "mcp_server")}
    return list(found.values())


def say_exposed(look: Look, site: Site) -> None:
    """A tool or prompt object that a low-level server's ``list_tools`` returns is exposed by that server."""
    module = look.resolver.modules[site.path]
    row = module.expressions[site.call]
    for function in look.resolver.enclosing(site.path, row[5] if row[0] == "c" else 0):
        for decorator in module.scopes[function][DECORATORS]:
            inner = module.expressions[decorator]
            for target in look.resolver.follow(site.path, inner[2] if inner[0] == "c" else decorator):
                if target.kind == "external" and target.symbol.endswith((".list_tools", ".list_prompts")):
                    exposed_by(look, site, target)


def exposed_by(look: Look, site: Site, target: Target) -> None:
    line = look.line(site.path, site.call)
    for server in look.assets_of(target, "mcp_server"):
        for text in look.texts(site, "name")[:1]:
            if text.value and site.row.makes == "tool":
                tool = identity.asset("tool", text.value, scope=look.scope, key=tool_key(look, site, text))
                look.link(server, "exposes_tool", tool, site.path, line)


def tool_key(look: Look, site: Site, text: Text) -> str:
    line = look.line(site.path, site.call)
    far = text.chain and text.line and not (text.path == site.path and abs(text.line - line) <= 6)
    return f"{text.path if far else site.path}::{text.value}"
