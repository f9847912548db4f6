"""The asset a person means by what they typed."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from penstock.errors import WrongUse
from penstock.graph.graph import Graph
from penstock.graph.vocabulary import Asset


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
        if len(meant) == 1:
            return meant[0]
        if meant:
            shown = "; ".join(f"{a.kind} {a.name} {a.scope}: {a.id}" for a in meant[:6])
            raise WrongUse(f"{len(meant)} assets are called {typed!r}", hint=f"Give the id of one. {shown}")
    near = difflib.get_close_matches(typed, [a.name for a in alive], 3, 0.5)
    hint = f"Close: {', '.join(near)}. " if near else ""
    raise WrongUse(f"There is no {what} {typed!r}", hint=f"{hint}All of them: penstock assets")
