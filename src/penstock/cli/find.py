"""The asset a person means by what they typed."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from penstock.errors import WrongUse
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import CONTEXT_KINDS, Asset

#: Candidates shown.
MOST = 8


def asset_named(graph: Graph, typed: str, kinds: Collection[str] = ()) -> Asset:
    """The one asset with this id, or this name (any case), or the one whose name begins so.

    Raises:
        WrongUse: no asset or several are meant; the hint names the candidates.
    """
    if typed in graph.assets:
        return graph.assets[typed]
    alive = [a for a in graph.assets.values() if a.lifecycle != "retired" and (not kinds or a.kind in kinds)]
    wanted = typed.casefold()
    what = " or ".join(sorted(kinds)) or "asset"
    for meant in (
        [a for a in alive if a.name.casefold() == wanted],
        [a for a in alive if a.name.casefold().startswith(wanted) or a.id.startswith(wanted)],
    ):
        things = [a for a in meant if a.kind not in CONTEXT_KINDS]
        if len(meant) == 1 or len(things) == 1:  # a repository is called as what lies in it
            return (things or meant)[0]
        if meant:
            shown = "".join(f"\n        {a.id}  {_told(a)}" for a in meant[:MOST])
            more = f"\n        and {len(meant) - MOST} more" if len(meant) > MOST else ""
            raise WrongUse(f"{len(meant)} assets are called {typed!r}", hint=f"Give the id of one:{shown}{more}")
    near = difflib.get_close_matches(typed, sorted({a.name for a in alive}), 3, 0.5)
    hint = f"Close: {', '.join(near)}. " if near else ""
    raise WrongUse(f"There is no {what} {typed!r}", hint=f"{hint}All of them: penstock assets")


def _told(asset: Asset) -> str:
    scope = f" of {asset.scope.removeprefix('repo:')}" if asset.scope else ""
    status = f", {asset.status}" if asset.status != "used" else ""
    return f"{asset.kind.replace('_', ' ')} {asset.name}{scope}{status}"
