"""XGBoost, LightGBM and CatBoost in their own formats: trees as data, nothing that runs."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason


def look(piece: Piece) -> Iterator[Reason]:
    """Name the library."""
    head = piece.source.read(0, 4)
    library = {b"CBM1": "CatBoost", b"tree": "LightGBM"}.get(head, "XGBoost")
    piece.report.facts.setdefault("library", library)
    yield from ()
