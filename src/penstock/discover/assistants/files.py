"""Which files belong to which coding assistant. The rows are data (pack ``assistants``)."""

from __future__ import annotations

from functools import cache

import msgspec

from penstock.discover.registry import Matcher
from penstock.graph import identity
from penstock.graph.vocabulary import Asset
from penstock.knowledge.pack import define_pack, load_pack

#: The row of files that any assistant may read.
ANY = "any"


class Servers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file with MCP servers, and the dotted keys under which they may stand."""

    file: str
    keys: tuple[str, ...]


class AssistantRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    name: str
    rules: tuple[str, ...] = ()
    mcp: tuple[Servers, ...] = ()
    settings: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


def _reads(row: AssistantRow, path: str) -> bool:
    return bool(
        Matcher({row.id: [*row.rules, *row.settings, *row.hooks, *(servers.file for servers in row.mcp)]}).names(path)
    )


define_pack("assistants", AssistantRow, check=_reads)


def rows() -> tuple[AssistantRow, ...]:
    return load_pack("assistants").rows


def rules_patterns() -> list[str]:
    return [pattern for row in rows() for pattern in row.rules]


def mcp_patterns() -> list[str]:
    return [servers.file for row in rows() for servers in row.mcp]


def hook_patterns() -> list[str]:
    return [pattern for row in rows() for pattern in row.hooks]


def runner_of(path: str) -> AssistantRow | None:
    """The assistant that runs the hooks of a file."""
    names = _hooks().names(path)
    return next((row for row in rows() if row.id in names), None)


def readers_of_rules(path: str) -> list[AssistantRow]:
    """The assistants that follow a file of instructions."""
    names = _rules().names(path)
    return [row for row in rows() if row.id in names]


def keys_of_servers(path: str) -> list[tuple[AssistantRow, tuple[str, ...]]]:
    """The assistants that read MCP servers from a file, with the keys; the general row only when no other does."""
    found = [(row, servers.keys) for row in rows() for servers in row.mcp if _file(servers.file).names(path)]
    return [pair for pair in found if pair[0].id != ANY] or found


def assistant(row: AssistantRow, scope: str, **props: object) -> Asset:
    return identity.asset("assistant", row.name, scope=scope, key=row.id, props=props)


@cache
def _rules() -> Matcher:
    return Matcher({row.id: row.rules for row in rows()})


@cache
def _hooks() -> Matcher:
    return Matcher({row.id: row.hooks for row in rows()})


@cache
def _file(pattern: str) -> Matcher:
    return Matcher({"": [pattern]})
