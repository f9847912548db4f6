"""Keras architectures: layers as JSON. Code by design (Lambda), and everything that points outside the file."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from penstock.inspect.models.containers.names import escapes
from penstock.inspect.models.pickle.names import find, find_other
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

_MOST = 200_000
#: Modules that Keras itself names in architectures.
_OWN = ("keras", "keras_hub", "keras_cv", "keras_nlp", "tensorflow.keras", "tf_keras", "tensorflow.python.keras")
_ADDRESS = ("http://", "https://", "ftp://", "gs://", "s3://", "hdfs://", "file://", "\\\\")


def config(piece: Piece, document: dict[str, Any]) -> Iterator[Reason]:
    """Judge every object of an architecture, its compile configuration included."""
    waiting: list[tuple[Any, int]] = [(document, 0)]
    turns = 0
    while waiting and turns < _MOST:
        turns += 1
        node, depth = waiting.pop()
        if depth > 200:
            yield piece.say(Verdict.SUSPICIOUS, "keras.nesting", "layers are nested more than 200 deep")
            return
        if isinstance(node, list):
            waiting += [(each, depth + 1) for each in node]
        elif isinstance(node, dict):
            waiting += [(each, depth + 1) for each in node.values()]
            yield from _object(piece, node)


def _object(piece: Piece, node: dict[str, Any]) -> Iterator[Reason]:
    name, module, inner = node.get("class_name"), node.get("module"), node.get("config")
    if not isinstance(name, str):
        return
    settings = inner if isinstance(inner, dict) else {}
    if name in ("Lambda", "__lambda__") or name.endswith(">Lambda"):
        code = settings.get("function") if name != "__lambda__" else settings.get("code")
        yield from _lambda(piece, code if code is not None else node)
    elif name == "TFOpLambda" or name == "SlicingOpLambda":
        function = str(settings.get("function", ""))
        if (known := find_other("tensorflow", function.rpartition(".")[2])) and known.verdict is not Verdict.CLEAN:
            yield piece.say(known.verdict, known.rule, f"has the operation {function}, which {known.why}")
    elif name == "function" and isinstance(module, str):
        function = f"{module}.{settings.get('name') or inner}"
        if _foreign(module) or (module == "builtins" and find(module, str(inner)).verdict is Verdict.MALICIOUS):
            yield piece.say(Verdict.MALICIOUS, "keras.function", f"asks Keras to import {function}", chain=function)
        elif module == "builtins":
            yield piece.say(
                Verdict.REVIEW, "keras.custom", f"needs the function {str(inner)[:60]!r}, which must come with it"
            )
    elif isinstance(module, str) and _foreign(module):
        known = find_other("keras-module", module.partition(".")[0])
        verdict = Verdict.REVIEW if known is not None and known.verdict is Verdict.CLEAN else Verdict.SUSPICIOUS
        if find(module, name).verdict is Verdict.MALICIOUS:
            verdict = Verdict.MALICIOUS
        yield piece.say(verdict, "keras.module", f"asks Keras to import {module}.{name}", chain=f"{module}.{name}")
    elif (
        isinstance(module, str)
        and (known := find_other("keras", f"{module}.{name}"))
        and known.verdict is not Verdict.CLEAN
    ):
        yield piece.say(known.verdict, known.rule, f"uses {module}.{name}, which {known.why}", chain=f"{module}.{name}")
    registered = node.get("registered_name")
    if (
        isinstance(registered, str)
        and ">" in registered
        and not registered.startswith(("keras", "Addons", "tf_keras", "Vision", "Text"))
    ):
        yield piece.say(Verdict.REVIEW, "keras.custom", f"needs the class {registered!r}, code that must come with it")
    yield from _paths(piece, settings, name)


def _paths(piece: Piece, settings: dict[str, Any], name: str) -> Iterator[Reason]:
    """Layers that read files while they are made (vocabularies of StringLookup, TextVectorization, …)."""
    for key in (
        "vocabulary",
        "vocabulary_file",
        "filename",
        "file",
        "path",
        "weights",
        "filepath",
        "url",
        "handle",
        "fpath",
        "origin",
        "idf_weights",
    ):
        value = settings.get(key)
        if isinstance(value, str) and (
            value.startswith(_ADDRESS) or escapes(value) or (key != "weights" and "/" in value)
        ):
            yield piece.say(Verdict.SUSPICIOUS, "keras.file", f"{name} reads {value[:80]!r} while it is loaded")


def _foreign(module: str) -> bool:
    top = module.partition(".")[0]
    return (
        top not in ("keras", "keras_hub", "keras_cv", "keras_nlp", "tf_keras", "keras_core")
        and not module.startswith(_OWN)
        and module != "builtins"
    )


def _lambda(piece: Piece, code: Any) -> Iterator[Reason]:
    raw = _bytecode(code)
    found = sorted({word for word in _words(raw) if find_other("bytecode", word)})
    if found:
        yield piece.say(
            Verdict.MALICIOUS, "keras.lambda.power", f"has a Lambda whose bytecode uses {', '.join(found[:5])}"
        )
    elif raw:
        yield piece.say(
            Verdict.SUSPICIOUS,
            "keras.lambda",
            "has a Lambda layer: bytecode that runs with every call; a layer class is the safe form",
        )
    else:
        yield piece.say(Verdict.REVIEW, "keras.lambda", "has a Lambda layer by name; the function must come with it")


def _bytecode(code: Any) -> bytes:
    """The marshalled function of a Lambda, in the forms of Keras 2 and 3."""
    for _ in range(4):
        if isinstance(code, dict):
            code = code.get("code") or code.get("config") or code.get("function") or ""
        elif isinstance(code, list):
            code = code[0] if code else ""
        elif isinstance(code, str):
            try:
                return base64.b64decode(code, validate=False) if len(code) > 24 else b""
            except (binascii.Error, ValueError):
                return b""
    return b""


def _words(raw: bytes) -> list[str]:
    """Names and texts in marshalled bytecode: runs of word characters."""
    import re

    return [word.decode() for word in re.findall(rb"[A-Za-z_][A-Za-z0-9_]+", raw[: 1 << 20])]
