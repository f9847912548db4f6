"""Weights in a source: their format, and what loading them would do. Nothing is loaded.

The verdict is told in the words that rules read: ``remote_code`` where code comes with the weights or may, ``dangers:
poisoned`` where it is known to harm. The reasons stand in the chain of the evidence. Where weights come from is told
by the collectors of lineage.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from penstock.discover.collector import Fact, File, Source, Yielded, collector, joiner
from penstock.discover.data.lineage.cards import here
from penstock.discover.data.whole import LargeFile
from penstock.graph.identity import asset, local_model, relation
from penstock.graph.vocabulary import Observation, Unseen
from penstock.inspect.models.scan import scan_bytes, scan_file
from penstock.inspect.models.source import Limits
from penstock.inspect.models.verdict import Report, Verdict

_READS = (
    "*.pkl", "*.pickle", "*.joblib", "*.dill", "*.sav", "*.pt", "*.pth", "*.ckpt", "*.bin", "*.safetensors", "*.gguf",
    "*.ggml", "*.onnx", "*.h5", "*.hdf5", "*.keras", "*.npy", "*.npz", "*.tflite", "*.pb", "*.mlmodel", "*.msgpack",
    "*.skops", "*.mar", "*.nemo", "*.pt2", "*.ptl", "*.pdparams", "*.pdmodel", "*.cbm", "*.ubj", "*.rds", "*.pmml",
    "*.llamafile", "*.engine",
)  # fmt: skip
#: Endings that other things have too: a model only where its content says so.
_SHARED = (".bin", ".pb", ".npy", ".npz", ".h5", ".hdf5", ".rds", ".engine", ".sav", ".dill", ".msgpack")
_MODEL = re.compile(rb'"(?:model_type|architectures|_diffusers_version|peft_type)"')
#: Formats by which the graph knows weights.
_FORMATS = {"safetensors": "safetensors", "gguf": "gguf", "onnx": "onnx", "pickle": "pickle"}
#: Seconds of CPU for one file, within what a collector may take.
_LIMITS = Limits(seconds=3.0)
#: Reasons told of one file.
_TOLD = 8


#: Files that make the weights beside them one model, whatever it is split into.
_TELLING = ("config.json", "adapter_config.json", "model_index.json", "*.safetensors.index.json", "*.bin.index.json")
#: Facts for the joiner: one file of weights, and one folder of a model.
_WEIGHTS, _FOLDER = "artifacts.weights", "artifacts.folder"
#: What a file says of its model, as the graph's properties.
_FACTS = {
    "architecture": "architecture", "dtype": "dtype", "quantisation": "quantisation", "licence": "licence",
    "parameters": "parameters",
}  # fmt: skip


@collector(
    "artifacts.files",
    reads=_READS,
    sees="model files: their format, what they say of the model, and what loading them would do",
    unseen="what the origin of weights is",
    version=2,
)
def model_files(file: File) -> Iterator[Yielded]:
    """The model in a file, with the reasons for its verdict as evidence."""
    if isinstance(file, LargeFile):
        report = scan_file(file.place, limits=_LIMITS, name=file.path)
    else:
        report = scan_bytes(file.data, file.path, limits=_LIMITS)
    if not _is_model(file.path, report):
        return
    told = [reason for reason in report.ranked() if reason.verdict >= Verdict.REVIEW][:_TOLD]
    chain = [f"{reason.verdict.word}: {reason.what} ({reason.place})" for reason in told]
    props = _props(report)
    if not isinstance(file, LargeFile):
        props["sha256"] = hashlib.sha256(file.data).hexdigest()
    yield Fact(_WEIGHTS, file.path, {"props": props, "chain": chain})
    for reason in report.reasons:
        if reason.rule.startswith("secret."):
            yield from _credential(file, reason.rule.removeprefix("secret.").replace("-", " "), reason.place)
        elif reason.verdict is Verdict.INCONCLUSIVE:
            yield Unseen(
                file.path, "what loading this model would do", reason.what, "Scan it alone: penstock model scan PATH",
                collector="artifacts.files", scope=file.scope,
            )  # fmt: skip


@collector("artifacts.settings", reads=_TELLING, sees="folders whose weights are one model, and what it is said to be")
def model_settings(file: File) -> Iterator[Yielded]:
    """A folder of transformers, diffusers or PEFT."""
    if posixpath.basename(file.path) == "config.json" and not _MODEL.search(file.data):
        return
    yield Fact(_FOLDER, file.path, _said(scan_bytes(file.data, file.path, limits=_LIMITS)))


@joiner("artifacts.models", sees="models of one file, and models of many files in a folder")
def models(source: Source) -> Iterator[Yielded]:
    """Weights beside their configuration are one model, known by its folder, which is how code loads it.

    A file that is not harmless stays an asset of its own as well: code may name it, and somebody has to look at it.
    """
    folders: dict[str, dict[str, Any]] = {}
    for fact in source.facts.get(_FOLDER, ()):
        folders.setdefault(posixpath.dirname(fact.path), {}).update(fact.value)
    parts: dict[str, list[Fact]] = {}
    for fact in source.facts.get(_WEIGHTS, ()):
        folder = posixpath.dirname(fact.path)
        if folder in folders and not fact.path.endswith(".gguf"):  # each GGUF file is whole by itself
            parts.setdefault(folder, []).append(fact)
        if folder not in parts or fact.value["props"].get("remote_code"):
            weights = local_model(fact.path, source.scope, props=fact.value["props"])
            evidence = source.evidence("artifacts.files", fact.path, chain=fact.value["chain"])
            yield Observation(weights, evidence)
            if folder in parts:
                yield Observation(relation(here(fact.path, source.scope), "derived_from", weights), evidence)
    for folder, files in parts.items():
        whole = here(files[0].path, source.scope)
        props = _together([fact.value["props"] for fact in files]) | folders[folder]
        chain = [line for fact in files for line in fact.value["chain"]][:_TOLD]
        evidence = source.evidence("artifacts.files", files[0].path, chain=chain)
        yield Observation(replace(whole, props={**whole.props, **props}), evidence)


def _together(files: list[dict[str, Any]]) -> dict[str, Any]:
    """What several files say of one model: the worst of what loading them does, the sum of their numbers."""
    props: dict[str, Any] = {}
    for file in files:
        props = {**{name: value for name, value in file.items() if name != "sha256"}, **props}
    worst = max((Verdict[str(file["verdict"]).upper()] for file in files), default=Verdict.CLEAN)
    props["verdict"] = worst.word
    if counts := [file["parameters"] for file in files if "parameters" in file]:
        props["parameters"] = sum(counts)
    if any(file.get("remote_code") for file in files):
        props["remote_code"] = True
    if formats := [file["format"] for file in files if file.get("format") in ("pickle", "joblib")]:
        props["format"] = formats[0]  # the loader may take it
    return props


def _is_model(path: str, report: Report) -> bool:
    """Whether this is a model: a format of weights, or one of many uses with something to say about it."""
    if not report.formats or report.formats[0] in ("text", "json", "yaml", "python"):
        return False
    return not path.lower().endswith(_SHARED) or report.formats[0] not in ("compressed", "xml") or bool(report.reasons)


def _props(report: Report) -> dict[str, Any]:
    props: dict[str, Any] = {}
    inside = "pickle" if report.names else report.formats[0]
    if kind := _FORMATS.get(inside):
        props["format"] = "joblib" if report.path.endswith(".joblib") and kind == "pickle" else kind
    code = [reason for reason in report.reasons if not reason.rule.startswith(("secret.", "requirements."))]
    worst = max((reason.verdict for reason in code), default=Verdict.CLEAN)
    if worst >= Verdict.REVIEW:
        props["remote_code"] = True
    if worst is Verdict.MALICIOUS:
        props["dangers"] = ["poisoned"]
    return props | _said(report) | {"verdict": report.verdict.word}


def _said(report: Report) -> dict[str, Any]:
    """What a file says of its model."""
    return {prop: report.facts[fact] for fact, prop in _FACTS.items() if report.facts.get(fact)}


def _credential(file: File, kind: str, place: str) -> Iterator[Yielded]:
    """A credential in metadata, by kind and place; the value is not at hand here and is not needed."""
    key = hashlib.sha256(f"{kind}:{file.path}:{place}".encode()).hexdigest()[:16]
    name = f"{kind} in {file.path}"
    found = asset("credential", name, scope=file.scope, key=f"{kind}:{key}", labels=("credentials",))
    repository = asset("repository", file.scope.removeprefix("repo:"))
    evidence = file.evidence("artifacts.files", chain=[place])
    yield Observation(found, evidence)
    yield Observation(repository, evidence)
    yield Observation(relation(found, "stored_in", repository), evidence)
