"""Tools that a model is given, with the effects of their code and what they read and write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from penstock.discover.code import effects
from penstock.discover.code.effect_rows import said_effect
from penstock.discover.code.ir import CLASS, DECORATORS, FUNCTION, KIND, LINE, NAME, PARENT
from penstock.discover.code.observed.data import database
from penstock.discover.code.observed.exposure import say_exposed
from penstock.discover.code.observed.look import Look
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve import Module, Target
from penstock.discover.code.signatures import Site, argument, last_name
from penstock.graph import identity
from penstock.graph.vocabulary import Asset

#: Methods that do a tool's work, where a tool is a class.
_DOES = frozenset({"execute", "doExecute", "invoke", "call", "run"})
#: Where calls that make tools are given a description, whatever the package.
_DESCRIPTIONS = (
    "description", "Description", "0.description", "1.description", "0.Description", "1.Description",
    "withDescription", "for",
)  # fmt: skip


def make_tool(look: Look, site: Site) -> list[Asset]:
    line = look.line(site.path, site.call)
    if site.decorated >= 0:
        scope = look.resolver.modules[site.path].scopes[site.decorated]
        named = [t.value for t in look.texts(site, "name") if t.value]
        name = named[0] if named else spelled(scope[NAME], site.row.spelled)
        return [said_tool(look, str(name), site.path, scope[LINE], (site.path, site.decorated))]
    if site.row.hosted:
        parts = re.split(r"[.()]+", site.symbol)
        ready = next((part for part in reversed(parts) if part[:1].isupper()), last_name(site.symbol))
        tool = said_tool(look, ready, site.path, line, None)
        for target in look.targets(site, "database"):
            for address in effects.addresses(look.resolver, target):
                for effect in ("read", "write"):
                    say_query(look, tool, effects.Query(effect, "", f"{site.path}:{line}", address))
        return [tool]
    functions = [t for t in look.targets(site, "function") if t.kind == "function"]
    names = [t for t in look.texts(site, "name") if t.value]
    if names:
        where = names[0]
        at = (where.path, where.line) if where.chain and where.line else (site.path, line)
        if where.path == site.path and abs(where.line - line) <= 6:
            at = (site.path, line)
    else:
        at = (site.path, line)
    function = (functions[0].path, functions[0].ref) if functions else None
    if names and function is None:
        function = method_named(look, site, str(names[0].value))
    keys = look.keys_of(site) if not site.row.args.get("name") else []
    if keys:  # several callers may call it each by a name of their own
        found = [said_tool(look, key, site.path, line, function, described(look, site)) for key in keys]
    elif names:
        found = [said_tool(look, str(t.value), *at, function, described(look, site)) for t in names[:1]]
    elif look.argument(site, "name") and not functions:
        leave_open(look, site)
        found = []
    elif functions and not (look.argument(site, "name")):
        inner = look.resolver.modules[functions[0].path].scopes[functions[0].ref]
        name = inner[NAME] or look.symbol_name(site.path, site.call)
        found = [said_tool(look, str(name), site.path, line, function, described(look, site))] if name else []
    elif (owner := class_of(look, site)) and not look.argument(site, "name"):
        module = look.resolver.modules[site.path]
        does = next((n for n in methods_of(module, owner) if module.scopes[n][NAME] in _DOES), -1)
        name = str(module.scopes[owner][NAME])
        found = [said_tool(look, name, site.path, line, (site.path, does) if does >= 0 else None)] if name else []
    elif not look.argument(site, "name") and (
        name := written_name(look, site) or look.symbol_name(site.path, site.call)
    ):
        found = [said_tool(look, name, site.path, line, function, described(look, site))]
    else:
        found = []
    for agent in agents_in(look, site, "function"):
        for tool in found:
            look.link(tool, "invokes", agent, site.path, line)
    for agent in agents_in(look, site, "caller"):
        for tool in found:
            look.link(agent, "uses_tool", tool, site.path, line)
    say_exposed(look, site)
    return found


def spelled(name: str, how: str) -> str:
    """The name that a package makes of a class's own: ``LookupOrder`` is ``lookup_order``."""
    if not how:
        return name
    sign = "_" if how == "snake_case" else "-"
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", sign, name).lower()


def class_of(look: Look, site: Site) -> int:
    """The class that a site is the superclass of, as a call of its constructor; 0 for other sites."""
    module = look.resolver.modules[site.path]
    row = module.expressions[site.call]
    scope = row[5] if row[0] == "c" else 0
    return int(scope) if scope > 0 and module.scopes[scope][KIND] == CLASS else 0


def written_name(look: Look, site: Site) -> str:
    """The name under which a tool is given a function that lies elsewhere: ``Create(tools.LookupOrder)``."""
    for path, expression, _ in look.argument(site, "function"):
        row = look.resolver.modules[path].expressions[expression]
        if row[0] == "a":
            return str(row[3])
    return ""


def method_named(look: Look, site: Site, name: str) -> tuple[str, int] | None:
    """The method of this name of the class in whose body a tool is described."""
    module = look.resolver.modules[site.path]
    owner = class_of(look, site)
    found = [n for n in methods_of(module, owner) if module.scopes[n][NAME] == name] if owner else []
    return (site.path, found[0]) if found else None


def methods_of(module: Module, scope: int) -> list[int]:
    """The methods of a class."""
    return [n for n, each in enumerate(module.scopes) if each[PARENT] == scope and each[KIND] == FUNCTION]


def made_by_class(look: Look, path: str, scope: int) -> list[Asset]:
    """The tools that a class of the source is, by what it extends."""
    made = [s for s in look.sites.values() if s.path == path and s.row.makes == "tool" and class_of(look, s) == scope]
    return [asset for site in made for asset in look.make(site)]


def leave_open(look: Look, site: Site) -> None:
    """A tool whose name is only known at run time: its agent's wiring is not fully seen."""
    look.open_wiring = True


def agents_in(look: Look, site: Site, role: str) -> list[Asset]:
    return [a for t in look.targets(site, role) if t.kind != "function" for a in look.assets_of(t, "agent")]


def said_tool(
    look: Look, name: str, path: str, line: int, function: tuple[str, int] | None, told: Iterable[str] = ()
) -> Asset:
    """A tool, with the effects of its code, its name and its description, and what it reads and writes."""
    props: dict[str, object] = {}
    found = None
    if function is not None:
        found = look.reach[function] = effects.effects_of(look.resolver, *function)
    seen = dict(found.effects) if found else {}
    for words in (name, *told, *(described_by(look, *function) if function else ())):
        if (effect := said_effect(words)) and (effect not in ("read", "write", "network") or not seen):
            seen.setdefault(effect, f"said by “{words[:40]}”")
    if seen:
        props["effects"] = sorted(seen)
    tool = identity.asset("tool", name, scope=look.scope, key=f"{path}::{name}", props=props, status=status_of(path))
    if function is not None:
        look.tools[function] = tool
    look.say(tool, path, line, [f"{e}: {where}" for e, where in sorted((found.effects if found else {}).items())])
    for query in found.queries if found else ():
        say_query(look, tool, query)
    return tool


def described(look: Look, site: Site) -> Iterator[str]:
    """What the call that makes a tool says of it."""
    for place in _DESCRIPTIONS:
        for at in argument(look.resolver, site.path, site.call, place):
            yield from (text.value or text.head for text in look.resolver.texts(*at))


def described_by(look: Look, path: str, scope: int) -> Iterator[str]:
    """What the marks of a function say of it: ``[Description("…")]``, ``@Tool(description = "…")``."""
    module = look.resolver.modules[path]
    for mark in module.scopes[scope][DECORATORS]:
        row = module.expressions[mark]
        if row[0] == "c":
            callee = module.expressions[row[2]]
            last = callee[3] if callee[0] == "a" else callee[2] if callee[0] == "r" else ""
            plain = row[3][:1] if last in ("Description", "LLMDescription", "Tool") else []
            for at in (*plain, *(row[4][k] for k in ("description", "Description", "value") if k in row[4])):
                yield from (text.value or text.head for text in look.resolver.texts(path, at))


def say_query(look: Look, tool: Asset, query: effects.Query) -> None:
    store = database(query.database, query.table, look.scope)
    if store is None:
        return
    path, _, line = query.where.rpartition(":")
    look.say(store, path, int(line))
    look.link(tool, "reads" if query.effect == "read" else "writes", store, path, int(line))


def tool_of(look: Look, target: Target, given_name: str = "") -> list[Asset]:
    """The tools that something in a list of tools is."""
    if target.kind == "function":
        key = (target.path, target.ref)
        if key not in look.tools:
            if made := made_by_decorator(look, target):
                return made
            scope = look.resolver.modules[target.path].scopes[target.ref]
            name = given_name or scope[NAME]
            return [said_tool(look, str(name), target.path, scope[LINE], key)] if name else []
        return [look.tools[key]]
    if target.kind in ("instance", "class") and (held := held_by(look, target)):
        return held
    owner = target.ref if target.kind == "class" else target.scope if target.kind == "instance" else -1
    if owner >= 0 and (made := made_by_class(look, target.path, owner)):
        return made
    if target.kind in ("external", "instance", "class"):
        tools = look.assets_of(target, "tool")
        return [tool for tool in tools if tool.name == given_name] or tools
    if target.kind == "value" and given_name:
        return []
    return []


def held_by(look: Look, target: Target) -> list[Asset]:
    """The tools that a class of the source, or something of it, has as methods (``@Tool`` in Java)."""
    scopes = look.resolver.modules[target.path].scopes
    owner = target.ref if target.kind == "class" else target.scope
    methods = [n for n, scope in enumerate(scopes) if scope[PARENT] == owner > 0 and scope[DECORATORS]]
    made = [a for n in methods for a in made_by_decorator(look, Target("function", target.path, n))]
    return [asset for asset in made if asset.kind == "tool"]


def made_by_decorator(look: Look, target: Target) -> list[Asset]:
    """The assets that a decorator of a function makes."""
    module = look.resolver.modules[target.path]
    for decorator in module.scopes[target.ref][DECORATORS]:
        if site := look.sites.get((target.path, decorator)):
            return [a for a in look.make(site) if a.kind in ("tool", "guardrail")]
    return []
