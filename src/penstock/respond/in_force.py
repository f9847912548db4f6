"""The policy in force: what was compiled from the graph, with what people allowed and set aside since.

Compiling takes as long as the graph is large; a grant or a quarantine must not wait for it. So what was compiled is
kept beside the snapshot, and the snapshot is made from it and from people's decisions, whenever either changes.
"""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from penstock.graph.store.protocol import Store
from penstock.protect.snapshot import PolicySnapshot
from penstock.respond.approvals import grants
from penstock.respond.quarantine import held, quarantines
from penstock.respond.signing import open_keyring
from penstock.respond.snapshot import read_snapshot, same_content, write_snapshot
from penstock.respond.tools import approved_tools

#: What only one process does at a time; short, however large the graph is.
ALONE = "snapshot"
FILE = "snapshot.json"
#: What was compiled, before people's decisions; the gateway does not read it.
COMPILED = "snapshot.compiled.json"


def put_in_force(
    store: Store, state: Path, *, compiled: PolicySnapshot | None = None, now: float
) -> PolicySnapshot | None:
    """Write the snapshot if it says something new, with the next version; returns the one in force.

    Args:
        compiled: what was just compiled; without it the last one, None when there is none yet.
    Raises:
        NotReachable: a file cannot be written; the old snapshot stays in force.
    """
    with store.exclusive(ALONE):
        if compiled is None:
            compiled = read_snapshot(state / COMPILED) or read_snapshot(state / FILE)
            if compiled is None:
                return None
        else:
            before = read_snapshot(state / COMPILED)
            if before is None or not same_content(before, compiled):
                write_snapshot(state / COMPILED, compiled)
        allowed = grants(store, open_keyring(state), now=now)
        made = replace(held(compiled, quarantines(store, now=now)), grants=allowed, tools=approved_tools(store))
        current = read_snapshot(state / FILE)
        if current is not None and same_content(current, made):
            return current
        made = replace(made, version=current.version + 1 if current else 1, made_at=now)
        write_snapshot(state / FILE, made)
        return made
