"""Resources as they are, not as code declares them: every value is known, and a reference is another one's identifier.

They go through the same table as infrastructure code (``discover.infra.resources``): one row of the pack ``resources``
serves Terraform code and state, CloudFormation and AWS Config, ARM and Azure Resource Graph, and so on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.discover.infra.expressions import Bound, Expression, Resource
from penstock.discover.infra.resources import Declared, observed, row_of
from penstock.graph.vocabulary import Evidence, Observation

#: Values in one resource, and how deep they are followed.
_MOST, _DEEPEST = 4_000, 24
#: Text that may be JSON in a value: policies, definitions of flows and pipelines.
_JSON = re.compile(r"\s*[\[{]")
_LONGEST_JSON = 262_144
_BUCKET = re.compile(
    r"(?:s3a?|gs|https?)://(?P<name>[a-z0-9][a-z0-9._-]{2,62})(?:[/?#]|\Z)|arn:[\w-]*:s3:::(?P<arn>[^/*]+)"
)
#: Names too common to tell one resource from another.
_SHORTEST_NAME = 5


@dataclass(frozen=True, slots=True)
class Thing:
    """One resource of a cloud.

    id: its full identifier (ARN, resource id, full name), unique in the export. also: other names that references
        use for it. body: its attributes as plain JSON values. place: where in the export it stands.
    """

    id: str
    type: str
    name: str
    body: Mapping[str, Any]
    place: str
    also: tuple[str, ...] = ()


@dataclass(slots=True)
class Index:
    """Identifiers of what is read together."""

    exact: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, things: Iterable[Thing]) -> Index:
        """Only what the table knows is led to; a name that two of them have leads nowhere."""
        index = cls()
        twice: set[str] = set()
        for thing in things:
            if row_of(thing.type) is None:
                continue
            for word in (thing.id, *thing.also):
                if word:
                    index.exact[word.casefold()] = thing.id
            name = thing.name.casefold()
            if len(name) >= _SHORTEST_NAME and index.names.setdefault(name, thing.id) != thing.id:
                twice.add(name)
        for name in twice:
            del index.names[name]
        return index

    def led_to(self, value: str, key: str) -> str:
        """The resource that a value means under its key; empty when it means none."""
        word = value.strip().casefold()
        if not word or len(word) > 1024:
            return ""
        if found := self.exact.get(word):
            return found
        if match := _BUCKET.match(word):
            name = match["name"] or match["arn"]
            return self.exact.get(f"arn:aws:s3:::{name}") or self.names.get(name.split(".")[0]) or ""
        if word.startswith(("arn:", "/", "projects/", "//")):
            return self._above(word)
        return self.names.get(word, "") if _NAMING.search(key) else ""

    def _above(self, word: str) -> str:
        """The nearest resource that an identifier lies in: a version of a function, an object in a bucket."""
        while (cut := max(word.rfind("/"), word.rfind(":"))) > 0:
            word = word[:cut]
            if word.count(":") < 5 and word.startswith("arn:"):
                return ""
            if found := self.exact.get(word):
                return found
        return ""


#: Keys under which a plain name means another resource.
_NAMING = re.compile(r"(?i)(?:name|bucket|id|ref|arn|role|config|key|uri|index|target|account|model|function)s?\Z")


def observations(things: Iterable[Thing], scope: str, collector: str) -> Iterator[Observation]:
    """What the resources are in the graph, with their models and relations.

    scope: the account, subscription or project; its resources keep their ids across exports.
    """
    listed = [thing for thing in things if thing.id]
    index = Index.of(listed)
    known = [thing for thing in listed if row_of(thing.type) is not None]
    declared = [
        Declared(
            thing.id, thing.name, thing.type, thing.place, 0,
            (Bound(_expression(thing.body, "", index, thing.id, [_MOST], 0), thing.place, None),),
        )
        for thing in known
    ]  # fmt: skip

    def lookup(bound: Bound) -> list[tuple[Bound | Resource, str]]:
        return [(Resource(str(bound.expression[2][0])), "")]

    def evidence(where: str, chain: tuple[str, ...]) -> Evidence:
        return Evidence(collector, where.removesuffix(":0"), "declared", chain, scope)

    yield from observed(declared, lookup, scope, evidence)


def _expression(value: Any, key: str, index: Index, own: str, left: list[int], depth: int) -> Expression:
    """A value as an expression; an identifier of another resource as a reference."""
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST:
        return ["f", 0, "", []]
    if isinstance(value, Mapping):
        return ["o", 0, [[str(k), _expression(v, str(k), index, own, left, depth + 1)] for k, v in value.items()]]
    if isinstance(value, list | tuple):
        return ["l", 0, [_expression(each, key, index, own, left, depth + 1) for each in value]]
    if isinstance(value, bool):
        return ["s", 0, "true" if value else "false"]
    if not isinstance(value, str):
        return ["s", 0, "" if value is None else str(value)]
    if len(value) <= _LONGEST_JSON and _JSON.match(value):
        try:
            return _expression(json.loads(value), key, index, own, left, depth + 1)
        except (ValueError, RecursionError):
            pass
    found = index.led_to(value, key)
    return ["r", 0, [found]] if found and found != own else ["s", 0, value]
