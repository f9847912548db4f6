"""Backstage catalogues: components, systems, domains, teams and people, as ``catalog-info.yaml`` says them.

A file at the root speaks of the repository's application: of the component that bears the repository's name, or of the
only one; an annotation that names another repository speaks of that one's. Other components are things that the
catalogue knows by name, whichever file refers to them. An interface relies on what provides it, and who consumes it on
the interface. A system is a business process as far as a catalogue knows, and supports the domain it belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.infra.marked import Map, as_map, as_text, dig, line_of, texts
from penstock.discover.infra.yaml_docs import read_documents
from penstock.discover.organisation.parties import (
    business_process,
    party,
    person,
    service,
    slug,
    store,
    system_of,
    team,
)
from penstock.discover.organisation.registers import criticality
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Evidence, Observation, Unseen

NAME = "organisation.backstage"
#: Backstage's own life cycles; others have no environment that we could name.
_ENVIRONMENTS = {"production": "prod", "staging": "staging", "development": "dev", "experimental": "research"}
#: Annotations that name the repository of a component, the plainest first.
_REPOSITORIES = ("github.com/project-slug", "gitlab.com/project-slug", "bitbucket.org/project-slug",
                 "backstage.io/source-location")  # fmt: skip
#: Annotations with a person's login elsewhere.
_LOGINS = ("github.com/user-login", "gitlab.com/user-login", "bitbucket.org/user-login")
#: A place below the root of a repository: the component is a part of it.
_FOLDER = re.compile(r"/(?:tree|blob|src)/[^/]+/.")
#: Key, whether the entity relies on what it names (else the other way round), and what a bare name is.
_RELATIONS = (
    ("dependsOn", True, ""), ("dependencyOf", False, ""), ("consumesApis", True, "api"),
    ("providesApis", False, "api"), ("subcomponentOf", False, "component"),
)  # fmt: skip


@collector(
    NAME,
    reads=["catalog-info*.yaml", "catalog-info*.yml", "*.yaml", "*.yml"],
    sees="components with owner, system and what they depend on; resources; teams and their members; systems, domains",
    unseen="$text and $yaml references, processors of the catalogue; two namespaces with a component of one name",
)
def catalogue(file: File) -> Iterator[Yielded]:
    """What every entity of a catalogue file says."""
    if b"backstage.io/" not in file.data:
        return
    entities = []
    for document in read_documents(file, NAME):
        if isinstance(document, Unseen):
            yield document
        elif as_text(as_map(document).get("apiVersion")).startswith("backstage.io/"):
            entities.append(as_map(document))
    main = _main_component(file, entities)
    for entity in entities:
        yield from _entity(file, entity, entity is main)


def _main_component(file: File, entities: list[Map]) -> Map | None:
    """The component that stands for the whole repository."""
    if "/" in file.path:
        return None
    components = [entity for entity in entities if as_text(entity.get("kind")).casefold() == "component"]
    own = slug(file.scope.rpartition(":")[2].rpartition("/")[2])
    named = [component for component in components if slug(_name(component)) == own]
    return named[0] if named else components[0] if len(components) == 1 else None


def _entity(file: File, entity: Map, main: bool) -> Iterator[Yielded]:
    name = _name(entity)
    kind = as_text(entity.get("kind")).casefold()
    spec = as_map(entity.get("spec"))
    if kind == "location" or kind == "template":
        return
    if not name:
        yield Unseen(
            file.at(entity.line), f"a Backstage {kind or 'entity'}", "it has no metadata.name", collector=NAME,
            scope=file.scope,
        )  # fmt: skip
        return
    at = file.evidence(NAME, line_of(entity, "metadata"), confidence="declared")
    if kind == "component":
        yield from _component(file, entity, name, spec, main, at)
    elif kind == "resource":
        data = store(name)
        yield Observation(data, at)
        yield from _owned(file, data, spec)
        yield from _relations(file, data, spec)
    elif kind == "api":
        interface = _interface(name)
        yield Observation(interface, at)
        yield from _owned(file, interface, spec)
    elif kind in ("system", "domain"):
        process = business_process(name)
        yield Observation(process, at)
        yield from _owned(file, process, spec)
        if kind == "system" and (domain := as_text(spec.get("domain"))):
            yield from _supports(file, process, domain, line_of(spec, "domain"))
    elif kind == "group":
        yield from _group(file, name, spec, at)
    elif kind == "user":
        member = person(name, **_mail(spec))
        yield Observation(member, at)
        for key in _LOGINS:
            login = as_text(dig(entity, "metadata", "annotations", key)).strip()
            if slug(login) and (alias := person(login)).id != member.id:
                yield Observation(alias, at)
                yield Observation(identity.relation(alias, "same_as", member), at)
        for group in texts(spec.get("memberOf")):
            yield from _member(file, member, party(group), line_of(spec, "memberOf"))


def _component(file: File, entity: Map, name: str, spec: Map, main: bool, at: Evidence) -> Iterator[Yielded]:
    plain = identity.application(file.scope) if main else _elsewhere(file, entity) or service(name)
    props: dict[str, object] = {}
    if environment := _ENVIRONMENTS.get(as_text(spec.get("lifecycle")).casefold()):
        props["env"] = environment
    if purpose := as_text(dig(entity, "metadata", "description")).strip():
        props["purpose"] = purpose[:500]
    words = [f"{key}:{as_text(value)}" for key, value in as_map(dig(entity, "metadata", "labels")).items()]
    tiers = [level for word in (*words, *texts(dig(entity, "metadata", "tags"))) if (level := criticality(word))]
    if tiers:
        props["criticality"] = max(tiers)
    application = Asset(plain.id, plain.kind, name, plain.scope, props, status="used" if main else "catalogue")
    yield Observation(application, at)
    yield from _owned(file, application, spec)
    if system := as_text(spec.get("system")):
        yield from _supports(file, application, system, line_of(spec, "system"))
    yield from _relations(file, application, spec)


def _elsewhere(file: File, entity: Map) -> Asset | None:
    """The application of the repository that the annotations name, if the component is all of it."""
    notes = as_map(dig(entity, "metadata", "annotations"))
    for key in _REPOSITORIES:
        address = as_text(notes.get(key))
        if address and not (key == "backstage.io/source-location" and _FOLDER.search(address)):
            named = system_of(address)
            return None if named is not None and named.scope == file.scope else named
    return None


def _relations(file: File, asset: Asset, spec: Map) -> Iterator[Yielded]:
    """What it relies on, what relies on it, and the interfaces between."""
    for key, forward, otherwise in _RELATIONS:
        for reference in texts(spec.get(key)):
            other = _meant(reference, otherwise)
            if other is None or other.id == asset.id:
                continue
            at = file.evidence(NAME, line_of(spec, key), confidence="declared", chain=(f"{key}: {reference}",))
            ends = (asset, other) if forward else (other, asset)
            yield Observation(other, at)
            yield Observation(identity.relation(ends[0], "connects_to", ends[1]), at)


def _meant(reference: str, otherwise: str) -> Asset | None:
    """The thing that a reference names; None for kinds that nothing relies on."""
    kind, _, rest = reference.rpartition(":")
    name = rest.rpartition("/")[2]
    if not slug(name) or len(name) > 120:
        return None
    makers = {"component": service, "resource": store, "api": _interface}
    maker = makers.get(kind.casefold() or otherwise)
    return maker(name) if maker else None


def _interface(name: str) -> Asset:
    """An interface, apart from what provides it; it is walked through, and nobody's asset by itself."""
    return identity.asset("infrastructure", name, key=f"backstage://api/{slug(name)}", props={"role": "api"})


def _group(file: File, name: str, spec: Map, at: Evidence) -> Iterator[Yielded]:
    group = team(name, **_mail(spec))
    yield Observation(group, at)
    if parent := as_text(spec.get("parent")):
        yield from _member(file, group, party(parent), line_of(spec, "parent"))
    for child in texts(spec.get("children")):
        inner = party(child)
        if inner is not None:
            yield Observation(inner, at)
            yield from _member(file, inner, group, line_of(spec, "children"))
    for member in texts(spec.get("members")):
        someone = party(member, otherwise="person")
        if someone is not None:
            yield Observation(someone, at)
            yield from _member(file, someone, group, line_of(spec, "members"))


def _owned(file: File, asset: Asset, spec: Map) -> Iterator[Yielded]:
    text = as_text(spec.get("owner"))
    owner = party(text)
    if owner is None:
        return
    at = file.evidence(NAME, line_of(spec, "owner"), confidence="declared", chain=(f"spec.owner: {text}",))
    yield Observation(owner, at)
    yield Observation(identity.relation(asset, "owned_by", owner), at)


def _supports(file: File, asset: Asset, name: str, line: int) -> Iterator[Yielded]:
    if slug(name):
        process = business_process(name.rpartition("/")[2].rpartition(":")[2])
        at = file.evidence(NAME, line, confidence="declared", chain=(f"belongs to {name}",))
        yield Observation(process, at)
        yield Observation(identity.relation(asset, "supports", process), at)


def _member(file: File, member: Asset, group: Asset | None, line: int) -> Iterator[Yielded]:
    if group is not None and group.id != member.id:
        at = file.evidence(NAME, line, confidence="declared")
        yield Observation(group, at)
        yield Observation(identity.relation(member, "member_of", group), at)


def _name(entity: Map) -> str:
    name = as_text(dig(entity, "metadata", "name")).strip()
    return name if slug(name) and len(name) <= 120 else ""


def _mail(spec: Map) -> dict[str, str]:
    mail = as_text(dig(spec, "profile", "email")).strip()
    return {"email": mail} if "@" in mail else {}
