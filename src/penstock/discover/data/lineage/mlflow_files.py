"""MLflow's file store: runs, inputs, logged models and the registry under ``mlruns/``, and ``MLmodel`` files anywhere.

Format: what MLflow 1.x-3.x writes with a ``file:`` tracking address (checked against 3.17); a store is spread over one
small file for each run, parameter, tag, input and version, so each gives a fact and a joiner puts them together.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.discover.data.lineage import places
from penstock.discover.data.lineage.mlflow_tracking import (
    BASE_PARAMS,
    DATA_PARAMS,
    TAGS,
    Dataset,
    Logged,
    Run,
    Tracking,
    Version,
    dataset_of,
    home_of,
    tell,
)
from penstock.discover.data.lineage.reading import dig, entries, mapping, text
from penstock.discover.data.lineage.saying import Saying
from penstock.discover.infra.marked import Map
from penstock.discover.infra.yaml_docs import read_documents
from penstock.graph.vocabulary import Unseen

NAME = "lineage.mlflow"
FACT = "lineage.mlflow"
_RUN = "**/" + "?" * 32
_ID = re.compile(r"[0-9a-f]{32}\Z")
#: Files of a run or version that hold one value; longer ones are no names.
_MOST_VALUE = 64_000
#: Fields of the small files that mean something here.
_FIELDS = ("run_id", "run_uuid", "run_name", "artifact_uri", "artifact_location", "name", "digest", "source",
           "source_type", "source_id", "destination_type", "destination_id", "schema", "version", "current_stage",
           "model_id", "source_run_id", "lifecycle_stage", "experiment_id")  # fmt: skip


@collector(
    f"{NAME}.values",
    reads=[*(f"{_RUN}/params/{name}" for name in sorted(BASE_PARAMS | DATA_PARAMS)),
           *(f"{_RUN}/tags/{name}" for name in sorted(TAGS))],
    sees="parameters and tags of MLflow runs that name data, a base model or the script",
    unseen="other parameters and tags",
)  # fmt: skip
def values(file: File) -> Iterator[Yielded]:
    """A fact for a parameter or a tag of a run."""
    run, sort, name = file.path.rsplit("/", 2)
    if _ID.search(run) and len(file.data) <= _MOST_VALUE:
        yield Fact(FACT, file.path, {"sort": sort, "run": run, "name": name, "value": file.text.strip()})


@collector(
    f"{NAME}.meta",
    reads="meta.yaml",
    sees="runs, inputs, datasets, logged models, registered models and versions of an MLflow file store",
    unseen="stores on a tracking server, unless an operator names it",
)
def meta(file: File) -> Iterator[Yielded]:
    """A fact for a small file of a file store."""
    if not re.search(rb"^(?:run_id|run_uuid|artifact_location|source_id|digest|current_stage|last_updated_timestamp):",
                     file.data, re.MULTILINE):  # fmt: skip
        return
    for document in read_documents(file, f"{NAME}.meta"):
        if isinstance(document, Unseen):
            yield document
        elif isinstance(document, Map):
            kept: dict[str, Any] = {}
            for key in _FIELDS:
                value = document.get(key)
                if isinstance(value, str | int) and not isinstance(value, bool):
                    kept[key] = str(value)[:_MOST_VALUE]
            for key in ("tags", "aliases"):
                kept[key] = {text(name): text(value) for name, value in entries(document.get(key))[:100]}
            yield Fact(FACT, file.path, {"sort": "meta", **kept})
            return


@joiner(NAME, sees="which data each MLflow run read, which models it made, and their registered versions")
def mlflow(source: Source) -> Iterator[Yielded]:
    """The tracking stores of a source, put together."""
    facts = source.facts.get(FACT, ())
    if facts:
        saying = Saying(NAME, source.scope, min(fact.path for fact in facts), "resolved")
        tell(saying, _store(facts))
        yield from saying


def _store(facts: Sequence[Fact]) -> Tracking:
    store = Tracking()
    folders = {posixpath.dirname(fact.path): mapping(fact.value) for fact in facts if fact.value["sort"] == "meta"}
    params: dict[str, dict[str, str]] = defaultdict(dict)
    tags: dict[str, dict[str, str]] = defaultdict(dict)
    for fact in facts:
        if fact.value["sort"] in ("params", "tags"):
            into = params if fact.value["sort"] == "params" else tags
            into[fact.value["run"]][fact.value["name"]] = fact.value["value"]
    inputs: dict[str, list[tuple[Dataset, str]]] = defaultdict(list)
    used: dict[str, list[str]] = defaultdict(list)
    made_by: dict[str, str] = {}
    aliases: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for folder, said in sorted(folders.items()):
        run, _, kind = posixpath.dirname(folder).rpartition("/")
        if kind == "inputs" and said.get("source_type") == "DATASET":
            logged = folders.get(f"{posixpath.dirname(run)}/datasets/{said.get('source_id')}")
            if logged is not None:
                inputs[run].append((dataset_of(logged), text(dig(said, "tags", "mlflow.data.context"))))
        elif kind == "inputs" and said.get("source_id", "").startswith("m-"):
            used[run].append(said["source_id"])
        elif kind == "outputs" and said.get("destination_type") == "MODEL_OUTPUT":
            made_by[said.get("destination_id", "")] = posixpath.basename(run)
        for alias, version in entries(said.get("aliases")):
            aliases[folder].append((alias, version))
    for folder, said in sorted(folders.items()):
        place = f"{folder}/meta.yaml"
        id_ = said.get("run_id") or said.get("run_uuid") or ""
        if said.get("lifecycle_stage") == "deleted" or "/.trash/" in f"/{folder}":
            continue
        if said.get("artifact_uri") and _ID.search(id_):
            store.home = store.home or home_of(said["artifact_uri"], f"{folder}/artifacts")
            store.runs.append(
                Run(id_, place, said.get("run_name", ""), said["artifact_uri"], params[folder], tags[folder],
                    tuple(inputs[folder]), tuple(used[folder]))
            )  # fmt: skip
        elif said.get("model_id") and said.get("artifact_location"):
            run_id = said.get("source_run_id") or made_by.get(said["model_id"], "")
            store.logged.append(
                Logged(said["model_id"], place, said.get("name", ""), run_id, said["artifact_location"])
            )
        elif said.get("version") and said.get("name") and "source" in said:
            store.versions.append(_version(said, place, aliases[posixpath.dirname(folder)], id_))
    return store


def _version(said: Mapping[str, Any], place: str, aliases: list[tuple[str, str]], run_id: str) -> Version:
    version = text(said["version"])
    names = [f"@{alias}" for alias, of in aliases if of == version]
    if (stage := text(said.get("current_stage"))) not in ("", "None", "Archived"):
        names.append(f"/{stage}")
    return Version(text(said["name"]), version, place, text(said.get("source")), run_id, tuple(names), said["tags"])


@collector(
    f"{NAME}.mlmodel",
    reads="MLmodel",
    sees="models that MLflow saved: the run and logged model they are, and the hub model they were loaded from",
    unseen="what the pickled parts of a model hold",
)
def mlmodel(file: File) -> Iterator[Yielded]:
    """The folder of an ``MLmodel`` file is a model."""
    for document in read_documents(file, f"{NAME}.mlmodel"):
        if isinstance(document, Unseen):
            yield document
            continue
        said = mapping(document)
        flavors = mapping(said.get("flavors"))
        if not flavors or not ({"run_id", "mlflow_version", "model_uuid", "utc_time_created"} & said.keys()):
            return
        saying = Saying(f"{NAME}.mlmodel", file.scope, file.path, "resolved")
        at = saying.at("", "saved by MLflow")
        here = places.model(f"./{posixpath.dirname(file.path) or '.'}", file.scope)
        if here is None:
            return
        saying.asset(here, at)
        run_id, path, id_ = text(said.get("run_id")), text(said.get("artifact_path")), text(said.get("model_id"))
        if run_id and path and "://" not in path and not path.startswith(("/", "file:")):
            saying.link(here, "derived_from", places.mlflow_model(f"runs:/{run_id}/{path}"), at)
        if id_:
            saying.link(here, "derived_from", places.mlflow_model(f"models:/{id_}"), at)
        for key in ("source_model_name", "peft_base_model", "base_model"):
            for flavor in flavors.values():
                if base := places.hub_model(text(mapping(flavor).get(key))):
                    saying.link(here, "derived_from", base, saying.at("", f"its flavour names {key}"))
        yield from saying
        return
