"""What an assessment yields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.graph.vocabulary import Evidence, Finding, Question, Step, Unseen


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the six questions answered: the value (None = unknown), how surely, and why."""

    value: Any
    confidence: str = "inferred"
    because: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """The six questions about one system."""

    impact: Answer
    threats: Answer
    sensitive_data: Answer
    audience: Answer
    used_for: Answer
    processes: Answer


@dataclass(frozen=True, slots=True)
class AttackPath:
    """A way from an entry to something worth taking. ``cut`` lists hops, best first, whose change closes it."""

    entry: str  # internet | untrusted_content | insider | supply_chain
    hops: tuple[Step, ...]
    target: str
    severity: str
    cut: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fix:
    """One change and what it closes: findings (each stands under one fix), and pairs of entry and jewel.

    ``change`` is what ``penstock whatif`` takes to try it, empty where the change is none of one asset or relation.
    """

    at: str
    what: str
    severity: str
    change: str = ""
    relation: tuple[str, str, str] | None = None
    findings: tuple[str, ...] = ()
    closes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """Findings are ordered worst first; accepted ones are kept apart, not dropped.

    ``fixes``: the findings by what closes most of them, worked out when first looked at.

    ``unseen``: where judging stopped at a bound, so that a risk may be missing.
    """

    findings: tuple[Finding, ...] = ()
    accepted: tuple[Finding, ...] = ()
    questions: tuple[Question, ...] = ()
    paths: tuple[AttackPath, ...] = ()
    answers: Mapping[str, Answers] = field(default_factory=dict)
    unseen: tuple[Unseen, ...] = ()
    fixes: Sequence[Fix] = ()
