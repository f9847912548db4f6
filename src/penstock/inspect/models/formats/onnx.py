"""ONNX: a graph in protocol buffers. What reaches outside: external data, operators that are not the standard's."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.inspect.models import metadata
from penstock.inspect.models.containers.names import escapes
from penstock.inspect.models.pickle.names import find_other
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.protobuf import Field, Malformed, fields, text
from penstock.inspect.models.verdict import Reason, Verdict

#: Graphs in attributes of nodes of graphs.
_DEEP = 24


def look(piece: Piece) -> Iterator[Reason]:
    """Walk the model; contents of tensors are stepped over."""
    walk = _Walk(piece)
    try:
        yield from walk.model()
    except Malformed as error:
        yield piece.say(Verdict.INCONCLUSIVE, "onnx.broken", f"is not a whole model: {error}")
    for domain in sorted(walk.domains):
        known = find_other("onnx-domain", domain)
        if known is None:
            yield piece.say(
                Verdict.REVIEW, "onnx.domain", f"needs operators of {domain!r}, a library that must be loaded to run it"
            )
        elif known.verdict is not Verdict.CLEAN:
            yield piece.say(known.verdict, known.rule, f"needs operators of {domain!r}, which {known.why}")
    for operator in sorted(walk.operators):
        known = find_other("onnx", operator)
        if known is not None and known.verdict is not Verdict.CLEAN:
            yield piece.say(known.verdict, known.rule, f"has the operator {operator}, which {known.why}")
    piece.report.facts.setdefault("operators", len(walk.operators))


class _Walk:
    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.source = piece.source
        self.domains: set[str] = set()
        self.operators: set[str] = set()
        self.turns = 0

    def inside(self, field: Field) -> Iterator[Field]:
        self.turns += 1
        if not self.turns & 1023:
            self.piece.budget.check()
        return fields(self.source, field.at, field.at + field.size)

    def model(self) -> Iterator[Reason]:
        for field in fields(self.source):
            if field.kind != 2:
                continue
            if field.number == 2:
                self.piece.report.facts.setdefault("producer", text(self.source, field, 80))
            elif field.number == 7:
                yield from self.graph(field, 0)
            elif field.number == 14:
                yield from self.metadata(field)
            elif field.number == 25:  # a function of the model's own
                for inner in self.inside(field):
                    if inner.number == 7 and inner.kind == 2:
                        yield from self.node(inner, 1)

    def metadata(self, field: Field) -> Iterator[Reason]:
        said = {inner.number: text(self.source, inner, 8192) for inner in self.inside(field) if inner.kind == 2}
        yield from metadata.find(self.piece, said.get(1, ""), said.get(2, ""))

    def graph(self, graph: Field, depth: int) -> Iterator[Reason]:
        if depth > _DEEP:
            yield self.piece.say(Verdict.INCONCLUSIVE, "nesting", "graphs are nested too deeply to follow", graph.at)
            return
        for field in self.inside(graph):
            if field.kind != 2:
                continue
            if field.number == 1:
                yield from self.node(field, depth)
            elif field.number == 5:
                yield from self.tensor(field)
            elif field.number == 15:
                for inner in self.inside(field):
                    if inner.number in (1, 2) and inner.kind == 2:
                        yield from self.tensor(inner)

    def node(self, node: Field, depth: int) -> Iterator[Reason]:
        operator = domain = ""
        for field in self.inside(node):
            if field.kind != 2:
                continue
            if field.number == 4:
                operator = text(self.source, field, 200)
            elif field.number == 7:
                domain = text(self.source, field, 200)
            elif field.number == 5:
                for inner in self.inside(field):
                    if inner.kind != 2:
                        continue
                    if inner.number in (6, 11):
                        yield from self.graph(inner, depth + 1)
                    elif inner.number in (5, 10):
                        yield from self.tensor(inner)
        if domain:
            self.domains.add(domain)
        self.operators.add(f"{domain}.{operator}" if domain else operator)

    def tensor(self, tensor: Field) -> Iterator[Reason]:
        """Only where its data lies."""
        if tensor.size > 1 << 16:
            listed = [field for field in self.inside(tensor) if field.kind == 2 and field.number == 13]
        else:
            listed = [field for field in self.inside(tensor) if field.number == 13 and field.kind == 2]
        for field in listed:
            said = {inner.number: text(self.source, inner, 4096) for inner in self.inside(field) if inner.kind == 2}
            if said.get(1) == "location":
                place = said.get(2, "")
                if why := escapes(place):
                    yield self.piece.say(
                        Verdict.MALICIOUS, "onnx.external", f"reads weights from {place!r}, which {why}", field.at
                    )
