"""When a case is to be dealt with, and who hears of it when it was not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from penstock.graph.graph import Graph
from penstock.graph.vocabulary import Case, CaseChange
from penstock.respond.people import People

HOUR = 3600.0
#: Hours from opening to due, where the settings say nothing: the windows of days that patch policies commonly set for
#: critical, high, medium and low (1, 7, 30, 90).
DUE_HOURS: Mapping[str, float] = {"critical": 24.0, "high": 168.0, "medium": 720.0, "low": 2160.0}
#: What rests on a vital process (criticality 4) or an important one (3) is due sooner by this factor: the share that
#: a recovery objective of an hour, or of four, leaves of a working day, rounded.
SOONER: Mapping[int, float] = {4: 0.25, 3: 0.5}
_BEGINS = ("opened", "re-opened", "woken", "merged", "split")


def timed(case: Case, people: People, due_hours: Mapping[str, float], *, now: float) -> Case:
    """The case with its date; one that is past it is escalated, once, to security and the owners of what is affected.

    Info and everything that is not open has no date.
    """
    hours = due_hours.get(case.severity) or DUE_HOURS.get(case.severity)
    if case.state != "open" or hours is None:
        return replace(case, due=None, escalated_at=None) if case.due or case.escalated_at else case
    due = _since(case) + hours * HOUR * SOONER.get(tier(case, people.graph), 1.0)
    if due > now:
        return replace(case, due=due, escalated_at=None) if (due, None) != (case.due, case.escalated_at) else case
    told = (*case.informed, *(who for who in _above(case, people) if who not in case.informed))
    if case.escalated_at is not None:
        return replace(case, due=due, informed=told)
    names = ", ".join(people.name(who) for who in told) or "nobody: no security team is named"
    line = CaseChange(now, "penstock", f"overdue: {names} must know")
    return replace(
        case,
        due=due,
        escalated_at=now,
        informed=told,
        history=(*case.history, line),
        changed_at=max(now, case.changed_at),
    )


def tier(case: Case, graph: Graph) -> int:
    """The highest criticality of the business processes the case affects; 0 when none is known."""
    found = (graph.assets.get(id) for id in case.affected)
    return max((_number(asset.prop("criticality")) for asset in found if asset and asset.kind == "process"), default=0)


def _since(case: Case) -> float:
    """When it was last opened."""
    return max((line.at for line in case.history if line.what.startswith(_BEGINS)), default=case.opened_at)


def _above(case: Case, people: People) -> Iterable[str]:
    """Security, and who answers for the processes that the case affects."""
    security = people.known_as(people.settings.security_team)
    processes = [id for id in case.affected if (a := people.graph.assets.get(id)) and a.kind == "process"]
    return dict.fromkeys(filter(None, [security, *(people.owner(id).asset for id in processes)]))


def _number(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0
