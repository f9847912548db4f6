"""Scan targets into the state and assess what is there: what ``scan`` and ``up`` share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from penstock import __version__
from penstock.cli.options import State
from penstock.cli.screen import progress_bar
from penstock.errors import WrongUse

if TYPE_CHECKING:
    from penstock.graph.diff import Changes
    from penstock.graph.store.protocol import Scan
    from penstock.report.view import Report


@dataclass(frozen=True, slots=True)
class Outcome:
    """A scan and what the whole graph says after it."""

    scan: Scan
    report: Report

    @property
    def failed(self) -> bool:
        """Whether something should have been seen and was not; deliberate skips do not count."""
        return any(not unseen.skipped for unseen in self.scan.unseen)


def scan_into(state: State, targets: Sequence[str]) -> Outcome:
    """Scan the targets, ingest what was seen, assess the graph.

    Raises:
        WrongUse: a target does not exist.
    """
    from penstock.discover.names import Names
    from penstock.discover.scan import scan
    from penstock.graph.erased import erasures

    for target in targets:
        check_target(target)
    first = not state.store.scans()
    names = Names(state.store.get("places"))
    with progress_bar() as on_progress:
        found = scan(
            list(targets),
            settings=state.settings,
            cache=state.directory / "cache",
            progress=on_progress,
            names=names,
            key=installation_key_of(state),
            now=state.now,
        )
    before = state.store.graph()
    changes = state.store.ingest(found)
    if erased := erasures(before, state.store.graph(), at=state.now):
        state.store.ingest(erased)
    state.store.put("places", names.places)
    remember(state, targets)
    return Outcome(found, current_report(state, changes=None if first else changes, sources=found.scopes))


def only_added(state: State, outcome: Outcome, targets: Sequence[str], revision: str) -> tuple[Report, int]:
    """The report with the findings alone that the sources have now and had not at a revision; how many are resolved.

    Both states of the sources are judged by themselves, so that what others changed meanwhile is nobody's fault here.

    Raises:
        WrongUse: a target is no folder whose revisions can be read.
        NotReachable: the revision does not exist.
    """
    from penstock.assess.compare import since
    from penstock.discover.names import Names
    from penstock.discover.scan import scan
    from penstock.graph.merge import merge

    for target in targets:
        if not Path(target).is_dir():
            raise WrongUse("--since compares folders under git", target, "Name the folder of a repository")
    with progress_bar() as on_progress:
        base = scan(
            [f"{target}@{revision}" for target in targets],
            settings=state.settings,
            cache=None,
            progress=on_progress,
            names=Names(state.store.get("places")),
            key=installation_key_of(state),
            now=state.now,
        )
    before, after = (
        merge(one.observations, complete=one.complete, unseen=one.unseen, at=state.now) for one in (base, outcome.scan)
    )
    told = since(
        before, after, state.settings.organisation, acceptances=tuple(state.store.acceptances()), now=state.now
    )
    added = {finding.id for finding in told.added}
    report = outcome.report
    kept = tuple(finding for finding in report.assessment.findings if finding.id in added)
    return replace(report, assessment=replace(report.assessment, findings=kept)), len(told.closed)


def installation_key_of(state: State) -> bytes:
    """The key with which this installation makes fingerprints of secrets."""
    from penstock.inspect.fingerprint import installation_key

    return installation_key(state.directory)


def ended(report: Report, fail_on: str, *, failed: bool) -> Report:
    """The report that also says how the scan ended, for an exit code and for who reads the JSON."""
    from penstock.graph.vocabulary import SEVERITIES
    from penstock.report.view import Gate

    worst = max((SEVERITIES.index(finding.severity) for finding in report.findings), default=-1)
    reached = fail_on != "never" and worst >= SEVERITIES.index(fail_on)
    return replace(report, gate=Gate(fail_on, reached, failed))


def check_target(target: str) -> None:
    """A target is a path that exists, ``path@ref``, or a git address."""
    if "://" in target or target.startswith("git@"):
        return
    plain, _, ref = target.rpartition("@")
    if not Path(target).exists() and not (ref and plain and Path(plain).exists()):
        raise WrongUse(f"There is no such path: {target}", hint="Name a folder, a file or a git address")


def remember(state: State, targets: Sequence[str]) -> None:
    """Keep the absolute targets, so that `penstock up` without a path looks at them again; no login is kept."""
    from penstock.discover.databases import is_database, place_of
    from penstock.discover.git import without_credentials

    def kept(target: str) -> str:
        if is_database(target):
            return place_of(target)
        if "://" in target or target.startswith("git@"):
            return without_credentials(target)
        return str(Path(target).absolute())

    state.store.put("targets", [kept(target) for target in targets])


def current_report(state: State, *, changes: Changes | None = None, sources: Iterable[str] | None = None) -> Report:
    """The whole graph as it stands: labels, findings, cases; the gateway's policy is renewed on the way.

    ``sources`` are what was just looked at; every source the graph knows when not given.
    """
    from penstock.report.view import Report
    from penstock.respond.people import People
    from penstock.respond.refresh import refresh

    fresh = refresh(state.store, state.settings, state.directory, now=state.now)
    people = People(fresh.graph, state.settings)
    if sources is None:
        sources = {e.scope for all_of_it in fresh.graph.evidence.values() for e in all_of_it if ":" in e.scope}
        sources |= {scope for _, scopes, _ in state.store.scans() for scope in scopes if ":" in scope}
    return Report(
        graph=fresh.graph,
        labelling=fresh.labelling,
        assessment=fresh.assessment,
        cases=fresh.cases,
        changes=changes,
        sources=tuple(sorted(sources)),
        generated_at=state.now,
        version=__version__,
        owners={id: people.owner(id).name for id in fresh.graph.assets},
        acceptances=tuple(state.store.acceptances()),
    )
