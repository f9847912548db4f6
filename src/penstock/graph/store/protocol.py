"""What a store promises, on every engine. ``tenant`` is part of every key; a store object is bound to one tenant.

Every method is one transaction: after a crash it has happened whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from penstock.graph.diff import Changes
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import Asset, Case, Complete, Event, Finding, Observation, Question, Unseen


@dataclass(frozen=True, slots=True)
class Scan:
    """The outcome of looking at some scopes once. Only scopes in ``finished`` may retire what was not seen again."""

    observations: tuple[Observation, ...]
    complete: tuple[Complete, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    scopes: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A named person's decision to live with a finding until a date."""

    finding: str
    who: str
    why: str
    until: float
    at: float
    used: bool = False


@dataclass(frozen=True, slots=True)
class Approval:
    """What somebody wishes that may not happen by itself, who is asked, and what became of it.

    Times are seconds since the epoch. The same wish made again counts on the one that waits (``key`` tells).

    kind: ask (a call that the gateway held back) | acceptance | declassification | model | provider | tool.
    about: asset id; for an ask the application that calls.
    subject, why: what is wished, in words a person decides by, and why it needs a person.
    session, single: whether a yes holds for one conversation only, and whether one call uses it up.
    detail: what carries it out, such as the finding to accept or the label to lower.
    state: asked | granted | refused | expired | withdrawn. A grant that ran out or was used up is expired.
    answer_by: until when an answer is awaited.
    until: when the answer ends: a grant no longer allows, a refusal no longer answers the same wish.
    signature: over everything that makes a grant, so that a changed row allows nothing.
    """

    id: str
    kind: str
    key: str
    about: str
    subject: str
    why: str
    asked_at: float
    answer_by: float
    rule: str = ""
    requester: str = ""
    session: str = ""
    single: bool = False
    approver: str = ""  # asset id of a team or person; "" = nobody but the requester could be found
    approver_why: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[str, ...] = ()
    times: int = 1
    last_at: float = 0.0
    state: str = "asked"
    decided_by: str = ""
    decided_at: float | None = None
    reason: str = ""
    until: float | None = None
    used_at: float | None = None
    escalated_at: float | None = None
    signature: str = ""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A virtual key of the gateway: only its SHA-256 is stored; it stands for one application asset."""

    id: str
    name: str
    sha256: str
    application: str
    created_at: float
    revoked_at: float | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """An asset as it was from ``valid_from`` until ``valid_to`` (None: still)."""

    asset: Asset
    valid_from: float
    valid_to: float | None


#: From all cases, and the events that were not stored before, to the cases as they are now; those left out stay.
ChangeCases = Callable[[Sequence[Case], Sequence[Event]], Iterable[Case]]


#: From the approvals that were asked for by key or id to those of them that are new or changed.
ChangeApprovals = Callable[[Sequence[Approval]], Iterable[Approval]]


@dataclass(frozen=True, slots=True)
class CaseChanges:
    """What became of the cases: all that the change named, those of them that differ, and how many events were new."""

    cases: tuple[Case, ...] = ()
    changed: tuple[Case, ...] = ()
    events: int = 0


class Store(Protocol):
    """The store of record of one tenant."""

    tenant: str

    def ingest(self, scan: Scan) -> Changes:
        """Take in a scan: keep evidence, issue or find ids, retire what finished scopes no longer hold.

        A second ingest of the same scan changes nothing but ``last_seen``. Assets of unfinished scopes that were not
        seen again become stale, never gone. A retired asset that is seen again returns under its old id.
        """

    def graph(self, at: float | None = None) -> Graph:
        """The merged graph now, or as it was at a time."""

    def changed_since(self, at: float) -> Changes:
        """What a reader of ``graph(at)`` has to learn to know the graph of now; it does not say when it was seen."""

    def asset_history(self, asset: str) -> Sequence[Version]: ...

    def rename(self, asset: str, *, to: Asset) -> None:
        """Let what ``to`` identifies be known under the kept id of ``asset`` from now on."""

    def scans(self) -> Sequence[tuple[float, tuple[str, ...], tuple[str, ...]]]:
        """Past scans, newest first: time, scopes, finished scopes."""

    def save_assessment(self, findings: Iterable[Finding], questions: Iterable[Question], at: float) -> None:
        """Replace the current findings and questions; what was open before and is absent now is closed."""

    def findings(self) -> Sequence[Finding]: ...
    def questions(self) -> Sequence[Question]: ...
    def finding_seen(self, finding: str) -> tuple[float, float] | None:
        """First and last time a finding was open."""

    def accept(self, acceptance: Acceptance) -> None: ...
    def acceptances(self) -> Sequence[Acceptance]: ...
    def revoke_acceptance(self, finding: str) -> int:
        """Take back every acceptance of a finding, whoever made it; returns how many there were."""

    def add_events(self, events: Iterable[Event]) -> int:
        """Append events; one already stored (same id) is not stored twice. Returns how many were new."""

    def events(self, *, since: float = 0.0, application: str | None = None, limit: int = 1000) -> Sequence[Event]:
        """Newest first."""

    def save_cases(self, cases: Iterable[Case]) -> None: ...
    def change_cases(
        self, change: ChangeCases, *, events: Iterable[Event] = (), keep: Mapping[str, Any] | None = None
    ) -> CaseChanges:
        """Read all cases, change them, and keep what differs, with nobody writing in between.

        Args:
            change: a pure function; it must not use the store.
            events: appended in the same step. ``change`` is handed those that were not stored before, so that an event
                counts once however often it is delivered, also when a process dies in the middle.
            keep: small values put in the same step, such as how far a spool was read.
        """

    def cases(self) -> Sequence[Case]: ...

    def approvals(self, *, states: Collection[str] = (), limit: int = 1000) -> Sequence[Approval]:
        """Newest first; of some states or of all."""

    def approval(self, id: str) -> Approval | None: ...
    def change_approvals(
        self, change: ChangeApprovals, *, ids: Collection[str] = (), keys: Collection[str] = ()
    ) -> Sequence[Approval]:
        """Read the approvals with these ids or keys, change them, and keep what differs, with nobody writing in
        between; returns what differs. ``change`` is a pure function; it must not use the store."""

    def save_key(self, key: AccessKey) -> None: ...
    def keys(self) -> Sequence[AccessKey]: ...

    def audit(self, who: str, what: str, about: str, at: float) -> None:
        """Append to the audit trail, each entry chained to the one before by hash."""

    def audit_trail(self, *, limit: int = 1000) -> Sequence[tuple[float, str, str, str, str]]:
        """Newest first: time, who, what, about, chain hash."""

    def verify_audit_trail(self) -> bool: ...

    def get(self, name: str, default: Any = None) -> Any:
        """A small JSON value kept beside the graph (last visit, snapshot version, spool position)."""

    def put(self, name: str, value: Any) -> None: ...

    def version(self) -> int:
        """Grows with every write of any process: while it stands still, what was read before still holds."""

    def graph_version(self) -> int:
        """Grows with every scan, word and rename; of one version, the graph changes only as people's words end."""

    def exclusive(self, name: str) -> AbstractContextManager[None]:
        """Hold off every thread and process that asks for the same name. Whoever dies lets go of it.

        Raises:
            NotReachable: another one holds it for longer than any work of ours takes.
        """

    def close(self) -> None: ...
