"""MCP servers, what they offer, and the servers that a client connects to."""

from __future__ import annotations

from penstock.discover.code.ir import LINE, NAME, PARENT, RETURNS
from penstock.discover.code.observed.exposure import receivers_of
from penstock.discover.code.observed.look import Look
from penstock.discover.code.observed.prompts import prompts_of, said_prompt
from penstock.discover.code.observed.tools import described, said_tool, tool_of
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve import Target
from penstock.discover.code.signatures import Site, last_name
from penstock.graph import identity
from penstock.graph.vocabulary import Asset

#: Programs that say nothing of which server they run without the script they are given.
_INTERPRETERS = frozenset({"node", "python", "python3", "py", "tsx", "ts-node", "bun", "deno", "java", "uv", "npx"})
#: Options of starters whose next argument is theirs, not the server.
_TAKES_VALUE = frozenset({"-e", "--env", "-v", "--volume", "--mount", "-p", "--publish", "--network", "--name",
                          "--directory", "--project", "--from", "--with", "--python", "-w", "--env-file"})  # fmt: skip


def make_server(look: Look, site: Site) -> list[Asset]:
    line = look.line(site.path, site.call)
    names = [t.value for t in look.texts(site, "name") if t.value]
    name = names[0] if names else look.symbol_name(site.path, site.call) or assembly_of(look, site)
    name = name or last_name(site.symbol)
    server = identity.asset(
        "mcp_server", name, scope=look.scope, key=f"{site.path}::{name}", status=status_of(site.path)
    )
    look.say(server, site.path, line)
    for prompt in prompts_of(look, site, "instructions", "instructions"):
        look.link(server, "instructed_by", prompt, site.path, line)
    for target, given in look.named_targets(site, "tools"):
        for tool in tool_of(look, target, given):
            look.link(server, "exposes_tool", tool, site.path, line)
    return [server]


def assembly_of(look: Look, site: Site) -> str:
    """The name of a .NET project, which its servers have where none is given to them."""
    folder = site.path.rpartition("/")[0]
    for _ in range(site.path.count("/") + 1 if site.row.language == "csharp" else 0):
        found = [p for p in look.source.paths if p.endswith(".csproj") and p.rpartition("/")[0] == folder]
        if len(found) == 1:
            return found[0].rpartition("/")[2].removesuffix(".csproj")
        folder = folder.rpartition("/")[0]
    return ""


def make_server_tool(look: Look, site: Site) -> list[Asset]:
    line = look.line(site.path, site.call)
    texts = [t for t in look.texts(site, "name") if t.value]
    if site.decorated >= 0:
        scope = look.resolver.modules[site.path].scopes[site.decorated]
        name = str(texts[0].value) if texts else scope[NAME]
        tool = said_tool(look, name, site.path, scope[LINE], (site.path, site.decorated))
    else:
        functions = [t for t in look.targets(site, "function") if t.kind == "function"]
        function = (functions[0].path, functions[0].ref) if functions else None
        if texts:
            name = str(texts[0].value)
        elif functions:
            name = str(look.resolver.modules[functions[0].path].scopes[functions[0].ref][NAME])
        else:
            name = ""
        if not name:
            look.open_wiring = True
            return []
        tool = said_tool(look, name, site.path, line, function, described(look, site))
    for owner in receivers_of(look, site):
        look.link(owner, "uses_tool" if owner.kind == "agent" else "exposes_tool", tool, site.path, line)
    return [tool]


def make_registration(look: Look, site: Site) -> list[Asset]:
    """What a server offers by naming a class of tools or prompts, or all of its project where it names none."""
    packages = look.resolver.packages
    project = packages.project(site.path)
    classes = [t for t in look.targets(site, "classes") if t.kind == "instance"]
    held = {(t.path, n) for t in classes for n in methods_of(look, t.path, t.scope)}
    everything = not look.argument(site, "classes")
    found: dict[str, Asset] = {}
    for other in sorted(look.sites.values(), key=lambda s: (s.path, s.call)):
        if other.decorated < 0 or other.row.makes not in ("server_tool", "server_prompt"):
            continue
        if (other.path, other.decorated) in held or (everything and packages.project(other.path) == project):
            found |= {asset.id: asset for asset in look.make(other)}
    line = look.line(site.path, site.call)
    for owner in receivers_of(look, site):
        for asset in found.values():
            look.link(owner, "exposes_tool" if asset.kind == "tool" else "instructed_by", asset, site.path, line)
    return []


def methods_of(look: Look, path: str, scope: int) -> list[int]:
    """The methods of a class."""
    return [n for n, each in enumerate(look.resolver.modules[path].scopes) if each[PARENT] == scope]


def make_server_prompt(look: Look, site: Site) -> list[Asset]:
    line = look.line(site.path, site.call)
    texts = [t for t in look.texts(site, "name") if t.value]
    length, sha = 0, ""
    if site.decorated >= 0:
        scope = look.resolver.modules[site.path].scopes[site.decorated]
        name, line = (str(texts[0].value) if texts else scope[NAME]), scope[LINE]
        length, sha = look.returned(Target("function", site.path, site.decorated))
    elif texts:
        name = str(texts[0].value)
    else:
        return []
    prompt = said_prompt(look, name, site.path, line, length, sha)
    for owner in receivers_of(look, site):
        look.link(owner, "instructed_by", prompt, site.path, line)
    return [prompt]


def make_handler(look: Look, site: Site) -> list[Asset]:
    """Low-level servers answer a request for the list of tools: the tools are what the handler returns."""
    schemas = [t.symbol for t in look.targets(site, "schema")]
    if not any(symbol.endswith("ListToolsRequestSchema") for symbol in schemas):
        return []
    found: list[Asset] = []
    for target in look.targets(site, "function"):
        if target.kind != "function":
            continue
        for returned in look.resolver.modules[target.path].scopes[target.ref][RETURNS]:
            for value in look.resolver.follow(target.path, returned):
                found += listed_tools(look, value)
    for owner in receivers_of(look, site):
        for tool in found:
            look.link(owner, "exposes_tool", tool, site.path, look.line(site.path, site.call))
    return found


def listed_tools(look: Look, value: Target) -> list[Asset]:
    found = []
    for target in look.resolver.member(value, "tools"):
        if target.kind != "value":
            continue
        for item in look.resolver.items(target):
            for name in look.resolver.member(item, "name"):
                for text in look.resolver.text_of(name):
                    if text.value:
                        found.append(said_tool(look, text.value, text.path, text.line, None))
    return found


def make_mcp_client(look: Look, site: Site) -> list[Asset]:
    line = look.line(site.path, site.call)
    url = [t.value for t in look.texts(site, "url") if t.value]
    command = [t.value for t in look.texts(site, "command") if t.value]
    args = [t.value for at in look.argument(site, "args") for t in look.list_texts(at) if t.value]
    names = [t.value for t in look.texts(site, "name") if t.value]
    props: dict[str, object] = {}
    if url:
        props = {"url": url[0].split("?")[0], "transport": "https" if url[0].startswith("https") else "http"}
    elif command:
        props = {"command": " ".join([command[0], *args][:6]), "transport": "stdio"}
    else:
        return []
    values = {place + 1 for place, a in enumerate(args) if a in _TAKES_VALUE}
    packages = [
        a for n, a in enumerate(args) if n not in values and not a.startswith("-") and a not in ("run", "exec", "dlx")
    ]
    if not (names or url or packages) and command[0] in _INTERPRETERS:
        return []
    name = names[0] if names else (packages[0] if packages else url[0] if url else command[0])
    server = identity.asset(
        "mcp_server", name, scope=look.scope, key=f"client:{name}", props=props, status=status_of(site.path)
    )
    look.say(server, site.path, line)
    look.link(look.app(site.path, line), "connects_to", server, site.path, line)
    return [server]
