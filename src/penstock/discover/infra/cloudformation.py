"""CloudFormation and SAM templates: AI resources, and the variables that functions get, with intrinsics followed.

A template is one file, so that a parameter's default reaches the variable of a function here, and the code that reads
the variable finds it among the facts of the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from penstock.discover.assistants.jsonc import parse
from penstock.discover.collector import Fact, File, Yielded, collector
from penstock.discover.infra.environment import env_fact
from penstock.discover.infra.expressions import Bound, Expression, Resource, within
from penstock.discover.infra.marked import Map, Seq, as_map, as_text, dig, line_of
from penstock.discover.infra.resources import Declared, environment, observed
from penstock.discover.infra.yaml_docs import MAX_DEPTH, shared_documents
from penstock.errors import NotUnderstood
from penstock.graph.vocabulary import Unseen

NAME = "infra.cloudformation"
#: References that are followed in one template; the service itself allows 500 resources.
MOST_STEPS = 60_000
_TEMPLATE = re.compile(rb"AWSTemplateFormatVersion|AWS::Serverless|[\"']?Type[\"']?\s*:\s*[\"']?AWS::")
_SUB = re.compile(r"\$\{(!?)([^}]{1,200})\}")


@collector(
    NAME,
    reads=["*.yaml", "*.yml", "*.json", "*.template"],
    sees="AI resources with models, data and identities; variables of functions, through parameters and intrinsics",
    unseen="parameters given when a stack is made; imports from other stacks; macros",
)
def cloudformation(file: File) -> Iterator[Yielded]:
    """Resources of a template, and what it sets in the environment of its functions."""
    if (b"AWS::" not in file.data and b"AWSTemplate" not in file.data) or not _TEMPLATE.search(file.data):
        return
    try:
        text = file.text
        found = [parse(text)] if text.lstrip().startswith("{") else list(shared_documents(text, tagged=True))
    except NotUnderstood as error:
        yield Unseen(file.path, "the CloudFormation template", error.message, collector=NAME, scope=file.scope)
        return
    for document in found:
        if isinstance(document, Map) and as_map(document.get("Resources")):
            yield from _template(file, document)


def _template(file: File, document: Map) -> Iterator[Yielded]:
    template = _Template(file.path, document)
    declared = list(template.declared())
    for item in declared:
        for name, text in environment(item.bodies[0], template.lookup):
            for fact in env_fact(file, name, text.value, text.line):
                yield _with_chain(fact, (*text.chain, f"{item.name} sets {name}"))
    defaults = Bound(_expression(as_map(document.get("Globals"))), file.path, None)
    for name, text in environment(defaults, template.lookup):
        yield from env_fact(file, name, text.value, text.line)
    yield from observed(
        declared,
        template.lookup,
        file.scope,
        lambda where, chain: replace(file.evidence(NAME, chain=chain), where=where),
    )


@dataclass(slots=True)
class _Template:
    path: str
    document: Map
    steps: int = 0
    parameters: dict[str, Expression] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        given = as_map(self.document.get("Parameters"))
        for name in given:
            default = as_text(dig(given, name, "Default"))
            if default:
                self.parameters[name] = ["s", line_of(as_map(given[name]), "Default"), default]
        self.names = frozenset(as_map(self.document.get("Resources")))

    def declared(self) -> Iterator[Declared]:
        resources = as_map(self.document.get("Resources"))
        for name in resources:
            resource = as_map(resources[name])
            body = _expression(as_map(resource.get("Properties")))
            type_ = as_text(resource.get("Type"))
            bodies = (Bound(body, self.path, None),)
            yield Declared(f"{self.path}#{name}", name, type_, self.path, line_of(resources, name), bodies)

    def lookup(self, bound: Bound) -> list[tuple[Bound | Resource, str]]:
        """What a reference means: a parameter's default, a value of a mapping, or a resource."""
        self.steps += 1
        parts = [str(part) for part in bound.expression[2]]
        if self.steps > MOST_STEPS or not parts:
            return []
        if parts[0] == "::map":
            mapping = Bound(_expression(dig(self.document, "Mappings", parts[1])), self.path, None)
            leaves = within(_any(mapping, len(parts) - 2), [], self.lookup)
            return [(leaf, f"mapping {parts[1]}") for leaf in leaves]
        if parts[0] in self.parameters:
            return [(Bound(self.parameters[parts[0]], self.path, None), f"parameter {parts[0]}")]
        return [(Resource(f"{self.path}#{parts[0]}"), "")] if parts[0] in self.names else []


def _expression(value: Any, depth: int = 0) -> Expression:
    """A part of a template as an expression."""
    if depth > MAX_DEPTH:
        return ["f", 1, "", []]
    if isinstance(value, Map):
        if len(value) == 1:
            name = next(iter(value))
            intrinsic = name.removeprefix("Fn::").removeprefix("!")
            if name in ("Ref", "!Ref") or name.startswith(("Fn::", "!")):
                return _intrinsic(intrinsic, value[name], value.line, depth)
        return ["o", value.line, [[key, _lined(value, key, depth)] for key in value]]
    if isinstance(value, Seq):
        return ["l", value.line, [_lined(value, index, depth) for index in range(len(value))]]
    return ["s", 1, as_text(value)]


def _lined(parent: Map | Seq, key: Any, depth: int) -> Expression:
    made = _expression(parent[key], depth + 1)
    return [made[0], line_of(parent, key), *made[2:]] if made[0] == "s" else made


def _intrinsic(name: str, value: Any, line: int, depth: int) -> Expression:
    items = list(value) if isinstance(value, Seq) else []
    match name:
        case "Ref":
            return ["r", line, [as_text(value)]]
        case "GetAtt":
            return ["r", line, [as_text(part) for part in items] or as_text(value).split(".")]
        case "Sub":
            own = as_map(items[1]) if len(items) > 1 else Map()
            return ["t", line, _substituted(as_text(items[0] if items else value), own, line, depth)]
        case "If":
            return ["a", line, [_expression(item, depth + 1) for item in items[1:3]]]
        case "Join":
            joined = items[1] if len(items) > 1 and isinstance(items[1], Seq) else Seq()
            parts = [_expression(item, depth + 1) for item in joined]
            between: Expression = ["s", line, as_text(items[0] if items else "")]
            return ["t", line, [e for part in parts for e in (between, part)][1:]]
        case "FindInMap" if items and isinstance(items[0], str):
            return ["r", line, ["::map", items[0], *("" for _ in items[1:])]]
        case "Select" | "Split":
            return ["f", line, "", [_expression(item, depth + 1) for item in items]]
    return ["f", line, "", []]


def _substituted(text: str, own: Map, line: int, depth: int) -> list[Expression]:
    parts: list[Expression] = []
    end = 0
    for match in _SUB.finditer(text):
        if match.start() > end:
            parts.append(["s", line, text[end : match.start()]])
        name = match[2].strip()
        if match[1]:
            parts.append(["s", line, "${" + name + "}"])
        elif name in own:
            parts.append(_expression(own[name], depth + 1))
        else:
            parts.append(["r", line, name.split(".")])
        end = match.end()
    return [*parts, ["s", line, text[end:]]] if end < len(text) or not parts else parts


def _any(mapping: Bound, levels: int) -> Bound:
    """Any of the values so many levels down."""
    expressions = [mapping.expression]
    for _ in range(levels):
        expressions = [child for e in expressions if e[0] == "o" for _, child in e[2]]
    return Bound(["a", 1, expressions], mapping.path, None)


def _with_chain(fact: Fact, chain: tuple[str, ...]) -> Fact:
    return Fact(fact.kind, fact.path, {**fact.value, "chain": list(chain)}) if fact.kind == "env" else fact
