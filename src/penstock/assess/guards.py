"""Whether a check stands before something: its own, a guardrail's, that of what it calls, or of all its callers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penstock.assess.arrays import Flags, Ints, verb_flags
from penstock.assess.columns import Column

if TYPE_CHECKING:
    from penstock.assess.facts import Facts

_GUARDED_BY = verb_flags(["guarded_by"])
_CALLED = verb_flags(["uses_model", "sends_to"])
_CALLERS = verb_flags(["invokes", "delegates_to", "uses_model", "uses_tool"])
_INVOKES = verb_flags(["invokes"])
#: How many callers in a row are looked at.
_DEPTH = 3


def guarded(facts: Facts, prop: str) -> Column:
    """True where a check was seen on the way, false where it was seen to be missing, else unknown."""
    said = facts.column(prop)
    yes, no = said.where(True), said.where(False)
    some_guard_checks, _ = _of_ends(facts, _GUARDED_BY, yes)
    _, no_guard_checks = _of_ends(facts, _GUARDED_BY, no)
    _, all_called_check = _of_ends(facts, _CALLED, yes)
    seen = yes | some_guard_checks | all_called_check
    through_agents = _only_through_guarded_agents(facts, seen)
    exposure = facts.column("exposure")
    behind_callers = ~exposure.given | exposure.where("private")
    now = seen
    for _ in range(_DEPTH):
        _, all_callers = _of_ends(facts, _CALLERS, now, forward=False)
        now = seen | through_agents | (behind_callers & all_callers)
    return Column.flags(now, no | no_guard_checks)


def _of_ends(facts: Facts, verbs: Flags, flags: Flags, *, forward: bool = True) -> tuple[Flags, Flags]:
    """Of the other ends of each asset's relations: whether some have the flag, and whether there are any and all do."""
    arrays = facts.arrays
    edges = arrays.of_verbs(verbs)
    near, far = (arrays.source, arrays.target) if forward else (arrays.target, arrays.source)
    count = len(arrays)
    have = np.bincount(near[edges][flags[far[edges]]], minlength=count)
    are = np.bincount(near[edges], minlength=count)
    return have > 0, (are > 0) & (have == are)


def _only_through_guarded_agents(facts: Facts, guarded: Flags) -> Flags:
    """Whether an application talks to models through its agents alone, and each of these is guarded.

    A repository's application is said to invoke every endpoint that its code names; one whose model an agent uses is
    the agent's.
    """
    arrays, graph = facts.arrays, facts.graph
    agents = facts.kind_is("agent")
    edges = arrays.of_verbs(_INVOKES)
    to_agents = edges[agents[arrays.target[edges]]]
    count = len(arrays)
    called = np.bincount(arrays.source[to_agents], minlength=count)
    unguarded = np.bincount(arrays.source[to_agents[~guarded[arrays.target[to_agents]]]], minlength=count)
    found = np.zeros(count, np.bool_)
    candidates: Ints = np.flatnonzero((called > 0) & (unguarded == 0)).astype(np.int32)
    for place in candidates.tolist():
        id = arrays.ids[place]
        invoked = [graph.assets[r.target] for r in graph.out(id, "invokes")]
        used = {r.target for agent in invoked if agent.kind == "agent" for r in graph.out(agent.id, "uses_model")}
        used |= {r.target for model in list(used) for r in graph.out(model, "derived_from")}
        own = {r.target for r in graph.out(id, "uses_model", "retrieves_from", "sends_to")}
        for other in invoked:
            if other.kind != "agent":
                own |= {r.target for r in graph.out(other.id, "serves")} or {other.id}
        found[place] = own <= used
    return found
