"""A Python module beside weights: judged where a loader imports it, else left to those who read code."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.inspect.models import python_code, secrets
from penstock.inspect.models.formats import torchscript
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason


def look(piece: Piece) -> Iterator[Reason]:
    """Judge the module."""
    text = piece.whole(2 << 20).decode("utf-8", "replace")
    if "/code/" in piece.name and piece.depth:
        yield from torchscript.look(piece, text)
        return
    if piece.run:
        yield from python_code.look(piece, text)
    yield from secrets.find(piece, text, "the module")
