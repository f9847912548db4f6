"""PaddlePaddle programs: operators by name; ``py_func`` calls Python."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.inspect.models.pickle.names import find_other
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.protobuf import Malformed, fields, text
from penstock.inspect.models.verdict import Reason, Verdict


def look(piece: Piece) -> Iterator[Reason]:
    """Judge the operators of every block."""
    source = piece.source
    told: set[str] = set()
    try:
        for block in fields(source):
            if block.number != 1 or block.kind != 2:
                continue
            for operation in fields(source, block.at, block.at + block.size):
                if operation.number != 4 or operation.kind != 2:
                    continue
                for inner in fields(source, operation.at, operation.at + operation.size):
                    if inner.number == 3 and inner.kind == 2:
                        name = text(source, inner, 200)
                        known = find_other("paddle", name)
                        if known is not None and name not in told:
                            told.add(name)
                            yield piece.say(
                                known.verdict, known.rule, f"has the operator {name}, which {known.why}", inner.at
                            )
    except Malformed as error:
        yield piece.say(Verdict.INCONCLUSIVE, "paddle.broken", f"is not a whole program: {error}")
