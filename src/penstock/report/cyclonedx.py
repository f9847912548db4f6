"""The inventory as CycloneDX 1.7.

The library has a class for nearly everything; what it lacks (model cards, data of a component, formulation) is added to
its JSON. The standard has no word for agents, tools or prompts, so each entry carries ``penstock:kind`` and, for each
relation, ``penstock:rel:<verb>`` with the reference of its target.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
import warnings
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cyclonedx.model import DataClassification, DataFlow, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType, Pedigree
from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.model.service import Service
from cyclonedx.output.json import JsonV1Dot7
from packageurl import PackageURL

from penstock.graph.vocabulary import SENSITIVE, VERBS, Asset
from penstock.report.clean import escaped_json
from penstock.report.places import place_of
from penstock.report.view import Report

#: kind → component type; what is missing here is an application.
TYPES: Mapping[str, ComponentType] = {
    "model": ComponentType.MACHINE_LEARNING_MODEL,
    **dict.fromkeys(("dataset", "content_source", "prompt", "guardrail", "rules_file"), ComponentType.DATA),
    **dict.fromkeys(
        ("knowledge_base", "vector_store", "data_store", "log_store", "memory", "infrastructure", "workspace",
         "registry", "identity", "credential"), ComponentType.PLATFORM),
    "framework": ComponentType.FRAMEWORK,
    "package": ComponentType.LIBRARY,
    "hardware": ComponentType.DEVICE,
    "image": ComponentType.CONTAINER,
}  # fmt: skip
#: Kinds that are reached over a network and have no place of their own: services.
SERVICES = frozenset({"endpoint", "provider"})
#: Where data kinds say what sort of data they are.
DATA_TYPES = {"dataset": "dataset", "content_source": "dataset"}
#: Relations that mean "does not work without".
DEPENDS = frozenset(
    {"uses_model", "uses_tool", "retrieves_from", "reads", "invokes", "delegates_to", "serves", "trained_on",
     "fine_tuned_from", "derived_from", "indexes", "ingests", "loads", "consumes", "embedded_by", "guarded_by",
     "instructed_by", "provided_by", "deployed_on", "built_with"}
)  # fmt: skip
#: Relations to people and processes, which are no components: the property that names them.
NAMED = {"owned_by": "owner", "approved_by": "approver", "supports": "process"}
#: What a model was made from, by verb.
ANCESTRY = ("fine_tuned_from", "derived_from")
#: Places of evidence listed for one asset; a hosted model that ten thousand files use is proved by far fewer.
PLACES = 200
#: Addresses that are one by RFC 3986; what else a configuration calls a URL stays a property.
ADDRESS = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://(?:[\w.~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
    r"(?:/(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?",
    re.ASCII,
)
#: The order a reader expects.
ORDER = ("$schema", "bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "services",
         "dependencies", "formulation")  # fmt: skip
#: Assets handed to the library at a time.
SLICE = 200
#: The namespace from which serial numbers are made of content.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://penstock.dev/bom")


def render(report: Report) -> str:
    """A valid CycloneDX 1.7 document; the same bytes, serial number included, for the same report."""
    document = _listed(report)
    _complete(document, report)
    content = json.dumps({k: v for k, v in document.items() if k not in ("serialNumber", "metadata")}, sort_keys=True)
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(NAMESPACE, hashlib.sha256(content.encode()).hexdigest())}"
    ordered = {name: document[name] for name in ORDER if document.get(name)} | document
    return escaped_json(json.dumps(ordered, indent=2, ensure_ascii=False)) + "\n"


def is_service(asset: Asset) -> bool:
    """Whether the asset is a service; a remote MCP server is one, a local one is a program with a place."""
    return asset.kind in SERVICES or (asset.kind == "mcp_server" and bool(asset.prop("url")))


# ── what the library has classes for ─────────────────────────────────────────────────────────────────────────────────


def _listed(report: Report) -> dict[str, Any]:
    """The document as far as the library goes, made in slices: its own checks grow with the square of the number."""
    listed = {asset.id: asset for asset in report.inventory}
    document: dict[str, Any] = {}
    for start in range(0, max(1, len(listed)), SLICE):
        bom = _bom(report, report.inventory[start : start + SLICE], listed)
        part = json.loads(_written(bom))
        document = document or {**part, "components": [], "services": []}
        document["components"] += part.get("components", ())
        document["services"] += part.get("services", ())
    place = {id: number for number, id in enumerate(listed)}
    for name in ("components", "services"):
        document[name].sort(key=lambda entry: place[entry["bom-ref"]])
    document["dependencies"] = _dependencies(report, listed)
    return document


def _bom(report: Report, assets: Iterable[Asset], listed: Mapping[str, Asset]) -> Bom:
    bom = Bom(version=1)
    bom.metadata.timestamp = datetime.fromtimestamp(report.generated_at, UTC)
    bom.metadata.tools.components.add(
        Component(name="penstock", version=report.version or None, type=ComponentType.APPLICATION, bom_ref="penstock")
    )
    bom.metadata.properties = [Property(name="penstock:source", value=source) for source in sorted(report.sources)]
    components: list[Component] = []
    services: list[Service] = []
    for asset in assets:
        if is_service(asset):
            services.append(_service(report, asset, listed))
        else:
            components.append(_component(report, asset, listed))
    bom.components, bom.services = components, services  # at once: adding one by one sorts each time
    return bom


def _dependencies(report: Report, listed: Mapping[str, Asset]) -> list[dict[str, Any]]:
    needs: dict[str, set[str]] = {asset: set() for asset in listed}
    for relation in report.graph.relations:
        ends = relation.source, relation.target
        if relation.verb in DEPENDS and relation.source in listed and relation.target in listed and len({*ends}) == 2:
            needs[relation.source].add(relation.target)
    return [{"ref": id, **({"dependsOn": sorted(needs[id])} if needs[id] else {})} for id in sorted(listed)]


def _component(report: Report, asset: Asset, listed: Mapping[str, Asset]) -> Component:
    occurrences = [
        Occurrence(location=path, line=line, bom_ref=f"{asset.id}@{number}")
        for number, (path, line) in enumerate(_places(report, asset.id))
    ]
    return Component(
        bom_ref=asset.id,
        type=TYPES.get(asset.kind, ComponentType.APPLICATION),
        name=asset.name,
        version=_text(asset, "version"),
        description=_text(asset, "purpose"),
        group=asset.scope or None,
        supplier=_supplier(asset),
        purl=_purl(asset),
        pedigree=_pedigree(report, asset),
        evidence=ComponentEvidence(occurrences=occurrences) if occurrences else None,
        properties=_properties(report, asset, listed),
    )


def _service(report: Report, asset: Asset, listed: Mapping[str, Asset]) -> Service:
    """A service has no evidence in the standard: its places are properties."""
    auth = asset.prop("auth")
    exposure = asset.prop("exposure")
    places = [
        Property(name="penstock:evidence", value=f"{path}:{line}" if line else path)
        for path, line in _places(report, asset.id)
    ]
    return Service(
        bom_ref=asset.id,
        name=asset.name,
        group=asset.scope or None,
        version=_text(asset, "version"),
        description=_text(asset, "purpose"),
        provider=_supplier(asset),
        endpoints=[XsUri(url)] if (url := _text(asset, "url")) and ADDRESS.fullmatch(url) else [],
        authenticated=None if auth is None else auth != "none",
        x_trust_boundary=None if exposure is None else exposure in ("internet", "partner"),
        data=[
            DataClassification(flow=DataFlow.BI_DIRECTIONAL, classification=label)
            for label in report.labels(asset.id)
            if label in SENSITIVE
        ],
        properties=[*_properties(report, asset, listed), *places],
    )


def _properties(report: Report, asset: Asset, listed: Mapping[str, Asset]) -> list[Property]:
    return [Property(name=f"penstock:{name}", value=value) for name, value in _said(report, asset, listed)]


def _said(report: Report, asset: Asset, listed: Mapping[str, Asset]) -> Iterator[tuple[str, str]]:
    """What only we can say about an asset, as name and value."""
    yield "kind", asset.kind
    yield "status", asset.status
    yield "lifecycle", asset.lifecycle
    for label in sorted(report.labelling.contains(asset.id)):
        yield "contains", label
    for label in sorted(report.labelling.sees(asset.id)):
        yield "sees", label
    for name, value in sorted(asset.props.items()):
        if value is not None:
            yield f"prop:{name}", value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    if evidence := report.graph.evidence.get(asset.id):
        yield "confidence", evidence[0].confidence
    for relation in sorted(report.graph.out(asset.id), key=lambda r: r.key):
        if relation.target in listed and relation.verb in VERBS:
            yield f"rel:{relation.verb}", relation.target
        elif relation.verb in NAMED:
            yield NAMED[relation.verb], report.name(relation.target)


def _places(report: Report, asset: str) -> list[tuple[str, int | None]]:
    """Where a reader can see the asset, strongest evidence first, each place once."""
    found = (place_of(evidence) for evidence in report.graph.evidence.get(asset, ()))
    return list(dict.fromkeys(place for place in found if place))[:PLACES]


def _supplier(asset: Asset) -> OrganizationalEntity | None:
    name = _text(asset, "provider") or _text(asset, "vendor")
    return OrganizationalEntity(name=name) if name else None


def _purl(asset: Asset) -> PackageURL | None:
    """A package URL where the identity is known to be one: weights of the Hugging Face hub."""
    if asset.kind != "model" or asset.prop("provider") != "huggingface" or asset.name.count("/") != 1:
        return None
    namespace, _, name = asset.name.partition("/")
    return PackageURL("huggingface", namespace, name) if namespace and name else None


def _pedigree(report: Report, asset: Asset) -> Pedigree | None:
    """The models and data that a model was made from."""
    if asset.kind != "model":
        return None
    ancestors = sorted({r.target for r in report.graph.out(asset.id, *ANCESTRY)} & report.graph.assets.keys())
    if not ancestors:
        return None
    return Pedigree(
        ancestors=[
            Component(
                name=report.graph.assets[ancestor].name,
                type=TYPES.get(report.kind(ancestor), ComponentType.APPLICATION),
                bom_ref=f"{asset.id}/ancestor/{ancestor}",
                properties=[Property(name="penstock:ref", value=ancestor)],
            )
            for ancestor in ancestors
        ]
    )


def _text(asset: Asset, prop: str) -> str | None:
    value = asset.prop(prop)
    return str(value) if value not in (None, "") else None


def _written(bom: Bom) -> str:
    with warnings.catch_warnings():  # the library wants a root component; an inventory has none
        warnings.simplefilter("ignore")
        return JsonV1Dot7(bom).output_as_string()


# ── what it has none for ─────────────────────────────────────────────────────────────────────────────────────────────


def _complete(document: dict[str, Any], report: Report) -> None:
    """Add model cards, the data of data components, and pipelines as workflows."""
    listed = {asset.id: asset for asset in report.inventory}
    for component in document.get("components", ()):
        asset = listed[component["bom-ref"]]
        if asset.kind == "model":
            component["modelCard"] = _model_card(report, asset, listed)
            _published(component, asset)
        elif component["type"] == "data":
            component["data"] = [_data(report, asset)]
    if workflows := [_workflow(report, asset, listed) for asset in report.inventory if asset.kind == "pipeline"]:
        document["formulation"] = [{"workflows": workflows}]


def _published(component: dict[str, Any], asset: Asset) -> None:
    """What the files of a model say of themselves, where CycloneDX has a place for it."""
    if sha256 := _text(asset, "sha256"):
        component.setdefault("hashes", []).append({"alg": "SHA-256", "content": sha256})
    if (licence := _text(asset, "licence")) and not component.get("licenses"):
        component["licenses"] = [{"license": {"name": licence}}]


def _model_card(report: Report, asset: Asset, listed: Mapping[str, Asset]) -> dict[str, Any]:
    out = report.graph.out
    data = sorted({r.target for r in out(asset.id, "trained_on", "evaluated_on") if r.target in listed})
    parameters: dict[str, Any] = {"datasets": [{"ref": ref} for ref in data]} if data else {}
    if role := _text(asset, "role"):
        parameters["task"] = role
    if architecture := _text(asset, "architecture"):
        parameters["architectureFamily"] = architecture
    users = sorted({report.name(r.source) for r in report.graph.into(asset.id, "uses_model")})
    card: dict[str, Any] = {"bom-ref": f"{asset.id}/card"}
    if parameters:
        card["modelParameters"] = parameters
    considerations: dict[str, Any] = {}
    if users:
        considerations["users"] = users
    if purpose := _text(asset, "purpose"):
        considerations["useCases"] = [purpose]
    held = [label for label in report.labels(asset.id) if label in report.labelling.contains(asset.id)]
    if risky := [label for label in held if label in SENSITIVE]:
        considerations["ethicalConsiderations"] = [
            {"name": f"Holds {label.replace('_', ' ')}: treat it as if it contained that data"} for label in risky
        ]
    if considerations:
        card["considerations"] = considerations
    return card


def _data(report: Report, asset: Asset) -> dict[str, Any]:
    labels = report.labels(asset.id)
    data: dict[str, Any] = {"type": DATA_TYPES.get(asset.kind, "configuration"), "name": asset.name}
    if labels:
        data["classification"] = labels[0]
    if sensitive := [label for label in labels if label in SENSITIVE]:
        data["sensitiveData"] = sensitive
    if owner := report.owner(asset.id):
        data["governance"] = {"owners": [{"organization": {"name": owner}}]}
    return data


def _workflow(report: Report, asset: Asset, listed: Mapping[str, Asset]) -> dict[str, Any]:
    """A pipeline: what goes in, what comes out."""
    out = report.graph.out
    workflow: dict[str, Any] = {
        "bom-ref": f"{asset.id}/workflow",
        "uid": asset.id,
        "name": asset.name,
        "taskTypes": ["build"],
        "properties": [{"name": "penstock:ref", "value": asset.id}],
    }
    taken = _refs(listed, (r.target for r in out(asset.id, "loads", "consumes", "reads", "uses_model", "ingests")))
    made = _refs(listed, (r.target for r in out(asset.id, "produces", "writes")))
    if taken:
        workflow["inputs"] = [{"resource": {"ref": ref}} for ref in taken]
    if made:
        workflow["outputs"] = [{"type": "artifact", "resource": {"ref": ref}} for ref in made]
    return workflow


def _refs(listed: Mapping[str, Asset], ids: Iterable[str]) -> list[str]:
    return sorted({id for id in ids if id in listed})
