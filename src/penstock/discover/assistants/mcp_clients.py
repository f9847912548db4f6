"""MCP client configurations: which servers an assistant is told to connect to. None of them is ever started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from penstock.discover.assistants.documents import read
from penstock.discover.assistants.files import assistant, keys_of_servers, mcp_patterns
from penstock.discover.assistants.servers import address, command, secrets, server
from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.discover.infra.marked import Map, as_map, as_text, dig, line_of
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Observation, Unseen

NAME = "assistants.mcp-clients"
#: Servers of one file that are looked at.
MOST = 500


@collector(
    NAME,
    reads=mcp_patterns(),
    sees="MCP servers with transport, package, version and the names of their credentials",
    unseen="the tools that a server offers; servers that a user adds at home",
)
def mcp_clients(file: File) -> Iterator[Yielded]:
    """The servers that stand under the keys of each assistant that reads the file."""
    document = read(file, NAME)
    if isinstance(document, Unseen):
        yield document
        return
    for row, keys in keys_of_servers(file.path):
        for key in keys:
            servers = as_map(dig(document, *key.split(".")))
            named = {name: config for name, config in servers.items() if isinstance(config, Map) and _is_server(config)}
            if not named:
                continue
            host = assistant(row, file.scope)
            yield Observation(host, file.evidence(NAME, servers.line))
            for name in list(named)[:MOST]:
                yield from _server(file, host, name[:200], named[name], line_of(servers, name))


def _server(file: File, host: Asset, name: str, config: Map, line: int) -> Iterator[Yielded]:
    # A server that is switched off is declared and not used.
    off = config.get("disabled") is True or config.get("enabled") is False
    found, why = server(name, config, file.scope)
    at = file.evidence(NAME, line, chain=(f"{host.name} is told to connect to {name}", *why))
    status = "commented" if off else "used"
    found = replace(found, status=status)
    yield Observation(found, at)
    yield Fact("defined", file.path, {"id": found.id, "line": line})
    yield Observation(identity.relation(host, "connects_to", found), at)
    for secret, written, place in secrets(config):
        key = f"{file.path}#{name}#{secret}"
        role = "written in the file" if written else "named in the file"
        credential = identity.asset("credential", secret[:200], scope=file.scope, key=key, props={"role": role})
        here = file.evidence(NAME, place, chain=(f"{name} is given {secret[:200]}",))
        yield Observation(credential, here)
        yield Observation(identity.relation(found, "holds", credential), here)


def _is_server(config: Map) -> bool:
    return bool(address(config) or command(config) or as_text(config.get("type")) in ("http", "sse", "stdio"))
