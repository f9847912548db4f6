"""Plain text beside weights: only credentials are looked for, and LightGBM's own text format is named."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.inspect.models import secrets
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason


def look(piece: Piece) -> Iterator[Reason]:
    """Credentials in texts; a vocabulary or merges file is long lists of words and none of our business."""
    if piece.name.rpartition("/")[2] in ("vocab.txt", "merges.txt", "tokenizer.txt"):
        return
    yield from secrets.find(piece, piece.whole(1 << 19).decode("utf-8", "replace"), "the text")
    if piece.name.rpartition("/")[2].startswith("requirements") and piece.ending == ".txt":
        from penstock.inspect.models import requirements

        yield from requirements.look(piece, piece.whole(1 << 18).decode("utf-8", "replace"))
