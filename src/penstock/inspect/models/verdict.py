"""What is said about a model file: a verdict, and the reasons for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class Verdict(IntEnum):
    """Ordered: the worst of the parts is the verdict of the whole."""

    CLEAN = 0
    INCONCLUSIVE = 1
    REVIEW = 2
    SUSPICIOUS = 3
    MALICIOUS = 4

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict is not clean.

    rule: id of the row or check that says so; what: one sentence; where: the file, with members of archives behind
    ``!``; offset: of the opcode or field in that member; chain: the calls as Python would write them.
    """

    verdict: Verdict
    rule: str
    what: str
    where: str = ""
    offset: int | None = None
    chain: str = ""

    @property
    def place(self) -> str:
        return self.where if self.offset is None else f"{self.where}@{self.offset}"


@dataclass(slots=True)
class Report:
    """What was found in one file or folder.

    formats: every format that the content is (two mean a polyglot); facts: what the file says about itself
    (architecture, parameters, dtype, …), only filled by content; names: globals that a loader would import.
    """

    path: str
    formats: list[str] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    size: int = 0
    bytes_read: int = 0
    sha256: str = ""

    @property
    def verdict(self) -> Verdict:
        return worst(reason.verdict for reason in self.reasons)

    def ranked(self) -> list[Reason]:
        """Reasons, worst first, in the order in which they were met."""
        return sorted(self.reasons, key=lambda reason: -reason.verdict)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of several, clean for none."""
    return max(verdicts, default=Verdict.CLEAN)
