"""Shapes that several subjects answer with."""

from __future__ import annotations

from typing import Any

import msgspec


class Ref(msgspec.Struct, frozen=True):
    """An asset, as far as a link needs it."""

    id: str
    kind: str
    name: str


class EvidenceShape(msgspec.Struct, frozen=True):
    """Who saw it, where, how surely, and the steps that led there."""

    collector: str
    where: str
    scope: str
    confidence: str
    chain: tuple[str, ...]
    seen_at: float
    until: float | None = None


class Hop(msgspec.Struct, frozen=True):
    """One step of a path. ``verb`` led here from the hop before; ``forward`` is False when read against the arrow.

    ``labels`` are what the asset holds, ``own_labels`` those it was seen to hold itself. ``cut`` marks the asset
    to change first.
    """

    asset: Ref
    verb: str
    forward: bool
    exposure: str
    labels: tuple[str, ...]
    own_labels: tuple[str, ...]
    evidence: tuple[EvidenceShape, ...]
    cut: bool = False


class Owner(msgspec.Struct, frozen=True):
    """Who answers for something; ``asset`` is empty while nobody is known. ``conflicts`` are others claimed."""

    asset: str
    name: str
    why: str
    conflicts: tuple[str, ...] = ()


class Risk(msgspec.Struct, frozen=True):
    """A finding as a list shows it. ``fix_at`` is the asset to change; the path starts where an attacker would."""

    id: str
    rule: str
    title: str
    severity: str
    score: float
    score_low: float
    score_high: float
    subject: Ref
    explanation: str
    fix: str
    fix_at: Ref | None
    path: tuple[Hop, ...]
    owner: Owner
    state: str
    case: str
    first_seen: float | None


class QuestionShape(msgspec.Struct, frozen=True):
    """What only a person can say. ``answers`` is what a correction that answers it is about; "" when none can."""

    asset: Ref
    about: str
    rule: str
    answers: str


class QuestionGroup(msgspec.Struct, frozen=True):
    """The questions about one asset, the most pressing first."""

    asset: Ref
    questions: tuple[QuestionShape, ...]


class Trouble(msgspec.Struct, frozen=True):
    """Something the server itself could not do, so that nobody takes silence for health."""

    what: str
    why: str
    since: float
    times: int


class Done(msgspec.Struct, frozen=True):
    """A change was made; ``note`` says in words what happens now."""

    note: str


class Problem(msgspec.Struct, frozen=True):
    """What happened, where, and what to do next."""

    message: str
    where: str | None = None
    hint: str | None = None
    details: Any = None
