"""CycloneDX ML-BOM: models and data among the components, what a model was trained on, its ancestors.

Format: CycloneDX 1.5-1.7 JSON (modelCard.modelParameters.datasets, component.data, pedigree, dependencies).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.lineage import places
from penstock.discover.data.lineage.reading import dig, json_of, mapping, mappings, pointer, text, texts
from penstock.discover.data.lineage.saying import Saying
from penstock.discover.data.lineage.words import labels_of_pair, labels_of_text
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Unseen
from penstock.knowledge.models import family_of
from penstock.knowledge.providers import provider_of_prefix

NAME = "lineage.cyclonedx"
#: Components in components that are followed.
_DEEPEST = 8
#: Weights of the hub are written with capitals or a number of parameters, ids of hosted models are not.
_WEIGHTS = re.compile(r"[A-Z]|(?<![a-z0-9])\d+(?:\.\d+)?b(?![a-z0-9])")


@collector(
    NAME,
    reads=["*bom*.json", "*.cdx.json", "*cyclonedx*.json"],
    sees="models and datasets of a CycloneDX bill of materials, and how they come from one another",
    unseen="bills in XML or protobuf",
)
def bill(file: File) -> Iterator[Yielded]:
    """What an ML-BOM says."""
    if b'"CycloneDX"' not in file.data or not (b"machine-learning-model" in file.data or b'"data"' in file.data):
        return
    try:
        document = mapping(json_of(file.data))
    except NotUnderstood as error:
        yield Unseen(file.path, "the bill of materials in it", error.message, collector=NAME, scope=file.scope)
        return
    if text(document.get("bomFormat")) == "CycloneDX":
        saying = Saying(NAME, file.scope, file.path)
        _Bill(saying, document).tell()
        yield from saying


class _Bill:
    def __init__(self, saying: Saying, document: Mapping[str, Any]) -> None:
        self.saying, self.document = saying, document
        main = mapping(dig(document, "metadata", "component"))
        self.components = [
            *_flat([main], "metadata/component"),
            *_flat(mappings(document.get("components")), "components"),
        ]
        self.known: dict[str, Asset] = {}
        for component, _ in self.components:
            if (thing := self.asset(component)) is not None:
                self.known[text(component.get("bom-ref")) or thing.id] = thing
        self.application = identity.application(saying.scope)
        self.main = text(main.get("bom-ref")) if text(main.get("type")) in ("application", "framework") else ""

    def tell(self) -> None:
        for component, place in self.components:
            thing = self.known.get(text(component.get("bom-ref"))) or self.asset(component)
            if thing is None:
                continue
            at = self.saying.at(place, f"component {thing.name}")
            if thing.kind == "model":
                self.model(thing, component, place)
            else:
                for about in mappings(component.get("data")) or [component]:
                    self.described(thing, about, place)
            self.saying.asset(thing, at)
        for dependency in mappings(self.document.get("dependencies")):
            self.depends(text(dependency.get("ref")), texts(dependency.get("dependsOn")))

    def model(self, model: Asset, component: Mapping[str, Any], place: str) -> None:
        card = mapping(component.get("modelCard"))
        for number, given in enumerate(mappings(dig(card, "modelParameters", "datasets"))):
            at_place = f"{place}/modelCard/modelParameters/datasets/{number}"
            data = self.known.get(text(given.get("ref"))) if given.get("ref") else self.data(given)
            if data is not None and data.kind != "model":
                self.described(data, given, at_place)
                self.saying.link(model, "trained_on", data, self.saying.at(at_place, f"a dataset of {model.name}"))
        pedigree = mapping(component.get("pedigree"))
        for key, forward in (("ancestors", True), ("descendants", False), ("variants", False)):
            for number, other in enumerate(mappings(pedigree.get(key))):
                relative = self.asset(other)
                if relative is None or relative.kind != model.kind:
                    continue
                at = self.saying.at(f"{place}/pedigree/{key}/{number}", f"{key} of {model.name}")
                ends = (model, relative) if forward else (relative, model)
                self.saying.link(ends[0], "derived_from", ends[1], at)

    def described(self, data: Asset, about: Mapping[str, Any], place: str) -> None:
        """A dataset with its classification, its sensitive data and who governs it."""
        labels = labels_of_pair("classification", text(about.get("classification")))
        for said in texts(about.get("sensitiveData")):
            labels |= labels_of_text(said) or frozenset({"confidential"})
        why = [f"sensitiveData: {said[:100]}" for said in texts(about.get("sensitiveData"))[:10]]
        at = self.saying.at(place, f"dataset {data.name}", *why)
        self.saying.asset(Asset(data.id, data.kind, data.name, data.scope, data.props, labels), at)
        for role in ("owners", "stewards", "custodians"):
            for who in mappings(dig(about, "governance", role))[:20]:
                contact = mapping(who.get("contact"))
                name = text(contact.get("email")) or text(dig(who, "organization", "name")) or text(contact.get("name"))
                if name and role == "owners":
                    self.saying.owned(data, name, at)

    def depends(self, ref: str, needed: list[str]) -> None:
        source = self.known.get(ref)
        for name in needed:
            target = self.known.get(name)
            if target is None:
                continue
            at = self.saying.at(pointer("dependencies"), f"{ref} depends on {name}")
            if source is None and ref and ref == self.main:
                self.saying.link(self.application, "uses_model" if target.kind == "model" else "reads", target, at)
            elif source is not None and source.kind == "model" and target.kind != "model":
                self.saying.link(source, "trained_on", target, at)

    def asset(self, component: Mapping[str, Any]) -> Asset | None:
        kind = text(component.get("type"))
        if kind == "machine-learning-model":
            return self.named_model(component)
        return self.data(component) if kind == "data" else None

    def named_model(self, component: Mapping[str, Any]) -> Asset | None:
        """The model of a component: by its package URL, an address on the hub, else by its name."""
        name, group = text(component.get("name")), text(component.get("group"))
        if (found := of_package_url(text(component.get("purl")), self.saying.scope)) is not None:
            return found
        for link in mappings(component.get("externalReferences")):
            if "huggingface.co/" in text(link.get("url")) and "/datasets/" not in text(link.get("url")):
                found = places.hub_model(text(link.get("url")))
                if found is not None and "/" in found.name:
                    return found
        if not name:
            return None
        owner = group if re.fullmatch(r"[\w-]+", group) else ""
        if owner and places.is_hub_id(name) and (_WEIGHTS.search(name) or not provider_of_prefix(owner)):
            return places.hub_model(f"{owner}/{name}")
        family = family_of(name)
        if family is not None and family.provider:
            return identity.asset("model", name, props={"provider": family.provider})
        if re.fullmatch(r"[\w.-]+/[\w.-]+", name):
            return places.hub_model(name)
        return identity.asset("model", name, key=f"{self.saying.scope}/bill:{group}/{name}")

    def data(self, component: Mapping[str, Any]) -> Asset | None:
        """The dataset of a component: by where its contents lie, else by its name."""
        contents = [component.get("contents"), *(about.get("contents") for about in mappings(component.get("data")))]
        addresses = [text(mapping(content).get("url")) for content in contents]
        addresses += [
            text(link.get("url"))
            for link in mappings(component.get("externalReferences"))
            if text(link.get("type")) in ("distribution", "source-distribution")
        ]
        purl = text(component.get("purl"))
        if purl.startswith("pkg:huggingface/datasets/"):
            addresses.insert(0, f"hf://datasets/{purl[25:].partition('?')[0]}")
        for address in addresses:
            if address and (found := places.dataset(address, self.saying.scope)) is not None:
                return found
        name = text(component.get("name"))
        if not name:
            return None
        return identity.asset("dataset", name, scope=self.saying.scope, key=f"bill:{name}")


def of_package_url(purl: str, scope: str) -> Asset | None:
    """The model that a package URL names: of the hub, or registered in MLflow."""
    if not purl.startswith("pkg:"):
        return None
    kind, _, rest = purl[4:].partition("/")
    path, _, query = rest.partition("#")[0].partition("?")
    name, _, version = path.partition("@")
    name = unquote(name)
    if kind == "huggingface" and name and not name.startswith("datasets/"):
        return places.hub_model(name)
    if kind == "mlflow" and name:
        return places.mlflow_model(f"models:/{name}/{unquote(version)}" if version else f"models:/{name}/latest")
    address = next(iter(parse_qs(query).get("download_url", [])), "") if len(query) < 2_000 else ""
    return places.model(address, scope) if kind == "generic" and "://" in address else None


def _flat(components: list[Mapping[str, Any]], place: str) -> list[tuple[Mapping[str, Any], str]]:
    """Components and those in them, each with its JSON pointer."""
    found: list[tuple[Mapping[str, Any], str]] = []
    waiting = [(component, f"#/{place}" + ("" if "metadata" in place else f"/{number}"), 0)
               for number, component in enumerate(components) if component]  # fmt: skip
    while waiting and len(found) < 100_000:
        component, at, depth = waiting.pop(0)
        found.append((component, at))
        if depth < _DEEPEST:
            waiting += [
                (inner, f"{at}/components/{number}", depth + 1)
                for number, inner in enumerate(mappings(component.get("components")))
            ]
    return found
