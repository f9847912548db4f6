"""TensorFlow SavedModel, frozen and meta graphs: every node of every function, by the name of its operator."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from penstock.inspect.models.pickle.names import find_other
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.protobuf import Field, Malformed, fields, text
from penstock.inspect.models.source import Source
from penstock.inspect.models.verdict import Reason, Verdict


def look(piece: Piece) -> Iterator[Reason]:
    """Judge the operators."""
    operators: dict[str, int] = {}
    try:
        _nodes(piece, 0, piece.source.size, operators)
    except Malformed as error:
        yield piece.say(Verdict.INCONCLUSIVE, "tensorflow.broken", f"is not a whole graph: {error}")
    piece.report.facts.setdefault("operators", len(operators))
    for operator, at in operators.items():
        known = find_other("tensorflow", operator)
        if known is not None and known.verdict is not Verdict.CLEAN:
            yield piece.say(known.verdict, known.rule, f"has the operator {operator}, which {known.why}", at)


def _is_node(source: Source, field: Field) -> bool:
    try:
        inside = [inner.number for inner in fields(source, field.at, field.at + field.size, most=4)]
    except Malformed:
        return False
    return inside[:2] == [1, 2]


def _nodes(piece: Piece, start: int, end: int, operators: dict[str, int], depth: int = 0) -> None:
    """Nodes of a graph, its functions, and graphs inside; a meta graph holds its graph under the same number."""
    source = piece.source
    for number, field in enumerate(fields(source, start, end)):
        if not number & 1023:
            piece.budget.check()
        if field.kind != 2:
            continue
        if field.number == 1 and _is_node(source, field):
            _node(source, field, operators)
        elif field.number == 1 and depth:  # a function of a library: its nodes are field 3
            _function(source, field, operators)
        elif field.number == 2 and depth < 4:
            with contextlib.suppress(Malformed):
                _nodes(piece, field.at, field.at + field.size, operators, depth + 1)


def _function(source: Source, function: Field, operators: dict[str, int]) -> None:
    with contextlib.suppress(Malformed):
        for inner in fields(source, function.at, function.at + function.size):
            if inner.number == 3 and inner.kind == 2:
                _node(source, inner, operators)


def _node(source: Source, node: Field, operators: dict[str, int]) -> None:
    for field in fields(source, node.at, node.at + node.size):
        if field.number == 2 and field.kind == 2:
            operators.setdefault(text(source, field, 200), field.at)
            return
