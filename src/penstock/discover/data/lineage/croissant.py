"""Croissant: what a dataset's JSON-LD says of its files, its fields and the people in it.

Format: mlcommons.org/croissant 1.0 and 1.1 with the RAI vocabulary (rai:personalSensitiveInformation, …).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.lineage import places
from penstock.discover.data.lineage.reading import json_of, mapping, mappings, pointer, text, texts
from penstock.discover.data.lineage.saying import Saying
from penstock.discover.data.lineage.words import labels_of_tag, labels_of_text
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Unseen

NAME = "lineage.croissant"
#: Answers that say that nobody is in the data.
_NOBODY = ("no", "none", "n/a", "na", "not applicable", "false", "does not contain", "contains no", "no personal")
_COLLECTIONS = ("SubField", "subField")


@collector(
    NAME,
    reads=["*croissant*.json", "*croissant*.jsonld", "metadata.json", "*.croissant.json"],
    sees="files and fields of Croissant datasets, what they derive from, personal data they declare",
    unseen="archives named only by address; free text about people",
)
def croissant(file: File) -> Iterator[Yielded]:
    """A dataset and what it is made of."""
    if b"mlcommons.org/croissant" not in file.data:
        return
    try:
        document = mapping(json_of(file.data))
    except NotUnderstood as error:
        yield Unseen(file.path, "the dataset in it", error.message, collector=NAME, scope=file.scope)
        return
    if not (_get(document, "recordSet") or _get(document, "distribution")):
        return
    saying = Saying(NAME, file.scope, file.path)
    _tell(saying, document)
    yield from saying


def _tell(saying: Saying, document: Mapping[str, Any]) -> None:
    folder = posixpath.dirname(saying.path)
    data = _identity(saying, document)
    labels = frozenset(label for word in texts(_get(document, "keywords")) for label in labels_of_tag(word))
    personal, why = _personal(document)
    if labels | personal:
        saying.asset(
            Asset(data.id, data.kind, data.name, data.scope, {}, labels | personal),
            saying.at(pointer("rai:personalSensitiveInformation"), *why),
        )
    saying.asset(data, saying.at("", "its Croissant description"))
    for number, part in enumerate(mappings(_get(document, "distribution"))):
        address = text(_get(part, "contentUrl"))
        kind = " ".join(texts(part.get("@type")))
        inside = _get(part, "containedIn") is not None
        if "FileSet" in kind or inside or not address:
            continue  # what lies in an archive is in it
        if (piece := places.dataset(address, saying.scope, folder=folder)) is not None:
            saying.link(data, "ingests", piece, saying.at(pointer("distribution", number), f"contentUrl: {address}"))
    for key in ("isBasedOn", "sc:isBasedOn", "prov:wasDerivedFrom", "wasDerivedFrom"):
        for origin in _references(document.get(key)):
            if (source := places.dataset(origin, saying.scope, folder=folder)) is not None and "://" in origin:
                saying.link(data, "derived_from", source, saying.at(pointer(key), f"{key}: {origin}"))
    for number, records in enumerate(mappings(_get(document, "recordSet"))):
        saying.columns(data, _fields(records), pointer("recordSet", number))
        sensitive = [
            text(_get(field, "name"))
            for field in mappings(_get(records, "field"))
            if any(
                "PersonalInformation" in said or "personal" in said.casefold() for said in texts(field.get("dataType"))
            )
        ]
        if sensitive:
            marked = Asset(data.id, data.kind, data.name, data.scope, {"columns": sensitive}, frozenset({"pii"}))
            saying.asset(marked, saying.at(pointer("recordSet", number), "fields typed as personal data"))


def _identity(saying: Saying, document: Mapping[str, Any]) -> Asset:
    """A dataset of the hub is that one; any other lives where its description lies."""
    for key in ("url", "@id", "sameAs", "identifier"):
        for address in _references(_get(document, key)):
            if name := places.hub_dataset(address):
                return identity.asset("dataset", name, key=f"hf://datasets/{name}")
    name = text(_get(document, "name")) or posixpath.basename(saying.path)
    return identity.asset("dataset", name, scope=saying.scope, key=f"croissant:{saying.path}")


def _personal(document: Mapping[str, Any]) -> tuple[frozenset[str], list[str]]:
    labels: set[str] = set()
    why = []
    for key in ("personalSensitiveInformation", "dataSensitivity"):
        for said in _long(_get(document, key)):
            if said.casefold().strip(" .").startswith(_NOBODY):
                continue
            labels |= {"pii"} | labels_of_text(said[:1_000])
            why.append(f"{key}: {said[:120]}")
    return frozenset(labels), why[:20]


def _long(value: Any) -> list[str]:
    """Texts of any length, as people answer questions in them."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items[:100] if isinstance(item, str) and item.strip()]


def _fields(records: Mapping[str, Any]) -> list[str]:
    found = []
    for field in mappings(_get(records, "field")):
        names = [text(_get(field, "name")) or text(field.get("@id"))]
        names += [text(_get(sub, "name")) for key in _COLLECTIONS for sub in mappings(field.get(key))]
        names.append(text(mapping(mapping(_get(field, "source")).get("extract")).get("column")))
        found += [name.rpartition("/")[2] for name in names if name]
    return list(dict.fromkeys(found))


def _references(value: Any) -> list[str]:
    """Addresses given as texts or as objects with an @id or url."""
    items = value if isinstance(value, list) else [value]
    found = []
    for item in items[:100]:
        about = mapping(item)
        found.append(text(item) or text(about.get("@id")) or text(about.get("url")))
    return [address for address in found if address]


def _get(value: Mapping[str, Any], name: str) -> Any:
    """A property under any of the prefixes that contexts give it."""
    for prefix in ("", "cr:", "sc:", "schema:", "rai:", "https://schema.org/"):
        if (found := value.get(prefix + name)) is not None:
            return found
    return None
