"""Tags of clouds and labels of Kubernetes as a word about who answers: weaker than any register, better than a guess.

Which key says what is data (pack ``tags``). A cost centre says who pays, not who answers, and names no owner.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from penstock.discover.cloud import exports
from penstock.discover.collector import File, Source, Yielded, collector, joiner
from penstock.discover.infra.kubernetes import WORKLOADS
from penstock.discover.infra.marked import as_map, as_text, dig, line_of, maps
from penstock.discover.infra.resources import row_of
from penstock.discover.infra.yaml_docs import is_template, read_documents
from penstock.discover.organisation.parties import party
from penstock.discover.organisation.registers import criticality
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.store.protocol import Scan
from penstock.graph.vocabulary import Asset, Evidence, Observation, Unseen
from penstock.knowledge.pack import define_pack, load_pack

NAME = "organisation.tags"
_KINDS = WORKLOADS | {"InferenceService", "LLMInferenceService"}
#: Values that fill a mandatory tag and name nobody.
_NOBODY = frozenset({"", "unknown", "none", "n/a", "na", "tbd", "todo", "null", "-", "nobody", "unassigned", "default"})
_LEVELS = {"low": 1, "medium": 2, "high": 3, "vital": 4, "critical": 4, "mission-critical": 4}
#: Attributes that hold tags; tags of one resource that are looked at.
_HOLDERS, _MOST = ("tags", "labels", "tags_all", "user_labels", "annotations"), 200


class Tag(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys that say one thing."""

    id: str
    means: str
    keys: tuple[str, ...]
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one tag says: owner, approver (then ``party``) or criticality (then ``level``), and the tag as written."""

    means: str
    tag: str
    party: Asset | None = None
    level: int | None = None


def meanings(tags: Mapping[str, Any]) -> Iterator[Meaning]:
    """What the tags say, the plainest key first; each thing once."""
    said = {_plain(str(key)): (f"{key}: {value}", str(value).strip()) for key, value in list(tags.items())[:_MOST]}
    for row in load_pack("tags").rows:
        for key in row.keys:
            written, value = said.get(key, ("", ""))
            if value.casefold() in _NOBODY:
                continue
            if row.means in ("owner", "approver") and (who := party(value)) is not None:
                yield Meaning(row.means, written, party=who)
            elif row.means == "cost":
                yield Meaning("cost", written)
            elif row.means == "criticality":
                level = _LEVELS.get(value.casefold()) or criticality(value)
                if level is not None:
                    yield Meaning("criticality", written, level=level)


def observed(asset: Asset, tags: Mapping[str, Any], at: Evidence) -> Iterator[Observation]:
    """The asset with what its tags say about people; nothing when they say nothing."""
    found = [meaning for meaning in meanings(tags) if meaning.means != "cost"]
    level = next((meaning.level for meaning in found if meaning.level is not None), None)
    if found:
        yield Observation(replace(asset, props={} if level is None else {"criticality": level}), at)
    for verb, means in (("owned_by", "owner"), ("approved_by", "approver")):
        meaning = next((one for one in found if one.means == means and one.party is not None), None)
        if meaning is not None and meaning.party is not None:
            said = replace(at, chain=(meaning.tag,))
            yield Observation(meaning.party, said)
            yield Observation(identity.relation(asset, verb, meaning.party), said)


@collector(
    NAME,
    reads=["*.yaml", "*.yml"],
    sees="teams, people and criticality in labels and annotations of Kubernetes workloads, and in tags of Terraform",
    unseen="labels that charts render; default tags of a provider",
)
def labels(file: File) -> Iterator[Yielded]:
    """What labels and annotations of each workload say."""
    if b"apiVersion" not in file.data or b"metadata" not in file.data or is_template(file.text):
        return
    for document in read_documents(file, NAME):
        if isinstance(document, Unseen):
            return  # the reader of manifests says so
        listed = as_map(document)
        for item in maps(listed.get("items")) if as_text(listed.get("kind")).endswith("List") else [listed]:
            metadata, name = as_map(item.get("metadata")), as_text(dig(item, "metadata", "name"))
            if as_text(item.get("kind")) in _KINDS and name:
                key = f"{as_text(metadata.get('namespace'))}/{name}"
                place = identity.asset("infrastructure", name, scope=file.scope, key=key, props={})
                tags = {**as_map(metadata.get("labels")), **as_map(metadata.get("annotations"))}
                at = file.evidence(NAME, line_of(item, "metadata"), confidence="declared")
                yield from observed(place, {key: as_text(value) for key, value in tags.items()}, at)


@joiner(NAME, sees="teams and people in tags of Terraform resources", unseen="default tags; tags that a plan computes")
def terraform_tags(source: Source) -> Iterator[Yielded]:
    """What literal tags of each resource that the table knows say."""
    for fact in source.facts.get("terraform", ()):
        folder = fact.path.rpartition("/")[0]
        for kind, names, line, body in fact.value["blocks"]:
            if kind != "resource" or len(names) < 2 or (row := row_of(names[0])) is None or body[0] != "o":
                continue
            key = f"{source.scope}/{folder}#{names[0]}.{names[1]}"
            asset = identity.asset(row.kind, names[1], scope=source.scope, key=key, status="declared")
            at = source.evidence(NAME, f"{fact.path}:{line}", confidence="declared")
            yield from observed(asset, _literal(body[2]), at)


def of_export(path: Path, found: Scan) -> Scan:
    """What was taken in from an export of a cloud, with what the tags of its resources say."""
    known = {o.subject.id: o.subject for o in found.observations if isinstance(o.subject, Asset)}
    scope = found.scopes[0]
    said: list[Observation] = []
    with path.open("rb") as opened:
        export = exports.kind_of(opened.read(65_536))
        opened.seek(0)
        try:
            for thing in exports.things(export, opened, path.name) if export is not None else ():
                row = row_of(thing.type) if thing is not None else None
                if thing is None or row is None:
                    continue
                asset = known.get(identity.asset(row.kind, thing.name, scope=scope, key=f"{scope}/{thing.id}").id)
                if asset is not None:
                    at = Evidence(NAME, thing.place, "declared", (), scope)
                    said += observed(asset, _tags(thing.body), at)
        except NotUnderstood:  # it breaks off: what came before stands, and the scan says so
            pass
    return replace(found, observations=(*found.observations, *said))


def _tags(body: Mapping[str, Any]) -> dict[str, str]:
    """Tags as mappings, or as lists of key and value."""
    found: dict[str, str] = {}
    for holder in (name for name in body if name.casefold() in _HOLDERS):
        value = body[holder]
        if isinstance(value, Mapping):
            found |= {str(key): str(text) for key, text in value.items() if isinstance(text, str | int)}
        for one in value if isinstance(value, list) else ():
            if isinstance(one, Mapping):
                plain = {str(key).casefold(): text for key, text in one.items()}
                if isinstance(plain.get("key"), str):
                    found[plain["key"]] = str(plain.get("value", ""))
    return found


def _literal(entries: Iterable[Any]) -> dict[str, str]:
    """Tags of a block of Terraform whose values are written out."""
    found: dict[str, str] = {}
    for name, expression in entries:
        if name in _HOLDERS and expression[0] == "o":
            found |= {str(key): value[2] for key, value in expression[2] if value[0] == "s" and value[2]}
    return found


def _plain(key: str) -> str:
    """A key without case, joints and the domain before a slash or the namespace before a colon."""
    return re.sub(r"[^a-z0-9]", "", re.split(r"[/:]", key.strip())[-1].casefold())


def _applies(row: Tag, example: str) -> bool:
    key, _, value = example.partition(": ")
    return (
        any(meaning.tag.startswith(f"{key}:") for meaning in meanings({key: value.strip("'")}))
        and _plain(key) in row.keys
    )


define_pack("tags", Tag, check=_applies)
