"""SPDX 3: AI and dataset packages, what was trained or tested on what, and where personal data is declared.

Format: SPDX 3.0 and 3.0.1 JSON-LD (``@graph`` of ai_AIPackage, dataset_DatasetPackage, Relationship).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.lineage import places
from penstock.discover.data.lineage.cyclonedx import of_package_url
from penstock.discover.data.lineage.reading import count, json_of, mapping, mappings, pointer, text, texts
from penstock.discover.data.lineage.saying import Saying
from penstock.discover.data.lineage.words import labels_of_pair
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Unseen

NAME = "lineage.spdx"
#: relationshipType → verb and whether the target is the source of the edge.
_VERBS = {"trainedOn": ("trained_on", False), "testedOn": ("evaluated_on", False), "finetunedOn": ("trained_on", False),
          "descendantOf": ("derived_from", False), "ancestorOf": ("derived_from", True),
          "copiedTo": ("derived_from", True), "expandedFromArchive": ("derived_from", False),
          "hasVariant": ("derived_from", True)}  # fmt: skip


@collector(
    NAME,
    reads=["*spdx*.json", "*spdx*.jsonld", "*sbom*.json", "*bom*.json", "*.spdx3.json"],
    sees="AI and dataset packages of SPDX 3 and their relationships",
    unseen="SPDX 2, which has no such packages; serialisations other than JSON-LD",
)
def document(file: File) -> Iterator[Yielded]:
    """What an SPDX 3 document says of models and data."""
    if b"spdx" not in file.data[:65_536].lower() or not (b"AIPackage" in file.data or b"DatasetPackage" in file.data):
        return
    try:
        root = mapping(json_of(file.data))
    except NotUnderstood as error:
        yield Unseen(file.path, "the packages in it", error.message, collector=NAME, scope=file.scope)
        return
    saying = Saying(NAME, file.scope, file.path)
    elements = mappings(root.get("@graph")) or mappings(root.get("element"))
    known: dict[str, Asset] = {}
    for number, element in enumerate(elements):
        thing = _package(saying, element, pointer("@graph", number))
        if thing is not None:
            known[_id(element)] = thing
    for number, element in enumerate(elements):
        verb, turned = _VERBS.get(text(element.get("relationshipType")), ("", False))
        source = known.get(_id(element.get("from")))
        if not verb or source is None:
            continue
        at = saying.at(pointer("@graph", number), f"relationship {text(element.get('relationshipType'))}")
        for target in (known.get(_id(to)) for to in _several(element.get("to"))):
            if target is not None and (verb != "trained_on" or source.kind == "model"):
                saying.link(*((target, verb, source) if turned else (source, verb, target)), at)
    yield from saying


def _package(saying: Saying, element: Mapping[str, Any], place: str) -> Asset | None:
    kind = text(element.get("type") or element.get("@type")).rpartition("/")[2]
    if kind.endswith("AIPackage"):
        model = _model(saying, element)
        if model is not None:
            labels = frozenset({"pii"}) if _yes(_get(element, "useSensitivePersonalInformation")) else frozenset()
            why = ["useSensitivePersonalInformation: yes"] if labels else []
            said = Asset(model.id, model.kind, model.name, model.scope, model.props, labels)
            return saying.asset(said, saying.at(place, f"AI package {model.name}", *why))
        return None
    if not kind.endswith("DatasetPackage"):
        return None
    name, address = text(element.get("name")), text(_get(element, "downloadLocation"))
    data = places.dataset(address, saying.scope) if "://" in address else None
    if data is None and name:
        data = identity.asset("dataset", name, scope=saying.scope, key=f"bill:{name}")
    if data is None:
        return None
    props: dict[str, Any] = {}
    if (size := count(_get(element, "datasetSize"))) is not None:
        props["records"] = size
    labels = frozenset[str]()
    why = []
    if _yes(_get(element, "hasSensitivePersonalInformation")):
        labels, why = frozenset({"pii"}), ["hasSensitivePersonalInformation: yes"]
    if level := text(_get(element, "confidentialityLevel")):  # a traffic-light colour
        labels |= frozenset({"confidential"}) if level.rpartition("/")[2] in ("red", "amber") else frozenset()
        labels |= labels_of_pair("classification", level)
        why.append(f"confidentialityLevel: {level}")
    at = saying.at(place, f"dataset package {name or data.name}", *why)
    return saying.asset(Asset(data.id, data.kind, data.name, data.scope, props, labels), at)


def _model(saying: Saying, element: Mapping[str, Any]) -> Asset | None:
    named = [text(_get(element, "packageUrl"))]
    named += [text(given.get("identifier")) for given in mappings(element.get("externalIdentifier"))]
    for purl in named:
        if (found := of_package_url(purl, saying.scope)) is not None:
            return found
    name, address = text(element.get("name")), text(_get(element, "downloadLocation"))
    if "huggingface.co/" in address and (found := places.model(address, saying.scope)) is not None:
        return found
    if name.count("/") == 1 and (found := places.hub_model(name)) is not None:
        return found
    return identity.asset("model", name, key=f"{saying.scope}/bill:/{name}") if name else None


def _yes(value: Any) -> bool:
    return text(value).rpartition("/")[2].casefold() in ("yes", "true") or value is True


def _several(value: Any) -> list[Any]:
    return value[:10_000] if isinstance(value, list) else [value]


def _id(value: Any) -> str:
    about = mapping(value)
    return text(about.get("spdxId")) or text(about.get("@id")) if about else next(iter(texts(value)), "")


def _get(element: Mapping[str, Any], name: str) -> Any:
    """A property under the prefix of its profile."""
    for prefix in ("", "ai_", "dataset_", "software_"):
        if (found := element.get(prefix + name)) is not None:
            return found
    return None
