"""``opslevel.yml``: services, systems, domains and teams as OpsLevel reads them from repositories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.infra.marked import Map, as_map, as_text, line_of, maps, texts
from penstock.discover.infra.yaml_docs import read_documents
from penstock.discover.organisation.parties import business_process, party, slug, team
from penstock.discover.organisation.registers import criticality, link, owned, relies_on, subject, supports
from penstock.graph.vocabulary import Observation, Unseen

NAME = "organisation.opslevel"
_ENVIRONMENTS = {"pre-alpha": "dev", "alpha": "dev", "beta": "staging", "generally_available": "prod"}


@collector(
    NAME,
    reads=["opslevel.yml", "opslevel.yaml"],
    sees="services with owner, tier, system and dependencies; systems, domains; teams under their aliases",
    unseen="checks and scorecards; what was changed in OpsLevel itself",
)
def opslevel(file: File) -> Iterator[Yielded]:
    """What each document says."""
    for document in read_documents(file, NAME):
        if isinstance(document, Unseen):
            yield document
            continue
        for said in maps(as_map(document).get("service")):
            yield from _service(file, said, maps(as_map(document).get("repository")))
        for key, above in (("system", "domain"), ("domain", "")):
            for said in maps(as_map(document).get(key)):
                yield from _process(file, said, above)
        for said in maps(as_map(document).get("team")):
            yield from _team(file, said)


def _service(file: File, said: Map, repositories: list[Map]) -> Iterator[Yielded]:
    name = as_text(said.get("name")).strip()[:120]
    listed = [as_text(one.get("name")) or as_text(one.get("repo")) for one in maps(said.get("repositories"))]
    if not slug(name):
        yield Unseen(file.path, "a service of OpsLevel", "it has no name", collector=NAME, scope=file.scope)
        return
    props: dict[str, object] = {}
    if (level := criticality(as_text(said.get("tier")))) is not None:
        props["criticality"] = level
    if purpose := as_text(said.get("description")).strip():
        props["purpose"] = purpose[:500]
    if environment := _ENVIRONMENTS.get(as_text(said.get("lifecycle")).casefold()):
        props["env"] = environment
    application = replace(subject(file, name, [one for one in listed if "/" in one]), props=props)
    at = file.evidence(NAME, line_of(said, "name"), confidence="declared")
    yield Observation(application, at)
    owner = as_text(said.get("owner")) or as_text(said.get("team"))
    yield from owned(application, owner, file.evidence(NAME, line_of(said, "owner"), confidence="declared"))
    for key in ("system", "product"):
        yield from supports(application, as_text(said.get(key)), at)
    for one in maps(said.get("dependencies")):
        yield from relies_on(application, as_text(one.get("alias")) or as_text(one.get("name")), at)
    for alias in texts(said.get("dependencies")):
        yield from relies_on(application, alias, at)


def _process(file: File, said: Map, above: str) -> Iterator[Yielded]:
    name = as_text(said.get("name")).strip()[:120]
    if slug(name):
        process = business_process(name)
        at = file.evidence(NAME, line_of(said, "name"), confidence="declared")
        yield Observation(process, at)
        yield from owned(process, as_text(said.get("owner")), at)
        if above:
            yield from supports(process, as_text(said.get(above)), at)


def _team(file: File, said: Map) -> Iterator[Yielded]:
    name = as_text(said.get("name")).strip()[:120]
    if not slug(name):
        return
    itself, at = team(name), file.evidence(NAME, line_of(said, "name"), confidence="declared")
    yield Observation(itself, at)
    for alias in texts(said.get("aliases")):
        if slug(alias) and (other := team(alias)).id != itself.id:
            yield Observation(other, at)
            yield from link(other, "same_as", itself, at)
    for member in [as_text(one.get("email")) for one in maps(said.get("members"))] + texts(said.get("members")):
        if (someone := party(member, otherwise="person")) is not None:
            yield Observation(someone, at)
            yield from link(someone, "member_of", itself, at)
