"""Guardrails, and what they guard."""

from __future__ import annotations

from penstock.discover.code import effects
from penstock.discover.code.ir import LINE, NAME
from penstock.discover.code.observed.look import Look
from penstock.discover.code.observed.tools import made_by_decorator
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve import Target
from penstock.discover.code.signatures import Site, last_name
from penstock.graph import identity
from penstock.graph.vocabulary import Asset


def make_guard(look: Look, site: Site) -> list[Asset]:
    line = look.line(site.path, site.call)
    functions = [t for t in look.targets(site, "function") if t.kind == "function"]
    names = [t.value for t in look.texts(site, "name") if t.value]
    if functions:
        inner = look.resolver.modules[functions[0].path].scopes[functions[0].ref]
        name = names[0] if names else inner[NAME]
        return [said_guardrail(look, str(name), site.path, line, (functions[0].path, functions[0].ref))]
    guard = said_guardrail(look, names[0] if names else site.row.name or last_name(site.symbol), site.path, line, None)
    if site.row.name:
        look.link(look.app(site.path, line), "guarded_by", guard, site.path, line)
    return [guard]


def make_guard_function(look: Look, site: Site) -> list[Asset]:
    if site.decorated < 0:
        return []
    scope = look.resolver.modules[site.path].scopes[site.decorated]
    names = [t.value for t in look.texts(site, "name") if t.value]
    return [
        said_guardrail(look, names[0] if names else scope[NAME], site.path, scope[LINE], (site.path, site.decorated))
    ]


def say_guard(look: Look, site: Site, agent: Asset, target: Target, prop: str, line: int) -> None:
    guards = made_by_decorator(look, target) if target.kind == "function" else look.assets_of(target, "guardrail")
    if target.kind == "function" and not guards:
        scope = look.resolver.modules[target.path].scopes[target.ref]
        guards = [said_guardrail(look, scope[NAME], target.path, scope[LINE], (target.path, target.ref))]
    if not guards:
        look.open_wiring = True
    for guard in guards:
        marked = identity.asset("guardrail", guard.name, scope=look.scope, props={**guard.props, prop: True})
        look.say(_with_id(marked, guard), site.path, line)
        look.link(agent, "guarded_by", guard, site.path, line)


def said_guardrail(look: Look, name: str, path: str, line: int, function: tuple[str, int] | None) -> Asset:
    if function in look.guards and function is not None:
        return look.guards[function]
    guard = identity.asset("guardrail", name, scope=look.scope, key=f"{path}::{name}", status=status_of(path))
    look.say(guard, path, line)
    if function is not None:
        look.guards[function] = guard
        module = look.resolver.modules[function[0]]
        for call in effects.calls_in(module, function[1]):
            for argument in module.expressions[call][3][:2]:
                for target in look.resolver.follow(function[0], argument):
                    for agent in look.assets_of(target, "agent"):
                        look.link(guard, "invokes", agent, function[0], module.line(call))
    return guard


def _with_id(marked: Asset, original: Asset) -> Asset:
    return Asset(original.id, original.kind, original.name, original.scope, marked.props, status=original.status)
