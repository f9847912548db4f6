"""A requirements file beside weights: what would be installed from outside the index."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

_OUTSIDE = re.compile(r"(?m)^\s*(?:-e\s+)?(?:[\w.\-\[\]]+\s*@\s*)?((?:git\+|hg\+|svn\+)?(?:https?|ssh|ftp)://\S+)")
_INDEX = re.compile(r"(?m)^\s*(?:--extra-index-url|--index-url|-i|--find-links|-f|--trusted-host)[\s=]+(\S+)")


def look(piece: Piece, text: str) -> Iterator[Reason]:
    """Places that are no package index; said as a note unless plain http carries code."""
    for match in _OUTSIDE.finditer(text):
        if match.group(1).startswith(("http://", "ftp://", "git+http://")):
            yield piece.say(
                Verdict.REVIEW,
                "requirements.plain",
                f"installs {match.group(1)[:120]} over a connection that anybody can change",
                match.start(),
            )
        else:
            piece.report.notes.append(f"{piece.where}: installs {match.group(1)[:120]}")
    for match in _INDEX.finditer(text):
        if match.group(1).startswith("http://"):
            yield piece.say(
                Verdict.REVIEW, "requirements.index", f"takes packages from {match.group(1)[:120]}", match.start()
            )
