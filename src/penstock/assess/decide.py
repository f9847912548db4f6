"""Do what by when: act, attend or track, by a table of severity, likelihood and impact (``packs/decisions.yaml``)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from penstock.graph.vocabulary import SEVERITIES
from penstock.knowledge.pack import define_pack, load_pack


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A row: it holds from a severity, a likelihood and an impact on."""

    id: str
    decision: Literal["act", "attend", "track"]
    days: int
    severity: str
    why: str
    likelihood: int = 1
    impact: int = 1
    yes: tuple[Any, ...] = ()
    no: tuple[Any, ...] = ()

    def holds(self, severity: str, likelihood: int, impact: int) -> bool:
        enough = SEVERITIES.index(severity) >= SEVERITIES.index(self.severity)
        return enough and likelihood >= self.likelihood and impact >= self.impact


def decided(severity: str, likelihood: int, impact: int) -> Decision:
    """The first row that holds; the last holds for everything."""
    rows: tuple[Decision, ...] = tuple(load_pack("decisions").rows)
    return next((row for row in rows if row.holds(severity, likelihood, impact)), rows[-1])


def _holds(row: Decision, example: Any) -> bool:
    severity, likelihood, impact = example
    return decided(severity, likelihood, impact) == row


define_pack("decisions", Decision, check=_holds)
