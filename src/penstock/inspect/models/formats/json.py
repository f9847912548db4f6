"""JSON beside or inside models: Keras architectures, skops schemas, hub configurations, anything with ``_target_``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from penstock.inspect.models import secrets, settings
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason

#: Read whole up to here: configurations are small; an XGBoost forest or a tokenizer may be larger and is data.
_LONGEST = 4 << 20
_DATA = ("tokenizer.json", "vocab.json", "merges.json", "model.safetensors.index.json", "pytorch_model.bin.index.json")


def look(piece: Piece) -> Iterator[Reason]:
    """Judge by what the document is."""
    name = piece.name.rpartition("/")[2]
    if name in _DATA or piece.source.size > _LONGEST:
        if piece.source.size > _LONGEST:
            piece.report.notes.append(f"{piece.where}: {piece.source.size >> 20} MB of JSON, taken as data")
        return
    text = piece.whole(_LONGEST).decode("utf-8-sig", "replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict | list):
        yield from of_document(piece, document)
    if not (isinstance(document, dict) and "learner" in document):
        yield from secrets.find(piece, text, "the configuration")


def of_document(piece: Piece, document: Any) -> Iterator[Reason]:
    """Judge a parsed document: each kind has marks of its own."""
    if isinstance(document, dict):
        if "class_name" in document and "config" in document:
            from penstock.inspect.models.formats import keras

            piece.report.facts.setdefault("library", "Keras")
            yield from keras.config(piece, document)
        elif "__loader__" in document and "__module__" in document:
            from penstock.inspect.models.formats import skops

            yield from skops.schema(piece, document)
        if "model_type" in document or "architectures" in document:
            for key, fact in (
                ("model_type", "architecture"),
                ("torch_dtype", "dtype"),
                ("dtype", "dtype"),
                ("base_model_name_or_path", "base"),
            ):
                if isinstance(document.get(key), str):
                    piece.report.facts.setdefault(fact, document[key][:200])
            quantised = document.get("quantization_config")
            if isinstance(quantised, dict) and isinstance(quantised.get("quant_method"), str):
                piece.report.facts.setdefault("quantisation", quantised["quant_method"][:40])
    yield from settings.look(piece, document)
