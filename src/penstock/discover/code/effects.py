"""What a piece of code can do: the effects of the calls in a function and in the functions it calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec

from penstock.discover.code.ir import PARENT
from penstock.discover.code.resolve import Module, Resolver, Target, Text
from penstock.graph.vocabulary import PROPS
from penstock.knowledge.pack import define_pack, load_pack

#: How many functions deep calls are followed, and how many calls of one tool are looked at.
MAX_HOPS = 3
MAX_CALLS = 400

_SQL = re.compile(
    r"^\s*(?P<verb>select|insert|update|delete|drop|truncate|create|alter|merge|replace|with)\b(?:.*?\b"
    r"(?:from|into|update|table|join)\s+(?:if\s+(?:not\s+)?exists\s+)?[`\"\[]?(?P<table>[A-Za-z_][\w.]*))?",
    re.IGNORECASE | re.DOTALL,
)
_UPDATE = re.compile(r"^\s*update\s+[`\"\[]?(?P<table>[A-Za-z_][\w.]*)", re.IGNORECASE)
_VERBS = {
    "select": "read", "with": "read", "insert": "write", "update": "write", "create": "write", "alter": "write",
    "merge": "write", "replace": "write", "delete": "delete", "drop": "delete", "truncate": "delete",
}  # fmt: skip
_EXECUTES = frozenset(
    {"execute", "executemany", "executescript", "query", "fetch", "fetchrow", "fetchval", "raw", "read_sql",
     "read_sql_query", "run", "run_no_throw", "executeQuery", "executeUpdate", "prepareStatement", "queryForList",
     "queryForObject", "queryForMap", "createNativeQuery"}
)  # fmt: skip
#: The same in Go, where a context may stand before the statement.
_EXECUTES_GO = frozenset(
    {"Query", "QueryContext", "QueryRow", "QueryRowContext", "Exec", "ExecContext", "Select", "SelectContext", "Get",
     "GetContext", "Prepare", "PrepareContext", "Raw"}
)  # fmt: skip
_CONNECTS = frozenset(
    {
        "connect",
        "create_engine",
        "create_async_engine",
        "create_pool",
        "Pool",
        "Client",
        "Connection",
        "from_uri",
        "getConnection",
    }
)


class Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Calls that have an effect."""

    id: str
    effect: str
    calls: tuple[str, ...]
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


class Query(NamedTuple):
    """A statement that code runs: its effect, table, where, and the address of its database where that is known."""

    effect: str
    table: str
    where: str
    database: str


class Found(NamedTuple):
    """What a function can do: effect → where it was seen, and its queries."""

    effects: dict[str, str]
    queries: list[Query]
    scopes: frozenset[tuple[str, int]]


def effect_of(symbol: str) -> str:
    """The effect of calling a resolved name; empty when none is known."""
    exact, starts = _index()
    plain = symbol.replace("[]", "")
    for name in dict.fromkeys((plain, plain.removeprefix("node:"))):
        if effect := exact.get(name):
            return effect
        for start, effect in starts:
            if name.startswith(start):
                return effect
    return ""


def effects_of(resolver: Resolver, path: str, scope: int) -> Found:
    """The effects of a function of the source, followed through the functions it calls."""
    found = Found({}, [], frozenset())
    seen: set[tuple[str, int]] = set()
    todo = [(path, scope, 0)]
    looked = 0
    while todo and looked < MAX_CALLS:
        at, number, hops = todo.pop()
        if (at, number) in seen:
            continue
        seen.add((at, number))
        module = resolver.modules[at]
        for call in calls_in(module, number):
            looked += 1
            for target in resolver.follow(at, module.expressions[call][2]):
                if target.kind == "function" and hops < MAX_HOPS:
                    todo.append((target.path, target.ref, hops + 1))
                elif target.kind == "external":
                    where = f"{at}:{module.line(call)}"
                    if effect := effect_of(target.symbol):
                        if target.symbol == "open":
                            effect = _open_effect(resolver, module, call)
                        found.effects.setdefault(effect, where)
                    for query in _queries(resolver, module, call, target, where):
                        found.effects.setdefault(query.effect, where)
                        found.queries.append(query)
    return found._replace(scopes=frozenset(seen))


def calls_in(module: Module, scope: int) -> Iterator[int]:
    """The calls in a function, inner functions included."""
    inner = {scope}
    for number in range(scope + 1, len(module.scopes)):
        if module.scopes[number][PARENT] in inner:
            inner.add(number)
    for call in module.calls:
        if module.expressions[call][5] in inner:
            yield call


def _open_effect(resolver: Resolver, module: Module, call: int) -> str:
    row = module.expressions[call]
    mode = row[4].get("mode", row[3][1] if len(row[3]) > 1 else -1)
    texts = resolver.texts(module.path, mode) if mode >= 0 else []
    return "write" if any(t.value and set(t.value) & set("wax+") for t in texts) else "read"


def _queries(resolver: Resolver, module: Module, call: int, target: Target, where: str) -> Iterator[Query]:
    name = target.symbol.rpartition(".")[2]
    if module.language == "go" and name in _EXECUTES_GO:
        for argument in module.expressions[call][3][:2]:
            for text in resolver.texts(module.path, argument):
                yield from _statement(text, where, _go_database(resolver, target))
        return
    if name not in _EXECUTES:
        return
    row = module.expressions[call]
    statement = row[3][0] if row[3] else row[4].get("sql", row[4].get("query", row[4].get("text", -1)))
    texts = resolver.texts(module.path, _unwrapped(module, statement)) if statement >= 0 else []
    if not texts and statement >= 0 and (address := _database(resolver, target)):
        yield Query("read", "", where, address)  # a statement that is only known at run time may do anything
        yield Query("write", "", where, address)
    for text in texts:
        yield from _statement(text, where, _database(resolver, target))


def _statement(text: Text, where: str, address: str) -> Iterator[Query]:
    words = text.value if text.value is not None else text.head
    found = _SQL.match(words) if words else None
    if found:
        update = _UPDATE.match(words)
        table = (update or found).group("table") or ""
        yield Query(_VERBS[found.group("verb").lower()], table, where, address)


def _go_database(resolver: Resolver, target: Target) -> str:
    """The address that ``sql.Open("postgres", address)`` or ``pgxpool.New(ctx, address)`` was given."""
    for step in origins(resolver, target):
        row = resolver.modules[step.path].expressions[step.ref]
        for argument in row[3][:2] if row[0] == "c" else ():
            for text in resolver.texts(step.path, argument):
                if text.value and ("://" in text.value or text.value.endswith((".db", ".sqlite", ".sqlite3"))):
                    return text.value
    return ""


def _unwrapped(module: Module, expression: int) -> int:
    """The text in ``text("SELECT …")``."""
    row = module.expressions[expression]
    return int(row[3][0]) if row[0] == "c" and row[3] else expression


def _database(resolver: Resolver, target: Target) -> str:
    """The address of the database behind a cursor or session: the first text its connection was opened with."""
    return next(addresses(resolver, target), "")


def addresses(resolver: Resolver, target: Target) -> Iterator[str]:
    """The texts with which the connection behind a value was opened."""
    for step in origins(resolver, target):
        module = resolver.modules[step.path]
        row = module.expressions[step.ref]
        callee = module.expressions[row[2]] if row[0] == "c" else ["?"]
        if (callee[3] if callee[0] == "a" else callee[2] if callee[0] == "r" else "") in _CONNECTS:
            for value in (*row[3][:1], *(row[4].get(n, -1) for n in ("dsn", "url", "database", "conninfo"))):
                for text in resolver.texts(step.path, value) if value >= 0 else ():
                    if text.value:
                        yield text.value


def origins(resolver: Resolver, target: Target, limit: int = 12) -> Iterator[Target]:
    """The calls that made an external value, last first: cursor ← connection ← connect."""
    seen: set[tuple[str, int]] = set()
    todo = [target]
    while todo and limit:
        limit -= 1
        at = todo.pop()
        if at.kind != "external" or at.ref < 0 or (at.path, at.ref) in seen:
            continue
        seen.add((at.path, at.ref))
        yield at
        row = resolver.modules[at.path].expressions[at.ref]
        if row[0] == "c":
            todo += [t for t in resolver.follow(at.path, row[2], at.frames) if t.kind == "external"]


@cache
def _index() -> tuple[dict[str, str], list[tuple[str, str]]]:
    exact: dict[str, str] = {}
    starts: list[tuple[str, str]] = []
    for row in load_pack("effects").rows:
        for call in row.calls:
            if call.endswith("*"):
                starts.append((call[:-1], row.effect))
            else:
                exact[call] = row.effect
    return exact, starts


def _check(row: Effect, example: Any) -> bool:
    return effect_of(str(example)) == row.effect


def _validate(row: Effect) -> Iterator[str]:
    if row.effect not in PROPS["effects"].words:
        yield f"there is no effect {row.effect!r}"


define_pack("effects", Effect, check=_check, validate=_validate)
