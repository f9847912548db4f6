"""What conditions of rules may read: the declared properties, what is derived of them, and the organisation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from penstock.conditions import SCHEMAS, Field

#: How widely a thing is open, narrowest first.
EXPOSURES = ("private", "corporate", "partner", "internet")

DERIVED: Mapping[str, Field] = MappingProxyType(
    {
        "reach": Field("text", frozenset(EXPOSURES)),
        "anonymous": Field("flag"),
        "untrusted": Field("flag"),
        "guarded_in": Field("flag"),
        "guarded_out": Field("flag"),
        "owned": Field("flag"),
        "revoked": Field("flag"),
        "cleared": Field("flag"),
        "high_risk": Field("text"),
        "criticality": Field("number"),
        "holders": Field("number"),
        "served": Field("flag"),
    }
)
#: What conditions of rules are checked against.
RULE_SCHEMAS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "asset": MappingProxyType({**SCHEMAS["asset"], **DERIVED}),
        "org": MappingProxyType(
            {name: Field("text") for name in ("name", "sector")}
            | {name: Field("words") for name in ("regions", "regimes")}
        ),
        "path": MappingProxyType({"length": Field("number")}),
    }
)
