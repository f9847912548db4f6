"""``cortex.yaml``: services, domains and teams as Cortex reads them from repositories (OpenAPI with ``x-cortex-…``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.infra.marked import Map, as_map, as_text, dig, line_of, maps, texts
from penstock.discover.infra.yaml_docs import read_documents
from penstock.discover.organisation.parties import business_process, party, slug, team
from penstock.discover.organisation.registers import criticality, link, owned, relies_on, subject, supports
from penstock.graph.vocabulary import Asset, Evidence, Observation, Unseen

NAME = "organisation.cortex"


@collector(
    NAME,
    reads=["cortex.yaml", "cortex.yml", "**/.cortex/**/*.yaml", "**/.cortex/**/*.yml", ".cortex/**/*.yaml"],
    sees="entities with owners, groups that are tiers, dependencies, parents; domains; teams and their members",
    unseen="owners that Cortex takes from other tools; what was changed in Cortex itself",
)
def cortex(file: File) -> Iterator[Yielded]:
    """What each entity says."""
    for document in read_documents(file, NAME):
        if isinstance(document, Unseen):
            yield document
            continue
        info = as_map(as_map(document).get("info"))
        tag = as_text(info.get("x-cortex-tag")).strip()[:120]
        if not slug(tag):
            continue
        at = file.evidence(NAME, line_of(info, "x-cortex-tag"), confidence="declared")
        match as_text(info.get("x-cortex-type")).casefold():
            case "domain":
                yield from _entity(file, info, business_process(as_text(info.get("title")) or tag), at)
            case "team":
                yield from _team(info, team(tag), at)
            case _:
                repository = as_text(dig(info, "x-cortex-git", "github", "repository")) or as_text(
                    dig(info, "x-cortex-git", "gitlab", "repository")
                )
                whole = repository if not as_text(dig(info, "x-cortex-git", "github", "basepath")) else ""
                yield from _entity(file, info, subject(file, tag, [whole] if whole else []), at)


def _entity(file: File, info: Map, entity: Asset, at: Evidence) -> Iterator[Yielded]:
    tiers = [level for group in texts(info.get("x-cortex-groups")) if (level := criticality(group)) is not None]
    props: dict[str, object] = {"criticality": max(tiers)} if tiers else {}
    if entity.kind == "application" and (purpose := as_text(info.get("description")).strip()):
        props["purpose"] = purpose[:500]
    entity = replace(entity, props=props)
    yield Observation(entity, at)
    for owner in maps(info.get("x-cortex-owners")):
        said = file.evidence(NAME, owner.line, confidence="declared")
        if as_text(owner.get("type")).casefold() == "email":
            yield from owned(entity, as_text(owner.get("email")), said, otherwise="person")
        elif as_text(owner.get("type")).casefold() in ("group", "team", ""):
            yield from owned(entity, as_text(owner.get("name")), said)
    listed = info.get("x-cortex-dependency")
    for one in [*maps(listed), *maps(dig(info, "x-cortex-dependency", "cortex"))]:
        yield from relies_on(entity, as_text(one.get("tag")), at)
    for key in ("x-cortex-parents", "x-cortex-domain-parents"):
        for parent in maps(info.get(key)):
            yield from supports(entity, as_text(parent.get("tag")), at)


def _team(info: Map, itself: Asset, at: Evidence) -> Iterator[Yielded]:
    yield Observation(itself, at)
    if (title := as_text(info.get("title"))) and slug(title) and (other := team(title)).id != itself.id:
        yield Observation(other, at)
        yield from link(other, "same_as", itself, at)
    for member in maps(dig(info, "x-cortex-team", "members")):
        someone = party(as_text(member.get("email")) or as_text(member.get("name")), otherwise="person")
        if someone is not None:
            yield Observation(someone, at)
            yield from link(someone, "member_of", itself, at)
    for parent in maps(info.get("x-cortex-parents")):
        if slug(as_text(parent.get("tag"))):
            yield from link(itself, "member_of", team(as_text(parent.get("tag"))), at)
