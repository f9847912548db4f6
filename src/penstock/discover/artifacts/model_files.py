"""Weights in a source: their format, and what loading them would do. Nothing is loaded.

The verdict is told in the words that rules read: ``remote_code`` where code comes with the weights or may, ``dangers:
poisoned`` where it is known to harm. The reasons stand in the chain of the evidence. Where weights come from is told
by the collectors of lineage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from penstock.discover.collector import File, Yielded, collector
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
#: Formats by which the graph knows weights.
_FORMATS = {"safetensors": "safetensors", "gguf": "gguf", "onnx": "onnx", "pickle": "pickle"}
#: Seconds of CPU for one file, within what a collector may take.
_LIMITS = Limits(seconds=3.0)
#: Reasons told of one file.
_TOLD = 8


@collector(
    "artifacts.files",
    reads=_READS,
    sees="model files: their format and what loading them would do",
    unseen="what the origin of weights is",
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
    model = local_model(file.path, file.scope, props=_props(report))
    yield Observation(model, file.evidence("artifacts.files", chain=chain))
    for reason in report.reasons:
        if reason.rule.startswith("secret."):
            yield from _credential(file, reason.rule.removeprefix("secret.").replace("-", " "), reason.place)
        elif reason.verdict is Verdict.INCONCLUSIVE:
            yield Unseen(
                file.path, "what loading this model would do", reason.what, "Scan it alone: penstock model scan PATH",
                collector="artifacts.files", scope=file.scope,
            )  # fmt: skip


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
    return props


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
