"""Model, dataset and Space cards of the Hugging Face hub: the YAML that heads a ``README.md``.

Format: huggingface.co/docs/hub, "Model Cards" (base_model, base_model_relation, datasets, model-index), "Dataset
Cards" and "Spaces configuration". A card names few sources and no hash: what it does not name stays unknown.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from penstock.discover.collector import File, Source, Yielded, collector, joiner
from penstock.discover.data.lineage import places
from penstock.discover.data.lineage.reading import mapping, mappings, text, texts
from penstock.discover.data.lineage.saying import Saying
from penstock.discover.data.lineage.words import labels_of_tag
from penstock.discover.infra.marked import Map, line_of
from penstock.discover.infra.yaml_docs import documents
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Unseen

NAME = "lineage.cards"
#: The largest cards list some thousand languages and configurations.
_LONGEST_HEAD = 400_000
_HEAD = re.compile(r"\A\ufeff?\s*---[ \t]*\r?\n(?P<yaml>.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
#: Fields that only the front matter of a model, a dataset or a Space has.
_MODEL = frozenset({"base_model", "base_model_relation", "pipeline_tag", "library_name", "model-index", "model_name"})
_DATASET = frozenset(
    {"task_categories", "size_categories", "dataset_info", "annotations_creators", "source_datasets", "task_ids"}
)
_SPACE = frozenset({"sdk", "app_file", "sdk_version"})
_RELATIONS = {"finetune": "fine_tuned_from", "adapter": "derived_from", "merge": "derived_from",
              "quantized": "derived_from"}  # fmt: skip


@collector(
    NAME,
    reads=["README.md", "*model_card*.md", "*model-card*.md", "*modelcard*.md", "*dataset_card*.md"],
    sees="what a card says its model was made from, trained and evaluated on; what a dataset was made from",
    unseen="training data that a card names only in prose, or not at all",
)
def cards(file: File) -> Iterator[Yielded]:
    """What the front matter of a card says."""
    head = _HEAD.match(file.text[:_LONGEST_HEAD])
    if head is None:
        return
    try:
        # blank lines in front keep the lines of the file
        document = next(documents("\n" * file.text[: head.start("yaml")].count("\n") + head["yaml"]), None)
    except NotUnderstood as error:
        if re.search(rf"^(?:{'|'.join(_MODEL | _DATASET)})\s*:", head["yaml"], re.MULTILINE):
            yield Unseen(file.path, "the card's front matter", error.message, collector=NAME, scope=file.scope)
        return
    if not isinstance(document, Map):
        return
    saying = Saying(NAME, file.scope, file.path)
    if _MODEL & document.keys() and not _SPACE & document.keys():
        _model(saying, document)
    elif _DATASET & document.keys():
        _dataset(saying, document)
    elif len(_SPACE & document.keys()) > 1:
        _space(saying, document)
    yield from saying


@joiner(
    "lineage.hub-repository",
    sees="that a source cloned from the Hugging Face hub is that model or dataset of the hub",
)
def hub_repository(source: Source) -> Iterator[Yielded]:
    """What other sources load from the hub by name is what lies at the top of its repository."""
    remote = re.sub(r"^git@(hf\.co|huggingface\.co):", r"https://\1/", text(source.about.get("remote"))).removesuffix(
        ".git"
    )
    if not re.match(r"https?://(?:huggingface\.co|hf\.co)/", remote):
        return
    saying = Saying("lineage.hub-repository", source.scope, "README.md", "resolved")
    at = saying.at("", f"cloned from {remote}")
    if name := places.hub_dataset(remote):
        there = identity.asset("dataset", name, key=f"hf://datasets/{name}")
        saying.same(there, identity.file_dataset(".", source.scope), at)
    elif (model := places.model(remote, source.scope)) is not None:
        saying.same(model, here("README.md", source.scope), at)
    yield from saying


def here(path: str, scope: str) -> Asset:
    """The model whose files lie beside a file; at the top of a source it goes by the source's name."""
    folder = posixpath.dirname(path)
    found = identity.local_model(folder or ".", scope)
    if folder:
        return found
    return Asset(found.id, found.kind, scope.rpartition(":")[2], found.scope, found.props)


def _model(saying: Saying, card: Map) -> None:
    model = here(saying.path, saying.scope)
    saying.asset(
        model, saying.at(1, "its card", *([f"task {task}"] if (task := text(card.get("pipeline_tag"))) else []))
    )
    bases = texts(card.get("base_model"))
    relation = text(card.get("base_model_relation")).casefold()
    verb = _RELATIONS.get(relation, "derived_from" if len(bases) > 1 else "fine_tuned_from")
    if not relation and text(card.get("library_name")) == "peft":
        verb = "derived_from"
    for name in bases:
        base = places.model(name, saying.scope, folder=posixpath.dirname(saying.path), hub="huggingface")
        if base is not None:
            said = f"base_model: {name}" + (f" ({relation})" if relation else "")
            saying.link(model, verb, base, saying.at(line_of(card, "base_model"), said))
    for name in texts(card.get("datasets")):
        if (data := _hub_data(name)) is not None:
            saying.link(model, "trained_on", data, saying.at(line_of(card, "datasets"), f"datasets: {name}"))
    for entry in mappings(card.get("model-index")):
        for result in mappings(entry.get("results")):
            about = mapping(result.get("dataset"))
            data = _hub_data(text(about.get("type"))) if "type" in about else None
            if data is not None:
                at = saying.at(line_of(about, "type"), f"evaluated on {text(about.get('name')) or data.name}")
                saying.link(model, "evaluated_on", data, at)


def _dataset(saying: Saying, card: Map) -> None:
    folder = posixpath.dirname(saying.path)
    data = identity.file_dataset(folder or ".", saying.scope)
    if not folder:
        data = Asset(data.id, data.kind, saying.scope.rpartition(":")[2], data.scope)
    labels = frozenset(label for tag in texts(card.get("tags")) for label in labels_of_tag(tag))
    saying.asset(Asset(data.id, data.kind, data.name, data.scope, {}, labels), saying.at(1, "its card"))
    for name in texts(card.get("source_datasets")):
        # "original" and "extended" are words of the card; "extended|squad" names a source
        origin = _hub_data(name.rpartition("|")[2]) if name.rpartition("|")[2] not in ("original", "extended") else None
        if origin is not None:
            saying.link(data, "derived_from", origin, saying.at(line_of(card, "source_datasets"), name))
    for config in mappings(card.get("configs")):
        for split in _files(config.get("data_files")):
            if part := places.dataset(split, saying.scope, folder=folder):
                saying.link(data, "ingests", part, saying.at(line_of(config, "data_files"), f"data_files: {split}"))
    features = [
        text(feature.get("name"))
        for info in mappings(card.get("dataset_info"))
        for feature in mappings(info.get("features"))
    ]
    saying.columns(data, features, line_of(card, "dataset_info"))


def _space(saying: Saying, card: Map) -> None:
    """A Space names the models and data that its application uses."""
    application = identity.application(saying.scope)
    for name in texts(card.get("models")):
        if (model := places.hub_model(name)) is not None:
            saying.link(application, "uses_model", model, saying.at(line_of(card, "models"), f"models: {name}"))
    for name in texts(card.get("datasets")):
        if (data := _hub_data(name)) is not None:
            saying.link(application, "reads", data, saying.at(line_of(card, "datasets"), f"datasets: {name}"))


def _files(given: Any) -> list[str]:
    """The files of a configuration: one, a list, or a list of splits with paths; patterns stand for their folder."""
    found = texts(given) if not isinstance(given, dict) else []
    for split in mappings(given):
        found += texts(split.get("path"))
    return list(dict.fromkeys(posixpath.dirname(path) if "*" in path else path for path in found if path))


def _hub_data(name: str) -> Asset | None:
    said = places.hub_dataset(text(name)) or text(name)
    if not places.is_hub_id(said):
        return None
    return identity.asset("dataset", said, key=f"hf://datasets/{said}")
