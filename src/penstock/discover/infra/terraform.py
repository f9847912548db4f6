"""Terraform: AI resources with their models, followed through variables, local values, outputs and module calls.

A folder is a module; a module that others of the source call is read once with its own defaults and once for each
call, so that ``hf_model_id = "…"`` in an example is the model of the endpoint that the module declares.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.discover.infra.environment import env_fact, is_secret, without_credentials
from penstock.discover.infra.expressions import Bound, Expression, Resource, within
from penstock.discover.infra.hcl import blocks
from penstock.discover.infra.resources import Declared, environment, observed
from penstock.graph.vocabulary import Unseen

NAME = "infra.terraform"
#: Ways in which the modules of one source are called, and how deep calls nest.
MOST_CALLS, DEEPEST_CALL = 500, 4
#: References that are followed in one source; a public module of 60 resources with ten examples needs 8,000.
MOST_STEPS = 60_000
_KEPT = frozenset({"", "variable", "locals", "resource", "data", "module", "output"})


@collector(
    NAME,
    reads=["*.tf", "*.tfvars", "*.tofu"],
    sees="resources, variables, local values, outputs and module calls; variables of functions and containers",
    unseen="values that a plan computes; modules from a registry; for_each over computed maps",
)
def terraform(file: File) -> Iterator[Yielded]:
    """The blocks of a file as a fact, and what it alone says about variables of programs."""
    found, whole = blocks(file.data)
    if not whole:
        yield Unseen(file.path, "parts of the Terraform file", "they do not parse", collector=NAME, scope=file.scope)
    kept = [block for block in found if block[0] in _KEPT]
    if kept:
        fact = Fact("terraform", file.path, {"blocks": kept})
        yield fact
        if b"env" in file.data or b"app_settings" in file.data:
            for given in variables([fact]):
                yield from env_fact(file, given.value["name"], given.value["value"], given.value["line"])


@joiner(NAME, sees="AI resources, their models, data and identities", unseen="what only a plan knows")
def estate(source: Source) -> Iterator[Yielded]:
    """Resources of every module, with what their references come to."""
    modules = _modules(source.facts.get("terraform", ()))
    reading = _Reading(modules)
    declared = [item for module in modules.values() for item in reading.declared(module)]
    yield from observed(
        declared, reading.lookup, source.scope, lambda where, chain: source.evidence(NAME, where, chain=chain)
    )


def variables(facts: Iterable[Fact]) -> Iterator[Fact]:
    """``env`` facts for the variables that resources give to functions and containers, over all given files.

    The line is where the variable's value stands, ``chain`` the way from there.
    """
    modules = _modules(facts)
    reading = _Reading(modules)
    for module in modules.values():
        for item in reading.declared(module):
            for name, text in environment(item.bodies[0], reading.lookup):
                if text.value and not is_secret(name, text.value):
                    chain = [*text.chain, f"{item.name} sets {name}"]
                    value = {"name": name, "value": without_credentials(text.value), "line": text.line, "chain": chain}
                    yield Fact("env", text.path, value)


@dataclass(slots=True)
class _Module:
    """The blocks of one folder."""

    folder: str
    inputs: dict[str, tuple[Expression | None, str]] = field(default_factory=dict)
    given: dict[str, tuple[Expression, str]] = field(default_factory=dict)
    locals: dict[str, tuple[Expression, str]] = field(default_factory=dict)
    outputs: dict[str, tuple[Expression, str]] = field(default_factory=dict)
    calls: dict[str, tuple[Expression, str, int]] = field(default_factory=dict)
    resources: dict[str, tuple[str, Expression, str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """One way in which a module is used: by itself (no arguments), or as another module calls it."""

    module: _Module
    name: str = ""
    arguments: dict[str, Bound] | None = None
    inside: dict[str, _Call] = field(default_factory=dict)


class _Reading:
    def __init__(self, modules: dict[str, _Module]) -> None:
        self.steps = 0
        self.calls: dict[str, list[_Call]] = {folder: [_Call(module)] for folder, module in modules.items()}
        waiting = [(call, 0) for calls in self.calls.values() for call in calls]
        made = 0
        while waiting:
            call, depth = waiting.pop(0)
            for name, (body, path, _) in call.module.calls.items():
                folder = self.local(call.module, body)
                if folder not in modules or folder == call.module.folder:
                    continue
                made += 1
                if made > MOST_CALLS or depth >= DEEPEST_CALL:
                    continue
                arguments = {str(key): Bound(value, path, call) for key, value in body[2]}
                inner = _Call(modules[folder], name, arguments)
                call.inside[name] = inner
                self.calls[folder].append(inner)
                waiting.append((inner, depth + 1))

    @staticmethod
    def local(module: _Module, body: Expression) -> str:
        """The folder that a call means; "//" (no folder) where it is not in the source."""
        source = next((value for key, value in body[2] if key == "source"), None)
        if source is None or source[0] != "s" or not str(source[2]).startswith("."):
            return "//"
        folder = posixpath.normpath(posixpath.join(module.folder, str(source[2])))
        return "" if folder == "." else folder

    def declared(self, module: _Module) -> Iterator[Declared]:
        calls = self.calls[module.folder]
        for address, (type_, body, path, line) in module.resources.items():
            bodies = tuple(Bound(body, path, call) for call in calls)
            yield Declared(f"{module.folder}#{address}", address, type_, path, line, bodies)
        for name, (body, path, line) in module.calls.items():
            source = next((value for key, value in body[2] if key == "source" and value[0] == "s"), None)
            if source is not None and not str(source[2]).startswith("."):
                bodies = tuple(Bound(body, path, call) for call in calls)
                address = f"module.{name}"
                yield Declared(f"{module.folder}#{address}", address, f"module:{source[2]}", path, line, bodies)

    def lookup(self, bound: Bound) -> list[tuple[Bound | Resource, str]]:
        """What a reference means where it stands."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            return []
        call: _Call = bound.context
        parts = [str(part) for part in bound.expression[2]]
        module = call.module
        if len(parts) < 2:
            return []
        if parts[0] == "var":
            return self.variable(call, parts[1], parts[2:])
        if parts[0] == "local" and parts[1] in module.locals:
            value, path = module.locals[parts[1]]
            step = f"local.{parts[1]}"
            return [(found, step) for found in within(Bound(value, path, call), parts[2:], self.lookup)]
        if parts[0] == "module" and parts[1] in module.calls:
            inner = call.inside.get(parts[1])
            if inner is None:
                return [(Resource(f"{module.folder}#module.{parts[1]}"), "")]
            if len(parts) > 2 and parts[2] in inner.module.outputs:
                value, path = inner.module.outputs[parts[2]]
                step = f"output {parts[2]} of module {parts[1]}"
                return [(found, step) for found in within(Bound(value, path, inner), parts[3:], self.lookup)]
            return []
        address = ".".join(parts[:3] if parts[0] == "data" else parts[:2])
        return [(Resource(f"{module.folder}#{address}"), "")] if address in module.resources else []

    def variable(self, call: _Call, name: str, keys: list[str]) -> list[tuple[Bound | Resource, str]]:
        module = call.module
        default, path = module.inputs.get(name, (None, ""))
        bound = Bound(default, path, call) if default is not None else None
        step = f"variable {name}"
        if call.arguments is not None and name in call.arguments:
            bound, step = call.arguments[name], f"variable {name} of module {call.name}"
        elif call.arguments is None and name in module.given:
            value, place = module.given[name]
            bound, step = Bound(value, place, call), f"variable {name} in {place}"
        return [(found, step) for found in within(bound, keys, self.lookup)] if bound is not None else []


def _modules(facts: Iterable[Fact]) -> dict[str, _Module]:
    """Folders with their blocks, by path."""
    modules: dict[str, _Module] = {}
    for fact in facts:
        folder, _, name = fact.path.rpartition("/")
        module = modules.setdefault(folder, _Module(folder))
        for block in fact.value["blocks"]:
            _sort(module, fact.path, name.endswith(".tfvars"), block)
    return modules


def _sort(module: _Module, path: str, given: bool, block: list[Any]) -> None:
    kind, labels, line, body = block
    entries = {str(key): value for key, value in body[2]}
    if kind == "variable" and labels:
        module.inputs[labels[0]] = entries.get("default"), path
    elif kind == "locals":
        module.locals.update({key: (value, path) for key, value in entries.items()})
    elif kind == "output" and labels and "value" in entries:
        module.outputs[labels[0]] = entries["value"], path
    elif kind == "module" and labels:
        module.calls[labels[0]] = body, path, line
    elif kind in ("resource", "data") and len(labels) > 1:
        address = f"{'data.' if kind == 'data' else ''}{labels[0]}.{labels[1]}"
        module.resources[address] = labels[0], body, path, line
    elif kind == "" and given:
        module.given.update({key: (value, path) for key, value in entries.items()})
