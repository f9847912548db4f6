"""Two assessments side by side: what the second adds, what it no longer says, what it says worse or milder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penstock.assess.assessment import Assessment, AttackPath
from penstock.assess.engine import assess
from penstock.graph.graph import Graph
from penstock.graph.labels import propagate
from penstock.graph.store.protocol import Acceptance
from penstock.graph.vocabulary import SEVERITIES, Finding
from penstock.settings import Organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """``closed`` and ``opened`` by fingerprint, worst first; ``moved``: the same finding with another severity."""

    before: Assessment
    after: Assessment
    closed: tuple[Finding, ...]
    opened: tuple[Finding, ...]
    moved: tuple[tuple[Finding, Finding], ...]
    paths_closed: tuple[AttackPath, ...]
    paths_opened: tuple[AttackPath, ...]

    @property
    def worse(self) -> tuple[Finding, ...]:
        """The findings, as they are now, whose severity rose."""
        rank = SEVERITIES.index
        return tuple(now for was, now in self.moved if rank(now.severity) > rank(was.severity))

    @property
    def added(self) -> tuple[Finding, ...]:
        """What a reviewer of the change has to look at: new findings and those that got worse, worst first."""
        return tuple(sorted((*self.opened, *self.worse), key=lambda finding: (-finding.score, finding.id)))


def since(
    before: Graph,
    after: Graph,
    organisation: Organisation,
    *,
    acceptances: Sequence[Acceptance] = (),
    now: float,
) -> Compared:
    """What a change adds and resolves, both graphs judged alike: of a pull request, say, its base and its head.

    A finding that was accepted is neither added nor resolved as long as its acceptance holds.
    """
    return compared(
        *(assess(graph, propagate(graph), organisation, acceptances=acceptances, now=now) for graph in (before, after))
    )


def compared(before: Assessment, after: Assessment) -> Compared:
    """Two assessments of one organisation, by the fingerprints of findings and the hops of paths."""
    was, will = ({finding.id: finding for finding in one.findings} for one in (before, after))
    ways_before, ways_after = ({_way(path): path for path in one.paths} for one in (before, after))
    return Compared(
        before=before,
        after=after,
        closed=tuple(finding for id, finding in was.items() if id not in will),
        opened=tuple(finding for id, finding in will.items() if id not in was),
        moved=tuple((old, will[id]) for id, old in was.items() if id in will and will[id].severity != old.severity),
        paths_closed=tuple(path for way, path in ways_before.items() if way not in ways_after),
        paths_opened=tuple(path for way, path in ways_after.items() if way not in ways_before),
    )


def _way(path: AttackPath) -> tuple[str, tuple[str, ...]]:
    return path.entry, tuple(step.asset for step in path.hops)
