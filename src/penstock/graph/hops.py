"""Distances from origins, kept right while arcs come and go: only what the change reaches is walked anew.

Level by level: first, states whose every shortest way is gone lose their distance, nearest first, so that a circle
cannot hold itself up. Then they and whatever new arcs shorten are filled in from what still stands.
"""

from __future__ import annotations

import numpy as np

from penstock.graph.flow import Flags, Flow, Numbers, Places


def updated(
    hops: Numbers, flow: Flow, origins: Places, shut: Flags | None, *, lost: Places, new: Places, former: Places
) -> Numbers:
    """Hops from the origins in the flow as it is now; equal to ``flow.walk(origins, shut)``.

    Args:
        hops: the distances before.
        shut: arcs of the flow that do not carry this label.
        lost: arcs that carried it and no longer do.
        new: arcs that carry it and did not.
        former: the origins before.
    """
    hops = np.concatenate((hops, np.full(flow.states - len(hops), -1, np.int32)))
    fallen = _fall(hops, flow, origins, shut, lost, former)
    _rise(hops, flow, origins, shut, fallen, new)
    return hops


def _fall(hops: Numbers, flow: Flow, origins: Places, shut: Flags | None, lost: Places, former: Places) -> list[Places]:
    """Take the distance from every state that nothing at its distance holds up any more; returns them."""
    at: dict[int, list[Places]] = {}
    _sort_in(at, hops, np.setdiff1d(former, origins))
    _sort_in(at, hops, flow.end[lost][_leads(hops, flow, lost)])
    fallen: list[Places] = []
    while at:
        level = min(at)
        states = np.setdiff1d(np.concatenate(at.pop(level)), origins)
        states = states[hops[states] == level]
        held = _open(flow.entering(states), shut)
        if level:
            states = np.setdiff1d(states, flow.end[held][hops[flow.start[held]] == level - 1])
        if len(states):
            leaving = _open(flow.leaving(states), shut)
            below = flow.end[leaving][_leads(hops, flow, leaving)]
            hops[states] = -1
            fallen.append(states)
            _sort_in(at, hops, below)
    return fallen


def _rise(hops: Numbers, flow: Flow, origins: Places, shut: Flags | None, fallen: list[Places], new: Places) -> None:
    """Give the nearest distance to what fell, to new origins, and to all that new arcs bring nearer."""
    arcs = np.concatenate((*(_open(flow.entering(states), shut) for states in fallen), _open(new, shut)))
    arcs = arcs[hops[flow.start[arcs]] >= 0]
    ends, far = flow.end[arcs].astype(np.int64), hops[flow.start[arcs]] + 1
    reached: dict[int, list[Places]] = {0: [origins[hops[origins] != 0]]}
    for level in np.unique(far).tolist():
        reached.setdefault(level, []).append(ends[far == level])
    while reached:
        level = min(reached)
        states = np.unique(np.concatenate(reached.pop(level)))
        states = states[(hops[states] < 0) | (hops[states] > level)]
        if len(states):
            hops[states] = level
            arcs = _open(flow.leaving(states), shut)
            reached.setdefault(level + 1, []).append(flow.end[arcs].astype(np.int64))


def _leads(hops: Numbers, flow: Flow, arcs: Places) -> Flags:
    """Which arcs are part of a shortest way."""
    before = hops[flow.start[arcs]]
    leads: Flags = (before >= 0) & (hops[flow.end[arcs]] == before + 1)
    return leads


def _open(arcs: Places, shut: Flags | None) -> Places:
    return arcs if shut is None else arcs[~shut[arcs]]


def _sort_in(at: dict[int, list[Places]], hops: Numbers, states: Places | Numbers) -> None:
    """Note states under their distance; those without one are left out."""
    for level in np.unique(hops[states]).tolist():
        if level >= 0:
            at.setdefault(level, []).append(states[hops[states] == level].astype(np.int64))
