"""Signatures: which resolved name makes what, and where its arguments stand. Rows are data: packs/signatures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, NamedTuple

import msgspec

from penstock.discover.code.ir import BASES, CLASS, DECORATORS, FUNCTION, KIND, NAME, PARENT, RETURNS
from penstock.discover.code.language import language
from penstock.discover.code.resolve import Frames, Module, Resolver, Target
from penstock.discover.collector import Fact
from penstock.knowledge.model_apis import ApiCall, api_call
from penstock.knowledge.pack import define_pack, load_pack

Makes = Literal[
    "client", "model", "request", "agent", "tool", "server", "server_tool", "server_prompt", "handler", "prompt",
    "store", "data", "passes", "settings", "training", "fit", "save", "save_to", "push", "guard", "guard_function",
    "mcp_client", "registration", "evaluation", "graph",
]  # fmt: skip
#: What a class of the source may be by what it extends, and is not once more by a method that it inherits.
_OF_CLASSES = frozenset({"agent", "tool", "server"})
#: Classes of the source above one another whose members are looked at.
_MOST_BASES = 6
Places = str | int | tuple[str | int, ...]


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One row; see the header of the pack for the fields.

    ``providers``/``names`` choose by the last name or the package that matched; ``positions`` replaces the places of
    some last names; ``defaults`` are names of the package that hold for an argument that is not given; ``router``: a
    model's id starts with its provider; ``weights``: it loads weights; ``weak``: it is only a view on another
    thing (or one by its ``name`` where it is given none), or tells of an agent that its folder makes;
    ``extension``: methods that the package adds to types of others, known by their name where it is imported;
    ``extends``: what a class of the source is that has it as a base; its members are the arguments (``@name``: those of
    its attributes), and ``spelled`` says how a name is made of its own;
    ``hosted``: a ready-made tool of the package; ``hub``/``named``: how the path of data is meant,
    ``address``: how one is made of several arguments (``s3://{bucket}/{key}``); ``file``: its model is a file,
    ``guessed``: a model only where the file's name or a prediction says so, because it may load any object;
    ``by_host``: a call over plain HTTP, which is one of a model only where its ``url`` (after ``base``) is an address
    of such an API; ``gives``: types that a container of services then hands to whoever asks for one, and ``asks``:
    those that it fills in where no model is given; ``needs``: the argument without which a call is something else (a
    search without vectors).
    """

    id: str
    package: tuple[str, ...]
    symbol: tuple[str, ...]
    makes: Makes
    provider: str = ""
    providers: dict[str, str] = {}
    name: str = ""
    names: dict[str, str] = {}
    role: str = ""
    args: dict[str, tuple[str | int, ...]] = {}
    positions: dict[str, dict[str, tuple[str | int, ...]]] = {}
    defaults: dict[str, tuple[str, ...]] = {}
    language: str = ""
    router: bool = False
    weights: bool = False
    weak: bool = False
    extension: bool = False
    extends: bool = False
    spelled: Literal["", "snake_case", "kebab-case"] = ""
    hosted: bool = False
    hub: bool = False
    named: bool = False
    file: bool = False
    guessed: bool = False
    by_host: bool = False
    gives: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    address: str = ""
    needs: str = ""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A constant of a package and the text it stands for."""

    id: str
    value: str
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


class Site(NamedTuple):
    """A place where a signature applies: a call, a decorator on a function, or a base of a class.

    ``decorated`` is the scope of the function or class, else -1.
    """

    path: str
    call: int
    row: Signature
    symbol: str
    receiver: Target | None
    decorated: int = -1


#: Languages whose rows hold for another one too; rows without a language are of Python and scripts.
_READS = {
    "python": ("", "python"), "typescript": ("", "script"), "kotlin": ("kotlin", "java"), "java": ("java", "kotlin"),
}  # fmt: skip


def match(symbol: str, language: str) -> Signature | None:
    """The signature of a resolved name in a language, such as ``openai.OpenAI().chat.completions.create``."""
    return _match(symbol, _READS.get(language) or (language,))


@cache
def _match(symbol: str, languages: tuple[str, ...]) -> Signature | None:
    plain = symbol.replace("[]", "")
    for pattern, package, row in _index().get(_tail(plain), ()):
        whole = row.by_host and plain == package == pattern  # a function of the language itself: ``fetch``
        if row.language in languages and (whole or (_inside(plain, package) and _ends(plain, package, pattern))):
            return row
    return None


def last_name(symbol: str) -> str:
    """The class or function that a name is about: ``Chroma`` of ``langchain_chroma.Chroma.from_documents``."""
    return symbol.rstrip("()").rpartition(".")[2]


def provider_of(row: Signature, symbol: str) -> str:
    """The provider that a row names for the way it was matched."""
    if row.providers:
        names = re.split(r"[.()]+", symbol)
        for key, provider in row.providers.items():
            if key in names or symbol.startswith(key):
                return provider
    return row.provider


def name_for(row: Signature, symbol: str) -> str:
    """The name that a row gives to what it makes."""
    if row.names:
        names = re.split(r"[.()]+", symbol)
        for key, name in row.names.items():
            if key in names:
                return name
    return row.name


def members() -> dict[str, str]:
    """Constants of packages that stand for texts."""
    return {row.id: row.value for row in load_pack("members").rows}


@cache
def tails() -> frozenset[str]:
    """The last names that any signature ends in: what need not be resolved has none of them."""
    return frozenset(_index())


def _tail(symbol: str) -> str:
    return symbol.rpartition(".")[2]


def _inside(symbol: str, package: str) -> bool:
    return symbol.startswith(package) and symbol[len(package) : len(package) + 1] in (".", "/", "")


def _ends(symbol: str, package: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return symbol.endswith(pattern[1:])
    return symbol.endswith("." + pattern) and len(symbol) > len(package) + len(pattern)


@cache
def _index() -> dict[str, list[tuple[str, str, Signature]]]:
    found: dict[str, list[tuple[str, str, Signature]]] = {}
    for row in load_pack("signatures").rows:
        for symbol in row.symbol:
            for pattern in _expand(symbol):
                for package in row.package:
                    found.setdefault(_tail(pattern), []).append((pattern, package, row))
    for rows in found.values():  # the longest pattern is the most telling; a bare "*." comes last
        rows.sort(key=lambda entry: (entry[0].startswith("*."), -len(entry[0]), -len(entry[1])))
    return found


@cache
def _extensions() -> dict[str, list[tuple[str, Signature]]]:
    """Methods that packages add to types of others: name → (package, row)."""
    found: dict[str, list[tuple[str, Signature]]] = {}
    for row in load_pack("signatures").rows:
        for symbol in row.symbol if row.extension else ():
            for name in _expand(symbol):
                found.setdefault(name, []).extend((package, row) for package in row.package)
    return found


def _expand(pattern: str) -> Iterator[str]:
    start = pattern.find("{")
    if start < 0:
        yield pattern
        return
    end = pattern.index("}", start)
    for choice in pattern[start + 1 : end].split(","):
        yield from _expand(pattern[:start] + choice.strip() + pattern[end + 1 :])


# sites


def sites(resolver: Resolver) -> Iterator[Site]:
    """Every call and decorator of a source to which a signature applies."""
    for module in resolver.modules.values():
        decorators = {d for scope in module.scopes for d in scope[DECORATORS]}
        for call in module.calls:
            if call not in decorators and _may_match(module, call):
                yield from _at_call(resolver, module, call)
        for number, scope in enumerate(module.scopes):
            for decorator in scope[DECORATORS]:
                for site in _at_decorator(resolver, module, decorator, number):
                    if scope[KIND] == FUNCTION or site.row.makes == "agent":
                        yield site
            for base in scope[BASES] if scope[KIND] == CLASS else ():
                yield from _at_base(resolver, module, base, number)


def _at_call(resolver: Resolver, module: Module, call: int) -> Iterator[Site]:
    callee = module.expressions[call][2]
    targets = resolver.follow(module.path, callee)
    for target in targets:
        for symbol in _symbols(resolver, target):
            if (row := match(symbol, module.language)) and not row.extends:
                if row.makes in _OF_CLASSES and _is_own_class(resolver, module, callee):
                    return  # said where the class is
                if _is_meant(resolver, module.path, call, row):
                    yield Site(module.path, call, row, symbol, target)
                return
    name = module.expressions[callee][3] if module.expressions[callee][0] == "a" else ""
    for package, row in _extensions().get(name, ()):
        if resolver.packages.uses(module, package) and not any(t.kind == "function" for t in targets):
            receiver = targets[0] if targets else None
            yield Site(module.path, call, row, f"{receiver.symbol if receiver else package}.{name}", receiver)
            return


def _at_decorator(resolver: Resolver, module: Module, decorator: int, scope: int) -> Iterator[Site]:
    row = module.expressions[decorator]
    callee = row[2] if row[0] == "c" else decorator
    for target in resolver.follow(module.path, callee):
        if target.kind == "external" and (signature := match(target.symbol, module.language)):
            yield Site(module.path, decorator, signature, target.symbol, target, scope)
            return


def _is_own_class(resolver: Resolver, module: Module, callee: int) -> bool:
    """Whether a method that a class of the source inherits is called on it: ``ResearchAgent::make()``."""
    row = module.expressions[callee]
    holders = resolver.follow(module.path, row[2]) if row[0] == "a" else ()
    return any(at.kind == "class" and any(True for _ in _classified(resolver, at)) for at in holders)


def _classified(resolver: Resolver, target: Target) -> Iterator[Signature]:
    """What a class of the source is by what it extends."""
    language = resolver.modules[target.path].language
    for symbol in resolver.base_symbols(target.path, target.ref):
        if (row := match(symbol, language)) and row.extends:
            yield row


def _at_base(resolver: Resolver, module: Module, base: int, scope: int) -> Iterator[Site]:
    for target in resolver.follow(module.path, base):
        symbols = [target.symbol] if target.kind == "external" else []
        if target.kind == "class" and (target.path, target.ref) != (module.path, scope):
            symbols = resolver.base_symbols(target.path, target.ref)
        for symbol in symbols:
            if (row := match(symbol, module.language)) and row.extends:
                module.name_of.setdefault(base, module.scopes[scope][NAME])
                yield Site(module.path, base, row, symbol, None, scope)
                return


def _symbols(resolver: Resolver, target: Target) -> list[str]:
    if target.kind == "external":
        return [target.symbol]
    if target.kind == "class" and resolver.modules[target.path].scopes[target.ref][BASES]:
        return resolver.base_symbols(target.path, target.ref)
    return []


def _may_match(module: Module, call: int) -> bool:
    """A cheap look at the last name before anything is resolved."""
    callee = module.expressions[module.expressions[call][2]]
    while callee[0] in "*i":
        callee = module.expressions[callee[2]]
    if callee[0] == "a":
        return callee[3] in tails()
    return callee[0] in "rc"


# arguments


def arguments(
    resolver: Resolver, path: str, call: int, row: Signature, role: str, symbol: str = ""
) -> list[tuple[str, int, Frames]]:
    """Where a call gives the argument that plays a role: (file, row, frames); empty when it is not given."""
    places = row.args.get(role, ())
    for name, other in row.positions.items():
        if symbol.endswith(name) and role in other:
            places = other[role]
    for place in places:
        if found := argument(resolver, path, call, place):
            return found
    return []


def argument(resolver: Resolver, path: str, call: int, place: str | int) -> list[tuple[str, int, Frames]]:
    """The argument at one place: a position, a keyword, or a path into either (``config.system``, ``0.model``).

    ``*`` are all in a list or all that a call is given, ``this`` what a method is called on, ``class.x`` the field of
    the class around; ``0.a+b`` are two places at once.
    """
    if "+" in str(place):
        before, dot, names = str(place).rpartition(".")
        return [hit for name in names.split("+") for hit in argument(resolver, path, call, f"{before}{dot}{name}")]
    row = resolver.modules[path].expressions[call]
    if row[0] != "c":
        return []
    head, *rest = str(place).split(".")
    if head == "this":
        callee = resolver.modules[path].expressions[row[2]]
        found: list[tuple[str, int, Frames]] = [(path, callee[2], ())] if callee[0] == "a" else []
    elif head == "class" and rest:
        found = [(path, value, ()) for value in _fields(resolver.modules[path], row[5], rest.pop(0))]
    elif head.isdigit():
        position = int(head)
        if position >= len(row[3]):
            return []
        found = [(path, row[3][position], ())]
    elif head in row[4]:
        found = [(path, row[4][head], ())]
    else:
        found = []
        for name, value in row[4].items():
            if name.startswith("**"):
                found += _inside_value(resolver, path, value, (), head)
        if not found:
            return []
    for part in rest:
        found = [hit for at, value, frames in found for hit in _inside_value(resolver, at, value, frames, part)]
    return found


def _fields(module: Module, scope: int, name: str) -> list[int]:
    """The values of a field of the class around a scope."""
    while scope > 0 and module.scopes[scope][KIND] != CLASS:
        scope = module.scopes[scope][PARENT]
    return [row[2] for row in module.assigned if row[0] == scope > 0 and row[1] == name and row[2] >= 0]


def _inside_value(
    resolver: Resolver, path: str, value: int, frames: Frames, part: str
) -> Iterator[tuple[str, int, Frames]]:
    for target in resolver.follow(path, value, frames):
        if target.kind == "value":
            row = resolver.modules[target.path].expressions[target.ref]
            if row[0] == "d":
                for name, inner in row[2]:
                    if name == part:
                        yield target.path, inner, target.frames
                    elif name == "**":
                        yield from _inside_value(resolver, target.path, inner, target.frames, part)
            elif row[0] == "l" and part == "*":
                yield from ((item.path, item.ref, item.frames) for item in resolver.items(target) if item.ref >= 0)
            elif row[0] == "l" and part.isdigit() and int(part) < len(row[2]):
                yield target.path, row[2][int(part)], target.frames
            elif row[0] == "l":
                yield from _options(resolver, target, part)
        elif target.kind in ("external", "instance") and target.ref >= 0:
            at = target.path if target.kind == "external" else target.symbol
            call: list[Any] = resolver.modules[at].expressions[target.ref] if at in resolver.modules else ["?"]
            if call[0] == "c" and part in call[4]:
                yield at, call[4][part], target.frames
            elif call[0] == "c" and part.isdigit() and int(part) < len(call[3]):
                yield at, call[3][int(part)], target.frames
            elif call[0] == "c" and part == "*":
                yield from ((at, given, target.frames) for given in call[3])
            elif call[0] == "c":
                yield from _set_later(resolver, at, target, part)


def _options(resolver: Resolver, target: Target, part: str) -> Iterator[tuple[str, int, Frames]]:
    """Among options in a list, the call by this name: ``opts = append(opts, WithModel("…"))``."""
    for item in resolver.items(target):
        if item.kind == "external" and item.ref >= 0 and last_name(item.symbol) == part:
            yield item.path, item.ref, item.frames


def _set_later(resolver: Resolver, path: str, target: Target, part: str) -> Iterator[tuple[str, int, Frames]]:
    """What was assigned to a field after a thing was made: ``request.Model = …``."""
    for _, holder, _, value, _ in resolver.modules[path].sets.get(part, ())[:20]:
        if any(t.kind == target.kind and t.ref == target.ref for t in resolver.follow(path, holder)):
            yield path, value, ()


def members_given(resolver: Resolver, site: Site, role: str) -> list[tuple[str, int, Frames]]:
    """What a class of the source gives in a role, by its own members or by those of the classes it extends."""
    for place in site.row.args.get(role, ()):
        head, *rest = str(place).split(".")
        found = _member_values(resolver, site.path, site.decorated, head)
        for part in rest:
            found = [hit for at, value, frames in found for hit in _inside_value(resolver, at, value, frames, part)]
        if found:
            return found
    return []


def _member_values(
    resolver: Resolver, path: str, scope: int, name: str, depth: int = 0
) -> list[tuple[str, int, Frames]]:
    """The rows that a member of a class holds or gives back."""
    module = resolver.modules[path]
    if name.startswith("@"):
        marks = [module.expressions[mark] for mark in module.scopes[scope][DECORATORS]]
        return [(path, mark[4][name[1:]], ()) for mark in marks if mark[0] == "c" and name[1:] in mark[4]]
    found: list[tuple[str, int, Frames]] = []
    said = module.bindings.get((scope, f".{name}"), ())  # in the body of a class of Ruby
    for kind, number in said or module.bindings.get((scope, name), ()):
        if kind == "assign":
            found.append((path, module.assigned[number][2], ()))
        elif kind == "scope":
            found += [(path, row, ()) for row in module.scopes[number][RETURNS]]
    for row in module.sets.get(name, ()) if not found else ():
        if module.expressions[row[1]][:1] == ["r"] and module.is_inside(row[0], scope):
            found.append((path, row[3], ()))
    for base in module.scopes[scope][BASES] if not found and depth < _MOST_BASES else ():
        for target in resolver.follow(path, base):
            if target.kind == "class" and not found:
                found = _member_values(resolver, target.path, target.ref, name, depth + 1)
    return found


def _is_meant(resolver: Resolver, path: str, call: int, row: Signature) -> bool:
    """Whether a call that has a row's name is what the row is about."""
    if row.by_host:
        return api_called(resolver, path, call, row) is not None
    return not row.needs or bool(arguments(resolver, path, call, row, row.needs))


def api_called(resolver: Resolver, path: str, call: int, row: Signature) -> tuple[ApiCall, str] | None:
    """Which API of a model a call over plain HTTP goes to, and its URL; unknown parts of it are ``{}``."""
    for url in _urls(resolver, path, call, row):
        if found := api_call(url):
            return found, url
    return None


def _urls(resolver: Resolver, path: str, call: int, row: Signature) -> Iterator[str]:
    given, bases = (
        [t.value or t.head for at in arguments(resolver, path, call, row, role) for t in resolver.texts(*at)]
        for role in ("url", "base")
    )
    for url in given:
        if "://" in url:
            yield url
        for base in bases:
            whole = base if "://" in base else f"https://{base}"
            yield f"{whole.rstrip('/')}/{url.lstrip('/')}"


# examples


def _check(row: Signature, example: Any) -> bool:
    return any(site.row.id == row.id for site in sites(_read(row, str(example))))


def _read(row: Signature, text: str) -> Resolver:
    """An example as a source of one file, in the row's language; a script is known by how it looks."""
    script = row.language == "script" or (not row.language and re.search(r"\bfrom ['\"]|;\s*$", text))
    reader = language("typescript" if script else row.language or "python")
    path = f"example.{reader.endings[0]}"
    return Resolver([Fact("code", path, reader.read(text.encode(), path)[0])], known=members())


def _validate(row: Signature) -> Iterator[str]:
    if not row.package or not row.symbol:
        yield "it needs a package and a symbol: a bare name never applies"


def _check_member(row: Member, example: Any) -> bool:
    return members().get(str(example)) == row.value


define_pack("signatures", Signature, check=_check, validate=_validate)
define_pack("members", Member, check=_check_member)

__all__ = ["CLASS", "Signature", "Site", "argument", "arguments", "match", "members", "sites"]
