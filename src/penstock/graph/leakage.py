"""How readily data can be got out again, by the way it came (R2): it ranks what holds a label, and drops nothing.

verbatim: it is there as it was. extractable: a model learned it, and can be made to say it. inferable: it went through
a method that bounds what can be learned, but that nobody has accepted yet. A way is as leaky as its least leaky arc,
and an asset as its leakiest way.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from penstock.graph.declassify import PROP
from penstock.graph.flow import PLANES, Flags, Flow, Numbers, Places
from penstock.graph.graph import Graph

#: Least leaky first; classes are numbers into it.
LEAKAGE = ("inferable", "extractable", "verbatim")
Classes = npt.NDArray[np.int8]


def leakiest(flow: Flow, arcs: Classes, origins: Places, hops: Numbers, shut: Flags | None) -> Classes:
    """The worst class by which a label reaches each state, -1 where it does not.

    Args:
        arcs: the class that each arc keeps at most.
        hops: the label's distances, as ``flow.walk`` finds them.
    """
    worst = np.where(hops >= 0, 0, -1).astype(np.int8)
    for level in range(1, len(LEAKAGE)):
        low = arcs < level
        worst[flow.walk(origins, low if shut is None else low | shut) >= 0] = level
    return worst


def of_arcs(graph: Graph, flow: Flow) -> Classes:
    """The class that each arc keeps at most: what its relation says, else what it leads into decides."""
    model, bounded = np.zeros(len(flow.ids), np.bool_), np.zeros(len(flow.ids), np.bool_)
    for id, asset in graph.assets.items():
        model[flow.place[id]] = asset.kind == "model"
        bounded[flow.place[id]] = bool(asset.props.get(PROP))
    giver, receiver = flow.start // PLANES, flow.end // PLANES
    leak = np.full(len(flow.start), LEAKAGE.index("verbatim"), np.int8)
    leak[model[receiver] & ~model[giver]] = LEAKAGE.index("extractable")
    leak[bounded[receiver]] = LEAKAGE.index("inferable")
    for relations, arcs in (
        (flow.relations, np.arange(flow.built)),
        (flow.fresh, np.arange(flow.built, len(flow.start))),
    ):
        said = {
            number: LEAKAGE.index(relation.props["leakage"])
            for number, relation in enumerate(relations)
            if relation.props and relation.props.get("leakage") in LEAKAGE
        }
        if said:
            told = np.full(len(relations), -1, np.int8)
            told[list(said)] = list(said.values())
            known = told[flow.relation[arcs]]
            leak[arcs[known >= 0]] = known[known >= 0]
    return leak
