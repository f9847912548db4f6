"""Training jobs as clouds take them: SageMaker, Bedrock and Vertex AI, wherever a JSON or YAML document holds one.

A job description may be the whole file (a request, the answer of ``describe-training-job``), a step of a pipeline, or
the parameters of a state machine, so every mapping of a document is looked at.
Formats: SageMaker CreateTrainingJob / DescribeTrainingJob / CreateProcessingJob, Bedrock CreateModelCustomizationJob,
Vertex AI TuningJob and TrainingPipeline (REST v1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from penstock.discover.collector import File, Yielded, collector
from penstock.discover.data.lineage import places
from penstock.discover.data.lineage.reading import dig, json_of, mapping, mappings, pointer, text, texts
from penstock.discover.data.lineage.saying import Saying
from penstock.discover.infra.marked import Map
from penstock.discover.infra.yaml_docs import documents, is_template
from penstock.errors import NotUnderstood
from penstock.graph import identity
from penstock.graph.vocabulary import Asset, Unseen

NAME = "lineage.jobs"
#: Mappings of one document that are looked at.
_MOST = 200_000
_TUNING_SPECS = ("supervisedTuningSpec", "preferenceOptimizationSpec", "distillationSpec")
_MAYBE = re.compile(
    rb"S3Uri|trainingDataConfig|customModelName|trainingDatasetUri|training_dataset_uri|modelToUpload|gcsSource", re.I
)


@collector(
    NAME,
    reads=["*.json", "*.yaml", "*.yml"],
    sees="training, processing and tuning jobs of SageMaker, Bedrock and Vertex AI: what they read and made",
    unseen="addresses that an expression fills in; jobs that code starts (read there)",
)
def jobs(file: File) -> Iterator[Yielded]:
    """Every job in a document."""
    if not _MAYBE.search(file.data):
        return
    try:
        found = (
            [json_of(file.data)] if file.path.casefold().endswith(".json") else list(documents(file.text, tagged=True))
        )
    except NotUnderstood as error:
        if is_template(file.text):
            return  # what fills it in reads it
        yield Unseen(file.path, "training jobs in it", error.message, collector=NAME, scope=file.scope)
        return
    saying = Saying(NAME, file.scope, file.path)
    for at, body in _mappings(found):
        for reader in _READERS:
            reader(saying, body, at)
    yield from saying


def _mappings(found: list[Any]) -> Iterator[tuple[str | int, Mapping[str, Any]]]:
    """Every mapping with its line or pointer; texts that hold JSON (pipeline definitions) are opened."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), item) for item in reversed(found)]
    seen = 0
    while waiting and seen < _MOST:
        path, value = waiting.pop()
        seen += 1
        if isinstance(value, dict):
            yield value.line if isinstance(value, Map) else pointer(*path), value
            waiting += [((*path, str(key)), inner) for key, inner in reversed(value.items()) if _worth(inner)]
        elif isinstance(value, list):
            waiting += [((*path, number), inner) for number, inner in reversed(list(enumerate(value))) if _worth(inner)]
        elif isinstance(value, str) and len(path) < 32:
            try:
                waiting.append(((*path, "json"), json_of(value)))
            except NotUnderstood:
                continue


def _worth(value: Any) -> bool:
    return isinstance(value, dict | list) or (
        isinstance(value, str) and value[:1] in "{[" and _MAYBE.search(value.encode("utf-8", "replace")) is not None
    )


class _Job:
    """A job as a pipeline with what it reads and makes."""

    def __init__(self, saying: Saying, name: str, at: str | int, role: str, kind: str) -> None:
        self.saying, self.place = saying, at
        self.why = f"{kind} {name}"
        key = f"job:{name}" if name else f"{saying.path}:{at}"
        shown = name or saying.path.rpartition("/")[2]
        self.pipeline = identity.asset("pipeline", shown, scope=saying.scope, key=key, props={"role": role})
        self.read: list[tuple[Asset, bool]] = []
        self.bases: list[Asset] = []
        self.made: list[Asset] = []
        self.written: list[Asset] = []

    def reads(self, address: Any, *, measured: bool = False) -> None:
        if (data := _data(text(address), self.saying.scope)) is not None:
            self.read.append((data, measured))

    def tell(self) -> None:
        if not (self.read or self.bases or self.written) or not (self.read or self.made or self.written):
            return
        saying, at = self.saying, self.saying.at(self.place, self.why)
        saying.asset(self.pipeline, at)
        for data, measured in self.read:
            if not measured:
                saying.link(self.pipeline, "loads", data, at)
            for model in self.made:
                saying.link(model, "evaluated_on" if measured else "trained_on", data, at)
        for base in self.bases:
            saying.link(self.pipeline, "consumes", base, at)
            for model in self.made:
                saying.link(model, "fine_tuned_from", base, at)
        for model in self.made:
            saying.link(self.pipeline, "produces", model, at)
        for data in self.written:
            saying.link(self.pipeline, "writes", data, at)


def _sagemaker(saying: Saying, body: Mapping[str, Any], at: str | int) -> None:
    """A training job: channels in, ``model.tar.gz`` out."""
    channels, output = mappings(body.get("InputDataConfig")), mapping(body.get("OutputDataConfig"))
    training = "AlgorithmSpecification" in body or "TrainingJobName" in body or "ModelArtifacts" in body
    if not (channels or output) or not training:
        return
    name = text(body.get("TrainingJobName"))
    job = _Job(saying, name if "$" not in name else "", at, "training", "SageMaker training job")
    for channel in channels:
        source = mapping(channel.get("DataSource"))
        label = text(channel.get("ChannelName"))
        address = dig(source, "S3DataSource", "S3Uri")
        measured = bool(re.search(r"valid|test|eval", label, re.IGNORECASE))
        if label.casefold() in ("model", "pretrained", "pretrained_model") and (base := _weights(address, saying)):
            job.bases.append(base)
        else:
            job.reads(address, measured=measured)
        if path := text(dig(source, "FileSystemDataSource", "DirectoryPath")):
            system = text(dig(source, "FileSystemDataSource", "FileSystemId"))
            job.reads(f"efs://{system}{path}" if system else "", measured=measured)
    hub = text(dig(body, "HyperParameters", "model_name_or_path")) or text(dig(body, "HyperParameters", "model_id"))
    if hub and (base := places.model(hub.strip('"'), saying.scope, hub="huggingface")):
        job.bases.append(base)
    if artefact := _weights(dig(body, "ModelArtifacts", "S3ModelArtifacts"), saying):
        job.made.append(artefact)
    elif folder := text(output.get("S3OutputPath")).rstrip("/"):
        # SageMaker writes to <output path>/<job name>/output/model.tar.gz
        place = f"{folder}/{name}/output/model.tar.gz" if name else f"{folder}/model.tar.gz"
        if model := _weights(place, saying):
            job.made.append(model)
    job.tell()


def _sagemaker_processing(saying: Saying, body: Mapping[str, Any], at: str | int) -> None:
    inputs, outputs = mappings(body.get("ProcessingInputs")), mappings(dig(body, "ProcessingOutputConfig", "Outputs"))
    if not inputs or not outputs:
        return
    name = text(body.get("ProcessingJobName"))
    job = _Job(saying, name if "$" not in name else "", at, "processing", "SageMaker processing job")
    for given in inputs:
        address = text(dig(given, "S3Input", "S3Uri"))
        if not address.endswith((".py", ".sh", ".tar.gz")):
            job.reads(address)
    for given in outputs:
        if (data := _data(text(dig(given, "S3Output", "S3Uri")), saying.scope)) is not None:
            job.written.append(data)
    job.tell()


def _bedrock(saying: Saying, body: Mapping[str, Any], at: str | int) -> None:
    """A customisation job: a base model, examples, a custom model."""
    base, name = text(body.get("baseModelIdentifier")), text(body.get("customModelName"))
    data = mapping(body.get("trainingDataConfig"))
    if not base or not (name or data):
        return
    job = _Job(saying, text(body.get("jobName")) or name, at, "fine-tuning", "Bedrock customisation job")
    job.reads(data.get("s3Uri"))
    for validator in mappings(dig(body, "validationDataConfig", "validators")):
        job.reads(validator.get("s3Uri"), measured=True)
    job.bases.append(_hosted(base.rpartition("/")[2], "aws-bedrock"))
    made = text(body.get("outputModelName")) or name
    if made:
        job.made.append(identity.asset("model", made, props={"provider": "aws-bedrock", "role": "fine-tuned"}))
    job.tell()


def _vertex_tuning(saying: Saying, body: Mapping[str, Any], at: str | int) -> None:
    spec = next((mapping(body[key]) for key in _TUNING_SPECS if isinstance(body.get(key), dict)), None)
    base = text(body.get("baseModel"))
    if spec is None or not base:
        return
    name = text(body.get("tunedModelDisplayName"))
    job = _Job(saying, name, at, "fine-tuning", "Vertex AI tuning job")
    job.reads(spec.get("trainingDatasetUri"))
    job.reads(spec.get("validationDatasetUri"), measured=True)
    job.bases.append(_hosted(base.rpartition("/")[2], "google-vertex-ai"))
    if teacher := text(spec.get("baseTeacherModel")):
        job.bases.append(_hosted(teacher.rpartition("/")[2], "google-vertex-ai"))
    if name:
        made = text(dig(body, "tunedModel", "model"))
        job.made.append(
            identity.asset("model", name, scope=saying.scope, key=made or f"{saying.scope}/vertex:{name}",
                           props={"role": "fine-tuned"})
        )  # fmt: skip
    job.tell()


def _vertex_training(saying: Saying, body: Mapping[str, Any], at: str | int) -> None:
    """A training pipeline or a custom job with its data, and the model it uploads."""
    if not ("trainingTaskDefinition" in body or "trainingTaskInputs" in body or "modelToUpload" in body):
        return
    job = _Job(saying, text(body.get("displayName")), at, "training", "Vertex AI training pipeline")
    data = mapping(body.get("inputDataConfig"))
    for address in texts(dig(data, "gcsSource", "uris")) + texts(dig(data, "bigquerySource", "inputUri")):
        job.reads(address)
    if dataset := text(data.get("datasetId")):
        stored = identity.asset("dataset", dataset, scope=saying.scope, key=f"vertex:dataset/{dataset}")
        job.read.append((stored, False))
    upload = mapping(body.get("modelToUpload"))
    if (model := _weights(upload.get("artifactUri"), saying)) is not None:
        job.made.append(model)
    elif name := text(upload.get("displayName")):
        job.made.append(identity.asset("model", name, key=f"{saying.scope}/vertex:{name}"))
    job.tell()


_READERS: tuple[Callable[[Saying, Mapping[str, Any], str | int], None], ...] = (
    _sagemaker, _sagemaker_processing, _bedrock, _vertex_tuning, _vertex_training,
)  # fmt: skip


def _data(address: str, scope: str) -> Asset | None:
    """Data at an address of an object store or warehouse; a bare word is no address."""
    if address.startswith("bq://"):
        parts = address[5:].split(".")
        return places.table("bigquery", "", *parts) if len(parts) == 3 else None
    return places.dataset(address, scope) if re.match(r"[a-z][a-z0-9]{1,8}://.", address) else None


def _weights(address: Any, saying: Saying) -> Asset | None:
    said = text(address)
    return places.model(said, saying.scope) if re.match(r"[a-z][a-z0-9]{1,8}://.", said) else None


def _hosted(name: str, provider: str) -> Asset:
    return identity.asset("model", name, props={"provider": provider})
