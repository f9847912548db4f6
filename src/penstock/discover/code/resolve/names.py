"""What a name stands for where it is used: what was assigned to it, imported, defined, or passed by callers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from penstock.discover.code.ir import CLASS, KIND, NAME, PARAMS, PARENT
from penstock.discover.code.resolve import imports, shared
from penstock.discover.code.resolve.known import THIS
from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.targets import Frames, Target, stepped

if TYPE_CHECKING:
    from penstock.discover.code.resolve.resolver import Resolver

#: Of a name that is bound again and again, so many bindings are looked at, the last ones.
_MAX_BINDINGS = 8


def name(resolver: Resolver, module: Module, name: str, scope: int, frames: Frames, depth: int) -> Iterator[Target]:
    """What a name may be, seen from a scope."""
    if name in THIS:
        owner = scope
        while owner > 0 and module.scopes[owner][KIND] != CLASS and not _is_on_receiver(module, owner):
            owner = module.scopes[owner][PARENT]
        if owner > 0 and module.scopes[owner][KIND] == CLASS:
            yield Target("instance", module.path, -1, scope=owner)
            return
    if name == "super":
        return
    holder, bindings = module.lookup(name, scope)
    for kind, number in bindings[-_MAX_BINDINGS:]:
        if kind == "assign":
            row = module.assigned[number]
            step = f"{name} = … ({module.path}:{row[3]})"
            inner = frames if holder else ()
            yield from stepped(resolver.follow(module.path, row[2], inner, depth), step)
        elif kind == "import":
            yield from imports.imported(resolver, module, number, depth)
        elif kind == "scope":
            yield Target(module.kind_of(number), module.path, number, frames=frames if holder else ())
        elif kind == "param":
            yield from _parameter(resolver, module, holder, number, frames, depth)
    if not bindings:
        yield from _free(resolver, module, name, scope, frames, depth)


def _is_on_receiver(module: Module, scope: int) -> bool:
    """Whether a function calls the thing that it is added to ``this``."""
    params = module.scopes[scope][PARAMS]
    return bool(params) and len(params[0]) > 3 and params[0][0] == "this"


def _free(resolver: Resolver, module: Module, name: str, scope: int, frames: Frames, depth: int) -> Iterator[Target]:
    """A name that its file does not bind: another file of the package does, ``import *``, or the language itself."""
    found = False
    shares = bool(resolver.packages.of(module))
    for target in shared.name(resolver, module, name, scope, depth, frames) if shares else ():
        found = True
        yield target
    if not found and (full := module.dialect.implied.get(name)):
        yield Target("external", module.path, -1, full)
        return
    for number in module.stars if not found and name not in module.dialect.prelude else ():
        if not module.imports[number][2].startswith(module.dialect.aside or ("\0",)):
            for target in imports.imported(resolver, module, number, depth, name):
                found = found or not module.dialect.nested
                yield target
    if not found:
        yield Target("external", module.path, -1, name)


def made(types: Iterable[Target]) -> Iterator[Target]:
    """Something of a type."""
    for target in types:
        if target.kind == "external" and "." in target.symbol:
            yield target._replace(symbol=target.symbol + "()")
        elif target.kind == "class":
            yield Target("instance", target.path, -1, scope=target.ref)


def _parameter(
    resolver: Resolver, module: Module, scope: int, place: int, frames: Frames, depth: int
) -> Iterator[Target]:
    """What the call that is being looked into passes, else what all callers pass; then the default, then the type."""
    name, default, annotation = module.scopes[scope][PARAMS][place][:3]
    function = module.scopes[scope][NAME]
    frame = next((f for f in frames if f.path == module.path and f.scope == scope), None)
    given = False
    calls = [(frame.call_path, frame.call, frame.outer)] if frame else []
    if not calls:
        calls = [(path, call, ()) for path, call in resolver.calls.of(module.path, scope, depth)]
    for path, call, outer in calls:
        argument = _argument(module, scope, place, name, resolver.modules[path], call)
        if argument >= 0:
            given = True
            step = f"{name} of {function or 'a function'} ({path}:{resolver.modules[path].line(call)})"
            yield from stepped(resolver.follow(path, argument, outer, depth), step)
    if default >= 0 and not (frame and given):
        step = f"default of {name} ({module.path}:{module.line(default)})"
        yield from stepped(resolver.follow(module.path, default, (), depth), step)
    if annotation >= 0 and not given:
        yield from made(resolver.follow(module.path, annotation, (), depth))


def _argument(module: Module, scope: int, place: int, name: str, at: Module, call: int) -> int:
    """The row of the argument that a call gives for a parameter; -1 when it gives none."""
    row = at.expressions[call]
    if name in row[4]:
        return int(row[4][name])
    params = module.scopes[scope][PARAMS]
    parent = module.scopes[scope][PARENT]
    if params and params[0][0] in ("self", "cls") and module.scopes[parent][KIND] == CLASS:
        place -= 1
    elif params and len(params[0]) > 3 and (receiver := _receiver(module, parent, at, row)) >= 0:
        if place == 0:
            return receiver
        place -= 1
    if 0 <= place < len(row[3]):
        argument = row[3][place]
        if at.expressions[argument][0] != "*":
            return int(argument)
    return -1


def _receiver(module: Module, owner: int, at: Module, call: list[Any]) -> int:
    """What a method that is added to a type is called on: ``text.Shortened()``, not ``Texts.Shortened(text)``."""
    callee = at.expressions[call[2]]
    if callee[0] != "a":
        return -1
    base = at.expressions[callee[2]]
    static = base[0] in "ra" and base[2 if base[0] == "r" else 3] == module.scopes[owner][NAME]
    return -1 if static and module.scopes[owner][NAME] else int(callee[2])
