"""What an MLflow tracking store holds, however it was read, and what it means for the graph.

A run that used data or made a model is a pipeline; a model is known by every name that code may load it by
(``runs:/id/path``, ``models:/name/3``, ``models:/name@alias``, ``models:/m-…``).
Entities: MLflow's REST API reference and ``mlflow.entities`` (2.x and 3.x).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from penstock.discover.data.lineage import places
from penstock.discover.data.lineage.reading import dig, inner_json, mapping, mappings, text
from penstock.discover.data.lineage.saying import Saying
from penstock.discover.data.lineage.words import labels_of_pair
from penstock.discover.git import repository_name
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Evidence

#: Contexts of a run's input that mean measuring, not learning (mlflow.data.context is free text).
_MEASURED_ON = re.compile(r"eval|test|valid|holdout|score|benchmark", re.IGNORECASE)
#: Parameters by which training code and libraries (transformers, peft, trl, axolotl) say what they started from.
BASE_PARAMS = frozenset(
    {"base_model", "base_model_name", "base_model_name_or_path", "model_name_or_path", "_name_or_path",
     "pretrained_model_name_or_path", "pretrained_model", "base_model_id"}
)  # fmt: skip
#: Parameters that name the data of a run, where no dataset was logged.
DATA_PARAMS = frozenset(
    {"dataset", "dataset_name", "dataset_path", "train_file", "training_file", "train_data", "training_data",
     "train_path", "data_path", "data_file"}
)  # fmt: skip
TAGS = frozenset({"mlflow.source.name", "mlflow.log-model.history", "mlflow.source.git.repoURL", "mlflow.runName"})


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset that was logged: ``source`` is JSON whose shape ``source_type`` decides."""

    name: str
    source_type: str = ""
    source: str = ""
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    id: str
    place: str
    name: str = ""
    artifact_uri: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    #: datasets with the context each was logged in
    inputs: tuple[tuple[Dataset, str], ...] = ()
    #: ids of logged models that the run read
    used: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a registered model; ``names`` are its stage and aliases as code spells them after the name."""

    model: str
    version: str
    place: str
    source: str = ""
    run_id: str = ""
    names: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Logged:
    """A logged model of MLflow 3 (``models:/m-…``)."""

    id: str
    place: str
    name: str = ""
    run_id: str = ""
    location: str = ""


@dataclass(slots=True)
class Tracking:
    """A tracking store. ``home`` is the absolute folder that the source was in when the runs ran, if it is known."""

    runs: list[Run] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    logged: list[Logged] = field(default_factory=list)
    home: str = ""


def tell(saying: Saying, store: Tracking) -> None:
    """Say what a tracking store means."""
    telling = _Telling(saying, store)
    for logged in store.logged:
        telling.logged(logged)
    for version in store.versions:
        telling.version(version)
    for run in store.runs:
        telling.run(run)
        if saying.full:
            return
    telling.newest()


class _Telling:
    def __init__(self, saying: Saying, store: Tracking) -> None:
        self.saying, self.home = saying, store.home.rstrip("/")
        #: run id → models it made
        self.made: dict[str, dict[str, Asset]] = {}
        self.latest: dict[str, tuple[int, Asset, Evidence]] = {}
        self.paths = {f"{run.artifact_uri.rstrip('/')}/": run.id for run in store.runs if run.artifact_uri}

    def logged(self, logged: Logged) -> None:
        at = self.saying.at("", f"logged model {logged.name or logged.id}", path=logged.place)
        model = self.saying.asset(places.mlflow_model(f"models:/{logged.id}"), at)
        self.found_at(model, logged.location, at)
        if logged.run_id:
            self.makes(logged.run_id, model)

    def version(self, version: Version) -> None:
        said = f"version {version.version} of the registered model {version.model}"
        at = self.saying.at("", said, path=version.place)
        model = places.mlflow_model(f"models:/{version.model}/{version.version}")
        labels = frozenset(label for key, value in version.tags.items() for label in labels_of_pair(key, value))
        self.saying.asset(Asset(model.id, model.kind, model.name, model.scope, model.props, labels), at)
        source = version.source
        if version.run_id and (path := self.run_path(source, version.run_id)):
            source = f"runs:/{version.run_id}/{path}"
        if source.startswith(("runs:/", "models:/")):
            weights = places.mlflow_model(source)
            self.saying.link(model, "derived_from", weights, at)
            if version.run_id and source.startswith("runs:/"):
                self.makes(version.run_id, weights)
        else:
            self.found_at(model, source, at)
        if version.run_id and not source.startswith(("runs:/", "models:/")):
            self.makes(version.run_id, model)
        for name in version.names:
            self.saying.link(places.mlflow_model(f"models:/{version.model}{name}"), "derived_from", model, at)
        number = int(version.version[:9]) if version.version.isdecimal() else 0
        if number >= self.latest.get(version.model, (0, model, at))[0]:
            self.latest[version.model] = (number, model, at)

    def newest(self) -> None:
        """``models:/name/latest`` is the newest version."""
        for name, (_, model, at) in self.latest.items():
            self.saying.link(places.mlflow_model(f"models:/{name}/latest"), "derived_from", model, at)

    def run(self, run: Run) -> None:
        for entry in mappings(inner_json(run.tags.get("mlflow.log-model.history"))):
            # in MLflow 3 the same model also has an id of its own
            path = text(entry.get("artifact_path"))
            if path and not path.startswith(("models:/", "/")) and "://" not in path:
                self.makes(run.id, places.mlflow_model(f"runs:/{run.id}/{path}"))
        at = self.saying.at("", f"MLflow run {run.name or run.id}", path=run.place)
        said = f"a parameter of MLflow run {run.name or run.id}"
        guessed = self.saying.at("", said, confidence="inferred", path=run.place)
        data = [(thing, bool(_MEASURED_ON.search(context)), at)
                for logged, context in run.inputs if (thing := self.dataset(logged, at)) is not None]  # fmt: skip
        if not data:
            data = [(thing, False, guessed) for key, value in sorted(run.params.items()) if key in DATA_PARAMS
                    and (thing := self.named_data(value)) is not None]  # fmt: skip
        bases = [(model, guessed) for key, value in sorted(run.params.items()) if key in BASE_PARAMS
                 and (model := self.base(value)) is not None]  # fmt: skip
        bases += [(places.mlflow_model(f"models:/{used}"), at) for used in run.used]
        models = list(self.made.get(run.id, {}).values())
        if not data and not models:
            return
        # a run's id is unique in the world: the same run seen in two stores is one
        id_ = identity.issue("pipeline", "", f"mlflow:runs/{run.id}")
        pipeline = Asset(id_, "pipeline", run.name or run.id, props={"role": "training"})
        self.saying.asset(pipeline, at)
        self.scripted(pipeline, run, at)
        for model in models:
            self.saying.link(pipeline, "produces", model, at)
            for base, why in bases:
                self.saying.link(model, "fine_tuned_from", base, why)
        for thing, measured, why in data:
            if not measured:
                self.saying.link(pipeline, "loads", thing, why)
            for model in models:
                self.saying.link(model, "evaluated_on" if measured else "trained_on", thing, why)

    def makes(self, run_id: str, model: Asset) -> None:
        self.made.setdefault(run_id, {})[model.id] = model

    def scripted(self, pipeline: Asset, run: Run, at: Evidence) -> None:
        """Tie a run to the script it ran, so that a reader finds it."""
        name = text(run.tags.get("mlflow.source.name"))
        path = self.inside(name) if name.startswith("/") else name
        if path and not path.startswith(("/", "..", "http")) and path.endswith((".py", ".ipynb", ".r", ".sh")):
            path = posixpath.normpath(path)
            repository = repository_name(text(run.tags.get("mlflow.source.git.repoURL")))
            scope = f"repo:{repository}" if repository else self.saying.scope
            script = identity.asset("pipeline", path, scope=scope, key=path)
            self.saying.link(pipeline, "defined_in", script, at)

    def run_path(self, source: str, run_id: str) -> str:
        """The path of a model inside its run, when its source lies among the run's artefacts."""
        if match := re.search(rf"/{re.escape(run_id)}/artifacts/(.+)\Z", source):
            return match[1].strip("/")
        prefix = next((path for path, id_ in self.paths.items() if id_ == run_id and source.startswith(path)), "")
        return source[len(prefix) :].strip("/") if prefix else ""

    def found_at(self, model: Asset, location: str, at: Evidence) -> None:
        """Say where a model's files lie, if code could load them from there."""
        if not location or location.startswith("mlflow-artifacts:"):
            return
        path = self.inside(places.file_path(location))
        stored = places.model(path or location, self.saying.scope)
        if stored is not None and (path or "://" in location):
            self.saying.link(stored, "derived_from", model, at)

    def dataset(self, logged: Dataset, at: Evidence) -> Asset | None:
        """The dataset that was logged, under the name by which everybody else knows it."""
        source = mapping(inner_json(logged.source))
        found: Asset | None = None
        if logged.source_type == "hugging_face" and (path := text(source.get("path"))):
            files = source.get("data_files")
            if places.is_hub_id(path) and path not in ("csv", "json", "parquet", "text", "arrow"):
                found = identity.asset("dataset", path, key=f"hf://datasets/{path}")
            elif isinstance(files, str):
                found = self.at_place(files)
        elif (name := text(source.get("delta_table_name"))) or (name := text(source.get("table_name"))):
            found = catalogue_table(name)
        else:
            place = next((said for key in ("uri", "url", "path") if (said := text(source.get(key)))), "")
            found = self.at_place(place) if place else None
        if found is None:
            if not logged.name:
                return None
            # known by the name alone: one of this source
            found = identity.asset("dataset", logged.name, scope=self.saying.scope, key=f"mlflow:dataset/{logged.name}")
        self.saying.asset(found, at)
        schema = dig(inner_json(logged.schema), "mlflow_colspec") or dig(inner_json(logged.schema), "mlflow_tensorspec")
        features = dig(schema, "features") if isinstance(schema, dict) else schema
        self.saying.columns(found, [text(column.get("name")) for column in mappings(features)], path=at.where)
        return found

    def at_place(self, place: str) -> Asset | None:
        path = places.file_path(place)
        return places.dataset(self.inside(path) or place, self.saying.scope)

    def inside(self, path: str) -> str:
        """A path of the machine that ran it, as a path of the source; empty when it lies elsewhere."""
        home = f"{self.home}/"
        return path[len(home) :] if self.home and path.startswith(home) else ""

    def named_data(self, value: str) -> Asset | None:
        said = text(value)
        if "/" not in said or len(said) > 300 or " " in said or said[:1] in "[{(":
            return None
        return self.at_place(said) if "://" in said or re.search(r"\.\w{2,8}\Z", said) else None

    def base(self, value: str) -> Asset | None:
        said = text(value)
        if re.fullmatch(r"[A-Za-z0-9][\w.-]+/[A-Za-z0-9][\w.-]+", said):
            return places.model(said, self.saying.scope, hub="huggingface")
        return None


def catalogue_table(name: str) -> Asset:
    """A table of a lakehouse's catalogue (``catalog.schema.table``): MLflow names no host for it."""
    parts = [part.strip("`") for part in name.split(".")]
    key = f"unity://{'/'.join(parts)}"
    return identity.asset("dataset", name.replace("`", ""), key=key)


def home_of(uri: str, inside: str) -> str:
    """The absolute folder a source was in, from the address of a folder whose path inside the source is known."""
    path = unquote(places.file_path(uri)).rstrip("/")
    tail = f"/{inside.strip('/')}"
    return path[: -len(tail)] if path.endswith(tail) else ""


def pairs(listing: Any) -> dict[str, str]:
    """The ``[{key, value}]`` lists of MLflow as a mapping."""
    return {text(pair.get("key")): value for pair in mappings(listing) if isinstance(value := pair.get("value"), str)}


def dataset_of(about: Any) -> Dataset:
    """A dataset as files, REST and tables name its fields."""
    said = mapping(about)
    source, schema = said.get("source"), said.get("schema")
    return Dataset(
        text(said.get("name")),
        text(said.get("source_type")),
        source if isinstance(source, str) else "",
        schema if isinstance(schema, str) else "",
    )
