"""The policy snapshot, compiled from the graph: what the gateway does for each caller, and why."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from penstock.errors import NotReachable
from penstock.graph.graph import Graph
from penstock.graph.store.protocol import AccessKey
from penstock.graph.vocabulary import SENSITIVE, Case, Finding, Step, said_labels
from penstock.knowledge.providers import AT_HOME
from penstock.protect.snapshot import Caller, PolicySnapshot, Rule, Upstream, decode, encode
from penstock.respond.people import People
from penstock.settings import Settings

if TYPE_CHECKING:
    from penstock.graph.labels import Labelling

#: How far a caller's own agents are followed: an agent that hands on to another is still the application that calls.
HANDS_ON = ("invokes", "delegates_to")
AGENTS = 200


def compile_snapshot(
    graph: Graph,
    labelling: Labelling,
    findings: Iterable[Finding],
    cases: Iterable[Case],
    keys: Iterable[AccessKey],
    settings: Settings,
    *,
    version: int,
    now: float,
    tenant: str = "default",
) -> PolicySnapshot:
    """What the gateway is to do, for every virtual key that is in use.

    Each sensitive label that an application touches becomes a rule on what it is answered; it names the proof in
    words and the findings it serves. Credentials are always kept out of answers and noted in what is sent. Personal
    data sent to a provider the organisation did not sanction is noted. Whether a rule acts or only observes is the
    operator's ``modes`` setting for the application; it observes unless told otherwise.
    """
    people, index = People(graph, settings), _Index.of(findings, cases)
    callers: dict[str, Caller] = {}
    made: dict[str, Caller] = {}
    for key in sorted(keys, key=lambda key: key.id):
        if key.revoked_at is not None and key.revoked_at <= now:
            continue
        if key.application not in made:
            made[key.application] = _caller(key, graph, labelling, index, settings, people)
        callers[key.sha256] = made[key.application]
    upstreams = tuple(
        Upstream(name=u.name, base_url=u.base_url, key_env=u.key_env, surfaces=u.surfaces) for u in settings.upstreams
    )
    return PolicySnapshot(version=version, made_at=now, tenant=tenant, callers=callers, upstreams=upstreams)


def same_content(one: PolicySnapshot, other: PolicySnapshot) -> bool:
    """Whether two snapshots would make the gateway do the same; version and date do not count."""
    return msgspec.structs.replace(one, version=0, made_at=0.0) == msgspec.structs.replace(
        other, version=0, made_at=0.0
    )


def read_snapshot(path: Path) -> PolicySnapshot | None:
    """The snapshot in a file; None when there is none or it is not readable as one (it is then made anew)."""
    try:
        return decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


def write_snapshot(path: Path, snapshot: PolicySnapshot) -> None:
    """Put the snapshot in place whole: a reader sees the old one or the new one, also after a crash.

    Raises:
        NotReachable: the folder cannot be written, or the disk is full; the old snapshot is still in place.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        with os.fdopen(handle, "wb") as file:
            file.write(encode(snapshot))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise NotReachable(
            "The policy snapshot cannot be written", str(path), f"{error.strerror}; the last one stays in force"
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Index:
    """Findings by the assets they are about, and the case of each, so that a thousand callers cost no million looks."""

    findings: Mapping[str, tuple[Finding, ...]]
    case_of: Mapping[str, tuple[int, Case]]

    @classmethod
    def of(cls, findings: Iterable[Finding], cases: Iterable[Case]) -> _Index:
        by_asset: dict[str, list[Finding]] = {}
        for finding in findings:
            for asset in _assets_of(finding) | set(finding.related):
                by_asset.setdefault(asset, []).append(finding)
        placed = sorted(enumerate(cases), key=lambda at: at[1].state != "resolved")  # an open case wins a finding
        graveness = {finding: (place, case) for place, case in placed for finding in case.findings}
        return cls({asset: tuple(found) for asset, found in by_asset.items()}, graveness)

    def about(self, assets: Iterable[str]) -> tuple[Finding, ...]:
        return tuple({f.id: f for asset in sorted(assets) for f in self.findings.get(asset, ())}.values())

    def cases_of(self, findings: Iterable[Finding]) -> tuple[Case, ...]:
        """The cases the findings belong to, in the order given: gravest first."""
        found = {self.case_of[f.id][0]: self.case_of[f.id][1] for f in findings if f.id in self.case_of}
        return tuple(case for _, case in sorted(found.items()))


# ── one caller ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _caller(
    key: AccessKey,
    graph: Graph,
    labelling: Labelling,
    index: _Index,
    settings: Settings,
    people: People,
) -> Caller:
    application = graph.assets.get(key.application)
    name = application.name if application else key.name
    parts = _parts(graph, key.application)
    concerned = index.about(parts)
    owner = people.owner(key.application)
    return Caller(
        application=key.application,
        name=name,
        mode=settings.modes.get(key.application) or settings.modes.get(name) or "observe",
        owner=owner.name,
        approver=_approver(people, key.application, owner.asset, index.cases_of(concerned)),
        rules=tuple(_rules(graph, labelling, parts, concerned, settings)),
        unknown_paths=settings.gateway.unknown_paths,
        refusal=settings.gateway.refusal,
    )


def _parts(graph: Graph, application: str) -> frozenset[str]:
    """The application and the agents it hands its calls on to."""
    parts, todo = {application}, [application]
    while todo and len(parts) < AGENTS:
        for relation in graph.out(todo.pop(), *HANDS_ON):
            target = graph.assets.get(relation.target)
            if target is not None and target.kind == "agent" and relation.target not in parts:
                parts.add(relation.target)
                todo.append(relation.target)
    return frozenset(parts)


def _rules(
    graph: Graph, labelling: Labelling, parts: frozenset[str], findings: tuple[Finding, ...], settings: Settings
) -> Iterator[Rule]:
    touched = {label: part for part in sorted(parts, reverse=True) for label in labelling.touches(part) & SENSITIVE}
    for label in sorted(touched.keys() | {"credentials"}):
        about = tuple(sorted(f.id for f in findings if _is_about(f, label, labelling)))
        if part := touched.get(label):
            why = f"{said_labels((label,))} can reach it: {_words(graph, labelling.proof(part, label))}"
        else:
            why = "passwords and keys have no place in an answer"
        yield Rule(id=f"out-{label}", direction="out", categories=(label,), action="redact", why=why, findings=about)
    yield Rule(
        id="in-credentials",
        direction="in",
        categories=("credentials",),
        action="observe",
        why="passwords and keys in a prompt reach the provider and its logs",
    )
    if strangers := _unsanctioned(graph, parts, settings):
        yield Rule(
            id="in-unsanctioned",
            direction="in",
            categories=("pii", "phi", "pci", "minors", "special_category"),
            action="observe",
            why=f"it uses {', '.join(strangers)}, which the organisation has not sanctioned",
        )


def _is_about(finding: Finding, label: str, labelling: Labelling) -> bool:
    """Whether the label lies on the finding's path."""
    return any(label in labelling.contains(asset) or label in labelling.sees(asset) for asset in _assets_of(finding))


def _assets_of(finding: Finding) -> frozenset[str]:
    return frozenset((finding.subject, *(step.asset for step in finding.path)))


def _words(graph: Graph, proof: Iterable[Step]) -> str:
    """A proof as a sentence: names joined by arrows, from where the data lies to who is answered."""
    names = (graph.assets[step.asset].name if step.asset in graph.assets else step.asset for step in proof)
    return " → ".join(names) or "it holds such data itself"


def _unsanctioned(graph: Graph, parts: frozenset[str], settings: Settings) -> tuple[str, ...]:
    """Providers of the models in use that are not on the organisation's list; none when it keeps no list."""
    allowed = settings.organisation.sanctioned_providers
    if allowed is None:
        return ()
    known = {name.casefold() for name in allowed} | AT_HOME
    models = (graph.assets.get(r.target) for part in parts for r in graph.out(part, "uses_model"))
    providers = {str(model.prop("provider") or "") for model in models if model is not None}
    return tuple(sorted(name for name in providers if name and name.casefold() not in known))


def _approver(people: People, application: str, owner: str, cases: Iterable[Case]) -> str:
    """Who can allow an exception, by name: the approver of the gravest case it is in, else the usual one."""
    named = (case.approver for case in cases if case.approver)
    approver = next(named, "") or people.approver(application, owner)
    return people.name(approver) if approver else ""


def _sync_folder(folder: Path) -> None:
    """Make the rename durable, where the system lets a folder be synced."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
