"""Backstage catalogues: components, systems, domains, teams and people, as ``catalog-info.yaml`` says them.

A file at the root speaks of the repository's application: of the component that bears the repository's name, or of the
only one. Other components are applications of their own. A system is a business process as far as a catalogue knows,
and supports the domain it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.infra.marked import Map, as_map, as_text, dig, line_of, texts
from penstock.discover.infra.yaml_docs import read_documents
from penstock.discover.organisation.parties import business_process, party, person, slug, team
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Evidence, Observation, Unseen

NAME = "organisation.backstage"
#: Backstage's own life cycles; others have no environment that we could name.
_ENVIRONMENTS = {"production": "prod", "staging": "staging", "development": "dev", "experimental": "research"}


@collector(
    NAME,
    reads=["catalog-info*.yaml", "catalog-info*.yml", "*.yaml", "*.yml"],
    sees="components with owner, system and what they depend on; resources; teams and their members; systems, domains",
    unseen="$text and $yaml references, processors of the catalogue, dependencies between components of other sources",
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
        store = _resource(name)
        yield Observation(store, at)
        yield from _owned(file, store, spec)
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
        for group in texts(spec.get("memberOf")):
            yield from _member(file, member, party(group), line_of(spec, "memberOf"))


def _component(file: File, entity: Map, name: str, spec: Map, main: bool, at: Evidence) -> Iterator[Yielded]:
    plain = identity.application(file.scope) if main else identity.asset(
        "application", name, scope=file.scope, key=f"component:{slug(name)}"
    )  # fmt: skip
    props: dict[str, str] = {}
    if environment := _ENVIRONMENTS.get(as_text(spec.get("lifecycle")).casefold()):
        props["env"] = environment
    if purpose := as_text(dig(entity, "metadata", "description")).strip():
        props["purpose"] = purpose[:500]
    application = Asset(plain.id, plain.kind, name, plain.scope, props)
    yield Observation(application, at)
    yield from _owned(file, application, spec)
    if system := as_text(spec.get("system")):
        yield from _supports(file, application, system, line_of(spec, "system"))
    for reference in texts(spec.get("dependsOn")):
        kind, _, rest = reference.rpartition(":")
        if kind.casefold() == "resource" and slug(rest.rpartition("/")[2]):
            store = _resource(rest.rpartition("/")[2])
            here = file.evidence(NAME, line_of(spec, "dependsOn"), confidence="declared", chain=(reference,))
            yield Observation(store, here)
            yield Observation(identity.relation(application, "connects_to", store), here)


def _group(file: File, name: str, spec: Map, at: Evidence) -> Iterator[Yielded]:
    group = team(name, **_mail(spec))
    yield Observation(group, at)
    if parent := as_text(spec.get("parent")):
        yield from _member(file, group, party(parent), line_of(spec, "parent"))
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


def _resource(name: str) -> Asset:
    return identity.asset("data_store", name, key=f"backstage://resource/{slug(name)}")


def _name(entity: Map) -> str:
    name = as_text(dig(entity, "metadata", "name")).strip()
    return name if slug(name) and len(name) <= 120 else ""


def _mail(spec: Map) -> dict[str, str]:
    mail = as_text(dig(spec, "profile", "email")).strip()
    return {"email": mail} if "@" in mail else {}
