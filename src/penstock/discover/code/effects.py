"""What a piece of code can do: the effects of the calls in a function and in the functions it calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from penstock.discover.code.effect_rows import effect_of
from penstock.discover.code.ir import PARENT
from penstock.discover.code.resolve import Module, Resolver, Target, Text

#: How many functions deep calls are followed, and how many calls of one tool are looked at.
MAX_HOPS = 3
MAX_CALLS = 400
#: Links of one chain of calls that are walked back to where it starts.
_MOST_LINKS = 20
#: Calls that open a file, by default to read it.
_OPENS = frozenset({"open", "File.open", "File.new", "fopen", "file_get_contents", "IO.open"})

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
#: The same in languages whose drivers have names of their own. In Go and C a connection may stand before the statement.
_EXECUTES_IN = {
    **dict.fromkeys(("java", "kotlin"), frozenset({"update", "batchUpdate", "sql", "batch"})),
    "go": frozenset(
        "Query QueryContext QueryRow QueryRowContext Exec ExecContext Select SelectContext Get GetContext Prepare"
        " PrepareContext Raw".split()
    ),
    "csharp": frozenset(
        name + end
        for name in (
            "Query", "QueryFirst", "QueryFirstOrDefault", "QuerySingle", "QuerySingleOrDefault", "QueryMultiple",
            "Execute", "ExecuteScalar", "ExecuteReader", "ExecuteSql", "ExecuteSqlRaw", "ExecuteSqlInterpolated",
            "FromSql", "FromSqlRaw", "FromSqlInterpolated", "SqlQuery", "SqlQueryRaw", "CreateCommand", "SqlCommand",
            "NpgsqlCommand", "MySqlCommand", "SqliteCommand", "OracleCommand",
        )
        for end in ("", "Async")
    ),
    "rust": frozenset(
        "query query_as query_scalar query_as_with query_with execute execute_batch query_row query_map prepare"
        " query_one query_opt batch_execute simple_query sql_query fetch_all fetch_one query_drop exec_drop".split()
    ),
    "ruby": frozenset(
        "execute exec exec_params query select_all select_one select_value select_rows find_by_sql exec_query fetch run"
        " prepare execute_batch get_first_row".split()
    ),
    "php": frozenset(
        "exec query prepare executeStatement executeQuery fetchAllAssociative fetchAssociative fetchOne select"
        " statement selectOne scalar insert update delete unprepared mysqli_query pg_query pg_query_params multi_query"
        " get_results".split()
    ),
}  # fmt: skip
_CONNECTS = frozenset(
    "connect create_engine create_async_engine create_pool Pool Client Connection from_uri getConnection SqlConnection"
    " NpgsqlConnection MySqlConnection SqliteConnection PDO connect_lazy establish".split()
)


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
            callee = module.expressions[call][2]
            bare = module.expressions[callee][2] if module.expressions[callee][0] == "r" else ""
            targets = resolver.follow(at, callee)
            for symbol in () if targets else inherited(resolver, module, call):
                if effect := effect_of(symbol, module.language):
                    found.effects.setdefault(effect, f"{at}:{module.line(call)}")
            for target in targets:
                if target.kind == "function" and hops < MAX_HOPS:
                    todo.append((target.path, target.ref, hops + 1))
                elif target.kind == "external":
                    where = f"{at}:{module.line(call)}"
                    effect = effect_of(target.symbol, module.language)
                    if not effect and bare and target.symbol.endswith(f"().{bare}"):  # a class might inherit ``system``
                        effect = effect_of(bare, module.language)
                    if effect:
                        if target.symbol in _OPENS:
                            effect = _open_effect(resolver, module, call)
                        found.effects.setdefault(effect, where)
                    for query in _queries(resolver, module, call, target, where):
                        found.effects.setdefault(query.effect, where)
                        found.queries.append(query)
        for query in _commands(resolver, module, number):
            found.effects.setdefault(query.effect, query.where)
            found.queries.append(query)
    return found._replace(scopes=frozenset(seen))


def inherited(resolver: Resolver, module: Module, call: int) -> Iterator[str]:
    """The methods of a package that a call means on a class of the source or a thing of one: ``Order.where(…).first``.

    Only for calls that nothing of the source answers.
    """
    callee = module.expressions[module.expressions[call][2]]
    method, at = callee[3] if callee[0] == "a" else "", callee
    if method and any(row[2] == "pathlib" for row in module.imports):
        yield f"pathlib.Path().{method}"  # a path is followed as its text, which has no such methods
    for _ in range(_MOST_LINKS):
        if at[0] not in "ac":
            break
        root = at[2]
        at = module.expressions[root]
        if at[0] == "r" and method:
            for target in resolver.follow(module.path, root):
                scope = target.ref if target.kind == "class" else target.scope if target.kind == "instance" else -1
                for base in resolver.base_symbols(target.path, scope) if scope >= 0 else ():
                    yield f"{base}.{method}"
        elif at[0] == "a" and module.expressions[at[2]][2:3] == ["this"] and method:  # this.orders.find(…)
            for target in resolver.follow(module.path, root):
                if target.kind == "instance" and target.scope >= 0:
                    for base in resolver.base_symbols(target.path, target.scope):
                        yield f"{base}.{method}"


def _commands(resolver: Resolver, module: Module, scope: int) -> Iterator[Query]:
    """Statements that are set on a command before it is run: ``command.CommandText = "…"``."""
    for row in module.sets.get("CommandText", ()):
        if module.is_inside(row[0], scope):
            for text in resolver.texts(module.path, row[3]):
                yield from _statement(text, f"{module.path}:{row[4]}", "")


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
    """Whether a file is opened to be read or written; a URL is fetched."""
    row = module.expressions[call]
    names = [t.value or t.head for given in row[3][:1] for t in resolver.texts(module.path, given)]
    if any(name.startswith(("http://", "https://")) for name in names):
        return "network"
    mode = row[4].get("mode", row[3][1] if len(row[3]) > 1 else -1)
    texts = resolver.texts(module.path, mode) if mode >= 0 else []
    return "write" if any(t.value and set(t.value) & set("wax+") for t in texts) else "read"


def _queries(resolver: Resolver, module: Module, call: int, target: Target, where: str) -> Iterator[Query]:
    name = target.symbol.rpartition(".")[2]
    if name in _EXECUTES_IN.get(module.language, ()):
        for argument in module.expressions[call][3][:2]:
            for text in resolver.texts(module.path, argument):
                yield from _statement(text, where, _database(resolver, target) or _go_database(resolver, target))
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
        name = callee[3] if callee[0] == "a" else callee[2] if callee[0] == "r" else ""
        if (name := str(name).removeprefix("\\")) in _CONNECTS:
            for value in (*row[3][:1], *(row[4].get(n, -1) for n in ("dsn", "url", "database", "conninfo"))):
                for text in resolver.texts(step.path, value) if value >= 0 else ():
                    if text.value:
                        yield as_url(text.value, name)


#: How drivers name what they connect to, and the scheme of their databases: PDO's prefixes, classes of .NET.
_SCHEMES = {"pgsql": "postgresql", "mysql": "mysql", "sqlsrv": "mssql", "NpgsqlConnection": "postgresql",
            "MySqlConnection": "mysql", "SqlConnection": "mssql"}  # fmt: skip
_PAIR = re.compile(r"(?i)(?:^|[;:])\s*(host|server|data source|database|dbname|initial catalog|port)\s*=\s*([^;]+)")


def as_url(text: str, symbol: str) -> str:
    """A connection string as an address: ``pgsql:host=db;dbname=shop`` is ``postgresql://db/shop``."""
    if "://" in text:
        return text.removeprefix("jdbc:")
    pairs = {key.lower(): value.strip() for key, value in _PAIR.findall(text)}
    host = pairs.get("host") or pairs.get("server") or pairs.get("data source", "")
    if not host:
        return text.removeprefix("sqlite:")
    name = pairs.get("dbname") or pairs.get("database") or pairs.get("initial catalog", "")
    scheme = _SCHEMES.get(text.partition(":")[0]) or _SCHEMES.get(symbol, "")
    return f"{scheme}://{host.removeprefix('tcp:').partition(',')[0]}/{name}" if scheme else host


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
