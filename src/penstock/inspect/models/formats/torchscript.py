"""TorchScript: the source of a compiled module, in a language of tensors; a few of its operators reach files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.inspect.models.pickle.names import find_other
from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

_CALL = re.compile(r"\b(?:torch|ops)\.(?:[a-z_]\w*\.)*([a-z_]\w*)\(")
_CLASS = re.compile(r"__torch__\.torch\.classes\.([\w.]+)")


def look(piece: Piece, text: str) -> Iterator[Reason]:
    """Judge operators and classes that come from outside."""
    told: set[str] = set()
    for match in _CALL.finditer(text):
        known = find_other("torchscript", match.group(1))
        if known is not None and match.group(1) not in told:
            told.add(match.group(1))
            what = f"has the operator {match.group(1)}, which {known.why}"
            yield piece.say(known.verdict, known.rule, what, match.start(), match.group())
    for name in sorted(set(_CLASS.findall(text))):
        known = find_other("torchscript-class", name)
        if known is None or known.verdict is not Verdict.CLEAN:
            yield piece.say(
                Verdict.REVIEW, "torchscript.class", f"needs the class {name}, native code that must be loaded first"
            )
