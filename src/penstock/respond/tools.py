"""Tools of MCP servers as people approved them: kept in the store, put in force with the next snapshot."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.graph.store.protocol import Store
from penstock.protect.snapshot import ToolPin

#: Name under which the store keeps them: ``server/tool`` → definition's digest and who approved it.
KEPT = "mcp tools"


def approve_tool(store: Store, pin: ToolPin, *, now: float) -> None:
    """Let one definition of a tool count, in place of the one approved before; noted in the audit trail."""
    kept: Mapping[str, Mapping[str, str]] = store.get(KEPT) or {}
    name = f"{pin.server}/{pin.tool}"
    row = {"server": pin.server, "tool": pin.tool, "digest": pin.digest, "by": pin.approved_by}
    store.put(KEPT, {**kept, name: row})
    store.audit(pin.approved_by, f"approved tool {name} as {pin.digest[:12]}", "", now)


def approved_tools(store: Store) -> tuple[ToolPin, ...]:
    """All that were approved, by name."""
    kept: Mapping[str, Mapping[str, str]] = store.get(KEPT) or {}
    return tuple(
        ToolPin(server=row["server"], tool=row["tool"], digest=row["digest"], approved_by=row["by"])
        for _, row in sorted(kept.items())
    )
