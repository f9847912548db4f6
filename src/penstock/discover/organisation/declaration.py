"""``ai-system.yaml``: a team's own word about its AI system.

    system:
      name: support-agent
      purpose: Answers customers' questions and credits small amounts
      audience: customers              # public | customers | partners | employees | machine
      owner: team-x                    # a team; user:alice or an address for a person
      approver: user:bob
      processes:
        - {name: Customer support, criticality: 3}     # 1 low to 4 vital; low, medium, high or vital
      data:
        - {path: data/tickets.csv, labels: [pii]}      # or uri:, or name:
        - path: data/sums.csv
          removed: {method: sums over 150 homes, labels: [pii], from: [data/homes.csv], evidence: sums.md}
      models:
        - {name: gpt-4o, provider: openai}             # or endpoint: http://llm.internal:8000
      human_review: false
      disclosure: false

It raises and informs; it never lowers and never steers. What would make something look harmless (``labels: [public]``,
``human_review: true``) waits for somebody outside the tree, and what would steer a scan (``exclude``, ``accept``,
``webhooks``) is ignored; both are said as notes. ``removed`` proposes that labels do not arrive: it says what was done,
and counts for nothing until an approver confirms it (``penstock data confirm``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.infra.environment import is_address
from penstock.discover.infra.marked import Map, Seq, as_flag, as_map, as_seq, as_text, line_of, maps, texts
from penstock.discover.infra.yaml_docs import read_documents
from penstock.discover.organisation.parties import business_process, party, slug
from penstock.graph import identity
from penstock.graph.vocabulary import LABELS, MARKS, PROPS, Asset, Evidence, Observation, Unseen

NAME = "organisation.declaration"
KNOWN = frozenset(
    {"name", "purpose", "audience", "owner", "approver", "processes", "data", "models", "human_review", "disclosure"}
)
CRITICALITY = {"low": 1, "medium": 2, "high": 3, "vital": 4, "critical": 4}
#: Longest text and list taken from a declaration.
LONGEST, MOST = 500, 500
_URI = re.compile(r"[a-z][a-z0-9+.-]*://\S+\Z", re.IGNORECASE)
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")


@collector(
    NAME,
    reads=["ai-system.yaml", "ai-system.yml"],
    sees="name, purpose, audience, owner, approver, processes, data and models as the team declares them",
    unseen="whether it is true; what is not declared",
)
def declaration(file: File) -> Iterator[Yielded]:
    """What the team says, each word with its line."""
    for document in read_documents(file, NAME):
        if isinstance(document, Unseen):
            yield document
            continue
        for key in as_map(document):
            if key != "system":
                yield _ignored(file, line_of(document, key), key, "it is not part of a declaration and steers nothing")
        systems = maps(as_map(document).get("system"))
        if not systems:
            yield Unseen(
                file.path, "the declaration", "it has no mapping named system", "Start from: penstock declare",
                collector=NAME, scope=file.scope,
            )  # fmt: skip
        for system in systems:
            yield from _system(file, system)


def _system(file: File, system: Map) -> Iterator[Yielded]:
    name = as_text(system.get("name")).strip()[:LONGEST]
    application = _application(file, name)
    props: dict[str, Any] = {}
    if purpose := " ".join(as_text(system.get("purpose")).split())[:LONGEST]:
        props["purpose"] = purpose
    audience = as_text(system.get("audience")).strip().casefold()
    if audience in PROPS["audience"].words:
        props["audience"] = audience
    elif audience:
        words = ", ".join(PROPS["audience"].words)
        yield _ignored(file, line_of(system, "audience"), "audience", f"{audience[:40]!r} is none of {words}")
    for key in ("human_review", "disclosure"):
        match as_flag(system.get(key)):
            case False:
                props[key] = False
            case True:
                why = "a safeguard counts when somebody outside the tree confirms it"
                yield _ignored(file, line_of(system, key), f"{key}: true", why)
            case None if as_text(system.get(key)):
                yield _ignored(file, line_of(system, key), key, "it is neither true nor false")
    yield Observation(
        Asset(application.id, application.kind, name or application.name, application.scope, props, status="declared"),
        _at(file, system.line),
    )
    for key in system:
        if key not in KNOWN:
            yield _ignored(file, line_of(system, key), key, "it is not part of a declaration and steers nothing")
    yield from _parties(file, system, application)
    yield from _processes(file, system, application)
    yield from _data(file, system, application)
    yield from _models(file, system, application)


def _application(file: File, name: str) -> Asset:
    """The repository's application; a declaration deeper down speaks of an application of its own."""
    folder = file.path.rpartition("/")[0]
    if not folder:
        return identity.application(file.scope)
    return identity.asset("application", name or folder.rpartition("/")[2], scope=file.scope, key=f"folder:{folder}")


def _parties(file: File, system: Map, application: Asset) -> Iterator[Yielded]:
    for key, verb, otherwise in (("owner", "owned_by", "team"), ("approver", "approved_by", "person")):
        text = as_text(system.get(key)).strip()
        someone = party(text, otherwise=otherwise)
        if someone is None:
            if system.get(key) is not None:
                yield _ignored(file, line_of(system, key), key, "it names no team and no person")
            continue
        at = _at(file, line_of(system, key), f"{key}: {text}")
        yield Observation(someone, at)
        yield Observation(identity.relation(application, verb, someone), at)


def _processes(file: File, system: Map, application: Asset) -> Iterator[Yielded]:
    for entry, line in _entries(system, "processes"):
        name = as_text(entry.get("name") if isinstance(entry, Map) else entry).strip()[:LONGEST]
        if not slug(name):
            yield _ignored(file, line, "a process", "it has no name")
            continue
        said = as_text(as_map(entry).get("criticality")).strip().casefold()
        level = CRITICALITY.get(said) or (int(said) if said in ("1", "2", "3", "4") else None)
        if said and level is None:
            yield _ignored(file, line, "criticality", "it is none of 1, 2, 3, 4, low, medium, high, vital")
        process = business_process(name, **({"criticality": level} if level else {}))
        yield Observation(process, _at(file, line))
        yield Observation(identity.relation(application, "supports", process), _at(file, line))


def _data(file: File, system: Map, application: Asset) -> Iterator[Yielded]:
    folder = file.path.rpartition("/")[0]
    for entry, line in _entries(system, "data"):
        if not isinstance(entry, Map):
            text = as_text(entry).strip()
            entry = Map(line)
            entry["uri" if _URI.match(text) else "name"] = text
        dataset = _dataset(file, entry, folder)
        if dataset is None:
            yield _ignored(file, line, "data", "it has no path, uri or name that identifies it")
            continue
        said = {label.strip().casefold() for label in texts(entry.get("labels"))}
        labels = frozenset(said & set(LABELS))
        for mark in sorted(said & MARKS):
            why = f"{dataset.name} keeps the labels that are found in it until somebody outside the tree confirms"
            yield _ignored(file, line, f"labels: {mark}", why)
        for word in sorted(said - set(LABELS) - MARKS):
            yield _ignored(file, line, f"labels: {word[:40]}", f"there is no such label; there are {', '.join(LABELS)}")
        props = {"declared_data": sorted(labels)} if labels else {}
        yield Observation(
            Asset(dataset.id, dataset.kind, dataset.name, dataset.scope, props, labels, "declared"), _at(file, line)
        )
        yield Observation(identity.relation(application, "reads", dataset), _at(file, line))
        if entry.get("removed") is not None:
            yield from _removed(file, entry, dataset, folder)


def _removed(file: File, entry: Map, dataset: Asset, folder: str) -> Iterator[Yielded]:
    """What is said to keep labels from arriving; who approves it is not for the tree to say."""
    said, line = as_map(entry.get("removed")), line_of(entry, "removed")
    method = " ".join(as_text(said.get("method")).split())[:LONGEST]
    if not method:
        yield _ignored(file, line, "removed", "it does not say by which method")
        return
    for key in set(said) - {"method", "labels", "from", "evidence"}:
        yield _ignored(file, line_of(said, key), f"removed: {key}", "only an approver outside the tree can say this")
    labels = {label.strip().casefold() for label in texts(said.get("labels"))} & set(LABELS)
    sources = [
        source for text in texts(said.get("from"))[:MOST] if (source := _dataset(file, _named(text, line), folder))
    ]
    record = {
        "method": method,
        "categories": ", ".join(sorted(labels)),
        "sources": ", ".join(sorted(source.id for source in sources)),
        "evidence": as_text(said.get("evidence")).strip()[:LONGEST],
        "proposed_by": file.path,
    }
    at = _at(file, line, f"removed: {method}")
    claim = {"declassified": {name: text for name, text in record.items() if text}}
    yield Observation(Asset(dataset.id, dataset.kind, dataset.name, dataset.scope, claim, status="declared"), at)
    for source in sources:
        if source.id != dataset.id:
            yield Observation(replace(source, status="declared"), at)
            yield Observation(identity.relation(dataset, "derived_from", source), at)


def _named(text: str, line: int) -> Map:
    """Data named by a word alone: an address, or a path."""
    entry = Map(line)
    entry["uri" if _URI.match(text.strip()) else "path"] = text
    return entry


def _dataset(file: File, entry: Map, folder: str) -> Asset | None:
    if path := as_text(entry.get("path")).strip().removeprefix("./").strip("/"):
        if ".." in path.split("/") or len(path) > LONGEST:
            return None
        return identity.file_dataset(f"{folder}/{path}" if folder else path, file.scope)
    if uri := as_text(entry.get("uri")).strip():
        uri = _CREDENTIALS.sub("", uri)
        return identity.asset("dataset", uri, key=uri) if _URI.match(uri) and len(uri) <= LONGEST else None
    name = as_text(entry.get("name")).strip()[:LONGEST]
    return identity.asset("dataset", name, scope=file.scope) if name else None


def _models(file: File, system: Map, application: Asset) -> Iterator[Yielded]:
    for entry, line in _entries(system, "models"):
        said = as_map(entry)
        name = as_text(entry if not isinstance(entry, Map) else said.get("name")).strip()[:LONGEST]
        provider = as_text(said.get("provider")).strip().casefold()
        url = as_text(said.get("endpoint")).strip()
        if name and provider:
            model = identity.asset("model", name, props={"provider": provider}, status="declared")
        elif name and _URI.match(url) and is_address(url):
            model = replace(identity.model_at(url, name, file.scope), status="declared")
        else:
            why = "a name alone does not tell which model it is: say its provider or the endpoint that offers it"
            yield _ignored(file, line, f"the model {name}" if name else "a model", why)
            continue
        yield Observation(model, _at(file, line))
        yield Observation(identity.relation(application, "uses_model", model), _at(file, line))


def _entries(system: Map, key: str) -> Iterator[tuple[Any, int]]:
    value = system.get(key)
    listed = value if isinstance(value, Seq) else Seq(line_of(system, key))
    if value is not None and not isinstance(value, Seq):
        listed.append(value)
        listed.lines.append(line_of(system, key))
    for index, entry in enumerate(as_seq(listed)[:MOST]):
        yield entry, line_of(listed, index)


def _at(file: File, line: int, *chain: str) -> Evidence:
    return file.evidence(NAME, line, confidence="declared", chain=chain)


def _ignored(file: File, line: int, what: str, why: str) -> Unseen:
    return Unseen(file.at(line), f"ignored: {what[:80]}", why, collector=NAME, scope=file.scope, skipped=True)
