"""What an expression stands for: names, imports, defaults, fields, enums, environment, across the files of a source.

``Resolver.follow`` answers the *targets* of an expression (what it may be), ``Resolver.texts`` the strings it may hold.
Every answer carries the chain of steps that led to it. What cannot be followed is answered as unknown with a reason
("from env MODEL_ID"), never guessed. Work is bounded by depth, by answers per expression and by steps per source.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from penstock.discover.code.constants import constant, holds
from penstock.discover.code.ir import BASES, CLASS, FUNCTION, HEAD, KIND, LINE, NAME, PARAMS, PARENT, RETURNS, sha256
from penstock.discover.code.packaged import Packages
from penstock.discover.collector import Fact

MAX_DEPTH = 40
MAX_TARGETS = 64
MAX_CALLERS = 24
#: Steps for one source; beyond, answers stay unknown (10⁶ steps are about two CPU seconds).
MAX_STEPS = 3_000_000
#: Things that one list is looked into for.
MAX_ITEMS = 500

#: Methods that give their text or object back in another form.
_SAME = frozenset(
    {"strip", "lstrip", "rstrip", "format", "lower", "upper", "title", "dedent", "trim", "trimStart", "trimEnd",
     "toString", "encode", "decode", "value", "with_options", "with_raw_response", "bind", "with_config", "with_retry",
     "with_structured_output", "bind_tools", "bindTools", "withStructuredOutput", "withConfig", "model_copy", "copy",
     "as_agent", "compile"}
)  # fmt: skip
_ENV_CALLS = frozenset(
    {"os.getenv", "os.environ.get", "environ.get", "getenv", "decouple.config", "os.Getenv", "os.LookupEnv",
     "System.getenv", "System.getProperty"}
)  # fmt: skip
_SAME_CALLS = frozenset(
    {"str", "String", "textwrap.dedent", "inspect.cleandoc", "typing.cast", "os.path.expanduser", "pathlib.Path",
     "tuple", "list", "set", "sorted", "pydantic.SecretStr", "strings.TrimSpace", "strings.TrimSuffix",
     "strings.TrimPrefix", "strings.TrimRight", "strings.TrimLeft", "strings.Trim", "strings.ToLower", "strings.Clone",
     "strings.ReplaceAll", "strings.Replace"}
)  # fmt: skip
#: Names of ``java.lang`` that matter here: they come before any ``import x.*``.
_JAVA_LANG = frozenset({"String", "System", "Object", "Integer", "Boolean", "Math", "StringBuilder", "Override"})
_FIELDS = frozenset(
    {"pydantic.Field", "pydantic.fields.Field", "dataclasses.field", "attr.ib", "attrs.field", "attr.field"}
)


class Target(NamedTuple):
    """Something an expression may be.

    kind: value (a literal), function, class, instance (of a class of the source), external (of a package), module, env.
    ref: the row in ``path``: an expression, or a scope for functions and classes. For an external value it is the call
        that made it (-1: none).
    symbol: of an external thing its dotted name, calls as ``()``: ``openai.OpenAI().chat``; of env its name.
    """

    kind: str
    path: str
    ref: int
    symbol: str = ""
    chain: tuple[str, ...] = ()
    scope: int = -1
    frames: Frames = ()


class Frame(NamedTuple):
    """A call that is being looked into: whose parameters are bound by which call."""

    path: str
    scope: int
    call_path: str
    call: int
    outer: Frames


Frames = tuple[Frame, ...]


class Text(NamedTuple):
    """A string an expression may hold. ``value`` is None when a part is unknown or it is too long to be kept."""

    value: str | None
    path: str
    line: int
    chain: tuple[str, ...]
    env: str = ""
    length: int = 0
    sha: str = ""
    head: str = ""


class Module:
    """The IR of one file, indexed by what the resolver asks."""

    def __init__(self, path: str, value: Mapping[str, Any]) -> None:
        self.path = path
        self.language: str = value["language"]
        self.package: str = value.get("package", "")
        self.broken = bool(value.get("broken"))
        self.expressions: list[list[Any]] = value["expressions"]
        self.scopes: list[list[Any]] = value["scopes"]
        self.imports: list[list[Any]] = value["imports"]
        self.bindings: dict[tuple[int, str], list[tuple[str, int]]] = {}
        self.stars: list[int] = []
        for number, row in enumerate(self.imports):
            if row[1] == "*":
                self.stars.append(number)
            elif row[1]:
                self.bindings.setdefault((row[0], row[1]), []).append(("import", number))
        for number, scope in enumerate(self.scopes):
            if number and scope[NAME]:
                self.bindings.setdefault((scope[PARENT], scope[NAME]), []).append(("scope", number))
            for place, param in enumerate(scope[PARAMS]):
                self.bindings.setdefault((number, param[0]), []).append(("param", place))
        self.assigned: list[list[Any]] = value["assigns"]
        for number, row in enumerate(self.assigned):
            if row[2] >= 0:
                self.bindings.setdefault((row[0], row[1]), []).append(("assign", number))
        self.sets: dict[str, list[list[Any]]] = {}
        for row in value["sets"]:
            self.sets.setdefault(row[2], []).append(row)
        self.calls = [i for i, row in enumerate(self.expressions) if row[0] == "c"]
        self.name_of = {row[2]: row[1] for row in self.assigned if row[2] >= 0}
        if self.language == "java":
            self._name_chains()
        self.scope_row = {row[2]: i for i, row in enumerate(self.expressions) if row[0] == "x"}
        self._growth: dict[str, list[int]] | None = None

    def _name_chains(self) -> None:
        """A builder is known by the name of what it builds: ``model = X.builder().name("…").build()``."""
        for built, name in list(self.name_of.items()):
            at = built
            while self.expressions[at][0] == "c" and self.expressions[self.expressions[at][2]][0] == "a":
                at = self.expressions[self.expressions[at][2]][2]
                self.name_of.setdefault(at, name)

    def line(self, expression: int) -> int:
        return int(self.expressions[expression][1])

    def lookup(self, name: str, scope: int) -> tuple[int, list[tuple[str, int]]]:
        """The bindings of a name seen from a scope, and the scope that holds them."""
        at, first = scope, True
        while at >= 0:
            if (first or self.scopes[at][KIND] != CLASS) and (found := self.bindings.get((at, name))):
                return at, found
            at, first = self.scopes[at][PARENT], False
        return -1, []

    def growth(self, name: str) -> list[int]:
        """Calls that add to something known by this last name: ``name.append(…)``, ``name.push(…)``."""
        if self._growth is None:
            self._growth = {}
            for call in self.calls:
                callee = self.expressions[self.expressions[call][2]]
                if callee[0] == "a" and callee[3] in ("append", "extend", "push", "add", "insert", "unshift"):
                    base = self.expressions[callee[2]]
                    key = base[2] if base[0] == "r" else base[3] if base[0] == "a" else ""
                    self._growth.setdefault(key, []).append(call)
        return self._growth.get(name, [])


class Resolver:
    """Follows expressions through the modules of one source."""

    def __init__(
        self,
        facts: Iterable[Fact],
        env: Iterable[Fact] = (),
        known: Mapping[str, str] | None = None,
    ) -> None:
        """Args: known: external symbol suffix → its string value (enum members of packages)."""
        self.modules = {fact.path: Module(fact.path, fact.value) for fact in facts}
        self.known = known or {}
        self.env: dict[str, list[tuple[str, str]]] = {}
        for fact in env:
            given = fact.value
            if isinstance(given, Mapping):
                given = (given.get("name", ""), given.get("value", ""), fact.path, given.get("line", ""))
            name, value, path, line = (*given, "", "", "", "")[:4]
            where = f"{path or fact.path}:{line}" if line else str(path or fact.path)
            self.env.setdefault(str(name), []).append((str(value), where))
        self._by_stem: dict[str, list[str]] = {}
        for path in self.modules:
            folder, _, file = path.rpartition("/")
            stem = file.rsplit(".", 1)[0]
            if stem in ("__init__", "index"):
                self._by_stem.setdefault(folder.rpartition("/")[2], []).append(path)
            if stem not in ("__init__",):
                self._by_stem.setdefault(stem, []).append(path)
        self.packages = Packages(self.modules)
        self._made: dict[tuple[str, int], list[tuple[str, int]]] = {}
        self._memo: dict[tuple[str, int, Frames], list[Target]] = {}
        self._busy: set[tuple[str, int, Frames]] = set()
        self._imported: dict[tuple[str, str], str] = {}
        self._callers: dict[str, list[tuple[str, int]]] | None = None
        self._package_sets: dict[str, list[tuple[str, list[Any]]]] | None = None
        self.steps = 0

    @property
    def exhausted(self) -> bool:
        """Whether the bound on work was met, so that later answers are missing."""
        return self.steps > MAX_STEPS

    # targets

    def follow(self, path: str, expression: int, frames: Frames = (), depth: int = 0) -> list[Target]:
        """What the expression may be; empty when nothing is known about it."""
        level = len(self._busy)
        if expression < 0 or max(depth, level) > MAX_DEPTH or self.steps > MAX_STEPS:
            return []
        key = (path, expression, frames)
        self.steps += 1
        if key in self._memo:
            return self._memo[key]
        if key in self._busy:
            return []
        self._busy.add(key)
        found = _distinct(self._targets(self.modules[path], expression, frames, depth + 1))
        self._busy.discard(key)
        if max(depth, level) < MAX_DEPTH // 2 or found:
            self._memo[key] = found
        return found

    def _targets(self, module: Module, expression: int, frames: Frames, depth: int) -> Iterator[Target]:
        row = module.expressions[expression]
        op = row[0]
        if op in "sSfnbld0":
            if op == "f" and len(row[2]) == 1:
                yield from self.follow(module.path, row[2][0], frames, depth)
                return
            yield Target("value", module.path, expression, frames=frames)
        elif op == "r":
            yield from self._name(module, row[2], row[3], frames, depth)
        elif op == "a":
            yield from self._attribute(module, expression, row, frames, depth)
        elif op == "i":
            yield from self._item(module, row, frames, depth)
        elif op == "c":
            yield from self._call(module, expression, row, frames, depth)
        elif op == "o":
            for choice in row[2]:
                yield from self.follow(module.path, choice, frames, depth)
        elif op == "x":
            kind = "class" if module.scopes[row[2]][KIND] == CLASS else "function"
            yield Target(kind, module.path, row[2], frames=frames)
        elif op == "*":
            yield from self.follow(module.path, row[2], frames, depth)
        elif op == "t":
            yield from self._typed(self.follow(module.path, row[2], frames, depth))
        elif op == "e":
            for target in self.follow(module.path, row[2], frames, depth):
                if target.kind == "value":
                    yield from self.items(target, depth)
                elif target.kind == "class":  # iterating an enum
                    yield from self._fields(target, depth)
                elif target.kind == "external" and target.ref >= 0:
                    yield target._replace(symbol=f"{target.symbol}[]")

    def _name(self, module: Module, name: str, scope: int, frames: Frames, depth: int) -> Iterator[Target]:
        if name in ("self", "cls", "this"):
            owner = scope
            while owner > 0 and module.scopes[owner][KIND] != CLASS:
                owner = module.scopes[owner][PARENT]
            if owner > 0:
                yield Target("instance", module.path, -1, scope=owner)
                return
        if name == "super":
            return
        holder, bindings = module.lookup(name, scope)
        for kind, number in bindings[-8:]:
            if kind == "assign":
                row = module.assigned[number]
                step = f"{name} = … ({module.path}:{row[3]})"
                inner = frames if holder else ()
                yield from _stepped(self.follow(module.path, row[2], inner, depth), step)
            elif kind == "import":
                yield from self._import(module, number, depth)
            elif kind == "scope":
                what = "class" if module.scopes[number][KIND] == CLASS else "function"
                yield Target(what, module.path, number, frames=frames if holder else ())
            elif kind == "param":
                yield from self._parameter(module, holder, number, frames, depth)
        if not bindings and self.packages.of(module):
            found = False
            for target in self._packaged(module, name, scope, depth):
                found = True
                yield target
            if found:
                return
        if not bindings:
            starred = False
            for number in module.stars if name not in _JAVA_LANG else ():
                for target in self._import(module, number, depth, name):
                    starred = True
                    yield target
            if not starred:
                yield Target("external", module.path, -1, name)

    def _parameter(self, module: Module, scope: int, place: int, frames: Frames, depth: int) -> Iterator[Target]:
        name, default, annotation = module.scopes[scope][PARAMS][place]
        function = module.scopes[scope][NAME]
        frame = next((f for f in frames if f.path == module.path and f.scope == scope), None)
        given = False
        calls = [(frame.call_path, frame.call, frame.outer)] if frame else []
        if not calls:
            calls = [(path, call, ()) for path, call in self.callers(module.path, scope, depth)]
        for path, call, outer in calls:
            argument = self._argument(module, scope, place, name, self.modules[path], call)
            if argument >= 0:
                given = True
                step = f"{name} of {function or 'a function'} ({path}:{self.modules[path].line(call)})"
                yield from _stepped(self.follow(path, argument, outer, depth), step)
        if default >= 0 and not (frame and given):
            step = f"default of {name} ({module.path}:{module.line(default)})"
            yield from _stepped(self.follow(module.path, default, (), depth), step)
        if annotation >= 0 and not given:
            yield from self._typed(self.follow(module.path, annotation, (), depth))

    def _typed(self, types: Iterable[Target]) -> Iterator[Target]:
        """Something of a type."""
        for target in types:
            if target.kind == "external" and "." in target.symbol:
                yield target._replace(symbol=target.symbol + "()")
            elif target.kind == "class":
                yield Target("instance", target.path, -1, scope=target.ref)

    def _packaged(self, module: Module, name: str, scope: int, depth: int) -> Iterator[Target]:
        """A name that another file of the package declares; in Java first one of the classes around."""
        while scope > 0 and module.language == "java" and depth < MAX_DEPTH:
            if module.scopes[scope][KIND] == CLASS:
                found = False
                for target in self._field(Target("instance", module.path, -1, scope=scope), name, depth + 1):
                    found = True
                    yield target
                if found:
                    return
            scope = module.scopes[scope][PARENT]
        for path in self.packages.declaring(module, name):
            if path != module.path and depth < MAX_DEPTH:
                yield from self._name(self.modules[path], name, 0, (), depth + 1)

    def _argument(self, module: Module, scope: int, place: int, name: str, at: Module, call: int) -> int:
        """The row of the argument that a call gives for a parameter; -1 when it gives none."""
        row = at.expressions[call]
        if name in row[4]:
            return int(row[4][name])
        params = module.scopes[scope][PARAMS]
        parent = module.scopes[scope][PARENT]
        if params and params[0][0] in ("self", "cls") and module.scopes[parent][KIND] == CLASS:
            place -= 1
        if 0 <= place < len(row[3]):
            argument = row[3][place]
            if at.expressions[argument][0] != "*":
                return int(argument)
        return -1

    def callers(self, path: str, scope: int, depth: int = 0) -> list[tuple[str, int]]:
        """Calls of a function of the source, wherever its name resolves to it."""
        module = self.modules[path]
        name = module.scopes[scope][NAME]
        parent = module.scopes[scope][PARENT]
        if name in ("__init__", "constructor") and parent >= 0:
            name = module.scopes[parent][NAME]
        if not name or depth > MAX_DEPTH - 10:
            return []
        self._index_calls()
        found = []
        for at, call in (self._callers or {}).get(name, ())[: MAX_CALLERS * 4]:
            for target in self.follow(at, self.modules[at].expressions[call][2], (), depth + 8):
                if target.path == path and (
                    (target.kind in ("function", "class") and target.ref in (scope, parent))
                    or (target.kind == "class" and target.ref == parent)
                ):
                    found.append((at, call))
                    break
            if len(found) >= MAX_CALLERS:
                break
        return found

    def _index_calls(self) -> None:
        if self._callers is not None:
            return
        self._callers = {}
        for each in self.modules.values():
            for call in each.calls:
                callee = each.expressions[each.expressions[call][2]]
                key = callee[2] if callee[0] == "r" else callee[3] if callee[0] == "a" else ""
                if key and isinstance(key, str):
                    self._callers.setdefault(key, []).append((each.path, call))

    def _attribute(
        self, module: Module, expression: int, row: list[Any], frames: Frames, depth: int
    ) -> Iterator[Target]:
        attr = row[3]
        for base in self.follow(module.path, row[2], frames, depth):
            yield from self.member(base, attr, depth)

    def member(self, base: Target, attr: str, depth: int = 0) -> Iterator[Target]:
        """What ``base.attr`` may be."""
        if depth > MAX_DEPTH:
            return
        if base.kind == "external":
            if base.symbol in ("process.env", "import.meta.env"):
                yield from self._environment(attr, base.chain)
            elif "()" not in base.symbol and (given := self.assigned_to(f"{base.symbol}.{attr}", depth)):
                yield from given
            else:
                yield base._replace(symbol=f"{base.symbol}.{attr}")
        elif base.kind == "module":
            inner = self.modules[base.path]
            if (0, attr) in inner.bindings:
                yield from self._name(inner, attr, 0, (), depth + 1)
            elif self.packages.of(inner):
                yield from self._packaged(inner, attr, 0, depth)
            elif nested := self._submodule(base.path, attr):
                yield Target("module", nested, -1)
        elif base.kind in ("class", "instance"):
            yield from self._field(base, attr, depth)
        elif base.kind == "value":
            row = self.modules[base.path].expressions[base.ref]
            if row[0] == "d":
                yield from self._key(base, row, attr, depth)
            elif attr == "value":  # the value of an enum's member
                yield base
        elif base.kind == "env" and attr == "value":
            yield base

    def assigned_to(self, symbol: str, depth: int = 0) -> list[Target]:
        """What the source assigns to a name of a package (``Settings.llm = …``)."""
        if self._package_sets is None:
            self._package_sets = {}
            attrs = {attr for module in self.modules.values() for attr in module.sets}
            for module in self.modules.values():
                for attr in attrs & module.sets.keys():
                    for row in module.sets[attr]:
                        if module.expressions[row[1]][0] in "ra":
                            self._package_sets.setdefault(attr, []).append((module.path, row))
        base, _, attr = symbol.rpartition(".")
        found: list[Target] = []
        for path, row in self._package_sets.get(attr, ())[:20] if depth < MAX_DEPTH - 5 else ():
            holder = self.modules[path].expressions[row[1]]
            if holder[0] == "r" and holder[2] in ("self", "this", "cls"):
                continue
            if any(t.kind == "external" and t.symbol == base for t in self.follow(path, row[1], (), depth + 2)):
                found += _stepped(self.follow(path, row[3], (), depth + 2), f"{symbol} = … ({path}:{row[4]})")
        return found

    def _field(self, base: Target, attr: str, depth: int) -> Iterator[Target]:
        module = self.modules[base.path]
        scope = base.scope if base.kind == "instance" else base.ref
        owner = module.scopes[scope][NAME]
        found = False
        if base.kind == "instance" and base.ref >= 0 and base.symbol:
            call = self.modules[base.symbol].expressions[base.ref]
            if attr in call[4]:
                found = True
                step = f"{attr} given to {owner} ({base.symbol}:{call[1]})"
                yield from _stepped(self.follow(base.symbol, call[4][attr], base.frames, depth), step)
        for kind, number in module.bindings.get((scope, attr), ()):
            if kind == "assign":
                row = module.assigned[number]
                if module.expressions[row[2]][0] == "t":
                    continue  # only its type is said here: that is asked last
                found = True
                yield from self._settings(base, attr)
                step = f"{owner}.{attr} ({module.path}:{row[3]})"
                yield from _stepped(self.follow(module.path, row[2], base.frames, depth), step)
            elif kind == "scope":
                found = True
                what = "class" if module.scopes[number][KIND] == CLASS else "function"
                yield Target(what, module.path, number, frames=base.frames)
        frames = base.frames
        if base.kind == "instance" and base.ref >= 0 and base.symbol and (init := self._constructor(module, scope)):
            frames = (Frame(module.path, init, base.symbol, base.ref, base.frames),)
        for row in module.sets.get(attr, ()):
            holder = module.expressions[row[1]]
            if holder[0] == "r" and holder[2] in ("self", "this", "cls") and _inside(module, row[0], scope):
                found = True
                step = f"{owner}.{attr} ({module.path}:{row[4]})"
                yield from _stepped(self.follow(module.path, row[3], frames, depth), step)
        if not found and self._declares(module, scope, attr):
            yield from self._settings(base, attr, required=True)
        if not found and module.package:
            for target in self._packaged_field(base, module, scope, attr, depth):
                found = True
                yield target
        if not found:
            for parent in module.scopes[scope][BASES]:
                for target in self.follow(module.path, parent, (), depth):
                    if target.kind == "class":
                        yield from self._field(target, attr, depth + 1) if depth < MAX_DEPTH else ()
                    elif target.kind == "external" and "." in target.symbol:
                        suffix = "()" if base.kind == "instance" else ""
                        yield Target("external", base.path, base.ref, f"{target.symbol}{suffix}.{attr}")

    def _packaged_field(self, base: Target, module: Module, scope: int, attr: str, depth: int) -> Iterator[Target]:
        """A field or method of a class that is declared in several places, or whose fields callers fill in."""
        owner, found = module.scopes[scope][NAME], False
        parts = self.packages.parts(module, scope)
        for path, part in parts:
            inner = self.modules[path]
            if (path, part) != (module.path, scope):
                for kind, number in inner.bindings.get((part, attr), ()):
                    if kind == "scope" and inner.scopes[number][KIND] != CLASS:
                        found = True
                        yield Target("function", path, number, frames=base.frames)
            for row in inner.sets.get(attr, ()):
                if _inside(inner, row[0], part) and any(
                    t.kind == "instance" and (t.path, t.scope) in parts for t in self.follow(path, row[1], (), depth)
                ):
                    found = True
                    step = f"{owner}.{attr} ({path}:{row[4]})"
                    yield from _stepped(self.follow(path, row[3], base.frames, depth), step)
        if base.ref < 0 and base.kind == "instance" and not found:
            for path, call in self.constructions(parts, owner, depth):
                row = self.modules[path].expressions[call]
                if attr in row[4]:
                    found = True
                    step = f"{attr} given to {owner} ({path}:{row[1]})"
                    yield from _stepped(self.follow(path, row[4][attr], (), depth), step)
        for path, part in parts:
            inner = self.modules[path]
            for kind, number in inner.bindings.get((part, attr), ()):
                if kind == "assign" and not found:
                    row = inner.assigned[number]
                    yield from self.follow(path, row[2], base.frames, depth)
                    found = True
            if found or depth > MAX_DEPTH - 5:
                continue
            for parent in inner.scopes[part][BASES] if inner.language == "go" else ():  # what is embedded is a field
                embedded = inner.expressions[parent]
                name = embedded[3] if embedded[0] == "a" else embedded[2]
                if embedded[0] in "ra" and name != attr:
                    for target in self._field(base._replace(path=path, scope=part), str(name), depth + 1):
                        yield from self.member(target, attr, depth + 1)

    def constructions(self, parts: list[tuple[str, int]], name: str, depth: int = 0) -> list[tuple[str, int]]:
        """Calls that make something of a class of the source; ``parts`` are the places that declare it."""
        if depth > MAX_DEPTH - 10 or not parts:
            return []
        if parts[0] not in self._made:
            self._made[parts[0]] = []
            self._index_calls()
            for at, call in (self._callers or {}).get(name, ())[: MAX_CALLERS * 4]:
                row = self.modules[at].expressions[call]
                targets = self.follow(at, row[2], (), depth + 8) if row[4] else ()
                if any(t.kind == "class" and (t.path, t.ref) in parts for t in targets):
                    self._made[parts[0]].append((at, call))
        return self._made[parts[0]][:MAX_CALLERS]

    def _declares(self, module: Module, scope: int, attr: str) -> bool:
        return any(row[0] == scope and row[1] == attr for row in module.assigned)

    def _constructor(self, module: Module, scope: int) -> int:
        for name in ("__init__", "constructor"):
            for kind, number in module.bindings.get((scope, name), ()):
                if kind == "scope":
                    return number
        return 0

    def is_settings(self, target: Target) -> bool:
        """Whether a class reads its fields from the environment."""
        scope = target.scope if target.kind == "instance" else target.ref
        return any("BaseSettings" in symbol for symbol in self.base_symbols(target.path, scope))

    def base_symbols(self, path: str, scope: int, depth: int = 0) -> list[str]:
        """The external classes that a class of the source extends, its bases' bases included."""
        found = []
        if depth < 6:
            for parent in self.modules[path].scopes[scope][BASES]:
                for target in self.follow(path, parent):
                    if target.kind == "external":
                        found.append(target.symbol)
                    elif target.kind == "class" and (target.path, target.ref) != (path, scope):
                        found += self.base_symbols(target.path, target.ref, depth + 1)
        return found

    def _settings(self, base: Target, attr: str, *, required: bool = False) -> Iterator[Target]:
        """The variable that sets a field; a field without a default (``required``) has no other source."""
        if self.is_settings(base):
            for name in (attr, attr.upper()):
                if name in self.env:
                    yield Target("env", base.path, -1, name)
                    return
            if required:
                yield Target("env", base.path, -1, attr.upper())

    def _fields(self, target: Target, depth: int) -> Iterator[Target]:
        module = self.modules[target.path]
        for row in module.assigned:
            if row[0] == target.ref and row[2] >= 0:
                yield from self.follow(target.path, row[2], (), depth)

    def _item(self, module: Module, row: list[Any], frames: Frames, depth: int) -> Iterator[Target]:
        keys = [t.value for t in self.texts(module.path, row[3], frames, depth)] if row[3] >= 0 else []
        number: list[Any] = module.expressions[row[3]] if row[3] >= 0 else ["?", 0]
        for base in self.follow(module.path, row[2], frames, depth):
            if base.kind == "external":
                if base.symbol in ("os.environ", "environ", "process.env"):
                    for key in keys:
                        if key:
                            yield from self._environment(key, base.chain)
                elif base.ref >= 0:
                    yield base._replace(symbol=f"{base.symbol}[]")  # a part of what a call gave
                else:
                    yield base  # Agent[Context]: the same class
            elif base.kind == "class":
                yield base
            elif base.kind == "value":
                inner = self.modules[base.path].expressions[base.ref]
                if inner[0] == "d":
                    for key in keys:
                        if key is not None:
                            yield from self._key(base, inner, key, depth)
                    if not keys:
                        for name, value in inner[2]:
                            if name != "**":
                                yield from self.follow(base.path, value, base.frames, depth)
                elif inner[0] == "l" and number[0] == "n" and 0 <= int(number[2]) < len(inner[2]):
                    yield from self.follow(base.path, inner[2][int(number[2])], base.frames, depth)

    def _key(self, base: Target, row: list[Any], key: str, depth: int) -> Iterator[Target]:
        for name, value in row[2]:
            if name == key:
                step = f"{key}: … ({base.path}:{self.modules[base.path].line(value)})"
                yield from _stepped(self.follow(base.path, value, base.frames, depth), step)
            elif name == "**":
                for spread in self.follow(base.path, value, base.frames, depth):
                    yield from self.member(spread, key, depth + 1)

    def _call(self, module: Module, expression: int, row: list[Any], frames: Frames, depth: int) -> Iterator[Target]:
        callee = module.expressions[row[2]]
        if callee[0] == "a" and callee[3] in _SAME:
            for base in self.follow(module.path, callee[2], frames, depth):
                if base.kind in ("value", "env"):
                    yield base
        for target in self.follow(module.path, row[2], frames, depth):
            if target.kind == "external":
                yield from self._external_call(module, expression, row, target, frames, depth)
            elif target.kind == "class":
                yield Target("instance", target.path, expression, module.path, target.chain, target.ref, frames)
            elif target.kind == "function":
                inner = self.modules[target.path]
                scope = inner.scopes[target.ref]
                frame = Frame(target.path, target.ref, module.path, expression, frames[:1])
                step = f"{scope[NAME] or 'a function'} returns ({target.path}:{scope[LINE]})"
                for returned in scope[RETURNS]:
                    yield from _stepped(self.follow(target.path, returned, (frame, *target.frames[:1]), depth), step)

    def _external_call(
        self, module: Module, expression: int, row: list[Any], target: Target, frames: Frames, depth: int
    ) -> Iterator[Target]:
        symbol, args, names = target.symbol, row[3], row[4]
        if symbol in _ENV_CALLS or symbol.endswith((".os.getenv", "environ.get")):
            default = args[1] if len(args) > 1 else names.get("default", -1)
            for text in self.texts(module.path, args[0], frames, depth) if args else ():
                if text.value:
                    yield from self._environment(text.value, target.chain)
            yield from self.follow(module.path, default, frames, depth)
        elif symbol in _FIELDS:
            default = names.get("default", args[0] if args else -1)
            yield from self.follow(module.path, default, frames, depth)
        elif args and holds(symbol):
            yield from self.follow(module.path, args[0], frames, depth)
        elif symbol in _SAME_CALLS:
            place = 1 if symbol == "typing.cast" else 0
            if len(args) > place:
                yield from self.follow(module.path, args[place], frames, depth)
        elif symbol in ("functools.partial", "partial") and args:
            yield from self.follow(module.path, args[0], frames, depth)
        elif symbol in ("os.path.join", "posixpath.join", "path.join", "path.default.join") and args:
            yield Target("external", module.path, expression, f"{symbol}()", target.chain, frames=frames)
        elif module.language == "java" and symbol.rpartition(".")[0].endswith("uilder()"):  # it gives itself back
            built = f"{symbol}()" if symbol.endswith(".build") else symbol.rpartition(".")[0]
            yield target._replace(symbol=built, ref=target.ref if target.ref >= 0 else expression)
        elif symbol.rpartition(".")[2] in _SAME and "()" in symbol:
            yield target._replace(symbol=symbol.rpartition(".")[0])
        else:
            yield Target("external", module.path, expression, f"{symbol}()", target.chain, frames=frames)

    def _environment(self, name: str, chain: tuple[str, ...]) -> Iterator[Target]:
        yield Target("env", "", -1, name, chain)

    # imports

    def _import(self, module: Module, number: int, depth: int, star: str = "") -> Iterator[Target]:
        _, _, source, name, _ = module.imports[number]
        name = star or name
        if module.language == "java":
            yield from self._import_java(module, source, name, depth)
            return
        path = self.locate(module.path, source)
        if path:
            inner = self.modules[path]
            if not name:
                yield Target("module", path, -1)
                return
            if (0, name) in inner.bindings:
                yield from self._name(inner, name, 0, (), depth)
                return
            if nested := self._submodule(path, name):
                yield Target("module", nested, -1)
                return
            found = False
            for other in inner.stars:
                for target in self._import(inner, other, depth + 1, name) if depth < MAX_DEPTH else ():
                    found = True
                    yield target
            if found or source.startswith("."):
                return
        if nested := self.locate(module.path, f"{source}.{name}" if source != "." else f".{name}"):
            yield Target("module", nested, -1)
        elif not source.startswith("."):
            yield Target("external", module.path, -1, f"{source}.{name}" if name else source)

    def _import_java(self, module: Module, source: str, name: str, depth: int) -> Iterator[Target]:
        """A class of a package of the source, something inside one (nested or static), or one from elsewhere."""
        if paths := self.packages.declaring_in(source, name):
            for path in paths[:4]:
                yield from self._name(self.modules[path], name, 0, (), depth + 1)
            return
        package, _, owner = source.rpartition(".")
        holders = self.packages.declaring_in(package, owner) if package else []
        for path in holders[:4]:
            for target in self._name(self.modules[path], owner, 0, (), depth + 1):
                yield from self.member(target, name, depth + 1)
        if not holders and ("java", source) not in self.packages.files:
            yield Target("external", module.path, -1, f"{source}.{name}")

    def locate(self, importer: str, source: str) -> str:
        """The file of the source that an import names; empty for a package from elsewhere."""
        key = (importer, source)
        if key not in self._imported:
            language = self.modules[importer].language
            if language == "python":
                self._imported[key] = self._locate_python(importer, source)
            elif language == "typescript":
                self._imported[key] = self._locate_script(importer, source)
            else:
                self._imported[key] = self.packages.locate(self.modules[importer], source)
        return self._imported[key]

    def _locate_python(self, importer: str, source: str) -> str:
        folder = posixpath.dirname(importer)
        if source.startswith("."):
            up = len(source) - len(source.lstrip("."))
            for _ in range(up - 1):
                folder = posixpath.dirname(folder)
            rest = source.lstrip(".").replace(".", "/")
            base = posixpath.join(folder, rest) if rest else folder
            return self._python_file(base)
        tail = source.replace(".", "/")
        best = ""
        for path in self._by_stem.get(tail.rpartition("/")[2], ()):
            bare = path.removesuffix("/__init__.py").removesuffix(".py").removesuffix(".ipynb")
            if path == importer or not (bare == tail or bare.endswith("/" + tail)):
                continue
            root = bare[: len(bare) - len(tail)].rstrip("/")
            if f"{root}/__init__.py".lstrip("/") in self.modules:
                continue  # inside a package: not importable by its bare name
            above = posixpath.dirname(root)
            if _holds(root, folder) or (_holds(above, folder) and posixpath.basename(root) in ("src", "lib", "python")):
                best = max(best, path, key=len)
        return best

    def _python_file(self, base: str) -> str:
        for path in (f"{base}.py", f"{base}/__init__.py" if base else "__init__.py", f"{base}.pyi"):
            if path in self.modules:
                return path
        return ""

    def _locate_script(self, importer: str, source: str) -> str:
        folder = posixpath.dirname(importer)
        if source.startswith("."):
            return self._script_file(posixpath.normpath(posixpath.join(folder, source)))
        if source.startswith(("@/", "~/")):
            while True:
                for root in ("", "src", "app"):
                    if found := self._script_file(posixpath.normpath(posixpath.join(folder, root, source[2:]))):
                        return found
                if not folder:
                    return ""
                folder = posixpath.dirname(folder)
        return ""

    def _script_file(self, base: str) -> str:
        bare = base.rsplit(".", 1)[0] if base.endswith((".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx")) else base
        for stem in dict.fromkeys((base, bare)):
            if stem in self.modules:
                return stem
        for stem in (bare, f"{bare}/index"):
            for end in ("ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs"):
                if f"{stem}.{end}" in self.modules:
                    return f"{stem}.{end}"
        return ""

    def _submodule(self, path: str, name: str) -> str:
        if path.endswith("/__init__.py") or path == "__init__.py":
            return self._python_file(posixpath.join(posixpath.dirname(path), name))
        return ""

    # items and arguments

    def items(self, target: Target, depth: int = 0) -> Iterator[Target]:
        """The targets of what a list or dictionary literal holds; spread lists are opened, each once."""
        todo, seen, left = [target], {(target.path, target.ref)}, MAX_ITEMS
        while todo:
            at = todo.pop()
            row = self.modules[at.path].expressions[at.ref]
            held = row[2] if row[0] == "l" else [value for _, value in row[2]] if row[0] == "d" else []
            spread = {value for name, value in row[2] if name == "**"} if row[0] == "d" else set()
            for item in held:
                opens = item in spread or self.modules[at.path].expressions[item][0] in "*o"
                for inner in self.follow(at.path, item, at.frames, depth + 1):
                    left -= 1
                    if left < 0:
                        return
                    place = (inner.path, inner.ref)
                    if opens and inner.kind == "value" and self.modules[inner.path].expressions[inner.ref][0] in "ld":
                        if place not in seen:
                            seen.add(place)
                            todo.append(inner)
                    else:
                        yield inner

    # texts

    def texts(self, path: str, expression: int, frames: Frames = (), depth: int = 0) -> list[Text]:
        """The strings that the expression may hold, known or not."""
        found: list[Text] = []
        for target in self.follow(path, expression, frames, depth):
            found += self.text_of(target, depth)
            if len(found) >= MAX_TARGETS:
                break
        return list(dict.fromkeys(found))

    def text_of(self, target: Target, depth: int = 0) -> list[Text]:
        """The strings that a target may hold."""
        if target.kind == "env":
            return self._env_texts(target)
        if target.kind == "external":
            return self._known(target, depth)
        if target.kind != "value":
            return []
        module = self.modules[target.path]
        row = module.expressions[target.ref]
        if row[0] == "s":
            return [Text(row[2], target.path, row[1], target.chain, length=len(row[2]))]
        if row[0] == "S":
            return [Text(None, target.path, row[1], target.chain, length=row[3], sha=row[2], head=row[4])]
        if row[0] == "f" and depth < MAX_DEPTH:
            return self._joined(target, row, depth)
        return []

    def _env_texts(self, target: Target) -> list[Text]:
        given = self.env.get(target.symbol, ())
        step = f"env {target.symbol}"
        found = []
        for value, where in given:
            path, _, line = where.rpartition(":")
            chain = (*target.chain, f"{step} ({where})")
            number = int(line) if line.isdigit() else 0
            found.append(Text(value, path or where, number, chain, target.symbol, len(value)))
        return found or [Text(None, target.path, 0, (*target.chain, f"from {step}"), target.symbol)]

    def _known(self, target: Target, depth: int) -> list[Text]:
        symbol = target.symbol.removesuffix(".value")
        if target.ref >= 0 and symbol.endswith(".join()"):
            module = self.modules[target.path]
            parts = [self.texts(target.path, a, target.frames, depth + 1) for a in module.expressions[target.ref][3]]
            if parts and all(p and p[0].value is not None for p in parts):
                value = "/".join(p[0].value or "" for p in parts)
                return [Text(value, target.path, module.line(target.ref), target.chain, length=len(value))]
            return []
        if (given := constant(symbol)) is not None:
            return [Text(given, target.path, 0, (*target.chain, symbol), length=len(given))]
        for suffix in (symbol, symbol.split(".", 1)[-1], ".".join(symbol.rsplit(".", 2)[-2:])):
            if (known := self.known.get(suffix)) is not None:
                line = self.modules[target.path].line(target.ref) if target.ref >= 0 else 0
                return [Text(known, target.path, line, (*target.chain, symbol), length=len(known))]
        return []

    def _joined(self, target: Target, row: list[Any], depth: int) -> list[Text]:
        """Joined parts: one text when all parts are known (their first value), else its shape with {} for the rest."""
        module = self.modules[target.path]
        known, size = True, 0
        shape: list[str] = []
        variants: list[str] = [""]
        for part in row[2][:200]:
            inner = module.expressions[part]
            if inner[0] == "S":
                known = False
                shape.append(f"{{{inner[2]}}}")
                size += inner[3]
                continue
            given = [t for t in self.texts(target.path, part, target.frames, depth + 1) if t.value is not None]
            if not given:
                if inner[0] == "n":
                    given = [Text(str(inner[2]), target.path, inner[1], ())]
                else:
                    known = False
                    shape.append("{}")
                    continue
            shape.append(given[0].value or "")
            size += len(given[0].value or "")
            if known:
                options = list(dict.fromkeys(t.value or "" for t in given))[:4]
                variants = [left + right for left in variants for right in options][:8]
        whole = "".join(shape)
        if known:
            return [Text(v, target.path, row[1], target.chain, length=len(v), sha=sha256(v)) for v in variants]
        return [Text(None, target.path, row[1], target.chain, length=size, sha=sha256(whole), head=whole[:HEAD])]

    # places

    def enclosing(self, path: str, scope: int) -> Iterator[int]:
        """The functions around a scope, innermost first, itself included."""
        module = self.modules[path]
        while scope > 0:
            if module.scopes[scope][KIND] == FUNCTION:
                yield scope
            scope = module.scopes[scope][PARENT]


def _stepped(targets: Iterable[Target], step: str) -> Iterator[Target]:
    for target in targets:
        yield target._replace(chain=(step, *target.chain)[:12])


def _distinct(targets: Iterator[Target]) -> list[Target]:
    found: dict[tuple[Any, ...], Target] = {}
    for target in targets:
        key = (target.kind, target.path, target.ref, target.symbol, target.scope, target.frames)
        if key not in found:
            found[key] = target
            if len(found) >= MAX_TARGETS:
                break
    return list(found.values())


def _inside(module: Module, scope: int, owner: int) -> bool:
    while scope > 0:
        if scope == owner:
            return True
        scope = module.scopes[scope][PARENT]
    return False


def _holds(root: str, folder: str) -> bool:
    """Whether a folder is the root or lies below it ("" is the top)."""
    return not root or folder == root or folder.startswith(root + "/")
