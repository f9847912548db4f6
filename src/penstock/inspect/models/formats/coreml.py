"""CoreML: layers and models that must come as code of the application's own."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.inspect.models.piece import Piece
from penstock.inspect.models.protobuf import Malformed, fields
from penstock.inspect.models.verdict import Reason, Verdict

#: Fields of ``Model`` that hold models in models: pipelines (200 classifier, 201 regressor, 202).
_PIPELINES = frozenset((200, 201, 202))
#: ``customModel``, ``linkedModel``; networks by layers; ``custom`` in a layer.
_CUSTOM, _LINKED, _NETWORKS, _CUSTOM_LAYER = 555, 556, frozenset((303, 403, 500)), 500


def look(piece: Piece) -> Iterator[Reason]:
    """Judge by the fields that are there."""
    try:
        yield from _model(piece, 0, piece.source.size, 0)
    except Malformed as error:
        yield piece.say(Verdict.INCONCLUSIVE, "coreml.broken", f"is not a whole model: {error}")


def _model(piece: Piece, start: int, end: int, depth: int) -> Iterator[Reason]:
    for field in fields(piece.source, start, end):
        if field.kind != 2:
            continue
        if field.number == _CUSTOM:
            yield piece.say(
                Verdict.REVIEW, "coreml.custom", "is a custom model: a class of the application's own runs it", field.at
            )
        elif field.number == _LINKED:
            yield piece.say(Verdict.REVIEW, "coreml.linked", "is a link to another model file", field.at)
        elif field.number in _NETWORKS:
            for layer in fields(piece.source, field.at, field.at + field.size):
                if layer.number == 1 and layer.kind == 2:
                    inside = fields(piece.source, layer.at, layer.at + layer.size)
                    if any(inner.number == _CUSTOM_LAYER and inner.kind == 2 for inner in inside):
                        yield piece.say(
                            Verdict.REVIEW,
                            "coreml.layer",
                            "has a custom layer: a class of the application's own runs it",
                            layer.at,
                        )
        elif field.number in _PIPELINES and depth < 4:
            for inner in fields(piece.source, field.at, field.at + field.size):
                if inner.kind == 2 and inner.size > 8:
                    try:
                        yield from _model(piece, inner.at, inner.at + inner.size, depth + 1)
                    except Malformed:
                        continue
