"""Credentials in what a model file says about itself: metadata, configurations, small texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from penstock.inspect.models.piece import Piece
from penstock.inspect.models.verdict import Reason, Verdict

if TYPE_CHECKING:
    from penstock.inspect.sensitive.detector import Detector

#: Rows that tell a key by its own shape are surer than this.
_SURE = 0.9
#: Text that is worth the detectors: a long word with letters and digits, a key's armour, a password in an address.
_HINT = re.compile(
    r"(?=[A-Za-z0-9_\-+/.=]{18,})(?=[A-Za-z_\-+/.=]{0,400}[0-9])(?=[0-9_\-+/.=]{0,400}[A-Za-z])[A-Za-z0-9_\-+/.=]{18,}"
    r"|\b(?:hf_|sk-|ghp_|gho_|glpat-|xox[abprs]-|api_org_)[A-Za-z0-9]{10,}|-----BEGIN|://[^/\s:@]{1,64}:[^/\s@]{3,}@"
)
_LONGEST = 1 << 19


def find(piece: Piece, text: str, what: str) -> Iterator[Reason]:
    """Each kind of credential once; the value is never shown."""
    text = text[:_LONGEST]
    if not _HINT.search(text):
        return
    told: set[str] = set()
    for span in _detector().detect(text):
        value = text[span.start : span.end]
        if span.confidence < _SURE or span.rule in told or len(set(value)) < 8:
            continue
        if any(word in value.casefold() for word in _DUMMY):
            continue
        told.add(span.rule)
        yield piece.say(
            Verdict.SUSPICIOUS, f"secret.{span.rule.rpartition('.')[2]}", f"{what} holds {span.reason}", span.start
        )


_DUMMY = (
    "example",
    "dummy",
    "fake",
    "placeholder",
    "changeme",
    "your-",
    "your_",
    "redacted",
    "xxxx",
    "1234567",
    "<",
    ">",
    "{",
    "$",
)


@cache
def _detector() -> Detector:
    from penstock.inspect.sensitive.detector import Detector
    from penstock.inspect.sensitive.rows import shapes

    return Detector([row for row in shapes() if row.category == "credentials" and row.confidence >= _SURE])
