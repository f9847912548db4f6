"""A chat template in a file of its own."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.inspect.models import template
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason


def look(piece: Piece) -> Iterator[Reason]:
    """Judge the template."""
    yield from template.look(piece, piece.whole().decode("utf-8", "replace"), "the chat template")
