"""Azure Machine Learning's YAML: jobs, pipelines of jobs, and the data and model assets they name.

Format: CLI v2 schemas (azuremlschemas.azureedge.net: commandJob, pipelineJob, autoML*, fineTuning*, data, model).
``azureml:name:version`` is an asset of the workspace, ``azureml://datastores/…`` a path in one of its stores.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.lineage import places
from penstock.discover.data.lineage.reading import entries, mapping, text
from penstock.discover.data.lineage.saying import Saying
from penstock.discover.data.lineage.words import labels_of_pair
from penstock.discover.infra.marked import Map, line_of
from penstock.discover.infra.yaml_docs import read_documents
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Unseen

NAME = "lineage.azureml"
_SCHEMA = re.compile(r"azuremlschemas\.azureedge\.net/.*?/?(?P<kind>\w+)\.schema\.json", re.IGNORECASE)
_DATA_TYPES = frozenset({"uri_file", "uri_folder", "mltable", ""})
_MODEL_TYPES = frozenset({"mlflow_model", "custom_model", "triton_model"})
#: ``${{parent.inputs.x}}``, ``${{parent.jobs.step.outputs.y}}``
_REFERENCE = re.compile(
    r"\$\{\{\s*parent\.(?:jobs\.(?P<job>[\w-]+)\.)?(?P<side>inputs|outputs)\.(?P<name>[\w-]+)\s*\}\}"
)
_MEASURED = re.compile(r"valid|test|eval", re.IGNORECASE)


@collector(
    NAME,
    reads=["*.yml", "*.yaml"],
    sees="Azure Machine Learning jobs and pipelines, their data and models, and data and model assets",
    unseen="components in files of their own; assets that exist only in a workspace",
)
def azureml(file: File) -> Iterator[Yielded]:
    """Jobs and assets of a YAML file that names one of the schemas."""
    if b"azuremlschemas" not in file.data:
        return
    saying = Saying(NAME, file.scope, file.path)
    for document in read_documents(file, NAME):
        if isinstance(document, Unseen):
            yield document
        elif isinstance(document, Map) and (schema := _SCHEMA.search(text(document.get("$schema")))):
            kind = schema["kind"].casefold()
            if kind in ("data", "model"):
                _registered(saying, document, kind)
            elif kind.endswith("job"):
                _Jobs(saying, document).tell()
    yield from saying


def _registered(saying: Saying, document: Map, kind: str) -> None:
    """A data or model asset: a name of the workspace for what lies at a path."""
    name = text(document.get("name"))
    thing = _asset(saying, f"azureml:{name}:{text(document.get('version')) or '1'}", kind) if name else None
    if thing is None:
        return
    labels = frozenset(label for key, value in entries(document.get("tags")) for label in labels_of_pair(key, value))
    at = saying.at(line_of(document, "name"), f"{kind} asset {name}")
    saying.asset(Asset(thing.id, thing.kind, thing.name, thing.scope, thing.props, labels), at)
    stored = _place(saying, text(document.get("path")), kind)
    if stored is not None:
        saying.link(thing, "derived_from", stored, at)


class _Jobs:
    """One job, or the jobs of a pipeline with what they hand to one another."""

    def __init__(self, saying: Saying, document: Map) -> None:
        self.saying, self.document = saying, document
        self.outputs: dict[tuple[str, str], Asset] = {}

    def tell(self) -> None:
        steps = [(name, step) for name, step in entries(self.document.get("jobs")) if isinstance(step, Map)]
        if not steps:
            self.job("", self.document)
            return
        for name, step in steps:
            self.outputs |= {(name, given): out for given, _, out, _ in self.things(name, step, "outputs")}
        for name, step in steps:
            self.job(name, step)

    def job(self, name: str, body: Map) -> None:
        path = self.saying.path
        pipeline = identity.asset("pipeline", text(body.get("display_name")) or name or posixpath.basename(path),
                                  scope=self.saying.scope, key=f"{path}#{name}" if name else path,
                                  props={"role": "training"})  # fmt: skip
        taken = list(self.things(name, body, "inputs"))
        for key in ("training_data", "validation_data", "test_data", "model"):  # AutoML and fine-tuning jobs
            if isinstance(body.get(key), Map):
                taken += self.thing(key, body[key], line_of(body, key), "model" if key == "model" else "data")
        made = list(self.things(name, body, "outputs"))
        models = [(thing, line) for _, kind, thing, line in made if kind == "model"]
        for given, kind, thing, line in taken:
            at = self.saying.at(line, f"input {given}")
            measured = kind == "data" and bool(_MEASURED.search(given)) and bool(models)
            if not measured:
                self.saying.link(pipeline, "loads" if kind == "data" else "consumes", thing, at)
            for model, _ in models:
                verb = "fine_tuned_from" if kind == "model" else "evaluated_on" if measured else "trained_on"
                self.saying.link(model, verb, thing, at)
        for given, kind, thing, line in made:
            at = self.saying.at(line, f"output {given}")
            self.saying.link(pipeline, "produces" if kind == "model" else "writes", thing, at)

    def things(self, step: str, body: Map, side: str) -> Iterator[tuple[str, str, Asset, int]]:
        """Inputs or outputs of a job: name, data or model, asset, line."""
        listing = body.get(side)
        for name, about in entries(listing):
            line = line_of(listing, name)
            if side == "outputs":
                yield self.output(step, name, mapping(about), line)
            else:
                yield from self.thing(name, about, line, "")

    def output(self, step: str, name: str, about: Mapping[str, Any], line: int) -> tuple[str, str, Asset, int]:
        """What a job leaves behind: at its path, else known by the job and the name."""
        said = text(about.get("type"))
        named = places.is_model(name) and said not in ("uri_file", "mltable")
        kind = "model" if said in _MODEL_TYPES or named or "model" in name.casefold().split("_") else "data"
        thing = _place(self.saying, text(about.get("path")), kind)
        if thing is None:
            key = f"azureml:{self.saying.path}#{step}/{name}"
            shown = f"{step}/{name}" if step else name
            if kind == "model":
                thing = identity.asset("model", shown, key=f"{self.saying.scope}/{key}")
            else:
                thing = identity.asset("dataset", shown, scope=self.saying.scope, key=key)
        return name, kind, thing, line

    def thing(self, name: str, about: Any, line: int, kind: str) -> list[tuple[str, str, Asset, int]]:
        """An input: a path, an asset of the workspace, or what another step or the pipeline hands over."""
        body = mapping(about)
        said = text(body.get("path")) or text(about)
        if reference := _REFERENCE.match(said):
            if reference["job"]:
                found = self.outputs.get((reference["job"], reference["name"]))
                return [(name, "model" if found.kind == "model" else "data", found, line)] if found else []
            outer = mapping(self.document.get(reference["side"])).get(reference["name"])
            outer_text = text(mapping(outer).get("path")) or text(outer)
            return [] if _REFERENCE.match(outer_text) else self.thing(name, outer, line, kind)
        type_ = text(body.get("type"))
        if not kind:
            kind = "model" if type_ in _MODEL_TYPES or "/models/" in said else "data"
        if not body and not said.startswith("azureml:") and "://" not in said:
            return []  # a number or a word
        if type_ and type_ not in _DATA_TYPES | _MODEL_TYPES:
            return []
        found = _place(self.saying, said, kind)
        return [(name, kind, found, line)] if found is not None else []


def _place(saying: Saying, said: str, kind: str) -> Asset | None:
    if not said or "${{" in said:
        return None
    if re.match(r"azureml:(?!//)", said) or re.match(r"azureml://registries/", said):
        return _asset(saying, said, kind)
    if store := re.match(r"azureml://(?:.*/)?datastores/([^/]+)/paths/(.*)", said):
        # a store of the workspace: which account it is, the workspace knows
        key = f"azureml:datastore/{store[1]}/{store[2].rstrip('/')}"
        if kind == "model":
            return identity.asset("model", store[2].rstrip("/"), key=f"{saying.scope}/{key}")
        return identity.asset("dataset", f"{store[1]}/{store[2].rstrip('/')}", scope=saying.scope, key=key)
    make = places.model if kind == "model" else places.dataset
    return make(said, saying.scope, folder=posixpath.dirname(saying.path))


def _asset(saying: Saying, said: str, kind: str) -> Asset | None:
    """An asset of the workspace; without a version or at a label (``@latest``) it stands for all its versions."""
    registry = re.match(r"azureml://registries/([\w.-]+)/(?:models|data)/([\w.-]+)", said)
    name = registry[2] if registry else said.removeprefix("azureml:").partition("@")[0].partition(":")[0]
    if not name:
        return None
    if registry and kind == "model":
        return identity.asset("model", name, key=f"azureml://registries/{registry[1]}/models/{name}")
    if kind == "model":
        return identity.asset("model", name, key=f"{saying.scope}/azureml:model/{name}")
    return identity.asset("dataset", name, scope=saying.scope, key=f"azureml:data/{name}")
