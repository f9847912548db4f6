"""TensorFlow SavedModel, frozen and meta graphs: every node of every function, by the name of its operator."""

from __future__ import annotations

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
        for graph in _graphs(piece.source):
            _nodes(piece, graph, operators)
    except Malformed as error:
        yield piece.say(Verdict.INCONCLUSIVE, "tensorflow.broken", f"is not a whole graph: {error}")
    piece.report.facts.setdefault("operators", len(operators))
    for operator, at in operators.items():
        known = find_other("tensorflow", operator)
        if known is not None and known.verdict is not Verdict.CLEAN:
            yield piece.say(known.verdict, known.rule, f"has the operator {operator}, which {known.why}", at)


def _graphs(source: Source) -> Iterator[tuple[int, int]]:
    """Where graphs lie: in a SavedModel's meta graphs, in a meta graph, or the file itself."""
    top = list(fields(source, most=10_000))
    if top and top[0].number == 1 and top[0].kind == 0:  # SavedModel: version, meta graphs
        for field in top:
            if field.number == 2 and field.kind == 2:
                for inner in fields(source, field.at, field.at + field.size):
                    if inner.number == 2 and inner.kind == 2:
                        yield inner.at, inner.at + inner.size
        return
    metas = [field for field in top if field.number == 2 and field.kind == 2]
    if metas and top[0].number == 1 and not _is_node(source, top[0]):  # MetaGraphDef
        for field in metas:
            yield field.at, field.at + field.size
        return
    yield 0, source.size


def _is_node(source: Source, field: Field) -> bool:
    try:
        inside = [inner.number for inner in fields(source, field.at, field.at + field.size, most=4)]
    except Malformed:
        return False
    return inside[:2] == [1, 2]


def _nodes(piece: Piece, place: tuple[int, int], operators: dict[str, int]) -> None:
    source = piece.source
    turns = 0
    for field in fields(source, *place):
        if field.kind != 2:
            continue
        turns += 1
        if not turns & 1023:
            piece.budget.check()
        if field.number == 1:
            _node(source, field, operators)
        elif field.number == 2:  # the library of functions
            for function in fields(source, field.at, field.at + field.size):
                if function.number == 1 and function.kind == 2:
                    for inner in fields(source, function.at, function.at + function.size):
                        if inner.number == 3 and inner.kind == 2:
                            _node(source, inner, operators)


def _node(source: Source, node: Field, operators: dict[str, int]) -> None:
    for field in fields(source, node.at, node.at + node.size):
        if field.number == 2 and field.kind == 2:
            operators.setdefault(text(source, field, 200), field.at)
            return
