"""How far a scan has come: plain values, drawn by whoever asked for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Phase = Literal["finding files", "looking over", "reading", "resolving", "done"]


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` of ``total`` files (of one source while looking over), ``found`` observations so far, in ``source``."""

    phase: Phase
    done: int = 0
    total: int = 0
    found: int = 0
    source: str = ""
