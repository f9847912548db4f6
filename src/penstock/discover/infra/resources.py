"""What resources of infrastructure code are in the graph: assets by their type, their models, and what ties them.

The types are data (pack ``resources``), one table for Terraform and CloudFormation. A reader of either gives resources
with bound attributes; whether a reference means a variable, a local value or another resource is its business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import Any

import msgspec

from penstock.discover.code.places import status_of
from penstock.discover.infra.expressions import Bound, Lookup, Text, attributes, resources, texts
from penstock.discover.infra.images import weights
from penstock.graph import identity
from penstock.graph.vocabulary import KINDS, PROPS, VERBS, Asset, Evidence, Observation, Relation
from penstock.knowledge.models import family_of
from penstock.knowledge.pack import define_pack, load_pack

#: Steps from an endpoint to what it serves (endpoint → configuration → model).
MAX_STEPS = 4
_BEDROCK_ARN = re.compile(r"arn:.*:bedrock:.*(?:foundation-model|inference-profile)/(?P<id>[A-Za-z0-9][\w.:-]*)\Z")
_MODEL_ID = re.compile(r"[A-Za-z0-9][\w.:/@-]{1,199}\Z")
#: Attributes that order or count resources and tie nothing together.
_ORDERING = frozenset({"count", "foreach", "lifecycle", "triggers", "tags", "condition", "metadata"})
#: Kinds of resources that run programs: those that are given AI belong to the inventory.
_CALLS = frozenset({"application", "tool"})
_ENV_PARENTS = frozenset({"environment", "variables", "environmentvariables", "env", "appsettings"})


class Type(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Types of resources that are one thing; the header of the pack says what each field means."""

    id: str
    types: tuple[str, ...]
    kind: str
    role: str = ""
    provider: str = ""
    linked: bool = False
    passes: bool = False
    env: bool = False
    models: dict[str, str] = {}
    when: dict[str, tuple[str, ...]] = {}
    props: dict[str, dict[str, dict[str, Any]]] = {}
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """A resource as its file declares it.

    Args:
        address: what references lead to, unique among all that are read together.
        name: what its authors call it.
        bodies: its attributes, bound once for each way in which the module around it is called.
    """

    address: str
    name: str
    type: str
    path: str
    line: int
    bodies: tuple[Bound, ...]


@dataclass(slots=True)
class _Known:
    declared: Declared
    row: Type
    asset: Asset
    #: What it refers to, and the attributes that do.
    refers: dict[str, set[str]] = field(default_factory=dict)
    models: list[tuple[Asset, str, Text]] = field(default_factory=list)


def observed(
    declared: Iterable[Declared], lookup: Lookup, scope: str, evidence: Callable[[str, tuple[str, ...]], Evidence]
) -> Iterator[Observation]:
    """Assets for the resources that are AI or that AI refers to, their models, and relations among them.

    Args:
        evidence: (place, steps) → evidence of the collector that reads the files.
    """
    known = {d.address: k for d in declared if (k := _known(d, scope, lookup)) is not None}
    secrets = {address for address, thing in known.items() if thing.row.kind == "credential"}
    for thing in known.values():
        _read(thing, lookup, scope, secrets)
    meant = {address for address, thing in known.items() if not thing.row.linked}
    meant |= {target for address in sorted(meant) for target in known[address].refers if target in known}
    meant |= {address for address, thing in known.items() if thing.row.kind in _CALLS and _calls(thing, known)}
    for address in sorted(meant):
        thing = known[address]
        at = evidence(f"{thing.declared.path}:{thing.declared.line}", (f"resource {thing.declared.name}",))
        yield Observation(thing.asset, at)
        if thing.row.provider:
            yield Observation(identity.asset("provider", thing.row.provider, status=thing.asset.status), at)
        for target in sorted(meant & set(thing.refers) - {address}):
            if not (thing.row.linked and known[target].row.linked):
                yield Observation(_tie(thing, known[target]), at)
        for model, verb, text in [*thing.models, *_passed(thing, known)]:
            yield from _modelled(thing, model, verb, text, evidence)


def _calls(thing: _Known, known: Mapping[str, _Known]) -> bool:
    """Whether a program is given something of AI: its address, its name, its key."""
    return any(target in known and not known[target].row.linked for target in thing.refers)


def environment(body: Bound, lookup: Lookup) -> Iterator[tuple[str, Text]]:
    """Variables that a resource gives to what it runs: mappings and lists of name and value, where they are known."""
    pairs: dict[int, dict[str, Bound]] = {}
    for keys, bound in attributes(body, lookup):
        plain = [plainly(key) for key in keys]
        if len(keys) > 1 and plain[-2] in _ENV_PARENTS and plain[-1] not in ("name", "value", "variables", "content"):
            for text in texts(bound, lookup)[:4]:
                if text.known:
                    yield keys[-1], text
        if bound.expression[0] == "o" and _ENV_PARENTS & set(plain):
            named = {plainly(str(k)): Bound(e, bound.path, bound.context) for k, e in bound.expression[2]}
            if {"name", "value"} <= set(named):
                pairs[id(bound.expression)] = named
    for named in pairs.values():
        names, values = texts(named["name"], lookup), texts(named["value"], lookup)
        if names and names[0].known:
            for text in values[:4]:
                if text.known:
                    yield names[0].value, text


def row_of(type_: str) -> Type | None:
    """The row of a type of resource, or None when it has nothing to do with AI."""
    return _row_of(type_)


@lru_cache(maxsize=5_000)
def plainly(name: str) -> str:
    """A name without case and joints: ``FoundationModel`` is ``foundation_model``."""
    return re.sub(r"[^a-z0-9.]", "", name.casefold())


def _known(declared: Declared, scope: str, lookup: Lookup) -> _Known | None:
    row = row_of(declared.type)
    if row is None or not declared.bodies:
        return None
    for name, allowed in row.when.items():
        said = {
            text.value
            for keys, bound in attributes(declared.bodies[0], lookup)
            if len(keys) == 1 and plainly(keys[0]) == name
            for text in texts(bound, lookup)
        }
        if not (said & set(allowed) or (not said and "" in allowed)):
            return None
    props = {"role": row.role} if row.role else {}
    if row.provider and row.kind in ("model", "endpoint"):
        props["provider"] = row.provider
    where = status_of(declared.path)
    props |= _stated(row, declared.bodies[0], lookup)
    status = "declared" if where == "used" else where
    key = f"{scope}/{declared.address}"
    asset = identity.asset(row.kind, declared.name, scope=scope, key=key, props=props, status=status)
    return _Known(declared, row, asset)


def _stated(row: Type, body: Bound, lookup: Lookup) -> dict[str, Any]:
    """Properties that attributes state in so many words; of contradicting ones the first."""
    props: dict[str, Any] = {}
    if not row.props:
        return props
    wanted = {tuple(name.split(".")): meanings for name, meanings in row.props.items()}
    for keys, bound in attributes(body, lookup):
        plain = tuple(plainly(key) for key in keys)
        for ending, meanings in wanted.items():
            if plain[-len(ending) :] == ending:
                said = [text.value.casefold() for text in texts(bound, lookup) if text.known] or ["*"]
                for prop, values in meanings.items():
                    if (value := values.get(said[0], values.get("*") if said[0] else None)) is not None:
                        props.setdefault(prop, value)
    return props


def _read(thing: _Known, lookup: Lookup, scope: str, secrets: set[str]) -> None:
    """Fill in what a resource refers to and the models it names."""
    wanted = {tuple(name.split(".")): verb for name, verb in thing.row.models.items()}
    whole = thing.declared.bodies[0]
    for key, part in whole.expression[2] if whole.expression[0] == "o" else ():
        if plainly(str(key)) not in _ORDERING:
            for address in resources(Bound(part, whole.path, whole.context), lookup):
                thing.refers.setdefault(address, set()).add(plainly(str(key)))
    # What must be there first is no part of it, but for secrets: what runs names them where no reference shows.
    for address in [address for address, said in thing.refers.items() if said == {"dependson"}]:
        if address not in secrets:
            del thing.refers[address]
    for body in thing.declared.bodies:
        for keys, bound in attributes(body, lookup):
            plain = tuple(plainly(key) for key in keys)
            verb = next((verb for ending, verb in wanted.items() if plain[-len(ending) :] == ending), "")
            for text in texts(bound, lookup) if verb else ():
                if (model := _model(text.value, thing.row.provider, scope)) is not None:
                    thing.models.append((model, verb, text))
        if thing.row.env:
            for name, text in environment(body, lookup):
                hub = _model_env().get(name, "")
                if hub and _MODEL_ID.match(text.value):
                    verb = "serves" if thing.row.kind == "endpoint" else "loads"
                    thing.models.append((_from_hub(text.value, hub, scope), verb, text))


def _model(value: str, provider: str, scope: str) -> Asset | None:
    """The model that a value names: an ARN, an address of weights, or the provider's own id."""
    if match := _BEDROCK_ARN.match(value):
        value = match["id"]
    elif value.startswith("arn:") or "{}" in value:
        return None
    elif "://" in value:
        return weights(value, "", scope)
    if not _MODEL_ID.match(value):
        return None
    if value.startswith(("huggingface/", "publishers/")):
        value = value.rpartition("/models/")[2] or value
    family = family_of(value)
    props = {"provider": provider} if provider else {}
    if family is not None and family.role:
        props["role"] = family.role
    return identity.asset("model", value, props=props)


def _from_hub(value: str, hub: str, scope: str) -> Asset:
    if value.startswith(("/", "s3:")) and (found := weights(value, hub, scope)) is not None:
        return found
    return identity.asset("model", value, props={"provider": hub})


def _modelled(
    thing: _Known, model: Asset, verb: str, text: Text, evidence: Callable[[str, tuple[str, ...]], Evidence]
) -> Iterator[Observation]:
    where = status_of(text.path)
    status = "declared" if where == "used" else where
    at = evidence(text.where, (*text.chain, f"{thing.declared.name} {verb} it"))
    yield Observation(Asset(model.id, model.kind, model.name, model.scope, model.props, status=status), at)
    if provider := model.props.get("provider"):
        yield Observation(identity.asset("provider", str(provider), status=status), at)
    if model.id != thing.asset.id:
        yield Observation(Relation(thing.asset.id, verb, model.id), at)


def _passed(thing: _Known, known: Mapping[str, _Known]) -> Iterator[tuple[Asset, str, Text]]:
    """Models behind an endpoint: through what it refers to, as long as that only passes on."""
    if thing.row.kind != "endpoint":
        return
    waiting, seen = sorted(thing.refers), {thing.declared.address}
    for _ in range(MAX_STEPS):
        following: list[str] = []
        for address in waiting:
            if address in seen or address not in known or not known[address].row.passes:
                continue
            seen.add(address)
            yield from ((model, "serves", text) for model, _, text in known[address].models)
            following += sorted(known[address].refers)
        waiting = following


def _tie(source: _Known, target: _Known) -> Relation:
    said = source.refers[target.declared.address]
    for first, second, verb, turned, attribute in _verbs():
        fits = first in ("*", source.row.kind) and second in ("*", target.row.kind)
        if fits and any(attribute in name for name in said):
            ends = (target.asset.id, source.asset.id) if turned else (source.asset.id, target.asset.id)
            return Relation(ends[0], verb, ends[1])
    return Relation(source.asset.id, "connects_to", target.asset.id)


@lru_cache(maxsize=5_000)
def _row_of(type_: str) -> Type | None:
    name = type_.casefold()
    return next(
        (
            row
            for row in load_pack("resources").rows
            if any(fnmatchcase(name, pattern.casefold()) for pattern in row.types)
        ),
        None,
    )


@cache
def _verbs() -> tuple[tuple[str, str, str, bool, str], ...]:
    rows = [[*row, ""][:5] for row in load_pack("resources").header["verbs"]]
    return tuple((str(a), str(b), str(verb), bool(turned), str(attribute)) for a, b, verb, turned, attribute in rows)


@cache
def _model_env() -> dict[str, str]:
    return {str(name): str(hub) for name, hub in load_pack("resources").header["model_env"].items()}


def _problems(row: Type) -> Iterator[str]:
    if row.kind not in KINDS:
        yield f"there is no kind {row.kind!r}"
    for verb in row.models.values():
        if verb not in VERBS:
            yield f"there is no verb {verb!r}"
    for meanings in row.props.values():
        for prop, values in meanings.items():
            known = PROPS.get(prop)
            if known is None:
                yield f"there is no property {prop!r}"
            elif known.words and not set(values.values()) <= set(known.words):
                yield f"{prop} has other words than {sorted(map(str, values.values()))}"


define_pack("resources", Type, check=lambda row, example: row_of(str(example)) is row, validate=_problems)
