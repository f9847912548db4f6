"""What a format's reader is handed: bytes with a name, what may still be spent, and a way to look into parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from penstock.inspect.models.source import Budget, Source
from penstock.inspect.models.verdict import Reason, Report, Verdict


@dataclass(slots=True)
class Piece:
    """A file, a member of an archive, or a stretch of bytes that a loader would load.

    name: file name, for what content cannot tell; where: the place shown to people; run: True for Python modules that
    a loader imports (remote code, handlers).
    """

    source: Source
    name: str
    where: str
    budget: Budget
    report: Report
    look: Callable[[Piece], Iterator[Reason]]
    depth: int = 0
    run: bool = False
    formats: list[str] = field(default_factory=list)

    def inner(self, source: Source, name: str, where: str = "", *, run: bool = False) -> Iterator[Reason]:
        """Reasons of a part; said to be unseen when parts are nested too deeply."""
        place = where or f"{self.where}!{name}"
        if self.depth >= self.budget.limits.depth:
            yield Reason(Verdict.INCONCLUSIVE, "nesting", "parts are nested too deeply to follow", place)
            return
        yield from self.look(Piece(source, name, place, self.budget, self.report, self.look, self.depth + 1, run))

    def say(self, verdict: Verdict, rule: str, what: str, offset: int | None = None, chain: str = "") -> Reason:
        return Reason(verdict, rule, what, self.where, offset, chain)

    def whole(self, most: int = 4 << 20) -> bytes:
        """The content up to ``most`` bytes."""
        return self.source.read(0, min(self.source.size, most))

    @property
    def ending(self) -> str:
        """The file name's ending in lower case, with its dot; empty without one."""
        _, dot, ending = self.name.rpartition("/")[2].rpartition(".")
        return dot + ending.lower() if dot else ""
