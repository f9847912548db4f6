"""The configuration of .NET: ``configuration["OpenAI:Model"]``, sections, and classes that sections are bound to.

A key is answered as a variable of its whole name; ``OpenAI:Model`` in a settings file and ``OpenAI__Model`` in the
environment are the same key, whatever the case of their letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from penstock.discover.code.ir import CLASS, KIND
from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.targets import Frames, Target, variable

if TYPE_CHECKING:
    from penstock.discover.code.resolve.resolver import Resolver

_ROOT = re.compile(
    r"(?:\.Configuration|\bI?Configuration(?:Root|Section|Manager)?\(\)|ConfigurationBuilder\(\)(?:\.\w+\(\))*\.Build\(\))$"
)
_SECTIONS = (".GetSection()", ".GetRequiredSection()")
_READS = frozenset({"GetValue", "GetConnectionString"})
#: Calls that say which class a section is read into.
_BINDS = frozenset({"Get", "Configure", "Bind", "BindConfiguration"})
#: Steps of a chain that are walked back; sections within sections, and classes within bound classes.
_MOST_STEPS, _MOST_BOUND = 8, 400


def key_of(name: str) -> str:
    """A key in the one spelling it is looked up by."""
    return name.replace("__", ":").casefold()


def section(resolver: Resolver, target: Target) -> str | None:
    """The keys that lead to a part of the configuration ("" for all of it); None for anything else."""
    names: list[str] = []
    for _ in range(_MOST_STEPS):
        if target.kind != "external":
            return None
        if not target.symbol.endswith(_SECTIONS):
            return ":".join(reversed(names)) if _ROOT.search(target.symbol) else None
        row: list[Any] = resolver.modules[target.path].expressions[target.ref] if target.ref >= 0 else ["?"]
        if row[0] != "c" or not row[3]:
            return None
        names.append(_text(resolver, target.path, row[3][0], target.frames))
        callee = resolver.modules[target.path].expressions[row[2]]
        below = resolver.follow(target.path, callee[2], target.frames) if callee[0] == "a" else []
        if not names[-1] or not below:
            return None
        target = below[0]
    return None


def under(resolver: Resolver, base: Target, keys: list[str | None]) -> Iterator[Target]:
    """``configuration["key"]``"""
    above = section(resolver, base)
    for key in keys if above is not None else ():
        if key:
            yield variable(_joined(above or "", key), base.chain)


def read(resolver: Resolver, module: Module, row: list[Any], base: Target, frames: Frames, depth: int) -> list[Target]:
    """What a call of a method of the configuration gives; empty where it is none that is known."""
    name = base.symbol.rpartition(".")[2]
    if name == "Get" and "T" in row[4]:
        return resolver.follow(module.path, row[4]["T"], frames, depth)
    if name not in _READS or not row[3]:
        return []
    holder = base._replace(symbol=base.symbol.rpartition(".")[0])
    above = section(resolver, holder)
    key = _text(resolver, module.path, row[3][0], frames)
    if above is None or not key:
        return []
    found = [variable(_joined("ConnectionStrings" if name == "GetConnectionString" else above, key), base.chain)]
    for default in row[3][1:2]:
        found += resolver.follow(module.path, default, frames, depth)
    return found


class Bound:
    """The classes of a source that sections of the configuration are read into."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver

    def fields(self, path: str, scope: int, attribute: str) -> Iterator[Target]:
        """The keys that set a field of a class, where something sets them."""
        for above in self.sections.get((path, scope), ()):
            name = _joined(above, attribute)
            if key_of(name) in self.resolver.settings:
                yield variable(name, ())

    @cached_property
    def sections(self) -> dict[tuple[str, int], list[str]]:
        """Class → the sections it is bound to; those in a bound class are bound below it."""
        found: dict[tuple[str, int], list[str]] = {}
        todo = [each for m in self.resolver.modules.values() if m.dialect.nested for each in self._bound_in(m)]
        while todo and len(found) < _MOST_BOUND:
            made, above = todo.pop()
            if made.kind != "instance" or above in found.setdefault((made.path, made.scope), []):
                continue
            found[made.path, made.scope].append(above)
            if above.count(":") < _MOST_STEPS:
                todo += self._within(made, above)
        return found

    def _bound_in(self, module: Module) -> Iterator[tuple[Target, str]]:
        for call in module.calls:
            row = module.expressions[call]
            callee = module.expressions[row[2]]
            if callee[0] == "a" and callee[3] in _BINDS:
                for above in self._sections_of(module, row, callee):
                    for made in self._classes_of(module, row, callee):
                        yield made, above

    def _sections_of(self, module: Module, row: list[Any], callee: list[Any]) -> Iterator[str]:
        if callee[3] == "BindConfiguration":
            if row[3] and (name := _text(self.resolver, module.path, row[3][0], ())):
                yield name
            return
        for place in [callee[2], *row[3]]:
            for target in self.resolver.follow(module.path, place):
                if (above := section(self.resolver, target)) is not None:
                    yield above

    def _classes_of(self, module: Module, row: list[Any], callee: list[Any]) -> Iterator[Target]:
        if "T" in row[4]:
            yield from self.resolver.follow(module.path, row[4]["T"])
            return
        at = module.expressions[callee[2]]
        for _ in range(_MOST_STEPS):  # AddOptions<T>().ValidateOnStart().Bind(section)
            if at[0] == "c" and "T" in at[4]:
                yield from self.resolver.follow(module.path, at[4]["T"])
                return
            if at[0] not in "ca":
                break
            at = module.expressions[at[2]]
        for place in row[3][-1:]:  # section.Bind(options)
            for target in self.resolver.follow(module.path, place):
                if target.kind == "instance":
                    yield target

    def _within(self, made: Target, above: str) -> Iterator[tuple[Target, str]]:
        module = self.resolver.modules[made.path]
        if module.scopes[made.scope][KIND] != CLASS:
            return
        for row in module.assigned:
            if row[0] == made.scope and row[2] >= 0:
                for target in self.resolver.follow(made.path, row[2]):
                    if target.kind == "instance":
                        yield target, _joined(above, str(row[1]))


def _joined(above: str, key: str) -> str:
    return f"{above}:{key}" if above else key


def _text(resolver: Resolver, path: str, expression: int, frames: Frames) -> str:
    return next((t.value for t in resolver.texts(path, expression, frames) if t.value), "")
