"""Settings that lie beside weights: ``adapter_config.json`` (PEFT), ``config.json`` (transformers), merge recipes.

Formats: PEFT's ``PeftConfig``, transformers' ``PretrainedConfig``, mergekit's YAML (models, slices, base_model).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.lineage import places
from penstock.discover.data.lineage.cards import here
from penstock.discover.data.lineage.reading import json_of, mapping, mappings, text, texts
from penstock.discover.data.lineage.saying import Saying
from penstock.discover.infra.marked import Map, line_of
from penstock.discover.infra.yaml_docs import read_documents
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Unseen

NAME = "lineage.weights"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\Z")


@collector(
    f"{NAME}.adapter",
    reads="adapter_config.json",
    sees="the base model of an adapter",
    unseen="the data an adapter was trained on",
)
def adapter(file: File) -> Iterator[Yielded]:
    """An adapter holds what its base holds."""
    document = _settings(file)
    if isinstance(document, Unseen):
        yield document
        return
    said = mapping(document)
    name = text(said.get("base_model_name_or_path"))
    if not name or not ({"peft_type", "r", "lora_alpha", "task_type", "auto_mapping"} & said.keys()):
        return
    saying = Saying(f"{NAME}.adapter", file.scope, file.path)
    if (base := _base(name, file)) is not None:
        at = saying.at(
            _line(file, b'"base_model_name_or_path"'), f"{text(said.get('peft_type')) or 'adapter'} over {name}"
        )
        saying.link(_with_role(here(file.path, file.scope), "adapter"), "derived_from", base, at)
    yield from saying


@collector(
    f"{NAME}.config",
    reads="config.json",
    sees="the model that the weights beside a transformers configuration were loaded from",
    unseen="weights whose configuration names no origin",
)
def config(file: File) -> Iterator[Yielded]:
    """A configuration keeps the name of what it was loaded from when training began."""
    if b'"_name_or_path"' not in file.data:
        return
    document = _settings(file)
    if isinstance(document, Unseen):
        yield document
        return
    said = mapping(document)
    name = text(said.get("_name_or_path"))
    if not _HUB_NAME.match(name) or not (text(said.get("model_type")) or texts(said.get("architectures"))):
        return  # a path names the folder of whoever saved it
    saying = Saying(f"{NAME}.config", file.scope, file.path, "inferred")
    base = places.hub_model(name)
    if base is not None:
        quantised = text(mapping(said.get("quantization_config")).get("quant_method"))
        why = f"_name_or_path: {name}" + (f", quantised by {quantised}" if quantised else "")
        at = saying.at(_line(file, b'"_name_or_path"'), why)
        saying.link(here(file.path, file.scope), "derived_from", base, at)
    yield from saying


@collector(
    f"{NAME}.merge",
    reads=["*merge*.yaml", "*merge*.yml"],
    sees="the models that a mergekit recipe merges",
    unseen="recipes under other names",
)
def merge(file: File) -> Iterator[Yielded]:
    """A recipe consumes its parents; beside weights it also says what these were made from."""
    if b"merge_method" not in file.data:
        return
    saying = Saying(f"{NAME}.merge", file.scope, file.path)
    for document in read_documents(file, f"{NAME}.merge"):
        if isinstance(document, Unseen):
            yield document
        elif isinstance(document, Map) and text(document.get("merge_method")):
            _recipe(saying, file, document)
    yield from saying


def _recipe(saying: Saying, file: File, recipe: Map) -> None:
    method = text(recipe.get("merge_method"))
    parents: dict[str, tuple[Asset, int]] = {}

    def add(given: Any, line: int) -> None:
        reference = mapping(given)
        # a model may be written with an adapter: "base+lora" or {model: {path}, lora: {path}}
        named = text(given).split("+") if not reference else [
            text(mapping(reference.get(part)).get("path")) or text(reference.get(part))
            for part in ("path", "model", "lora")
        ]  # fmt: skip
        for name in named:
            if name and (parent := _base(name, file)) is not None:
                parents.setdefault(parent.id, (parent, line))

    add(recipe.get("base_model"), line_of(recipe, "base_model"))
    groups = [recipe, *mappings(recipe.get("slices")), *mappings(recipe.get("modules"))]
    for group in groups:
        for key in ("models", "sources"):
            for entry in mappings(group.get(key)):
                add(entry.get("model"), line_of(entry, "model"))
    if not parents:
        return
    pipeline = identity.asset("pipeline", file.path, scope=file.scope, key=file.path, props={"role": "merge"})
    beside = posixpath.basename(file.path).startswith("mergekit_config")
    for parent, line in parents.values():
        at = saying.at(line, f"merged by {method}")
        saying.link(pipeline, "consumes", parent, at)
        if beside:
            model = here(file.path, file.scope)
            saying.link(pipeline, "produces", model, at)
            saying.link(model, "derived_from", parent, at)


def _settings(file: File) -> Any | Unseen:
    try:
        return json_of(file.data)
    except NotUnderstood as error:
        return Unseen(file.path, "the settings of the weights", error.message, collector=NAME, scope=file.scope)


def _base(name: str, file: File) -> Asset | None:
    """A model of the hub, or of a folder of the source when it is written as one."""
    if name.startswith((".", "/", "~")) or "://" in name:
        return places.model(name, file.scope, folder=posixpath.dirname(file.path))
    return places.hub_model(name)


def _with_role(model: Asset, role: str) -> Asset:
    return Asset(model.id, model.kind, model.name, model.scope, {**model.props, "role": role})


def _line(file: File, word: bytes) -> int:
    return file.data.count(b"\n", 0, max(file.data.find(word), 0)) + 1
