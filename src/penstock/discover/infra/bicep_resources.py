"""Resources that Bicep declares, through the table that serves every other format (``discover.infra.resources``).

Parameters come from whoever calls a module, loops stand for each of their items, nested resources lie in the one that
they are written in, and an ``existing`` resource is the one of its type that the same source declares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from penstock.discover.collector import Source, Yielded, joiner
from penstock.discover.infra.bicep import Templates, _Module
from penstock.discover.infra.bicep_text import Value
from penstock.discover.infra.expressions import Bound, Expression, Resource, within
from penstock.discover.infra.resources import Declared, observed, row_of

NAME = "infra.bicep.resources"
#: References that are followed in one source, resources in one file.
MOST_STEPS, MOST = 60_000, 2_000
_EXISTING = " existing"


@joiner(
    NAME,
    sees="AI resources of Bicep with models, data, identities and exposure, through parameters, modules and loops",
    unseen="resources that a module of a registry makes besides the one it is named for; values of functions",
)
def bicep_resources(source: Source) -> Iterator[Yielded]:
    """Assets and relations of all templates of a source, read together."""
    read = _Read(Templates(source.facts))
    yield from observed(
        read.declared(),
        read.lookup,
        source.scope,
        lambda where, chain: replace(source.evidence(NAME, where, chain=chain), confidence="declared"),
    )


class _Read:
    """The templates of a source as expressions."""

    def __init__(self, templates: Templates) -> None:
        self.templates = templates
        self.steps = 0
        self.calls: dict[str, list[_Module]] = {}
        for module in templates.modules():
            self.calls.setdefault(module.path, []).append(module)
        #: each resource: its file and name → type, value, line, whether it only points at one that exists
        self.resources: dict[tuple[str, str], tuple[str, Value, int, bool]] = {}
        for path, found in templates.files.items():
            for each in found[:MOST]:
                if each.kind == "resource":
                    self.keep(path, each.name, each.of, each.value, each.line, "")
                elif each.kind == "module" and each.of.startswith(("br:", "br/")):
                    params = next((row[1] for row in each.value[1:] if row[0] == "params"), ["d"])
                    type_ = f"module:{each.of.rpartition(':')[0]}"
                    self.resources[path, each.name] = type_, params, each.line, False
        self.by_type: dict[str, list[tuple[str, str]]] = {}
        for key, (type_, _, _, exists) in self.resources.items():
            if not exists:
                self.by_type.setdefault(type_.casefold(), []).append(key)

    def keep(self, path: str, name: str, of: str, value: Value, line: int, around: str) -> None:
        """Hold a resource and those nested in it."""
        said = of.removesuffix(_EXISTING).partition("@")[0]
        exists = of.endswith(_EXISTING)
        outer = self.resources[path, around][0] if around else ""
        type_ = said if "." in said or not outer else f"{outer}/{said}"
        body = value[1] if value[0] == "l" and len(value) == 2 else value
        if body[0] != "d":
            body = ["d"]
        if around:
            body = [*body, ["parent", ["r", around], line]]
        self.resources[path, name] = type_, body, line, exists
        for key, inner, at in body[1:]:
            if key.startswith("resource ") and len(self.resources) < MOST * 50:
                _, inner_name, inner_of = key.split(" ", 2)
                self.keep(path, inner_name, inner_of, inner, at, name)

    def declared(self) -> Iterator[Declared]:
        for (path, name), (type_, value, line, exists) in self.resources.items():
            if row_of(type_) is None or (exists and self.meant(path, name) != (path, name)):
                continue
            bodies = tuple(Bound(_body(value, line), path, module) for module in self.calls.get(path, ()))
            yield Declared(f"{path}#{name}", f"{type_.removeprefix('module:')}.{name}", type_, path, line, bodies)

    def meant(self, path: str, name: str) -> tuple[str, str]:
        """The resource that a name leads to: for an existing one, the only one of its type that is declared."""
        type_, _, _, exists = self.resources[path, name]
        same = self.by_type.get(type_.casefold(), [])
        return same[0] if exists and len(same) == 1 else (path, name)

    def lookup(self, bound: Bound) -> list[tuple[Bound | Resource, str]]:
        """What a reference means where it stands."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            return []
        module: _Module = bound.context
        head, *rest = [str(part) for part in bound.expression[2]]
        if (module.path, head) in self.resources:
            return [(Resource("#".join(self.meant(module.path, head))), "")]
        declared = self.templates.names.get(module.path, {}).get(head)
        if declared is None:
            return []
        where = f"{declared.kind} {head} ({module.path}:{declared.line})"
        held, path, context, line = declared.value, module.path, module, declared.line
        if declared.kind == "module":
            called = self.templates.called(module, declared)
            output = self.templates.names.get(called.path, {}).get(rest[1]) if len(rest) > 1 else None
            if output is None or rest[0] != "outputs":
                return []
            held, path, context, line, rest = output.value, called.path, called, output.line, rest[2:]
        elif declared.kind == "param" and head in module.given:
            held, caller, place = module.given[head]
            context = caller or module
            path, _, number = place.rpartition(":")
            line = int(number) if number.isdecimal() else line
            where = f"{where} given in {place}"
        return [(found, where) for found in within(Bound(_expression(held, line), path, context), rest, self.lookup)]


def _body(value: Value, line: int) -> Expression:
    """A resource's fields, without the resources nested in it."""
    fields = [[key, _expression(inner, at)] for key, inner, at in value[1:] if not key.startswith("resource ")]
    return ["o", line, fields]


def _expression(value: Value, line: int) -> Expression:
    match value[0]:
        case "s" if all(isinstance(part, str) for part in value[1:]):
            return ["s", line, "".join(value[1:])]
        case "s":
            parts = [["s", line, part] if isinstance(part, str) else _expression(part, line) for part in value[1:]]
            return ["t", line, parts]
        case "r":
            return ["r", line, str(value[1]).split(".")]
        case "o":
            return ["a", line, [_expression(part, line) for part in value[1:]]]
        case "l":
            return ["l", line, [_expression(part, line) for part in value[1:]]]
        case "d":
            return ["o", line, [[key, _expression(inner, at)] for key, inner, at in value[1:]]]
    return ["f", line, "", []]
